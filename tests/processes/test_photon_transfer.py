"""Photon transfer: conversion gain and noise against a known sensor, and errors that are honest."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.processes import Measured, conversion_gain, noise_without_light, pair_noise

PATCHES, SIDE = 128, 16
BLACK = 700.0


class Sensor:
    """Patches of frames of a sensor with known figures."""

    def __init__(self, seed, *, e_per_dn=0.2, noise_e=1.5, step=1.0):
        self.random = np.random.default_rng(seed)
        self.e_per_dn, self.noise_e, self.step = e_per_dn, noise_e, step
        shape = PATCHES, SIDE, SIDE
        self.response = 1.0 + 0.01 * self.random.normal(size=shape)
        # Vignetting from patch to patch, a gradient and the edge of a dust shadow within each.
        self.shade = np.linspace(0.6, 1.0, PATCHES)[:, None, None] * np.linspace(0.97, 1.0, SIDE)
        self.shade = self.shade * np.where(np.arange(SIDE) < 5, 0.9, 1.0)[:, None]

    def frame(self, light_dn=0.0, *, rays=0.0, bands=None):
        """Return one frame; `light_dn` where there is no shade."""
        mean = light_dn * self.e_per_dn * self.response * self.shade
        if bands is not None:
            mean = mean * bands
        electrons = self.random.poisson(mean) + self.noise_e * self.random.normal(size=mean.shape)
        struck = self.random.random(mean.shape) < rays
        electrons = electrons + struck * self.random.exponential(2000.0, mean.shape)
        dn = electrons / self.e_per_dn + BLACK
        return np.rint(dn / self.step) * self.step if self.step else dn

    @property
    def variance(self):
        """Variance without light in DN², with that of the rounding."""
        return (self.noise_e / self.e_per_dn) ** 2 + self.step**2 / 12.0


def dark_noise(frames, step=0.0):
    """Return the noise of neighbours in a list of frames without light."""
    return noise_without_light(
        [pair_noise(a, b, step=step, lit=False) for a, b in itertools.pairwise(frames)]
    )


def gain(frames, noise, *, step=0.0, **options):
    """Return the gain from neighbours in a list of flats."""
    pairs = [pair_noise(a, b, black=BLACK, step=step) for a, b in itertools.pairwise(frames)]
    return conversion_gain(pairs, noise, **options)


@pytest.mark.parametrize("step", [0.0, 1.0, 4.0, 16.0])
def test_gain_and_noise_are_those_of_the_sensor(step):
    """Dust, gradients, cosmic rays, a changing lamp and coarse steps: within 4 sigma and 2 %."""
    sensor = Sensor(5, noise_e=4.0, step=step)
    noise = dark_noise([sensor.frame(rays=1e-4) for _ in range(4)], step)
    flats = [sensor.frame(level, rays=1e-4) for level in (24000, 25000, 23000, 26000)]
    found = gain(flats, noise, step=step)

    assert abs(noise.value - sensor.variance) < 4.0 * noise.error
    assert abs(found.value - 0.2) < 4.0 * found.error
    assert found.error < 0.01 * found.value
    assert noise.error < 0.02 * noise.value


def test_stated_errors_are_the_scatter_of_repeated_measurements():
    """Pulls of 60 sensors have a mean near 0 and a standard deviation near 1."""
    gains, noises = [], []
    for seed in range(60):
        sensor = Sensor(1000 + seed, step=4.0)
        noise = dark_noise([sensor.frame() for _ in range(3)], 4.0)
        found = gain([sensor.frame(20000) for _ in range(3)], noise, step=4.0)
        gains.append((found.value - 0.2) / found.error)
        noises.append((noise.value - sensor.variance) / noise.error)

    assert abs(np.mean(gains)) < 0.4
    assert abs(np.mean(noises)) < 0.4
    assert 0.75 < np.std(gains) < 1.3
    assert 0.75 < np.std(noises) < 1.3


def test_bands_of_a_flickering_lamp_are_no_noise():
    """Rows that are 5 % brighter in one frame only leave the gain as it is."""
    sensor = Sensor(7)
    noise = dark_noise([sensor.frame() for _ in range(4)])
    rows = np.arange(SIDE)[:, None]
    flats = [
        sensor.frame(20000, bands=1.0 + 0.05 * np.sin(0.8 * rows + turn)) for turn in (0, 1, 3)
    ]
    found = gain(flats, noise)

    assert abs(found.value - 0.2) < 4.0 * found.error


def test_hot_pixels_do_not_add_to_the_noise_of_darks():
    """What stands out of its patch in both frames is left out, however noisy it is."""
    sensor = Sensor(8)
    hot = sensor.random.random((PATCHES, SIDE, SIDE)) < 0.03
    frames = [
        sensor.frame() + np.where(hot, sensor.random.poisson(400.0, hot.shape) / 0.2, 0.0)
        for _ in range(4)
    ]
    noise = dark_noise(frames)

    assert abs(noise.value - sensor.variance) < 4.0 * noise.error


def test_saturated_and_dim_patches_are_left_out():
    """Full wells have no noise, and read noise hides that of little light."""
    sensor = Sensor(9)
    noise = dark_noise([sensor.frame() for _ in range(3)])
    full = [np.minimum(sensor.frame(30000), BLACK + 25000.0) for _ in range(3)]

    found = gain(full, noise, ceiling=0.8 * 25000.0)

    assert abs(found.value - 0.2) < 4.0 * found.error
    assert found.error < 0.02 * found.value
    assert gain([sensor.frame(30000)] * 2, noise, ceiling=10.0) is None
    assert gain([sensor.frame(20.0) for _ in range(3)], noise) is None


def test_the_error_of_the_black_level_goes_into_that_of_the_gain():
    """An uncertainty of 1 % of the light is one of 1 % of the gain."""
    sensor = Sensor(10)
    noise = dark_noise([sensor.frame() for _ in range(3)])
    flats = [sensor.frame(10000) for _ in range(2)]
    light = float(np.mean(flats[0]) - BLACK)
    sure = gain(flats, noise)
    unsure = gain(flats, noise, black_error=0.01 * light)

    assert unsure.value == sure.value
    assert np.hypot(sure.error, 0.01 * sure.value) == pytest.approx(unsure.error, rel=0.1)


def test_nothing_comes_from_nothing():
    """No pairs, frames that are one constant, and frames of NaN give no number."""
    noise = Measured(1.0, 0.1)
    constant = np.full((PATCHES, SIDE, SIDE), 1000.0)
    missing = np.full_like(constant, np.nan)

    assert noise_without_light([]) is None
    assert conversion_gain([], noise) is None
    assert gain([constant, constant], noise) is None
    assert gain([missing, missing], noise) is None
    assert dark_noise([missing, missing]) is None
    assert dark_noise([constant, constant]) == Measured(0.0, 0.0)


def test_missing_pixels_do_not_matter():
    """With a tenth of the pixels NaN the gain is the same within its error."""
    sensor = Sensor(11)
    noise = dark_noise([sensor.frame() for _ in range(3)])
    flats = [sensor.frame(20000) for _ in range(3)]
    holes = sensor.random.random((PATCHES, SIDE, SIDE)) < 0.1
    found = gain([np.where(holes, np.nan, flat) for flat in flats], noise)

    assert abs(found.value - 0.2) < 4.0 * found.error


@given(
    level=st.floats(2000.0, 40000.0),
    ratio=st.floats(0.8, 1.25),
    seed=st.integers(0, 2**31),
)
def test_a_pair_agrees_with_the_plain_formula(level, ratio, seed):
    """Without outliers: half the mean square of neighbours' differences, light by plain means."""
    random = np.random.default_rng(seed)
    shape = 6, SIDE, SIDE
    first = BLACK + random.uniform(0.99, 1.01, shape) * level
    second = BLACK + random.uniform(0.99, 1.01, shape) * level / ratio
    pair = pair_noise(first, second, black=BLACK)
    by_hand = first - BLACK - pair.ratio[:, None, None] * (second - BLACK)
    variance = 0.5 * np.mean(np.diff(by_hand, axis=2) ** 2, axis=(1, 2))

    np.testing.assert_allclose(pair.variance, variance, rtol=1e-10)
    np.testing.assert_allclose(pair.first, first.mean(axis=(1, 2)) - BLACK, rtol=1e-10)
    np.testing.assert_allclose(pair.ratio, pair.first / pair.second, rtol=1e-12)
