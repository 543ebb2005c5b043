"""Lights that are computed while they are read: raw rows in, calibrated or registered pixels out.

Pass 2 writes nothing between the raw frame and the result: the integration asks a source for a
window, and the source reads the raw pixels it needs, calibrates, corrects, debayers and resamples.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64, UInt16
from lightframe.buffers import Buffers
from lightframe.frames import CfaPattern, PixelSource, Window
from lightframe.processes import (
    DarkScale,
    FrameLevels,
    PreparedCalibration,
    Repairs,
    ResampleSettings,
    debayer,
    debayer_margin,
    resample,
    source_window,
)
from lightframe.session._resources import Meter

__all__ = [
    "CalibratedSource",
    "CorrectedSource",
    "CountedSource",
    "DebayeredSource",
    "Derived",
    "RegisteredSource",
]

_buffers = Buffers()

Raw = UInt16 | Float32


@dataclass(frozen=True, slots=True)
class Derived:
    """A source with the geometry of another one, in float32."""

    source: PixelSource

    @property
    def channels(self) -> int:
        return self.source.channels

    @property
    def height(self) -> int:
        return self.source.height

    @property
    def width(self) -> int:
        return self.source.width

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(np.float32)

    @property
    def by_rows(self) -> bool:
        return self.source.by_rows

    @property
    def extra_rows(self) -> int:
        return self.source.extra_rows

    def close(self) -> None:
        self.source.close()


@dataclass(frozen=True, slots=True)
class CountedSource(Derived):
    """A raw frame whose bytes are counted as they are read.

    Parameters
    ----------
    source : PixelSource
        The raw frame.
    meter : Meter
        Counts the bytes.
    """

    meter: Meter

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return self.source.dtype

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the raw pixels of `window` into `out`."""
        self.source.read(window, out)
        self.meter.read(out.nbytes)


@dataclass(frozen=True, slots=True)
class CalibratedSource(Derived):
    """A raw frame, calibrated as it is read (guide, section 8).

    Parameters
    ----------
    source : PixelSource
        The raw frame.
    calibration : PreparedCalibration
        What to subtract and to divide by.
    dark_scale : DarkScale or None
        The factor of the dark, where it is scaled.
    levels : FrameLevels
        The frame's own pedestal and overscan.
    meter : Meter
        Counts the bytes read.
    """

    calibration: PreparedCalibration
    dark_scale: DarkScale | None
    levels: FrameLevels
    meter: Meter

    @property
    def height(self) -> int:
        return self.calibration.height

    @property
    def width(self) -> int:
        return self.calibration.width

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the calibrated pixels of `window` into `out`."""
        raw = _buffers.get("raw", (self.channels, *window.shape), self.source.dtype)
        self.source.read(self.calibration.raw_window(window), raw)
        self.meter.read(raw.nbytes)
        self.calibration.apply(
            cast("Raw", raw), window, self.dark_scale, cast("Float32", out), levels=self.levels
        )


@dataclass(frozen=True, slots=True)
class CorrectedSource(Derived):
    """A calibrated frame whose defective pixels are replaced as it is read (guide, section 9.1).

    Parameters
    ----------
    source : PixelSource
        The calibrated frame.
    repairs : Repairs
        What takes their place, found in pass 1.
    """

    repairs: Repairs

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the corrected pixels of `window` into `out`."""
        self.source.read(window, out)
        self.repairs.place(cast("Float32", out), window)


@dataclass(frozen=True, slots=True)
class DebayeredSource(Derived):
    """A mosaic frame, interpolated to three planes as it is read (guide, section 9.2).

    Parameters
    ----------
    source : PixelSource
        The corrected mosaic, one channel.
    cfa : CfaPattern
        Colours at the origin of the whole frame.
    method : str
        A row of `DEBAYER_METHODS`.
    """

    cfa: CfaPattern
    method: str

    @property
    def channels(self) -> int:
        return 3

    @property
    def extra_rows(self) -> int:
        return self.source.extra_rows + 2 * debayer_margin(self.method)

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the red, green and blue pixels of `window` into `out`."""
        grown = window.grown(debayer_margin(self.method), self.height, self.width)
        mosaic = _buffers.floats("mosaic", (1, *grown.shape))
        self.source.read(grown, mosaic)
        planes = _buffers.floats("debayered", (3, *grown.shape))
        debayer(mosaic[0], self.cfa.shifted(grown.y0, grown.x0), self.method, out=planes)
        out[...] = _inner(planes, grown, window)


@dataclass(frozen=True, slots=True)
class RegisteredSource(Derived):
    """A frame brought onto the reference frame's grid as it is read (guide, section 9.4).

    Parameters
    ----------
    source : PixelSource
        The corrected, for mosaics debayered, frame.
    inverse : ndarray, shape (3, 3)
        Reference pixel -> frame pixel.
    grid : tuple of int
        Rows and columns of the reference frame.
    settings : ResampleSettings
        Interpolation and clamping.
    """

    inverse: Float64
    grid: tuple[int, int]
    settings: ResampleSettings

    @property
    def height(self) -> int:
        return self.grid[0]

    @property
    def width(self) -> int:
        return self.grid[1]

    @property
    def extra_rows(self) -> int:
        """Rows that interpolation needs, and those that a turned row of the reference crosses."""
        middle = self.height // 2
        needed = self._needed(Window(middle, middle + 1, 0, self.width))
        return self.source.extra_rows + (0 if needed is None else needed.shape[0] - 1)

    def _needed(self, window: Window) -> Window | None:
        """Return which pixels of the frame a window of the reference is made of."""
        return source_window(
            self.inverse,
            window,
            height=self.source.height,
            width=self.source.width,
            interpolation=self.settings.interpolation,
        )

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the resampled pixels of `window` into `out`; NaN outside the frame."""
        needed = self._needed(window)
        if needed is None:
            out[...] = np.nan
            return
        planes = _buffers.floats("source", (self.channels, *needed.shape))
        self.source.read(needed, planes)
        resample(
            planes,
            (needed.y0, needed.x0),
            self.inverse,
            window,
            self.settings,
            cast("Float32", out),
            height=self.source.height,
            width=self.source.width,
        )


def _inner(
    pixels: npt.NDArray[np.generic], grown: Window, window: Window
) -> npt.NDArray[np.generic]:
    """Return the part of `pixels`, which cover `grown`, that covers `window`."""
    rows = slice(window.y0 - grown.y0, window.y1 - grown.y0)
    columns = slice(window.x0 - grown.x0, window.x1 - grown.x0)
    return pixels[:, rows, columns]
