"""Clipping about a median: sigma, MAD, averaged sigma, CCD noise model, percentile."""

import numpy as np

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import MAD_TO_SIGMA_EXACT, START
from lightframe.kernels._rejection_queue import (
    DATA,
    ORIGIN,
    enqueue,
    group,
    pack,
    place_limits,
    settle,
)
from lightframe.kernels._stack import F32, I32, I64, LANES, sort_block

__all__ = [
    "AVERAGED_SIGMA",
    "CCD_NOISE",
    "MAD",
    "PERCENTILE",
    "SIGMA",
    "reject_clipping",
]

SIGMA = 0
MAD = 1
AVERAGED_SIGMA = 2
CCD_NOISE = 3
PERCENTILE = 4

_MAD_TO_SIGMA = np.float32(MAD_TO_SIGMA_EXACT)

# State of the lanes in the flat scratch array (0 to 5 belong to the queue).
CENTRE = 6 * LANES
SPREAD = 7 * LANES
SUM = 8 * LANES
SQUARES = 9 * LANES


@kernel
def _place_median(scratch: F32, n: int) -> None:
    half = np.float32(0.5)
    a = DATA + (n - 1) // 2 * LANES
    b = DATA + n // 2 * LANES
    for lane in range(LANES):
        scratch[CENTRE + lane] = half * (scratch[a + lane] + scratch[b + lane])


@kernel
def _standard_deviation(scratch: F32, n: int) -> None:
    """Take the standard deviation in two passes, so that outliers do not cost digits."""
    zero = np.float32(0.0)
    for lane in range(LANES):
        scratch[SUM + lane] = zero
        scratch[SQUARES + lane] = zero
    for f in range(n):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            scratch[SUM + lane] += x[lane]
    count = np.float32(n)
    for lane in range(LANES):
        scratch[SUM + lane] /= count
    for f in range(n):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        for lane in range(LANES):
            d = x[lane] - scratch[SUM + lane]
            scratch[SQUARES + lane] += d * d
    less = np.float32(n - 1)
    for lane in range(LANES):
        scratch[SPREAD + lane] = np.sqrt(scratch[SQUARES + lane] / less)


@kernel
def _median_deviation(scratch: F32, n: int, deviations: F32, network: I64) -> None:
    """Take 1.4826 times the median of the distances to the median."""
    for f in range(n):
        x = scratch[DATA + f * LANES : DATA + (f + 1) * LANES]
        d = deviations[f]
        for lane in range(LANES):
            d[lane] = np.abs(x[lane] - scratch[CENTRE + lane])
    sort_block(deviations, network, n)
    half = np.float32(0.5)
    a = deviations[(n - 1) // 2]
    b = deviations[n // 2]
    for lane in range(LANES):
        scratch[SPREAD + lane] = _MAD_TO_SIGMA * (half * (a[lane] + b[lane]))


@kernel
def _noise_per_root(
    scratch: F32, n: int, queue: I32, at: int, used: int, ratios: F32, first: bool
) -> None:
    """Sigma as a constant times the root of the median; the constant is of the first round."""
    if first:
        less = np.float32(n - 1)
        for lane in range(used):
            level = scratch[ORIGIN + lane] + scratch[CENTRE + lane]
            squares = np.float32(0.0)
            for f in range(n):
                d = scratch[DATA + f * LANES + lane] - scratch[CENTRE + lane]
                squares += d * d
            ratios[queue[at + lane]] = np.sqrt(squares / less / level) if level > 0 else 0.0
    for lane in range(LANES):
        level = scratch[ORIGIN + lane] + scratch[CENTRE + lane]
        ratio = ratios[queue[at + lane]] if lane < used else np.float32(0.0)
        scratch[SPREAD + lane] = ratio * np.sqrt(level) if level > 0 else 0.0


@kernel
def _noise_model(scratch: F32, gain: float, read_noise: float, scale_noise: float) -> None:
    """Read noise, photon noise and noise proportional to the signal at the median, in DN."""
    g = np.float32(1.0 / gain)
    floor = np.float32((read_noise / gain) ** 2)
    s = np.float32(scale_noise)
    zero = np.float32(0.0)
    for lane in range(LANES):
        level = max(scratch[ORIGIN + lane] + scratch[CENTRE + lane], zero)
        proportional = s * level
        scratch[SPREAD + lane] = np.sqrt(floor + level * g + proportional * proportional)


@kernel
def _parts_of_median(scratch: F32) -> None:
    """Take the median itself as the unit of the limits; none where it is not positive."""
    zero = np.float32(0.0)
    for lane in range(LANES):
        scratch[SPREAD + lane] = max(scratch[ORIGIN + lane] + scratch[CENTRE + lane], zero)


@kernel
def reject_clipping(
    method: int,
    ordered: F32,
    low: I32,
    high: I32,
    network: I64,
    scratch: F32,
    deviations: F32,
    lists: I32,
    ratios: F32,
    limits: tuple[float, float],
    model: tuple[float, float, float],
    sides: int,
    minimum: int,
    rounds: int,
) -> None:
    """Reject samples beyond ``median - limits[0] * s`` and ``median + limits[1] * s``.

    Parameters
    ----------
    method : int
        What s is:

        - `SIGMA`: standard deviation about the mean;
        - `MAD`: 1.4826 times the median absolute deviation;
        - `AVERAGED_SIGMA`: g sqrt(median), g^2 = sum((x - median)^2) / (n - 1) / median of the
          whole stack;
        - `CCD_NOISE`: sqrt((r / g)^2 + median / g + (t * median)^2), (g, r, t) = `model`;
        - `PERCENTILE`: the median; a single round.

        Otherwise rounds follow each other until nothing is rejected or fewer than three samples
        are left. Where s is zero (or the median not positive, where s needs it) nothing is
        rejected.
    ordered, low, high, network, scratch, deviations, lists
        As in `lightframe.kernels._rejection_winsorized.reject_winsorized`.
    ratios : ndarray, shape (blocks * LANES,), float32
        Scratch.
    limits : tuple of float
        Low and high limit in units of s.
    model : tuple of float
        Gain in e-/DN, read noise in e-, and scale noise.
    sides, minimum : int
        As in `settle`.
    rounds : int
        The rejection ends after this number of rounds at the latest.
    """
    queue = lists[0]
    fewest = 2 if method in (CCD_NOISE, PERCENTILE) else 3
    pending = enqueue(low, high, fewest, queue)
    fresh = True
    while pending > 0 and rounds > 0:
        group(queue, pending, low, high, lists[2], lists[1])
        at = START
        kept = START
        while at < pending:
            head = queue[at]
            n = high[head] - low[head]
            used = pack(ordered, queue, at, pending, low, high, scratch, fresh)
            _place_median(scratch, n)
            if method == SIGMA:
                _standard_deviation(scratch, n)
            elif method == MAD:
                _median_deviation(scratch, n, deviations, network)
            elif method == AVERAGED_SIGMA:
                _noise_per_root(scratch, n, queue, at, used, ratios, fresh)
            elif method == CCD_NOISE:
                _noise_model(scratch, model[0], model[1], model[2])
            else:
                _parts_of_median(scratch)
            place_limits(scratch, CENTRE, SPREAD, limits[0], limits[1])
            kept = settle(ordered, queue, at, used, low, high, scratch, sides, minimum, kept)
            at += used
        pending = 0 if method == PERCENTILE else kept
        rounds -= 1
        fresh = False
