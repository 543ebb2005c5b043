"""The automatic stretch follows its formulas, and previews show what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lightframe.processes import (
    StretchSettings,
    autostretch,
    midtones_transfer,
    preview,
    screen_transfer,
)

FULL = 65535.0


def mtf(m, x):
    """Return the midtones transfer function of an array, as published."""
    return (m - 1) * x / ((2 * m - 1) * x - m)


def by_definition(plane):
    """Stretch one plane by the formulas of the screen transfer function, in float64."""
    x = plane.astype(np.float64) / FULL
    med = np.nanmedian(x)
    sigma = 1.4826 * np.nanmedian(np.abs(x - med))
    if med <= 0.5:
        c0, c1 = np.clip(med - 2.8 * sigma, 0, 1), 1.0
        m = mtf(0.25, med - c0)
    else:
        c0, c1 = 0.0, np.clip(med + 2.8 * sigma, 0, 1)
        m = mtf(c1 - med, 0.25)
    return 255 * mtf(m, np.clip((x - c0) / (c1 - c0), 0, 1))


def sky(seed, level, noise=50.0, shape=(60, 70)):
    """Return a noisy plane in DN."""
    return np.random.default_rng(seed).normal(level, noise, shape).astype(np.float32)


@settings(deadline=None)
@given(st.floats(0.001, 0.999))
def test_the_midtones_transfer_has_its_fixed_points(m):
    """0 stays 0, m becomes 1/2, 1 stays 1; a half is linear."""
    assert midtones_transfer(m, 0) == 0
    assert midtones_transfer(m, 1) == 1
    assert midtones_transfer(m, m) == pytest.approx(0.5)
    assert midtones_transfer(0.5, m) == pytest.approx(m)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), level=st.floats(600, 64000), noise=st.floats(5, 200))
def test_display_values_follow_the_formulas(seed, level, noise):
    """Dark and inverted images alike, to the rounding of one display step."""
    plane = np.clip(sky(seed, level, noise), 0, FULL)
    plane[3, 4] = FULL

    shown = autostretch(plane)

    assert shown.dtype == np.uint8
    assert np.abs(shown - by_definition(plane)).max() < 0.6


def test_the_background_gets_its_brightness():
    """The median of a faint sky is shown at 0.25 of full brightness, or what is asked for."""
    plane = sky(1, 900)

    assert np.median(autostretch(plane)) == pytest.approx(0.25 * 255, abs=1)
    brighter = autostretch(plane, StretchSettings(target_background=0.4))
    assert np.median(brighter) == pytest.approx(0.4 * 255, abs=1)


def test_unlinked_channels_get_the_same_background():
    """A strong colour cast of the sky disappears; the result is interleaved."""
    planes = np.stack([sky(2, 500), sky(3, 3000), sky(4, 1200)])

    shown = autostretch(planes)

    assert shown.shape == (60, 70, 3)
    np.testing.assert_allclose(np.median(shown, axis=(0, 1)), 64, atol=2.5)


def test_linked_channels_share_the_mean_curve():
    """c0 and the median are averaged over the channels; the cast stays."""
    planes = np.stack([sky(2, 900), sky(3, 1100), sky(4, 1000)])
    medians = np.median(planes, axis=(1, 2)).astype(np.float64) / FULL
    deviations = np.abs(planes / FULL - medians[:, None, None])
    sigmas = 1.4826 * np.median(deviations, axis=(1, 2))
    shadows = np.mean(medians - 2.8 * sigmas)

    curves = screen_transfer(planes, StretchSettings(linked=True))

    assert curves[0] == curves[1] == curves[2]
    assert curves[0].shadows == pytest.approx(shadows * FULL, rel=1e-5)
    assert curves[0].midtones == pytest.approx(mtf(0.25, medians.mean() - shadows), rel=1e-5)
    shown = np.median(autostretch(planes, linked=True), axis=(0, 1))
    assert shown[0] < shown[2] < shown[1]


def test_linked_is_inverted_only_if_all_channels_are():
    """One dark channel is enough for the ordinary curve."""
    bright = np.stack([sky(1, 60000), sky(2, 60000), sky(3, 60000)])
    mixed = bright.copy()
    mixed[0] = sky(1, 500)
    options = StretchSettings(linked=True)

    assert screen_transfer(bright, options)[0].shadows == 0
    assert screen_transfer(bright, options)[0].highlights < FULL
    assert screen_transfer(mixed, options)[0].highlights == FULL


def test_missing_pixels_are_black_and_have_no_say():
    """Half an image missing: the other half is shown as if it were alone."""
    plane = sky(5, 1000)
    half = plane.copy()
    half[:30] = np.nan

    shown = autostretch(half)

    assert not shown[:30].any()
    np.testing.assert_array_equal(shown[30:], autostretch(plane[30:]))
    assert not autostretch(np.full((4, 4), np.nan)).any()


def test_a_sky_around_zero_is_shown_with_its_noise():
    """Negative values do not all turn black: the black point lies below zero."""
    shown = autostretch(sky(6, 0.0))

    assert np.median(shown) == pytest.approx(64, abs=1.5)
    assert (shown == 0).mean() < 0.01


def test_a_plane_without_spread_is_shown_at_the_background():
    """A constant is no error; c0 is 0 then."""
    assert screen_transfer(np.full((5, 5), 700.0))[0].shadows == 0
    assert (autostretch(np.full((5, 5), 700.0)) == 64).all()
    assert not autostretch(np.zeros((5, 5))).any()


def test_the_linear_stretch_goes_from_least_to_most():
    """For maps: no curve; a constant map is black."""
    plane = np.linspace(-3, 7, 11).reshape(1, 1, 11)
    plane[0, 0, 4] = np.nan
    options = StretchSettings(linear=True)

    expected = np.linspace(0, 255, 11)
    expected[4] = 0
    np.testing.assert_allclose(autostretch(plane, options)[0], expected, atol=0.51)
    assert not autostretch(np.full((3, 3), 9.0), options).any()


def test_other_numbers_of_channels_are_refused():
    """Two planes are no picture; a target of 1 is no target."""
    with pytest.raises(ValueError, match=r"one or three planes.*\(2, 4, 4\)"):
        autostretch(np.zeros((2, 4, 4)))
    with pytest.raises(ValidationError):
        StretchSettings(target_background=1.0)


def test_a_preview_is_averaged_down_and_stretched():
    """Whole blocks are averaged without missing pixels, and their averages stretched."""
    planes = np.stack([sky(seed, 1000, shape=(50, 91)) for seed in range(3)])
    planes[:, 10:20, 10:20] = np.nan
    planes[:, 30, 30] = np.nan

    shown = preview(planes, max_side=31)

    padded = np.full((3, 51, 93), np.nan)
    padded[:, :50, :91] = planes
    blocks = padded.reshape(3, 17, 3, 31, 3).swapaxes(2, 3).reshape(3, 17, 31, 9)
    known = ~np.isnan(blocks)
    with np.errstate(invalid="ignore"):
        small = np.where(known, blocks, 0).sum(-1) / known.sum(-1)
    assert shown.shape == (17, 31, 3)
    assert np.abs(shown.astype(int) - autostretch(small)).max() <= 1


def test_a_small_preview_keeps_its_pixels():
    """Nothing is enlarged; one plane gives a grey picture with row 0 on top."""
    plane = np.zeros((6, 9), np.float32)
    plane[0] = 60000

    shown = preview(plane, StretchSettings(linear=True))

    np.testing.assert_array_equal(shown, np.where(plane > 0, 255, 0))


@pytest.mark.parametrize("level", [65535.0, 70000.0])
def test_a_frame_that_is_full_everywhere_is_white(level):
    """A saturated frame is shown as it is; its curve is a step at the upper end."""
    assert (autostretch(np.full((8, 9), level, np.float32)) == 255).all()
