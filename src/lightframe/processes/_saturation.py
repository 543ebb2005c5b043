"""From which level on the pixels of a frame are saturated: one rule for runs and single steps.

It is the smallest of what the header or the camera states, what the integers of the file can hold,
and the level at which the pixels pile up; where no pixel reaches it, nothing is saturated. What is
stated is not believed below the ceiling of 8 bits (a number of 0..1), nor where most pixels lie
above it (one of an ADC whose values were shifted). In a calibrated frame it is what calibration
makes of that level.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.frames._pixels import Window
from lightframe.processes._calibration import FrameLevels, PreparedCalibration
from lightframe.processes._dark_scaling import DarkScale

__all__ = [
    "LEAST_CEILING_DN",
    "MOST_ABOVE",
    "Saturation",
    "calibrated_saturation",
    "is_end_of_adc",
    "saturation",
]

LEAST_CEILING_DN = 255.0
"""Ceiling of an ADC of 8 bits: below, pixels pile up because a file is empty."""
MOST_ABOVE = 0.5
"""Part of the pixels from which on they are right, and a stated saturation below them is not."""
_STRIP_ROWS = 64
_FEWEST = 10
"""Pixels at the highest value from which on it is a ceiling, not chance."""
_PILE = 5.0
"""How many times as many pixels a ceiling has as a value next below it."""
_BELOW = 0.01
_LEAST_BELOW_DN = 64.0
"""Range of the values next below, as a part of the ceiling, and at least."""
_SAMPLED_ROWS = 32
_LOWEST = 0.01
"""Part of the pixels that may come out lower: the warm ones of the dark."""
_HOT = 0.5
"""Pixels that come out below this part of others of their colour are hot in the dark."""


@dataclass(frozen=True, slots=True)
class Saturation:
    """Saturated pixels of a frame.

    Attributes
    ----------
    level_dn : float
        Pixels at or above are saturated.
    fraction : float
        Fraction of the pixels that are.
    """

    level_dn: float
    fraction: float


def saturation(pixels: npt.NDArray[Any], white_dn: float | None = None) -> Saturation | None:
    """Return from which level on pixels are saturated; None if none is.

    Parameters
    ----------
    pixels : ndarray of uint16 or float32, shape (..., rows, columns)
        DN; NaN is missing.
    white_dn : float, optional
        Highest value that is possible, as `FrameInfo.white_dn` has it.
    """
    top = _highest(pixels)
    if top < LEAST_CEILING_DN:
        return None
    stated = white_dn if white_dn is not None and white_dn >= LEAST_CEILING_DN else None
    level = top if stated is None else min(top, stated)
    count = _count_from(level, pixels)
    if level < top and count > MOST_ABOVE * pixels.size:
        stated, level = None, top
        count = _count_from(level, pixels)
    if level != stated and not _piles_up(pixels, top, count):
        return None
    return Saturation(level, count / pixels.size)


def is_end_of_adc(level_dn: float) -> bool:
    """Whether a level is the highest number of an ADC, shifted to 16 bits or not."""
    return any(level_dn == (1 << bits) - step for bits in range(8, 17) for step in (1, 4, 16))


def calibrated_saturation(
    level_dn: float,
    prepared: PreparedCalibration,
    scale: DarkScale | None,
    levels: FrameLevels,
    pedestal_dn: float = 0.0,
) -> float:
    """Return the level from which on pixels may be saturated once they are calibrated.

    Rows of saturated pixels are calibrated, and the lowest counts: where the flat is bright. In
    corners that the flat brightens, stars are taken for saturated somewhat below saturation.

    Parameters
    ----------
    level_dn : float
        Saturation of the raw frame.
    prepared : PreparedCalibration
        How it is calibrated.
    scale : DarkScale or None
        Factor of its dark.
    levels : FrameLevels
        Its own constants.
    pedestal_dn : float
        Output pedestal.
    """
    period = 2 if prepared.cfa is None else prepared.cfa.period
    height = min(period, prepared.height)
    step = max(period, prepared.height * period // _SAMPLED_ROWS // period * period)
    found = []
    for y in range(0, prepared.height - height + 1, step):
        window = Window(y, y + height, 0, prepared.width)
        rows = np.full((prepared.channels, *window.shape), level_dn, np.float32)
        prepared.apply(rows, window, scale, rows, levels=levels, pedestal_dn=pedestal_dn)
        found += [_not_hot(rows[:, i, j::period]) for i in range(height) for j in range(period)]
    known = np.concatenate(found)
    return float(np.quantile(known, _LOWEST)) if known.size else level_dn


def _highest(pixels: npt.NDArray[Any]) -> float:
    """Return the highest value; 0 if there is none. What is not finite is missing."""
    top = float(np.fmax.reduce(pixels, axis=None, initial=0))
    if np.isfinite(top):
        return top
    return max(float(np.max(s, initial=0, where=np.isfinite(s))) for s in _strips(pixels))


def _count_from(level_dn: float, pixels: npt.NDArray[Any]) -> int:
    """Return how many pixels are at or above a level."""
    least = _comparable(level_dn, pixels)
    return sum(int(np.count_nonzero(strip >= least)) for strip in _strips(pixels))


def _comparable(level_dn: float, pixels: npt.NDArray[Any]) -> float:
    """Return the least value at or above a level: integers are compared as such in a third."""
    return max(ceil(level_dn), 0) if pixels.dtype.kind == "u" else level_dn


def _not_hot(levels_dn: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the levels of the pixels of one colour that the dark leaves most of the range."""
    known = levels_dn[np.isfinite(levels_dn)]
    return known[known > _HOT * np.median(known[::8])] if known.size else known


def _piles_up(pixels: npt.NDArray[Any], top: float, count: int) -> bool:
    """Whether the pixels at the highest value are a ceiling."""
    if count < _FEWEST:
        return False
    low = _comparable(top - max(_BELOW * top, _LEAST_BELOW_DN), pixels)
    near = np.concatenate([strip[strip >= low] for strip in _strips(pixels)])
    below = near[near < top]
    if below.size == 0 and float(np.fmin.reduce(pixels, axis=None)) == top:
        return is_end_of_adc(top)  # else a frame that was written without its pixels
    return count > _PILE * below.size / max(np.unique(below).size, 1)


def _strips(pixels: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Yield some rows at a time: masks of a whole frame would be fresh memory."""
    rows = pixels.reshape(-1, pixels.shape[-1])
    for first in range(0, len(rows), _STRIP_ROWS):
        yield rows[first : first + _STRIP_ROWS]
