"""Plain float64 twins of rejection, written from the definitions, one stack at a time.

Each takes a sorted stack and returns the range ``(low, high)`` of the survivors.
"""

import numpy as np
from scipy.special import erfinv
from scipy.stats import norm
from scipy.stats import t as student_t

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


def sigma(x, low=4.0, high=3.0, **options):
    """Sigma clipping."""

    def limits_of(v, turn):
        m, s = np.median(v), np.std(v, ddof=1)
        return None if s == 0 else (m - low * s, m + high * s)

    return rounds(x, limits_of, **options)


def mad(x, low=4.0, high=3.0, **options):
    """Clipping by scaled median absolute deviations."""

    def limits_of(v, turn):
        m = np.median(v)
        s = 1.482602218505602 * np.median(np.abs(v - m))
        return None if s == 0 else (m - low * s, m + high * s)

    return rounds(x, limits_of, **options)


def averaged_sigma(x, low=4.0, high=3.0, **options):
    """Averaged sigma clipping."""
    m = np.median(x) if len(x) else 0.0
    g = np.sqrt(np.sum((x - m) ** 2 / m) / (len(x) - 1)) if m > 0 and len(x) > 1 else 0.0

    def limits_of(v, turn):
        m = np.median(v)
        s = g * np.sqrt(max(m, 0.0))
        return None if s == 0 else (m - low * s, m + high * s)

    return rounds(x, limits_of, **options)


def ccd_noise(x, low=4.0, high=3.0, gain=1.0, read_noise=10.0, scale_noise=0.0, **options):
    """Clipping by a noise model."""

    def limits_of(v, turn):
        m = np.median(v)
        level = max(m, 0.0)
        s = np.sqrt((read_noise / gain) ** 2 + level / gain + (scale_noise * level) ** 2)
        return None if s == 0 else (m - low * s, m + high * s)

    return rounds_from_two(x, limits_of, **options)


def rounds_from_two(x, limits_of, **options):
    """Begin with two samples, and go on with three or more."""
    low, high = 0, len(x)
    if high == 2:
        limits = limits_of(x, 0)
        after = clip(x, low, high, *limits, options.get("sides", 3)) if limits else (0, 2)
        return after if after[1] - after[0] >= options.get("minimum", 1) else (0, 2)
    return rounds(x, limits_of, **options)


def percentile(x, low=0.2, high=0.1, sides=3, minimum=1):
    """Percentile clipping."""
    m = np.median(x) if len(x) else 0.0
    if m <= 0 or len(x) < 2:
        return 0, len(x)
    after = clip(x, 0, len(x), m - low * m, m + high * m, sides)
    return after if after[1] - after[0] >= minimum else (0, len(x))


def min_max(x, low=1, high=1, sides=3, minimum=1):
    """Rejection of extremes."""
    low, high = low * (sides & 1 > 0), high * (sides & 2 > 0)
    return (low, len(x) - high) if len(x) - low - high >= minimum else (0, len(x))


def line(y):
    """Least slope with sum(x s) <= 0, a the median of r = y - b x, and the mean |r - a|.

    s are the signs of r - a; where samples lie on the line they share what brings sum(s) to zero.
    """
    x = np.arange(len(y), dtype=float)

    def signs(b):
        r = y - b * x
        r -= np.median(r)
        tiny = 1e-12 * (np.abs(y).max() + 1e-300)
        s = np.sign(np.where(np.abs(r) < tiny, 0, r))
        if (s == 0).any():
            s[s == 0] = -s.sum() / (s == 0).sum()
        return np.sum(x * s)

    low, high = 0.0, max((y[-1] - y[0]), 1e-300)
    for _ in range(100):
        b = 0.5 * (low + high)
        low, high = (b, high) if signs(b) > 0 else (low, b)
    r = y - high * x
    a = np.median(r)
    return a, high, np.mean(np.abs(r - a))


def linear_fit(x, low=5.0, high=4.0, sides=3, minimum=1):
    """Linear fit clipping: refitted to the survivors."""
    start, stop = 0, len(x)
    while stop - start >= 5:
        y = x[start:stop]
        a, b, adev = line(y)
        if adev == 0:
            break
        r = (y - a - b * np.arange(len(y))) / (2 * adev)
        first, last = 0, len(y)
        while sides & 1 and first < last and -r[first] >= low:
            first += 1
        while sides & 2 and last > first and r[last - 1] >= high:
            last -= 1
        if last - first < minimum or last - first == len(y):
            break
        start, stop = start + first, start + last
    return start, stop


def esd(x, fraction=0.3, alpha=0.05, relaxation=1.0, sides=3, minimum=1):
    """Rosner's generalized ESD test: last success."""
    n = len(x)
    best = (0, n)
    if n < 3:
        return best
    start, stop = 0, n
    for i in range(max(1, min(int(fraction * n), n - 2))):
        v = x[start:stop]
        c, s = np.mean(v), np.std(v, ddof=1)
        if s == 0:
            break
        below = (c - v[0]) / relaxation if sides & 1 else 0.0
        above = v[-1] - c if sides & 2 else 0.0
        if above >= below:
            stop -= 1
        else:
            start += 1
        t = student_t.isf(alpha / (2 * (n - i)), n - i - 2)
        critical = t * (n - i - 1) / np.sqrt((n - i - 2 + t * t) * (n - i))
        if max(above, below) / s > critical and stop - start >= minimum:
            best = start, stop
    return best


def chauvenet(x, limit=0.1, sides=3, minimum=1):
    """Robust Chauvenet rejection in three phases."""
    start, stop = 0, len(x)
    for phase in range(3):
        while stop - start >= 3 and stop - start > minimum:
            v = x[start:stop]
            n = len(v)
            if phase == 2:
                c, s = np.mean(v), np.std(v, ddof=1)
            else:
                c = np.median(v)
                d = np.sort(np.abs(v - c))
                s = d[int(0.683 * n)]
                k = int(0.683 * n + 0.317)
                if phase == 0 and k >= 8:
                    at = np.sqrt(2) * erfinv((np.arange(k) + 1 - 0.317) / n)
                    s = np.polyval(np.polyfit(at, d[:k], 1), 1.0)
                s /= 1 - 2.9442 * n**-1.073
            if not s > 0:
                break
            below = (c - v[0]) / s if sides & 1 else 0.0
            above = (v[-1] - c) / s if sides & 2 else 0.0
            if n * norm.sf(max(above, below)) >= limit:
                break
            start, stop = (start, stop - 1) if above >= below else (start + 1, stop)
    return start, stop
