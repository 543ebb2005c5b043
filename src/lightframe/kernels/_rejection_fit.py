"""Linear fit clipping: a straight line through the sorted samples of each stack."""

import numpy as np

from lightframe.kernels._compile import kernel
from lightframe.kernels._rejection_queue import DATA, enqueue, group, pack
from lightframe.kernels._stack import F32, I32, I64, LANES, sort_block

__all__ = ["BISECTIONS", "FEWEST", "reject_linear_fit"]

FEWEST = 5
"""A line is fitted to no fewer samples."""

BISECTIONS = 16
"""The slope is found to about 1e-5 of the slope between the quartiles."""

# State of the lanes in the flat scratch array (0 to 5 belong to the queue).
CENTRE = 6 * LANES  # a: the median of y - b x
SLOPE = 7 * LANES
LEAST = 8 * LANES
MOST = 9 * LANES
SIGNS = 10 * LANES
DEVIATION = 11 * LANES
OPEN = 12 * LANES


@kernel
def _balance(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Set the centre to the median of ``y - b x``, and the signs to ``sum(x sgn(y - a - b x))``."""
    half = np.float32(0.5)
    zero = np.float32(0.0)
    for f in range(n):
        y = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        r = residuals[f]
        x = np.float32(f)
        for lane in range(LANES):
            r[lane] = y[lane] - scratch[SLOPE + lane] * x
    sort_block(residuals, network, n)
    below = residuals[(n - 1) // 2]
    above = residuals[n // 2]
    for lane in range(LANES):
        scratch[CENTRE + lane] = half * (below[lane] + above[lane])
        scratch[SIGNS + lane] = zero
    for f in range(n):
        y = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        x = np.float32(f)
        for lane in range(LANES):
            r = y[lane] - scratch[SLOPE + lane] * x
            centre = scratch[CENTRE + lane]
            scratch[SIGNS + lane] += (x if r > centre else zero) - (x if r < centre else zero)


@kernel
def _fit(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Fit ``y = a + b x`` with the least mean absolute deviation, x the rank.

    b is the least slope with ``sum(x sgn(y - a - b x)) <= 0``, a the median of ``y - b x``: the sum
    falls with b, and is not negative at b = 0, for y is sorted.
    """
    zero = np.float32(0.0)
    quarter = DATA + n // 4 * LANES
    three_quarters = DATA + (n - 1 - n // 4) * LANES
    last = DATA + (n - 1) * LANES
    apart = np.float32(n - 1 - 2 * (n // 4))
    whole = np.float32(n - 1)
    for lane in range(LANES):
        b = (scratch[three_quarters + lane] - scratch[quarter + lane]) / apart
        mean = (scratch[last + lane] - scratch[DATA + lane]) / whole
        scratch[MOST + lane] = np.float32(1.5) * (b if b > 0 else mean)
        scratch[LEAST + lane] = np.float32(0.5) * scratch[MOST + lane]
    # Most lines are about as steep as the one through the quartiles; widen where one is not.
    for lane in range(LANES):
        scratch[SLOPE + lane] = scratch[LEAST + lane]
    _balance(scratch, n, residuals, network)
    for lane in range(LANES):
        steep = scratch[SIGNS + lane] > zero
        scratch[LEAST + lane] = scratch[LEAST + lane] if steep else zero
    widening = True
    while widening:
        for lane in range(LANES):
            scratch[SLOPE + lane] = scratch[MOST + lane]
        _balance(scratch, n, residuals, network)
        wider = 0
        for lane in range(LANES):
            more = scratch[SIGNS + lane] > zero
            scratch[LEAST + lane] = scratch[MOST + lane] if more else scratch[LEAST + lane]
            scratch[MOST + lane] *= np.float32(2.0) if more else np.float32(1.0)
            wider += more
        widening = wider > 0
    for _ in range(BISECTIONS):
        for lane in range(LANES):
            scratch[SLOPE + lane] = np.float32(0.5) * (scratch[LEAST + lane] + scratch[MOST + lane])
        _balance(scratch, n, residuals, network)
        for lane in range(LANES):
            b = scratch[SLOPE + lane]
            more = scratch[SIGNS + lane] > zero
            scratch[LEAST + lane] = b if more else scratch[LEAST + lane]
            scratch[MOST + lane] = scratch[MOST + lane] if more else b
    for lane in range(LANES):
        scratch[DEVIATION + lane] = zero
    for f in range(n):
        y = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        x = np.float32(f)
        for lane in range(LANES):
            r = y[lane] - scratch[SLOPE + lane] * x - scratch[CENTRE + lane]
            scratch[DEVIATION + lane] += np.abs(r)
    for lane in range(LANES):
        scratch[DEVIATION + lane] /= np.float32(n)


@kernel
def reject_linear_fit(
    ordered: F32,
    low: I32,
    high: I32,
    network: I64,
    scratch: F32,
    residuals: F32,
    lists: I32,
    slopes: F32,
    limits: tuple[float, float],
    sides: int,
    minimum: int,
    rounds: int,
) -> None:
    """Linear fit clipping of sorted stacks.

    In each round a line is fitted to the survivors as they are numbered now; sigma is twice the
    mean absolute deviation from it; from the ends inwards, samples at or beyond the line
    - limits[0] * sigma and + limits[1] * sigma are rejected. The rounds end when nothing is
    rejected or fewer than five samples are left. A sigma of zero rejects nothing.

    Parameters
    ----------
    ordered, low, high, network, scratch, lists
        As in `lightframe.kernels._rejection_winsorized.reject_winsorized`.
    residuals : ndarray, shape (frames, LANES), float32
        Scratch.
    slopes : ndarray, shape (blocks * LANES,), float32
        Receives the slope of the last line of each stack, in units of the samples per rank; NaN
        where there are too few samples.
    limits : tuple of float
        Low and high limit in units of sigma.
    sides, minimum : int
        As in `lightframe.kernels._rejection_queue.settle`.
    rounds : int
        The rejection ends after this number of rounds at the latest.
    """
    queue = lists[0]
    slopes[:] = np.nan
    pending = enqueue(low, high, FEWEST, queue)
    while pending > 0 and rounds > 0:
        group(queue, pending, low, high, lists[2], lists[1])
        at = 0
        kept = 0
        while at < pending:
            head = queue[at]
            n = high[head] - low[head]
            used = pack(ordered, queue, at, pending, low, high, scratch)
            _fit(scratch, n, residuals, network)
            for lane in range(used):
                i = queue[at + lane]
                a = scratch[CENTRE + lane]
                b = scratch[SLOPE + lane]
                sigma = np.float32(2.0) * scratch[DEVIATION + lane]
                slopes[i] = b
                if not sigma > 0:
                    continue
                below = -np.float32(limits[0]) * sigma
                above = np.float32(limits[1]) * sigma
                start = 0
                stop = n
                while sides & 1 and start < stop:
                    r = scratch[DATA + start * LANES + lane] - a - b * np.float32(start)
                    if r > below:
                        break
                    start += 1
                while sides & 2 and stop > start:
                    f = stop - 1
                    r = scratch[DATA + f * LANES + lane] - a - b * np.float32(f)
                    if r < above:
                        break
                    stop -= 1
                if stop - start < minimum or stop - start == n:
                    continue
                high[i] = low[i] + stop
                low[i] += start
                if stop - start >= FEWEST:
                    queue[kept] = i
                    kept += 1
            at += used
        pending = kept
        rounds -= 1
