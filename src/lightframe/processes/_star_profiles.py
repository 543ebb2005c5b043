"""The shapes of stars: profiles fitted to bright isolated ones."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.arrays import Float32, Float64, UInt8
from lightframe.kernels._profile import fit_profiles

__all__ = [
    "FWHM_PER_SIGMA",
    "SHAPE_STARS",
    "ProfileFits",
    "ProfilePixels",
    "area",
    "fit_brightest",
    "mean_sigma",
]


FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""FWHM of a Gaussian of standard deviation 1."""

SHAPE_STARS = 200
"""Bright stars whose profiles are fitted for the width of the stars of a frame."""

SHAPE_PIXELS = 20_000
"""Of wide stars so many are fitted that this many pixels are used, but at least 40 stars."""


class ProfilePixels(NamedTuple):
    """Pixels that the profiles of stars are fitted to: of a CFA frame those of one colour."""

    image: Float32
    """The frame, not smoothed, (h, w)."""
    used: UInt8
    """1 where a pixel is used, (period, period), repeated over the frame."""


def area(covariance: Float64) -> Float64:
    """Return the square root of the determinants of (n, 3) covariances xx, xy, yy."""
    xx, xy, yy = covariance.T
    area: Float64 = np.sqrt(np.maximum(xx * yy - xy * xy, 1e-4))
    return area


def mean_sigma(measured: Float64) -> Float64:
    """Return the geometric mean of both standard deviations."""
    sigma: Float64 = np.sqrt(area(measured[:, 6:9]))
    return sigma


class ProfileFits(NamedTuple):
    rows: npt.NDArray[np.intp]  # rows of the measured stars
    xx: Float64  # covariance of the Gaussian with the same ellipse at half maximum
    xy: Float64
    yy: Float64


def fit_brightest(
    pixels: ProfilePixels, measured: Float64, usable: npt.NDArray[np.bool_]
) -> ProfileFits:
    """Fit profiles to the brightest usable stars."""
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(-measured[rows, 5], kind="stable")][: 4 * SHAPE_STARS]
    sigma = float(np.median(mean_sigma(measured[rows]))) if rows.size else 1.0
    half_width = FWHM_PER_SIGMA / 2 * sigma
    # Isolated ones first, of those the brightest.
    separation = np.full(rows.size, np.inf)
    if np.count_nonzero(measured[:, 9]) > 1 and rows.size:
        tree = scipy.spatial.cKDTree(measured[measured[:, 9] > 0, :2])
        separation = np.asarray(tree.query(measured[rows, :2], k=2)[0])[:, 1]
    crowded = separation < 6 * half_width
    radius = max(3.0, np.ceil(4.0 * half_width))
    count = min(SHAPE_STARS, max(40, round(SHAPE_PIXELS / (np.pi * radius**2))))
    rows = rows[np.argsort(crowded, kind="stable")][:count]
    starts = np.empty((rows.size, 6))
    starts[:, 0:2] = measured[rows, 0:2]
    starts[:, 2:4] = measured[rows, 3:5]
    starts[:, 4] = half_width
    starts[:, 5] = radius
    fitted = np.empty((rows.size, 9))
    fit_profiles(np.ascontiguousarray(pixels.image), pixels.used, starts, fitted)
    a, b, c = fitted[:, 4], fitted[:, 5], fitted[:, 6]
    determinant = a * c - b * b
    # u = 1 is the ellipse at half maximum, where a Gaussian has r^2 = 2 ln 2 sigma^2.
    scale = 1.0 / (2.0 * np.log(2.0) * determinant)
    xx, xy, yy = scale * c, -scale * b, scale * a
    width = np.maximum(xx * yy - xy * xy, 1e-9) ** 0.25
    good = (
        np.isfinite(fitted[:, 8])
        & (fitted[:, 0] > 0)
        & (width < 4 * sigma)
        & (width > 0.25 * sigma)
    )
    return ProfileFits(rows[good], xx[good], xy[good], yy[good])
