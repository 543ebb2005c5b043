"""Kernels of the display stretch."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["area_mean", "transfer"]

Float32 = npt.NDArray[np.float32]


@kernel
def area_mean(plane: Float32, factor: int, out: Float32) -> None:
    """Write the mean of each block of `factor` x `factor` pixels; missing ones do not count.

    Parameters
    ----------
    plane : (height, width) float32
    out : (ceil(height / factor), ceil(width / factor)) float32
        NaN where a block has no pixel.
    """
    height, width = plane.shape
    rows, columns = out.shape
    sums = np.empty(columns, np.float64)
    counts = np.empty(columns, np.int64)
    for row in range(rows):
        sums[:] = 0.0
        counts[:] = 0
        for y in range(row * factor, min(height, (row + 1) * factor)):
            for column in range(columns):
                for x in range(column * factor, min(width, (column + 1) * factor)):
                    value = np.float64(plane[y, x])
                    if not np.isnan(value):
                        sums[column] += value
                        counts[column] += 1
        for column in range(columns):
            n = counts[column]
            out[row, column] = np.float32(sums[column] / n) if n else np.nan


@kernel
def transfer(
    plane: Float32, shadows: float, highlights: float, midtones: float, out: npt.NDArray[np.uint8]
) -> None:
    """Write 255 MTF(m, (x - c0) / (c1 - c0)), rounded; missing pixels are black.

    MTF(m, x) = (m - 1) x / ((2 m - 1) x - m). The division costs less than a table that would be
    fine enough for the steep beginning of the curve.

    Parameters
    ----------
    plane : (height, width) float32
    shadows, highlights : float
        c0 < c1 in the units of the plane.
    midtones : float
        m, above 0.
    out : (height, width) uint8
        May be one channel of an interleaved image.
    """
    height, width = plane.shape
    one = np.float32(1.0)
    zero = np.float32(0.0)
    offset = np.float32(shadows)
    scale = np.float32(1.0 / (highlights - shadows))
    m = np.float32(midtones)
    for y in range(height):
        for x in range(width):
            value = (plane[y, x] - offset) * scale
            # Written so that NaN, for which every comparison fails, becomes 0.
            value = max(zero, value)
            value = min(one, value)
            shown = (m - one) * value / ((m + m - one) * value - m)
            out[y, x] = np.uint8(np.float32(255.0) * shown + np.float32(0.5))
