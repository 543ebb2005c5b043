"""Byte shuffling: bytes of equal significance stored together compress better."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["shuffle", "unshuffle"]

_BLOCK = 4096
"""Items handled at a time, so that both sides of the transposition stay in the first cache."""


@kernel
def unshuffle(
    shuffled: npt.NDArray[np.uint8], item_size: int, items: npt.NDArray[np.uint8]
) -> None:
    """Undo `shuffle`: byte ``j`` of item ``i`` stands at ``shuffled[j * count + i]``.

    Parameters
    ----------
    shuffled, items : ndarray of uint8, one-dimensional, of equal length
        Source and destination. Bytes after the last whole item are copied as they are.
    item_size : int
        Bytes in an item.
    """
    count = shuffled.size // item_size
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        for j in range(item_size):
            for i in range(first, last):
                items[i * item_size + j] = shuffled[j * count + i]
    for k in range(count * item_size, shuffled.size):
        items[k] = shuffled[k]


@kernel
def shuffle(items: npt.NDArray[np.uint8], item_size: int, shuffled: npt.NDArray[np.uint8]) -> None:
    """Store the first bytes of all items, then the second bytes, and so on.

    Parameters
    ----------
    items, shuffled : ndarray of uint8, one-dimensional, of equal length
        Source and destination.
    item_size : int
        Bytes in an item.
    """
    count = items.size // item_size
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        for j in range(item_size):
            for i in range(first, last):
                shuffled[j * count + i] = items[i * item_size + j]
    for k in range(count * item_size, items.size):
        shuffled[k] = items[k]
