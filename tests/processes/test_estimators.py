"""Estimators of location and scale."""

import numpy as np
import pytest
import stack_twins
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.processes._estimators import (
    LOCATION_ESTIMATORS,
    SCALE_ESTIMATORS,
    frame_statistics,
    quantized_sigma,
    two_sided_biweight,
)

CONSISTENT = ["biweight", "sn", "qn", "ikss"]


@pytest.mark.parametrize("name", CONSISTENT)
def test_consistent_scales_give_the_sigma_of_noise(name):
    """Estimators that are consistent find the standard deviation of Gaussian noise."""
    x = np.random.default_rng(0).normal(300, 7, 40000)
    assert SCALE_ESTIMATORS[name](x) == pytest.approx(7, rel=0.04)


@pytest.mark.parametrize(("name", "ratio"), [("mad", 0.6745), ("average-deviation", 0.7979)])
def test_raw_scales_have_their_known_ratio_to_sigma(name, ratio):
    """MAD and average deviation are not scaled."""
    x = np.random.default_rng(1).normal(300, 7, 40000)
    assert SCALE_ESTIMATORS[name](x) == pytest.approx(7 * ratio, rel=0.02)


@pytest.mark.parametrize("name", SCALE_ESTIMATORS)
def test_scales_do_not_depend_on_location_and_follow_scale(name):
    """scale(a x + b) = a scale(x); constant samples have the scale 0."""
    x = np.random.default_rng(2).normal(0, 1, 501)
    scale = SCALE_ESTIMATORS[name]
    assert scale(3 * x + 70) == pytest.approx(3 * scale(x), rel=1e-9)
    assert scale(np.full(9, 4.0)) == 0


@pytest.mark.parametrize("name", LOCATION_ESTIMATORS)
def test_locations_follow_the_samples(name):
    """location(a x + b) = a location(x) + b."""
    x = np.random.default_rng(3).normal(0, 1, 501)
    location = LOCATION_ESTIMATORS[name]
    assert location(3 * x + 70) == pytest.approx(3 * location(x) + 70, rel=1e-9)


@pytest.mark.parametrize("name", ["mad", "biweight", "sn", "qn", "ikss"])
def test_a_tenth_of_outliers_hardly_matters(name):
    """Robust scales change by less than a third."""
    x = np.random.default_rng(4).normal(0, 1, 1000)
    clean = SCALE_ESTIMATORS[name](x)
    x[:100] = 1e4
    assert SCALE_ESTIMATORS[name](x) < 1.34 * clean


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=30))
def test_sn_is_that_of_all_differences(values):
    """The walk over windows finds the high medians of all differences."""
    x = np.sort(np.array(values))
    assert SCALE_ESTIMATORS["sn"](x) == pytest.approx(stack_twins.sn(x), rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=40))
def test_biweight_is_that_of_medians(values):
    """Looked up in sorted samples, median and MAD give what the formula says, in any precision."""
    x = np.array(values)
    m = np.median(x)
    mad = np.median(np.abs(x - m))
    rest = 1 - ((x - m) / (9 * mad)) ** 2 if mad > 0 else np.zeros(x.size)
    rest, square = rest[rest > 0], (x[rest > 0] - m) ** 2
    expected = 0.0
    if mad > 0:
        expected = np.sqrt(x.size * (square * rest**4).sum()) / abs((rest * (5 * rest - 4)).sum())
    assert SCALE_ESTIMATORS["biweight"](x) == pytest.approx(expected, rel=1e-9)
    assert SCALE_ESTIMATORS["biweight"](x.astype(np.float32)) == SCALE_ESTIMATORS["biweight"](x)


def test_qn_of_few_samples_is_that_worked_out_by_hand():
    """With n = 4, h = 3 and k = 3 it is the third smallest of the six differences."""
    x = np.array([1.0, 2.0, 4.0, 9.0])
    assert SCALE_ESTIMATORS["qn"](x) == pytest.approx(2.2191 * 0.512 * 3)


def test_two_sides_are_measured_apart():
    """A skewed distribution has different scales below and above its median."""
    rng = np.random.default_rng(5)
    x = np.concatenate([-np.abs(rng.normal(0, 2, 20000)), np.abs(rng.normal(0, 6, 20000))])
    low, high = two_sided_biweight(x)
    assert high / low == pytest.approx(3, rel=0.05)


def test_frame_statistics_leave_missing_pixels_out():
    """NaN does not matter, stars hardly, and integers are measured as well as floats."""
    rng = np.random.default_rng(6)
    planes = rng.normal(500, 12, (3, 80, 400))
    planes[1] += 100
    planes[:, rng.random((80, 400)) < 0.01] += 2000
    exact = frame_statistics(planes.astype(np.float32))
    np.testing.assert_allclose(exact.location, [500, 600, 500], atol=0.5)
    np.testing.assert_allclose(exact.noise, 12, rtol=0.05)
    np.testing.assert_allclose(exact.scale_low, 12, rtol=0.05)
    rounded = frame_statistics(planes.round().astype(np.uint16))
    np.testing.assert_allclose(rounded.noise, exact.noise, rtol=0.02)
    planes[:, :, :100] = np.nan
    missing = frame_statistics(planes.astype(np.float32))
    np.testing.assert_allclose(missing.noise, exact.noise, rtol=0.05)
    with pytest.raises(ValueError, match="without any pixel"):
        frame_statistics(np.full((4, 4), np.nan, np.float32))


def test_given_noise_is_taken():
    """A better value of the noise replaces the measured one."""
    planes = np.random.default_rng(7).normal(5, 1, (2, 20, 20)).astype(np.float32)
    assert frame_statistics(planes, noise=[3.0, 4.0]).noise.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("sigma", [0.25, 0.4, 0.6, 1.0, 3.0])
def test_sigma_of_coarse_steps_is_right_to_their_size(sigma):
    """Noise far below the steps is not taken for none, nor for more than they allow."""
    values = np.round(np.random.default_rng(5).normal(0, sigma, 200_000))

    assert sigma / 1.5 < quantized_sigma(np.abs(values)) < sigma + 0.5


def test_few_deviations_are_no_noise():
    """A hot pixel in a thousand says nothing of the others, which are all alike."""
    values = np.zeros(100_000)
    values[:90] = 500

    assert quantized_sigma(values) == 0
