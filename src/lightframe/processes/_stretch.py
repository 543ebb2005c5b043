"""Display stretch: the screen transfer function.

A linear image of the night sky is nearly black on a screen. The automatic stretch puts the
background at a quarter of full brightness and the black point 2.8 sigma below it. One-shot-colour
frames are judged with the channels stretched one by one (unlinked; guide, section 8.4).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lightframe.arrays import Float32, UInt8
from lightframe.kernels import _stretch as kernels
from lightframe.kernels._constants import FULL_SCALE, MAD_TO_SIGMA
from lightframe.settings import Settings

__all__ = [
    "PREVIEW_SIDE",
    "StretchSettings",
    "Transfer",
    "autostretch",
    "midtones_transfer",
    "preview",
    "reduced",
    "screen_transfer",
]


PREVIEW_SIDE = 2048
"""Greatest side of a preview in pixels."""

FLAT_MAD = 1e-8
"""A spread below this share of the range means that there is none."""

SAMPLES = 1 << 20
"""Pixels from which median and MAD are taken: they are good to 0.1 %."""

SMALLEST_MIDTONES = 1e-6
"""Below this, and as near to 1, the curve is a step."""


class StretchSettings(Settings):
    """How linear pixels become display values."""

    target_background: float = Field(0.25, gt=0, lt=1)
    """Brightness of the background on the screen, from 0 to 1."""

    clipping: float = Field(-2.8, le=0)
    """Black point: sigma from the background, negative is below it."""

    linked: bool = False
    """One curve for all channels, which keeps the colours of balanced images."""

    linear: bool = False
    """No curve: the least value is black, the greatest is white. For maps."""

    white_dn: float = Field(FULL_SCALE, gt=0)
    """DN of full scale."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A screen transfer function: MTF(midtones, (x - shadows) / (highlights - shadows)).

    Attributes
    ----------
    shadows, highlights : float
        In DN.
    midtones : float
        From 0 to 1; 0.5 is linear.
    """

    shadows: float
    highlights: float
    midtones: float


def midtones_transfer(m: float, x: float) -> float:
    """Return MTF(m, x) = (m - 1) x / ((2 m - 1) x - m), with 0, m, 1 going to 0, 1/2, 1."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    return (m - 1) * x / ((2 * m - 1) * x - m)


def _clamp(value: float, low: float = 0.0) -> float:
    return min(max(value, low), 1.0)


def _no_step(midtones: float) -> float:
    return min(max(midtones, SMALLEST_MIDTONES), 1 - SMALLEST_MIDTONES)


@dataclass(frozen=True, slots=True)
class _Level:
    """Median, sigma (1.4826 MAD) and least value of a channel in units of full scale."""

    median: float
    sigma: float
    least: float


def _level(plane: Float32, white_dn: float) -> _Level | None:
    """Measure a channel; None where all pixels are missing."""
    known = plane[np.isfinite(plane)]
    if not known.size:
        return None
    sample = known[:: -(-known.size // SAMPLES)].astype(np.float64) / white_dn
    median = float(np.median(sample))
    spread = float(np.median(np.abs(sample - median)))
    sigma = MAD_TO_SIGMA * spread if spread > FLAT_MAD else 0.0
    return _Level(median, sigma, float(known.min()) / white_dn)


def _curve(levels: list[_Level], *, inverted: bool, settings: StretchSettings) -> Transfer:
    """Return the mean curve of some channels; see `screen_transfer`."""
    white = settings.white_dn
    offset = settings.clipping
    median = float(np.mean([level.median for level in levels]))
    if inverted:
        highlights = float(
            np.mean([_clamp(c.median - offset * c.sigma) if c.sigma else 1.0 for c in levels])
        )
        midtones = midtones_transfer(_clamp(highlights - median), settings.target_background)
        return Transfer(0.0, highlights * white, _no_step(midtones))
    shadows = float(
        np.mean(
            [
                _clamp(c.median + offset * c.sigma, min(0.0, c.least)) if c.sigma else 0.0
                for c in levels
            ]
        )
    )
    midtones = midtones_transfer(settings.target_background, _clamp(median - shadows))
    return Transfer(shadows * white, white, _no_step(midtones))


def screen_transfer(
    planes: npt.NDArray[np.generic], settings: StretchSettings | None = None
) -> tuple[Transfer, ...]:
    """Return the automatic stretch of each channel.

    With med and sigma = 1.4826 MAD of the valid pixels in units of full scale, B the target
    background and C the clipping: shadows c0 = clamp(med + C sigma), 0 where sigma is 0; midtones
    m = MTF(B, med - c0); highlights 1. Where med > 0.5 (linked: in all channels) the image is
    bright on dark inverted: highlights c1 = clamp(med - C sigma), m = MTF(c1 - med, B), shadows 0.
    Linked: the means of med, c0 and c1 over the channels. Images with negative values have c0
    clamped at their least value, not at 0.

    Parameters
    ----------
    planes : (height, width) or (channels, height, width)
        DN; NaN is missing.
    settings : StretchSettings, optional
    """
    settings = settings or StretchSettings()
    stack = np.asarray(planes, np.float32).reshape(-1, *planes.shape[-2:])
    if settings.linear:
        return tuple(_linear(plane) for plane in stack)
    levels = [_level(plane, settings.white_dn) for plane in stack]
    known = [level for level in levels if level is not None]
    if settings.linked and known:
        inverted = all(level.median > 0.5 for level in known)  # noqa: PLR2004 - half of full scale
        return (_curve(known, inverted=inverted, settings=settings),) * len(stack)
    return tuple(
        Transfer(0.0, settings.white_dn, 0.5)
        if level is None
        else _curve([level], inverted=level.median > 0.5, settings=settings)  # noqa: PLR2004 - half
        for level in levels
    )


def _linear(plane: Float32) -> Transfer:
    known = plane[np.isfinite(plane)]
    if not known.size:
        return Transfer(0.0, 1.0, 0.5)
    low, high = float(known.min()), float(known.max())
    return Transfer(low, high if high > low else low + max(1.0, abs(low)), 0.5)


def autostretch(
    planes: npt.NDArray[np.generic],
    settings: StretchSettings | None = None,
    *,
    linked: bool | None = None,
) -> UInt8:
    """Return display values of 0 to 255; see `screen_transfer`.

    Parameters
    ----------
    planes : (height, width), (1, height, width) or (3, height, width)
        DN; missing pixels (NaN) are shown black.
    settings : StretchSettings, optional
        Targets and limits; the defaults if absent.
    linked : bool, optional
        Overrides the setting.

    Returns
    -------
    uint8, (height, width) or (height, width, 3)
        Grey, or red, green and blue.

    Raises
    ------
    ValueError
        If there are other than one or three planes.
    """
    settings = settings or StretchSettings()
    if linked is not None:
        settings = settings.model_copy(update={"linked": linked})
    stack = np.ascontiguousarray(planes, np.float32)
    stack = stack.reshape(-1, *stack.shape[-2:])
    if planes.ndim not in {2, 3} or len(stack) not in {1, 3}:
        raise ValueError(f"one or three planes can be shown, not an array of {planes.shape}")
    shown = np.empty((*stack.shape[1:], len(stack)), np.uint8)
    for index, (plane, curve) in enumerate(
        zip(stack, screen_transfer(stack, settings), strict=True)
    ):
        kernels.transfer(plane, curve.shadows, curve.highlights, curve.midtones, shown[:, :, index])
    return shown[:, :, 0] if len(stack) == 1 else shown


def preview(
    planes: npt.NDArray[np.generic],
    settings: StretchSettings | None = None,
    max_side: int = PREVIEW_SIDE,
) -> UInt8:
    """Return a stretched picture of moderate size: averaged down first, then stretched.

    Parameters
    ----------
    planes : (height, width), (1, height, width) or (3, height, width)
        DN.
    settings : StretchSettings, optional
    max_side : int
        Greatest side of the picture in pixels.

    Returns
    -------
    (height, width) or (height, width, 3) uint8
        Display values.
    """
    return autostretch(reduced(planes.reshape(-1, *planes.shape[-2:]), max_side), settings)


def reduced(planes: npt.NDArray[np.generic], max_side: int) -> Float32:
    """Return planes averaged over whole blocks of pixels, so that no side exceeds `max_side`.

    Parameters
    ----------
    planes : (channels, height, width)
        Missing pixels (NaN) do not count.
    max_side : int
        Pixels.
    """
    channels, height, width = planes.shape
    stack = np.ascontiguousarray(planes, np.float32)
    factor = -(-max(height, width) // max_side)
    if factor <= 1:
        return stack
    out = np.empty((channels, -(-height // factor), -(-width // factor)), np.float32)
    for plane, small in zip(stack, out, strict=True):
        kernels.area_mean(plane, factor, small)
    return out
