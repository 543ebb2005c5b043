"""One look at a frame for the checks: histograms, profiles, isolated bright pixels, stars.

A *phase* is the place of a pixel in the 2x2 cell, numbered ``2 * (y % 2) + x % 2``: in a Bayer
mosaic each phase is one colour, in a monochrome frame all four are alike.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._select import select

__all__ = ["clipped_profiles", "isolated_pixels", "phase_histograms", "phase_tiles", "star_like"]

Pixels = npt.NDArray[np.uint16] | npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_BLOCK = 64
"""Pixels whose maximum is taken at once: it is quick, and rules most of them out."""

_REACH = 6
"""Distance of the surroundings of a star in cells of 2x2 pixels."""
_RING = 2 * _REACH + 1
"""Rows of cells that are kept."""


@kernel
def phase_histograms(
    pixels: npt.NDArray[np.uint16], row_step: int, out: npt.NDArray[np.int64]
) -> None:
    """Count the values of each phase.

    Parameters
    ----------
    pixels : ndarray of uint16, shape (height, width)
        The frame.
    row_step : int
        Every `row_step`-th pair of rows is looked at.
    out : ndarray of int64, shape (4, 65536)
        Counts are added to it.
    """
    height, width = pixels.shape
    for top in range(0, height - 1, 2 * row_step):
        for dy in range(2):
            row = pixels[top + dy]
            even = out[2 * dy]
            odd = out[2 * dy + 1]
            for x in range(0, width - 1, 2):
                even[row[x]] += 1
                odd[row[x + 1]] += 1


@kernel
def clipped_profiles(
    pixels: Pixels,
    low: Float64,
    high: Float64,
    row_step: int,
    rows: Float64,
    columns: Float64,
) -> None:
    """Average each row, and each column, values being held within limits of their phase.

    Parameters
    ----------
    pixels : ndarray of uint16 or float32, shape (height, width)
        The frame.
    low, high : ndarray of float64, shape (4,)
        Limits of each phase, so that a hot pixel or a star counts for little.
    row_step : int
        The columns are averaged over every `row_step`-th pair of rows.
    rows : ndarray of float64, shape (height,)
        The average of each row.
    columns : ndarray of float64, shape (width,)
        The average of each column; zeros on entry.
    """
    height, width = pixels.shape
    even_width = width - width % 2
    # Block by block with a total for each column of a block: SIMD loops over views.
    lowest, highest = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    totals = np.empty(_BLOCK)
    counted = 0
    for y in range(height):
        phase = 2 * (y % 2)
        for k in range(_BLOCK):
            lowest[k], highest[k] = low[phase + k % 2], high[phase + k % 2]
        totals[:] = 0.0
        row = pixels[y]
        into_columns = (y // 2) % row_step == 0
        counted += 1 if into_columns else 0
        for start in range(0, even_width, _BLOCK):
            part = row[start : min(start + _BLOCK, even_width)]
            for k in range(part.size):
                value = min(max(np.float32(part[k]), lowest[k]), highest[k])
                totals[k] += np.float64(value)
            if into_columns:
                sums = columns[start : start + part.size]
                for k in range(part.size):
                    value = min(max(np.float32(part[k]), lowest[k]), highest[k])
                    sums[k] += np.float64(value)
        total = 0.0
        for k in range(_BLOCK):
            total += totals[k]
        rows[y] = total / even_width
    for x in range(width):
        columns[x] /= counted
    if width % 2:
        columns[width - 1] = columns[width - 2]


@kernel
def phase_tiles(
    pixels: Pixels, rows: Int64, columns: Int64, means: Float64, variances: Float64
) -> None:
    """Average each phase in tiles without outliers, and give the variance of what is averaged.

    Pixels farther from their median than 3.5 times their spread, which is the distance of the
    quartiles over 1.349, are left out; none where that is zero, for half of the pixels of a quiet
    camera may have one value. The variance is about the mean, and its sum goes by all pixels.

    Parameters
    ----------
    pixels : ndarray of uint16 or float32, shape (height, width)
        The frame.
    rows, columns : ndarray of int64
        What is looked at: pairs beginning on even ones, the same number in each tile.
    means, variances : ndarray of float64, shape (4, tile rows, tile columns)
        Results.
    """
    tall, wide = means.shape[1:]
    down, across = rows.size // tall, columns.size // wide
    n = down * across // 4
    samples = np.empty((4, n), np.float32)
    for ty in range(tall):
        for tx in range(wide):
            count = 0
            for i in range(ty * down, (ty + 1) * down, 2):
                upper, lower = pixels[rows[i]], pixels[rows[i + 1]]
                for j in range(tx * across, (tx + 1) * across, 2):
                    x = columns[j]
                    samples[0, count] = upper[x]
                    samples[1, count] = upper[x + 1]
                    samples[2, count] = lower[x]
                    samples[3, count] = lower[x + 1]
                    count += 1
            for phase in range(4):
                values = samples[phase]
                middle = select(values, n, n // 2)
                quartiles = select(values, n, min(3 * n // 4, n - 1)) - select(values, n, n // 4)
                limit = np.float32(3.5 / 1.349) * quartiles
                if not limit > 0:
                    limit = np.float32(np.inf)
                total, kept = 0.0, 0
                for k in range(n):
                    if abs(values[k] - middle) <= limit:
                        total += values[k]
                        kept += 1
                mean = total / kept
                squares = 0.0
                for k in range(n):
                    if abs(values[k] - middle) <= limit:
                        squares += (values[k] - mean) ** 2
                means[phase, ty, tx] = mean
                variances[phase, ty, tx] = squares / kept


@kernel
def _alone(
    pixels: Pixels, background: Float64, y: int, x: int, ty: int, tx: int, above: float
) -> bool:
    """Whether no neighbour of a pixel rises with it."""
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            if dy == 0 and dx == 0:
                continue
            phase = 2 * ((y + dy) % 2) + (x + dx) % 2
            if np.float64(pixels[y + dy, x + dx]) - background[phase, ty, tx] > 0.3 * above:
                return False
    base = background[2 * (y % 2) + x % 2, ty, tx] + 0.5 * above
    return not (
        pixels[y - 2, x] > base
        or pixels[y + 2, x] > base
        or pixels[y, x - 2] > base
        or pixels[y, x + 2] > base
    )


@kernel
def isolated_pixels(
    pixels: Pixels,
    background: Float64,
    limits: Float64,
    rows: Int64,
    columns: Int64,
    excess: Float64,
) -> int:
    """Find pixels that stand out alone: hot pixels, not stars.

    A pixel stands alone if none of its 8 neighbours rises by more than 0.3 of its own excess above
    the background of its phase, and none of the 4 next of its own phase by more than 0.5.

    Parameters
    ----------
    pixels : ndarray of uint16 or float32, shape (height, width)
        The frame.
    background : ndarray of float64, shape (4, tile rows, tile columns)
        Background of each phase by tiles.
    limits : ndarray of float64, shape (4,)
        By how much a pixel must exceed its background.
    rows, columns : ndarray of int64, shape (capacity,)
        Where they are.
    excess : ndarray of float64, shape (capacity,)
        By how much they exceed the background.

    Returns
    -------
    int
        How many were found, at most the capacity.
    """
    height, width = pixels.shape
    tile_rows, tile_columns = background.shape[1], background.shape[2]
    capacity = rows.shape[0]
    count = 0
    for y in range(2, height - 2):
        ty = y * tile_rows // height
        first = 2 * (y % 2)
        row = pixels[y]
        for tx in range(tile_columns):
            # Tile by tile: the first column whose tile is tx, and that of the next.
            left = max(2, (tx * width + tile_columns - 1) // tile_columns)
            right = min(width - 2, ((tx + 1) * width + tile_columns - 1) // tile_columns)
            lowest = min(
                background[first, ty, tx] + limits[first],
                background[first + 1, ty, tx] + limits[first + 1],
            )
            for start in range(left, right, _BLOCK):
                stop = min(start + _BLOCK, right)
                block = row[start:stop]
                highest = block[0]
                for k in range(block.size):  # by a view alone this loop becomes SIMD code
                    highest = max(highest, block[k])
                if not np.float64(highest) > lowest:
                    continue
                for x in range(start, stop):
                    phase = first + x % 2
                    above = np.float64(row[x]) - background[phase, ty, tx]
                    if above > limits[phase] and _alone(pixels, background, y, x, ty, tx, above):
                        rows[count] = y
                        columns[count] = x
                        excess[count] = above
                        count += 1
                        if count == capacity:
                            return count
    return count


@kernel
def _star_height(sums: npt.NDArray[np.float32], y: int, x: int, spread: np.float32) -> np.float32:
    """Return by how much a maximum exceeds its surroundings; 0 if it is not shaped like a star."""
    here, above, below = sums[y % _RING], sums[(y - 1) % _RING], sums[(y + 1) % _RING]
    far_above, far_below = sums[(y - _REACH) % _RING], sums[(y + _REACH) % _RING]
    # The higher of both directions: a band or a gradient is no star.
    across = here[x - _REACH] + here[x + _REACH]
    surroundings = np.float32(0.5) * max(across, far_above[x] + far_below[x])
    height_above = here[x] - surroundings
    wide = max(here[x - 1], here[x + 1]) - surroundings > spread
    tall = max(above[x], below[x]) - surroundings > spread
    # Two cells away a star has fallen off; what the noise tips a broad hump with has not.
    foot = surroundings + np.float32(0.65) * height_above
    sharp = max(here[x - 2], here[x + 2]) < foot
    steep = max(sums[(y - 2) % _RING, x], sums[(y + 2) % _RING, x]) < foot
    return height_above if wide and tall and sharp and steep else np.float32(0.0)


@kernel
def star_like(
    pixels: Pixels, noise: float, limit: float, rows: Int64, columns: Int64, flux: Float64
) -> int:
    """Find local maxima of the sums of 2x2 pixels that spread in both directions, as stars do.

    Parameters
    ----------
    pixels : ndarray of uint16 or float32, shape (height, width)
        The frame.
    noise : float
        Noise of a sum of 2x2 pixels.
    limit : float
        Height above the surroundings in units of the noise.
    rows, columns : ndarray of int64, shape (capacity,)
        Where they are.
    flux : ndarray of float64, shape (capacity,)
        Height above the surroundings.

    Returns
    -------
    int
        How many were found, at most the capacity.
    """
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    reach = _REACH
    sums = np.empty((_RING, width), np.float32)
    capacity = rows.shape[0]
    count = 0
    spread = np.float32(3.0 * noise)
    least = np.float32(limit * noise)
    two = np.float32(2.0)
    marks = np.zeros(-(-width // 8) * 8, np.uint8)
    eights = marks.view(np.uint64)
    for bottom in range(height):
        newest = sums[bottom % _RING]
        upper, lower = pixels[2 * bottom], pixels[2 * bottom + 1]
        for x in range(width):
            newest[x] = (
                np.float32(upper[2 * x])
                + np.float32(upper[2 * x + 1])
                + np.float32(lower[2 * x])
                + np.float32(lower[2 * x + 1])
            )
        y = bottom - reach
        if y < reach:
            continue
        here = sums[y % _RING]
        above = sums[(y - 1) % _RING]
        below = sums[(y + 1) % _RING]
        far_above = sums[(y - reach) % _RING]
        far_below = sums[bottom % _RING]
        # All cells at once, without branches; few are left.
        for x in range(reach, width - reach):
            value = here[x]
            marks[x] = (
                (value > here[x - 1])
                & (value >= here[x + 1])
                & (value > above[x])
                & (value >= below[x])
                & (two * (value - least) >= here[x - reach] + here[x + reach])
                & (two * (value - least) >= far_above[x] + far_below[x])
            )
        for eight in range(eights.size):  # few are marked: eight at a time are passed over
            if eights[eight] == 0:
                continue
            for x in range(8 * eight, 8 * eight + 8):
                if marks[x] == 0:
                    continue
                height_above = _star_height(sums, y, x, spread)
                if height_above > 0:
                    rows[count] = 2 * y
                    columns[count] = 2 * x
                    flux[count] = height_above
                    count += 1
                    if count == capacity:
                        return count
    return count
