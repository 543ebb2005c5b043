"""Combination of the survivors, and the weights of frames."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.errors import SettingsError
from lightframe.tables import Table

__all__ = ["COMBINATIONS", "WEIGHTS", "Combination", "FrameQuality"]


@dataclass(frozen=True, slots=True)
class Combination:
    """How survivors become one value.

    Attributes
    ----------
    order : int or None
        None for the weighted mean; otherwise which of the sorted survivors is taken: -1 the least,
        0 the middle one, 1 the greatest. Weights do not matter then.
    total : bool
        Whether the mean is multiplied by the number of frames.
    """

    order: int | None = None
    total: bool = False

    @property
    def weighted(self) -> bool:
        """Whether frames can have weights."""
        return self.order is None and not self.total


COMBINATIONS: Table[Combination] = Table("combination")
COMBINATIONS.enter("average", "weighted mean of the survivors", Combination())
COMBINATIONS.enter("median", "middle survivor, or the mean of the two middle ones", Combination(0))
COMBINATIONS.enter("minimum", "least survivor", Combination(-1))
COMBINATIONS.enter("maximum", "greatest survivor", Combination(1))
COMBINATIONS.enter(
    "sum",
    "mean of the survivors times the number of frames: rejection does not darken",
    Combination(total=True),
)


@dataclass(frozen=True, slots=True)
class FrameQuality:
    """What weights are made of, for one channel; arrays of one value a frame.

    Attributes
    ----------
    factor : ndarray
        a of the output normalization: the noise of a normalized frame is a * noise.
    noise, scale : ndarray
        Of the frame, DN.
    given : ndarray or None
        The numbers that came with the frames.
    """

    factor: Float64
    noise: Float64
    scale: Float64
    given: Float64 | None


WEIGHTS: Table[Callable[[FrameQuality], Float64]] = Table("weight")


@WEIGHTS.add("none", "all frames count alike")
def _equal(quality: FrameQuality) -> Float64:
    return np.ones_like(quality.factor)


@WEIGHTS.add("noise", "inverse variance of the normalized frame: 1 / (a * sigma)^2")
def _inverse_variance(quality: FrameQuality) -> Float64:
    return 1.0 / _positive(quality.factor * quality.noise, "noise") ** 2


@WEIGHTS.add("snr", "squared ratio of scale to noise: (scale / sigma)^2")
def _signal_to_noise(quality: FrameQuality) -> Float64:
    return (_positive(quality.scale, "scale") / _positive(quality.noise, "noise")) ** 2


def _given(quality: FrameQuality) -> Float64:
    if quality.given is None:
        raise SettingsError(
            "this weight needs a number for each frame, and none were given",
            remedy="pass one weight a frame, or choose the weight none, noise or snr",
        )
    if not (np.isfinite(quality.given).all() and (quality.given >= 0).all()):
        raise SettingsError("a weight is negative or not a number", remedy="correct it")
    if not quality.given.any():
        raise SettingsError("all weights are zero", remedy="correct them")
    return quality.given


WEIGHTS.enter("exposure", "exposure time of the frame", _given)
WEIGHTS.enter(
    "psf-signal",
    "squared signal of a star over the noise in its width, measured on the stars that frames share:"
    " (brightness / (FWHM * sigma))^2",
    _given,
)
WEIGHTS.enter("keyword", "number in a keyword of the frame's header", _given)
WEIGHTS.enter("given", "numbers given with the frames", _given)


def _positive(values: Float64, name: str) -> Float64:
    bad = np.flatnonzero(~(values > 0))
    if bad.size:
        raise SettingsError(
            f"frame {bad[0]} of the stack has the {name} {values[bad[0]]:g} DN; its weight would"
            " be infinite",
            cause="the frame is constant, empty or heavily quantised",
            remedy="leave the frame out, or choose the weight none or exposure",
        )
    return values
