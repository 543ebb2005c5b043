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
"""The slope is found to about this part of itself."""

_NOTHING = _PRECISION / np.float32(4.0)
"""Mean deviation that the precision of the slope makes, as a part of the rise of the line."""

_ROUNDING = np.float32(2.0**-21)
"""What rounding may make of a residual, as a part of the rise of the line: four roundings of 2^-24.
Several integers often lie on one line; their signs would be chance, and stop the search there."""

_LEAST_STEEP = np.float32(2.0**-126)
"""No upper bound is flatter: of samples further below 1e-38 the mean slope would round to zero, and
zero, doubled, stays zero."""

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
LEAST_CENTRE = 17 * LANES
MOST_CENTRE = 18 * LANES
ABOVE = 19 * LANES  # samples above the line, and the sum of their ranks
RANKS_ABOVE = 20 * LANES
BELOW = 21 * LANES
RANKS_BELOW = 22 * LANES
TINY = 23 * LANES  # samples this near to the line are on it: float32 tells no more


@kernel
def _balance(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Fit a line of given slope: centre a, ``sum(|y - a - b x|)`` and how it falls with b.

    It falls by ``sum(x s)``, s the signs of ``y - a - b x``. Samples on the line, such as the
    middle one of an odd number, have equal signs between -1 and 1 with which the sum of all is zero
    (as it must be where a is best): integers often lie on a line, several at a time.
    """
    half = np.float32(0.5)
    zero = np.float32(0.0)
    one = np.float32(1.0)
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
        scratch[DEVIATION + lane] = zero
        scratch[ABOVE + lane] = zero
        scratch[BELOW + lane] = zero
        scratch[RANKS_ABOVE + lane] = zero
        scratch[RANKS_BELOW + lane] = zero
    for f in range(n):
        y = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        x = np.float32(f)
        for lane in range(LANES):
            d = y[lane] - scratch[SLOPE + lane] * x - scratch[CENTRE + lane]
            tiny = scratch[TINY + lane]
            scratch[DEVIATION + lane] += np.abs(d)
            scratch[ABOVE + lane] += one if d > tiny else zero
            scratch[BELOW + lane] += one if d < -tiny else zero
            scratch[RANKS_ABOVE + lane] += x if d > tiny else zero
            scratch[RANKS_BELOW + lane] += x if d < -tiny else zero
    count = np.float32(n)
    ranks = np.float32(n * (n - 1) // 2)
    for lane in range(LANES):
        above_line = scratch[ABOVE + lane]
        below_line = scratch[BELOW + lane]
        signs = scratch[RANKS_ABOVE + lane] - scratch[RANKS_BELOW + lane]
        on_line = count - above_line - below_line
        ranks_on_line = ranks - scratch[RANKS_ABOVE + lane] - scratch[RANKS_BELOW + lane]
        share = (below_line - above_line) / max(on_line, one)
        scratch[SIGNS + lane] = signs + share * ranks_on_line


@kernel
def _guess(scratch: F32, n: int) -> None:
    """Expect the slope near that of a least squares line through the middle four fifths.

    Half a percent of Gaussian stacks have their slope outside of what is tried first.
    """
    zero = np.float32(0.0)
    first = n // 10
    middle = np.float32(0.5 * (n - 1))
    squares = np.float32(0.0)
    for lane in range(LANES):
        scratch[SLOPE + lane] = zero
    for f in range(first, n - first):
        y = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        x = np.float32(f) - middle
        squares += x * x
        for lane in range(LANES):
            scratch[SLOPE + lane] += x * y[lane]
    apart = np.float32(1.4 / np.sqrt(n))
    flat = (np.float32(1.06) - apart) / squares
    steep = (np.float32(1.06) + apart) / squares
    for lane in range(LANES):
        products = scratch[SLOPE + lane]
        scratch[SLOPE + lane] = flat * products
        scratch[MOST + lane] = steep * products


@kernel
def _remember(scratch: F32, n: int, slopes: F32, queue: I32, at: int, used: int) -> None:
    """Expect the slope near that of the round before: without its extremes a stack is flatter.

    Of Gaussian stacks of 20 samples that lost one, 97 % have their slope in what is tried first; of
    100, nearly all.
    """
    flat = np.float32(max(0.5, 1.0 - 6.0 / n))
    steep = np.float32(1.0 + 1.0 / n)
    for lane in range(LANES):
        before = slopes[queue[at + (lane if lane < used else 0)]]
        scratch[SLOPE + lane] = flat * before
        scratch[MOST + lane] = steep * before


@kernel
def _enclose(scratch: F32, n: int, residuals: F32, network: I64) -> None:
    """Find slopes on both sides of the best one, from what is expected to be too flat and steep."""
    zero = np.float32(0.0)
    one = np.float32(1.0)
    least = scratch[DATA : DATA + LANES]
    last = DATA + (n - 1) * LANES
    whole = np.float32(n - 1)
    for lane in range(LANES):
        # Where the middle of the stack is level, the whole of it tells how steep the line may be.
        mean = (scratch[last + lane] - least[lane]) / whole
        steep = scratch[MOST + lane]
        steep = steep if steep > zero else max(mean, _LEAST_STEEP)
        scratch[MOST + lane] = steep
        scratch[MOST_SIGNS + lane] = one
        scratch[LEAST + lane] = zero
        scratch[LEAST_SIGNS + lane] = one
        scratch[LEAST_DEVIATION + lane] = zero
        scratch[TOLERANCE + lane] = _PRECISION * steep
        scratch[TINY + lane] = _ROUNDING * steep * whole
    _balance(scratch, n, residuals, network)
    _move_bounds(scratch)
    for lane in range(LANES):
        scratch[SLOPE + lane] = scratch[MOST + lane] if scratch[MOST_SIGNS + lane] > zero else zero
    _balance(scratch, n, residuals, network)
    while _move_bounds(scratch):
        for lane in range(LANES):
            slope = scratch[SLOPE + lane]
            open_ended = scratch[MOST_SIGNS + lane] > zero
            scratch[SLOPE + lane] = slope + slope if open_ended else slope
        _balance(scratch, n, residuals, network)


@kernel
def _move_bounds(scratch: F32) -> bool:
    """Make the line just balanced the new bound on its side; return whether any has no upper one.

    As long as no line was too steep, the sum of signs of the upper bound is above zero.
    """
    found = False
    zero = np.float32(0.0)
    for lane in range(LANES):
        slope = scratch[SLOPE + lane]
        signs = scratch[SIGNS + lane]
        deviation = scratch[DEVIATION + lane]
        centre = scratch[CENTRE + lane]
        flat = signs > zero
        least = scratch[LEAST + lane]
        least_signs = scratch[LEAST_SIGNS + lane]
        least_deviation = scratch[LEAST_DEVIATION + lane]
        least_centre = scratch[LEAST_CENTRE + lane]
        most = scratch[MOST + lane]
        most_signs = scratch[MOST_SIGNS + lane]
        most_deviation = scratch[MOST_DEVIATION + lane]
        most_centre = scratch[MOST_CENTRE + lane]
        scratch[LEAST + lane] = slope if flat else least
        scratch[LEAST_SIGNS + lane] = signs if flat else least_signs
        scratch[LEAST_DEVIATION + lane] = deviation if flat else least_deviation
        scratch[LEAST_CENTRE + lane] = centre if flat else least_centre
        scratch[MOST + lane] = most if flat else slope
        scratch[MOST_SIGNS + lane] = most_signs if flat else signs
        scratch[MOST_DEVIATION + lane] = most_deviation if flat else deviation
        scratch[MOST_CENTRE + lane] = most_centre if flat else centre
        found |= flat & (most_signs > zero)
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
    part = np.float32(1.0 / n)
    for lane in range(LANES):
        steep = scratch[SLOPE + lane] == scratch[MOST + lane]
        least_centre = scratch[LEAST_CENTRE + lane]
        most_centre = scratch[MOST_CENTRE + lane]
        least_deviation = scratch[LEAST_DEVIATION + lane]
        most_deviation = scratch[MOST_DEVIATION + lane]
        scratch[CENTRE + lane] = most_centre if steep else least_centre
        scratch[DEVIATION + lane] = part * (most_deviation if steep else least_deviation)


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
            if fresh:
                _guess(scratch, n)
            else:
                _remember(scratch, n, slopes, queue, at, used)
            _fit(scratch, n, residuals, network)
            for lane in range(used):
                i = queue[at + lane]
                a = scratch[CENTRE + lane]
                b = scratch[SLOPE + lane]
                deviation = scratch[DEVIATION + lane]
                slopes[i] = b
                if not deviation > _NOTHING * b * np.float32(n):  # samples exactly on a line
                    continue
                sigma = np.float32(2.0) * deviation
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
