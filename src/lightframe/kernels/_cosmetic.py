"""Kernels of cosmetic correction: local level, local noise, and repair.

Same-colour neighbours are given as tables of offsets, one list for each position in the CFA cell
(a single list where all positions share it). A position outside the image is moved inwards by
whole cells, which keeps its colour.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import MAD_TO_SIGMA_EXACT, START
from lightframe.kernels._select import select
from lightframe.kernels._stack import LANES, sort_block

__all__ = ["folded", "local_median", "median", "replace_by_median", "tile_noise"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

INF = np.float32(np.inf)

P90_TO_SIGMA = 0.6079568319117692
"""1 / quantile(0.95): the 90th percentile of absolute deviations."""


@kernel
def _inside(position: int, size: int, period: int) -> int:
    while position < 0:
        position += period
    while position >= size:
        position -= period
    return position


@kernel
def folded(image: Float32, y: int, x: int, period: int) -> float:
    """Return a pixel, brought into the image by whole cells if it lies outside."""
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
def median(values: Float32, n: int) -> float:
    """Sort the first `n` values in place and return their median, NaN for none."""
    if n == 0:
        return np.nan
    _sort(values, n)
    return 0.5 * (np.float64(values[(n - 1) // 2]) + np.float64(values[n // 2]))


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
        A sorting network for n values; only row `middle` of what it sorts is used.
    out : (height, width) float32
        A missing sample counts as +infinity.
    """
    height, width = image.shape
    cell, _, n, _ = offsets.shape
    block = np.empty((n, LANES), np.float32)
    for y in range(first, last):
        for phase in range(cell):
            for x0 in range(phase, width, cell * LANES):
                lanes = min(LANES, (width - x0 + cell - 1) // cell)
                for k in range(n):
                    dy, dx = offsets[y % cell, phase, k]
                    row = image[_inside(y + dy, height, period)]
                    _gather(row, x0 + dx, cell, lanes, period, block[k])
                sort_block(block, comparators, n)
                for lane in range(lanes):
                    out[y, x0 + lane * cell] = block[middle, lane]


@kernel
def _gather(row: Float32, start: int, step: int, lanes: int, period: int, out: Float32) -> None:
    """Take every `step`-th pixel of a row; a missing one, and what lies beyond `lanes`, is inf."""
    end = start + (lanes - 1) * step + 1
    out[lanes:] = INF
    if start < 0 or end > row.size:
        for lane in range(lanes):
            value = row[_inside(start + lane * step, row.size, period)]
            out[lane] = INF if np.isnan(value) else value
    elif step == 1:
        source = row[start:end]
        for lane in range(lanes):
            out[lane] = INF if np.isnan(source[lane]) else source[lane]
    else:
        for lane in range(lanes):
            value = row[start + lane * step]
            out[lane] = INF if np.isnan(value) else value


@kernel
def _deviation(
    image: Float32, y: int, x: int, pair: Int64, period: int, at_edge: bool
) -> np.float32:
    """Return by how much a pixel differs from the mean of two others of its colour."""
    y0, x0 = y + pair[0, 0], x + pair[0, 1]
    y1, x1 = y + pair[1, 0], x + pair[1, 1]
    if at_edge:
        y0, x0 = _inside(y0, image.shape[0], period), _inside(x0, image.shape[1], period)
        y1, x1 = _inside(y1, image.shape[0], period), _inside(x1, image.shape[1], period)
    return np.float32(abs(image[y, x] - np.float32(0.5) * (image[y0, x0] + image[y1, x1])))


@kernel
def _reach(offsets: Int64) -> int:
    """Return the largest distance; ``np.max`` would cost 0.2 s when machine code is loaded."""
    largest = 0
    for offset in offsets.flat:
        largest = max(largest, abs(int(offset)))
    return largest


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
    reach = _reach(pairs)
    most_cells = (side // period) ** 2
    capacity = min(most_cells, 2 * kinds * wanted // period**2 + 2) * period**2
    deviations = np.empty((columns, kinds, capacity), np.float32)
    counts = np.empty((columns, kinds), np.int64)
    for tile_row in range(first, last):
        top = tile_row * side
        bottom = min(top + side, height)
        cells_y = (bottom - top + period - 1) // period
        counts[:] = 0
        for row in range(cells_y):  # of cells, in all tiles: the image is read along its rows
            for tile_column in range(columns):
                left = tile_column * side
                right = min(left + side, width)
                cells_x = (right - left + period - 1) // period
                step = max(1, cells_x * cells_y * period * period // (kinds * wanted))
                at_edge = (
                    top < reach or left < reach or bottom + reach > height or right + reach > width
                )
                # Every `step`-th cell of the tile is looked at, counted along its rows.
                for column in range(-row * cells_x % step, cells_x, step):
                    for j in range(period):
                        y = top + row * period + j
                        if y >= bottom:
                            continue
                        for i in range(period):
                            x = left + column * period + i
                            if x >= right:
                                continue
                            deviation = _deviation(image, y, x, pairs[j, i], period, at_edge)
                            if not np.isnan(deviation):
                                kind = classes[j, i]
                                deviations[tile_column, kind, counts[tile_column, kind]] = deviation
                                counts[tile_column, kind] += 1
        for tile_column in range(columns):
            for kind in range(kinds):
                n = counts[tile_column, kind]
                if n < 16:
                    out[kind, tile_row, tile_column] = np.nan
                    continue
                values = deviations[tile_column, kind]
                sigma = MAD_TO_SIGMA_EXACT * select(values, n, n // 2)
                if sigma == 0.0:
                    sigma = P90_TO_SIGMA * select(values, n, (9 * n) // 10)
                out[kind, tile_row, tile_column] = sigma / np.sqrt(1.5)


@kernel
def replace_by_median(
    plane: Float32, positions: Int64, offsets: Int64, ends: Int64, enough: int, values: Float32
) -> None:
    """Replace pixels by the median of good neighbours, in place.

    All pixels at `positions` count as missing, so that the result does not depend on their order
    and missing pixels serve nobody as neighbours. The neighbourhood grows ring by ring until it
    holds `enough` good pixels; a pixel without any good neighbour becomes missing.

    Pixels are made missing as far ahead, and get their values as far behind, as a neighbourhood
    reaches: the rows between stay in the cache.

    Parameters
    ----------
    plane : (rows, columns) float32, C order
    positions : (n,) int64
        Flat indices into `plane`, ascending.
    offsets : (p, p, m, 2) int64
        (dy, dx) of same-colour neighbours, ring by ring.
    ends : (p, p, r) int64
        Number of offsets up to the end of each ring; a repeated number ends the list.
    values : (n,) float32
        Filled with what the pixels become.
    """
    rows, columns = plane.shape
    flat = plane.reshape(rows * columns)
    cell = offsets.shape[0]
    rings = ends.shape[2]
    reach = _reach(offsets[:, :, :, 0])
    samples = np.empty(offsets.shape[2], np.float32)
    y, ahead, behind = 0, 0, 0
    for index in range(positions.size):
        while positions[index] >= (y + 1) * columns:
            y += 1
        x = positions[index] - y * columns
        while ahead < positions.size and positions[ahead] < (y + reach + 1) * columns:
            flat[positions[ahead]] = np.nan
            ahead += 1
        while positions[behind] < (y - reach) * columns:
            flat[positions[behind]] = values[behind]
            behind += 1
        cy, cx = y % cell, x % cell
        n = START
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
        values[index] = np.float32(median(samples, n))
    for index in range(behind, positions.size):
        flat[positions[index]] = values[index]
