"""Pixel rejection: the table of algorithms, and the choice by number of frames."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.buffers import aligned_empty
from lightframe.kernels import _rejection_clipping as clipping
from lightframe.kernels._rejection_fit import reject_linear_fit
from lightframe.kernels._rejection_queue import work_space
from lightframe.kernels._rejection_tests import (
    reject_chauvenet,
    reject_esd,
    reject_extremes,
)
from lightframe.kernels._rejection_winsorized import reject_winsorized
from lightframe.kernels._stack import LANES, sorting_network
from lightframe.processes._rejection_limits import RejectionLimits
from lightframe.tables import Table

__all__ = [
    "REJECTIONS",
    "RejectionWork",
    "Rejector",
    "choose_rejection",
    "esd_critical_values",
]

_FEWEST_FRAMES = 3
_MANY_FRAMES = 25

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class RejectionWork:
    """Arrays a thread works in while it rejects.

    Attributes
    ----------
    network : ndarray
        Sorting network for the number of frames.
    scratch, extra, lists : ndarray
        From `lightframe.kernels._rejection_queue.work_space`.
    per_pixel : ndarray, shape (lanes,), float32
        One number a pixel: the slope, after linear fit clipping.
    integers : tuple of ndarray, shapes (frames * 64,) and (frames, 64), uint16
        For samples that are integers of 0 to 65535, which are sorted in the second one, too;
        without frames for all others.
    rounds : int
        Rejection ends after this number of rounds at the latest.
    """

    network: npt.NDArray[np.int64]
    scratch: F32
    extra: F32
    lists: I32
    per_pixel: F32
    integers: tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]
    rounds: int = 1 << 30

    @classmethod
    def for_chunks(cls, frames: int, lanes: int) -> Self:
        """Return the arrays for chunks of up to `lanes` stacks of `frames` samples."""
        return cls(
            sorting_network(frames),
            *work_space(frames, lanes),
            np.full(lanes, np.nan, np.float32),
            _integers(0),
        )

    def for_integers(self, frames: int) -> Self:
        """Return the same arrays, with those for samples that are integers of 0 to 65535."""
        return replace(self, integers=_integers(frames))


def _integers(frames: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    return aligned_empty(frames * LANES, np.uint16), aligned_empty((frames, LANES), np.uint16)


Rejector = Callable[[F32, I32, I32, RejectionLimits, RejectionWork], None]
"""Narrows ``low`` and ``high``, the survivors' rows, of sorted stacks (blocks, frames, 64)."""

REJECTIONS: Table[Rejector] = Table("rejection algorithm")


@REJECTIONS.add("auto", "by number of frames: to 2 none, to 24 winsorized, from 25 esd")
def _auto(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    REJECTIONS[choose_rejection(ordered.shape[1])](ordered, low, high, limits, work)


@REJECTIONS.add("none", "nothing is rejected")
def _none(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    """Reject nothing."""


@REJECTIONS.add("min-max", "a fixed number of the lowest and highest samples; for tests")
def _extremes(
    ordered: F32,  # noqa: ARG001 - one signature for all
    low: I32,
    high: I32,
    limits: RejectionLimits,
    work: RejectionWork,  # noqa: ARG001 - the same
) -> None:
    counts = limits.extremes
    reject_extremes(low, high, counts.low, counts.high, limits.sides, limits.minimum_survivors)


@REJECTIONS.add(
    "percentile",
    "further from the median than a part of it; for few frames well above zero",
)
def _percentile(
    ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork
) -> None:
    parts = limits.percentile
    _clip(clipping.PERCENTILE, (ordered, low, high), (parts.low, parts.high), limits, work)


@REJECTIONS.add("sigma", "standard deviations from the median, repeatedly")
def _sigma(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    _clip(clipping.SIGMA, (ordered, low, high), _sigmas(limits), limits, work)


@REJECTIONS.add("mad", "1.4826 median absolute deviations from the median, repeatedly")
def _mad(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    _clip(clipping.MAD, (ordered, low, high), _sigmas(limits), limits, work)


@REJECTIONS.add(
    "averaged-sigma",
    "sigma in proportion to the root of the median, fixed by the whole stack",
)
def _averaged(
    ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork
) -> None:
    _clip(clipping.AVERAGED_SIGMA, (ordered, low, high), _sigmas(limits), limits, work)


@REJECTIONS.add("ccd-noise", "sigmas of the sensor's noise model; for uncalibrated frames")
def _ccd(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    _clip(clipping.CCD_NOISE, (ordered, low, high), _sigmas(limits), limits, work)


@REJECTIONS.add(
    "winsorized",
    "mean and sigma of samples drawn in to 1.5 sigma, repeatedly; any number",
)
def _winsorized(
    ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork
) -> None:
    reject_winsorized(
        ordered,
        low,
        high,
        work.network,
        work.scratch,
        work.extra,
        work.lists,
        work.integers,
        limits.sigma.low,
        limits.sigma.high,
        limits.sigma.winsorization_cutoff,
        limits.sides,
        limits.minimum_survivors,
        work.rounds,
    )


@REJECTIONS.add(
    "linear-fit",
    "distance from a line through the sorted samples; many frames that drift in level",
)
def _linear_fit(
    ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork
) -> None:
    reject_linear_fit(
        ordered,
        low,
        high,
        work.network,
        work.scratch,
        work.extra,
        work.lists,
        work.per_pixel[: low.size],
        (limits.linear_fit.low, limits.linear_fit.high),
        limits.sides,
        limits.minimum_survivors,
        work.rounds,
    )


@REJECTIONS.add("esd", "generalized extreme studentized deviate test (Rosner); many frames")
def _esd(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    esd = limits.esd
    reject_esd(
        ordered,
        low,
        high,
        work.scratch,
        work.lists,
        esd_critical_values(ordered.shape[1], esd.outliers_fraction, esd.alpha),
        esd.outliers_fraction,
        esd.low_relaxation,
        limits.sides,
        limits.minimum_survivors,
    )


@REJECTIONS.add("chauvenet", "robust Chauvenet rejection in three phases (Maples et al.)")
def _chauvenet(
    ordered: F32,
    low: I32,
    high: I32,
    limits: RejectionLimits,
    work: RejectionWork,  # noqa: ARG001 - one signature for all
) -> None:
    reject_chauvenet(
        ordered,
        low,
        high,
        _gaussian_abscissae(ordered.shape[1]),
        limits.chauvenet.limit,
        limits.sides,
        limits.minimum_survivors,
    )


def choose_rejection(frames: int) -> str:
    """Return the name of the algorithm for this number of frames.

    One or two frames: ``none``, for nothing tells which is wrong. Up to 24: ``winsorized``, which
    finds two outliers among eight and five among twenty. From 25: ``esd``, which rejects half as
    many good samples and does not shift the mean. `docs/integration.md` has the measurements.
    """
    if frames < _FEWEST_FRAMES:
        return "none"
    return "winsorized" if frames < _MANY_FRAMES else "esd"


@lru_cache(maxsize=8)
def esd_critical_values(frames: int, fraction: float, alpha: float) -> F64:
    """Return the critical values of the generalized ESD test.

    lambda(n, i) = t (n - i - 1) / sqrt((n - i - 2 + t^2)(n - i)) for i = 0, 1, ..., with t the
    upper alpha / (2 (n - i)) point of Student's distribution with n - i - 2 degrees of freedom.

    Returns
    -------
    ndarray, shape (frames + 1, k), float64
        By number of samples and i; inf where the test cannot be made.
    """
    k = max(1, int(fraction * frames))
    left = np.arange(frames + 1, dtype=np.float64)[:, None] - np.arange(k)
    table = np.full(left.shape, np.inf)
    testable = left > 2  # noqa: PLR2004 - degrees of freedom
    m = left[testable]
    t = scipy.special.stdtrit(m - 2, 1.0 - alpha / (2.0 * m))
    table[testable] = t * (m - 1) / np.sqrt((m - 2 + t * t) * m)
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def _gaussian_abscissae(frames: int) -> F64:
    """Return sqrt(2) erfinv((k + 1 - 0.317) / n), by n and k; the last of each row are not used."""
    n = np.maximum(np.arange(frames + 1, dtype=np.float64), 1.0)[:, None]
    part = (np.arange(frames) + 1 - 0.317) / n
    table = np.sqrt(2.0) * scipy.special.erfinv(np.minimum(part, 0.999))
    table.flags.writeable = False
    return np.asarray(table, np.float64)


def _sigmas(limits: RejectionLimits) -> tuple[float, float]:
    return limits.sigma.low, limits.sigma.high


def _clip(
    method: int,
    stacks: tuple[F32, I32, I32],
    distances: tuple[float, float],
    limits: RejectionLimits,
    work: RejectionWork,
) -> None:
    ordered, low, high = stacks
    clipping.reject_clipping(
        method,
        ordered,
        low,
        high,
        work.network,
        work.scratch,
        work.extra,
        work.lists,
        work.per_pixel,
        distances,
        (limits.ccd.gain, limits.ccd.read_noise, limits.ccd.scale_noise),
        limits.sides,
        limits.minimum_survivors,
        work.rounds,
    )
