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


@kernel
def _begin(terms: F64, sums: F64) -> None:
    """Begin the sums of values, weights and variances of a span.

    They are those of all frames: the few pixels that lost a sample are summed up anew later.
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
    """List the pixels of a span that lost a sample, and return their number.

    `bounds` receives the least and the greatest surviving value of each of them, and `ties` how
    many samples equal to these are rejected all the same: algorithms that reject a number of
    samples can cut through equal ones.
    """
    n = ordered.shape[1]
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
            bounds[0, number] = INF
            bounds[1, number] = -INF
        else:
            column = ordered[(start + k) // LANES, :, (start + k) % LANES]
            least = column[first]
            most = column[stop - 1]
            bounds[0, number] = least
            bounds[1, number] = most
            while first > 0 and column[first - 1] == least:
                ties[0, number] += 1
                first -= 1
            while stop < n and column[stop] == most:
                ties[1, number] += 1
                stop += 1
        number += 1
    return number


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
def _find_fates(
    source: F32,
    losers: I32,
    number: int,
    norm: F32,
    limits: F32,
    bounds: F32,
    fates: I32,
) -> None:
    """Find what became of the samples of one frame in the pixels that lost some.

    `fates` receives 1 and 2 for samples rejected low and high, 3 for missing ones, 0 for survivors
    and for all that equal the least or the greatest survivor.
    """
    low = limits[0]
    high = limits[1]
    m = norm[0]
    s_low = norm[1]
    s_high = norm[2]
    z = norm[3]
    for q in range(number):
        x = source[losers[q]]
        y = (x - m) * (s_low if x <= m else s_high) + z
        under = (x <= low) | ((x < high) & (y < bounds[0, q]))
        over = (x >= high) | (y > bounds[1, q])
        missing = not np.abs(x) < INF
        fates[q] = 3 if missing else (1 if under else (2 if over else 0))


@kernel
def _cut_ties(
    compared: F32,
    column: int,
    norm: F32,
    least: np.float32,
    most: np.float32,
    ties: I32,
    fates: I32,
) -> None:
    """Reject as many samples of one pixel that equal a bound as `ties` says, in order of frames."""
    low = ties[0]
    high = ties[1]
    for f in range(compared.shape[0]):
        if fates[f] != 0:
            continue
        x = compared[f, column]
        y = (x - norm[f, 0]) * (norm[f, 1] if x <= norm[f, 0] else norm[f, 2]) + norm[f, 3]
        if y == least and low > 0:
            low -= 1
            fates[f] = 1
        elif y == most and high > 0:
            high -= 1
            fates[f] = 2


@kernel
def _add_survivors(
    source: F32, losers: I32, number: int, terms: F64, fates: I32, sums: F64
) -> None:
    """Add one frame's surviving samples in the pixels that lost some."""
    for q in range(number):
        survives = fates[q] == 0
        value = np.float64(source[losers[q]]) * terms[2] + terms[3]
        sums[0, q] += value if survives else 0.0
        sums[1, q] += terms[4] if survives else 0.0
        sums[2, q] += terms[5] if survives else 0.0


@kernel
def _count(fates: I32, number: int, rejected: I32, lost: I64) -> None:
    """Count what one frame lost, and what the pixels lost low and high."""
    low = 0
    high = 0
    missing = 0
    for q in range(number):
        fate = fates[q]
        low += fate == 1
        high += fate == 2
        missing += fate == 3
        rejected[0, q] += fate == 1
        rejected[1, q] += fate == 2
    lost[0] += low
    lost[1] += high
    lost[2] += missing


@kernel
def _mark(fates: I32, number: int, losers: I32, marks: U8) -> None:
    """Mark one frame's rejected samples of a span."""
    for q in range(number):
        if fates[q] == 1 or fates[q] == 2:
            marks[losers[q]] = fates[q]


@kernel
def _drop(fates: I32, number: int, losers: I32, ordered: F32, block: int, f: int) -> None:
    """Put inf in the place of one frame's samples that did not survive."""
    for q in range(number):
        if fates[q] != 0:
            ordered[block + losers[q] // LANES, f, losers[q] % LANES] = INF


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
    sums = np.empty((3, SPAN), np.float64)
    fresh = np.empty((3, SPAN), np.float64)
    rejected = np.empty((2, SPAN), np.int32)
    fates = np.empty((n, SPAN), np.int32)
    column = np.empty(n, np.float64)
    for start in range(0, pixels, SPAN):
        used = min(SPAN, pixels - start)
        here = at + start
        number = _bounds(ordered, low, high, start, used, bounds, losers, ties)
        _begin(terms, sums)
        for f in range(n if task != COUNT else 0):
            source = stack[f, first + start : first + start + used]
            if task == KEEP:
                _keep_values(source, f, terms[f], ordered, start // LANES)
            else:
                _add(source, terms[f, 2], sums[0])
        for f in range(n if number > 0 else 0):
            frame = compared[f, first + start : first + start + used]
            _find_fates(frame, losers, number, norm[f], limits, bounds, fates[f])
        for q in range(number):
            if ties[0, q] + ties[1, q] > 0:
                k = first + start + losers[q]
                _cut_ties(compared, k, norm, bounds[0, q], bounds[1, q], ties[:, q], fates[:, q])
        fresh[:, :number] = 0.0
        rejected[:, :number] = 0
        for f in range(n if number > 0 else 0):
            part = slice(first + start, first + start + used)
            _add_survivors(stack[f, part], losers, number, terms[f], fates[f], fresh)
            _count(fates[f], number, rejected, lost[f])
            if marks.shape[0] > 0:
                _mark(fates[f], number, losers, marks[f, mark_at + start :])
            if task == KEEP:
                _drop(fates[f], number, losers, ordered, start // LANES, f)
        maps[2, here : here + used] = 0.0
        maps[3, here : here + used] = 0.0
        for q in range(number):
            k = losers[q]
            for row in range(3):
                sums[row, k] = fresh[row, q]
            maps[2, here + k] = rejected[0, q]
            maps[3, here + k] = rejected[1, q]
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
