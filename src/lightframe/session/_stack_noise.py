"""The noise of files that may have been interpolated: stated by their headers, or seen in areas."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np
import numpy.typing as npt

from lightframe.frames import COLOURS, CfaPattern, FrameInfo
from lightframe.processes import (
    DEBAYER_METHODS,
    FrameStatistics,
    area_noise,
    block_means,
    debayer_area_variance,
    is_white,
)

__all__ = ["AreaSample", "StackNoise", "area_sample", "stack_noise"]

_FULL_SCALE_DN = 65535.0
_MOST_PLANES = 4
_PLAUSIBLE_NOISE = (0.7, 4.0)
"""Noise that a header states, over what is measured: interpolation hides up to two thirds of it."""
_SAMPLED_ROWS = 256
_WORTH_TELLING = 0.05

_F32 = npt.NDArray[np.float32]
_F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AreaSample:
    """What one file shows of the noise of areas.

    Attributes
    ----------
    blocks : ndarray, shape (channels, rows, columns), float64
        Means of blocks of pixels.
    white : bool
        Whether neighbouring pixels have independent noise.
    """

    blocks: _F64
    white: bool


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

    noise_dn: tuple[_F64, ...]
    area_variance: tuple[float, ...]
    remarks: tuple[str, ...]


def area_sample(planes: _F32, info: FrameInfo) -> AreaSample:
    """Take from a file what tells the noise of areas.

    Parameters
    ----------
    planes : ndarray, shape (channels, height, width), float32
        Its pixels, DN.
    info : FrameInfo
        Its header: a mosaic has not been interpolated.
    """
    mosaic = info.cfa is not None and len(planes) == 1
    step = max(1, planes.shape[1] // _SAMPLED_ROWS)
    white = mosaic or all(is_white(plane[::step]) for plane in planes)
    return AreaSample(block_means(planes), white)


def stack_noise(
    infos: Sequence[FrameInfo],
    statistics: Sequence[FrameStatistics],
    samples: Sequence[AreaSample] | None,
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
    samples : sequence of AreaSample or None
        Where the noise of areas matters.
    reference : int
        Index of the file to whose scale the others are brought.
    """
    stated = [_stated_noise(i, s.noise) for i, s in zip(infos, statistics, strict=True)]
    trusted = [noise for noise in stated if noise is not None]
    noise = tuple(s.noise for s in statistics)
    remarks: tuple[str, ...] = ()
    if len(trusted) == len(infos):
        noise = tuple(trusted)
        remarks = ("the noise of the files is that of their headers, from before interpolation",)
    debayered = {_debayered(info) for info in infos}
    known = debayered.pop() if len(debayered) == 1 else None
    if samples is None or (known is not None and remarks):
        return StackNoise(noise, known or (), remarks)
    sizes = np.sqrt(known) if known else np.ones(infos[0].channels)
    coloured = [index for index, sample in enumerate(samples) if not sample.white]
    if not coloured:
        return StackNoise(noise, known or (), remarks)
    factors = area_noise(
        [samples[index].blocks for index in coloured],
        np.array([_scale(statistics[reference], statistics[index]) for index in coloured]),
        np.array([noise[index] for index in coloured]),
    )
    if None in factors:
        remark = (
            "the files were interpolated, and are too few or too small to tell the noise of areas:"
            " the variance map is that of single pixels"
        )
        return StackNoise(noise, (), (*remarks, remark))
    factor = np.array(factors, np.float64)
    in_areas = tuple(
        sigma * factor / sizes if index in coloured else sigma for index, sigma in enumerate(noise)
    )
    if np.abs(factor - 1).max() > _WORTH_TELLING:
        shown = ", ".join(f"{value:.2f}" for value in factor)
        remark = (
            f"the files were interpolated: areas show {shown} times the noise of single pixels,"
            " and weights and the variance map are made of it"
        )
        remarks = (*remarks, remark)
    return StackNoise(in_areas, known or (), remarks)


def _scale(reference: FrameStatistics, statistics: FrameStatistics) -> _F64:
    """Return what brings a frame to the scale of the reference, by channel; 1 where unknown."""
    ours = statistics.scale_low + statistics.scale_high
    theirs = reference.scale_low + reference.scale_high
    usable = (ours > 0) & (theirs > 0)
    return np.divide(theirs, ours, out=np.ones_like(ours), where=usable)


def _stated_noise(info: FrameInfo, measured: _F64) -> _F64 | None:
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
        scale = float(given) if isinstance(given, int | float) else _FULL_SCALE_DN
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
