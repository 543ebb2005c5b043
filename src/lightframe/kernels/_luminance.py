"""A colour-filter mosaic as one image of the same geometry, without the pattern of its colours."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["convolve_cell", "subtract_spikes"]

Float32 = npt.NDArray[np.float32]

BLOCK = 64  # pixels tested at once for one that might be a spike


@kernel
def convolve_cell(mosaic: Float32, weights: Float32, out: Float32) -> None:
    """Convolve a mosaic with a kernel that depends on the place in the CFA cell.

    Parameters
    ----------
    mosaic : (h, w) float32
        NaN is missing, and makes the results that lean on it NaN.
    weights : (period, k, k, n) float32
        For each row of the cell the k x k taps (k odd), along x over n pixels; n is a multiple of
        the period.
    out : (h, w) float32
        Result; NaN in the outer k // 2 rows and columns.
    """
    height, width = mosaic.shape
    period, taps, _, n = weights.shape
    half = taps // 2
    zero = np.float32(0.0)
    for y in range(height):
        target = out[y]
        if y < half or y >= height - half:
            target[:] = np.float32(np.nan)
            continue
        for start in range(0, width, n):
            m = min(n, width - start)
            # The part of the block whose taps are all inside the row.
            first = max(half - start, 0)
            last = min(m, width - half - start)
            for i in range(m):
                target[start + i] = zero
            for j in range(taps):
                for k in range(taps):
                    left = start + first + k - half
                    source = mosaic[y + j - half, left : left + max(last - first, 0)]
                    weight = weights[y % period, j, k, first : max(last, first)]
                    part = target[start + first : start + max(last, first)]
                    for i in range(part.size):
                        part[i] += weight[i] * source[i]
        target[:half] = np.float32(np.nan)
        target[width - half :] = np.float32(np.nan)


@kernel
def subtract_in_block(
    mosaic: Float32,
    levels: Float32,
    sigmas: Float32,
    weights: Float32,
    y: int,
    start: int,
    end: int,
    out: Float32,
) -> int:
    """Do what `subtract_spikes` does in part of a row."""
    height, width = mosaic.shape
    period, taps = weights.shape[0], weights.shape[1]
    half = taps // 2
    count = 0
    for x in range(start, end):
        sigma = sigmas[y % period, x % period]
        excess = mosaic[y, x] - levels[y % period, x % period]
        if not excess > 6.0 * sigma:
            continue
        ring, near = 0.0, 0.0
        for j in range(-2, 3):
            for i in range(-2, 3):
                value = mosaic[y + j, x + i] - levels[(y + j) % period, (x + i) % period]
                if abs(j) == 2 or abs(i) == 2:
                    ring += value
                elif j != 0 or i != 0:
                    near += value
        ring /= 16.0
        excess -= ring
        if excess > 6.0 * sigma and near - 8.0 * ring < 0.5 * excess + 1.5 * sigma:
            count += 1
            change = near / 8.0 - ring - excess
            for j in range(max(-half, half - y), min(half, height - 1 - half - y) + 1):
                for i in range(max(-half, half - x), min(half, width - 1 - half - x) + 1):
                    py, px = y + j, x + i
                    weight = weights[py % period, half - j, half - i, px % period]
                    out[py, px] += weight * change
    return count


@kernel
def subtract_spikes(
    mosaic: Float32, levels: Float32, sigmas: Float32, weights: Float32, out: Float32
) -> int:
    """Take single bright pixels (hot pixels, cosmic rays) out of the result of `convolve_cell`.

    A spike exceeds the mean of the 16 pixels two rows or columns away by 6 sigma, and its eight
    neighbours together have less than half of that excess. It counts as the mean of the eight.

    Parameters
    ----------
    mosaic, weights, out
        As in `convolve_cell`; `out` is changed.
    levels, sigmas : (period, period) float32
        Background and noise of the colour at each place of the CFA cell.

    Returns
    -------
    int
        Number of spikes.
    """
    height, width = mosaic.shape
    period = weights.shape[0]
    limits = np.empty((period, width), np.float32)
    for y in range(period):
        for x in range(width):
            limits[y, x] = levels[y, x % period] + 6.0 * sigmas[y, x % period]
    count = 0
    for y in range(2, height - 2):
        row, limit = mosaic[y], limits[y % period]
        for start in range(2, width - 2, BLOCK):
            end = min(start + BLOCK, width - 2)
            hits = 0
            for x in range(start, end):
                hits += row[x] > limit[x]
            if hits > 0:
                count += subtract_in_block(mosaic, levels, sigmas, weights, y, start, end, out)
    return count
