"""The noise of files that may have been interpolated: stated by their headers, or seen in areas."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

from lightframe.arrays import Float64
from lightframe.frames import COLOURS, CfaPattern, FrameInfo, PixelSource, every_row
from lightframe.kernels._constants import FULL_SCALE
from lightframe.processes import (
    DEBAYER_METHODS,
    FrameStatistics,
    area_noise,
    block_means,
    debayer_area_variance,
    is_white,
)
from lightframe.session._noise import colour_noise

__all__ = ["PixelNoise", "StackNoise", "pixel_noise", "stack_noise"]

_MOST_PLANES = 4
_PLAUSIBLE_NOISE = (0.7, 4.0)
"""Noise that a header states, over what is measured: interpolation hides up to two thirds of it."""
_SAMPLED_PIXELS = 1 << 17
"""Pixels of each plane, in whole rows, that tell whether the noise is white: to 0.5 %."""
_NOISE_PIXELS = {True: 1 << 20, False: 1 << 18}
"""Where noise is looked for, by whether areas matter: to 0.1 percent for the weights of lights, to
0.2 for calibration frames, of which there may be a hundred."""
_WORTH_TELLING = 0.05


@dataclass(frozen=True, slots=True)
class PixelNoise:
    """What the pixels of one file show of its noise.

    Attributes
    ----------
    by_colour : tuple of float
        Noise of a pixel of each channel or colour, DN.
    white : bool
        Whether neighbouring pixels have independent noise.
    blocks : ndarray, shape (channels, rows, columns), float64, or None
        Means of blocks of pixels, where the noise of areas matters and pixels do not show it.
    """

    by_colour: tuple[float, ...]
    white: bool
    blocks: Float64 | None


@dataclass(frozen=True, slots=True)
class StackNoise:
    """The noise of the files of a stack.

    Attributes
    ----------
    noise_dn : tuple of ndarray, shape (channels,), float64
        Noise of a sample of each file, as areas show it.
    area_variance : tuple of float
        By channel, what debayering did to the variance of areas; empty for 1.
    remarks : tuple of str
        Where it comes from, if not from single pixels.
    """

    noise_dn: tuple[Float64, ...]
    area_variance: tuple[float, ...]
    remarks: tuple[str, ...]


def pixel_noise(source: PixelSource, cfa: CfaPattern | None, *, areas: bool) -> PixelNoise:
    """Look at the noise of a file, or of samples of it if areas do not matter.

    Parameters
    ----------
    source : PixelSource
        The file.
    cfa : CfaPattern or None
        Colours of a mosaic, which has not been interpolated.
    areas : bool
        Whether the noise of areas matters.

    Raises
    ------
    InputError
        If no pixel has a value.
    """
    white = cfa is not None
    if not white:
        step = max(1, source.height * source.width // _SAMPLED_PIXELS)
        white = all(is_white(plane) for plane in every_row(source, step))
    noise = colour_noise(source, cfa, sample_pixels=_NOISE_PIXELS[areas])
    return PixelNoise(noise, white, block_means(source) if areas and not white else None)


def stack_noise(
    infos: Sequence[FrameInfo],
    statistics: Sequence[FrameStatistics],
    pixels: Sequence[PixelNoise],
    reference: int,
) -> StackNoise:
    """Find the noise of files that may have been interpolated.

    What headers state was measured before interpolation, and is taken if all files state it. What
    debayering does to areas is known for the methods of `DEBAYER_METHODS`, which files that
    Lightframe has debayered name. Otherwise the differences of files show the noise of areas.

    Parameters
    ----------
    infos : sequence of FrameInfo
        Headers.
    statistics : sequence of FrameStatistics
        Measured on the pixels.
    pixels : sequence of PixelNoise
        What their noise looks like.
    reference : int
        Index of the file to whose scale the others are brought.
    """
    stated = [_stated_noise(i, s.noise) for i, s in zip(infos, statistics, strict=True)]
    trusted = [noise for noise in stated if noise is not None]
    noise = tuple(_seen(p, s) for p, s in zip(pixels, statistics, strict=True))
    remarks: tuple[str, ...] = ()
    if len(trusted) == len(infos):
        noise = tuple(trusted)
        remarks = ("the noise of the files is that of their headers, from before interpolation",)
    debayered = {_debayered(info) for info in infos}
    known = debayered.pop() if len(debayered) == 1 else None
    blocks = {i: p.blocks for i, p in enumerate(pixels) if p.blocks is not None}
    if not blocks or (known is not None and remarks):
        return StackNoise(noise, known or (), remarks)
    factors = area_noise(
        list(blocks.values()),
        np.array([_scale(statistics[reference], statistics[index]) for index in blocks]),
        np.array([noise[index] for index in blocks]),
    )
    if None in factors:
        remark = (
            "the files were interpolated, and are too few or too small to tell the noise of areas:"
            " weights and variance are made of that of single pixels"
        )
        return StackNoise(noise, (), (*remarks, remark))
    factor = np.array(factors, np.float64)
    hidden = factor / np.sqrt(known) if known else factor
    in_areas = tuple(n * hidden if index in blocks else n for index, n in enumerate(noise))
    if np.abs(factor - 1).max() > _WORTH_TELLING:
        shown = ", ".join(f"{value:.2f}" for value in factor)
        remark = (
            f"the files were interpolated: areas show {shown} times the noise of single pixels,"
            " and weights and variance are made of it"
        )
        remarks = (*remarks, remark)
    return StackNoise(in_areas, known or (), remarks)


def _seen(pixels: PixelNoise, statistics: FrameStatistics) -> Float64:
    """Return the noise of the pixels of each channel of a file.

    Differences of pixels two apart hide less of what was interpolated than wavelets do, but take
    the flanks of stars for noise.
    """
    if not pixels.white:
        return statistics.noise
    noise = np.array(pixels.by_colour)
    mosaic = noise.size != statistics.noise.size
    return np.array([np.sqrt(np.mean(noise**2))]) if mosaic else noise


def _scale(reference: FrameStatistics, statistics: FrameStatistics) -> Float64:
    """Return what brings a frame to the scale of the reference, by channel; 1 where unknown."""
    ours = statistics.scale_low + statistics.scale_high
    theirs = reference.scale_low + reference.scale_high
    usable = (ours > 0) & (theirs > 0)
    return np.divide(theirs, ours, out=np.ones_like(ours), where=usable)


def _stated_noise(info: FrameInfo, measured: Float64) -> Float64 | None:
    """Return the noise in DN that the header states for each channel.

    It was measured before interpolation, which hides noise from any later measurement. None where
    it is missing, or cannot be that of these pixels.
    """
    stated = [
        float(value)
        for place in range(_MOST_PLANES)
        if isinstance(value := info.header.get(f"NOISE{place:02d}"), int | float)
    ]
    if info.channels == 1 and stated:
        stated = [float(np.sqrt(np.mean(np.square(stated))))]
    if len(stated) != info.channels:
        return None
    scale = 1.0
    if info.sample_format.startswith("float"):
        given = info.header.get("DNSCALE")
        scale = float(given) if isinstance(given, int | float) else FULL_SCALE
    noise = scale * np.array(stated)
    low, high = _PLAUSIBLE_NOISE
    return noise if bool(((noise > low * measured) & (noise < high * measured)).all()) else None


def _debayered(info: FrameInfo) -> tuple[float, ...] | None:
    """Return what debayering did to the variance of areas; () for nothing, None if unknown."""
    said = dict(
        str(line).split(": ", 1)
        for line in info.header.values("HISTORY")
        if str(line).startswith("Debayer.") and ": " in str(line)
    )
    method, name = said.get("Debayer.method", ""), said.get("Debayer.cfaPattern", "")
    side = isqrt(len(name))
    if method not in DEBAYER_METHODS or side < 2 or side**2 != len(name):  # noqa: PLR2004 - Bayer
        return () if info.channels == 1 and not said else None
    rows = tuple(name[start : start + side] for start in range(0, len(name), side))
    variance = debayer_area_variance(CfaPattern(rows), method)
    if info.channels == len(COLOURS):
        return variance
    colour = str(info.filter or "")
    return (variance[COLOURS.index(colour)],) if colour in list(COLOURS) else None
