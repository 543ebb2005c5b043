"""SHA-256 of files: what a result was made of can be told for certain.

This module imports nothing that takes time: hashing can begin while the rest is imported.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lightframe.errors import UnreadableFileError

__all__ = ["Hashing", "file_hash", "hashes"]

_CHUNK = 1 << 23
"""Bytes between two times that a thread needs the interpreter, for which it waits where Python code
runs: it hashes 8 MB in 5 ms."""


class _Buffer(threading.local):
    """What a thread reads into; fresh memory for each file would take as long as reading it."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_CHUNK))


_buffer = _Buffer()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises
    ------
    UnreadableFileError
        If it cannot be read to its end.
    """
    digest = hashlib.sha256()
    view = _buffer.view
    try:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(view):
                digest.update(view[:count])
    except OSError as error:
        raise UnreadableFileError(
            f"cannot be read to its end ({error.strerror})",
            where=path,
            cause="the disk is failing, or the file was moved or is protected",
            remedy="copy the file again",
        ) from error
    return digest.hexdigest()


def hashes(paths: Iterable[Path], threads: int) -> dict[Path, str]:
    """Return the SHA-256 of each file, in hexadecimal; raise as `file_hash` does."""
    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, pool.map(file_hash, paths), strict=True))


class Hashing:
    """A thread that hashes files while the caller does something else."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._begun: dict[Path, Future[str]] = {}

    def begin(self, paths: Iterable[Path]) -> None:
        """Hash files that are not being hashed yet."""
        for path in paths:
            if path not in self._begun:
                self._begun[path] = self._pool.submit(file_hash, path)

    @contextmanager
    def of(self, paths: Iterable[Path]) -> Iterator[Callable[[Path], str]]:
        """Give what returns the SHA-256 of each of these files, or raises as `file_hash` does."""
        self.begin(paths)
        try:
            yield lambda path: self._begun[path].result()
        finally:
            self.forget()

    def forget(self) -> None:
        """Leave undone what has not begun."""
        for future in self._begun.values():
            future.cancel()
        self._begun.clear()
