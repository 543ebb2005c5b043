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

# State of pixels that lost samples, in one flat array as in the queue of rejection.
LEAST = 0 * SPAN  # the least surviving value
MOST = 1 * SPAN  # and the greatest
TIES_LOW = 2 * SPAN  # how many samples that equal these are yet to be rejected all the same
TIES_HIGH = 3 * SPAN
FATE = 4 * SPAN  # of one frame's sample: a survivor (0), rejected low (1) or high (2), missing (3)
LOST_LOW = 5 * SPAN  # how many samples were rejected so far
LOST_HIGH = 6 * SPAN
VALUE = 7 * SPAN  # samples of one frame, side by side: what jumps from pixel to pixel is no SIMD
STATE = 8 * SPAN

# Sums over the frames, in another flat array.
SUM = 0 * SPAN  # of weighted samples
WEIGHT = 1 * SPAN
VARIANCE = 2 * SPAN
SUMS = 3 * SPAN


@kernel
def _begin(terms: F64, sums: F64) -> None:
    """Begin the sums of values, weights and variances of a span, as if no sample were lost."""
    offset = 0.0
    weight = 0.0
    variance = 0.0
    for f in range(terms.shape[0]):
        offset += terms[f, 3]
        weight += terms[f, 4]
        variance += terms[f, 5]
    for k in range(SPAN):
        sums[SUM + k] = offset
        sums[WEIGHT + k] = weight
        sums[VARIANCE + k] = variance


@kernel
def _find_losers(low: I32, high: I32, frames: int, pixels: int, losers: I32) -> int:
    """List the pixels of a chunk that lost a sample, and return their number."""
    number = 0
    for k in range(pixels):
        losers[number] = k
        number += high[k] - low[k] != frames
    return number


@kernel
def _find_bounds(ordered: F32, low: I32, high: I32, losers: I32, bounds: F32) -> None:
    """Find the least and the greatest surviving value of each pixel that lost samples.

    Rows 2 and 3 of `bounds` receive how many samples that equal these are rejected all the same:
    algorithms that reject a number of samples can cut through equal ones.
    """
    n = ordered.shape[1]
    for q in range(losers.size):
        k = losers[q]
        first = low[k]
        stop = high[k]
        bounds[0, q] = INF
        bounds[1, q] = -INF
        bounds[2, q] = 0.0
        bounds[3, q] = 0.0
        if first == stop:
            continue
        column = ordered[k // LANES, :, k % LANES]
        least = column[first]
        most = column[stop - 1]
        bounds[0, q] = least
        bounds[1, q] = most
        while first > 0 and column[first - 1] == least:
            bounds[2, q] += 1.0
            first -= 1
        while stop < n and column[stop] == most:
            bounds[3, q] += 1.0
            stop += 1


@kernel
def _add(source: F32, factor: float, sums: F64) -> None:
    """Add one frame's samples times a factor."""
    for k in range(source.shape[0]):
        sums[k] += np.float64(source[k]) * factor


@kernel
def _keep_values(source: F32, f: int, terms: F64, ordered: F32, block: int) -> None:
    """Put one frame's normalized samples of a span in the place of sorted ones."""
    used = source.shape[0]
    a = terms[0]
    b = terms[1]
    for start in range(0, used, LANES):
        values = ordered[block + start // LANES, f]
        for lane in range(min(LANES, used - start)):
            values[lane] = np.float32(np.float64(source[start + lane]) * a + b)


@kernel
def _gather(source: F32, losers: I32, state: F32) -> None:
    """Take one frame's samples of the pixels that lost some."""
    for q in range(losers.size):
        state[VALUE + q] = source[losers[q]]


@kernel
def _find_fates(state: F32, number: int, norm: F32, limits: F32) -> None:
    """Find what became of the samples of one frame that were gathered.

    Of the samples that equal a bound, as many as there are ties are rejected, in order of frames.
    """
    low = limits[0]
    high = limits[1]
    m = norm[0]
    s_low = norm[1]
    s_high = norm[2]
    z = norm[3]
    zero, one, two, three = np.float32(0), np.float32(1), np.float32(2), np.float32(3)
    for q in range(number):
        x = state[VALUE + q]
        y = (x - m) * (s_low if x <= m else s_high) + z
        least = state[LEAST + q]
        most = state[MOST + q]
        ties_low = state[TIES_LOW + q]
        ties_high = state[TIES_HIGH + q]
        inside = (x > low) & (x < high)
        tied_low = inside & (y == least) & (ties_low > zero)
        tied_high = inside & (y == most) & (ties_high > zero) & (not tied_low)
        under = (x <= low) | ((x < high) & (y < least)) | tied_low
        over = (x >= high) | (y > most) | tied_high
        missing = not np.abs(x) < INF
        rejected_low = under & (not missing)
        rejected_high = over & (not under) & (not missing)
        fate = one if rejected_low else (two if rejected_high else zero)
        state[FATE + q] = three if missing else fate
        state[TIES_LOW + q] = ties_low - (one if tied_low else zero)
        state[TIES_HIGH + q] = ties_high - (one if tied_high else zero)
        state[LOST_LOW + q] += one if rejected_low else zero
        state[LOST_HIGH + q] += one if rejected_high else zero


@kernel
def _add_survivors(state: F32, number: int, terms: F64, sums: F64) -> None:
    """Add the survivors of one frame's gathered samples."""
    factor, offset, weight, variance = terms[2], terms[3], terms[4], terms[5]
    for q in range(number):
        survives = state[FATE + q] == 0
        value = np.float64(state[VALUE + q]) * factor + offset
        sums[SUM + q] += value if survives else 0.0
        sums[WEIGHT + q] += weight if survives else 0.0
        sums[VARIANCE + q] += variance if survives else 0.0


@kernel
def _count(state: F32, number: int, lost: I64) -> None:
    """Count what one frame lost."""
    low = 0
    high = 0
    missing = 0
    for q in range(number):
        fate = state[FATE + q]
        low += fate == 1
        high += fate == 2
        missing += fate == 3
    lost[0] += low
    lost[1] += high
    lost[2] += missing


@kernel
def _mark(state: F32, losers: I32, marks: U8) -> None:
    """Mark one frame's rejected samples."""
    for q in range(losers.size):
        fate = state[FATE + q]
        if 0 < fate < 3:
            marks[losers[q]] = np.uint8(fate)


@kernel
def _drop(state: F32, losers: I32, ordered: F32, f: int) -> None:
    """Put inf in the place of one frame's samples that did not survive."""
    for q in range(losers.size):
        if state[FATE + q] != 0:
            ordered[losers[q] // LANES, f, losers[q] % LANES] = INF


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
        maps[0, at + k] = sums[SUM + k] / sums[WEIGHT + k]
    for k in range(pixels):
        maps[1, at + k] = sums[WEIGHT + k]
    for k in range(pixels):
        maps[4, at + k] = sums[VARIANCE + k] / (sums[WEIGHT + k] * sums[WEIGHT + k])


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
    losers = np.empty(pixels, np.int32)
    losers = losers[: _find_losers(low, high, n, pixels, losers)]
    bounds = np.empty((4, losers.size), np.float32)
    _find_bounds(ordered, low, high, losers, bounds)
    sums = np.empty(SUMS, np.float64)
    for start in range(0, pixels, SPAN):
        used = min(SPAN, pixels - start)
        _begin(terms, sums)
        for f in range(n if task != COUNT else 0):
            source = stack[f, first + start : first + start + used]
            if task == KEEP:
                _keep_values(source, f, terms[f], ordered, start // LANES)
            else:
                _add(source, terms[f, 2], sums)
        _divide(sums, maps, at + start, used)
        maps[2, at + start : at + start + used] = 0.0
        maps[3, at + start : at + start + used] = 0.0
    state = np.empty(STATE, np.float32)
    column = np.empty(n, np.float64)
    for start in range(0, losers.size, SPAN):
        here = losers[start : start + SPAN]
        number = here.size
        for row in range(4):
            for lane in range(number):
                state[row * SPAN + lane] = bounds[row, start + lane]
        state[LOST_LOW:] = 0.0
        sums[:] = 0.0
        for f in range(n):
            _gather(compared[f, first : first + pixels], here, state)
            _find_fates(state, number, norm[f], limits)
            _gather(stack[f, first : first + pixels], here, state)
            _add_survivors(state, number, terms[f], sums)
            _count(state, number, lost[f])
            if marks.shape[0] > 0:
                _mark(state, here, marks[f, mark_at:])
            if task == KEEP:
                _drop(state, here, ordered, f)
        for q in range(number):
            k = here[q]
            maps[0, at + k] = sums[SUM + q] / sums[WEIGHT + q]
            maps[1, at + k] = sums[WEIGHT + q]
            maps[2, at + k] = state[LOST_LOW + q]
            maps[3, at + k] = state[LOST_HIGH + q]
            maps[4, at + k] = sums[VARIANCE + q] / (sums[WEIGHT + q] * sums[WEIGHT + q])
            if high[k] == low[k]:
                maps[0, at + k] = _median_of_all(stack, first + k, terms, column)


@kernel
def sort_survivors(ordered: F32, low: I32, high: I32, network: I64) -> None:
    """Sort the values that `combine` kept; the survivors of lane i become rows 0 to ``high[i]``."""
    for b in range(ordered.shape[0]):
        sort_block(ordered[b], network, ordered.shape[1])
    for i in range(low.shape[0]):
        high[i] -= low[i]
        low[i] = 0
