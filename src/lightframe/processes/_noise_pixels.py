"""Where noise is looked for: tiles of the colour planes of an image in memory or in a file."""

from collections.abc import Iterator
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from lightframe.buffers import Buffers
from lightframe.frames._pixels import PixelSource, Window, every_row
from lightframe.processes._quantization import grid_step

__all__ = ["ImagePixels", "NoisePixels", "SourcePixels"]

_F32 = npt.NDArray[np.float32]
_I64 = npt.NDArray[np.int64]

_MOST_KEPT = 32
"""Tiles; those of a sample of a million pixels take 8 MB."""

_buffers = Buffers()


class NoisePixels(Protocol):
    """Pixels of which parts are looked at.

    A plane is what lies at ``[phase[0]::step, phase[1]::step]`` of a channel.
    """

    shape: tuple[int, int, int]
    """Channels, height, width."""

    def tiles(
        self, channel: int, phase: tuple[int, int], step: int, tiles: _I64, margin: int
    ) -> Iterator[tuple[_F32, tuple[int, int], _I64]]:
        """Yield images with a plane's phase in them, and the tiles that lie there.

        Around each tile there are `margin` pixels of the plane, as far as it reaches.
        """
        ...

    def grid(self, channel: int, phase: tuple[int, int], step: int) -> _F32:
        """Return a plane, or evenly spaced rows and columns that show the steps of its values."""
        ...


class ImagePixels:
    """An image in memory.

    Parameters
    ----------
    planes : ndarray of float32, shape (channels, height, width)
        Its pixels.
    """

    def __init__(self, planes: _F32) -> None:
        self._planes = planes
        self.shape = cast("tuple[int, int, int]", planes.shape)

    def tiles(
        self, channel: int, phase: tuple[int, int], step: int, tiles: _I64, margin: int
    ) -> Iterator[tuple[_F32, tuple[int, int], _I64]]:
        """Yield the whole channel, once."""
        del step, margin
        yield self._planes[channel], phase, tiles

    def grid(self, channel: int, phase: tuple[int, int], step: int) -> _F32:
        """Return the plane."""
        return self._planes[channel, phase[0] :: step, phase[1] :: step]


class SourcePixels:
    """A frame of which nothing but the parts is read.

    Parameters
    ----------
    source : PixelSource
        The frame.
    """

    def __init__(self, source: PixelSource) -> None:
        self._source = source
        self._tiles: dict[Window, _F32] = {}
        self._rows: tuple[tuple[int, int], _F32] | None = None
        self.shape = source.channels, source.height, source.width

    def tiles(
        self, channel: int, phase: tuple[int, int], step: int, tiles: _I64, margin: int
    ) -> Iterator[tuple[_F32, tuple[int, int], _I64]]:
        """Read the tiles one by one, each with all colours of its cells."""
        height, width = self.shape[1:]
        for y0, y1, x0, x1 in tiles.tolist():
            top, left = max(0, y0 - margin), max(0, x0 - margin)
            bottom, right = step * (y1 + margin), step * (x1 + margin)
            window = Window(step * top, min(bottom, height), step * left, min(right, width))
            within = np.array([[y0 - top, y1 - top, x0 - left, x1 - left]])
            yield self._tile(window)[channel], phase, within

    def grid(self, channel: int, phase: tuple[int, int], step: int) -> _F32:
        """Read the rows that are looked at."""
        height, width = (-(-(s - p) // step) for s, p in zip(self.shape[1:], phase, strict=True))
        every = step * grid_step(height * width)
        wanted = every, phase[0]
        if self._rows is None or self._rows[0] != wanted:
            self._rows = wanted, every_row(self._source, every, first=phase[0])
        return self._rows[1][channel, :, phase[1] :: every]

    def _tile(self, window: Window) -> _F32:
        """Read a tile, or find it: places of a colour cell, and channels, share their tiles."""
        pixels = self._tiles.get(window)
        if pixels is None:
            if len(self._tiles) == _MOST_KEPT:
                self._tiles.clear()
            shape = self._source.channels, *window.shape
            pixels = _buffers.floats(f"tile {len(self._tiles)}", shape)
            self._source.read(window, pixels)
            self._tiles[window] = pixels
        return pixels
