"""The noise of combined frames over that of one, against what theory knows of it."""

from math import pi, sqrt

import pytest

from lightframe.processes import IntegrationSettings, combined_noise


@pytest.mark.parametrize("frames", [2, 5, 16, 100])
def test_without_rejection_noise_falls_with_the_root_of_the_frames(frames):
    """To the error of the simulation, half a percent."""
    plain = IntegrationSettings(rejection="none")

    assert combined_noise(plain, frames) == pytest.approx(1 / sqrt(frames), rel=0.015)


def test_the_median_has_the_root_of_half_pi_more_noise():
    """That is its efficiency for many Gaussian samples."""
    median = IntegrationSettings(rejection="none", combination="median")

    assert combined_noise(median, 101) == pytest.approx(sqrt(pi / 2 / 101), rel=0.02)


def test_rejection_costs_more_than_the_samples_it_takes():
    """Eight frames and the usual settings: 8 % of variance, though 1.4 % of samples go."""
    flats = IntegrationSettings.for_flats()

    assert combined_noise(flats, 8) ** 2 * 8 == pytest.approx(1.077, abs=0.01)


def test_a_single_frame_keeps_its_noise():
    """There is nothing to combine."""
    assert combined_noise(IntegrationSettings.for_darks(), 1) == 1.0
