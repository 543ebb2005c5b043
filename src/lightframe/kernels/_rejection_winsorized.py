"""Winsorized sigma clipping: the reference algorithm of June 2021, sixty-four pixels at a time."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START
from lightframe.kernels._rejection_queue import (
    DATA,
    FIRST,
    LAST,
    ORIGIN,
    enqueue,
    group,
    pack,
    place_limits,
    settle,
)
from lightframe.kernels._stack import F32, I32, I64, INF, LANES, Samples, sort_block

__all__ = ["MOST_ROUNDS", "reject_winsorized", "sn_constant", "sn_deviations"]

U16 = npt.NDArray[np.uint16]

MOST_ROUNDS = 64
"""Winsorization ends here if the standard deviation still shrinks (it then goes to zero)."""

# State of the lanes in the flat scratch array (0 to 5 belong to the queue).
MEAN = 6 * LANES
SIGMA = 7 * LANES
BELOW = 8 * LANES  # every sample has been raised to this by now
ABOVE = 9 * LANES  # and lowered to this
SUM = 10 * LANES
SQUARES = 11 * LANES
CUT_BELOW = 12 * LANES
CUT_ABOVE = 13 * LANES
ACTIVE = 14 * LANES
CORE_SUM = 15 * LANES  # sums over the middle of the stack, where nothing is winsorized as a rule
CORE_SQUARES = 16 * LANES
WAS_BELOW = 17 * LANES  # the limits of the round before
WAS_ABOVE = 18 * LANES


@kernel
def sn_constant(n: int) -> float:
    """Return the factor that makes Sn of `n` samples estimate a Gaussian's sigma.

    C. Croux and P. J. Rousseeuw, "Time-efficient algorithms for two highly robust estimators of
    scale", Computational Statistics 1 (1992) 411.
    """
    if n < 2:
        return 1.1926
    if n < 10:
        small = (0.743, 1.851, 0.954, 1.351, 0.993, 1.198, 1.005, 1.131)
        return 1.1926 * small[n - 2]
    if n % 2 == 1:
        return 1.1926 * n / (n - 0.9)
    return 1.1926


@kernel
def sn_deviations(samples: Samples, at: int, n: int, deviations: Samples) -> None:
    """For each of `n` sorted samples, the high median of its distances to all samples.

    In a sorted stack the h = n // 2 + 1 samples nearest to sample i are h neighbours, so that the
    h-th smallest distance is the least, over all windows a .. a + h - 1 that hold i, of
    ``max(x[i] - x[a], x[a + h - 1] - x[i])``. All windows are tried, and one more for every other
    sample, which cannot be the least: n^2 / 4 steps without a branch are faster, up to some 200
    frames, than an ordered merge with one.

    Parameters
    ----------
    samples : flat ndarray of float32 or uint16
        Sample f of lane l is ``samples[at + f * LANES + l]``. Distances below zero occur in that
        one window alone; whatever they become as integers, the other distance in it is too large.
    deviations : ndarray, shape (>= n, LANES), of the same type
        Receives them.
    """
    kind = deviations.dtype.type
    h = n // 2 + 1
    for pair in range(0, n, 2):
        i = min(pair, n - 2)
        here = samples[at + i * LANES : at + (i + 2) * LANES]
        nearest = deviations[i]
        next_nearest = deviations[i + 1]
        a = max(0, i - h + 1)
        stop = min(i + 1, n - h) + 1
        p = at + a * LANES
        q = at + (a + h - 1) * LANES
        first = samples[p : p + LANES]
        last = samples[q : q + LANES]
        for lane in range(LANES):
            x = here[lane]
            y = here[lane + LANES]
            a0 = first[lane]
            b0 = last[lane]
            nearest[lane] = max(kind(x - a0), kind(b0 - x))
            next_nearest[lane] = max(kind(y - a0), kind(b0 - y))
        a += 1
        while a + 3 < stop:
            p = at + a * LANES
            q = at + (a + h - 1) * LANES
            first = samples[p : p + 4 * LANES]
            last = samples[q : q + 4 * LANES]
            for lane in range(LANES):
                x = here[lane]
                y = here[lane + LANES]
                a0, a1 = first[lane], first[lane + LANES]
                a2, a3 = first[lane + 2 * LANES], first[lane + 3 * LANES]
                b0, b1 = last[lane], last[lane + LANES]
                b2, b3 = last[lane + 2 * LANES], last[lane + 3 * LANES]
                d0 = min(max(kind(x - a0), kind(b0 - x)), max(kind(x - a1), kind(b1 - x)))
                d1 = min(max(kind(x - a2), kind(b2 - x)), max(kind(x - a3), kind(b3 - x)))
                nearest[lane] = min(nearest[lane], d0, d1)
                d0 = min(max(kind(y - a0), kind(b0 - y)), max(kind(y - a1), kind(b1 - y)))
                d1 = min(max(kind(y - a2), kind(b2 - y)), max(kind(y - a3), kind(b3 - y)))
                next_nearest[lane] = min(next_nearest[lane], d0, d1)
            a += 4
        while a < stop:
            p = at + a * LANES
            q = at + (a + h - 1) * LANES
            first = samples[p : p + LANES]
            last = samples[q : q + LANES]
            for lane in range(LANES):
                x = here[lane]
                y = here[lane + LANES]
                a0 = first[lane]
                b0 = last[lane]
                nearest[lane] = min(nearest[lane], max(kind(x - a0), kind(b0 - x)))
                next_nearest[lane] = min(next_nearest[lane], max(kind(y - a0), kind(b0 - y)))
            a += 1


@kernel
def _spread(
    samples: Samples, at: int, n: int, deviations: Samples, network: I64, scratch: F32
) -> None:
    """Put the low median of the deviations of Sn in the place of sigma."""
    sn_deviations(samples, at, n, deviations)
    sort_block(deviations, network, n)
    middle = deviations[(n + 1) // 2 - 1]
    for lane in range(LANES):
        scratch[SIGMA + lane] = middle[lane]


@kernel
def _restore_integers(scratch: F32, n: int, samples: U16) -> None:
    """Write the packed samples as the integers that they were."""
    for f in range(n):
        source = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        target = samples[f * LANES : (f + 1) * LANES]
        for lane in range(LANES):
            target[lane] = np.uint16(np.int32(source[lane] + scratch[ORIGIN + lane]))


@kernel
def _start(scratch: F32, n: int) -> None:
    """Start from the median, and from Sn in place of the median deviation."""
    factor = np.float32(sn_constant(n))
    half = np.float32(0.5)
    a = DATA + (n - 1) // 2 * LANES
    b = DATA + n // 2 * LANES
    for lane in range(LANES):
        scratch[MEAN + lane] = half * (scratch[a + lane] + scratch[b + lane])
        scratch[SIGMA + lane] *= factor
        scratch[BELOW + lane] = -INF
        scratch[ABOVE + lane] = INF
        scratch[ACTIVE + lane] = np.float32(1.0)


@kernel
def _limits(scratch: F32, cutoff: np.float32) -> None:
    """Narrow the limits of winsorization to mean +- 1.5 sigma; place the cutoff.

    Lanes that are done have no limits: nothing in them asks for work.
    """
    width = np.float32(1.5)
    for lane in range(LANES):
        mean = scratch[MEAN + lane]
        sigma = scratch[SIGMA + lane]
        below = scratch[BELOW + lane]
        above = scratch[ABOVE + lane]
        active = scratch[ACTIVE + lane] > 0
        scratch[WAS_BELOW + lane] = below
        scratch[WAS_ABOVE + lane] = above
        scratch[CUT_BELOW + lane] = mean - cutoff * sigma if active else -INF
        scratch[CUT_ABOVE + lane] = mean + cutoff * sigma if active else INF
        scratch[BELOW + lane] = max(below, mean - width * sigma) if active else -INF
        scratch[ABOVE + lane] = min(above, mean + width * sigma) if active else INF


@kernel
def _any_beyond(scratch: F32, least: int, below: int, most: int, above: int) -> bool:
    """Whether any lane of row `least` is under that of row `below`, or of `most` over `above`."""
    low = scratch[least : least + LANES]
    low_limit = scratch[below : below + LANES]
    high = scratch[most : most + LANES]
    high_limit = scratch[above : above + LANES]
    found = False
    for lane in range(LANES):
        found |= (low[lane] < low_limit[lane]) | (high[lane] > high_limit[lane])
    return found


@kernel
def _cut(scratch: F32, n: int) -> None:
    """Put the mean in place of samples beyond the cutoff.

    The samples have been winsorized to the limits of the round before when they are compared.
    """
    for f in range(n):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            sample = x[lane]
            mean = scratch[MEAN + lane]
            v = min(max(sample, scratch[WAS_BELOW + lane]), scratch[WAS_ABOVE + lane])
            beyond = (v < scratch[CUT_BELOW + lane]) | (v > scratch[CUT_ABOVE + lane])
            x[lane] = mean if beyond else sample


@kernel
def _add_core(scratch: F32, first: int, stop: int) -> None:
    """Sum up the winsorized samples of the middle of the stack, and their squares."""
    for lane in range(LANES):
        scratch[CORE_SUM + lane] = np.float32(0.0)
        scratch[CORE_SQUARES + lane] = np.float32(0.0)
    for f in range(first, stop):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            v = min(max(x[lane], scratch[BELOW + lane]), scratch[ABOVE + lane])
            scratch[CORE_SUM + lane] += v
            scratch[CORE_SQUARES + lane] += v * v


@kernel
def _add_ends(scratch: F32, first: int, n: int) -> None:
    """Add to the sums of the middle those of the two ends of the stack, four samples a step."""
    for lane in range(LANES):
        scratch[SUM + lane] = scratch[CORE_SUM + lane]
        scratch[SQUARES + lane] = scratch[CORE_SQUARES + lane]
    for f in range(0, first, 2):
        x = scratch[DATA + f * LANES : DATA + (f + 2) * LANES]
        y = scratch[DATA + (n - f - 2) * LANES : DATA + (n - f) * LANES]
        for lane in range(LANES):
            below = scratch[BELOW + lane]
            above = scratch[ABOVE + lane]
            v0 = min(max(x[lane], below), above)
            v1 = min(max(x[lane + LANES], below), above)
            v2 = min(max(y[lane], below), above)
            v3 = min(max(y[lane + LANES], below), above)
            scratch[SUM + lane] += (v0 + v1) + (v2 + v3)
            scratch[SQUARES + lane] += (v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3)


@kernel
def _improve(scratch: F32, n: int, final: bool) -> bool:
    """Take mean and 1.134 standard deviations from the sums; return whether any lane goes on."""
    going_on = False
    part = np.float32(1.0 / n)
    less = np.float32(1.0 / (n - 1))
    factor = np.float32(1.134)
    tolerance = np.float32(0.0005)
    zero = np.float32(0.0)
    one = np.float32(1.0)
    for lane in range(LANES):
        before = scratch[SIGMA + lane]
        old_mean = scratch[MEAN + lane]
        total = scratch[SUM + lane]
        mean = total * part
        variance = (scratch[SQUARES + lane] - total * mean) * less
        sigma = factor * np.sqrt(max(variance, zero))
        active = scratch[ACTIVE + lane] > zero
        scratch[MEAN + lane] = mean if active else old_mean
        scratch[SIGMA + lane] = sigma if active else before
        settled = final & (np.abs(before - sigma) < tolerance * before)
        goes_on = active & (not (settled | (sigma <= zero) | (before <= zero)))
        scratch[ACTIVE + lane] = one if goes_on else zero
        going_on |= goes_on
    return going_on


@kernel
def _winsorize(scratch: F32, n: int, cutoff: np.float32) -> None:
    """Iterate mean and sigma of a packed block until each lane's sigma has settled.

    The middle of a sorted stack lies within the limits as a rule, and is summed up once. Samples
    are added in the same order whether it is or not: what becomes of a lane does not depend on its
    neighbours.
    """
    first = 3 * n // 20 * 2
    least = DATA + first * LANES
    most = DATA + (n - first - 1) * LANES
    cut = False
    for turn in range(MOST_ROUNDS):
        _limits(scratch, cutoff)
        if cutoff < INF:
            # At first the ends of the stack tell whether a sample is beyond the cutoff; later, when
            # some may have been replaced by the mean, the limits they have been winsorized to.
            low = FIRST if turn == 0 else WAS_BELOW
            high = LAST if turn == 0 else WAS_ABOVE
            if _any_beyond(scratch, low, CUT_BELOW, high, CUT_ABOVE):
                cut = True
                _cut(scratch, n)
        if turn == 0 or cut or _any_beyond(scratch, least, BELOW, most, ABOVE):
            _add_core(scratch, first, n - first)
        _add_ends(scratch, first, n)
        if not _improve(scratch, n, turn >= 1):
            break


@kernel
def reject_winsorized(
    ordered: F32,
    low: I32,
    high: I32,
    network: I64,
    scratch: F32,
    deviations: F32,
    lists: npt.NDArray[np.int32],
    integers: tuple[U16, U16],
    sigma_low: float,
    sigma_high: float,
    cutoff: float,
    sides: int,
    minimum: int,
    rounds: int,
) -> None:
    """Winsorized sigma clipping of sorted stacks.

    In each round: mean and sigma start from the median and Sn. Samples beyond mean +- 1.5 sigma
    are set to that limit (in the first round, those beyond mean +- cutoff * sigma to the mean
    instead), mean and 1.134 standard deviations of the samples so changed are the new mean and
    sigma, and so on until sigma changes by less than 0.0005 of itself. Then unchanged samples
    beyond mean - sigma_low * sigma and mean + sigma_high * sigma are rejected. The rounds end when
    nothing is rejected or fewer than three samples are left. A sigma of zero rejects nothing.

    Parameters
    ----------
    ordered : ndarray, shape (blocks, frames, LANES), float32
        Sorted stacks.
    low, high : ndarray, shape (blocks * LANES,), int32
        Survivors of lane i are rows ``low[i] <= row < high[i]``; narrowed here.
    network : ndarray
        Sorting network for at least as many frames.
    scratch, deviations, lists : ndarray
        Work space from `lightframe.kernels._rejection_queue.work_space`.
    integers : tuple of ndarray, shapes (frames * LANES,) and (frames, LANES), uint16
        Scratch for samples that are integers of 0 to 65535; without frames for all others.
    sigma_low, sigma_high, cutoff : float
        Limits in units of sigma.
    sides, minimum : int
        As in `settle`.
    rounds : int
        The rejection ends after this number of rounds at the latest.
    """
    queue = lists[0]
    whole = integers[0].size > 0
    pending = enqueue(low, high, 3, queue)
    state = np.float32(cutoff)
    fresh = True
    while pending > 0 and rounds > 0:
        group(queue, pending, low, high, lists[2], lists[1])
        at = START
        kept = START
        while at < pending:
            head = queue[at]
            n = high[head] - low[head]
            used = pack(ordered, queue, at, pending, low, high, scratch, fresh)
            if whole:  # twice as many at a time
                _restore_integers(scratch, n, integers[0])
                _spread(integers[0], 0, n, integers[1], network, scratch)
            else:
                _spread(scratch, DATA, n, deviations, network, scratch)
            _start(scratch, n)
            _winsorize(scratch, n, state)
            place_limits(scratch, MEAN, SIGMA, sigma_low, sigma_high)
            kept = settle(ordered, queue, at, used, low, high, scratch, sides, minimum, kept)
            at += used
        pending = kept
        rounds -= 1
        fresh = False
        state = INF
