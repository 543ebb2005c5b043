"""What the stars that frames have in common tell: brightness, place, and weight."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._star_table import StarTable

__all__ = [
    "Coincidence",
    "PhotometricScale",
    "by_brightness",
    "coincidence",
    "photometric_scale",
    "psf_signal_weights",
]

_MATCH_RADIUS_PX = 1.5
_LEAST_SNR = 20.0
"""Fainter stars add scatter, and the faintest are only found where noise lifts them."""
_LEAST_PAIRS = 8
_LEAST_PAIRS_FOR_SLOPE = 30
_SIGNIFICANT = 5.0
_CLIP_SIGMAS = 3.0
_ROUNDS = 5
_BRIGHTEST = 200
_MEDIAN_EFFICIENCY = 1.2533


@dataclass(frozen=True, slots=True)
class PhotometricScale:
    """Flux of a frame's stars over that of the same stars in the reference.

    Attributes
    ----------
    ratio : float
        Median of the ratios.
    sigma : float
        Its standard error.
    pairs : int
        Stars it was measured on.
    slope : tuple of float
        Relative change of the ratio from the reference's first row to its last, and from its first
        column to its last, about the centre; zero where it is not significant or was not asked for.
    """

    ratio: float
    sigma: float
    pairs: int
    slope: tuple[float, float] = (0.0, 0.0)


def photometric_scale(
    stars: StarTable,
    transform: npt.NDArray[np.float64],
    reference: StarTable,
    *,
    shape: tuple[int, int] | None = None,
) -> PhotometricScale | None:
    """Measure the ratio of fluxes of the stars that a frame shares with the reference.

    Parameters
    ----------
    stars, reference : StarTable
        Stars of the frame and of the reference; saturated ones are left out.
    transform : ndarray of float64, shape (3, 3)
        Frame pixel -> reference pixel.
    shape : tuple of int, optional
        Rows and columns of the reference: with it the slope is measured.

    Returns
    -------
    PhotometricScale or None
        None where fewer than eight good stars are shared.

    Notes
    -----
    The median of the ratios is taken, after clipping at 3 sigma (1.4826 MAD); its standard error is
    1.2533 sigma / sqrt(n). The slope is that of a plane through the ratios that are left, taken if
    it has at least 30 stars and five times its standard error along one of the axes.
    """
    ours, theirs = _usable(stars), _usable(reference)
    if min(ours.size, theirs.size) < _LEAST_PAIRS:
        return None
    x, y, w = transform @ np.stack((stars.x[ours], stars.y[ours], np.ones(ours.size)))
    tree = scipy.spatial.cKDTree(np.column_stack((reference.x[theirs], reference.y[theirs])))
    distance, found = tree.query(np.column_stack((x / w, y / w)))
    near = distance < _MATCH_RADIUS_PX
    partners = theirs[np.asarray(found)[near]]
    ratios = stars.flux_dn[ours[near]] / reference.flux_dn[partners]
    x, y = reference.x[partners], reference.y[partners]
    for _ in range(_ROUNDS):
        if ratios.size < _LEAST_PAIRS:
            return None
        middle = float(np.median(ratios))
        sigma = MAD_TO_SIGMA * float(np.median(np.abs(ratios - middle)))
        kept = np.abs(ratios - middle) <= _CLIP_SIGMAS * sigma
        if kept.all():
            break
        ratios, x, y = ratios[kept], x[kept], y[kept]
    error = _MEDIAN_EFFICIENCY * sigma / np.sqrt(ratios.size)
    slope = (0.0, 0.0)
    if shape is not None:
        height, width = shape
        slope = _slope(ratios / middle, (y + 0.5) / height - 0.5, (x + 0.5) / width - 0.5)
    return PhotometricScale(middle, float(error), int(ratios.size), slope)


def by_brightness(statistics: FrameStatistics, scale: PhotometricScale) -> FrameStatistics:
    """Return statistics whose scale is the brightness of the stars."""
    ratio = np.full_like(statistics.noise, scale.ratio)
    return replace(statistics, scale_low=ratio, scale_high=ratio, slope=scale.slope)


@dataclass(frozen=True, slots=True)
class Coincidence:
    """How the stars of two frames lie on each other.

    Attributes
    ----------
    share : float
        Part of the frame's brightest stars that have a star of the reference within 1.5 pixels.
    offset_px : float
        Length of their median offset; NaN where there is none.
    """

    share: float
    offset_px: float


def coincidence(stars: StarTable, reference: StarTable) -> Coincidence | None:
    """Compare the places of the stars of two frames, pixel by pixel.

    Returns
    -------
    Coincidence or None
        None where either has fewer than eight good stars.
    """
    ours = _usable(stars)[:_BRIGHTEST]
    if min(ours.size, _usable(reference).size) < _LEAST_PAIRS:
        return None
    tree = scipy.spatial.cKDTree(np.column_stack((reference.x, reference.y)))
    distance, found = tree.query(np.column_stack((stars.x[ours], stars.y[ours])))
    near = np.asarray(distance < _MATCH_RADIUS_PX, np.bool_)
    if not near.any():
        return Coincidence(0.0, float("nan"))
    partners = np.asarray(found)[near]
    dx = np.median(stars.x[ours[near]] - reference.x[partners])
    dy = np.median(stars.y[ours[near]] - reference.y[partners])
    return Coincidence(float(near.mean()), float(np.hypot(dx, dy)))


def psf_signal_weights(
    brightness: npt.ArrayLike, fwhm_px: npt.ArrayLike, noise: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Return the squared signal of a star over the noise in its width: (r / (FWHM sigma))^2.

    As PixInsight's PSF signal weight, the product of the stars' flux and mean flux over the noise
    squared; but of the stars the frames share, so that a star that is found in one frame alone, or
    saturates, does not shift the balance.

    Parameters
    ----------
    brightness : array_like, shape (frames,)
        Flux of the stars relative to those of one frame, r.
    fwhm_px : array_like, shape (frames,)
        Their width.
    noise : array_like, shape (frames,)
        Noise of a pixel, DN.
    """
    width = np.asarray(fwhm_px, np.float64) * np.asarray(noise, np.float64)
    return np.asarray((np.asarray(brightness, np.float64) / width) ** 2, np.float64)


def _slope(
    ratios: npt.NDArray[np.float64], v: npt.NDArray[np.float64], u: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """Fit a plane by least squares; return its slopes if they are significant, otherwise zeros."""
    if ratios.size < _LEAST_PAIRS_FOR_SLOPE:
        return 0.0, 0.0
    design = np.column_stack((np.ones_like(v), v, u))
    fit, _, rank, _ = np.linalg.lstsq(design, ratios, rcond=None)
    if rank < design.shape[1]:
        return 0.0, 0.0
    variance = np.sum((ratios - design @ fit) ** 2) / (ratios.size - design.shape[1])
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    if not (np.abs(fit[1:]) > _SIGNIFICANT * errors[1:]).any():
        return 0.0, 0.0
    return float(fit[1] / fit[0]), float(fit[2] / fit[0])


def _usable(stars: StarTable) -> npt.NDArray[np.intp]:
    """Return the indices of bright, unsaturated stars."""
    good = (stars.snr >= _LEAST_SNR) & (stars.flux_dn > 0) & ~stars.saturated
    return np.flatnonzero(good)
