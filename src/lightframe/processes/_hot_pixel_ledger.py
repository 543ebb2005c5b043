"""The ledger of hot pixels (T9): those of the master dark, looked up in calibrated lights.

Hot pixels are the fingerprint of a sensor. What is left of them after calibration tells which dark
scaling factor would have been right: the one used, plus the slope of what is left against the dark.
Where too few are found at all, the dark may lie in another orientation, or be another sensor's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64, Int64
from lightframe.frames._cfa import CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._estimators import quantized_sigma

__all__ = ["SYMMETRIES", "HotPixels", "HotSlope", "hot_pixels", "hot_slope", "mean_slope"]


_MOST = 1500
_FEWEST = 30
_ROWS = 256
"""Rows of the dark that are looked through at a time."""
_CANDIDATE_SIGMAS = 15.0
_VISIBLE_SIGMAS = 5.0
"""Excess in the dark, in units of the light's noise, from which on a hot pixel says something."""
_POINTS = 160
"""Hot pixels that are kept to be shown."""

Symmetry = Callable[[Int64, Int64, int, int], tuple[Int64, Int64]]

SYMMETRIES: dict[str, Symmetry] = {
    "as stored": lambda y, x, _h, _w: (y, x),
    "upside down": lambda y, x, h, _w: (h - 1 - y, x),
    "mirrored left to right": lambda y, x, _h, w: (y, w - 1 - x),
    "turned by 180°": lambda y, x, h, w: (h - 1 - y, w - 1 - x),
    "transposed": lambda y, x, _h, _w: (x, y),
    "turned by 90°": lambda y, x, h, _w: (x, h - 1 - y),
    "turned by 270°": lambda y, x, _h, w: (w - 1 - x, y),
    "transposed and turned by 180°": lambda y, x, h, w: (w - 1 - x, h - 1 - y),
}
"""What may have been done to the dark: row, column, height, width -> row, column in the light."""


@dataclass(frozen=True, slots=True, eq=False)
class HotPixels:
    """Hot pixels of a master dark.

    Attributes
    ----------
    y, x : ndarray of int64
        Where they are, the hottest first.
    excess_dn : ndarray of float64
        By how much they exceed their surroundings.
    reciprocal : ndarray of float64
        ``s0 / flat`` there: a calibrated light has been multiplied with it.
    step : int
        Distance of neighbours of the same colour.
    """

    y: Int64
    x: Int64
    excess_dn: Float64
    reciprocal: Float64
    step: int


@dataclass(frozen=True, slots=True)
class HotSlope:
    """What is left of the dark's hot pixels in calibrated lights.

    Attributes
    ----------
    slope, sigma : float
        Excess left in the light over that in the dark: 0 is right, positive is too little
        subtracted, -1 is a dark that is not in the light at all.
    pixels : int
        Hot pixels it comes from.
    points : ndarray of float32, shape (n, 2), or None
        Excess in the dark, and what is left of it in the light, of some of them.
    """

    slope: float
    sigma: float
    pixels: int
    points: Float32 | None = field(default=None, compare=False, repr=False)


def hot_pixels(
    dark: Float32, cfa: CfaPattern | None, reciprocal: Float32 | None, *, ceiling_dn: float
) -> HotPixels:
    """Find the hottest pixels of a master dark, up to 1500.

    Parameters
    ----------
    dark : ndarray of float32, shape (height, width)
        Master dark, DN.
    cfa : CfaPattern or None
        Its colours.
    reciprocal : ndarray of float32, shape (height, width), or None
        ``s0 / flat``.
    ceiling_dn : float
        Level from which on pixels are saturated and left out.
    """
    step = 1 if cfa is None else cfa.period
    found = [np.empty(0, np.int64)]
    for y0 in range(0, dark.shape[0], _ROWS):
        rows = dark[y0 : y0 + _ROWS]
        sample = rows[::2, ::3]
        sample = sample[np.isfinite(sample)]
        if not sample.size:
            continue
        level = float(np.median(sample))
        spread = quantized_sigma(np.abs(sample - level))
        hot = (rows > level + _CANDIDATE_SIGMAS * spread) & (rows < ceiling_dn)
        found.append(np.flatnonzero(hot) + y0 * dark.shape[1])
    places = np.concatenate(found)
    y, x = np.divmod(places, dark.shape[1])
    inside = (y >= step) & (x >= step) & (y < dark.shape[0] - step) & (x < dark.shape[1] - step)
    y, x = y[inside], x[inside]
    excess = _excess(dark, y, x, step)
    order = np.argsort(-excess, kind="stable")[:_MOST]
    order = order[excess[order] > 0]
    y, x = y[order], x[order]
    gain = np.ones(len(order)) if reciprocal is None else reciprocal[y, x].astype(float)
    return HotPixels(y, x, excess[order], gain, step)


def _excess(plane: npt.NDArray[np.floating], y: Int64, x: Int64, step: int) -> Float64:
    """Return by how much pixels exceed the median of their 8 next of the same colour."""
    around = [
        plane[y + dy, x + dx]
        for dy in (-step, 0, step)
        for dx in (-step, 0, step)
        if (dy, dx) != (0, 0)
    ]
    return np.asarray(plane[y, x] - np.median(np.array(around, np.float64), axis=0), np.float64)


def hot_slope(
    plane: Float32, hot: HotPixels, noise_dn: float, *, symmetry: str = "as stored"
) -> HotSlope | None:
    """Measure what is left of the hot pixels in a calibrated light.

    The median of the ratios of excess in the light to excess in the dark, which stars on single
    pixels do not move; its error is 1.2533 times 1.4826 MAD over the root of their number.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
        Calibrated light, DN, its defects not yet corrected.
    hot : HotPixels
        Of the dark that was subtracted.
    noise_dn : float
        Noise of a pixel of the light.
    symmetry : str
        How the dark is to be laid on the light, a name of `SYMMETRIES`.

    Returns
    -------
    HotSlope or None
        None where fewer than 30 hot pixels are bright enough to tell.
    """
    height, width = plane.shape
    chosen = hot.excess_dn > _VISIBLE_SIGMAS * noise_dn
    y, x = SYMMETRIES[symmetry](hot.y[chosen], hot.x[chosen], height, width)
    step = hot.step
    inside = (y >= step) & (x >= step) & (y < height - step) & (x < width - step)
    if inside.sum() < _FEWEST:
        return None
    left = _excess(plane, y[inside], x[inside], step)
    excess = hot.excess_dn[chosen][inside]
    left /= hot.reciprocal[chosen][inside]
    ratio = left / excess
    known = np.isfinite(ratio)
    ratio = ratio[known]
    if ratio.size < _FEWEST:
        return None
    slope = float(np.median(ratio))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(ratio - slope)))
    points = np.stack([excess[known], left[known]], axis=1)[:: -(-ratio.size // _POINTS)]
    return HotSlope(
        slope,
        1.2533 * spread / float(np.sqrt(ratio.size)),
        int(ratio.size),
        points.astype(np.float32),
    )


def mean_slope(slopes: Sequence[HotSlope]) -> HotSlope | None:
    """Return the median over lights, its error from their scatter and their own errors.

    The points are those of the light nearest to the median.
    """
    if not slopes:
        return None
    values = np.array([slope.slope for slope in slopes])
    middle = float(np.median(values))
    own = float(np.median([slope.sigma for slope in slopes]))
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(values - middle))) / np.sqrt(len(values))
    usual = slopes[int(np.argmin(np.abs(values - middle)))]
    most = max(slope.pixels for slope in slopes)
    return HotSlope(middle, max(own, float(scatter)), most, usual.points)
