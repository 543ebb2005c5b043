"""The background of a frame: robust statistics in the cells of a mesh, interpolated in between."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import MAD_TO_SIGMA, START
from lightframe.kernels._select import select

__all__ = ["mesh_row", "mesh_statistics", "mesh_value"]

Float32 = npt.NDArray[np.float32]


@kernel
def mesh_statistics(
    image: Float32, cell: int, step: int, location: Float32, scale: Float32
) -> None:
    """Fill `location` and `scale`, one value a mesh cell, from samples of `image`.

    In each cell every `step`-th pixel of every `step`-th row is taken, shifted from row to row so
    that all columns are seen. Twice: median m and s = 1.4826 MAD of the samples, keep those within
    3 s of m. Location is the mode estimate 2.5 median - 1.5 mean where mean and median differ by
    less than 0.3 s, else the median; NaN where a cell holds fewer than 16 samples.

    Parameters
    ----------
    image : (h, w) float32
        NaN is missing.
    cell, step : int
        Side of a cell and distance of samples in pixels.
    location, scale : (rows, columns) float32
        Results; the last row and column of cells take what is left over.
    """
    height, width = image.shape
    rows, columns = location.shape
    samples = np.empty((2 * cell // step + 2) * (2 * cell // step + 2), np.float32)
    deviations = np.empty(samples.size, np.float32)
    for row in range(rows):
        y1 = height if row == rows - 1 else (row + 1) * cell
        for column in range(columns):
            x1 = width if column == columns - 1 else (column + 1) * cell
            n = START
            for y in range(row * cell, y1, step):
                for x in range(column * cell + (y // step) % step, x1, step):
                    value = image[y, x]
                    if not np.isnan(value):
                        samples[n] = value
                        n += 1
            location[row, column] = np.nan
            scale[row, column] = np.nan
            for _ in range(2):
                if n < 16:
                    break
                median = select(samples, n, n // 2)
                for i in range(n):
                    deviations[i] = abs(samples[i] - median)
                s = np.float32(MAD_TO_SIGMA) * select(deviations, n, n // 2)
                low, high = median - 3 * s, median + 3 * s
                kept = START
                total = 0.0
                for i in range(n):
                    value = samples[i]
                    if low <= value <= high:
                        samples[kept] = value
                        total += value
                        kept += 1
                n = kept
                mean = total / n
                close = abs(mean - median) < 0.3 * s
                location[row, column] = 2.5 * median - 1.5 * mean if close else median
                scale[row, column] = s


@kernel
def mesh_row(mesh: Float32, cell: int, y: int, out: Float32) -> None:
    """Interpolate a mesh bilinearly along image row `y`; constant beyond the outer cell centres."""
    rows, columns = mesh.shape
    width = out.size
    v = min(max((y + 0.5) / cell - 0.5, 0.0), rows - 1.0)
    i = min(int(v), max(rows - 2, 0))
    below = min(i + 1, rows - 1)
    part = np.float32(v - i)
    start = 0
    for j in range(-1, columns):
        # From the centre of cell j to that of cell j + 1.
        left, right = max(j, 0), min(j + 1, columns - 1)
        a = mesh[i, left] + part * (mesh[below, left] - mesh[i, left])
        b = mesh[i, right] + part * (mesh[below, right] - mesh[i, right])
        end = width if j == columns - 1 else min(width, (2 * (j + 1) + 1) * cell // 2)
        slope = (b - a) / np.float32(cell)
        origin = np.float32((j + 0.5) * cell - 0.5)
        for x in range(start, end):
            out[x] = a + slope * (np.float32(x) - origin)
        start = max(start, end)


@kernel
def mesh_value(mesh: Float32, cell: int, y: float, x: float) -> float:
    """Interpolate a mesh bilinearly at one position."""
    rows, columns = mesh.shape
    v = min(max((y + 0.5) / cell - 0.5, 0.0), rows - 1.0)
    u = min(max((x + 0.5) / cell - 0.5, 0.0), columns - 1.0)
    i, j = min(int(v), max(rows - 2, 0)), min(int(u), max(columns - 2, 0))
    below, right = min(i + 1, rows - 1), min(j + 1, columns - 1)
    v -= i
    u -= j
    upper = mesh[i, j] + u * (mesh[i, right] - mesh[i, j])
    lower = mesh[below, j] + u * (mesh[below, right] - mesh[below, j])
    return float(upper + v * (lower - upper))
