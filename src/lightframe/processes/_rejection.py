"""Pixel rejection: the algorithms, their parameters, and the choice by number of frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lightframe.kernels._rejection_queue import work_space
from lightframe.kernels._rejection_winsorized import reject_winsorized
from lightframe.kernels._stack import sorting_network
from lightframe.settings import Settings
from lightframe.tables import Table

__all__ = [
    "REJECTIONS",
    "RejectionLimits",
    "RejectionWork",
    "SigmaLimits",
]

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


class SigmaLimits(Settings):
    """Limits in units of sigma."""

    low: float = Field(default=4.0, gt=0.0, le=10.0)
    """Samples this many sigmas below the centre are rejected."""

    high: float = Field(default=3.0, gt=0.0, le=10.0)
    """Samples this many sigmas above the centre are rejected."""

    winsorization_cutoff: float = Field(default=5.0, ge=3.0, le=10.0)
    """In the first round of winsorization, samples further away than this count as the mean."""


class RejectionLimits(Settings):
    """Parameters of the rejection algorithms."""

    reject_low: bool = True
    """Whether samples that are too low are rejected."""

    reject_high: bool = True
    """Whether samples that are too high are rejected."""

    minimum_survivors: int = Field(default=1, ge=1)
    """A round of rejection that would leave fewer samples of a pixel is not carried out."""

    sigma: SigmaLimits = SigmaLimits()
    """Limits of sigma, winsorized, averaged-sigma, mad and ccd-noise clipping."""

    @property
    def sides(self) -> int:
        """1 low, 2 high, 3 both."""
        return self.reject_low + 2 * self.reject_high


@dataclass(frozen=True, slots=True)
class RejectionWork:
    """Arrays a thread works in while it rejects.

    Attributes
    ----------
    network : ndarray
        Sorting network for the number of frames.
    scratch, extra, lists : ndarray
        From `lightframe.kernels._rejection_queue.work_space`.
    """

    network: npt.NDArray[np.int64]
    scratch: F32
    extra: F32
    lists: I32

    @classmethod
    def for_chunks(cls, frames: int, lanes: int) -> Self:
        """Return the arrays for chunks of up to `lanes` stacks of `frames` samples."""
        return cls(sorting_network(frames), *work_space(frames, lanes))


Rejector = Callable[[F32, I32, I32, RejectionLimits, RejectionWork], None]
"""Narrow ``low`` and ``high``, the rows of the survivors, of sorted stacks (blocks, frames, 64)."""

REJECTIONS: Table[Rejector] = Table("rejection algorithm")


@REJECTIONS.add("none", "nothing is rejected")
def _none(ordered: F32, low: I32, high: I32, limits: RejectionLimits, work: RejectionWork) -> None:
    """Reject nothing."""


@REJECTIONS.add(
    "winsorized",
    "winsorized sigma clipping: mean and sigma of samples drawn in to 1.5 sigma; 6 to 15 frames",
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
        limits.sigma.low,
        limits.sigma.high,
        limits.sigma.winsorization_cutoff,
        limits.sides,
        limits.minimum_survivors,
    )
