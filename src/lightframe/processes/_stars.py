"""Star detection: positions, fluxes and shapes of the stars of a frame.

1. Background and noise in the cells of a mesh, interpolated bilinearly.
2. Local maxima of the slightly smoothed residual above a multiple of its own noise. Maxima that
   stand on a single pixel (hot pixels, cosmic rays) and those without a saddle to a brighter one
   (noise on the slope of a bright star) are dropped.
3. Centroids under a Gaussian window, shapes from the second moments under that window.
4. The width of the stars, and its ratio to that of the moments, from least-squares fits of an
   elliptical profile with free exponent to bright isolated stars. Moments alone would make a Moffat
   star of exponent 2.5 about a tenth too wide.

Sources: E. Bertin and S. Arnouts, A&AS 117 (1996), for the mode estimate and windowed positions;
A. F. J. Moffat, A&A 3 (1969), for the profile.
"""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from dataclasses import dataclass, fields
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy
from pydantic import Field

from lightframe.kernels._background import mesh_statistics
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._peaks import find_peaks, smoothed_samples, sort_out_peaks
from lightframe.kernels._profile import fit_profiles
from lightframe.kernels._stars import measure_stars
from lightframe.processes._estimators import quantized_sigma
from lightframe.processes._quantization import ROUNDING, value_step
from lightframe.settings import Settings

__all__ = [
    "DetectionSettings",
    "Mesh",
    "ProfilePixels",
    "StarTable",
    "background_mesh",
    "detect_stars",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""FWHM of a Gaussian of standard deviation 1."""

SMOOTHING_TAPS = np.array([0.25, 0.5, 0.25], np.float32)
"""Smoothing before the search for maxima: small, so that close pairs stay apart."""

WHITE_SMOOTHED = float((SMOOTHING_TAPS**2).sum())
"""Noise of white noise of standard deviation 1 after the smoothing in both directions."""

REACH = 2.5
"""Maxima closer than this many FWHM must be parted by a saddle."""

FIRST_REACH_PX = 8.0
"""The same in pixels as long as the FWHM is not known."""

SHAPE_STARS = 200
"""Bright stars whose profiles are fitted for the width of the stars of a frame."""

SAMPLES_ACROSS = 16
"""Pixels looked at along the side of a mesh cell: 256 give its background to 0.08 sigma."""

LINE_RATIO = 2.5
"""What is longer than this times its width is a knot of a trail, unless the stars are so, too."""

LEAST_ROUND = 10
"""So many stars that are not longer show that the stars of a frame are not trailed."""

STEP_SAMPLES = 1 << 18
"""About so many differences of neighbours tell the noise where most pixels have one value."""

SHAPE_PIXELS = 20_000
"""Of wide stars so many are fitted that this many pixels are used, but at least 40 stars."""


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


@dataclass(frozen=True, slots=True)
class StarTable:
    """Stars of one frame, brightest first: equally long float64 arrays.

    Attributes
    ----------
    x, y : array
        Windowed centroid in pixels; (0, 0) is the centre of the first stored pixel.
    flux_dn : array
        Sum above the local background within a radius of 1.5 FWHM of the frame.
    peak_dn : array
        Highest pixel above the local background.
    background_dn : array
        Local background: clipped median of a ring around the star.
    snr : array
        Signal over noise of the background under a window as wide as the star; the star's own
        photon noise is not in it, since the gain may be unknown.
    fwhm_px : array
        Full width at half maximum as recorded, i.e. including the width of a pixel; geometric mean
        of both axes.
    eccentricity : array
        sqrt(1 - (minor/major)^2) of the ellipse at half maximum.
    saturated : array of bool
        The star is saturated or flat-topped: the position is good, flux and shape are not.
    """

    x: Float64
    y: Float64
    flux_dn: Float64
    peak_dn: Float64
    background_dn: Float64
    snr: Float64
    fwhm_px: Float64
    eccentricity: Float64
    saturated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return self.x.size

    def select(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> "StarTable":
        """Return the stars chosen by indices, a mask, or a slice."""
        return StarTable(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def empty(cls) -> "StarTable":
        """Return a table without stars."""
        numbers = {field.name: np.empty(0) for field in fields(cls) if field.name != "saturated"}
        return cls(**numbers, saturated=np.empty(0, np.bool_))


class ProfilePixels(NamedTuple):
    """Pixels that the profiles of stars are fitted to: of a CFA frame those of one colour."""

    image: Float32
    """The frame, not smoothed, (h, w)."""
    used: npt.NDArray[np.uint8]
    """1 where a pixel is used, (period, period), repeated over the frame."""


class Mesh(NamedTuple):
    """Background and noise in the cells of a mesh."""

    cell: int
    """Side of a cell in pixels."""
    background: Float32
    """Background in DN, (rows, columns); bilinear between the centres of the cells."""
    noise: Float32
    """Standard deviation of a pixel in DN, (rows, columns)."""
    coarse: bool = False
    """Whether the frame has less noise than its integers have steps: it is told of the whole."""


def background_mesh(image: Float32, cell: int) -> Mesh | None:
    """Measure background and noise in the cells of a mesh.

    Parameters
    ----------
    image : (h, w) float32
        NaN is missing.
    cell : int
        Side of the cells in pixels.

    Returns
    -------
    Mesh or None
        None where no cell holds enough pixels, or the frame has no noise at all.
    """
    height, width = image.shape
    shape = max(1, height // cell), max(1, width // cell)
    background, noise = np.empty(shape, np.float32), np.empty(shape, np.float32)
    step = max(1, cell // SAMPLES_ACROSS)
    mesh_statistics(image, cell, step, background, noise)
    coarse = _without_steps(image, cell, background, noise)
    known = np.isfinite(background) & (noise > 0)
    if not known.any():
        known = np.isfinite(background)
        noise[known] = _noise_of_steps(image)
        coarse = True
        if not (noise[known] > 0).any():
            return None
    if not known.all():  # the nearest known cell stands in
        nearest = scipy.ndimage.distance_transform_edt(~known, return_indices=True)[1]
        background, noise = background[tuple(nearest)], noise[tuple(nearest)]
    # A median over 3x3 cells takes out cells that a bright star or a galaxy fills.
    return Mesh(
        cell,
        scipy.ndimage.median_filter(background, 3, mode="nearest"),
        scipy.ndimage.median_filter(noise, 3, mode="nearest"),
        coarse,
    )


def _without_steps(image: Float32, cell: int, background: Float32, noise: Float32) -> bool:
    """Measure a mesh anew, and tell so, where the noise is below the step between integers.

    There medians and MADs are whole steps. Mean and standard deviation of what lies within three
    steps of the median stand in; no noise is less than that of rounding. Above one step medians are
    kept: up to two steps they are still right to half a step, and MADs to half their value.
    """
    step = value_step(image)
    known = np.isfinite(background)
    if step == 0 or not known.any() or np.median(noise[known]) > 1.5 * step:
        return False
    means, deviations = background.copy(), noise.copy()
    for row, column in np.argwhere(known):
        # The last cells take what is left over, as in `mesh_statistics`.
        bottom = None if row == len(background) - 1 else (row + 1) * cell
        right = None if column == background.shape[1] - 1 else (column + 1) * cell
        pixels = image[row * cell : bottom, column * cell : right]
        near = pixels[np.abs(pixels - np.median(pixels[np.isfinite(pixels)])) <= 3 * step]
        means[row, column] = near.mean(dtype=np.float64)
        deviations[row, column] = max(near.std(dtype=np.float64), ROUNDING * step)
    if np.median(deviations[known]) >= step:
        return False
    background[...], noise[...] = means, deviations
    return True


def _noise_of_steps(image: Float32) -> float:
    """Return the noise of a frame that has less of it than its integers have steps, or 0."""
    rows = image[:: -(-image.size // STEP_SAMPLES)]
    steps = np.abs(rows[:, 1:] - rows[:, :-1]).ravel()
    steps = steps[np.isfinite(steps)]
    return quantized_sigma(steps) / float(np.sqrt(2)) if steps.size else 0.0


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

    ys: npt.NDArray[np.int64]
    xs: npt.NDArray[np.int64]
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
        previous, sigma = sigma, float(np.median(_mean_sigma(stars)))
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


def _area(covariance: Float64) -> Float64:
    """Return the square root of the determinants of (n, 3) covariances xx, xy, yy."""
    xx, xy, yy = covariance.T
    area: Float64 = np.sqrt(np.maximum(xx * yy - xy * xy, 1e-4))
    return area


def _mean_sigma(measured: Float64) -> Float64:
    """Return the geometric mean of both standard deviations."""
    sigma: Float64 = np.sqrt(_area(measured[:, 6:9]))
    return sigma


class _Fits(NamedTuple):
    rows: npt.NDArray[np.intp]  # rows of the measured stars
    xx: Float64  # covariance of the Gaussian with the same ellipse at half maximum
    xy: Float64
    yy: Float64


def _fit(pixels: ProfilePixels, measured: Float64, usable: npt.NDArray[np.bool_]) -> _Fits:
    """Fit profiles to the brightest usable stars."""
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(-measured[rows, 5], kind="stable")][: 4 * SHAPE_STARS]
    sigma = float(np.median(_mean_sigma(measured[rows]))) if rows.size else 1.0
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
    return _Fits(rows[good], xx[good], xy[good], yy[good])


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
    sigma = _mean_sigma(measured)
    if usable.any():
        bright = np.flatnonzero(usable)
        bright = bright[np.argsort(-measured[bright, 5], kind="stable")][: 4 * SHAPE_STARS]
        typical = np.median(sigma[bright])
        narrow = sigma < settings.min_relative_width * typical
        wide = sigma > settings.max_relative_width * typical
        usable &= ~narrow & ~wide
        good &= saturated | usable
    fits = _fit(pixels, measured, usable)
    shapes = measured[:, 6:9] - smoothing_variance * np.array([1, 0, 1])
    if fits.rows.size:
        fitted = np.stack((fits.xx, fits.xy, fits.yy), axis=1)
        shapes *= np.median(_area(fitted) / _area(shapes[fits.rows]))
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
