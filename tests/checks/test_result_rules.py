"""Rules of calibrated lights on evidence made by hand: what fires, what nearly does."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lightframe.checks import (
    RULES,
    CalibratedSet,
    CheckSettings,
    Finding,
    Group,
    LightEvidence,
    ResultEvidence,
    Severity,
    judge_results,
)
from lightframe.processes import DarkScale, DustMoved, FlatVerdict, GlowLeft, HotSlope, PatternLeft

POINTS = np.array([[320.0, 240.0], [60, 50], [580, 50], [60, 430], [580, 430]])
PATHS = tuple(Path(f"light{i}.fits") for i in range(8))
DARKS = (Path("dark.fits"),)
FLATS = (Path("flat.fits"),)


def light(path, **changes):
    """Return a light like all others."""
    shift = np.random.default_rng(int(path.stem[-1])).uniform(-10, 10, 2)
    usual = {
        "path": path, "level_dn": (300.0,), "noise_dn": (20.0,), "stars": 200, "fwhm_px": 3.0,
        "eccentricity": 0.4, "brightness": 1.0, "placed": POINTS + shift, "exposure_ratio": 1.0,
    }  # fmt: skip
    return LightEvidence(**usual | changes)


def lights(each=None, **changes):
    """Return eight lights that were calibrated alike."""
    members = tuple(light(path, **(each or {})) for path in PATHS)
    usual = {"label": "8 lights", "lights": members, "flats": FLATS, "darks": DARKS}
    return CalibratedSet(**usual | {"megapixels": 1.0, "masters_of": (20, 20)} | changes)


def judged(*sets, findings=(), **settings):
    """Return the findings on some sets."""
    return judge_results(
        ResultEvidence(sets=sets, findings=tuple(findings), settings=CheckSettings(**settings))
    )


def known(rule, frames, severity=Severity.WARNING):
    """Return a finding that is there already."""
    return Finding(
        rule=rule, severity=severity, group=Group.ACQUISITION, frames=frames, message="known"
    )


def verdict(q=0.0, **changes):
    """Return a verdict on a flat under a sky of 300 DN."""
    usual = {
        "q_dn": q, "sigma_dn": 4.0, "level_dn": 300.0 + q, "leverage": 0.3, "additive_dn": q,
        "additive_sigma_dn": 1e9, "flat_error": 0.0, "flat_error_sigma": 1e9,
        "sky_spread": 0.05, "frames": 8,
    }  # fmt: skip
    return FlatVerdict(**usual | changes)


def test_what_is_right_is_not_reported():
    """An ordinary set, and no set at all, give nothing; every rule explains itself."""
    assert judged(lights(verdict=verdict())) == ()
    assert judged() == ()
    own = [r for r in RULES.entries() if r.value.judges is ResultEvidence]
    assert len(own) >= 12
    assert all(len(entry.value.explanation) > 100 for entry in own)


@pytest.mark.parametrize(
    ("changes", "side", "word"),
    [
        ({"additive_sigma_dn": 5.0}, "lights", "does not grow"),
        ({"flat_error": -0.3, "flat_error_sigma": 0.02}, "flat", "grows with the sky"),
        ({}, None, "cannot be told"),
    ],
)
def test_the_side_is_named_if_the_sky_tells_it(changes, side, word):
    """By which of both parts is certain."""
    (finding,) = judged(lights(verdict=verdict(80.0, **changes)))

    assert (finding.rule, finding.severity) == ("over-correction", Severity.ERROR)
    assert finding.evidence["side"] == side
    assert word in finding.message
    json.dumps(finding.as_dict(), allow_nan=False)


def test_the_bias_is_recognized_by_its_amount():
    """As much as the bias, and too much for a flat: it was never subtracted."""
    (finding,) = judged(lights(verdict=verdict(690.0), bias_dn=700.0))

    assert finding.evidence["side"] == "lights"
    assert "never subtracted" in finding.cause


def test_glow_that_is_left_is_no_over_correction():
    """Up to a quarter of its height, and only where it is certain and of the same sign."""
    wrong = verdict(80.0, additive_sigma_dn=5.0)

    (finding,) = judged(lights(verdict=wrong, glow=GlowLeft(1.0, 0.02, 400.0, 0.05)))
    assert finding.rule == "residual-glow"
    for other in (
        GlowLeft(1.0, 0.02, 200.0, 0.05),
        GlowLeft(-1.0, 0.02, 400.0, 0.05),
        GlowLeft(1.0, 0.3, 200.0, 0.05),
        GlowLeft(1.0, 0.02, 400.0, 0.5),
    ):
        assert "over-correction" in {f.rule for f in judged(lights(verdict=wrong, glow=other))}
    unknown = lights(verdict=wrong, glow=GlowLeft(0.5, 0.3, 400.0, 0.05))
    assert judged(unknown) == ()
    explained = judged(unknown, findings=[known("no-dark", PATHS)])
    assert [f.rule for f in explained] == ["over-correction"]


def test_a_small_residue_needs_a_known_cause():
    """Four errors are not enough by themselves, but are where uncalibrated flats explain them."""
    small = lights(verdict=verdict(-16.0))

    assert judged(small) == ()
    (finding,) = judged(small, findings=[known("flats-uncalibrated", FLATS)])
    assert (finding.rule, finding.evidence["side"]) == ("under-correction", "flat")
    assert finding.evidence["consequence_of"] == "flats-uncalibrated"


def test_pixels_below_zero_are_explained():
    """Low signal is a note with a pedestal, a background below zero an error."""
    low = {"level_dn": (10.0,), "noise_dn": (10.0,), "low_fraction": 0.16}
    (note,) = judged(lights(low))
    assert (note.rule, note.severity) == ("clipped-result", Severity.INFO)
    assert note.evidence["pedestal_dn"] == 28

    wrong = {"level_dn": (-40.0,), "noise_dn": (10.0,), "low_fraction": 0.9}
    (error,) = judged(lights(wrong))
    assert error.severity is Severity.ERROR

    dark = {"low_fraction": 0.05}
    (warning,) = judged(lights(dark))
    assert warning.severity is Severity.WARNING
    assert judged(lights({"low_fraction": 0.0005})) == ()


def test_what_follows_from_the_flat_verdict_goes_into_it():
    """Clipping beside under-correction is its consequence."""
    wrong = {"level_dn": (-400.0,), "noise_dn": (10.0,), "low_fraction": 0.99}
    case = lights(wrong, verdict=verdict(-700.0, additive_sigma_dn=5.0))

    (finding,) = judged(case)

    assert finding.rule == "under-correction"
    assert [c["rule"] for c in finding.evidence["consequences"]] == ["clipped-result"]


def test_the_pedestal_of_calibrated_frames_is_mentioned():
    """Only where it kept pixels above zero, and only of frames that came calibrated."""
    each = {"pedestal_dn": 100.0, "low_fraction": 0.01, "level_dn": (23.0,), "noise_dn": (10.0,)}

    rules = {f.rule: f.severity for f in judged(lights(each, calibrated_before=True))}

    assert rules["pedestal-subtracted"] is Severity.INFO
    assert "pedestal-subtracted" not in {f.rule for f in judged(lights(each))}


def scale(k, sigma, reason=""):
    """Return a fitted dark scaling factor."""
    return DarkScale(k, sigma, 10.0, 0.01, not reason, reason, measured_k=k)


def test_scaled_darks_are_compared_with_the_exposures():
    """Only at equal temperature that is known, beyond 25 percent."""
    each = {"dark_scale": scale(0.6, 0.01), "exposure_ratio": 0.3}

    (finding,) = judged(lights(each, same_temperature=True))

    assert finding.rule == "dark-scale-disagrees"
    assert judged(lights(each, same_temperature=False)) == ()
    assert judged(lights(each)) == ()
    near = {"dark_scale": scale(0.36, 0.01), "exposure_ratio": 0.3}
    assert judged(lights(near, same_temperature=True)) == ()


def test_a_dark_that_is_not_in_the_lights_is_an_error():
    """Its hot pixels and those it does not know are consequences."""
    each = {"dark_scale": scale(0.001, 0.001, "no correlation between dark and frame")}
    case = lights(each, hot_left=HotSlope(-0.99, 0.01, 900), unknown_hot=500)

    (finding,) = judged(case)

    assert finding.rule == "no-dark-correlation"
    assert {c["rule"] for c in finding.evidence["consequences"]} == {
        "hot-pixel-mismatch", "stale-dark"
    }  # fmt: skip
    few = {"dark_scale": scale(1.0, float("inf"), "too few warm pixels")}
    assert judged(lights(few)) == ()


def test_hot_pixels_tell_the_right_factor_once():
    """Several sets with one dark are one finding; what headers have said is not said again."""
    left = HotSlope(0.8, 0.02, 300)
    case = lights(hot_left=left)
    other = replace(lights(hot_left=left), label="others")

    (finding,) = judged(case, other)

    assert finding.rule == "hot-pixel-mismatch"
    assert finding.evidence["factor_right"] == pytest.approx(1.8)
    assert len(finding.evidence["also"]) == 1
    assert judged(case, findings=[known("dark-shorter-than-light", DARKS)]) == ()
    assert judged(case, findings=[known("hot-pixel-mismatch", DARKS)]) == ()
    assert judged(lights(hot_left=HotSlope(0.2, 0.02, 300))) == ()


def test_fixed_pattern_beyond_the_noise_of_the_masters_is_reported():
    """30 percent of the variance are too much for 20 darks and flats, but not for 4 of each."""
    case = lights(pattern=PatternLeft(0.3, 0.01, 9.0))

    assert [f.rule for f in judged(case)] == ["residual-pattern"]
    assert judged(replace(case, masters_of=(4, 4))) == ()
    assert judged(replace(case, masters_of=())) == ()
    assert judged(case, findings=[known("no-flat", PATHS)]) == ()


def test_glow_that_is_left_is_reported():
    """Where it is visible, compact, and well measured."""
    case = lights(glow=GlowLeft(0.25, 0.02, 200.0, 0.05))

    assert [f.rule for f in judged(case)] == ["residual-glow"]
    assert judged(lights(glow=GlowLeft(0.25, 0.1, 200.0, 0.05))) == ()
    assert judged(lights(glow=GlowLeft(0.25, 0.02, 200.0, 0.4))) == ()
    assert judged(lights(glow=GlowLeft(0.05, 0.001, 200.0, 0.05))) == ()


def test_a_meridian_flip_and_one_reframing_are_no_dithering():
    """Eight lights that were moved once, or flipped, are undithered; four are not judged."""
    still = [light(path, placed=POINTS.copy()) for path in PATHS]
    moved = [replace(member, placed=member.placed + 30) for member in still[4:]]
    flipped = [replace(member, placed=640 - member.placed) for member in still[4:]]

    for case in (still, still[:4] + moved, still[:4] + flipped):
        assert [f.rule for f in judged(replace(lights(), lights=tuple(case)))] == ["undithered"]
    assert judged(replace(lights(), lights=tuple(still[:4]))) == ()


def small_group(brightness=(), fwhm_px=(), eccentricity=(), exposure_s=()):
    """Return a set of few lights that differ in the values given."""
    members = []
    for place, path in enumerate(PATHS[: max(map(len, (brightness, fwhm_px, eccentricity)))]):
        changes = {"exposure_s": 120.0}
        for name, values in (
            ("brightness", brightness), ("fwhm_px", fwhm_px), ("eccentricity", eccentricity),
            ("exposure_s", exposure_s),
        ):  # fmt: skip
            if values:
                changes[name] = values[place]
        members.append(light(path, **changes))
    return lights(lights=tuple(members), masters_of=())


@pytest.mark.parametrize(
    ("values", "bad"),
    [
        ({"brightness": (1.0, 0.97, 0.5)}, {2}),
        ({"brightness": (1.0, 0.95, 0.5, 1.05)}, {2}),
        ({"brightness": (1.0, 1.0, 0.3, 0.33)}, {2, 3}),
        ({"brightness": (0.9, 1.0, 1.0, 0.3, 0.3)}, {3, 4}),
        ({"fwhm_px": (3.0, 3.2, 6.0)}, {2}),
        ({"eccentricity": (0.4, 0.5, 0.85)}, {2}),
        ({"brightness": (0.5, 1.0, 0.49, 1.0), "exposure_s": (60.0, 120.0, 120.0, 120.0)}, {2}),
    ],
)
def test_one_bad_light_of_a_small_group_is_named(values, bad):
    """From three lights on, whatever their exposures."""
    found = judged(small_group(**values))

    assert {finding.rule for finding in found} == {"bad-light"}
    assert {PATHS.index(finding.frames[0]) for finding in found} == bad


@pytest.mark.parametrize(
    "values",
    [
        {"brightness": (1.0, 0.4)},
        {"brightness": (1.0, 0.45, 0.44)},
        {"brightness": (1.0, 0.9, 0.8, 0.65, 0.45)},
        {"brightness": (0.5, 1.0, 1.0), "exposure_s": (60.0, 120.0, 120.0)},
        {"brightness": (0.5, 1.0, 1.0), "exposure_s": (None, 120.0, 120.0)},
        {"fwhm_px": (2.4, 2.5, 3.0, 3.9)},
        {"fwhm_px": (2.2, 3.0, 4.4)},
        {"eccentricity": (0.3, 0.5, 0.69)},
        {"eccentricity": (0.68, 0.66, 0.78)},
    ],
)
def test_seeing_and_extinction_make_no_bad_lights_in_small_groups(values):
    """What changes step by step through the night, or can be either way, is not called bad."""
    assert judged(small_group(**values)) == ()


def test_lights_of_one_filter_and_two_exposures_are_compared():
    """The one clouded light of three exposures has no other light of its own exposure."""
    peers = small_group(brightness=(0.5, 0.98)).lights
    alone = light(PATHS[5], brightness=0.25, exposure_s=60.0)
    clouded = lights(lights=(replace(alone, brightness=0.12),), peers=peers)

    assert judged(lights(lights=(alone,), peers=peers)) == ()
    (finding,) = judged(replace(clouded, peers=(*peers, light(PATHS[6], exposure_s=120.0))))
    assert finding.frames == (PATHS[5],)
    assert finding.evidence["relative_brightness"] == pytest.approx(0.324, abs=0.01)


LEAK = {
    "dark_excess_dn": 160.0, "dark_variance_ratio": 12.0, "hot_left": HotSlope(0.01, 0.01, 300),
}  # fmt: skip


def test_light_that_only_the_darks_hold_is_a_leak():
    """The lights lack what the darks hold; that they under-correct follows from it."""
    (finding,) = judged(lights(verdict=verdict(-170.0, sigma_dn=6.0), **LEAK))

    assert (finding.rule, finding.frames) == ("dark-light-leak", DARKS)
    assert "170 ± 6 DN" in finding.message
    assert [c["rule"] for c in finding.evidence["consequences"]] == ["under-correction"]


@pytest.mark.parametrize(
    "changes",
    [
        {"dark_excess_dn": 60.0},
        {"dark_excess_dn": -160.0},
        {"dark_excess_dn": None, "dark_variance_ratio": None},
        {"dark_variance_ratio": 1.1},
        {"hot_left": None},
        {"hot_left": HotSlope(-0.5, 0.01, 300)},
    ],
)
def test_what_may_be_another_offset_or_warmer_darks_is_no_leak(changes):
    """Another amount, no more noise than without exposure, or other hot pixels."""
    found = judged(lights(verdict=verdict(-170.0, sigma_dn=6.0), **LEAK | changes))

    assert "under-correction" in {finding.rule for finding in found}
    assert "dark-light-leak" not in {finding.rule for finding in found}


def test_one_cause_in_two_filters_is_one_finding_with_both_numbers():
    """Darks of another offset are subtracted from the lights of all filters."""
    wrong = verdict(-170.0, sigma_dn=6.0, additive_sigma_dn=8.0)
    other = verdict(-164.0, sigma_dn=5.0, additive_sigma_dn=8.0)
    red = tuple(light(Path(f"red{i}.fits")) for i in range(3))

    (finding,) = judged(
        lights(verdict=wrong, label="8 lights L"),
        lights(verdict=other, label="3 lights R", lights=red),
    )

    assert finding.rule == "under-correction"
    assert "8 lights L: " in finding.message
    assert "164 ± 5 DN" in finding.message
    assert finding.evidence["others"][0]["follows_flat_dn"] == -164.0
    assert len(finding.frames) == 8 + 3


def test_dust_that_has_moved_is_not_taken_for_a_wrong_flat():
    """It follows the flat as well; only a known cause is believed then."""
    moved = DustMoved(5.0, 3.0, 0.0, 0.2, 5.8, 0.3, 4)
    embossed = lights(verdict=verdict(80.0, additive_sigma_dn=5.0), dust=moved)

    assert [finding.rule for finding in judged(embossed)] == ["dust-embossed"]
    explained = judged(embossed, findings=[known("no-dark", PATHS)])
    assert {finding.rule for finding in explained} == {"dust-embossed", "over-correction"}
