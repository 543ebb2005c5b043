"""Samples that lie in a file and are read when they are wanted.

They are read into a small buffer that stays in the cache. Through a memory map they cost twice the
time, in page faults (0.12 s a GB against 0.05), more where threads share the map's lock; and a file
that is cut off or a disk that fails would kill the process where reading is an error.

An open file takes a descriptor, and a process may have few of them: 256 on macOS, 1024 on most
Linux systems. Of a stack of thousands of files, as many as is safe stay open; the others are opened
for each read, which costs some ten microseconds.
"""

import mmap
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from lightframe.buffers import Buffers
from lightframe.errors import UnreadableFileError

if sys.platform != "win32":
    import resource

__all__ = ["FileSamples", "in_file"]

_Array = npt.NDArray[np.generic]

_FEWEST_KEPT = 8
_MOST_KEPT = 512

_buffers = Buffers()


class _OpenFile:
    """A descriptor that is closed with its last user, which may be reading in another thread."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


class FileSamples:
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
        self._kept: _OpenFile | None = None

    def array(self) -> _Array:
        """Return all samples, mapped; the map lives as long as the array.

        Raises
        ------
        UnreadableFileError
            If the file cannot be mapped, or has become too short.
        """
        return self._arrange(self._mapped())

    def read(self, start: int, count: int) -> _Array:
        """Return samples in the order of the file, valid until this thread reads the next ones.

        Raises
        ------
        UnreadableFileError
            If the file cannot be read, or has become too short.
        """
        if not hasattr(os, "preadv"):  # Windows
            return self._mapped()[start : start + count]
        size = self._dtype.itemsize
        buffer = _buffers.get("samples", (count * size,), np.uint8)
        try:
            self._fill(buffer.data, self._offset + start * size)
        except (OSError, EOFError) as error:
            raise self._unreadable(error) from error
        return buffer.view(self._dtype)

    def close(self) -> None:
        """Let go of the file."""
        with _lock:
            self._kept = None
            _keepers.discard(self)

    def _fill(self, buffer: memoryview, place: int) -> None:
        file = self._opened()
        while buffer:
            got = os.preadv(file.descriptor, [buffer], place)
            if not got:
                raise EOFError("it ends too early")
            buffer, place = buffer[got:], place + got

    def _mapped(self) -> _Array:
        end = self._offset + self._count * self._dtype.itemsize
        try:
            file = self._opened()
            mapped = mmap.mmap(file.descriptor, end, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        return np.frombuffer(mapped, self._dtype, self._count, self._offset)

    def _opened(self) -> _OpenFile:
        """Return the open file, and keep it if few others are kept."""
        file = self._kept
        if file is not None:
            return file
        file = _OpenFile(self._path)
        with _lock:
            if len(_keepers) < _most_kept():
                _keepers.add(self)
                self._kept = file
        return file

    def _unreadable(self, error: Exception) -> UnreadableFileError:
        reason = error.strerror if isinstance(error, OSError) else error
        return UnreadableFileError(
            f"cannot be read any more: {reason}",
            where=self._path,
            cause="the file was moved, changed or cut off while it was in use",
        )


_lock = threading.Lock()
_keepers: WeakSet[FileSamples] = WeakSet()


def _most_kept() -> int:
    """Return how many files may stay open: a quarter of the descriptors there are."""
    if sys.platform == "win32":  # no such limit: files have handles there
        return _MOST_KEPT
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_KEPT
    return min(_MOST_KEPT, max(_FEWEST_KEPT, soft // 4))


def in_file(array: _Array, arrange: Callable[[_Array], _Array]) -> _Array | FileSamples:
    """Return how to read a filled scratch array: through its file if it has one.

    Parameters
    ----------
    array : ndarray
        From `lightframe.frames._scratch.scratch_array`.
    arrange : callable
        As in `FileSamples`.
    """
    if isinstance(array, np.memmap):
        return FileSamples(Path(str(array.filename)), array.dtype, 0, array.size, arrange)
    return arrange(array)
