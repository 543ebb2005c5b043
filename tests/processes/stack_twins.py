"""Plain float64 twins of rejection, written from the definitions, one stack at a time.

Each takes a sorted stack and returns the range ``(low, high)`` of the survivors.
"""

import numpy as np

MOST_ROUNDS = 64
SMALL_SN = {2: 0.743, 3: 1.851, 4: 0.954, 5: 1.351, 6: 0.993, 7: 1.198, 8: 1.005, 9: 1.131}


def sn(x):
    """Sn from all differences."""
    n = len(x)
    high_medians = np.sort(np.abs(x[:, None] - x[None, :]), axis=1)[:, n // 2]
    factor = SMALL_SN.get(n, n / (n - 0.9) if n % 2 else 1.0)
    return 1.1926 * factor * np.sort(high_medians)[(n + 1) // 2 - 1]


def clip(x, low, high, lower, upper, sides=3):
    """Take samples beyond the limits from the ends."""
    while sides & 1 and low < high and x[low] < lower:
        low += 1
    while sides & 2 and high > low and x[high - 1] > upper:
        high -= 1
    return low, high


def winsorized_limits(x, cutoff):
    """Winsorized mean and sigma; in place, as the definition has it."""
    v = x.copy()
    mean, sigma = np.median(v), sn(v)
    for turn in range(MOST_ROUNDS):
        if sigma == 0:
            break
        lower, upper = mean - 1.5 * sigma, mean + 1.5 * sigma
        beyond = (v < mean - cutoff * sigma) | (v > mean + cutoff * sigma)
        v = np.where(beyond, mean, np.clip(v, lower, upper))
        before, sigma, mean = sigma, 1.134 * np.std(v, ddof=1), np.mean(v)
        if turn >= 1 and abs(before - sigma) < 0.0005 * before:
            break
    return mean, sigma


def rounds(x, limits_of, sides=3, minimum=1, fewest=3):
    """Repeat a clipping until nothing is rejected or fewer than three samples are left."""
    low, high = 0, len(x)
    turn = 0
    while high - low >= fewest:
        limits = limits_of(x[low:high], turn)
        if limits is None:
            break
        after = clip(x, low, high, *limits, sides)
        if after == (low, high) or after[1] - after[0] < minimum:
            break
        low, high = after
        turn += 1
    return low, high


def winsorized(x, low=4.0, high=3.0, cutoff=5.0, **options):
    """Winsorized sigma clipping."""

    def limits_of(v, turn):
        mean, sigma = winsorized_limits(v, cutoff if turn == 0 else np.inf)
        return None if sigma == 0 else (mean - low * sigma, mean + high * sigma)

    return rounds(x, limits_of, **options)
