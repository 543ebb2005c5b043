"""Normalization: bringing frames to the level and scale of a reference before they are compared.

Two tables, because they have different aims. *Rejection normalization* makes samples of different
frames comparable, so that outliers stand out; *output normalization* makes them fit to be averaged.
Usual pairs: bias and dark frames none + none, flats ``equalize-fluxes`` + ``multiplicative``,
lights ``scale`` + ``additive-scaling``.

m is a frame's location, s the reference's scale over the frame's, index 0 the reference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.errors import InputError
from lightframe.processes._estimators import FrameStatistics
from lightframe.tables import Table

__all__ = ["LOCAL", "OUTPUT_NORMALIZATIONS", "REJECTION_NORMALIZATIONS", "Levels", "levels_of"]


@dataclass(frozen=True, slots=True)
class Levels:
    """Locations and scale ratios of all frames in one channel.

    Attributes
    ----------
    location : ndarray, shape (frames,)
        m of each frame.
    reference : float
        m of the reference.
    low, high : ndarray, shape (frames,)
        Scale of the reference over that of the frame, below and above the location; 1 where one of
        the two is zero.
    """

    location: Float64
    reference: float
    low: Float64
    high: Float64

    @property
    def scale(self) -> Float64:
        """Mean of the ratios below and above."""
        return 0.5 * (self.low + self.high)

    def ratio(self) -> Float64:
        """Return reference location / location.

        Raises
        ------
        InputError
            If a location is not positive.
        """
        bad = np.flatnonzero(~(self.location > 0))
        if bad.size or not self.reference > 0:
            index = int(bad[0]) if bad.size else 0
            raise InputError(
                f"frame {index} of the stack has the median {self.location[index]:g} DN; a"
                " multiplicative normalization divides by it",
                cause="the frame is empty, or a bias or dark with that level was subtracted",
                remedy="leave the frame out, or choose an additive normalization",
            )
        return self.reference / self.location


def levels_of(statistics: Sequence[FrameStatistics], reference: int, channel: int) -> Levels:
    """Collect the levels of one channel.

    Parameters
    ----------
    statistics : sequence of FrameStatistics
        One a frame.
    reference : int
        Index of the reference frame.
    channel : int
        The channel.
    """
    location = np.array([s.location[channel] for s in statistics], np.float64)
    low = np.array([s.scale_low[channel] for s in statistics], np.float64)
    high = np.array([s.scale_high[channel] for s in statistics], np.float64)
    return Levels(
        location,
        float(location[reference]),
        _ratio(low[reference], low),
        _ratio(high[reference], high),
    )


def _ratio(reference: float, scale: Float64) -> Float64:
    usable = (scale > 0) & (reference > 0)
    return np.divide(reference, scale, out=np.ones_like(scale), where=usable)


RejectionNormalization = Callable[[Levels], Float64]
"""Levels -> array (frames, 4) of m, s_low, s_high, z: (x - m) * s + z, s by side of m."""

OutputNormalization = Callable[[Levels], Float64]
"""Levels -> array (frames, 2) of a, b: x * a + b."""

LOCAL = "local"
"""Name of local normalization in both tables; see `lightframe.processes._local_normalization`."""

REJECTION_NORMALIZATIONS: Table[RejectionNormalization] = Table("rejection normalization")
OUTPUT_NORMALIZATIONS: Table[OutputNormalization] = Table("normalization")


@REJECTION_NORMALIZATIONS.add("none", "samples are compared as they are")
def _compare_as_is(levels: Levels) -> Float64:
    return _columns(levels, 0.0, 1.0, 1.0, 0.0)


@REJECTION_NORMALIZATIONS.add("scale", "(x - m) * s + m0, s for the side of m that x lies on")
def _compare_scaled(levels: Levels) -> Float64:
    return _columns(levels, levels.location, levels.low, levels.high, levels.reference)


@REJECTION_NORMALIZATIONS.add("equalize-fluxes", "x * m0 / m; for flats")
def _compare_equalized(levels: Levels) -> Float64:
    ratio = levels.ratio()
    return _columns(levels, 0.0, ratio, ratio, 0.0)


@REJECTION_NORMALIZATIONS.add(
    LOCAL, "x * s + offset(x, y), a smooth field that brings the frame to the reference everywhere"
)
def _compare_locally(levels: Levels) -> Float64:
    """Return what is left to do after the fields are applied: nothing."""
    return _columns(levels, 0.0, 1.0, 1.0, 0.0)


@OUTPUT_NORMALIZATIONS.add("none", "samples are averaged as they are; for bias and dark frames")
def _average_as_is(levels: Levels) -> Float64:
    return _columns(levels, 1.0, 0.0)


@OUTPUT_NORMALIZATIONS.add("additive", "x + (m0 - m): equal backgrounds")
def _average_shifted(levels: Levels) -> Float64:
    return _columns(levels, 1.0, levels.reference - levels.location)


@OUTPUT_NORMALIZATIONS.add("multiplicative", "x * m0 / m: equal fluxes; for flats")
def _average_multiplied(levels: Levels) -> Float64:
    return _columns(levels, levels.ratio(), 0.0)


@OUTPUT_NORMALIZATIONS.add(
    "additive-scaling", "(x - m) * s + m0: equal backgrounds and equal spread; for lights"
)
def _average_scaled(levels: Levels) -> Float64:
    return _columns(levels, levels.scale, levels.reference - levels.location * levels.scale)


@OUTPUT_NORMALIZATIONS.add("multiplicative-scaling", "x / m * s * m0: equal fluxes and spread")
def _average_multiplied_scaled(levels: Levels) -> Float64:
    return _columns(levels, levels.ratio() * levels.scale, 0.0)


@OUTPUT_NORMALIZATIONS.add(
    LOCAL, "x * s + offset(x, y), a smooth field: equal backgrounds everywhere; for lights"
)
def _average_local(levels: Levels) -> Float64:
    """Return the mean of the fields; they are applied to the samples themselves."""
    return _average_scaled(levels)


def _columns(levels: Levels, *columns: Float64 | float) -> Float64:
    n = levels.location.size
    return np.stack([np.broadcast_to(np.float64(column), (n,)) for column in columns], axis=1)
