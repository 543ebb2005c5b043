"""Local normalization: differences of two frames in tiles, and smooth fields applied to samples."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._select import select

__all__ = ["apply_fields", "tile_differences"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

BEYOND = np.float32(3.4028235e38)
"""Takes the place of samples that are out of range: the greatest float32."""

_FEWEST = 16
_SIGMAS = np.float32(3.0 * MAD_TO_SIGMA)


@kernel
def _middle(values: F32, n: int, work: F32) -> tuple[np.float32, np.float32]:
    """Return the median of the first n values and their raw median deviation from it."""
    median = select(values, n, n // 2)
    for k in range(n):
        work[k] = abs(values[k] - median)
    return median, select(work, n, n // 2)


@kernel
def tile_differences(
    reference: F32, frame: F32, scales: F64, edges: I64, offset: F64, sigma: F64
) -> None:
    """Fill `offset` and `sigma` with ``reference - scale * frame`` in the tiles of a band of rows.

    In each tile pixels farther than 3 sigma (1.4826 MAD) from the tile's median in either frame,
    which are stars, are left out; of the differences of the others, those within 3 sigma of their
    median are kept, and the median of these is taken. What both frames have in common, such as a
    nebula, cancels pixel by pixel. NaN where fewer than 16 pixels are left.

    Parameters
    ----------
    reference, frame : (rows, w) float32
        The same band of both; NaN is missing.
    scales : (n,) float64
        What `frame` is multiplied by in each tile.
    edges : (n + 1,) int64
        First columns of the tiles, and the end of the last.
    offset, sigma : (n,) float64
        Results: difference, and its standard error.
    """
    rows = reference.shape[0]
    most = 0
    for tile in range(offset.shape[0]):
        most = max(most, rows * (edges[tile + 1] - edges[tile]))
    ours = np.empty(most, np.float32)
    theirs = np.empty(most, np.float32)
    work = np.empty(most, np.float32)
    for tile in range(offset.shape[0]):
        factor = np.float32(scales[tile])
        n = 0
        for y in range(rows):
            for x in range(edges[tile], edges[tile + 1]):
                r = reference[y, x]
                t = frame[y, x] * factor
                if not (np.isnan(r) or np.isnan(t)):
                    theirs[n] = r
                    ours[n] = t
                    n += 1
        offset[tile] = np.nan
        sigma[tile] = np.nan
        if n < _FEWEST:
            continue
        level_r, spread_r = _middle(theirs, n, work)
        level_t, spread_t = _middle(ours, n, work)
        kept = 0
        for k in range(n):
            calm = abs(theirs[k] - level_r) <= _SIGMAS * spread_r
            if calm and abs(ours[k] - level_t) <= _SIGMAS * spread_t:
                ours[kept] = theirs[k] - ours[k]
                kept += 1
        n = kept
        if n < _FEWEST:
            continue
        level, spread = _middle(ours, n, work)
        kept = 0
        for k in range(n):
            if abs(ours[k] - level) <= _SIGMAS * spread:
                ours[kept] = ours[k]
                kept += 1
        level, spread = _middle(ours, kept, work)
        offset[tile] = level
        sigma[tile] = 1.2533 * MAD_TO_SIGMA * spread / np.sqrt(kept)


@kernel
def _spline(a: float, b: float, c: float, d: float, poly: F64) -> None:
    """Fill `poly` with the polynomial of a uniform cubic B-spline between its middle nodes."""
    poly[0] = (a + 4.0 * b + c) / 6.0
    poly[1] = (c - a) / 2.0
    poly[2] = (a - 2.0 * b + c) / 2.0
    poly[3] = (d - a + 3.0 * (b - c)) / 6.0


@kernel
def apply_fields(
    stack: F32,
    first: int,
    pixels: int,
    place: tuple[int, int, int],
    columns: int,
    nodes: F32,
    geometry: F64,
    limits: F32,
    out: F32,
) -> None:
    """Write ``sample * scale(x, y) + offset(x, y)`` for a chunk of each frame.

    Parameters
    ----------
    stack, first, pixels
        As in `lightframe.kernels._stack.order_samples`.
    place : tuple of int
        Row and column of the tile in the image, and index of the chunk's first pixel in the tile.
    columns : int
        Columns of the tile.
    nodes : (frames, 2, rows, columns) float32
        Nodes of uniform cubic B-splines: scale and offset of each frame.
    geometry : (4,) float64
        Row of the first node, rows from node to node, and the same for columns.
    limits : (2,) float32
        Samples at or beyond them become `-BEYOND` and `BEYOND`.
    out : (frames, >= pixels) float32
        Results. They depend on the place of a pixel only, not on tile and chunk.
    """
    top, left, start = place
    line = np.empty((2, nodes.shape[3]))
    poly = np.empty(4)
    scales = np.empty(4)
    low = limits[0]
    high = limits[1]
    for f in range(stack.shape[0]):
        done = 0
        while done < pixels:
            row = (start + done) // columns
            column = (start + done) % columns
            run = min(columns - column, pixels - done)
            v = (top + row - geometry[0]) / geometry[1]
            j = int(np.floor(v))
            t = v - j
            for which in range(2):
                grid = nodes[f, which]
                for i in range(grid.shape[1]):
                    _spline(grid[j - 1, i], grid[j, i], grid[j + 1, i], grid[j + 2, i], poly)
                    line[which, i] = poly[0] + t * (poly[1] + t * (poly[2] + t * poly[3]))
            x = left + column
            end = x + run
            while x < end:
                i = int(np.floor((x - geometry[2]) / geometry[3]))
                stop = x + 1
                while stop < end and int(np.floor((stop - geometry[2]) / geometry[3])) == i:
                    stop += 1
                s, o = line[0], line[1]
                _spline(s[i - 1], s[i], s[i + 1], s[i + 2], scales)
                _spline(o[i - 1], o[i], o[i + 1], o[i + 2], poly)
                source = stack[f, first + done : first + done + stop - x]
                target = out[f, done : done + stop - x]
                for k in range(stop - x):
                    u = (x + k - geometry[2]) / geometry[3] - i
                    scale = scales[0] + u * (scales[1] + u * (scales[2] + u * scales[3]))
                    offset = poly[0] + u * (poly[1] + u * (poly[2] + u * poly[3]))
                    sample = source[k]
                    value = np.float32(np.float64(sample) * scale + offset)
                    value = -BEYOND if sample <= low else value
                    target[k] = BEYOND if sample >= high else value
                done += stop - x
                x = stop
