"""Combination of the survivors: weighted sums, in the order of frames, with maps and counts."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._stack import F32, I32, I64, INF, LANES, sort_block

__all__ = ["AVERAGE", "COUNT", "KEEP", "combine", "sort_survivors"]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

AVERAGE = 0
COUNT = 1
KEEP = 2

SPAN = 8 * LANES
"""Pixels that are summed up together: their sums stay in the first-level cache."""

_LITTLE = 1e-6
"""Where less than this part of the weight is left, sums are made anew: differences lose digits."""


@kernel
def _begin(terms: F64, sums: F64) -> None:
    """Begin the sums of values, weights and variances of a span.

    Offsets, weights and variances are those of all frames, and are taken away from the few pixels
    that lost a sample later: only values have to be summed up sample by sample.
    """
    offset = 0.0
    weight = 0.0
    variance = 0.0
    for f in range(terms.shape[0]):
        offset += terms[f, 3]
        weight += terms[f, 4]
        variance += terms[f, 5]
    for k in range(SPAN):
        sums[0, k] = offset
        sums[1, k] = weight
        sums[2, k] = variance


@kernel
def _bounds(
    ordered: F32,
    low: I32,
    high: I32,
    start: int,
    used: int,
    bounds: F32,
    losers: I32,
    ties: I32,
) -> int:
    """Find the least and the greatest surviving value of each pixel of a span.

    A pixel that lost nothing is bounded by infinities. The others are listed in `losers`; their
    number is returned. `ties` receives how many samples equal to their bounds are rejected all the
    same: algorithms that reject a number of samples can cut through equal ones.
    """
    n = ordered.shape[1]
    bounds[0, :] = -INF
    bounds[1, :] = INF
    number = 0
    for k in range(used):
        first = low[start + k]
        stop = high[start + k]
        if stop - first == n:
            continue
        losers[number] = k
        ties[0, number] = 0
        ties[1, number] = 0
        if first == stop:
            bounds[0, k] = INF
            bounds[1, k] = -INF
        else:
            column = ordered[(start + k) // LANES, :, (start + k) % LANES]
            least = column[first]
            most = column[stop - 1]
            bounds[0, k] = least
            bounds[1, k] = most
            while first > 0 and column[first - 1] == least:
                ties[0, number] += 1
                first -= 1
            while stop < n and column[stop] == most:
                ties[1, number] += 1
                stop += 1
        number += 1
    return number


@kernel
def _find_survivors(compared: F32, norm: F32, limits: F32, bounds: F32, kept: F32) -> None:
    """Mark by 1 the samples of one frame that lie between the bounds and in range, by 0 others."""
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
    for k in range(compared.shape[0]):
        x = compared[k]
        y = (x - m) * (s_low if x <= m else s_high) + z
        inside = (y >= least[k]) & (y <= most[k]) & (x > low) & (x < high)
        kept[k] = one if inside else zero


@kernel
def _add(source: F32, kept: F32, factor: float, sums: F64) -> None:
    """Add one frame's surviving samples times a factor."""
    for k in range(source.shape[0]):
        sums[k] += (np.float64(source[k]) if kept[k] > 0 else 0.0) * factor


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
def _account(
    stack: F32,
    compared: F32,
    column: int,
    norm: F32,
    limits: F32,
    terms: F64,
    bounds: F32,
    ties: I32,
    missed: int,
    fates: U8,
    sums: F64,
) -> None:
    """Find the frames whose samples of one pixel did not survive, and take away their shares.

    `fates` receives 1 and 2 for samples rejected low and high, 3 for missing ones and 0 for
    survivors; `missed` is how many did not survive. `sums` are those of the pixel; they hold the
    values of rejected samples that equal a surviving one.
    """
    fates[:] = 0
    cut_low = ties[0]
    cut_high = ties[1]
    tied = cut_low + cut_high > 0
    little = _LITTLE * sums[1]
    left = missed
    f = -1
    while left > 0:
        f += 1
        x = compared[f, column]
        y = (x - norm[f, 0]) * (norm[f, 1] if x <= norm[f, 0] else norm[f, 2]) + norm[f, 3]
        inside = (y >= bounds[0]) & (y <= bounds[1]) & (x > limits[0]) & (x < limits[1])
        if inside and not tied:
            continue
        if not np.abs(x) < INF:
            fates[f] = 3
        elif x <= limits[0] or (x < limits[1] and y < bounds[0]):
            fates[f] = 1
        elif x >= limits[1] or y > bounds[1]:
            fates[f] = 2
        elif y == bounds[0] and cut_low > 0:
            cut_low -= 1
            fates[f] = 1
        elif y == bounds[1] and cut_high > 0:
            cut_high -= 1
            fates[f] = 2
        else:
            continue
        left -= 1
        value = np.float64(stack[f, column]) * terms[f, 2] if inside else 0.0
        sums[0] -= value + terms[f, 3]
        sums[1] -= terms[f, 4]
        sums[2] -= terms[f, 5]
    if sums[1] < little:
        sums[:] = 0.0
        for f in range(stack.shape[0]):
            if fates[f] == 0:
                sums[0] += np.float64(stack[f, column]) * terms[f, 2] + terms[f, 3]
                sums[1] += terms[f, 4]
                sums[2] += terms[f, 5]


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
def _divide(sums: F64, maps: F32, at: int, pixels: int) -> None:
    """Turn sums into image, weight and variance: in three loops, each of which becomes SIMD."""
    for k in range(pixels):
        maps[0, at + k] = sums[0, k] / sums[1, k]
    for k in range(pixels):
        maps[1, at + k] = sums[1, k]
    for k in range(pixels):
        maps[4, at + k] = sums[2, k] / (sums[1, k] * sums[1, k])


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
    task: int,
    maps: F32,
    at: int,
    lost: I64,
    marks: U8,
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
        The sorted stacks; overwritten by the task `KEEP`.
    low, high : ndarray, shape (blocks * LANES,), int32
        Rows of the survivors.
    task : int
        `AVERAGE`; or `COUNT`, if the image will be picked from `ordered`, to find all but the image
        of pixels with survivors; or `KEEP` to leave moreover the survivors' values after output
        normalization in `ordered`, inf for all others.
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
    losers = np.empty(SPAN, np.int32)
    ties = np.empty((2, SPAN), np.int32)
    kept = np.empty(SPAN, np.float32)
    sums = np.empty((3, SPAN), np.float64)
    fates = np.empty(n, np.uint8)
    column = np.empty(n, np.float64)
    for start in range(0, pixels, SPAN):
        used = min(SPAN, pixels - start)
        here = at + start
        number = _bounds(ordered, low, high, start, used, bounds, losers, ties)
        _begin(terms, sums)
        for f in range(n if task != COUNT else 0):
            part = slice(first + start, first + start + used)
            _find_survivors(compared[f, part], norm[f], limits, bounds, kept)
            if task == KEEP:
                _keep_values(stack[f, part], f, terms[f], kept, ordered, start // LANES)
            else:
                _add(stack[f, part], kept, terms[f, 2], sums[0])
        maps[2, here : here + used] = 0.0
        maps[3, here : here + used] = 0.0
        for q in range(number):
            k = losers[q]
            _account(
                stack,
                compared,
                first + start + k,
                norm,
                limits,
                terms,
                bounds[:, k],
                ties[:, q],
                n - (high[start + k] - low[start + k]),
                fates,
                sums[:, k],
            )
            for f in range(n):
                fate = fates[f]
                if fate == 0:
                    continue
                lost[f, fate - 1] += 1
                if fate < 3:
                    maps[1 + fate, here + k] += 1
                if fate < 3 and marks.shape[0] > 0:
                    marks[f, mark_at + start + k] = fate
                if task == KEEP:
                    ordered[(start + k) // LANES, f, k % LANES] = INF
        _divide(sums, maps, here, used)
        for q in range(number):
            k = losers[q]
            if high[start + k] == low[start + k]:
                maps[0, here + k] = _median_of_all(stack, first + start + k, terms, column)


@kernel
def sort_survivors(ordered: F32, low: I32, high: I32, network: I64) -> None:
    """Sort the values that `combine` kept; the survivors of lane i become rows 0 to ``high[i]``."""
    for b in range(ordered.shape[0]):
        sort_block(ordered[b], network, ordered.shape[1])
    for i in range(low.shape[0]):
        high[i] -= low[i]
        low[i] = 0
