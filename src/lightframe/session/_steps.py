"""What the commands for single steps share: settings, limits, work file by file."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lightframe.errors import InputError
from lightframe.session._batch import Batch, Failure
from lightframe.session._hashes import Hashing
from lightframe.session._progress import Progress, Silent
from lightframe.session._resources import default_memory_bytes, default_threads
from lightframe.session._settings import RunSettings

__all__ = ["Bench", "each_file"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """What a single step works with.

    Attributes
    ----------
    settings : RunSettings
        Those of a run; a step uses the tables it needs.
    progress : Progress
        Who is told.
    hashing : Hashing
        The thread that hashes files; it may have begun with some.
    """

    settings: RunSettings = field(default_factory=RunSettings)
    progress: Progress = field(default_factory=Silent)
    hashing: Hashing = field(default_factory=Hashing)

    @property
    def threads(self) -> int:
        """How many threads work."""
        return self.settings.workers or default_threads()

    @property
    def memory_bytes(self) -> int:
        """What buffers may take."""
        given = self.settings.memory_gb
        return default_memory_bytes() if given is None else int(given * 1e9)


def each_file(
    title: str,
    paths: Sequence[Path],
    work: Callable[[Path], T],
    bench: Bench,
    *,
    bytes_each: int = 0,
) -> Batch[T]:
    """Do the same to several files, side by side; a bad one does not stop the others.

    Parameters
    ----------
    title : str
        What is done, for the progress.
    paths : sequence of Path
        The files; one that is named twice counts once.
    work : callable
        Takes one file; what it raises as `InputError` sets the file aside.
    bench : Bench
        Progress and threads.
    bytes_each : int
        What one file takes in memory: no more are worked on at a time than fit.
    """
    paths = list(dict.fromkeys(paths))
    done: list[T] = []
    failures: list[Failure] = []
    fitting = bench.memory_bytes // bytes_each if bytes_each else bench.threads
    threads = max(1, min(bench.threads, fitting))
    with (
        bench.progress.step(title, len(paths)) as advance,
        ThreadPoolExecutor(threads, thread_name_prefix="files") as pool,
    ):
        futures = [pool.submit(work, path) for path in paths]
        for future in futures:
            future.add_done_callback(lambda _: advance(1))
        try:
            for path, future in zip(paths, futures, strict=True):
                try:
                    done.append(future.result())
                except InputError as error:
                    failures.append(Failure(path, error))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Batch(tuple(done), tuple(failures))
