"""Robust statistics of each colour in the tiles of a mosaic."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._select import select

__all__ = ["tile_statistics"]

Float32 = npt.NDArray[np.float32]


@kernel
def tile_statistics(
    plane: Float32,
    cell: npt.NDArray[np.uint8],
    tile: int,
    every: int,
    location: Float32,
    scale: Float32,
) -> None:
    """Fill `location` and `scale` with the clipped median and 1.4826 MAD of each colour and tile.

    In each tile every `every`-th colour cell of every `every`-th row of cells is taken, shifted
    from row to row so that all columns are seen. Three times: median m and s = 1.4826 MAD of the
    samples, keep those within 3 s of m. NaN where fewer than 16 samples of a colour are there.

    Parameters
    ----------
    plane : (h, w) float32
        NaN is missing.
    cell : (period, period) uint8
        Colour of each pixel, phased at the plane's origin.
    tile, every : int
        Side of a tile in pixels, a multiple of the period; distance of the cells that are taken.
    location, scale : (colours, rows, columns) float32
        Results; pixels beyond the last whole tile are left out.
    """
    colours, rows, columns = location.shape
    period = cell.shape[0]
    cells = tile // period
    samples = np.empty((colours, tile * tile), np.float32)
    counts = np.zeros(colours, np.int64)
    deviations = np.empty(tile * tile, np.float32)
    for row in range(rows):
        for column in range(columns):
            counts[:] = 0
            for i in range(0, cells, every):
                for j in range((i // every) % every, cells, every):
                    for dy in range(period):
                        for dx in range(period):
                            value = plane[
                                row * tile + i * period + dy, column * tile + j * period + dx
                            ]
                            if not np.isnan(value):
                                colour = cell[dy, dx]
                                samples[colour, counts[colour]] = value
                                counts[colour] += 1
            for colour in range(colours):
                n = counts[colour]
                values = samples[colour]
                location[colour, row, column] = np.nan
                scale[colour, row, column] = np.nan
                for _ in range(3):
                    if n < 16:
                        break
                    median = select(values, n, n // 2)
                    for k in range(n):
                        deviations[k] = abs(values[k] - median)
                    s = np.float32(MAD_TO_SIGMA) * select(deviations, n, n // 2)
                    location[colour, row, column] = median
                    scale[colour, row, column] = s
                    kept = 0
                    for k in range(n):
                        value = values[k]
                        if abs(value - median) <= 3 * s:
                            values[kept] = value
                            kept += 1
                    n = kept


@kernel
def tile_products(
    plane: Float32,
    gain: Float32,
    dark: Float32,
    cell: npt.NDArray[np.uint8],
    corners: tuple[npt.NDArray[np.int64], int],
    flat: tuple[Float32, Float32],
    pattern: tuple[Float32, Float32],
    clip: float,
    products: npt.NDArray[np.float64],
) -> None:
    """Fill `products` with what a regression of a frame on its flat and dark needs.

    In each tile and colour: with c the frame, g the reciprocal of the flat and d the dark, each
    less its tilted plane over the tile, the count, the sums of c c, c g, g g, c d, g d and d d, and
    the median of the frame.

    Parameters
    ----------
    plane, gain, dark : (h, w) float32
        NaN is missing. A dark of one row stands for none: sums with d are zero.
    cell : (period, period) uint8
        Colour of each pixel, phased at the origin.
    corners : (n, 2) int64, and int
        First row and column of each tile, multiples of the period; and their side, also one. The
        tiles lie inside the frame and do not touch its left and right edge.
    flat, pattern : two (n, colours) float32
        Median and 1.4826 MAD of `gain`, and of `dark`, in each tile.
    clip : float
        In units of 1.4826 MAD: pixels farther off the median of their tile are left out (stars), as
        are those whose flat stands out of its neighbours by 1.5 times that (defects) or whose dark
        is off its median by 3 times that (hot pixels).
    products : (n, colours, 8) float64
        Results, NaN where fewer than 30 pixels are left.
    """
    places, tile = corners
    level, spread = flat
    dark_level, dark_spread = pattern
    with_dark = dark.shape[0] > 1
    period = cell.shape[0]
    colours = level.shape[1]
    samples = np.empty((colours, tile * tile), np.float32)
    counts = np.zeros(colours, np.int64)
    deviations = np.empty(tile * tile, np.float32)
    middle = np.empty(colours, np.float32)
    limit = np.empty(colours, np.float32)
    sums = np.zeros((colours, 21))
    for index in range(places.shape[0]):
        y0, x0 = places[index]
        counts[:] = 0
        for y in range(tile):
            for x in range(tile):
                value = plane[y0 + y, x0 + x]
                if not np.isnan(value):
                    colour = cell[y % period, x % period]
                    samples[colour, counts[colour]] = value
                    counts[colour] += 1
        for colour in range(colours):
            n = counts[colour]
            middle[colour] = np.nan
            if n >= 30:
                middle[colour] = select(samples[colour], n, n // 2)
                for k in range(n):
                    deviations[k] = abs(samples[colour, k] - middle[colour])
                limit[colour] = clip * MAD_TO_SIGMA * select(deviations, n, n // 2)
        sums[:] = 0.0
        for y in range(tile):
            v = (y + 0.5) / tile - 0.5
            for x in range(tile):
                colour = cell[y % period, x % period]
                c = np.float64(plane[y0 + y, x0 + x] - middle[colour])
                if not abs(c) <= limit[colour]:
                    continue
                here = gain[y0 + y, x0 + x]
                beside = np.float32(0.5) * (
                    gain[y0 + y, x0 + x - period] + gain[y0 + y, x0 + x + period]
                )
                if not abs(here - beside) <= 1.5 * clip * spread[index, colour]:
                    continue
                d = 0.0
                if with_dark:
                    d = np.float64(dark[y0 + y, x0 + x] - dark_level[index, colour])
                    if not abs(d) <= 3.0 * clip * dark_spread[index, colour]:
                        continue
                g = np.float64(here - level[index, colour])
                u = (x + 0.5) / tile - 0.5
                s = sums[colour]
                s[0] += 1.0
                s[1] += u
                s[2] += v
                s[3] += u * u
                s[4] += u * v
                s[5] += v * v
                s[6] += c
                s[7] += c * u
                s[8] += c * v
                s[9] += g
                s[10] += g * u
                s[11] += g * v
                s[12] += d
                s[13] += d * u
                s[14] += d * v
                s[15] += c * c
                s[16] += c * g
                s[17] += g * g
                s[18] += c * d
                s[19] += g * d
                s[20] += d * d
        for colour in range(colours):
            _less_planes(sums[colour], products[index, colour])
            products[index, colour, 7] = middle[colour]


@kernel
def _less_planes(s: npt.NDArray[np.float64], out: npt.NDArray[np.float64]) -> None:
    """Take the tilted planes out of the products of one tile and colour."""
    n = s[0]
    out[:] = np.nan
    if n < 30:
        return
    # Elimination of the mean, then of the first axis, then of the second.
    a, b = s[1] / n, s[2] / n
    uu, uv, vv = s[3] - n * a * a, s[4] - n * a * b, s[5] - n * b * b
    if not uu > 0:
        return
    rest = vv - uv * uv / uu
    if not rest > 0:
        return
    parts = np.empty((3, 3))
    for k in range(3):
        total = s[6 + 3 * k]
        parts[k, 0] = total / np.sqrt(n)
        along = s[7 + 3 * k] - total * a
        parts[k, 1] = along / np.sqrt(uu)
        parts[k, 2] = (s[8 + 3 * k] - total * b - along * uv / uu) / np.sqrt(rest)
    out[0] = n
    # The products in the order c c, c g, g g, c d, g d, d d.
    m = 0
    for j in range(3):
        for i in range(j + 1):
            out[1 + m] = s[15 + m]
            for k in range(3):
                out[1 + m] -= parts[i, k] * parts[j, k]
            m += 1
