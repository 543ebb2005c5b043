"""What every source of pixels offers, be it a file, a calibrated light or a registered one."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["PixelSource", "Window", "every_row"]


class Window(NamedTuple):
    """A rectangle of pixels: rows ``y0 <= y < y1``, columns ``x0 <= x < x1``."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    def grown(self, margin: int, height: int, width: int) -> "Window":
        """Return the window with `margin` more pixels on each side, cut at the image's edges."""
        return Window(
            max(0, self.y0 - margin),
            min(height, self.y1 + margin),
            max(0, self.x0 - margin),
            min(width, self.x1 + margin),
        )


class PixelSource(Protocol):
    """Pixels in DN that can be read by windows, from several threads at once.

    ``dtype`` is the type that holds the DN exactly: uint16 for unsigned integers of up to 16 bits
    (after BZERO), float32 for everything else. A stack of uint16 sources is integrated as uint16.
    """

    @property
    def channels(self) -> int:
        """Number of planes: 1 for mono and CFA frames, 3 for RGB."""
        ...

    @property
    def height(self) -> int:
        """Rows."""
        ...

    @property
    def width(self) -> int:
        """Columns."""
        ...

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """uint16 or float32."""
        ...

    @property
    def by_rows(self) -> bool:
        """Whether a window costs about its share of the file, not the decoding of all of it."""
        ...

    @property
    def extra_rows(self) -> int:
        """How many rows more than its own a window of whole rows costs, such as a resampled one."""
        ...

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the pixels of `window` in DN into `out`.

        Parameters
        ----------
        window : Window
            A rectangle inside the image.
        out : ndarray, shape (channels, rows, columns), C order
            float32, or uint16 where ``dtype`` is uint16. Missing pixels are NaN.
        """
        ...

    def close(self) -> None:
        """Release the file; reading afterwards is an error."""
        ...


def every_row(source: PixelSource, step: int) -> npt.NDArray[np.float32]:
    """Read evenly spaced rows.

    Parameters
    ----------
    source : PixelSource
        The frame; nothing else of it is read.
    step : int
        Distance of the rows.

    Returns
    -------
    ndarray of float32, shape (channels, rows, width)
        DN.
    """
    places = range(0, source.height, step)
    rows = np.empty((source.channels, len(places), source.width), np.float32)
    if step == 1:
        source.read(Window(0, source.height, 0, source.width), rows)
        return rows
    row = np.empty((source.channels, 1, source.width), np.float32)
    for k, y in enumerate(places):
        source.read(Window(y, y + 1, 0, source.width), row)
        rows[:, k] = row[:, 0]
    return rows
