"""Stored samples <-> DN: byte order and sign in one pass, into a buffer that exists.

Sixteen bits are what cameras deliver, and what speed is about. A word ``w`` becomes DN as
``(w ^ flip) + offset``: flipping the top bit turns a signed sample into its value + 32768, which is
all that the convention of FITS for unsigned integers (BZERO = 32768) asks for.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import FULL_SCALE

__all__ = ["dn_to_words", "floats_to_float32", "words_to_float32", "words_to_uint16"]

_EIGHT = np.uint16(8)
_TOP = np.uint16(0x8000)


@kernel
def words_to_float32(
    words: npt.NDArray[np.uint16],
    start: int,
    stride: int,
    swap: bool,
    flip: np.uint16,
    offset: np.float32,
    out: npt.NDArray[np.float32],
) -> None:
    """Write ``(word ^ flip) + offset`` into `out`.

    Parameters
    ----------
    words : ndarray of uint16, one-dimensional
        The stored words of a plane.
    start, stride : int
        Index of the first word of the window, and words from one row to the next.
    swap : bool
        Whether the bytes of a word are in the order that is foreign to this machine.
    flip : uint16
        0x8000 for signed samples, else 0.
    offset : float32
        What to add.
    out : ndarray of float32, shape (rows, columns)
        The result.
    """
    columns = out.shape[1]
    for y in range(out.shape[0]):
        first = start + y * stride
        row = words[first : first + columns]
        target = out[y]
        if swap:
            for x in range(columns):
                word = row[x]
                word = np.uint16((word << _EIGHT) | (word >> _EIGHT))
                target[x] = np.float32(np.uint16(word ^ flip)) + offset
        else:
            for x in range(columns):
                target[x] = np.float32(np.uint16(row[x] ^ flip)) + offset


@kernel
def words_to_uint16(
    words: npt.NDArray[np.uint16],
    start: int,
    stride: int,
    swap: bool,
    flip: np.uint16,
    out: npt.NDArray[np.uint16],
) -> None:
    """Write ``word ^ flip`` into `out`; the arguments are those of `words_to_float32`."""
    columns = out.shape[1]
    for y in range(out.shape[0]):
        first = start + y * stride
        row = words[first : first + columns]
        target = out[y]
        if swap:
            for x in range(columns):
                word = row[x]
                target[x] = np.uint16((word << _EIGHT) | (word >> _EIGHT)) ^ flip
        else:
            for x in range(columns):
                target[x] = row[x] ^ flip


@kernel
def floats_to_float32(
    words: npt.NDArray[np.uint32],
    start: int,
    stride: int,
    swap: bool,
    factor: np.float32,
    out_words: npt.NDArray[np.uint32],
    out: npt.NDArray[np.float32],
) -> None:
    """Write stored float32 samples times `factor` into `out`.

    Parameters
    ----------
    words : ndarray of uint32, one-dimensional
        The stored samples as words.
    start, stride, swap
        As in `words_to_float32`.
    factor : float32
        What to multiply by.
    out_words : ndarray of uint32, shape (rows, columns)
        The memory of `out`, seen as words.
    out : ndarray of float32, shape (rows, columns)
        The result.
    """
    columns = out.shape[1]
    low = np.uint32(0xFF00)
    eight = np.uint32(8)
    most = np.uint32(24)
    for y in range(out.shape[0]):
        first = start + y * stride
        row = words[first : first + columns]
        target = out_words[y]
        if swap:
            for x in range(columns):
                word = row[x]
                target[x] = (
                    (word << most)
                    | ((word & low) << eight)
                    | ((word >> eight) & low)
                    | (word >> most)
                )
        else:
            for x in range(columns):
                target[x] = row[x]
        if factor != 1:
            values = out[y]
            for x in range(columns):
                values[x] *= factor


@kernel
def dn_to_words(
    dn: npt.NDArray[np.float32], lowest: np.float32, swap: bool, out: npt.NDArray[np.uint16]
) -> tuple[int, int]:
    """Round DN to the nearest integer, truncate, and store it as signed word + 32768.

    Parameters
    ----------
    dn : ndarray of float32, one-dimensional
        Values; NaN becomes the word of DN 0.
    lowest : float32
        The lowest DN that may be stored: 0, or 1 where 0 stands for missing pixels.
    swap : bool
        Whether to write the byte order that is foreign to this machine.
    out : ndarray of uint16, one-dimensional
        The stored words.

    Returns
    -------
    tuple of int
        How many values were truncated at the low and at the high end.
    """
    low = 0
    high = 0
    highest = np.float32(FULL_SCALE)
    for i in range(dn.shape[0]):
        value = np.float32(np.rint(dn[i]))
        low += 1 if value < lowest else 0
        high += 1 if value > highest else 0
        value = np.float32(0.0) if np.isnan(value) else min(max(value, lowest), highest)
        word = np.uint16(np.int32(value)) ^ _TOP
        out[i] = np.uint16((word << _EIGHT) | (word >> _EIGHT)) if swap else word
    return low, high
