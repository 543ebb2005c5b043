"""Buffers that are used again: fresh memory costs as much as the arithmetic on it."""

import threading
from typing import cast

import numpy as np
import numpy.typing as npt

__all__ = ["Buffers"]


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
        size = int(np.prod(shape))
        flat = self._arrays.get(name)
        if flat is None or flat.size < size or flat.dtype != dtype:
            flat = self._arrays[name] = np.empty(size, dtype)
        return flat[:size].reshape(shape)
