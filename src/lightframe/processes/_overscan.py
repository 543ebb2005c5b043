"""Overscan correction: the level of unexposed columns or rows, subtracted, and the crop."""

import re
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lightframe.errors import InputError, SettingsError
from lightframe.frames._pixels import Window
from lightframe.settings import Settings

__all__ = [
    "OverscanRegion",
    "OverscanSettings",
    "correct_overscan",
    "overscan_from_sections",
    "overscan_levels",
]

Rectangle = tuple[int, int, int, int]


class OverscanRegion(Settings):
    """One overscan region and the part of the frame it stands for."""

    source: Rectangle
    """Unexposed pixels: first row, end row, first column, end column, as stored, from 0."""
    target: Rectangle
    """Pixels from which the level is subtracted, in the same form."""


class OverscanSettings(Settings):
    """Overscan correction (before everything else but the input pedestal)."""

    image: Rectangle
    """What is left of the frame, in the same form as the regions: first row, end row, first column,
    end column, as stored, from 0."""
    regions: tuple[OverscanRegion, ...] = Field(default=(), max_length=4)
    """Up to four regions. Regions with the same target share it: the mean of their medians is
    subtracted from it."""

    @model_validator(mode="after")
    def _rectangles_have_pixels(self) -> "OverscanSettings":
        for y0, y1, x0, x1 in (self.image, *self._rectangles()):
            if not (0 <= y0 < y1 and 0 <= x0 < x1):
                msg = f"rectangle ({y0}, {y1}, {x0}, {x1}) has no pixels"
                raise ValueError(msg)
        return self

    def _rectangles(self) -> list[Rectangle]:
        return [side for region in self.regions for side in (region.source, region.target)]

    @property
    def targets(self) -> tuple[Rectangle, ...]:
        """The different target rectangles in the order in which they appear."""
        return tuple(dict.fromkeys(region.target for region in self.regions))

    def check(self, height: int, width: int, name: str = "the frame") -> None:
        """Raise SettingsError unless all rectangles lie inside a frame of that size."""
        for rectangle in (self.image, *self._rectangles()):
            if rectangle[1] > height or rectangle[3] > width:
                raise SettingsError(
                    f"overscan rectangle {rectangle} (first row, end row, first column, end column)"
                    f" reaches beyond {name} of {height} rows and {width} columns",
                    remedy="give rectangles inside the raw frame, counted from 0 as stored",
                )


def overscan_from_sections(bias_section: str, image_section: str) -> OverscanSettings:
    """Build the settings from the FITS keywords BIASSEC and TRIMSEC.

    Parameters
    ----------
    bias_section, image_section : str
        Of the form ``"[x1:x2,y1:y2]"``, counted from 1, both ends included.

    Raises
    ------
    InputError
        If a section cannot be read.
    """
    source, image = _section(bias_section), _section(image_section)
    return OverscanSettings(image=image, regions=(OverscanRegion(source=source, target=image),))


def _section(text: str) -> Rectangle:
    match = re.fullmatch(r"\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*", text)
    numbers = [] if match is None else [int(group) for group in match.groups()]
    if not numbers or min(numbers) < 1:
        raise InputError(
            f"{text!r} is not a section of the form [x1:x2,y1:y2], counted from 1",
            where="BIASSEC, TRIMSEC",
        )
    x1, x2, y1, y2 = numbers
    return min(y1, y2) - 1, max(y1, y2), min(x1, x2) - 1, max(x1, x2)


def overscan_levels(
    frame: npt.NDArray[np.uint16] | npt.NDArray[np.float32], settings: OverscanSettings
) -> tuple[tuple[float, ...], ...]:
    """Measure the level for each target rectangle and channel.

    Parameters
    ----------
    frame : ndarray of uint16 or float32, shape (channels, height, width)
        Raw frame with its overscan, DN.

    Returns
    -------
    tuple of tuple of float
        ``[target][channel]`` in DN: mean over the target's regions of the median of each region.
        Missing samples are left out; zero is a value.

    Raises
    ------
    InputError
        If a region has no valid sample.
    """
    levels = []
    for target in settings.targets:
        sources = [region.source for region in settings.regions if region.target == target]
        levels.append(
            tuple(
                float(np.mean([_region_median(plane, source) for source in sources]))
                for plane in frame
            )
        )
    return tuple(levels)


def _region_median(plane: npt.NDArray[np.generic], rectangle: Rectangle) -> float:
    y0, y1, x0, x1 = rectangle
    samples = plane[y0:y1, x0:x1].astype(np.float64)
    samples = samples[np.isfinite(samples)]
    if not samples.size:
        raise InputError(f"overscan region {rectangle} has no valid pixels")
    return float(np.median(samples))


def level_cells(settings: OverscanSettings, window: Window) -> list[tuple[Window, tuple[int, ...]]]:
    """Cut a window of the raw frame into cells of constant level.

    Returns
    -------
    list of (Window, tuple of int)
        Each cell, and the indices of the targets that cover it.
    """
    rows = _edges((window.y0, window.y1), [edge for t in settings.targets for edge in t[:2]])
    columns = _edges((window.x0, window.x1), [edge for t in settings.targets for edge in t[2:]])
    return [
        (
            Window(y0, y1, x0, x1),
            tuple(
                index
                for index, target in enumerate(settings.targets)
                if target[0] <= y0 and y1 <= target[1] and target[2] <= x0 and x1 <= target[3]
            ),
        )
        for y0, y1 in rows
        for x0, x1 in columns
    ]


def _edges(span: tuple[int, int], inner: list[int]) -> list[tuple[int, int]]:
    cuts = sorted({*span, *(edge for edge in inner if span[0] < edge < span[1])})
    return list(pairwise(cuts))


def correct_overscan(
    frame: npt.NDArray[np.uint16] | npt.NDArray[np.float32], settings: OverscanSettings
) -> npt.NDArray[np.float32]:
    """Subtract the overscan levels from a whole frame and crop it to the image rectangle.

    Parameters
    ----------
    frame : ndarray of uint16 or float32, shape (channels, height, width)
        Raw frame, DN.

    Returns
    -------
    ndarray of float32, shape (channels, image height, image width)
    """
    settings.check(*frame.shape[1:])
    levels = overscan_levels(frame, settings)
    y0, y1, x0, x1 = settings.image
    image = frame[:, y0:y1, x0:x1].astype(np.float32)
    for cell, targets in level_cells(settings, Window(*settings.image)):
        for channel in range(len(image)):
            level = sum(levels[target][channel] for target in targets)
            image[channel, cell.y0 - y0 : cell.y1 - y0, cell.x0 - x0 : cell.x1 - x0] -= np.float32(
                level
            )
    return image
