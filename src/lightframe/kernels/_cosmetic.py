"""Kernels of cosmetic correction: local level, local noise, isolated pixels, and their repair.

Same-colour neighbours are given as tables of offsets, one list for each position in the CFA cell
(a single list where all positions share it). A position outside the image is moved inwards by
whole cells, which keeps its colour.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = [
    "COLD",
    "HOT",
    "isolated_by_cross",
    "isolated_by_table",
    "judge_isolated",
    "local_median",
    "replace_by_median",
    "tile_noise",
]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

HOT = 1
COLD = 2

LANES = 64
"""Pixels that are sorted side by side."""

MAD_TO_SIGMA = 1.482602218505602
"""1 / quantile(0.75) of the normal distribution."""

P90_TO_SIGMA = 0.6079568319117692
"""1 / quantile(0.95): the 90th percentile of absolute deviations."""

RANGE_OF_EIGHT = 1.7044
"""Expected distance of the 2nd from the 7th of eight ordered normal samples, in sigma."""

MEDIAN_OF_FOUR = 0.6
"""Noise of the median of four pixels above a level from forty: sqrt(0.55^2 + 0.2^2)."""


@kernel
def _inside(position: int, size: int, period: int) -> int:
    while position < 0:
        position += period
    while position >= size:
        position -= period
    return position


@kernel
def _folded(image: Float32, y: int, x: int, period: int) -> float:
    row = image[_inside(y, image.shape[0], period)]
    return row[_inside(x, image.shape[1], period)]  # type: ignore[no-any-return]


@kernel
def _sort(values: Float32, n: int) -> None:
    for i in range(1, n):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@kernel
def _median(values: Float32, n: int) -> float:
    """Sort the first `n` values in place and return their median, NaN for none."""
    if n == 0:
        return np.nan
    _sort(values, n)
    return 0.5 * (np.float64(values[(n - 1) // 2]) + np.float64(values[n // 2]))


@kernel
def _select(values: Float32, n: int, k: int) -> float:
    """Return the `k`-th smallest of the first `n` values (Hoare), which are reordered."""
    low = 0
    high = n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i = low
        j = high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return np.float64(values[k])


@kernel
def local_median(
    image: Float32,
    offsets: Int64,
    period: int,
    comparators: Int64,
    middle: int,
    first: int,
    last: int,
    out: Float32,
) -> None:
    """Write the median of each pixel's neighbourhood for the rows `first` to `last`.

    Parameters
    ----------
    image : (height, width) float32
    offsets : (p, p, n, 2) int64
        (dy, dx) of the samples for each position in the cell; p = 1 where all share one list.
    period : int
        Side of the CFA cell.
    comparators : (m, 2) int64
        A sorting network for n values; only the wire `middle` is used.
    out : (height, width) float32
        A missing sample counts as +infinity.
    """
    height, width = image.shape
    cell, _, n, _ = offsets.shape
    block = np.empty(n * LANES, np.float32)
    for y in range(first, last):
        for phase in range(cell):
            for x0 in range(phase, width, cell * LANES):
                lanes = min(LANES, (width - x0 + cell - 1) // cell)
                end = x0 + (lanes - 1) * cell
                for k in range(n):
                    row = image[_inside(y + offsets[y % cell, phase, k, 0], height, period)]
                    dx = offsets[y % cell, phase, k, 1]
                    if x0 + dx >= 0 and end + dx < width:
                        for lane in range(lanes):
                            value = row[x0 + dx + lane * cell]
                            block[k * LANES + lane] = np.inf if np.isnan(value) else value
                    else:
                        for lane in range(lanes):
                            value = row[_inside(x0 + dx + lane * cell, width, period)]
                            block[k * LANES + lane] = np.inf if np.isnan(value) else value
                for m in range(comparators.shape[0]):
                    low = comparators[m, 0] * LANES
                    high = comparators[m, 1] * LANES
                    for lane in range(LANES):
                        a = block[low + lane]
                        b = block[high + lane]
                        block[low + lane] = min(a, b)
                        block[high + lane] = max(a, b)
                for lane in range(lanes):
                    out[y, x0 + lane * cell] = block[middle * LANES + lane]


@kernel
def tile_noise(
    image: Float32,
    classes: UInt8,
    pairs: Int64,
    side: int,
    wanted: int,
    first: int,
    last: int,
    out: Float32,
) -> None:
    """Write the noise of each colour class in the rows of tiles `first` to `last`.

    sigma = 1.4826 median |t - (n0 + n1) / 2| / sqrt(1.5) over about `wanted` pixels t of the class
    with two neighbours n0, n1 of the same colour. Where more than half of the deviations are zero
    (coarse quantization) the 90th percentile stands in for the median.

    Parameters
    ----------
    image : (height, width) float32
    classes : (p, p) uint8
        Class of each position in the cell.
    pairs : (p, p, 2, 2) int64
        (dy, dx) of the two neighbours.
    side : int
        Side of a tile in pixels, a multiple of p.
    out : (classes, tile rows, tile columns) float32
        NaN where fewer than 16 pixels are left.
    """
    height, width = image.shape
    period = classes.shape[0]
    kinds, _, columns = out.shape
    deviations = np.empty((kinds, side * side), np.float32)
    counts = np.empty(kinds, np.int64)
    for tile_row in range(first, last):
        for tile_column in range(columns):
            top = tile_row * side
            left = tile_column * side
            bottom = min(top + side, height)
            right = min(left + side, width)
            cells_x = (right - left + period - 1) // period
            cells = cells_x * ((bottom - top + period - 1) // period)
            step = max(1, cells * period * period // (kinds * wanted))
            counts[:] = 0
            for index in range(0, cells, step):
                for j in range(period):
                    y = top + (index // cells_x) * period + j
                    if y >= bottom:
                        continue
                    for i in range(period):
                        x = left + (index % cells_x) * period + i
                        if x >= right:
                            continue
                        y0 = _inside(y + pairs[j, i, 0, 0], height, period)
                        x0 = _inside(x + pairs[j, i, 0, 1], width, period)
                        y1 = _inside(y + pairs[j, i, 1, 0], height, period)
                        x1 = _inside(x + pairs[j, i, 1, 1], width, period)
                        beside = np.float32(0.5) * (image[y0, x0] + image[y1, x1])
                        deviation = abs(image[y, x] - beside)
                        if not np.isnan(deviation):
                            kind = classes[j, i]
                            deviations[kind, counts[kind]] = deviation
                            counts[kind] += 1
            for kind in range(kinds):
                n = counts[kind]
                if n < 16:
                    out[kind, tile_row, tile_column] = np.nan
                    continue
                sigma = MAD_TO_SIGMA * _select(deviations[kind], n, n // 2)
                if sigma == 0.0:
                    sigma = P90_TO_SIGMA * _select(deviations[kind], n, (9 * n) // 10)
                out[kind, tile_row, tile_column] = sigma / np.sqrt(1.5)


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
    marks = np.zeros(width, np.uint8)
    hot = np.float32(hot_sigma)
    cold = np.float32(cold_sigma)
    found = 0
    for y in range(first, last):
        row = image[y]
        above = image[y - step if y >= step else y + step]
        below = image[y + step if y + step < height else y - step]
        sigma = noise[y // side, y % step]
        padded[step : step + width] = row
        for x in range(step):
            padded[x] = row[x + step]
            padded[width + step + x] = row[width - 2 * step + x]
        for x in range(width):
            level = _middle_of_four(padded[x], padded[x + 2 * step], above[x], below[x])
            excess = row[x] - level
            too_high = excess > hot * sigma[x]
            too_low = -excess > cold * sigma[x]
            marks[x] = np.uint8(too_high) | np.uint8(np.uint8(too_low) << 1)
        for x in range(width):
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
    reach = np.abs(offsets).max()
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
                a = _folded(image, y + near[0, 0], x + near[0, 1], period)
                b = _folded(image, y + near[1, 0], x + near[1, 1], period)
                c = _folded(image, y + near[2, 0], x + near[2, 1], period)
                d = _folded(image, y + near[3, 0], x + near[3, 1], period)
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
    n = 0
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
    return _select(scratch, n, n // 2) if n else np.nan


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
    levels = np.empty(classes.max() + 1, np.float64)
    for index in range(candidates.size):
        verdicts[index] = 0
        y = candidates[index] // 2 // width
        x = candidates[index] // 2 % width
        cold = candidates[index] % 2 == 1
        cell = offsets[y % period, x % period]
        n = 0
        nearest = 0
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
        scratch[:nearest] = near[:nearest]
        rise = _median(scratch, nearest)
        ring = _median(near, n)
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
        m = 0
        beside = tile
        levels[:] = np.inf
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
        if _median(near, m) + doubt < colour_ratio * peak:
            verdicts[index] = HOT


@kernel
def replace_by_median(
    plane: Float32, positions: Int64, origin: Int64, offsets: Int64, ends: Int64, enough: int
) -> int:
    """Replace pixels by the median of good neighbours, in place.

    All pixels at `positions` are made missing first, so that the result does not depend on their
    order and missing pixels serve nobody as neighbours. The neighbourhood grows ring by ring until
    it holds `enough` good pixels; a pixel without any good neighbour stays missing.

    Parameters
    ----------
    plane : (rows, columns) float32
    positions : (n,) int64
        Flat indices into `plane`.
    origin : (2,) int64
        Position of the plane's first pixel in the cell.
    offsets : (p, p, m, 2) int64
        (dy, dx) of same-colour neighbours, ring by ring.
    ends : (p, p, r) int64
        Number of offsets up to the end of each ring; a repeated number ends the list.

    Returns
    -------
    int
        Number of pixels that got a value.
    """
    rows, columns = plane.shape
    cell = offsets.shape[0]
    rings = ends.shape[2]
    samples = np.empty(offsets.shape[2], np.float32)
    values = np.empty(positions.size, np.float32)
    for index in range(positions.size):
        plane[positions[index] // columns, positions[index] % columns] = np.nan
    replaced = 0
    for index in range(positions.size):
        y = positions[index] // columns
        x = positions[index] % columns
        cy = (y + origin[0]) % cell
        cx = (x + origin[1]) % cell
        n = 0
        k = 0
        for ring in range(rings):
            while k < ends[cy, cx, ring]:
                v = y + offsets[cy, cx, k, 0]
                u = x + offsets[cy, cx, k, 1]
                k += 1
                if 0 <= v < rows and 0 <= u < columns and not np.isnan(plane[v, u]):
                    samples[n] = plane[v, u]
                    n += 1
            if n >= enough:
                break
        values[index] = np.float32(_median(samples, n))
        replaced += n > 0
    for index in range(positions.size):
        plane[positions[index] // columns, positions[index] % columns] = values[index]
    return replaced
