"""Buffers for kernels: aligned, and used again, for fresh memory costs as much as arithmetic."""

import threading
from math import prod
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

__all__ = ["Buffers", "aligned_empty"]

_Scalar = TypeVar("_Scalar", bound=np.generic)

_CACHE_LINE = 64
"""Bytes, and those of the widest vector register: unaligned, each of its loads takes two lines."""


def aligned_empty(
    shape: int | tuple[int, ...], dtype: type[_Scalar] | np.dtype[_Scalar]
) -> npt.NDArray[_Scalar]:
    """Return an uninitialised C-contiguous array that begins at a cache line.

    NumPy's own begin 16 bytes after one as a rule: a rejection kernel takes 1.25 times as long.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + _CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % _CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


class Buffers(threading.local):
    """Scratch arrays by name, kept per thread and grown when needed.

    An array is valid until the same thread asks for the same name again; its content is whatever
    was left in it.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, npt.NDArray[np.generic]] = {}

    def floats(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """Return an uninitialised C-contiguous array of float32."""
        return cast("npt.NDArray[np.float32]", self.get(name, shape, np.float32))

    def get(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike
    ) -> npt.NDArray[np.generic]:
        """Return an uninitialised C-contiguous array of `shape` and `dtype`."""
        size = prod(shape)
        flat = self._arrays.get(name)
        if flat is None or flat.size < size or flat.dtype != dtype:
            flat = self._arrays[name] = aligned_empty(size, np.dtype(dtype))
        return flat[:size].reshape(shape)
