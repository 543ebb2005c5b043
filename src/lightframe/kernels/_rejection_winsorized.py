"""Winsorized sigma clipping: the reference algorithm of June 2021, sixty-four pixels at a time."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._rejection_queue import (
    DATA,
    enqueue,
    group,
    pack,
    place_limits,
    settle,
)
from lightframe.kernels._stack import F32, I32, I64, INF, LANES, sort_block

__all__ = ["MOST_ROUNDS", "reject_winsorized", "sn_constant", "sn_deviations"]

MOST_ROUNDS = 64
"""Winsorization ends here if the standard deviation still shrinks (it then goes to zero)."""

# State of the lanes in the flat scratch array (0 to 2 belong to the queue).
MEAN = 3 * LANES
SIGMA = 4 * LANES
BELOW = 5 * LANES  # every sample has been raised to this by now
ABOVE = 6 * LANES  # and lowered to this
SUM = 7 * LANES
SQUARES = 8 * LANES
CUT_BELOW = 9 * LANES
CUT_ABOVE = 10 * LANES
ACTIVE = 11 * LANES


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
def sn_deviations(scratch: F32, n: int, deviations: F32) -> None:
    """For each of `n` sorted samples, the high median of its distances to all samples.

    In a sorted stack the h = n // 2 + 1 samples nearest to sample i are h neighbours, so that the
    h-th smallest distance is the least, over all windows a .. a + h - 1 that hold i, of
    ``max(x[i] - x[a], x[a + h - 1] - x[i])``. All windows are tried: n^2 / 4 steps without a
    branch are faster, up to some 200 frames, than an ordered merge with one.
    """
    h = n // 2 + 1
    for i in range(n):
        here = scratch[DATA + i * LANES : DATA + (i + 1) * LANES]
        nearest = deviations[i]
        a = max(0, i - h + 1)
        stop = min(i, n - h) + 1
        for lane in range(LANES):
            nearest[lane] = INF
        while a + 3 < stop:
            p = DATA + a * LANES
            q = DATA + (a + h - 1) * LANES
            first = scratch[p : p + 4 * LANES]
            last = scratch[q : q + 4 * LANES]
            for lane in range(LANES):
                x = here[lane]
                d0 = max(x - first[lane], last[lane] - x)
                d1 = max(x - first[lane + LANES], last[lane + LANES] - x)
                d2 = max(x - first[lane + 2 * LANES], last[lane + 2 * LANES] - x)
                d3 = max(x - first[lane + 3 * LANES], last[lane + 3 * LANES] - x)
                nearest[lane] = min(nearest[lane], d0, d1, d2, d3)
            a += 4
        while a < stop:
            p = DATA + a * LANES
            q = DATA + (a + h - 1) * LANES
            first = scratch[p : p + LANES]
            last = scratch[q : q + LANES]
            for lane in range(LANES):
                x = here[lane]
                nearest[lane] = min(nearest[lane], max(x - first[lane], last[lane] - x))
            a += 1


@kernel
def _start(scratch: F32, n: int, deviations: F32, network: I64) -> None:
    """Start from the median and Sn."""
    sn_deviations(scratch, n, deviations)
    sort_block(deviations, network, n)
    factor = np.float32(sn_constant(n))
    middle = deviations[(n + 1) // 2 - 1]
    half = np.float32(0.5)
    a = DATA + (n - 1) // 2 * LANES
    b = DATA + n // 2 * LANES
    for lane in range(LANES):
        scratch[MEAN + lane] = half * (scratch[a + lane] + scratch[b + lane])
        scratch[SIGMA + lane] = factor * middle[lane]
        scratch[BELOW + lane] = -INF
        scratch[ABOVE + lane] = INF
        scratch[ACTIVE + lane] = np.float32(1.0)


@kernel
def _limits(scratch: F32, cutoff: np.float32) -> None:
    """Narrow the limits of winsorization to mean +- 1.5 sigma; place the cutoff."""
    width = np.float32(1.5)
    for lane in range(LANES):
        mean = scratch[MEAN + lane]
        sigma = scratch[SIGMA + lane]
        scratch[CUT_BELOW + lane] = mean - cutoff * sigma
        scratch[CUT_ABOVE + lane] = mean + cutoff * sigma
        scratch[BELOW + lane] = max(scratch[BELOW + lane], mean - width * sigma)
        scratch[ABOVE + lane] = min(scratch[ABOVE + lane], mean + width * sigma)
        scratch[SUM + lane] = np.float32(0.0)
        scratch[SQUARES + lane] = np.float32(0.0)


@kernel
def _sums(scratch: F32, n: int) -> None:
    """Sum up the winsorized samples and their squares, eight frames a step."""
    f = 0
    while f + 7 < n:
        x = scratch[DATA + f * LANES : DATA + (f + 8) * LANES]
        for lane in range(LANES):
            below = scratch[BELOW + lane]
            above = scratch[ABOVE + lane]
            v0 = min(max(x[lane], below), above)
            v1 = min(max(x[lane + LANES], below), above)
            v2 = min(max(x[lane + 2 * LANES], below), above)
            v3 = min(max(x[lane + 3 * LANES], below), above)
            v4 = min(max(x[lane + 4 * LANES], below), above)
            v5 = min(max(x[lane + 5 * LANES], below), above)
            v6 = min(max(x[lane + 6 * LANES], below), above)
            v7 = min(max(x[lane + 7 * LANES], below), above)
            scratch[SUM + lane] += ((v0 + v1) + (v2 + v3)) + ((v4 + v5) + (v6 + v7))
            scratch[SQUARES + lane] += ((v0 * v0 + v1 * v1) + (v2 * v2 + v3 * v3)) + (
                (v4 * v4 + v5 * v5) + (v6 * v6 + v7 * v7)
            )
        f += 8
    while f < n:
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            v = min(max(x[lane], scratch[BELOW + lane]), scratch[ABOVE + lane])
            scratch[SUM + lane] += v
            scratch[SQUARES + lane] += v * v
        f += 1


@kernel
def _cut(scratch: F32, n: int, before: F32) -> None:
    """Put the mean in place of samples beyond the cutoff.

    `before` holds the limits of winsorization of the last round, for the samples have been
    winsorized to those when they are compared with the cutoff.
    """
    for f in range(n):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            v = min(max(x[lane], before[lane]), before[lane + LANES])
            beyond = (v < scratch[CUT_BELOW + lane]) | (v > scratch[CUT_ABOVE + lane])
            x[lane] = scratch[MEAN + lane] if beyond & (scratch[ACTIVE + lane] > 0) else x[lane]


@kernel
def _must_cut(scratch: F32, n: int, before: F32, turn: int) -> bool:
    """Whether any lane can have a sample beyond the cutoff.

    At first the sorted samples tell; later, when some may have been replaced by the mean, the
    limits they have been winsorized to.
    """
    first = scratch[DATA : DATA + LANES]
    last = scratch[DATA + (n - 1) * LANES : DATA + n * LANES]
    found = 0
    for lane in range(LANES):
        least = first[lane] if turn == 0 else before[lane]
        most = last[lane] if turn == 0 else before[lane + LANES]
        found += (least < scratch[CUT_BELOW + lane]) | (most > scratch[CUT_ABOVE + lane])
    return found > 0


@kernel
def _improve(scratch: F32, n: int, final: bool) -> int:
    """Take mean and 1.134 standard deviations from the sums; return how many lanes go on."""
    going_on = 0
    count = np.float32(n)
    less = np.float32(n - 1)
    factor = np.float32(1.134)
    tolerance = np.float32(0.0005)
    zero = np.float32(0.0)
    one = np.float32(1.0)
    for lane in range(LANES):
        before = scratch[SIGMA + lane]
        total = scratch[SUM + lane]
        mean = total / count
        variance = (scratch[SQUARES + lane] - total * mean) / less
        sigma = factor * np.sqrt(max(variance, zero))
        active = scratch[ACTIVE + lane] > zero
        scratch[MEAN + lane] = mean if active else scratch[MEAN + lane]
        scratch[SIGMA + lane] = sigma if active else before
        change = before - sigma if before > sigma else sigma - before
        done = (final & (change < tolerance * before)) | (sigma <= zero) | (before <= zero)
        goes_on = active & (not done)
        scratch[ACTIVE + lane] = one if goes_on else zero
        going_on += goes_on
    return going_on


@kernel
def _winsorize(scratch: F32, n: int, cutoff: np.float32, before: F32) -> None:
    """Iterate mean and sigma of a packed block until each lane's sigma has settled."""
    cutting = cutoff < INF
    for turn in range(MOST_ROUNDS):
        if cutting:
            for lane in range(LANES):
                before[lane] = scratch[BELOW + lane]
                before[lane + LANES] = scratch[ABOVE + lane]
        _limits(scratch, cutoff)
        if cutting and _must_cut(scratch, n, before, turn):
            _cut(scratch, n, before)
        _sums(scratch, n)
        if _improve(scratch, n, turn >= 1) == 0:
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
    sigma_low, sigma_high, cutoff : float
        Limits in units of sigma.
    sides, minimum : int
        As in `settle`.
    rounds : int
        The rejection ends after this number of rounds at the latest.
    """
    queue = lists[0]
    pending = enqueue(low, high, 3, queue)
    state = np.float32(cutoff)
    before = np.empty(2 * LANES, np.float32)
    while pending > 0 and rounds > 0:
        group(queue, pending, low, high, lists[2], lists[1])
        at = 0
        kept = 0
        while at < pending:
            head = queue[at]
            n = high[head] - low[head]
            used = pack(ordered, queue, at, pending, low, high, scratch)
            _start(scratch, n, deviations, network)
            _winsorize(scratch, n, state, before)
            place_limits(scratch, MEAN, SIGMA, sigma_low, sigma_high)
            kept = settle(ordered, queue, at, used, low, high, scratch, sides, minimum, kept)
            at += used
        pending = kept
        rounds -= 1
        state = INF
