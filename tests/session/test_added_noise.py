"""What masters add to the noise of a result: from the frames of a run to its findings."""

from dataclasses import replace
from pathlib import Path

import pytest

from lightframe.checks import PlanRecord, Severity, judge
from lightframe.checks._plan_records import MeasuredNoise, SetRecord
from lightframe.frames import FrameKind
from lightframe.processes import combined_noise
from lightframe.report import write_report
from lightframe.session import RunSettings, run
from lightframe.simulation import simulate_session
from step_frames import small


def _session(folder, *, dither, lights=8, calibration=3):
    session = small("mono-ccd", lights=lights, calibration=calibration)
    night = session.night.model_copy(update={"dither_px": dither})
    simulate_session(folder, session.model_copy(update={"night": night}))
    return folder


@pytest.fixture(scope="module")
def undithered(tmp_path_factory):
    """Return the document of a run of eight lights that show the same field, and its folder."""
    folder = tmp_path_factory.mktemp("undithered")
    out = folder / "out"
    return run([_session(folder / "raw", dither=0.0)], out).document, out


def _masters(document):
    return {master["kind"]: master for master in document["masters"]}


def test_the_noise_of_a_master_is_that_of_its_frames(undithered):
    """The readout noise of a bias frame, known from the simulation, as three combined have it."""
    document, _ = undithered
    mode = small("mono-ccd").sensor.gains[0]
    bias = _masters(document)["bias"]
    expected = mode.read_noise_e / mode.e_per_adu
    assert bias["frame_noise_dn"] == pytest.approx([expected], rel=0.03)
    assert bias["random_noise_dn"] == pytest.approx(
        [expected * combined_noise(RunSettings().darks, 3)], rel=0.03
    )
    assert bias["random_noise_dn"][0] < bias["noise_dn"][0]


def test_without_dithering_the_warning_names_the_frames_that_are_missing(undithered):
    """Bias and scaled dark add more than 5 %: one finding, measured, not one from the counts."""
    document, _ = undithered
    bias = _masters(document)["bias"]
    (entry,) = bias["adds_noise"]
    assert entry["independent"] == pytest.approx(1, abs=0.3)
    assert bias["adds_noise_percent"] > 5
    light = document["lights"][0]
    own = light["noise_dn"][0] ** 2 - bias["random_noise_dn"][0] ** 2 * (1 - light["k"]) ** 2
    ratio = 8 * (bias["random_noise_dn"][0] * (1 - light["k"])) ** 2 / own
    assert entry["percent"][0] == pytest.approx(100 * ((1 + ratio) ** 0.5 - 1), rel=0.3)
    warnings = [f for f in document["findings"] if f["rule"] == "too-few-frames"]
    (warning,) = [f for f in warnings if f["severity"] == "warning"]
    assert f"{bias['more_frames']} more for [3 bias frames]" in warning["remedy"]
    assert "dither" in warning["remedy"]
    named = [set(finding["frames"]) for finding in warnings]
    assert sum(map(len, named)) == len(set().union(*named))


def test_the_report_shows_it(undithered):
    """The table of masters has a column for it, with the number of frames missing."""
    document, out = undithered
    page = write_report(document, out).read_text(encoding="utf-8")
    assert "Adds to result" in page
    assert f"{_masters(document)['bias']['more_frames']} more frames for 5 %" in page


def test_dithering_takes_the_warning_away(tmp_path):
    """The same frames, dithered: eight independent lights, and a note on few frames is left."""
    raw = _session(tmp_path / "raw", dither=6.0)
    document = run([raw], tmp_path / "out").document
    bias = _masters(document)["bias"]
    assert bias["adds_noise"][0]["independent"] > 6
    assert bias["adds_noise_percent"] < 5
    assert bias["more_frames"] == 0
    findings = [f for f in document["findings"] if f["rule"] == "too-few-frames"]
    assert [f["severity"] for f in findings] == ["info"]
    assert "few frames" in findings[0]["message"]


def test_the_limit_is_a_setting(tmp_path):
    """With a limit of 0.01 % the dithered session is warned of, too."""
    raw = _session(tmp_path / "raw", dither=6.0, lights=3)
    settings = RunSettings.parse({"match": {"master_noise_percent": 0.01}})
    document = run([raw], tmp_path / "out", settings).document
    severities = {f["severity"] for f in document["findings"] if f["rule"] == "too-few-frames"}
    assert "warning" in severities


def _plan(**counts):
    sets = tuple(
        SetRecord(
            label=f"{count} {name}",
            kind=FrameKind.DARK,
            paths=tuple(Path(f"{name}_{i}.fits") for i in range(count)),
        )
        for name, count in counts.items()
    )
    lights = SetRecord(
        label="40 lights", kind=FrameKind.LIGHT, paths=tuple(Path(f"l{i}") for i in range(40))
    )
    return PlanRecord(integrated=sets, light_groups=(lights,))


def _found(plan):
    return [finding for finding in judge(plan) if finding.rule == "too-few-frames"]


def test_measured_noise_replaces_the_count():
    """Enough frames that add too much are warned of; few that add little are a note."""
    plan = _plan(many=30, few=6, fewest=2, unknown=5)
    assert [f.severity for f in _found(plan)] == [Severity.WARNING, Severity.INFO]
    many, few, fewest, _ = (s.paths for s in plan.integrated)
    measured = {
        many: MeasuredNoise(percent=22.0, more_frames=90, undithered=True),
        few: MeasuredNoise(percent=1.5, more_frames=0),
        fewest: MeasuredNoise(percent=3.0, more_frames=0),
    }
    noisy, fewest_finding, note = _found(replace(plan, measured_noise=measured))
    assert noisy.severity is Severity.WARNING
    assert "[30 many] 22.0 %" in noisy.message
    assert "90 more for [30 many]" in noisy.remedy
    assert noisy.evidence["lights_dithered"] is False
    assert "outliers" in fewest_finding.message
    assert note.evidence["frames"] == {"6 few": 6, "5 unknown": 5}
    assert note.evidence["adds_noise_percent"] == {"6 few": 1.5}
    assert note.evidence["noise_raised_percent"] == 200.0
    assert "forecast" in note.message
    assert "a run measures it" not in note.message

    every = dict.fromkeys((s.paths for s in plan.integrated), measured[few])
    few_known = _found(replace(plan, measured_noise=every))[-1]
    assert "forecast" not in few_known.message
    assert "1.5 % at most" in few_known.message


def test_what_frames_do_not_mend_asks_for_no_frames():
    """The pattern that a superbias lacks: the plain master bias is the remedy."""
    plan = _plan(bias=50)
    measured = {plan.integrated[0].paths: MeasuredNoise(percent=9.0, more_frames=None)}
    (finding,) = _found(replace(plan, measured_noise=measured))
    assert "plain master bias" in finding.remedy
