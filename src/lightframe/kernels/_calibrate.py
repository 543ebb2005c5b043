"""Kernels of calibration: one pass from raw to calibrated pixels, and counting at the ends."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["BINS", "calibrate_block", "colour_histograms", "colour_samples", "count_outside"]

_F32 = npt.NDArray[np.float32]
_F64 = npt.NDArray[np.float64]

BINS = 1 << 15
"""Bins of a histogram over positive float32: the upper 16 bits of their pattern."""


@kernel
def calibrate_block(
    raw: npt.NDArray[np.uint16] | _F32,
    bounds: tuple[int, int, int, int],
    origin: tuple[int, int],
    level: np.float32,
    subtrahend: _F32,
    dark: _F32,
    k_rows: _F32,
    gain: _F32,
    pedestal: np.float32,
    out: _F32,
) -> None:
    """Write ``(raw - level - subtrahend - k dark) gain + pedestal`` into `out`.

    Parameters
    ----------
    raw, out : ndarray, shape (rows, columns)
        One plane of a window; `raw` is uint16 or float32, `out` float32.
    bounds : tuple of int
        Rows ``r0 <= r < r1`` and columns ``c0 <= c < c1`` of the window to be written.
    origin : tuple of int
        Row and column of the window's first pixel in the masters.
    level, pedestal : float32
        Constants subtracted first and added last.
    subtrahend, dark, gain : ndarray of float32, shape (height, width) or (1, width)
        A term that is absent is given as one row of zeros (ones for `gain`): it stays in the
        processor's cache and costs no memory traffic, and there is one loop for all cases.
    k_rows : ndarray of float32, shape (period, width)
        Dark scaling factor of each column, for the rows of one cell of the colour pattern.

    Notes
    -----
    Everything is float32 in the order of the formula, so the same pixel gives the same bits in any
    window. Nothing is clamped; a missing sample (NaN) in any array is missing in `out`.
    """
    r0, r1, c0, c1 = bounds
    y0, x0 = origin
    for r in range(r0, r1):
        y = y0 + r
        # Rows cut to equal length and indexed from 0: otherwise the loop is not vectorised.
        source = raw[r, c0:c1]
        target = out[r, c0:c1]
        a = subtrahend[min(y, subtrahend.shape[0] - 1), x0 + c0 : x0 + c1]
        d = dark[min(y, dark.shape[0] - 1), x0 + c0 : x0 + c1]
        g = gain[min(y, gain.shape[0] - 1), x0 + c0 : x0 + c1]
        k = k_rows[y % k_rows.shape[0], x0 + c0 : x0 + c1]
        for c in range(c1 - c0):
            value = np.float32(source[c]) - level
            target[c] = ((value - a[c]) - k[c] * d[c]) * g[c] + pedestal


@kernel
def count_outside(values: _F32, low: np.float32, high: np.float32) -> tuple[int, int, int]:
    """Count the samples below `low`, above `high`, and missing, of a flat array."""
    below = 0
    above = 0
    missing = 0
    for i in range(values.size):
        value = values[i]
        below += value < low
        above += value > high
        missing += value != value  # noqa: PLR0124 - the test for NaN that vectorises
    return below, above, missing


@kernel
def colour_histograms(
    plane: _F32, cell: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64], sums: _F64
) -> None:
    """Count and sum the positive finite pixels of each colour, bin by bin.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
    cell : ndarray of uint8, shape (period, period)
        Colour of each pixel of the cell.
    counts, sums : ndarray of int64 and float64, shape (colours, BINS)
        Added to.
    """
    period = cell.shape[0]
    for y in range(plane.shape[0]):
        row = plane[y]
        bits = row.view(np.uint32)
        for x in range(row.size):
            if 0 < row[x] < np.inf:
                colour = cell[y % period, x % period]
                b = bits[x] >> np.uint32(16)
                counts[colour, b] += 1
                sums[colour, b] += row[x]


@kernel
def colour_samples(
    plane: _F32, cell: npt.NDArray[np.uint8], colour: int, wanted: int, samples: _F32
) -> None:
    """Write the pixels of one colour that lie in bin `wanted` of `colour_histograms`."""
    period = cell.shape[0]
    found = 0
    for y in range(plane.shape[0]):
        row = plane[y]
        bits = row.view(np.uint32)
        for x in range(row.size):
            if bits[x] >> np.uint32(16) == wanted and cell[y % period, x % period] == colour:
                samples[found] = row[x]
                found += 1
