"""Pixels in memory as a source of pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.frames._stored import StoredPixels

__all__ = ["ArraySource"]

_PLANE, _PLANES = 2, 3
"""Axes of one plane, and of several."""


class ArraySource(StoredPixels):
    """An array as a `PixelSource`, for all that takes frames: integration, noise, statistics.

    The array is not copied: what is written into it later is read.

    Parameters
    ----------
    pixels : ndarray of a real number type, shape (height, width) or (channels, height, width)
        DN; NaN is missing. Unsigned integers of up to 16 bits are read as uint16, all else as
        float32.

    Attributes
    ----------
    planes : ndarray, shape (channels, height, width)
        The array.

    Raises
    ------
    ValueError
        If the array has another number of axes.
    TypeError
        If its elements are no real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from lightframe.frames import ArraySource
    >>> from lightframe.processes import IntegrationSettings, integrate
    >>> frames = [np.full((2, 3), level, np.uint16) for level in (100, 101, 105)]
    >>> settings = IntegrationSettings(rejection="none", combination="median")
    >>> integrate([ArraySource(frame) for frame in frames], settings).image.shape
    (1, 2, 3)
    """

    def __init__(self, pixels: npt.NDArray[Any]) -> None:
        if pixels.ndim not in {_PLANE, _PLANES}:
            raise ValueError(f"pixels of {pixels.ndim} axes are neither one plane nor several")
        if pixels.dtype.kind not in "iuf":
            raise TypeError(f"pixels of type {pixels.dtype} are no real numbers")
        self.planes = pixels if pixels.ndim == _PLANES else pixels[np.newaxis]
        super().__init__(self.planes)

    def close(self) -> None:
        """Do nothing: nothing is open."""
