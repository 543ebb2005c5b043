"""Kernels that find isolated pixels: a search over all pixels, and a judgement of the few found."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START
from lightframe.kernels._cosmetic import folded, median
from lightframe.kernels._select import select

__all__ = ["COLD", "HOT", "isolated_by_cross", "isolated_by_table", "judge_isolated"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

HOT = 1
COLD = 2

RANGE_OF_EIGHT = 1.7044
"""Expected distance of the 2nd from the 7th of eight ordered normal samples, in sigma."""

MEDIAN_OF_FOUR = 0.6
"""Noise of the median of four pixels above a level from forty: sqrt(0.55^2 + 0.2^2)."""


@kernel
def _middle_of_four(a: np.float32, b: np.float32, c: np.float32, d: np.float32) -> np.float32:
    """Return the median of four values by a network of min and max."""
    lower = max(min(a, b), min(c, d))
    upper = min(max(a, b), max(c, d))
    return np.float32(0.5) * (lower + upper)


@kernel
def isolated_by_cross(
    image: Float32,
    step: int,
    noise: Float32,
    side: int,
    hot_sigma: float,
    cold_sigma: float,
    first: int,
    last: int,
    out: Int64,
) -> int:
    """List pixels that differ from the median of the four at distance `step` by much noise.

    Parameters
    ----------
    image : (height, width) float32, both at least 2 `step`
    noise : (tile rows, step, width) float32
        sigma of each column's class, by row of tiles and position of the row in the cell.
    hot_sigma, cold_sigma : float
        Limits in sigma; infinity turns the search off.
    first, last : int
        The rows to search.
    out : (n,) int64
        Receives flat indices, doubled, plus 1 for those that are too low.

    Returns
    -------
    int
        Number of pixels found, which may exceed n: then only n are listed.
    """
    height, width = image.shape
    padded = np.empty(width + 2 * step, np.float32)
    marks = np.zeros(-(-width // 8) * 8, np.uint8)
    eights = marks.view(np.uint64)
    hot = np.float32(hot_sigma)
    cold = np.float32(cold_sigma)
    found = 0
    for y in range(first, last):
        row = image[y]
        above = image[y - step if y >= step else y + step]
        below = image[y + step if y + step < height else y - step]
        sigma = noise[y // side, y % step]
        for x in range(width):
            padded[step + x] = row[x]
        for x in range(step):
            padded[x] = row[x + step]
            padded[width + step + x] = row[width - 2 * step + x]
        for x in range(width):
            level = _middle_of_four(padded[x], padded[x + 2 * step], above[x], below[x])
            excess = row[x] - level
            too_high = excess > hot * sigma[x]
            too_low = -excess > cold * sigma[x]
            marks[x] = np.uint8(too_high) | np.uint8(np.uint8(too_low) << 1)
        for eight in range(eights.size):  # few pixels are marked: eight at a time are passed over
            if eights[eight] == 0:
                continue
            for x in range(8 * eight, 8 * eight + 8):
                if marks[x] != 0:
                    if found < out.size:
                        out[found] = 2 * (y * width + x) + (marks[x] >> 1)
                    found += 1
    return found


@kernel
def isolated_by_table(
    image: Float32,
    offsets: Int64,
    noise: Float32,
    side: int,
    hot_sigma: float,
    cold_sigma: float,
    first: int,
    last: int,
    out: Int64,
) -> int:
    """Do what `isolated_by_cross` does, for any CFA.

    Parameters
    ----------
    offsets : (p, p, n, 2) int64
        (dy, dx) of the same-colour neighbours, n >= 4; the first four are used.
    """
    height, width = image.shape
    period = offsets.shape[0]
    reach = period
    hot = np.float32(hot_sigma)
    cold = np.float32(cold_sigma)
    found = 0
    for y in range(first, last):
        rows_inside = reach <= y < height - reach
        for x in range(width):
            near = offsets[y % period, x % period]
            if rows_inside and reach <= x < width - reach:
                a = image[y + near[0, 0], x + near[0, 1]]
                b = image[y + near[1, 0], x + near[1, 1]]
                c = image[y + near[2, 0], x + near[2, 1]]
                d = image[y + near[3, 0], x + near[3, 1]]
            else:
                a = folded(image, y + near[0, 0], x + near[0, 1], period)
                b = folded(image, y + near[1, 0], x + near[1, 1], period)
                c = folded(image, y + near[2, 0], x + near[2, 1], period)
                d = folded(image, y + near[3, 0], x + near[3, 1], period)
            excess = image[y, x] - _middle_of_four(a, b, c, d)
            sigma = noise[y // side, y % period, x]
            too_low = -excess > cold * sigma
            if excess > hot * sigma or too_low:
                if found < out.size:
                    out[found] = 2 * (y * width + x) + too_low
                found += 1
    return found


@kernel
def _level(
    image: Float32, classes: UInt8, kind: int, y: int, x: int, hole: int, scratch: Float32
) -> float:
    """Return the median of the pixels of one class around a pixel, without its neighbours.

    The box is 7 x 7 for mono and 13 x 13 for a CFA; pixels up to `hole` away are left out.
    """
    height, width = image.shape
    period = classes.shape[0]
    reach = 3 if period == 1 else 6
    step = 2 if period == 2 else 1
    left = max(0, x - reach)
    n = START
    for v in range(max(0, y - reach), min(height, y + reach + 1)):
        row = classes[v % period]
        first = left
        if step == 2:
            if row[0] != kind and row[1] != kind:
                continue
            first += row[left % 2] != kind
        for u in range(first, min(width, x + reach + 1), step):
            if row[u % period] != kind or (abs(v - y) <= hole and abs(u - x) <= hole):
                continue
            value = image[v, u]
            if not np.isnan(value):
                scratch[n] = value
                n += 1
    return float(select(scratch, n, n // 2)) if n else np.nan


@kernel
def judge_isolated(
    image: Float32,
    candidates: Int64,
    classes: UInt8,
    offsets: Int64,
    noise: Float32,
    side: int,
    hot_sigma: float,
    cold_sigma: float,
    star_ratio: float,
    colour_ratio: float,
    confidence: float,
    verdicts: UInt8,
) -> None:
    """Decide which candidates stand alone; the rule is described at `detect_defects`.

    Parameters
    ----------
    image : (height, width) float32
    candidates : (n,) int64
        As `isolated_by_cross` lists them.
    classes : (p, p) uint8
    offsets : (p, p, 8, 2) int64
        (dy, dx) of the eight same-colour neighbours, the nearest four first.
    noise : (classes, tile rows, tile columns) float32
    star_ratio, colour_ratio : float
        Least rise of a star's same-colour, and any-colour, neighbours in units of its peak.
    confidence : float
        Number of sigma by which the any-colour neighbours must lie below a star's.
    verdicts : (n,) uint8
        Receives `HOT`, `COLD` or 0.
    """
    height, width = image.shape
    period = classes.shape[0]
    hole = 1 if period == 1 else 2
    scratch = np.empty(169, np.float32)
    near = np.empty(8, np.float32)
    levels = np.empty(noise.shape[0], np.float64)
    for index in range(candidates.size):
        verdicts[index] = 0
        y = candidates[index] // 2 // width
        x = candidates[index] // 2 % width
        cold = candidates[index] % 2 == 1
        cell = offsets[y % period, x % period]
        n = START
        nearest = START
        for k in range(8):
            v = y + cell[k, 0]
            u = x + cell[k, 1]
            if 0 <= v < height and 0 <= u < width and not np.isnan(image[v, u]):
                near[n] = image[v, u]
                n += 1
                if k < 4:
                    nearest = n
        if nearest < 2:
            continue
        for k in range(nearest):
            scratch[k] = near[k]
        rise = median(scratch, nearest)
        ring = median(near, n)
        kind = classes[y % period, x % period]
        tile = np.float64(noise[kind, y // side, x // side])
        sigma = tile
        if n == 8:
            sigma = max(sigma, np.float64(near[6] - near[1]) / RANGE_OF_EIGHT)
        value = np.float64(image[y, x])
        if cold:
            level = _level(image, classes, kind, y, x, hole, scratch)
            if min(ring, level) - value > cold_sigma * sigma:
                verdicts[index] = COLD
            continue
        if not value - ring > hot_sigma * sigma:
            continue
        level = _level(image, classes, kind, y, x, hole, scratch)
        peak = value - level
        if not peak > hot_sigma * sigma or not rise - level < star_ratio * peak:
            continue
        m = START
        beside = tile
        for k in range(levels.size):
            levels[k] = np.inf
        levels[kind] = level
        for k in range(4):
            v = y + (k == 0) - (k == 1)
            u = x + (k == 2) - (k == 3)
            if 0 <= v < height and 0 <= u < width and not np.isnan(image[v, u]):
                other = classes[v % period, u % period]
                if levels[other] == np.inf:
                    levels[other] = _level(image, classes, other, y, x, hole, scratch)
                near[m] = image[v, u] - levels[other]
                beside = max(beside, np.float64(noise[other, y // side, x // side]))
                m += 1
        if m < 2:
            continue
        doubt = confidence * MEDIAN_OF_FOUR * beside
        if tile > 0.0:
            doubt *= sigma / tile
        if median(near, m) + doubt < colour_ratio * peak:
            verdicts[index] = HOT
