"""What stands in the place of defective pixels, kept so that it need not be found again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.frames._pixels import Window

__all__ = ["Repairs"]


@dataclass(frozen=True, slots=True, eq=False)
class Repairs:
    """The replaced pixels of one frame.

    Parameters
    ----------
    pixels : tuple of (n,) int64
        Of each channel, which they are, as sorted flat indices ``y * width + x``.
    values : tuple of (n,) float32
        What they have become, in the same order; NaN where nothing good was within reach.
    width : int
        Columns of the frame.
    """

    pixels: tuple[npt.NDArray[np.int64], ...]
    values: tuple[npt.NDArray[np.float32], ...]
    width: int

    @property
    def count(self) -> int:
        """Number of pixels, over all channels, that got a value."""
        return sum(int(np.count_nonzero(~np.isnan(values))) for values in self.values)

    def place(self, planes: npt.NDArray[np.float32], window: Window) -> None:
        """Write the values of the pixels in a window of the frame.

        Parameters
        ----------
        planes : (channels, rows, columns) float32
            The pixels of `window`.
        window : Window
            Where they lie in the frame.
        """
        rows = window.y0 * self.width, window.y1 * self.width
        for plane, pixels, values in zip(planes, self.pixels, self.values, strict=True):
            part = slice(*np.searchsorted(pixels, rows))
            y, x = np.divmod(pixels[part], self.width)
            inside = (x >= window.x0) & (x < window.x1)
            plane[y[inside] - window.y0, x[inside] - window.x0] = values[part][inside]
