"""Measure stars whose places are known: sums in apertures, centroids."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from lightframe.arrays import Float32, Float64, Int64
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.simulation._result_grid import ResultGrid
from lightframe.simulation._sky import Psf

__all__ = ["centroids", "choose_stars", "flux_ratio"]


_MOST = 250
"""Number of stars that are measured, the brightest of those that can be."""

_APERTURE, _INNER, _OUTER = 3.5, 5.0, 7.5
"""Radius of the aperture, and of the ring in which the background is taken, in FWHM."""

_SAFE = 0.6
"""Fraction of the range up to which a star's peak may reach in any light."""

_ALONE = 0.25
"""A star whose neighbour has more than this fraction of its light is not measured."""

_ROUNDS = 6
"""Iterations of the windowed centroid."""


def choose_stars(place: ResultGrid, positions: Float64, flux: Float64, psf: Psf) -> Int64:
    """Return the indices of stars that are bright, alone, unsaturated and in all lights.

    Parameters
    ----------
    place : ResultGrid
        The result and its lights.
    positions : float64 (n, 2)
        x, y in the result, brightest star first.
    flux : float64 (n, channels)
        Electrons per second.
    psf : Psf
        Image of a star in the result.
    """
    truth = place.truth
    sensor, session = truth.session.sensor, truth.session
    mode = sensor.at_gain(session.gain)
    ceiling = (1 << sensor.adc_bits) - 1 - session.offset * sensor.offset_adu_per_unit
    room = _SAFE * min(ceiling * mode.e_per_adu, mode.full_well_e * sensor.linear_to)
    peak = max(shot.psf.peak * shot.exposure_s for shot in place.lights)
    strongest = flux.max(axis=1)
    good = strongest * peak < room
    good &= place.covered(positions[:, 0], positions[:, 1])
    margin = _OUTER * psf.fwhm_px + 1.0
    height, width = place.shape
    good &= ((positions >= margin) & (positions <= [width - margin, height - margin])).all(axis=1)
    tree = cKDTree(positions)
    chosen: list[int] = []
    for star in np.flatnonzero(good):
        near = np.array(tree.query_ball_point(positions[star], (_APERTURE + 1.5) * psf.fwhm_px))
        if strongest[near].sum() < (1.0 + _ALONE) * strongest[star]:
            chosen.append(int(star))
        if len(chosen) == _MOST:
            break
    return np.array(chosen, np.int64)


def flux_ratio(
    plane: Float32, light: Float32, positions: Float64, fwhm_px: float
) -> tuple[float, float]:
    """Return the median ratio of the stars' light in a result to that in the truth, and its error.

    The same apertures are laid on both, so that neighbours and nebulosity count the same. Stars
    count in proportion to their light, since that of faint ones is uncertain.
    """
    ratios, weights = [], []
    for y0, x0, distance in _cutouts(plane.shape, positions, _OUTER * fwhm_px):
        window = slice(y0, y0 + distance.shape[0]), slice(x0, x0 + distance.shape[1])
        inside = distance <= _APERTURE * fwhm_px
        ring = (distance >= _INNER * fwhm_px) & (distance <= _OUTER * fwhm_px)
        ring &= np.isfinite(plane[window])
        # Means, not medians: only what is linear treats a noisy and a noiseless image alike.
        result, truth = (
            float(np.sum(image[window][inside] - image[window][ring].mean(dtype=np.float64)))
            for image in (plane, light)
        )
        if np.isfinite(result) and truth > 0.0:
            ratios.append(result / truth)
            weights.append(truth)
    values, weight = np.array(ratios), np.array(weights)
    middle = _weighted_median(values, weight)
    spread = MAD_TO_SIGMA * _weighted_median(np.abs(values - middle), weight)
    count = weight.sum() ** 2 / np.sum(weight**2)
    # The median of n normal values scatters by sqrt(pi / 2n) of their spread.
    return middle, 1.2533 * spread / float(np.sqrt(count))


def _weighted_median(values: Float64, weight: Float64) -> float:
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(share, 0.5 * share[-1])])


def centroids(plane: Float32, positions: Float64, fwhm_px: float) -> Float64:
    """Return x, y of stars near known positions, by iterated Gaussian-windowed centroids."""
    found = np.full_like(positions, np.nan)
    sigma = fwhm_px / 2.3548
    reach = 4.0 * sigma
    for star, (y0, x0, distance) in enumerate(_cutouts(plane.shape, positions, reach)):
        cutout = plane[y0 : y0 + distance.shape[0], x0 : x0 + distance.shape[1]]
        values = cutout - np.median(cutout[distance > 0.9 * reach])
        x, y = positions[star]
        columns = x0 + np.arange(cutout.shape[1])
        rows = (y0 + np.arange(cutout.shape[0]))[:, np.newaxis]
        for _ in range(_ROUNDS):
            weight = values * np.exp(-0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / sigma**2)
            total = weight.sum()
            # The window halves the step towards the star of its own width: hence the factor 2.
            x += 2.0 * float((weight * (columns - x)).sum() / total)
            y += 2.0 * float((weight * (rows - y)).sum() / total)
        found[star] = x, y
    return found


def _cutouts(
    shape: tuple[int, ...], positions: Float64, reach: float
) -> Iterator[tuple[int, int, Float64]]:
    """Yield first row, first column and distance map of a square around each position."""
    for x, y in positions:
        x0, x1 = max(0, int(x - reach)), min(shape[1], int(x + reach) + 2)
        y0, y1 = max(0, int(y - reach)), min(shape[0], int(y + reach) + 2)
        yield y0, x0, np.hypot(np.arange(x0, x1) - x, (np.arange(y0, y1) - y)[:, np.newaxis])
