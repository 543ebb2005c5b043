"""Samples that lie in a file and are read through a memory map.

A map holds a file descriptor as long as it lives, and a process may have few of them: 256 on macOS,
1024 on most Linux systems. Of a stack of thousands of files, as many as is safe stay mapped; the
others are mapped for each read, which costs some thirty microseconds.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from lightframe.errors import UnreadableFileError

if sys.platform != "win32":
    import resource

__all__ = ["MappedSamples", "in_file"]

_Array = npt.NDArray[np.generic]

_FEWEST_KEPT = 8
_MOST_KEPT = 512


class MappedSamples:
    """An array in a file.

    Parameters
    ----------
    path : Path
        The file.
    dtype : dtype
        Type of a sample, with its byte order.
    offset : int
        Byte where the samples begin.
    count : int
        Number of samples.
    arrange : callable
        Flat array -> view of shape (channels, height, width).
    """

    def __init__(
        self,
        path: Path,
        dtype: np.dtype[np.generic],
        offset: int,
        count: int,
        arrange: Callable[[_Array], _Array],
    ) -> None:
        self._path = path
        self._dtype = dtype
        self._offset = offset
        self._count = count
        self._arrange = arrange
        self._kept: _Array | None = None

    def array(self) -> _Array:
        """Return the samples; the file stays mapped at least as long as the array lives.

        Raises
        ------
        UnreadableFileError
            If the file cannot be mapped, or has become too short.
        """
        kept = self._kept
        if kept is not None:
            return kept
        try:
            flat = np.memmap(self._path, self._dtype, "r", self._offset, (self._count,))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UnreadableFileError(
                f"cannot be read any more: {reason}",
                where=self._path,
                cause="the file was moved, changed or cut off while it was in use",
            ) from error
        array = self._arrange(flat)
        with _lock:
            if len(_keepers) < _most_kept():
                _keepers.add(self)
                self._kept = array
        return array

    def close(self) -> None:
        """Let go of the file."""
        with _lock:
            self._kept = None
            _keepers.discard(self)


_lock = threading.Lock()
_keepers: WeakSet[MappedSamples] = WeakSet()


def _most_kept() -> int:
    """Return how many files may stay mapped: a quarter of the descriptors there are."""
    if sys.platform == "win32":  # no such limit: maps hold handles there
        return _MOST_KEPT
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_KEPT
    return min(_MOST_KEPT, max(_FEWEST_KEPT, soft // 4))


def in_file(array: _Array, arrange: Callable[[_Array], _Array]) -> _Array | MappedSamples:
    """Return how to read a filled scratch array: through its file if it has one.

    Parameters
    ----------
    array : ndarray
        From `lightframe.frames._scratch.scratch_array`.
    arrange : callable
        As in `MappedSamples`.
    """
    if isinstance(array, np.memmap):
        return MappedSamples(Path(str(array.filename)), array.dtype, 0, array.size, arrange)
    return arrange(array)
