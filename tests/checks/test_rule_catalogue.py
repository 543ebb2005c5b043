"""The catalogue of rules and the findings they give."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from lightframe.checks import RULES, Finding, Group, PlanRecord, Severity, judge
from lightframe.checks._cameras import sensor_of
from lightframe.checks._plan_records import CalibrationRecord, SetRecord
from lightframe.checks._plan_rules import _MISMATCHES
from lightframe.checks._remedies import REMEDIES
from lightframe.checks._rules import found, rule
from lightframe.errors import SettingsError
from lightframe.frames import FrameKind
from lightframe.session import RunSettings

PLAN_RULES = {
    "unreadable-file", "already-calibrated", "camera-mismatch", "format-mismatch",
    "binning-mismatch", "geometry-mismatch", "readout-mode-mismatch", "gain-mismatch",
    "offset-mismatch", "cfa-pattern-wrong", "frame-flipped", "dark-exposure-mismatch",
    "dark-shorter-than-light", "dark-temperature-mismatch", "flat-dark-exposure-mismatch",
    "flats-uncalibrated", "flat-filter-missing", "flat-geometry-changed", "no-dark", "no-flat",
    "too-few-frames", "double-bias-subtraction", "bias-never-subtracted", "bias-not-recommended",
}  # fmt: skip


def test_all_rules_of_a_plan_are_in_the_catalogue():
    """Each has a meaning and an explanation of its own."""
    entries = {entry.name: entry for entry in RULES.entries() if entry.value.judges is PlanRecord}

    assert set(entries) == PLAN_RULES
    assert len({entry.meaning for entry in entries.values()}) == len(entries)
    assert all(len(entry.value.explanation) > 60 for entry in entries.values())


def test_every_witness_explains_itself_with_an_example():
    """What users read of a rule, and of each further look that it takes, ends with numbers."""
    bare = [
        f"{entry.name} ({witness.check.__module__})"
        for entry in RULES.entries()
        for witness in entry.value.witnesses
        if "\n\nExample: " not in witness.explanation
    ]

    assert bare == []


def test_every_rule_has_a_remedy_whose_settings_exist():
    """What its page advises; a setting that is named there can be set."""
    assert list(REMEDIES) == list(RULES)
    for remedy in REMEDIES.values():
        assert remedy.endswith(".")
        for quoted in re.findall(r"`([^`]*)`", remedy):
            if " = " in quoted:
                RunSettings.parse(tomllib.loads(quoted))


def test_mismatches_that_may_be_ignored_are_named_as_in_the_settings():
    """What the remedy of a finding says can be pasted into a file of settings."""
    advised = [
        text
        for mismatch in _MISMATCHES
        for text in re.findall(r"match\.ignored_quantities = \"[^\"]*\"", mismatch.remedy)
    ]
    assert len(advised) > 3
    for text in advised:
        RunSettings.parse(tomllib.loads(text))


def test_an_empty_plan_gives_no_finding():
    """Nothing to judge, nothing found."""
    assert judge(PlanRecord()) == ()


def test_rules_judge_only_their_kind_of_evidence(monkeypatch):
    """A rule sees evidence of its own type; findings come the worst first."""

    @dataclass(frozen=True)
    class Evidence:
        level: int

    monkeypatch.setattr(RULES, "_entries", {entry.name: entry for entry in RULES.entries()})

    @rule("level-odd", "odd", severity=Severity.INFO, group=Group.MASTERS, judges=Evidence)
    def level_odd(evidence):
        """Explain."""
        if evidence.level % 2:
            yield found("level-odd", frames=[], message="odd")
            yield found("level-odd", frames=[], message="very", severity=Severity.ERROR)

    assert judge(Evidence(2)) == ()
    assert [f.message for f in judge(Evidence(3))] == ["very", "odd"]
    assert RULES["level-odd"].explanation == "Explain."
    assert level_odd(Evidence(2)) is not None


def test_a_finding_of_an_unknown_rule_is_an_error():
    """Names of rules are a contract."""
    with pytest.raises(SettingsError, match="no-such-rule"):
        found("no-such-rule", frames=[], message="")


def test_a_finding_is_json_in_the_order_of_run_json():
    """Paths become text; every frame is named once."""
    finding = found(
        "no-dark", frames=[Path("a"), Path("b"), Path("a")], message="m", evidence={"lights": 2}
    )

    assert isinstance(finding, Finding)
    assert json.loads(json.dumps(finding.as_dict())) == {
        "rule": "no-dark", "severity": "warning", "group": "acquisition", "frames": ["a", "b"],
        "message": "m", "cause": "", "remedy": "", "evidence": {"lights": 2},
    }  # fmt: skip
    assert list(finding.as_dict())[:4] == ["rule", "severity", "group", "frames"]
    assert hash(finding) == hash(finding)


def a_set(kind):
    """Return some frames of a kind."""
    return SetRecord(label=kind.value, kind=kind, paths=(Path(kind.value),))


LIGHT, BIAS, DARK = (a_set(kind) for kind in (FrameKind.LIGHT, FrameKind.BIAS, FrameKind.DARK))


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({}, 1),
        ({"bias": BIAS}, 0),
        ({"dark": DARK}, 0),
        ({"dark": DARK, "bias": BIAS}, -1),
        ({"dark": DARK, "bias": BIAS, "dark_loses_bias": True}, 0),
        ({"dark": DARK, "dark_holds_bias": False}, 1),
        ({"dark": DARK, "dark_holds_bias": False, "bias": BIAS}, 0),
        ({"dark": DARK, "dark_holds_bias": False, "bias": BIAS, "dark_loses_bias": True}, 1),
        ({"already_calibrated": True}, 0),
    ],
)
def test_the_bias_is_counted_as_the_formula_does(facts, left):
    """L - B - (D - B), with each term present or not: 0 is right."""
    assert CalibrationRecord(target=LIGHT, **facts).bias_left == left


@pytest.mark.parametrize(
    ("camera", "technology", "glows", "unstable"),
    [
        ("ZWO ASI294MC Pro", "cmos", True, True),
        ("QHY163M", "cmos", True, True),
        ("ZWO ASI183MM Pro", "cmos", True, False),
        ("ZWO ASI2600MM Pro", "cmos", False, False),
        ("Apogee USB/Net", "ccd", False, False),
        ("SBIG STF-8300", "ccd", False, False),
        ("Atik 460ex", "ccd", False, False),
        ("QHY8L", "ccd", False, False),
        ("QHY600M", "cmos", False, False),
        ("Canon EOS 600D", "cmos", False, False),
        ("ASCOM Camera", None, False, False),
        (None, None, False, False),
    ],
)
def test_the_name_of_a_camera_tells_its_sensor(camera, technology, glows, unstable):
    """What is not known stays unknown."""
    sensor = sensor_of(camera)

    assert (sensor.technology, sensor.glows, sensor.unstable_bias) == (technology, glows, unstable)
