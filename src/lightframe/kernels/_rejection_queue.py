"""The queue of pixels that still have samples to lose, and how they are packed into blocks.

Rejection takes samples from the ends of a sorted stack only, so that the survivors of lane i are
its rows ``low[i] <= row < high[i]``. Each round of an iterative algorithm works on blocks of
`LANES` pixels with the *same* number of survivors, packed so that the survivors begin at row 0 and
are measured from the middle one (differences stay exact in float32). Only the pixels that lost a
sample are queued for another round.
"""

import numpy as np

from lightframe.buffers import aligned_empty
from lightframe.kernels._compile import kernel
from lightframe.kernels._stack import F32, I32, INF, LANES

__all__ = [
    "DATA",
    "FIRST",
    "LAST",
    "enqueue",
    "group",
    "pack",
    "place_limits",
    "settle",
    "work_space",
]

DATA = 24 * LANES
"""Where the samples begin in the flat scratch array; below lies the state of the lanes.

One flat array with constant offsets lets the compiler see that state and samples do not overlap;
with an array a quantity it gives up vectorising above eight of them.
"""

ORIGIN = 0  # offset of the state rows: the value that was subtracted from all samples of the lane
LOWER = 1 * LANES  # samples below this are to be rejected
UPPER = 2 * LANES  # samples above this are to be rejected
FIRST = 3 * LANES  # the lane's least survivor
LAST = 4 * LANES  # and its greatest
BEYOND = 5 * LANES  # 1 where one of the two is to be rejected


def work_space(frames: int, lanes: int) -> tuple[F32, F32, I32]:
    """Return the arrays a rejection kernel works in, for chunks of up to `lanes` pixels.

    Returns
    -------
    scratch : ndarray, shape (DATA + frames * LANES,), float32
        State of the lanes and the samples of one packed block.
    extra : ndarray, shape (frames, LANES), float32
        A second block.
    lists : ndarray, shape (3, ...), int32
        The queue, its double, and a tally by number of survivors.
    """
    return (
        aligned_empty(DATA + frames * LANES, np.float32),
        aligned_empty((frames, LANES), np.float32),
        aligned_empty((3, max(lanes, frames + 2)), np.int32),
    )


@kernel
def enqueue(low: I32, high: I32, fewest: int, queue: I32) -> int:
    """Queue all pixels with at least `fewest` samples, in order; return how many they are.

    No sample has been rejected yet: `low` is zero everywhere.
    """
    pending = 0
    for i in range(low.shape[0]):
        queue[pending] = i
        pending += high[i] - low[i] >= fewest
    return pending


@kernel
def group(queue: I32, pending: int, low: I32, high: I32, tally: I32, spare: I32) -> None:
    """Sort the queue by number of survivors, keeping the order of pixels (counting sort).

    `tally` needs one entry more than there are frames, and one more again; `spare` is as long as
    the queue.
    """
    first = queue[0]
    number = high[first] - low[first]
    others = 0
    if pending == low.shape[0]:
        for i in range(pending):
            others += high[i] - low[i] != number
    else:
        for k in range(pending):
            others += high[queue[k]] - low[queue[k]] != number
    if others == 0:
        return
    for n in range(tally.shape[0]):
        tally[n] = 0
    for k in range(pending):
        i = queue[k]
        spare[k] = i
        tally[high[i] - low[i] + 1] += 1
    for n in range(1, tally.shape[0]):
        tally[n] += tally[n - 1]
    for k in range(pending):
        i = spare[k]
        n = high[i] - low[i]
        queue[tally[n]] = i
        tally[n] += 1


@kernel
def _keep_ends(scratch: F32, n: int) -> None:
    last = DATA + (n - 1) * LANES
    for lane in range(LANES):
        scratch[FIRST + lane] = scratch[DATA + lane]
        scratch[LAST + lane] = scratch[last + lane]


@kernel
def pack(
    ordered: F32,
    queue: I32,
    at: int,
    pending: int,
    low: I32,
    high: I32,
    scratch: F32,
    fresh: bool,
) -> int:
    """Pack the next queued pixels with equal numbers of survivors; return how many they are.

    Sample f of lane l comes to ``scratch[DATA + f * LANES + l]``, measured from the lane's middle
    survivor, which is kept at ``scratch[ORIGIN + l]``. Unused lanes repeat the first one.

    Parameters
    ----------
    ordered : ndarray, shape (blocks, frames, LANES), float32
        Sorted stacks.
    queue, at, pending
        The queue as `group` left it, the place of the next pixel, and its length.
    low, high : ndarray, shape (blocks * LANES,), int32
        Survivors of lane i are rows ``low[i] <= row < high[i]``.
    scratch : ndarray
        From `work_space`.
    fresh : bool
        Whether this is the first round: pixels with equal numbers are in order, so that those of a
        whole block are told by its two ends, and copied row by row in a quarter of the time.
    """
    head = queue[at]
    n = high[head] - low[head]
    last = head + LANES - 1
    whole = fresh and head % LANES == 0 and at + LANES <= pending
    if whole and queue[at + LANES - 1] == last and high[last] == n:
        block = ordered[head // LANES]
        middle = block[n // 2]
        for lane in range(LANES):
            scratch[ORIGIN + lane] = middle[lane]
        for f in range(n):
            source = block[f]
            target = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
            for lane in range(LANES):
                target[lane] = source[lane] - middle[lane]
        _keep_ends(scratch, n)
        return LANES
    used = 1
    while used < LANES and at + used < pending:
        i = queue[at + used]
        if high[i] - low[i] != n:
            break
        used += 1
    for lane in range(LANES):
        i = queue[at + lane] if lane < used else head
        column = ordered[i // LANES, low[i] :, i % LANES]
        target = scratch[DATA + lane :]
        origin = column[n // 2]
        scratch[ORIGIN + lane] = origin
        for f in range(n):
            target[f * LANES] = column[f] - origin
    _keep_ends(scratch, n)
    return used


@kernel
def place_limits(
    scratch: F32, centre: int, sigma: int, sigma_low: float, sigma_high: float
) -> None:
    """Set the limits to centre - sigma_low * sigma and centre + sigma_high * sigma.

    `centre` and `sigma` are the offsets of those rows of state. A sigma of zero rejects nothing.
    """
    below = np.float32(sigma_low)
    above = np.float32(sigma_high)
    for lane in range(LANES):
        c = scratch[centre + lane]
        s = scratch[sigma + lane]
        scratch[LOWER + lane] = c - below * s if s > 0 else -INF
        scratch[UPPER + lane] = c + above * s if s > 0 else INF


@kernel
def settle(
    ordered: F32,
    queue: I32,
    at: int,
    used: int,
    low: I32,
    high: I32,
    scratch: F32,
    sides: int,
    minimum: int,
    kept: int,
) -> int:
    """Reject the samples beyond the limits of a packed block; queue its pixels again if any.

    Parameters
    ----------
    ordered, queue, at, used, low, high, scratch
        The block as `pack` made it, with the limits at ``scratch[LOWER]`` and ``scratch[UPPER]``,
        measured from ``scratch[ORIGIN]``. A sample exactly at a limit stays.
    sides : int
        1 low, 2 high, 3 both.
    minimum : int
        A round that would leave fewer survivors is not carried out.
    kept : int
        Length of the new queue, which grows at the beginning of the old one.

    Returns
    -------
    int
        The new `kept`.
    """
    for lane in range(LANES):
        below = scratch[FIRST + lane] < scratch[LOWER + lane]
        above = scratch[LAST + lane] > scratch[UPPER + lane]
        scratch[BEYOND + lane] = np.float32(1.0) if below | above else np.float32(0.0)
    for lane in range(used):
        if scratch[BEYOND + lane] == 0:
            continue
        i = queue[at + lane]
        b = i // LANES
        k = i % LANES
        origin = scratch[ORIGIN + lane]
        lower = scratch[LOWER + lane]
        upper = scratch[UPPER + lane]
        start = low[i]
        stop = high[i]
        if sides & 1:
            while start < stop and ordered[b, start, k] - origin < lower:
                start += 1
        if sides & 2:
            while stop > start and ordered[b, stop - 1, k] - origin > upper:
                stop -= 1
        if stop - start < minimum or stop - start == high[i] - low[i]:
            continue
        low[i] = start
        high[i] = stop
        if stop - start >= 3:
            queue[kept] = i
            kept += 1
    return kept
