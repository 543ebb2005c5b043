"""Large-scale rejection: satellite trails with their halos, passing clouds, aeroplanes.

Pixel rejection finds the bright core of a trail and leaves its faint wings. Here the rejected
pixels of each frame are looked at as an image: what is smaller than a few pixels (noise, cosmic
rays) is taken away, what is left is grown, and the frame's samples there are rejected in a second
integration.
"""

import tempfile
from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lightframe.frames._pixels import Window
from lightframe.settings import Settings

__all__ = [
    "HIGH",
    "LOW",
    "LargeScaleSettings",
    "RejectedPixels",
    "grow_structures",
    "mark_structures",
]

LOW = 0
HIGH = 1

Bits = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class LargeScaleSettings(Settings):
    """Which rejected structures are grown, and how far."""

    low: bool = False
    """Whether structures of samples that were too low are grown."""

    high: bool = False
    """Whether structures of samples that were too high are grown."""

    protected_layers: int = Field(default=2, ge=1, le=6)
    """Structures smaller than about 2 to this power pixels are left alone."""

    growth: int = Field(default=2, ge=1, le=20)
    """Structures are grown by this number of pixels."""

    @property
    def sides(self) -> tuple[int, ...]:
        """`LOW`, `HIGH`, both or none."""
        return (LOW,) * self.low + (HIGH,) * self.high

    @property
    def reach(self) -> int:
        """How many pixels away a rejected pixel can matter."""
        return (1 << self.protected_layers) - 1 + self.growth


def grow_structures(rejected: Mask, settings: LargeScaleSettings) -> Mask:
    """Keep the large structures of a map of rejected pixels, and grow them.

    Median filters of 3, 5, 9, ... pixels, one a protected layer and each on the result of the one
    before (the residual of a multiscale median transform), then dilation by a disc. Beyond the
    edges nothing is rejected.

    Parameters
    ----------
    rejected : ndarray, shape (height, width), bool
        Rejected pixels of one frame.
    settings : LargeScaleSettings
        Layers and growth.
    """
    structures: Mask = rejected
    for layer in range(settings.protected_layers):
        half = 2**layer
        size = 2 * half + 1
        structures = _box_sum(_box_sum(structures, half, 0), half, 1) > size * size // 2
    grown = np.zeros(rejected.shape, np.bool_)
    if not structures.any():
        return grown
    radius = settings.growth
    height = structures.shape[0]
    for dy in range(-radius, radius + 1):
        half = int(np.sqrt((radius + 0.5) ** 2 - dy * dy))
        wide = _box_sum(structures, half, 1) > 0
        grown[max(0, dy) : height + min(0, dy)] |= wide[max(0, -dy) : height - max(0, dy)]
    return grown


def mark_structures(
    samples: npt.NDArray[np.generic],
    grown: Callable[[int, int], Mask],
    marks: Bits,
    minimum_survivors: int,
) -> None:
    """Mark the samples that lie in grown structures of their frames.

    Parameters
    ----------
    samples : ndarray, shape (frames, rows, columns)
        NaN is missing.
    grown : callable
        Side and frame -> mask of shape (rows, columns). What is high is not low.
    marks : ndarray, shape (frames, rows, columns), uint8
        Receives 1 (low) and 2 (high), and 0 for all samples of a pixel of which fewer than
        `minimum_survivors` lie outside structures.
    minimum_survivors : int
        At least one.
    """
    left = np.zeros(samples.shape[1:], np.int16)
    for frame, plane in enumerate(samples):
        there = np.isfinite(plane)
        high = grown(HIGH, frame)
        low = grown(LOW, frame) & ~high
        marks[frame] = (low + 2 * high.view(np.uint8)) * there
        left += there & (marks[frame] == 0)
    marks *= left >= minimum_survivors


def _box_sum(values: npt.NDArray[np.generic], half: int, axis: int) -> npt.NDArray[np.int32]:
    """Sum over 2 * half + 1 neighbours along an axis; zero beyond the edges."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (half + 1, half)
    sums = np.cumsum(np.pad(values, padding), axis=axis, dtype=np.int32)
    length = values.shape[axis]
    first = [slice(None), slice(None)]
    last = [slice(None), slice(None)]
    first[axis] = slice(0, length)
    last[axis] = slice(2 * half + 1, 2 * half + 1 + length)
    return np.asarray(sums[tuple(last)] - sums[tuple(first)], np.int32)


class RejectedPixels:
    """Which samples of which frames were rejected, a bit for each.

    Parameters
    ----------
    shape : tuple of int
        Frames, channels, height, width.
    memory_bytes : int
        Larger arrays are kept in a temporary file.
    """

    def __init__(self, shape: tuple[int, int, int, int], memory_bytes: int) -> None:
        frames, channels, height, width = shape
        self.shape = shape
        self._file = None
        packed = (2, frames, channels, height, -(-width // 8))
        if np.prod(packed, dtype=np.int64) > memory_bytes:
            self._file = tempfile.TemporaryFile(prefix="lightframe-rejected-")  # noqa: SIM115
            self._bits: Bits = np.memmap(self._file, np.uint8, "w+", shape=packed)
        else:
            self._bits = np.zeros(packed, np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the temporary file back."""
        del self._bits
        if self._file is not None:
            self._file.close()

    def place(self, channel: int, window: Window, marks: Bits) -> None:
        """Enter the marks (1 low, 2 high) of a tile, shape (frames, rows, columns).

        The tile begins at a multiple of eight columns and ends at another or at the edge.
        """
        where = self._where(window)
        for side in (LOW, HIGH):
            self._bits[(side, slice(None), channel, *where)] = np.packbits(
                (marks & (side + 1)) != 0, axis=-1
            )

    def rejected(self, side: int, frame: int, channel: int, window: Window) -> Mask:
        """Return the rejected pixels of a window that begins at a multiple of eight columns."""
        bits = self._bits[(side, frame, channel, *self._where(window))]
        return np.unpackbits(bits, axis=-1, count=window.x1 - window.x0).view(np.bool_)

    def grow(self, frame: int, settings: LargeScaleSettings) -> None:
        """Replace the maps of one frame by its large structures, grown."""
        _, channels, height, width = self.shape
        whole = Window(0, height, 0, width)
        for channel in range(channels):
            for side in (LOW, HIGH):
                if side not in settings.sides:
                    self._bits[side, frame, channel] = 0
                    continue
                grown = grow_structures(self.rejected(side, frame, channel, whole), settings)
                self._bits[side, frame, channel] = np.packbits(grown, axis=-1)

    @staticmethod
    def _where(window: Window) -> tuple[slice, slice]:
        return slice(window.y0, window.y1), slice(window.x0 // 8, -(-window.x1 // 8))
