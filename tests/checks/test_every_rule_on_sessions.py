"""Each rule on simulated sessions: files on disk, scanned, planned, checked, and run if need be.

For every rule one session in which it fires and nothing else does that is not said to follow from
it, and a near miss in which nothing is reported. The sessions are in ``tests/sessions_of_*.py``.
"""

import json

import pytest

import sessions_of_frames as frames
import sessions_of_matching as matching
import sessions_of_results as results
from lightframe.checks import RULES
from lightframe.checks._shown import SHOWN
from lightframe.report._pictures import figures
from session_library import Library

CHECKED = (
    frames.FILES
    | frames.BIAS_AND_DARK
    | frames.FLATS
    | frames.COLOURS
    | matching.EQUIPMENT
    | matching.SETTINGS_OF_THE_CAMERA
    | matching.WHAT_IS_THERE
)
RUN = results.RESULTS
TOLD_BY_HEADERS = {"format-mismatch", "binning-mismatch", "dark-temperature-mismatch"}
"""Rules whose sessions here are told by headers, which have no picture; their pixels have one."""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return a library of simulated frames that all tests of this module share."""
    return Library(tmp_path_factory.mktemp("library") / "frames")


def checked(library, session, settings):
    """Check a session; return its findings as JSON values."""
    return [finding.as_dict() for finding in library.check(session, settings).findings]


def ran(library, session, settings, tmp_path):
    """Run a session; return its findings as they are in run.json."""
    return library.run(session, tmp_path / "out", settings).document["findings"]


def serious(findings):
    """Return the errors and warnings."""
    return [finding for finding in findings if finding["severity"] != "info"]


def assert_found(rule, case, findings):
    """Assert that a rule fires, is complete, and stands alone but for stated consequences."""
    severity = case.severity or RULES[rule].severity.value
    found = [finding for finding in findings if finding["rule"] == rule]

    assert found, f"only {[finding['rule'] for finding in findings]}"
    assert found[0]["severity"] == severity
    for part in ("frames", "message", "cause", "remedy", "evidence"):
        assert found[0][part], part
    json.dumps(found[0], allow_nan=False)
    shown = rule in SHOWN and rule not in TOLD_BY_HEADERS
    assert ("picture" in found[0]["evidence"]) == shown
    for name, value in case.numbers.items():
        assert found[0]["evidence"][name] == pytest.approx(value, rel=0.1, abs=0.6), name
    for finding in findings:
        if "picture" in finding["evidence"]:
            assert finding["rule"] in SHOWN
            assert figures(finding, "finding")
    # What it names as its own cause, and what names it, may stand beside it.
    causes = {finding["evidence"].get("consequence_of") for finding in found}
    for other in serious(findings):
        stated = other["rule"] in causes or other["evidence"].get("consequence_of") == rule
        assert other["rule"] == rule or stated, other["message"]


def assert_silent(rule, case, findings):
    """Assert that nothing is reported; of a rule that only informs, not even that."""
    assert [(finding["rule"], finding["message"]) for finding in serious(findings)] == []
    if case.severity == "info":
        assert rule not in {finding["rule"] for finding in findings}


def test_every_rule_has_its_sessions():
    """A rule that is new in the catalogue needs a session that triggers it, and a near miss."""
    tables = (frames.FILES, frames.BIAS_AND_DARK, frames.FLATS, frames.COLOURS, matching.EQUIPMENT,
              matching.SETTINGS_OF_THE_CAMERA, matching.WHAT_IS_THERE, RUN)  # fmt: skip

    assert sorted(rule for table in tables for rule in table) == sorted(RULES)


@pytest.mark.parametrize("rule", CHECKED)
def test_a_fault_in_raw_frames_is_found(rule, library):
    """`lightframe check` names the cause, and the cause only."""
    case = CHECKED[rule]

    assert_found(rule, case, checked(library, case.found, case.settings))


@pytest.mark.parametrize("rule", CHECKED)
def test_a_near_miss_in_raw_frames_is_silent(rule, library):
    """`lightframe check` reports no error and no warning of what does no harm."""
    case = CHECKED[rule]

    assert_silent(rule, case, checked(library, case.near, case.near_settings))


@pytest.mark.parametrize("rule", RUN)
def test_a_fault_in_calibrated_lights_is_found(rule, library, tmp_path):
    """`lightframe run` names it, with the cause that raw frames have told where there is one."""
    case = RUN[rule]

    assert_found(rule, case, ran(library, case.found, case.settings, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("rule", RUN)
def test_a_near_miss_in_calibrated_lights_is_silent(rule, library, tmp_path):
    """`lightframe run` reports no error and no warning of what does no harm."""
    case = RUN[rule]

    assert_silent(rule, case, ran(library, case.near, case.near_settings, tmp_path))
