"""The ledger of hot pixels: effective dark scale and orientation."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.processes import SYMMETRIES, hot_pixels, hot_slope, mean_slope

SHAPE = (300, 300)
NOISE_DN = 8.0


@pytest.fixture
def scene():
    """Return random numbers, dark signal with hot pixels, and a master dark of it."""
    rng = np.random.default_rng(4)
    signal = np.zeros(SHAPE)
    places = rng.choice(signal.size, 400, replace=False)
    signal.flat[places] = rng.uniform(200, 3000, 400)
    dark = (500 + signal + rng.normal(0, 3, SHAPE)).astype(np.float32)
    return rng, signal, dark


def light(rng, signal, dark, k, used=1.0):
    """Return a light with k times the dark signal from which the dark was subtracted."""
    raw = 500 + 300 + k * signal + rng.normal(0, NOISE_DN, SHAPE)
    raw.flat[rng.choice(raw.size, 300)] += 2000  # stars on single pixels
    return (raw - 500 - used * (dark - 500)).astype(np.float32)


@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")])
@pytest.mark.parametrize("k", [0.4, 1.0, 1.7])
def test_the_slope_is_the_dark_scale_that_was_missed(scene, k, cfa):
    """What is left plus what was used is the true factor, within 1 percent and 4 errors."""
    rng, signal, dark = scene
    hot = hot_pixels(dark, cfa, None, ceiling_dn=60000)

    slope = hot_slope(light(rng, signal, dark, k), hot, NOISE_DN)

    assert 1 + slope.slope == pytest.approx(k, abs=0.01)
    assert abs(1 + slope.slope - k) < 4 * slope.sigma
    assert slope.pixels > 300


def test_some_of_the_pixels_are_kept_to_be_shown(scene):
    """Excess in the dark and what is left of it, with the slope of all."""
    rng, signal, dark = scene
    hot = hot_pixels(dark, None, None, ceiling_dn=60000)

    slope = hot_slope(light(rng, signal, dark, 1.4), hot, NOISE_DN)

    excess, left = slope.points.T
    assert 80 < len(excess) <= 160
    assert np.median(left / excess) == pytest.approx(slope.slope, abs=0.02)
    assert mean_slope([slope]).points is slope.points


def test_the_flat_that_a_light_was_divided_by_is_undone(scene):
    """Excess in the light has been multiplied with the reciprocal of the flat."""
    rng, signal, dark = scene
    gain = np.linspace(0.8, 2.0, SHAPE[1], dtype=np.float32) * np.ones(SHAPE, np.float32)
    hot = hot_pixels(dark, None, gain, ceiling_dn=60000)

    slope = hot_slope(light(rng, signal, dark, 1.5) * gain, hot, NOISE_DN)

    assert slope.slope == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("name", list(SYMMETRIES))
def test_orientation_is_found_among_the_eight_symmetries(scene, name):
    """The light's hot pixels are found under the symmetry that was applied, and no other."""
    rng, signal, dark = scene
    hot = hot_pixels(dark, None, None, ceiling_dn=60000)
    y, x = np.nonzero(signal)
    moved = np.zeros(SHAPE)
    moved[SYMMETRIES[name](y, x, *SHAPE)] = signal[y, x]

    frame = light(rng, moved, dark, 1.0, used=0.0)

    slopes = {s: hot_slope(frame, hot, NOISE_DN, symmetry=s).slope for s in SYMMETRIES}
    assert max(slopes, key=slopes.get) == name
    assert slopes[name] == pytest.approx(1, abs=0.02)
    assert sorted(slopes.values())[-2] < 0.3


def test_saturated_and_few_hot_pixels_say_nothing(scene):
    """Pixels above the ceiling are left out; with fewer than 30 nothing is said."""
    rng, signal, dark = scene

    assert hot_pixels(dark, None, None, ceiling_dn=1000).excess_dn.max() < 600
    few = hot_pixels(dark, None, None, ceiling_dn=720)
    assert hot_slope(light(rng, signal, dark, 1), few, NOISE_DN) is None
    cold = np.full(SHAPE, 500, np.float32)
    assert hot_slope(cold, hot_pixels(cold, None, None, ceiling_dn=1000), NOISE_DN) is None


def test_lights_are_put_together_by_their_median(scene):
    """One light that is off does not matter; none at all say nothing."""
    rng, signal, dark = scene
    hot = hot_pixels(dark, None, None, ceiling_dn=60000)
    slopes = [hot_slope(light(rng, signal, dark, k), hot, NOISE_DN) for k in (1, 1, 1, 3)]

    assert mean_slope(slopes).slope == pytest.approx(0, abs=0.01)
    assert mean_slope([]) is None


@pytest.mark.parametrize("noise", [0.25, 0.4, 0.6])
def test_steps_of_a_quiet_dark_are_no_hot_pixels(noise):
    """Where most pixels have one value, those a step beside it are noise; so is a missing part."""
    dark = np.round(np.random.default_rng(4).normal(100, noise, (600, 300))).astype(np.float32)
    dark[50, 60] = 900
    dark[256:512] = np.nan

    hot = hot_pixels(dark, None, None, ceiling_dn=60000)

    assert (hot.y.tolist(), hot.x.tolist()) == ([50], [60])
