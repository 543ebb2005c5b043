"""From which level on pixels are saturated."""

import numpy as np
import pytest

from lightframe.frames import Card, Header
from lightframe.processes import (
    CalibrationSettings,
    FrameLevels,
    Masters,
    calibrate_frame,
    calibrated_header,
    calibrated_saturation,
    prepare_calibration,
    saturation,
)


def sky(level=1000.0, sigma=30.0, shape=(200, 300)):
    """Return a frame of sky."""
    return np.random.default_rng(3).normal(level, sigma, shape).round().astype(np.uint16)


def with_core(frame, level, side=5):
    """Return a frame with a star whose core has one level."""
    frame = frame.copy()
    frame[50 : 50 + side, 60 : 60 + side] = level
    return frame


def test_what_reaches_the_highest_possible_value_is_saturated():
    """The level is what was stated, and all pixels from there on count."""
    frame = with_core(sky(), 65535)
    frame[7, 7] = 61000
    assert saturation(frame, 65535.0).level_dn == 65535
    found = saturation(frame, 60000.0)
    assert found.level_dn == 60000
    assert found.fraction == 26 / frame.size


@pytest.mark.parametrize("top", [65520, 16383, 4095, 50000])
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_a_level_at_which_pixels_pile_up_is_the_ceiling(top, kind):
    """The ADC of 12 or 14 bits, or the full well, ends below the limit of the integers."""
    found = saturation(with_core(sky(), top).astype(kind), 65535.0)
    assert found.level_dn == top
    assert found.fraction == 25 / 60000


@pytest.mark.parametrize(
    "frame",
    [
        sky(),
        sky(level=5.0, sigma=0.7),  # its highest value occurs often, those below it more often
        with_core(sky(), 40000, side=3),
        np.zeros((200, 300), np.uint16),
        np.full((200, 300), 1000, np.uint16),
        np.full((200, 300), np.nan, np.float32),
        sky().astype(np.float32) / 7,
    ],
    ids=["sky", "coarse", "few", "zeros", "constant", "missing", "fractions"],
)
def test_frames_without_a_ceiling_are_nowhere_saturated(frame):
    """Neither noise, nor some hot pixels, nor a file without its pixels makes a saturated frame."""
    assert saturation(frame, 65535.0 if frame.dtype == np.uint16 else None) is None


@pytest.mark.parametrize("level", [65535, 16383, 65520])
def test_a_frame_at_the_end_of_its_adc_is_saturated_everywhere(level):
    """Daylight, or a camera that is stuck."""
    found = saturation(np.full((200, 300), level, np.uint16), 65535.0)
    assert (found.level_dn, found.fraction) == (level, 1.0)


@pytest.mark.parametrize("stated", [0.99, 1.0, 16383.0])
def test_a_stated_level_that_cannot_be_is_not_believed(stated):
    """A part of 1 in a file of 0..1, or 14 bits where values were shifted to 16: pixels tell."""
    frame = with_core(sky(20000.0), 65532).astype(np.float32)
    found = saturation(frame, stated)
    assert found.level_dn == 65532
    assert found.fraction == 25 / frame.size


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_missing_pixels_hide_no_saturation_and_make_none(missing):
    """What is not finite is no value: neither the highest one, nor what a ceiling stands out of."""
    frame = with_core(sky(), 60000).astype(np.float32)
    frame[:9] = missing
    assert saturation(frame).level_dn == 60000
    empty = np.full((200, 300), 1000, np.float32)
    empty[:9] = missing
    assert saturation(empty) is None


def prepared(**settings):
    """Return a calibration with a dark of 700 DN, some pixels hot, and a flat with vignetting."""
    y, x = np.mgrid[-1:1:200j, -1:1:300j]
    dark = np.full((200, 300), 700.0, np.float32)
    dark[::20, ::20] = 30000
    flat = (20000 * (1 - 0.4 * (x**2 + y**2) / 2)).astype(np.float32)
    return prepare_calibration(
        Masters(dark=dark, flat=flat),
        CalibrationSettings(**settings),
        height=200,
        width=300,
    )


def test_saturation_is_calibrated_as_pixels_are():
    """The level is that of a saturated pixel where the flat is bright; hot pixels do not count."""
    calibration = prepared()
    full = np.full((1, 200, 300), 65535, np.uint16)
    out = calibrate_frame(full, calibration).planes[0]
    level = calibrated_saturation(65535.0, calibration, None, FrameLevels())
    assert level == pytest.approx(out[101, 151], rel=0.01)
    assert np.mean(out >= level) > 0.98
    assert level < 0.95 * 64835


@pytest.mark.parametrize("part", [0.005, 0.05, 0.3])
def test_pixels_that_saturate_in_the_dark_do_not_lower_the_level_of_others(part):
    """A camera that is not cooled has more than one of them in a hundred, and amplifiers glow."""
    dark = np.full((200, 300), 700.0, np.float32)
    dark[np.random.default_rng(2).random(dark.shape) < part] = 65535
    calibration = prepare_calibration(
        Masters(dark=dark), CalibrationSettings(), height=200, width=300
    )
    assert calibrated_saturation(65535.0, calibration, None, FrameLevels()) == 64835


def test_calibrated_frames_state_where_they_are_saturated():
    """Pedestal included; what the raw frame stated is no longer true."""
    calibration = prepared(output_pedestal_dn=100)
    raw = with_core(sky(), 65535)
    header = Header([Card("SATURATE", 60000), Card("MAXLIN", 50000)])

    record = calibrate_frame(raw, calibration, white_dn=65535.0).record
    stated = calibrated_header(header, record, calibration)

    least = calibrated_saturation(65535.0, calibration, None, FrameLevels())
    assert record.saturation_dn == pytest.approx(least + 100)
    assert stated.get("SATURATE") == int(record.saturation_dn)
    assert stated.get("MAXLIN") is None

    record = calibrate_frame(sky(), calibration, white_dn=65535.0).record
    assert record.saturation_dn is None
    assert calibrated_header(header, record, calibration).get("SATURATE") is None
