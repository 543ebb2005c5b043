"""Linear fit clipping: a straight line through the sorted samples of each stack."""

import numpy as np

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START
from lightframe.kernels._rejection_queue import DATA, enqueue, group, pack
from lightframe.kernels._stack import F32, I32, I64, LANES, sort_block

__all__ = ["FEWEST", "MOST_STEPS", "reject_linear_fit"]

FEWEST = 5
"""A line is fitted to no fewer samples."""

MOST_STEPS = 40
"""The search for the slope ends here at the latest; five to twelve steps are usual."""

_PRECISION = np.float32(2.0**-17)
"""The slope is found to about this part of the slope between the quartiles."""

# State of the lanes in the flat scratch array (0 to 5 belong to the queue).
CENTRE = 6 * LANES  # a: the median of y - b x
SLOPE = 7 * LANES
SIGNS = 8 * LANES
DEVIATION = 9 * LANES
LEAST = 10 * LANES  # the slope lies between these, of which all is known
LEAST_SIGNS = 11 * LANES
LEAST_DEVIATION = 12 * LANES
MOST = 13 * LANES
MOST_SIGNS = 14 * LANES
MOST_DEVIATION = 15 * LANES
TOLERANCE = 16 * LANES


@kernel
def _balance(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Fit a line of given slope: centre, ``sum(x sgn(y - a - b x))`` and ``sum(|y - a - b x|)``."""
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
        scratch[DEVIATION + lane] = zero
    for f in range(n):
        y = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        x = np.float32(f)
        for lane in range(LANES):
            d = y[lane] - scratch[SLOPE + lane] * x - scratch[CENTRE + lane]
            scratch[SIGNS + lane] += (x if d > zero else zero) - (x if d < zero else zero)
            scratch[DEVIATION + lane] += np.abs(d)


@kernel
def _enclose(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Find slopes on both sides of the best one."""
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
        scratch[TOLERANCE + lane] = _PRECISION * scratch[MOST + lane]
        scratch[SLOPE + lane] = np.float32(0.5) * scratch[MOST + lane]
    # Most lines are about as steep as the one through the quartiles; widen where one is not.
    _balance(scratch, n, residuals, network)
    too_steep = False
    for lane in range(LANES):
        slope = scratch[SLOPE + lane]
        steep = scratch[SIGNS + lane] <= zero
        scratch[SLOPE + lane] = zero if steep else slope
        too_steep |= steep
    if too_steep:
        _balance(scratch, n, residuals, network)
    for lane in range(LANES):
        scratch[LEAST + lane] = scratch[SLOPE + lane]
        scratch[LEAST_SIGNS + lane] = scratch[SIGNS + lane]
        scratch[LEAST_DEVIATION + lane] = scratch[DEVIATION + lane]
        scratch[SLOPE + lane] = scratch[MOST + lane]
    _balance(scratch, n, residuals, network)
    while _move_bounds(scratch):
        for lane in range(LANES):
            slope = scratch[SLOPE + lane]
            scratch[SLOPE + lane] = slope * np.float32(2.0 if scratch[SIGNS + lane] > 0 else 1.0)
        _balance(scratch, n, residuals, network)


@kernel
def _move_bounds(scratch: F32) -> bool:
    """Make the line just balanced the new bound on its side; return whether any is too flat."""
    found = False
    for lane in range(LANES):
        slope = scratch[SLOPE + lane]
        signs = scratch[SIGNS + lane]
        deviation = scratch[DEVIATION + lane]
        flat = signs > 0
        least = scratch[LEAST + lane]
        least_signs = scratch[LEAST_SIGNS + lane]
        least_deviation = scratch[LEAST_DEVIATION + lane]
        most = scratch[MOST + lane]
        most_signs = scratch[MOST_SIGNS + lane]
        most_deviation = scratch[MOST_DEVIATION + lane]
        scratch[LEAST + lane] = slope if flat else least
        scratch[LEAST_SIGNS + lane] = signs if flat else least_signs
        scratch[LEAST_DEVIATION + lane] = deviation if flat else least_deviation
        scratch[MOST + lane] = most if flat else slope
        scratch[MOST_SIGNS + lane] = most_signs if flat else signs
        scratch[MOST_DEVIATION + lane] = most_deviation if flat else deviation
        found |= flat
    return found


@kernel
def _meet(scratch: F32) -> bool:
    """Propose the slope where the tangents at both bounds meet; return whether it is new anywhere.

    The deviation is a convex polygon over the slope, and falls by the sum of signs. Where the
    tangents meet at one of the bounds there is no better slope.
    """
    found = False
    for lane in range(LANES):
        least = scratch[LEAST + lane]
        most = scratch[MOST + lane]
        signs = scratch[MOST_SIGNS + lane]
        tolerance = scratch[TOLERANCE + lane]
        falls = scratch[LEAST_SIGNS + lane] - signs
        higher = scratch[LEAST_DEVIATION + lane] - scratch[MOST_DEVIATION + lane]
        step = (higher - signs * (most - least)) / falls
        inside = (step > tolerance) & (step < most - least - tolerance)
        end = most if step > tolerance else least
        scratch[SLOPE + lane] = least + step if inside else end
        found |= inside
    return found


@kernel
def _fit(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Fit ``y = a + b x`` with the least mean absolute deviation, x the rank.

    a is the median of ``y - b x``, b where ``sum(x sgn(y - a - b x))`` falls through zero; that sum
    is not negative at b = 0, for y is sorted.
    """
    _enclose(scratch, n, residuals, network)
    for _ in range(MOST_STEPS):
        if not _meet(scratch):
            break
        _balance(scratch, n, residuals, network)
        _move_bounds(scratch)
    _balance(scratch, n, residuals, network)
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
    fresh = True
    while pending > 0 and rounds > 0:
        group(queue, pending, low, high, lists[2], lists[1])
        at = START
        kept = START
        while at < pending:
            head = queue[at]
            n = high[head] - low[head]
            used = pack(ordered, queue, at, pending, low, high, scratch, fresh)
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
        fresh = False
