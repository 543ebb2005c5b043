"""What a run says of its calibrated lights, on simulated sessions with one fault each."""

import json
from pathlib import Path

import numpy as np
import pytest

from lightframe.checks import picture_from_dict
from lightframe.checks._shown import SHOWN
from lightframe.frames import FrameKind
from lightframe.session import RunSettings, run
from lightframe.simulation import (
    Clouds,
    Flicker,
    Flipped,
    LightLeak,
    NewHotPixels,
    PoorStars,
    WrongSetting,
    simulate_session,
)
from sessions_of_results import FRAMES, night

BIAS_DN = 700.0


def small(name="osc-cmos", faults=(), **changes):
    """Return a preset of a third of a megapixel and eight frames of each kind, with faults."""
    return night(name, *faults, height=480, width=640, **changes)


def judged(tmp_path, session, settings=None):
    """Simulate and run a session; return its findings above info by rule."""
    simulate_session(tmp_path / "raw", session, threads=2)
    folders = [folder for folder in sorted((tmp_path / "raw").iterdir()) if folder.name != "truth"]
    return findings_of(folders, tmp_path / "out", settings)


def findings_of(folders, out, settings=None):
    """Run folders; return findings above info by rule."""
    # What raw frames and headers tell is judged elsewhere, and would explain what is judged here.
    settings = (settings or RunSettings()).model_copy(update={"check_pixels": False})
    document = run(folders, out, settings).document
    return {f["rule"]: f for f in document["findings"] if f["severity"] != "info"}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Simulate a clean session with a bright nebula; return its folders by name."""
    folder = tmp_path_factory.mktemp("clean")
    simulate_session(folder / "raw", small(), threads=2)
    return {path.name: path for path in (folder / "raw").iterdir() if path.name != "truth"}


def test_a_clean_session_is_silent(clean, tmp_path):
    """No error and no warning, although the nebula fills half of the field."""
    assert findings_of(list(clean.values()), tmp_path) == {}


def test_without_a_dark_the_flat_over_corrects(clean, tmp_path):
    """The amount is the bias to 10 percent, on the side of the lights; no-dark is the cause."""
    folders = [clean[name] for name in ("lights", "flats", "flat-darks")]

    findings = findings_of(folders, tmp_path)

    assert set(findings) == {"no-dark", "over-correction"}
    evidence = findings["over-correction"]["evidence"]
    assert evidence["side"] == "lights"
    assert evidence["follows_flat_dn"] == pytest.approx(BIAS_DN, rel=0.1)
    assert evidence["consequence_of"] == "no-dark"
    assert "no-dark" in findings["over-correction"]["cause"]
    tiles, levels, uneven = picture_from_dict(evidence["picture"]).pictures
    assert tiles.lines[1].slope == pytest.approx(evidence["follows_flat_dn"], rel=0.01)
    assert np.corrcoef(tiles.points[0].x, tiles.points[0].y)[0, 1] > 0.3
    assert len(levels.points[0].x) == FRAMES
    assert uneven.aspect == 480 / 640


def test_uncalibrated_flats_under_correct(clean, tmp_path):
    """The flat is at fault, since nothing was there to calibrate it with."""
    folders = [clean[name] for name in ("lights", "flats", "darks")]

    findings = findings_of(folders, tmp_path)

    assert set(findings) == {"flats-uncalibrated", "under-correction"}
    evidence = findings["under-correction"]["evidence"]
    assert (evidence["side"], evidence["consequence_of"]) == ("flat", "flats-uncalibrated")


def test_a_bias_subtracted_twice_under_corrects(tmp_path):
    """So much too little is left as the bias is high; what lies below zero is in its evidence."""
    settings = RunSettings.parse(
        {
            "match": {"use_bias": "always"},
            "calibration": {"calibrate_dark": False},
            "force": True,
        }
    )

    findings = judged(tmp_path, small("mono-cmos"), settings)

    assert "double-bias-subtraction" in findings
    evidence = findings["under-correction"]["evidence"]
    assert evidence["side"] == "lights"
    assert evidence["consequence_of"] == "double-bias-subtraction"
    assert evidence["follows_flat_dn"] == pytest.approx(-evidence["bias_dn"], rel=0.1)
    assert set(findings) <= {"double-bias-subtraction", "under-correction"}


@pytest.mark.slow
@pytest.mark.parametrize("amount", [3.0, 60.0])
def test_darks_of_another_offset_are_found_by_what_they_leave(tmp_path, amount):
    """240 DN of bias are found to 15 percent; 12 DN, within the errors, are not claimed."""
    fault = WrongSetting(kinds=(FrameKind.DARK, FrameKind.FLAT_DARK), offset=70 - 0.4 * amount)

    findings = judged(tmp_path, small(faults=[fault]))

    if amount < 10:
        assert "over-correction" not in findings
    else:
        evidence = findings["over-correction"]["evidence"]
        assert evidence["side"] == "lights"
        assert evidence["follows_flat_dn"] == pytest.approx(4 * amount, rel=0.15)


ONE_FAULT = {
    "dark-light-leak": small(faults=[LightLeak(e_s=1.0, change=0.0)]),
    "stale-dark": small(faults=[NewHotPixels(per_megapixel=800, e_s=8)]),
    "hot-pixel-mismatch": small(faults=[WrongSetting(kinds=(FrameKind.DARK,), temperature_c=-3)]),
    "frame-flipped": small(faults=[Flipped(kinds=(FrameKind.DARK,))]),
}
"""What raw frames tell as well: here from calibrated lights alone."""


@pytest.mark.slow
@pytest.mark.parametrize("rule", list(ONE_FAULT))
def test_one_fault_gives_one_finding(tmp_path, rule):
    """Each fault is found by name, and nothing else is said."""
    findings = judged(tmp_path, ONE_FAULT[rule])

    assert set(findings) == {rule}
    assert ("picture" in findings[rule]["evidence"]) == (rule in SHOWN)


NEAR_MISSES = {
    "hot pixels": small(faults=[NewHotPixels(per_megapixel=60, e_s=8)]),
    "temperature": small(faults=[WrongSetting(kinds=(FrameKind.DARK,), temperature_c=-9)]),
    "focus": small(faults=[PoorStars(numbers=(3,), fwhm_factor=1.15)]),
    "flicker": small(faults=[Flicker(amplitude=0.0003)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NEAR_MISSES))
def test_near_misses_are_silent(tmp_path, name):
    """Half of a fault is none."""
    assert judged(tmp_path, NEAR_MISSES[name]) == {}


def test_bad_lights_are_named_with_their_reasons(tmp_path):
    """Clouds, trails, focus and twilight, each in one light of eight, and no other light."""
    session = small(
        faults=[
            Clouds(numbers=(1,), transparency=0.35),
            PoorStars(numbers=(3,), eccentricity=0.9),
            PoorStars(numbers=(5,), fwhm_factor=2.0),
            Clouds(numbers=(6,), transparency=1.0, sky_factor=12.0),
        ]
    )
    simulate_session(tmp_path / "raw", session, threads=2)
    folders = [path for path in (tmp_path / "raw").iterdir() if path.name != "truth"]

    document = run(folders, tmp_path / "out").document

    bad = {
        Path(f["frames"][0]).stem[-4:]: f["message"] + f["cause"]
        for f in document["findings"]
        if f["rule"] == "bad-light"
    }
    assert set(bad) == {"0001", "0003", "0005", "0006"}
    for number, word in (("0001", "clouds"), ("0003", "ecc"), ("0005", "wide"), ("0006", "sky")):
        assert word in bad[number]
    assert {f["rule"] for f in document["findings"] if f["severity"] != "info"} == {"bad-light"}


@pytest.mark.slow
def test_thresholds_come_from_the_settings(clean, tmp_path):
    """A light less than perfectly round is reported if the user asks for that."""
    settings = RunSettings.parse({"check": {"dither_px": 500.0, "dither_cfa_px": 500.0}})

    findings = findings_of(list(clean.values()), tmp_path, settings)

    assert set(findings) == {"undithered"}


@pytest.mark.slow
def test_of_real_frames_of_a_globular_cluster_one_is_clouded(shared_data, tmp_path):
    """M13 fills the field; one light of z shows half of the stars' light; nothing else is said."""
    findings = findings_of([shared_data / "m13-mono-ccd"], tmp_path)

    assert not {
        "over-correction", "under-correction", "dust-embossed", "residual-pattern",
        "clipped-result", "stale-dark", "hot-pixel-mismatch", "dark-scale-disagrees",
    } & set(findings)  # fmt: skip
    document = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    bad = [f for f in document["findings"] if f["rule"] == "bad-light"]
    assert [Path(f["frames"][0]).name for f in bad] == ["M13_sdss_z_20190503_091030.fits"]
    assert bad[0]["evidence"]["relative_brightness"] == pytest.approx(0.51, abs=0.05)


def test_a_session_on_an_altazimuth_mount_is_undithered(shared_data, tmp_path):
    """Ten lights of ten seconds drift by 14 px, 0.4 px beyond that from one to the next."""
    findings = findings_of([shared_data / "seestar-m94-osc"], tmp_path)

    assert "undithered" in findings
    assert findings["undithered"]["evidence"]["drift_px"] == pytest.approx(14, abs=1)
