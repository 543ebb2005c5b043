"""Frames that no camera should deliver, and headers that say little: what is said, and no more."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from lightframe.checks import RULES, SessionEvidence, describe_set, measure_frame
from lightframe.checks._evidence_frame import Places
from lightframe.checks._evidence_ledger import unknown_hot_pixels
from lightframe.checks._evidence_tools import same_setup
from lightframe.errors import UnreadableFileError
from lightframe.frames import FrameKind, read_info
from lightframe.session import check, survey_sensors
from sensor_frames import PlainSensor

KINDS = ("bias", "dark", "flat", "light")


def session(folder, **sensor):
    """Write four frames of each kind, by a sensor with hot pixels, and return the paths."""
    plain = PlainSensor(folder, **{"hot": 200, "dark_e_s": 0.3} | sensor)
    sky = {"exposure_s": 60.0, "light_dn_s": 8.0, "header": {"IMAGETYP": "Light"}}
    return {
        "bias": plain.write("bias", 4),
        "dark": plain.write("dark", 4, exposure_s=60.0),
        "flat": plain.write("flat", 4, exposure_s=1.0, light_dn_s=25000),
        "light": plain.write("flat", 4, **sky),
    }


def filled(path, value, dtype):
    """Replace all pixels of a frame."""
    with fits.open(path) as file:
        header, shape = file[0].header.copy(), file[0].data.shape
    for keyword in ("BITPIX", "BZERO", "BSCALE"):
        header.remove(keyword, ignore_missing=True)
    fits.writeto(path, np.full(shape, value, dtype), header, overwrite=True)


def serious(folder):
    """Return errors and warnings on a folder."""
    return [finding for finding in check([folder]).findings if finding.severity != "info"]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_without_a_single_number_are_unreadable(tmp_path, kind):
    """NaN in all pixels: the frame is named, and its set is not compared with others."""
    wrong = session(tmp_path)[kind][:2]
    for path in wrong:
        filled(path, np.nan, np.float32)
    findings = serious(tmp_path)

    assert {finding.rule for finding in findings} == {"unreadable-file"}
    assert {path for finding in findings for path in finding.frames} == set(wrong)
    assert "no pixel holds a number" in findings[0].message
    assert len(survey_sensors([tmp_path]).reports) == 1
    with pytest.raises(UnreadableFileError):
        measure_frame(read_info(wrong[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_empty_frames_are_not_those_of_the_camera(tmp_path, kind):
    """Zero in all pixels, while other frames have a bias: no saturation, no silence."""
    wrong = session(tmp_path)[kind]
    for path in wrong:
        filled(path, 0, np.uint16)
    (finding,) = serious(tmp_path)

    assert finding.rule == "already-calibrated"
    assert set(finding.frames) == set(wrong)
    assert survey_sensors([tmp_path]).exit_code == 0


def test_saturated_lights_do_not_speak_of_another_camera(tmp_path):
    """They show no pixel's sensitivity, having no noise; that says nothing of the flats."""
    lights = session(tmp_path)["light"]
    for path in lights:
        filled(path, 65535, np.uint16)
    (finding,) = serious(tmp_path)

    assert finding.rule == "bad-light"
    assert set(finding.frames) == set(lights)
    assert finding.evidence["saturated_fraction"] == 1.0


def exposed(path, level, top):
    """Replace the pixels of a frame by light of some level, cut off at a ceiling."""
    with fits.open(path, mode="update") as file:
        light = np.random.default_rng(5).normal(level, 900, file[0].data.shape)
        file[0].data = np.clip(light, 0, top).astype(np.uint16)


@pytest.mark.parametrize(
    ("level", "top"),
    [(90000, 65535), (65800, 65535), (65600, 65520), (20000, 16383), (52300, 52000)],
    ids=["daylight", "nearly", "12 bits", "14 bits", "full well"],
)
def test_a_light_that_is_saturated_nearly_everywhere_is_named_alone(tmp_path, level, top):
    """Whatever ends the range, it is one finding on one light; nothing is said of the others."""
    victim = session(tmp_path)["light"][1]
    exposed(victim, level, top)
    (finding,) = serious(tmp_path)

    assert (finding.rule, finding.frames) == ("bad-light", (victim,))
    assert finding.evidence["saturation_dn"] == top
    assert 0.5 < finding.evidence["saturated_fraction"] <= 1.0
    assert finding.severity == "warning"
    assert "picture" in finding.evidence


@pytest.mark.parametrize("level", [40000, 65000])
def test_bright_sky_below_the_ceiling_is_not_called_saturated(tmp_path, level):
    """A quarter of the pixels may be at the ceiling: the rest has a level still."""
    exposed(session(tmp_path)["light"][1], level, 65535)

    assert not [f for f in serious(tmp_path) if "saturated_fraction" in f.evidence]


def test_a_stated_saturation_below_the_sky_is_not_believed(tmp_path):
    """14 bits stated where the values were shifted to 16: the light is as good as the others."""
    victim = session(tmp_path)["light"][1]
    exposed(victim, 20000, 65535)
    fits.setval(victim, "SATURATE", value=16383)

    assert not [f for f in serious(tmp_path) if "saturated_fraction" in f.evidence]


def test_saturated_flats_are_still_called_so(tmp_path):
    """All pixels at the highest number of 16 bits are a ceiling, though no pixel is below it."""
    for path in session(tmp_path)["flat"]:
        filled(path, 65535, np.uint16)
    (finding,) = serious(tmp_path)

    assert finding.rule == "flat-saturated"
    assert finding.evidence["saturation_dn"] == 65535


def test_flats_without_light_are_told_in_words(tmp_path):
    """Darker than the bias by 300 DN: no percentage with ten digits of noise."""
    plain = PlainSensor(tmp_path)
    plain.write("bias", 3)
    plain.bias_dn = 200.0
    plain.write("dark", 4, exposure_s=1.0, header={"IMAGETYP": "Flat"})
    (finding,) = (f for f in serious(tmp_path) if f.rule == "flat-underexposed")

    assert "-300 DN above bias" in finding.message
    assert "there is no light in them" in finding.message


def measured(paths, kind):
    """Return the evidence of a set."""
    return describe_set(kind.value, kind, [measure_frame(read_info(path)) for path in paths])


def test_an_unknown_readout_mode_contradicts_none(tmp_path):
    """Only some programs write it; it may be missing on either side."""
    plain = PlainSensor(tmp_path)
    modes = ({}, {"READOUTM": "Low noise"}, {"READOUTM": "Fast"})
    sets = [measured(plain.write("bias", 1, header=mode), FrameKind.BIAS) for mode in modes]
    unknown, quiet, fast = sets

    for a, b in itertools.permutations(sets, 2):
        assert same_setup(a, b) == (unknown in (a, b))
    assert same_setup(quiet, quiet)
    assert same_setup(fast, fast)


def test_bright_lights_of_twelve_bits_are_no_flats(tmp_path):
    """A moonlit sky of 30 % of the range, without stars: its noise is that of a few electrons."""
    plain = PlainSensor(tmp_path, dark_e_s=0.1, e_per_dn=0.05, bias_dn=300, full_well_dn=4095)
    plain.hot_pixels[10:20, 10:20] = 1.0
    plain.write("bias", 3)
    plain.write("dark", 3, exposure_s=60.0)
    plain.dark_e_s, plain.hot_pixels[:] = 0.0, 0.0
    moonlit = {"exposure_s": 60.0, "light_dn_s": 20.0, "header": {"IMAGETYP": "Light"}}
    plain.write("flat", 3, **moonlit)

    assert "frame-type-mislabelled" not in {finding.rule for finding in serious(tmp_path)}


def test_frames_of_unknown_exposure_are_not_called_shorter(tmp_path):
    """Darks without EXPTIME may be of any length: their noise says nothing of the gain."""
    loud = PlainSensor(tmp_path, read_noise_e=8.0)
    unknown = loud.write("dark", 4, exposure_s=60.0)
    for path in unknown:
        fits.delval(path, "EXPTIME")
    quiet = PlainSensor(tmp_path, read_noise_e=4.0)
    quiet.count = 20
    known = quiet.write("dark", 4, exposure_s=30.0)
    short = PlainSensor(tmp_path, read_noise_e=8.0)
    short.count = 40
    bias = short.write("bias", 4)
    sets = [measured(unknown, FrameKind.DARK), measured(known, FrameKind.DARK)]
    gain_label_wrong = RULES["gain-label-wrong"].check

    assert list(gain_label_wrong(SessionEvidence(sets=tuple(sets)))) == []
    sets.append(measured(bias, FrameKind.BIAS))
    (finding,) = gain_label_wrong(SessionEvidence(sets=tuple(sets)))
    assert set(finding.frames) == set(known)
    assert "of the same claimed gain 100" in finding.message


@pytest.mark.parametrize("how", ["the strongest", "those above a raised limit"])
def test_hot_pixels_that_were_too_many_to_list_are_not_unknown(tmp_path, how):
    """Of a dark with very many hot pixels only some are listed: the others are not new."""
    plain = PlainSensor(tmp_path, side=640, hot=6000, dark_e_s=2.0)
    dark = measured(plain.write("dark", 2, exposure_s=60.0), FrameKind.DARK)
    lights = measured(plain.write("light", 3, exposure_s=60.0), FrameKind.LIGHT)
    assert dark.frames[0].hot.total > dark.frames[0].hot.y.size
    if how == "those above a raised limit":
        dark = describe_set("", FrameKind.DARK, [with_raised_limit(f) for f in dark.frames])

    assert unknown_hot_pixels(dark, lights, 1.0) == (0.0, ())


def with_raised_limit(frame):
    """Return the evidence as it is where hot pixels were looked for above a raised limit."""
    limit = float(np.median(frame.hot.excess))
    kept = frame.hot.excess > limit
    few = Places(frame.hot.y[kept], frame.hot.x[kept], frame.hot.excess[kept], int(kept.sum()))
    return replace(frame, hot=few, hot_limit=limit)


def test_a_dark_without_the_hot_pixels_of_its_set_is_none_of_it(tmp_path):
    """None of them is found in it, which is less than any factor: another sensor, or filtered."""
    plain = PlainSensor(tmp_path, hot=200, dark_e_s=0.05)
    plain.write("dark", 4, exposure_s=60.0)
    plain.hot_pixels[:] = 0.0
    (odd,) = plain.write("dark", 1, exposure_s=60.0)
    (finding,) = (f for f in serious(tmp_path) if f.rule == "dark-inconsistent")

    assert finding.frames == (odd,)
    assert "hot pixels 0.00 times" in finding.message
