"""Combination of the survivors: weighted sums, in the order of frames, with maps and counts."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._stack import F32, I32, I64, INF, LANES, sort_block

__all__ = ["combine", "sort_survivors"]

F64 = npt.NDArray[np.float64]

SPAN = 8 * LANES
"""Pixels that are summed up together: their sums stay in the first-level cache."""


@kernel
def _bounds(
    ordered: F32, low: I32, high: I32, start: int, used: int, bounds: F32, ties: I32
) -> None:
    """Find the least and the greatest surviving value of each pixel of a span.

    `ties` receives how many samples equal to them are rejected all the same: algorithms that reject
    a number of samples can cut through equal ones.
    """
    n = ordered.shape[1]
    for k in range(used):
        b = (start + k) // LANES
        lane = (start + k) % LANES
        first = low[start + k]
        stop = high[start + k]
        ties[0, k] = 0
        ties[1, k] = 0
        if first == stop:
            bounds[0, k] = INF
            bounds[1, k] = -INF
            continue
        least = ordered[b, first, lane]
        most = ordered[b, stop - 1, lane]
        bounds[0, k] = least
        bounds[1, k] = most
        while first > 0 and ordered[b, first - 1, lane] == least:
            ties[0, k] += 1
            first -= 1
        while stop < n and ordered[b, stop, lane] == most:
            ties[1, k] += 1
            stop += 1


@kernel
def _account(
    stack: F32,
    compared: F32,
    first: int,
    used: int,
    norm: F32,
    limits: F32,
    terms: F64,
    missed: I32,
    bounds: F32,
    ties: I32,
    sums: F64,
    lost: I64,
    ordered: F32,
    block: int,
    marks: npt.NDArray[np.uint8],
    mark_at: int,
) -> None:
    """Find the frames whose samples did not survive, for the pixels of a span that lost any.

    `lost` counts them by frame; `ties` is overwritten with each pixel's numbers of samples rejected
    low and high. Where equal samples meet different fates the sums, made by comparing values, are
    made anew. With `block` not negative the others become inf in `ordered` from that block on.
    `marks` receives 1 and 2 for samples rejected low and high, from column `mark_at` on.
    """
    n = stack.shape[0]
    for k in range(used):
        left = missed[k]
        cut_low = ties[0, k]
        cut_high = ties[1, k]
        tied = cut_low + cut_high > 0
        below = 0
        above = 0
        if tied:
            sums[k] = 0.0
            sums[SPAN + k] = 0.0
            sums[2 * SPAN + k] = 0.0
        f = 0
        while f < n and (left > 0 or tied):
            x = compared[f, first + k]
            s = norm[f, 1] if x <= norm[f, 0] else norm[f, 2]
            y = (x - norm[f, 0]) * s + norm[f, 3]
            fate = 0
            if not np.abs(x) < INF:
                fate = 3
            elif x <= limits[0]:
                fate = 1
            elif x >= limits[1]:
                fate = 2
            elif y < bounds[0, k]:
                fate = 1
            elif y > bounds[1, k]:
                fate = 2
            elif y == bounds[0, k] and cut_low > 0:
                cut_low -= 1
                fate = 1
            elif y == bounds[1, k] and cut_high > 0:
                cut_high -= 1
                fate = 2
            if marks.shape[0] > 0 and fate in (1, 2):
                marks[f, mark_at + k] = fate
            if fate > 0:
                lost[f, fate - 1] += 1
                below += fate == 1
                above += fate == 2
                left -= 1
            elif tied:
                sums[k] += np.float64(stack[f, first + k]) * terms[f, 2] + terms[f, 3]
                sums[SPAN + k] += terms[f, 4]
                sums[2 * SPAN + k] += terms[f, 5]
            if block >= 0 and fate > 0:
                ordered[block + k // LANES, f, k % LANES] = INF
            f += 1
        ties[0, k] = below
        ties[1, k] = above


@kernel
def _sum_up(
    source: F32,
    compared: F32,
    norm: F32,
    limits: F32,
    terms: F64,
    bounds: F32,
    kept: F32,
    sums: F64,
) -> None:
    """Add one frame's surviving samples of a span, their weights and variances."""
    used = source.shape[0]
    low = limits[0]
    high = limits[1]
    m = norm[0]
    s_low = norm[1]
    s_high = norm[2]
    z = norm[3]
    least = bounds[0]
    most = bounds[1]
    one = np.float32(1.0)
    zero = np.float32(0.0)
    for k in range(used):
        x = compared[k]
        y = (x - m) * (s_low if x <= m else s_high) + z
        inside = (y >= least[k]) & (y <= most[k]) & (x > low) & (x < high)
        kept[k] = one if inside else zero
    a = terms[2]
    b = terms[3]
    w = terms[4]
    variance = terms[5]
    for k in range(used):
        survives = np.float64(kept[k])
        sample = np.float64(source[k]) if survives > 0.0 else 0.0
        sums[k] += sample * a + b * survives
        sums[k + SPAN] += w * survives
        sums[k + 2 * SPAN] += variance * survives


@kernel
def _keep_values(source: F32, f: int, terms: F64, kept: F32, ordered: F32, block: int) -> None:
    """Put one frame's normalized samples of a span in the place of sorted ones; inf if rejected."""
    used = source.shape[0]
    a = terms[0]
    b = terms[1]
    for start in range(0, used, LANES):
        values = ordered[block + start // LANES, f]
        for lane in range(min(LANES, used - start)):
            value = np.float32(np.float64(source[start + lane]) * a + b)
            values[lane] = value if kept[start + lane] > 0 else INF


@kernel
def _median_of_all(source: F32, at: int, terms: F64, column: F64) -> float:
    """Return the median of all samples of a stack that lost them all, or NaN if there is none."""
    n = 0
    for f in range(source.shape[0]):
        x = np.float64(source[f, at])
        if not np.abs(x) < INF:
            continue
        value = x * terms[f, 0] + terms[f, 1]
        k = n
        while k > 0 and column[k - 1] > value:
            column[k] = column[k - 1]
            k -= 1
        column[k] = value
        n += 1
    if n == 0:
        return np.nan
    return float(0.5 * (column[(n - 1) // 2] + column[n // 2]))


@kernel
def combine(
    stack: F32,
    compared: F32,
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
    marks: npt.NDArray[np.uint8],
    mark_at: int,
) -> None:
    """Combine the survivors of a chunk by weighted average.

    ``image = sum(w * (x * a + b)) / sum(w)`` over the survivors, in float64 and in the order of
    frames; NaN where no frame has a sample; the median of all normalized samples where all were
    rejected.

    Parameters
    ----------
    stack : ndarray, shape (frames, stride), float32
        The samples to combine.
    compared, first, pixels, norm, limits
        As in `lightframe.kernels._stack.order_samples`, whose `stack` is `compared`. Usually both
        are the same array.
    terms : ndarray, shape (frames, 6), float64
        a and b of the output normalization, w * a, w * b, the weight w, and the variance of
        w * a * x, of each frame.
    ordered : ndarray, shape (blocks, frames, LANES), float32
        The sorted stacks; overwritten if `keep_values`.
    low, high : ndarray, shape (blocks * LANES,), int32
        Rows of the survivors.
    keep_values : bool
        Whether to leave the survivors' normalized values in `ordered`, inf for all others.
    maps : ndarray, shape (5, >= at + pixels), float32
        Receives, from column `at` on, image, sum of weights, numbers of samples rejected low and
        high, and predicted variance of the image.
    lost : ndarray, shape (frames, 3), int64
        Is increased by each frame's numbers of samples rejected low, rejected high, and missing.
    marks : ndarray, shape (frames, stride) or (0, 0), uint8
        Receives 1 where a sample was rejected low and 2 where it was rejected high, unless empty.
    mark_at : int
        Column of `marks` that belongs to the first pixel of the chunk.
    """
    n = stack.shape[0]
    bounds = np.empty((2, SPAN), np.float32)
    ties = np.empty((2, SPAN), np.int32)
    missed = np.empty(SPAN, np.int32)
    kept = np.empty(SPAN, np.float32)
    sums = np.empty(3 * SPAN, np.float64)
    column = np.empty(n, np.float64)
    for start in range(0, pixels, SPAN):
        used = min(SPAN, pixels - start)
        _bounds(ordered, low, high, start, used, bounds, ties)
        for k in range(used):
            missed[k] = n - (high[start + k] - low[start + k])
        sums[:] = 0.0
        for f in range(n):
            part = slice(first + start, first + start + used)
            source = stack[f, part]
            _sum_up(source, compared[f, part], norm[f], limits, terms[f], bounds, kept, sums)
            if keep_values:
                _keep_values(source, f, terms[f], kept, ordered, start // LANES)
        _account(
            stack,
            compared,
            first + start,
            used,
            norm,
            limits,
            terms,
            missed,
            bounds,
            ties,
            sums,
            lost,
            ordered,
            start // LANES if keep_values else -1,
            marks,
            mark_at + start,
        )
        for k in range(used):
            i = at + start + k
            weight = sums[SPAN + k]
            maps[0, i] = sums[k] / weight
            maps[1, i] = weight
            maps[2, i] = ties[0, k]
            maps[3, i] = ties[1, k]
            maps[4, i] = sums[2 * SPAN + k] / (weight * weight)
            if missed[k] == n:
                maps[0, i] = _median_of_all(stack, first + start + k, terms, column)


@kernel
def sort_survivors(ordered: F32, low: I32, high: I32, network: I64) -> None:
    """Sort the values that `combine` kept; the survivors of lane i become rows 0 to ``high[i]``."""
    for b in range(ordered.shape[0]):
        sort_block(ordered[b], network, ordered.shape[1])
    for i in range(low.shape[0]):
        high[i] -= low[i]
        low[i] = 0
