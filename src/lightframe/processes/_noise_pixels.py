"""Where noise is looked for: tiles of the colour planes of an image in memory or in a file."""

from collections.abc import Iterator
from itertools import groupby
from typing import Protocol, cast

import numpy as np

from lightframe.arrays import Float32, Int64
from lightframe.buffers import Buffers
from lightframe.frames._pixels import PixelSource, Window

__all__ = ["ImagePixels", "NoisePixels", "SourcePixels"]


_MOST_KEPT = 8
"""Bands of rows; those of a sample of a million pixels take 24 MB of a frame 6000 pixels wide."""

_buffers = Buffers()


class NoisePixels(Protocol):
    """Pixels of which parts are looked at.

    A plane is what lies at ``[phase[0]::step, phase[1]::step]`` of a channel.
    """

    shape: tuple[int, int, int]
    """Channels, height, width."""

    def tiles(
        self, channel: int, phase: tuple[int, int], step: int, tiles: Int64, margin: int
    ) -> Iterator[tuple[Float32, tuple[int, int], Int64]]:
        """Yield images with a plane's phase in them, and the tiles that lie there.

        Around each tile there are `margin` pixels of the plane, as far as it reaches.
        """
        ...


class ImagePixels:
    """An image in memory.

    Parameters
    ----------
    planes : ndarray of float32, shape (channels, height, width)
        Its pixels.
    """

    def __init__(self, planes: Float32) -> None:
        self._planes = planes
        self.shape = cast("tuple[int, int, int]", planes.shape)

    def tiles(
        self, channel: int, phase: tuple[int, int], step: int, tiles: Int64, margin: int
    ) -> Iterator[tuple[Float32, tuple[int, int], Int64]]:
        """Yield the whole channel, once."""
        del step, margin
        yield self._planes[channel], phase, tiles


class SourcePixels:
    """A frame of which nothing but the parts is read.

    Parameters
    ----------
    source : PixelSource
        The frame.
    """

    def __init__(self, source: PixelSource) -> None:
        self._source = source
        self._bands: dict[Window, Float32] = {}
        self.shape = source.channels, source.height, source.width

    def tiles(
        self, channel: int, phase: tuple[int, int], step: int, tiles: Int64, margin: int
    ) -> Iterator[tuple[Float32, tuple[int, int], Int64]]:
        """Read the rows of tiles that lie side by side, each with all colours of its cells.

        Files are read by rows: those beside a tile cost next to nothing.
        """
        height, width = self.shape[1:]
        for (y0, y1), group in groupby(tiles.tolist(), lambda tile: tuple(tile[:2])):
            beside = np.array(list(group))
            top, left = max(0, y0 - margin), max(0, int(beside[0, 2]) - margin)
            bottom, right = step * (y1 + margin), step * (int(beside[-1, 3]) + margin)
            window = Window(step * top, min(bottom, height), step * left, min(right, width))
            yield self._band(window)[channel], phase, beside - np.array([top, top, left, left])

    def _band(self, window: Window) -> Float32:
        """Read a band, or find it: places of a colour cell, and channels, share their bands."""
        pixels = self._bands.get(window)
        if pixels is None:
            if len(self._bands) == _MOST_KEPT:
                self._bands.clear()
            shape = self._source.channels, *window.shape
            pixels = _buffers.floats(f"band {len(self._bands)}", shape)
            self._source.read(window, pixels)
            self._bands[window] = pixels
        return pixels
