"""Statistics of images."""

import numpy as np
import pytest
from astropy.stats import biweight_midvariance

from lightframe.frames import CfaPattern
from lightframe.processes import image_statistics


@pytest.fixture
def noise():
    """Return a plane of Gaussian noise: level 1000 DN, sigma 12 DN."""
    return np.random.default_rng(4).normal(1000, 12, (1, 120, 160)).astype(np.float32)


def test_all_estimators_agree_with_their_definitions(noise):
    """Mean, sigma, MAD, biweight midvariance and extremes are those of NumPy and astropy."""
    (plane,) = image_statistics(noise)
    x = noise.astype(np.float64).ravel()
    assert plane.mean == pytest.approx(x.mean(), rel=1e-12)
    assert plane.sigma == pytest.approx(x.std(ddof=1), rel=1e-12)
    assert plane.mad_sigma == pytest.approx(1.4826 * np.median(np.abs(x - np.median(x))))
    assert plane.bwmv_sigma == pytest.approx(np.sqrt(biweight_midvariance(x)), rel=1e-9)
    assert (plane.minimum, plane.maximum) == (x.min(), x.max())
    assert plane.noise == pytest.approx(12, rel=0.03)


def test_zero_is_a_value_and_nan_is_missing(noise):
    """Zeros, negatives and white pixels are counted and kept; NaN is left out."""
    noise[0, 0, :4] = 0, -5, 65535, np.nan
    (plane,) = image_statistics(noise)
    assert (plane.low, plane.high, plane.missing) == (2, 1, 1)
    assert plane.valid == plane.samples - 1
    assert plane.minimum == -5
    assert plane.count_fraction == (plane.samples - 4) / plane.samples


def test_within_the_scale_leaves_out_both_ends(noise):
    """As PixInsight counts unless told otherwise."""
    noise[0, 0, :3] = 0, -5, 70000
    (plane,) = image_statistics(noise, within_scale=True)
    assert plane.valid == plane.samples - 3
    assert 900 < plane.minimum < plane.maximum < 1100


def test_colours_of_a_mosaic_are_apart_and_both_greens_together():
    """Levels of R, G and B of an X-Trans and a Bayer mosaic are found exactly."""
    for name in ("GBRG", "GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG"):
        cfa = CfaPattern.from_name(name)
        cell = np.tile(cfa.planes(), (20, 20))
        planes = np.array([100, 200, 300], np.float32)[cell][None]
        found = image_statistics(planes, cfa)
        assert [(plane.name, plane.median) for plane in found] == [
            ("R", 100),
            ("G", 200),
            ("B", 300),
        ]
        assert sum(plane.samples for plane in found) == planes.size


def test_an_image_without_any_pixel_has_unknown_statistics():
    """All missing: counts are right, values are NaN, nothing is raised."""
    (plane,) = image_statistics(np.full((1, 30, 30), np.nan, np.float32))
    assert (plane.valid, plane.missing) == (0, 900)
    assert np.isnan([plane.mean, plane.median, plane.noise]).all()


def test_a_colour_without_pixels_has_no_statistics_and_the_others_have():
    """Where a colour is missing all of it is unknown, its noise too."""
    mosaic = np.random.default_rng(3).normal(100, 5, (1, 64, 64)).astype(np.float32)
    mosaic[0, ::2, ::2] = np.nan

    red, green, blue = image_statistics(mosaic, CfaPattern.from_name("RGGB"))

    assert np.isnan([red.noise, red.mean, red.minimum]).all()
    assert [green.noise, blue.noise] == pytest.approx([5, 5], rel=0.1)
