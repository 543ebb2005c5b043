"""Combination of the survivors: weighted sums, in the order of frames, with maps and counts."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._stack import F32, I32, I64, INF, LANES, Samples, sort_block

__all__ = ["combine", "sort_survivors"]

F64 = npt.NDArray[np.float64]


@kernel
def _bounds(ordered: F32, b: int, low: I32, high: I32, bounds: F32, ties: I32) -> bool:
    """Find the least and the greatest surviving value of each lane of block `b`.

    `ties` receives how many samples equal to them are rejected all the same (algorithms that
    reject a number of samples can cut through equal ones); return whether there are any.
    """
    found = 0
    for lane in range(LANES):
        i = b * LANES + lane
        start = low[i]
        stop = high[i]
        ties[lane] = 0
        ties[lane + LANES] = 0
        if start == stop:
            bounds[lane] = INF
            bounds[lane + LANES] = -INF
            continue
        least = ordered[b, start, lane]
        most = ordered[b, stop - 1, lane]
        bounds[lane] = least
        bounds[lane + LANES] = most
        k = start - 1
        while k >= 0 and ordered[b, k, lane] == least:
            ties[lane] += 1
            k -= 1
        k = stop
        while k < ordered.shape[1] and ordered[b, k, lane] == most:
            ties[lane + LANES] += 1
            k += 1
        found += ties[lane] + ties[lane + LANES]
    return found > 0


@kernel
def _fates(
    source: Samples,
    norm: F32,
    limits: F32,
    bounds: F32,
    ties: I32,
    tied: bool,
    fate: npt.NDArray[np.int8],
    lost: npt.NDArray[np.int64],
) -> None:
    """Decide for one frame's samples: 0 survives, -1 rejected low, 1 rejected high, 2 missing.

    `lost` receives the frame's numbers of samples rejected low and high and of samples there.
    """
    used = source.shape[0]
    low = limits[0]
    high = limits[1]
    m = norm[0]
    s_low = norm[1]
    s_high = norm[2]
    z = norm[3]
    n_low = 0
    n_high = 0
    n_missing = 0
    for lane in range(used):
        x = np.float32(source[lane])
        y = (x - m) * (s_low if x <= m else s_high) + z
        below = (x <= low) | (y < bounds[lane])
        above = (x >= high) | (y > bounds[lane + LANES])
        missing = not (np.abs(x) < INF)
        out_low = below & (not missing) & (not (x >= high))
        out_high = above & (not missing) & (not out_low)
        fate[lane] = 2 * missing - out_low + out_high
        n_low += out_low
        n_high += out_high
        n_missing += missing
    if tied:
        for lane in range(used):
            x = np.float32(source[lane])
            y = (x - m) * (s_low if x <= m else s_high) + z
            if fate[lane] == 0 and y == bounds[lane] and ties[lane] > 0:
                ties[lane] -= 1
                fate[lane] = -1
                n_low += 1
            elif fate[lane] == 0 and y == bounds[lane + LANES] and ties[lane + LANES] > 0:
                ties[lane + LANES] -= 1
                fate[lane] = 1
                n_high += 1
    lost[0] += n_low
    lost[1] += n_high
    lost[2] += used - n_missing


@kernel
def _median_of_all(source: Samples, at: int, terms: F64, column: F32) -> float:
    """Return the median of all samples of a stack that lost them all, or NaN if there is none."""
    n = 0
    for f in range(source.shape[0]):
        x = np.float64(source[f, at])
        if not np.abs(x) < INF:
            continue
        value = np.float32(x * terms[f, 0] + terms[f, 1])
        k = n
        while k > 0 and column[k - 1] > value:
            column[k] = column[k - 1]
            k -= 1
        column[k] = value
        n += 1
    if n == 0:
        return np.nan
    return 0.5 * (np.float64(column[(n - 1) // 2]) + np.float64(column[n // 2]))


@kernel
def combine(
    stack: Samples,
    first: int,
    pixels: int,
    norm: F32,
    limits: F32,
    terms: F64,
    ordered: F32,
    low: I32,
    high: I32,
    keep_values: bool,
    maps: F32,
    at: int,
    lost: I64,
) -> None:
    """Combine the survivors of a chunk by weighted average.

    ``image = sum(w * (x * a + b)) / sum(w)`` over the survivors, in float64 and in the order of
    frames; NaN where no frame has a sample; the median of all normalized samples where all were
    rejected.

    Parameters
    ----------
    stack, first, pixels, norm, limits
        As in `lightframe.kernels._stack.order_samples`.
    terms : ndarray, shape (frames, 4), float64
        a and b (output normalization), w (weight), and the variance of w * a * x of each frame.
    ordered : ndarray, shape (blocks, frames, LANES), float32
        The sorted stacks; overwritten.
    low, high : ndarray, shape (blocks * LANES,), int32
        Rows of the survivors.
    keep_values : bool
        Whether to leave the survivors' normalized values in `ordered`, inf for all others.
    maps : ndarray, shape (5, >= at + pixels), float32
        Receives, from column `at` on, image, sum of weights, numbers of samples rejected low and
        high, and predicted variance of the image.
    lost : ndarray, shape (frames, 3), int64
        Is increased by each frame's numbers of samples rejected low, rejected high, and present.
    """
    n = stack.shape[0]
    bounds = np.empty(2 * LANES, np.float32)
    ties = np.empty(2 * LANES, np.int32)
    fate = np.empty(LANES, np.int8)
    sums = np.empty(3 * LANES, np.float64)
    counts = np.empty(2 * LANES, np.int32)
    for b in range((pixels + LANES - 1) // LANES):
        start = b * LANES
        used = min(LANES, pixels - start)
        tied = _bounds(ordered, b, low, high, bounds, ties)
        sums[:] = 0.0
        counts[:] = 0
        for f in range(n):
            source = stack[f, first + start : first + start + used]
            _fates(source, norm[f], limits, bounds, ties, tied, fate, lost[f])
            a = terms[f, 0]
            c = terms[f, 1]
            w = terms[f, 2]
            variance = terms[f, 3]
            values = ordered[b, f]
            for lane in range(used):
                value = np.float64(source[lane]) * a + c
                survives = fate[lane] == 0
                sums[lane] += w * value if survives else 0.0
                sums[lane + LANES] += w if survives else 0.0
                sums[lane + 2 * LANES] += variance if survives else 0.0
                counts[lane] += fate[lane] == -1
                counts[lane + LANES] += fate[lane] == 1
                if keep_values:
                    values[lane] = np.float32(value) if survives else INF
        for lane in range(used):
            i = start + lane
            weight = sums[lane + LANES]
            maps[0, at + i] = sums[lane] / weight
            maps[1, at + i] = weight
            maps[2, at + i] = counts[lane]
            maps[3, at + i] = counts[lane + LANES]
            maps[4, at + i] = sums[lane + 2 * LANES] / (weight * weight)
            if low[i] == high[i]:
                maps[0, at + i] = _median_of_all(stack, first + i, terms, ordered[b, :, lane])


@kernel
def sort_survivors(ordered: F32, low: I32, high: I32, network: I64) -> None:
    """Sort the values that `combine` kept; the survivors of lane i become rows 0 to ``high[i]``."""
    for b in range(ordered.shape[0]):
        sort_block(ordered[b], network, ordered.shape[1])
    for i in range(low.shape[0]):
        high[i] -= low[i]
        low[i] = 0
