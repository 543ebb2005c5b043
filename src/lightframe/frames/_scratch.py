"""Files that are written: scratch that goes away with its reader; others whole or not at all."""

import errno
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from lightframe.errors import LightframeError, ResourceError, SettingsError

__all__ = ["UNFINISHED", "new_file", "reserve", "scratch_array", "storage_error"]

UNFINISHED = ".lightframe-*.part"
"""Pattern of the names that files have until they are complete."""

_CHUNK = 1 << 20


def scratch_array(
    shape: tuple[int, ...], dtype: npt.DTypeLike, directory: Path | None
) -> tuple[npt.NDArray[np.generic], Callable[[], None]]:
    """Return an array to be filled once, and the function that gives its storage back.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    dtype : dtype
        Its type, e.g. the integer type the pixels are stored in.
    directory : Path or None
        Where to put the scratch file; None keeps the array in memory.

    Raises
    ------
    SettingsError
        If the directory cannot be written to.
    ResourceError
        If there is no room on the disk or in memory.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    if directory is None:
        try:
            return np.empty(shape, dtype), _nothing
        except MemoryError as error:
            raise ResourceError(
                f"{size:,} bytes of memory for decoded pixels are not available",
                remedy="use fewer workers, or decode compressed frames into a scratch folder",
            ) from error
    name = ""
    try:
        handle, name = tempfile.mkstemp(prefix="lightframe-", suffix=".scratch", dir=directory)
        with os.fdopen(handle, "r+b") as file:
            reserve(file.fileno(), size)
        array = np.memmap(name, dtype, "r+", shape=shape)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise storage_error(error, directory) from error
    return array, lambda: Path(name).unlink(missing_ok=True)


def _nothing() -> None:
    """Memory goes with the array."""


def reserve(descriptor: int, size: int) -> None:
    """Give a new file `size` bytes of disk.

    A full disk shows here as an OSError, instead of killing the process when a mapped page of a
    sparse file finds no room; and writing into reserved blocks is faster.
    """
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}:
                raise
        else:
            return
    zeros = bytes(_CHUNK)
    for start in range(0, size, _CHUNK):
        os.write(descriptor, zeros[: size - start])
    os.lseek(descriptor, 0, os.SEEK_SET)


@contextmanager
def new_file(path: Path, size: int = 0, *, make_folder: bool = False) -> Iterator[BinaryIO]:
    """Open a file that appears under its name when it is complete; one that was there is replaced.

    Parameters
    ----------
    path : Path
        The file.
    size : int, optional
        Bytes to reserve for it.
    make_folder : bool, optional
        Whether to make the folder if it is not there.

    Raises
    ------
    SettingsError
        If the folder does not exist or cannot be written to.
    ResourceError
        If there is no room.
    """
    part = path.with_name(UNFINISHED.replace("*", secrets.token_hex(8)))
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                reserve(file.fileno(), size)
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error


def storage_error(error: OSError, where: Path) -> LightframeError:
    """Return the error that tells the user what is wrong with the place to write to."""
    reason = error.strerror or str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOMEM}:
        return ResourceError(
            f"cannot be written: {reason}", where=where, remedy="free some space, then resume"
        )
    return SettingsError(
        f"cannot be written: {reason}",
        where=where,
        remedy="choose a folder that exists and that you may write to",
    )
