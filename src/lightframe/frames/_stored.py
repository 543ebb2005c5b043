"""Pixels as a file stores them, read as DN by windows."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.frames._file_samples import FileSamples
from lightframe.frames._pixels import Window
from lightframe.kernels._constants import FULL_SCALE

__all__ = ["FULL_SCALE", "Scaling", "StoredPixels", "sample_format"]

_SHORT = 2
"""Bytes of a 16-bit integer."""
_SINGLE = 4
"""Bytes of a float32."""

_READ_BYTES = 1 << 18
"""Read from a file at a time: much for a call of the system, little for the cache."""
_MOST_BETWEEN = 1 << 14
"""Bytes between two rows that cost as much to read as another call."""

_STRIP = 1 << 15
"""Pixels converted at a time where there is no kernel: they stay in the cache between two steps."""

_EXACT = 1 << 23
"""Integers up to here, plus 16 bits, are exact in float32."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a stored sample becomes DN: ``zero + slope * sample``; a sample of `blank` is missing."""

    slope: float = 1.0
    zero: float = 0.0
    blank: int | None = None


class StoredPixels:
    """A `PixelSource` over an array of stored samples in any byte order.

    Parameters
    ----------
    stored : ndarray, shape (channels, height, width), or FileSamples
        Integers or floats; decoded pixels, a transposed view of them, or the same in a file.
    scaling : Scaling, optional
        How samples become DN.
    by_rows : bool, optional
        Whether the samples were read from the file without decoding it.
    notes : tuple of str, optional
        Assumptions that were made on the scale, in the user's words.
    release : callable, optional
        Called by `close`, e.g. to remove a scratch file.
    """

    def __init__(
        self,
        stored: npt.NDArray[np.generic] | FileSamples,
        scaling: Scaling = Scaling(),
        *,
        by_rows: bool = True,
        notes: tuple[str, ...] = (),
        release: Callable[[], None] | None = None,
    ) -> None:
        self.notes = notes
        self._stored: npt.NDArray[np.generic] | FileSamples | None = stored
        self._scaling = scaling
        self._by_rows = by_rows
        self._release = release
        samples = stored.array() if isinstance(stored, FileSamples) else stored
        self._shape: tuple[int, int, int] = samples.shape
        self._sample_bytes = samples.dtype.itemsize
        self._holds_uint16 = _holds_uint16(samples.dtype, scaling)
        self._convert_window = _window_converter(samples, scaling)

    @property
    def channels(self) -> int:
        """Number of planes."""
        return self._shape[0]

    @property
    def height(self) -> int:
        """Rows."""
        return self._shape[1]

    @property
    def width(self) -> int:
        """Columns."""
        return self._shape[2]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """uint16 where the DN are unsigned integers of up to 16 bits, else float32."""
        return np.dtype(np.uint16 if self._holds_uint16 else np.float32)

    @property
    def by_rows(self) -> bool:
        """Whether a window costs its share of the file."""
        return self._by_rows

    @property
    def extra_rows(self) -> int:
        """None: a window needs its own pixels alone."""
        return 0

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        """Write the DN of `window` into `out`; see `PixelSource.read`."""
        stored = self._stored
        if stored is None:
            raise ValueError("the pixels were closed")
        y0, y1, x0, x1 = window
        if not (0 <= y0 <= y1 <= self.height and 0 <= x0 <= x1 <= self.width):
            raise ValueError(f"{window} lies outside of {self.height} rows x {self.width} columns")
        if out.shape != (self.channels, *window.shape):
            raise ValueError(f"out has shape {out.shape}, not {(self.channels, *window.shape)}")
        if out.dtype != np.float32 and not (self._holds_uint16 and out.dtype == np.uint16):
            raise TypeError(f"pixels of type {self.dtype} cannot be read as {out.dtype}")
        if self._convert_window is not None and out.flags.c_contiguous:
            for channel, target in enumerate(out):
                start = (channel * self.height + y0) * self.width + x0
                for part, first, rows in self._pieces(stored, start, target):
                    self._convert_window(part, first, rows)
            return
        samples = stored.array() if isinstance(stored, FileSamples) else stored
        for plane, target in zip(samples[:, y0:y1, x0:x1], out, strict=True):
            if target.dtype == np.uint16:
                np.add(plane, int(self._scaling.zero), out=target, dtype=np.int32, casting="unsafe")
            else:
                _convert(plane, self._scaling, target)

    def _pieces(
        self, stored: npt.NDArray[np.generic] | FileSamples, start: int, out: npt.NDArray[Any]
    ) -> Iterator[tuple[npt.NDArray[np.generic], int, npt.NDArray[Any]]]:
        """Yield samples, where in them the window's first one is, and the rows to fill from there.

        Of a file, some rows at a time, with what lies between them unless that is much.
        """
        if not isinstance(stored, FileSamples):
            yield stored, start, out
            return
        columns = out.shape[1]
        rows = max(1, _READ_BYTES // (self.width * self._sample_bytes))
        if (self.width - columns) * self._sample_bytes > _MOST_BETWEEN:
            rows = 1
        for y in range(0, out.shape[0], rows):
            target = out[y : y + rows]
            count = (len(target) - 1) * self.width + columns
            yield stored.read(start + y * self.width, count), 0, target

    def close(self) -> None:
        """Let go of the file, and remove the scratch file if there is one."""
        if isinstance(self._stored, FileSamples):
            self._stored.close()
        self._stored = None
        if self._release is not None:
            self._release()
            self._release = None


def sample_format(dtype: np.dtype[np.generic], zero: float = 0.0) -> str:
    """Return the name of the stored type, with FITS's BZERO convention for the sign applied."""
    kind, bits = dtype.kind, 8 * dtype.itemsize
    if kind == "i" and zero == 2.0 ** (bits - 1):
        kind = "u"
    elif kind == "u" and zero == -(2.0 ** (bits - 1)):
        kind = "i"
    return {"i": "int", "u": "uint", "f": "float"}[kind] + str(bits)


def _holds_uint16(dtype: np.dtype[np.generic], scaling: Scaling) -> bool:
    if dtype.kind not in "iu" or dtype.itemsize > _SHORT or scaling.blank is not None:
        return False
    limits = np.iinfo(dtype.str)
    lowest, highest = limits.min + scaling.zero, limits.max + scaling.zero
    return (
        scaling.slope == 1
        and float(scaling.zero).is_integer()
        and lowest >= 0
        and highest <= np.iinfo(np.uint16).max
    )


_WindowConverter = Callable[[npt.NDArray[np.generic], int, npt.NDArray[Any]], None]
"""Stored samples, index of a window's first one in them, and the result."""


def _window_converter(stored: npt.NDArray[np.generic], scaling: Scaling) -> _WindowConverter | None:
    """Return the function that converts a window of a plane, or None where no kernel fits.

    Kernels do 16-bit integers with an offset, and float32 with a factor.
    """
    from lightframe.kernels import _samples as kernels  # noqa: PLC0415 - 0.2 s; headers need none

    if not stored.flags.c_contiguous:
        return None
    slope, zero = scaling.slope, scaling.zero
    stride = stored.shape[2]
    swap = stored.dtype.str[0] == (">" if sys.byteorder == "little" else "<")
    if stored.dtype.kind == "f" and stored.dtype.itemsize == _SINGLE and zero == 0:

        def convert_floats(
            samples: npt.NDArray[np.generic], start: int, out: npt.NDArray[Any]
        ) -> None:
            words = _words(samples, np.uint32)
            factor = np.float32(slope)
            kernels.floats_to_float32(words, start, stride, swap, factor, out.view(np.uint32), out)

        return convert_floats
    if (
        stored.dtype.kind not in "iu"
        or stored.dtype.itemsize != _SHORT
        or slope != 1
        or scaling.blank is not None
        or not float(zero).is_integer()
        or abs(zero) > _EXACT
    ):
        return None
    flip = np.uint16(0x8000 if stored.dtype.kind == "i" else 0)
    offset = np.float32(zero - int(flip))

    def convert_words(samples: npt.NDArray[np.generic], start: int, out: npt.NDArray[Any]) -> None:
        words = _words(samples, np.uint16)
        if out.dtype == np.uint16:
            kernels.words_to_uint16(words, start, stride, swap, flip, out)
        else:
            kernels.words_to_float32(words, start, stride, swap, flip, offset, out)

    return convert_words


def _words(samples: npt.NDArray[np.generic], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return a flat, read-only view, the one type of argument that the kernels know."""
    view = np.asarray(samples).reshape(-1).view(dtype)
    view.flags.writeable = False
    return view


def _convert(
    samples: npt.NDArray[np.generic], scaling: Scaling, out: npt.NDArray[np.generic]
) -> None:
    """Write ``zero + slope * samples`` into `out` (float32), strip by strip.

    The sum is made in float64 wherever float32 could not hold it exactly.
    """
    slope, zero, blank = scaling.slope, scaling.zero, scaling.blank
    rows = max(1, _STRIP // max(1, out.shape[1]))
    small = samples.dtype.itemsize <= _SHORT or samples.dtype == np.float32
    direct = slope == 1 and zero == 0
    single = direct or (small and zero == 0)
    work = None if single else np.empty((min(rows, out.shape[0]), out.shape[1]), np.float64)
    # Values beyond float32 become infinite, and signalling NaN quiet, without a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        for y in range(0, out.shape[0], rows):
            strip, target = samples[y : y + rows], out[y : y + rows]
            if work is None:
                np.copyto(target, strip, casting="unsafe")
                if not direct:
                    np.multiply(target, np.float32(slope), out=target)
            else:
                wide = work[: len(strip)]
                np.copyto(wide, strip, casting="unsafe")
                wide *= slope
                wide += zero
                np.copyto(target, wide, casting="unsafe")
            if blank is not None:
                target[strip == blank] = np.nan
