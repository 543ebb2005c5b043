"""Rejection of a number of samples: extremes, generalized ESD, robust Chauvenet."""

import math

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START
from lightframe.kernels._rejection_queue import DATA, enqueue, group, pack
from lightframe.kernels._stack import F32, I32, I64, LANES

__all__ = ["reject_chauvenet", "reject_esd", "reject_extremes"]

F64 = npt.NDArray[np.float64]

_ENCLOSED = 0.683
"""Part of Gaussian samples within one sigma."""

# State of the lanes of a packed block in the ESD test, float64: sums over the samples that are
# left, the two ends of them, and whether the test goes on.
TOTAL = 0
SQUARES = 1 * LANES
LEAST = 2 * LANES
MOST = 3 * LANES
OPEN = 4 * LANES

# And int64: low samples among those taken so far; low and all samples taken up to the last outlier;
# which sample takes the place of which end.
LOW = 0
LOW_OUTLIERS = 1 * LANES
OUTLIERS = 2 * LANES
ROW = 3 * LANES
END = 4 * LANES


@kernel
def reject_extremes(
    low: I32, high: I32, least: int, greatest: int, sides: int, minimum: int
) -> None:
    """Reject the `least` lowest and the `greatest` highest samples of each stack.

    A stack that would be left with fewer than `minimum` samples keeps all of them.
    """
    below = least if sides & 1 else 0
    above = greatest if sides & 2 else 0
    for i in range(low.shape[0]):
        if high[i] - low[i] - below - above >= minimum:
            low[i] += below
            high[i] -= above


@kernel
def _begin_esd(scratch: F32, n: int, sums: F64, counts: I64) -> None:
    """Sum up a packed block."""
    last = DATA + (n - 1) * LANES
    for lane in range(LANES):
        sums[TOTAL + lane] = 0.0
        sums[SQUARES + lane] = 0.0
        sums[OPEN + lane] = 1.0
        counts[LOW + lane] = 0
        counts[LOW_OUTLIERS + lane] = 0
        counts[OUTLIERS + lane] = 0
        sums[LEAST + lane] = scratch[DATA + lane]
    for lane in range(LANES):
        sums[MOST + lane] = scratch[last + lane]
    for f in range(n):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            d = np.float64(x[lane])
            sums[TOTAL + lane] += d
            sums[SQUARES + lane] += d * d


@kernel
def _take_furthest(
    sums: F64,
    counts: I64,
    n: int,
    taken: int,
    critical: float,
    weights: tuple[float, float],
) -> None:
    """Test the end that is further from the mean, and take it away.

    `weights` multiply the distances of the lower and of the upper end.
    """
    part = 1.0 / (n - taken)
    less = 1.0 / (n - taken - 1)
    limit = critical * critical
    for lane in range(LANES):
        total = sums[TOTAL + lane]
        squares = sums[SQUARES + lane]
        least = sums[LEAST + lane]
        most = sums[MOST + lane]
        low = counts[LOW + lane]
        low_outliers = counts[LOW_OUTLIERS + lane]
        outliers = counts[OUTLIERS + lane]
        mean = total * part
        variance = (squares - total * mean) * less
        below = (mean - least) * weights[0]
        above = (most - mean) * weights[1]
        high = above >= below
        worst = max(below, above)
        goes_on = sums[OPEN + lane] if variance > 1e-13 * squares else 0.0
        found = (goes_on > 0) & (worst * worst > limit * variance)
        d = most if high else least
        low += 0 if high else 1
        sums[OPEN + lane] = goes_on
        sums[TOTAL + lane] = total - d
        sums[SQUARES + lane] = squares - d * d
        counts[LOW + lane] = low
        counts[LOW_OUTLIERS + lane] = low if found else low_outliers
        counts[OUTLIERS + lane] = taken + 1 if found else outliers
        counts[ROW + lane] = n - taken - 2 + low if high else low
        counts[END + lane] = MOST + lane if high else LEAST + lane


@kernel
def reject_esd(
    ordered: F32,
    low: I32,
    high: I32,
    scratch: F32,
    lists: I32,
    critical: F64,
    fraction: float,
    relaxation: float,
    sides: int,
    minimum: int,
) -> None:
    """Generalized extreme studentized deviate test of each stack (Rosner 1983).

    For i = 0 .. k - 1 with k = trunc(fraction n), the sample furthest from the mean, in units of
    the standard deviation of the samples that are left, is taken away; the outliers are all samples
    up to the *last* one whose statistic exceeds its critical value.

    Parameters
    ----------
    ordered, low, high, scratch, lists
        As in `lightframe.kernels._rejection_winsorized.reject_winsorized`.
    critical : ndarray, shape (frames + 1, k + 1), float64
        Critical values by number of samples and by i.
    fraction : float
        Part of the samples that may be outliers.
    relaxation : float
        Deviations below the mean are divided by this.
    sides, minimum : int
        As in `lightframe.kernels._rejection_queue.settle`.
    """
    queue = lists[0]
    weights = (1.0 / relaxation if sides & 1 else 0.0, 1.0 if sides & 2 else 0.0)
    sums = np.empty(5 * LANES, np.float64)
    counts = np.empty(5 * LANES, np.int64)
    pending = enqueue(low, high, 3, queue)
    if pending > 0:
        group(queue, pending, low, high, lists[2], lists[1])
    at = START
    while at < pending:
        n = high[queue[at]] - low[queue[at]]
        used = pack(ordered, queue, at, pending, low, high, scratch, True)
        _begin_esd(scratch, n, sums, counts)
        most = max(1, min(int(fraction * n), n - 2))
        for taken in range(min(most, n - minimum)):
            _take_furthest(sums, counts, n, taken, critical[n, taken], weights)
            for lane in range(LANES):
                sums[counts[END + lane]] = scratch[DATA + counts[ROW + lane] * LANES + lane]
        for lane in range(used):
            i = queue[at + lane]
            below = counts[LOW_OUTLIERS + lane]
            low[i] += below
            high[i] -= counts[OUTLIERS + lane] - below
        at += used


@kernel
def _sorted_distances(x: F64, start: int, stop: int, centre: float, distances: F64) -> None:
    """Merge the distances to `centre` of the sorted samples on both sides of it."""
    above = start
    while above < stop and x[above] < centre:
        above += 1
    below = above - 1
    for k in range(stop - start):
        if above >= stop or (below >= start and centre - x[below] <= x[above] - centre):
            distances[k] = centre - x[below]
            below -= 1
        else:
            distances[k] = x[above] - centre
            above += 1


@kernel
def _line_at_one(distances: F64, enclosed: int, abscissae: F64) -> float:
    """Fit a line to the lowest distances against those of a Gaussian; return its value at 1."""
    sx = 0.0
    sy = 0.0
    for k in range(enclosed):
        sx += abscissae[k]
        sy += distances[k]
    mx = sx / enclosed
    my = sy / enclosed
    sxx = 0.0
    sxy = 0.0
    for k in range(enclosed):
        sxx += (abscissae[k] - mx) * (abscissae[k] - mx)
        sxy += (abscissae[k] - mx) * (distances[k] - my)
    return my + sxy / sxx * (1.0 - mx)


@kernel
def _centre_and_sigma(
    x: F64, start: int, stop: int, phase: int, abscissae: F64, distances: F64
) -> tuple[float, float]:
    n = stop - start
    if phase == 2:
        total = 0.0
        for f in range(start, stop):
            total += x[f]
        mean = total / n
        squares = 0.0
        for f in range(start, stop):
            squares += (x[f] - mean) * (x[f] - mean)
        return mean, math.sqrt(squares / (n - 1))
    centre = 0.5 * (x[start + (n - 1) // 2] + x[start + n // 2])
    _sorted_distances(x, start, stop, centre, distances)
    correction = 1.0 / (1.0 - 2.9442 * n ** (-1.073))
    enclosed = int(_ENCLOSED * n + 0.317)
    if phase == 0 and enclosed >= 8:
        return centre, correction * _line_at_one(distances, enclosed, abscissae)
    return centre, correction * distances[int(_ENCLOSED * n)]


@kernel
def reject_chauvenet(
    ordered: F32,
    low: I32,
    high: I32,
    abscissae: F64,
    limit: float,
    sides: int,
    minimum: int,
) -> None:
    """Robust Chauvenet rejection of each stack.

    Three phases from the most robust to the most precise: (0) median and a line through the lowest
    68.3 % of the distances to it, (1) median and the 68.3 % point of the distances, (2) mean and
    standard deviation. In each, while ``n Q(z) < limit`` for the lowest or the highest sample
    (Q the Gaussian upper tail), the worse of the two is rejected.

    Parameters
    ----------
    ordered, low, high
        As in `lightframe.kernels._rejection_winsorized.reject_winsorized`.
    abscissae : ndarray, shape (frames + 1, frames), float64
        ``sqrt(2) erfinv((k + 1 - 0.317) / n)`` by number of samples n and by k.
    limit : float
        Expected number of samples beyond an outlier.
    sides, minimum : int
        As in `lightframe.kernels._rejection_queue.settle`.

    Notes
    -----
    M. P. Maples, D. E. Reichart et al., "Robust Chauvenet outlier rejection", ApJS 238 (2018) 2.
    """
    x = np.empty(ordered.shape[1], np.float64)
    distances = np.empty(ordered.shape[1], np.float64)
    for i in range(low.shape[0]):
        n = high[i] - low[i]
        if n < 3:
            continue
        middle = np.float64(ordered[i // LANES, low[i] + n // 2, i % LANES])
        for f in range(n):
            x[f] = np.float64(ordered[i // LANES, low[i] + f, i % LANES]) - middle
        start = 0
        stop = n
        for phase in range(3):
            while stop - start >= 3 and stop - start > minimum:
                left = stop - start
                centre, sigma = _centre_and_sigma(x, start, stop, phase, abscissae[left], distances)
                if not sigma > 0:
                    break
                below = (centre - x[start]) / sigma if sides & 1 else 0.0
                above = (x[stop - 1] - centre) / sigma if sides & 2 else 0.0
                worst = max(below, above)
                if left * 0.5 * math.erfc(worst / math.sqrt(2.0)) >= limit:
                    break
                if above >= below:
                    stop -= 1
                else:
                    start += 1
        high[i] = low[i] + stop
        low[i] += start
