"""The brightness of a frame relative to a reference, from the stars they have in common."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from lightframe.processes._stars import StarTable

__all__ = ["PhotometricScale", "photometric_scale"]

_MATCH_RADIUS_PX = 1.5
_LEAST_SNR = 20.0
"""Fainter stars add scatter, and the faintest are only found where noise lifts them."""
_LEAST_PAIRS = 8
_CLIP_SIGMAS = 3.0
_ROUNDS = 5
_MAD_TO_SIGMA = 1.4826
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
    """

    ratio: float
    sigma: float
    pairs: int


def photometric_scale(
    stars: StarTable, transform: npt.NDArray[np.float64], reference: StarTable
) -> PhotometricScale | None:
    """Measure the ratio of fluxes of the stars that a frame shares with the reference.

    Parameters
    ----------
    stars, reference : StarTable
        Stars of the frame and of the reference; saturated ones are left out.
    transform : ndarray of float64, shape (3, 3)
        Frame pixel -> reference pixel.

    Returns
    -------
    PhotometricScale or None
        None where fewer than eight good stars are shared.

    Notes
    -----
    The median of the ratios is taken, after clipping at 3 sigma (1.4826 MAD); its standard error is
    1.2533 sigma / sqrt(n).
    """
    ours, theirs = _usable(stars), _usable(reference)
    if min(ours.size, theirs.size) < _LEAST_PAIRS:
        return None
    x, y, w = transform @ np.stack((stars.x[ours], stars.y[ours], np.ones(ours.size)))
    tree = cKDTree(np.column_stack((reference.x[theirs], reference.y[theirs])))
    distance, found = tree.query(np.column_stack((x / w, y / w)))
    near = distance < _MATCH_RADIUS_PX
    partners = theirs[np.asarray(found)[near]]
    ratios = stars.flux_dn[ours[near]] / reference.flux_dn[partners]
    for _ in range(_ROUNDS):
        if ratios.size < _LEAST_PAIRS:
            return None
        middle = float(np.median(ratios))
        sigma = _MAD_TO_SIGMA * float(np.median(np.abs(ratios - middle)))
        kept = np.abs(ratios - middle) <= _CLIP_SIGMAS * sigma
        if kept.all():
            break
        ratios = ratios[kept]
    error = _MEDIAN_EFFICIENCY * sigma / np.sqrt(ratios.size)
    return PhotometricScale(middle, float(error), int(ratios.size))


def _usable(stars: StarTable) -> npt.NDArray[np.intp]:
    """Return the indices of bright, unsaturated stars."""
    good = (stars.snr >= _LEAST_SNR) & (stars.flux_dn > 0) & ~stars.saturated
    return np.flatnonzero(good)
