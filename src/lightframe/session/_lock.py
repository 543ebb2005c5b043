"""The lock of an output folder: one run at a time writes into it.

The operating system holds the lock on a file that the run keeps open. It goes with the run,
however that ends; the file stays, and means nothing by itself.
"""

import errno
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from lightframe.errors import LightframeError, ResourceError, SettingsError
from lightframe.frames import storage_error
from lightframe.session._progress import Progress

__all__ = ["LOCK_FILE", "locked", "unwritable"]

LOCK_FILE = "lock"

_TAKEN = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EWOULDBLOCK})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30
    """Of the byte that is locked; those that are written stay readable."""

    def _lock(file: TextIO) -> None:
        os.lseek(file.fileno(), _FAR, os.SEEK_SET)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: TextIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of an output folder.

    Where the file system knows no locks, that is told, and the run goes on.

    Parameters
    ----------
    folder : Path
        The folder ``.lightframe`` of the output folder.
    progress : Progress
        Who is told.

    Raises
    ------
    ResourceError
        If another run holds it, or the disk is full.
    SettingsError
        If nothing can be written there.
    """
    try:
        file = (folder / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        raise unwritable(folder.parent, error) from error
    with file:
        _take(file, folder.parent, progress)
        yield


def _take(file: TextIO, out: Path, progress: Progress) -> None:
    """Lock an open file, and write into it whose it is."""
    try:
        _lock(file)
    except OSError as error:
        if error.errno in _TAKEN:
            file.seek(0)
            owner = file.read().strip()
            raise ResourceError(
                "another run works in this output folder",
                where=out,
                cause=f"{owner}, has not ended" if owner else "a run has not ended",
                remedy="wait for its end, or choose another folder with -o",
            ) from error
        if error.errno not in _NO_LOCKS:
            raise unwritable(out, error) from error
        progress.message(
            f"{out} cannot be locked ({error.strerror}): begin no other run there meanwhile"
        )
    try:
        file.truncate(0)
        begun = datetime.now().astimezone().isoformat(" ", "seconds")
        file.write(f"process {os.getpid()} on {platform.node()}, begun {begun}\n")
        file.flush()
    except OSError as error:
        raise unwritable(out, error) from error


def unwritable(out: Path, error: OSError) -> LightframeError:
    """Return what is told of an output folder that the system refuses to write to.

    A `ResourceError` where the disk is full or failing: the folder is the right one then.
    """
    told = storage_error(error, out)
    if isinstance(told, ResourceError):
        return told
    if isinstance(error.filename, str) and out.is_dir() and Path(error.filename).is_file():
        return SettingsError(
            "there is a file where the output folder needs a folder",
            where=error.filename,
            remedy="move the file away, or choose another folder with -o",
        )
    return SettingsError(
        f"the output folder cannot be written to: {error.strerror}",
        where=out,
        cause="it lies on a read-only disk, belongs to somebody else, or is a file",
        remedy="choose another folder with -o",
    )
