"""Star detection: positions, fluxes and shapes of the stars of a frame.

1. Background and noise in the cells of a mesh, interpolated bilinearly (`_background_mesh`).
2. Local maxima of the slightly smoothed residual above a multiple of its own noise. Maxima that
   stand on a single pixel (hot pixels, cosmic rays) and those without a saddle to a brighter one
   (noise on the slope of a bright star) are dropped.
3. Centroids under a Gaussian window, shapes from the second moments under that window.
4. The width of the stars, and its ratio to that of the moments, from least-squares fits of an
   elliptical profile with free exponent to bright isolated stars (`_star_profiles`). Moments alone
   would make a Moffat star of exponent 2.5 about a tenth too wide.

Sources: E. Bertin and S. Arnouts, A&AS 117 (1996), for the mode estimate and windowed positions;
A. F. J. Moffat, A&A 3 (1969), for the profile.
"""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lightframe.arrays import Float32, Float64, Int64
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._peaks import find_peaks, smoothed_samples, sort_out_peaks
from lightframe.kernels._stars import measure_stars
from lightframe.processes._background_mesh import Mesh, background_mesh
from lightframe.processes._star_profiles import (
    FWHM_PER_SIGMA,
    SHAPE_STARS,
    ProfilePixels,
    area,
    fit_brightest,
    mean_sigma,
)
from lightframe.processes._star_table import StarTable
from lightframe.settings import Settings

__all__ = ["DetectionSettings", "detect_stars"]


SMOOTHING_TAPS = np.array([0.25, 0.5, 0.25], np.float32)
"""Smoothing before the search for maxima: small, so that close pairs stay apart."""

WHITE_SMOOTHED = float((SMOOTHING_TAPS**2).sum())
"""Noise of white noise of standard deviation 1 after the smoothing in both directions."""

REACH = 2.5
"""Maxima closer than this many FWHM must be parted by a saddle."""

FIRST_REACH_PX = 8.0
"""The same in pixels as long as the FWHM is not known."""

LINE_RATIO = 2.5
"""What is longer than this times its width is a knot of a trail, unless the stars are so, too."""

LEAST_ROUND = 10
"""So many stars that are not longer show that the stars of a frame are not trailed."""


class DetectionSettings(Settings):
    """How stars are found."""

    threshold: Annotated[float, Field(ge=2.0, le=1000.0)] = 5.0
    """A star's peak must exceed the background by this many times the noise, both smoothed."""

    mesh_px: Annotated[int, Field(ge=16, le=1024)] = 64
    """Side of the cells in which the background is measured, in pixels; larger than the stars,
    smaller than the nebulae."""

    max_stars: Annotated[int, Field(ge=20, le=1_000_000)] = 20_000
    """Only so many stars are measured, the highest first."""

    min_relative_width: Annotated[float, Field(ge=0.0, le=1.0)] = 0.6
    """Objects narrower than this times the usual width of the frame's stars are not stars (cosmic
    rays, clusters of hot pixels)."""

    max_relative_width: Annotated[float, Field(ge=1.0)] = 3.0
    """Objects wider than this times the usual width are not stars (galaxies, knots of nebulae);
    saturated stars are kept."""


def detect_stars(
    image: Float32,
    settings: DetectionSettings,
    *,
    saturation_dn: float | None = None,
    smoothing_variance: float = 0.0,
    profile_pixels: ProfilePixels | None = None,
) -> StarTable:
    """Find and measure the stars of a frame.

    Parameters
    ----------
    image : (h, w) float32
        Pixels in DN, NaN is missing; of a CFA frame the result of `detection_image`.
    settings : DetectionSettings
        Threshold, mesh and limits.
    saturation_dn : float, optional
        Pixels at or above are saturated. Flat-topped stars are recognised without it.
    smoothing_variance : float
        Variance in px^2, per axis, of a smoothing that the image has been through; it is taken off
        the shapes, so that they are those of the frame before.
    profile_pixels : ProfilePixels, optional
        Where to fit the profiles if not in `image`.

    Returns
    -------
    StarTable
        Empty where there are no stars.

    Raises
    ------
    ValueError
        If the image is no plane of float32.
    """
    if image.ndim != 2 or image.dtype != np.float32:
        raise ValueError(f"image must be (h, w) float32, not {image.shape} {image.dtype}")
    image = np.ascontiguousarray(image)
    mesh = background_mesh(image, settings.mesh_px)
    if mesh is None or min(image.shape) < 8:
        return StarTable.empty()
    # Sums of few steps have few values; their median is right by chance only.
    smoothing = WHITE_SMOOTHED if mesh.coarse else _smoothed_noise(image, mesh)
    maxima = _maxima(image, mesh, settings, smoothing)
    highest = maxima.first(4 * SHAPE_STARS)
    bright = _sorted_out(image, mesh, highest, saturation_dn, smoothing, FIRST_REACH_PX)
    if len(bright) == 0:
        return StarTable.empty()
    sigma = _typical_sigma(image, mesh, bright)
    reach = max(4.0, REACH * FWHM_PER_SIGMA * sigma)
    peaks = _sorted_out(image, mesh, maxima, saturation_dn, smoothing, reach)
    peaks = peaks[: settings.max_stars]
    # Noise of wide sums: where neighbours are correlated it is larger by this.
    correlation = max(1.0, smoothing / WHITE_SMOOTHED)
    measured = np.empty((len(peaks), 10))
    measure_stars(
        image, mesh.background, mesh.noise, mesh.cell, sigma, correlation, peaks, measured
    )
    if profile_pixels is None:
        profile_pixels = ProfilePixels(image, np.ones((1, 1), np.uint8))
    return _table(profile_pixels, measured, peaks, settings, smoothing_variance)


def _smoothed_noise(image: Float32, mesh: Mesh) -> float:
    """Return the noise of the smoothed residual in units of the noise of the pixels."""
    every = max(1, image.shape[0] // 48)
    samples = np.empty(64 * (image.shape[1] // 4 + 1), np.float32)
    count = smoothed_samples(image, *_meshes(mesh), SMOOTHING_TAPS, every, samples)
    samples = samples[:count]
    if count < 16:
        return WHITE_SMOOTHED
    # The lower half alone: stars and nebulae are all on the upper side.
    median = np.median(samples)
    return float(MAD_TO_SIGMA * np.median(median - samples[samples <= median])) or WHITE_SMOOTHED


def _meshes(mesh: Mesh) -> tuple[Float32, Float32, int]:
    return mesh.background, mesh.noise, mesh.cell


class _Maxima(NamedTuple):
    """Local maxima, highest first."""

    ys: Int64
    xs: Int64
    heights: Float32

    def first(self, count: int) -> "_Maxima":
        """Return the `count` highest."""
        return _Maxima(self.ys[:count], self.xs[:count], self.heights[:count])


def _maxima(image: Float32, mesh: Mesh, settings: DetectionSettings, smoothing: float) -> _Maxima:
    """Return the local maxima above the threshold."""
    capacity = 65536
    while True:
        ys, xs = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
        heights = np.empty(capacity, np.float32)
        count = find_peaks(
            image, *_meshes(mesh), SMOOTHING_TAPS, settings.threshold * smoothing, ys, xs, heights
        )
        if count <= capacity:
            break
        capacity = count
    # Of equal heights the first in the frame comes first, always.
    order = np.argsort(-heights[:count], kind="stable")[: 2 * settings.max_stars]
    return _Maxima(ys[order], xs[order], heights[order])


def _sorted_out(
    image: Float32,
    mesh: Mesh,
    maxima: _Maxima,
    saturation_dn: float | None,
    smoothing: float,
    reach: float,
) -> Float64:
    """Return y, x, radius of the saturated blob, and height of the maxima that are stars."""
    stars = np.empty((maxima.ys.size, 4))
    saturation = np.inf if saturation_dn is None else float(saturation_dn)
    kept = sort_out_peaks(
        image, *_meshes(mesh), SMOOTHING_TAPS, saturation, smoothing, reach, *maxima, stars
    )
    return stars[:kept].copy()


def _typical_sigma(image: Float32, mesh: Mesh, peaks: Float64) -> float:
    """Return the standard deviation in pixels of the bright stars, as their moments give it.

    The trail of a satellite has hundreds of maxima, brighter than most stars: they are left out.
    """
    bright = peaks[peaks[:, 2] == 0]
    if len(bright) == 0:
        return 1.5
    sigma = 1.5
    measured = np.empty((len(bright), 10))
    for _ in range(6):
        measure_stars(image, *_meshes(mesh), sigma, 1.0, bright, measured)
        good = measured[:, 9] > 0
        if not good.any():
            return sigma
        stars = measured[good & ~_in_lines(measured, good)][:SHAPE_STARS]
        previous, sigma = sigma, float(np.median(mean_sigma(stars)))
        sigma = min(max(sigma, 0.4), 12.0)
        if abs(sigma - previous) < 0.02 * sigma:
            break
    return sigma


def _in_lines(measured: Float64, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which objects are parts of lines; none where the stars themselves are trailed."""
    xx, xy, yy = measured[:, 6:9].T
    mean, root = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    lines: npt.NDArray[np.bool_] = mean + root > LINE_RATIO**2 * np.maximum(mean - root, 0)
    if np.count_nonzero(good & ~lines) < LEAST_ROUND:
        return np.zeros(len(measured), bool)
    return lines


def _table(
    pixels: ProfilePixels,
    measured: Float64,
    peaks: Float64,
    settings: DetectionSettings,
    smoothing_variance: float,
) -> StarTable:
    """Keep what has the shape of a star, put the shapes right, sort by flux."""
    saturated = peaks[:, 2] > 0
    good = (measured[:, 9] > 0) & (measured[:, 2] > 0)
    good &= saturated | ~_in_lines(measured, good & ~saturated)
    usable = good & ~saturated
    sigma = mean_sigma(measured)
    if usable.any():
        bright = np.flatnonzero(usable)
        bright = bright[np.argsort(-measured[bright, 5], kind="stable")][: 4 * SHAPE_STARS]
        typical = np.median(sigma[bright])
        narrow = sigma < settings.min_relative_width * typical
        wide = sigma > settings.max_relative_width * typical
        usable &= ~narrow & ~wide
        good &= saturated | usable
    fits = fit_brightest(pixels, measured, usable)
    shapes = measured[:, 6:9] - smoothing_variance * np.array([1, 0, 1])
    if fits.rows.size:
        fitted = np.stack((fits.xx, fits.xy, fits.yy), axis=1)
        shapes *= np.median(area(fitted) / area(shapes[fits.rows]))
        shapes[fits.rows] = fitted
    mean, half = (shapes[:, 0] + shapes[:, 2]) / 2, (shapes[:, 0] - shapes[:, 2]) / 2
    root = np.hypot(half, shapes[:, 1])
    minor, major = np.maximum(mean - root, 0.01), np.maximum(mean + root, 0.01)
    rows = np.flatnonzero(good)
    rows = rows[np.argsort(-measured[rows, 2], kind="stable")]
    return StarTable(
        x=measured[rows, 1],
        y=measured[rows, 0],
        flux_dn=measured[rows, 2],
        peak_dn=measured[rows, 3],
        background_dn=measured[rows, 4],
        snr=measured[rows, 5],
        fwhm_px=FWHM_PER_SIGMA * (minor * major)[rows] ** 0.25,
        eccentricity=np.sqrt(1.0 - minor / major)[rows],
        saturated=saturated[rows],
    )
