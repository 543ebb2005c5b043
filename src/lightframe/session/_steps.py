"""What the commands for single steps share: limits, and files of which one may be bad."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from lightframe.errors import InputError, LightframeError
from lightframe.session._progress import Progress, Silent
from lightframe.session._resources import default_memory_bytes, default_threads
from lightframe.session._settings import RunSettings

__all__ = ["Batch", "Bench", "Failure", "each_file"]

T = TypeVar("T")

_DONE, _SOME_FAILED, _NOTHING_DONE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was set aside, and why."""

    path: Path
    error: LightframeError

    @property
    def reason(self) -> str:
        """What happened, with the other file that it happened in, if it is another one."""
        where = Path(self.error.where).name
        known = not where or where == self.path.name or where in self.error.what
        return self.error.what if known else f"{where}: {self.error.what}"

    def as_dict(self) -> dict[str, str]:
        """Return JSON values."""
        return {
            "path": str(self.path),
            "what": self.error.what,
            "where": self.error.where,
            "cause": self.error.cause,
            "remedy": self.error.remedy,
        }


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """What a step has made of several files.

    Attributes
    ----------
    done : tuple
        One item for each file that could be worked on, in the order of the files.
    failures : tuple of Failure
        The others.
    """

    done: tuple[T, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if all went well, 1 if files were set aside, 3 if nothing could be done."""
        if not self.failures:
            return _DONE
        return _SOME_FAILED if self.done else _NOTHING_DONE


@dataclass(frozen=True, slots=True)
class Bench:
    """What a single step works with.

    Attributes
    ----------
    settings : RunSettings
        Those of a run; a step uses the tables it needs.
    progress : Progress
        Who is told.
    """

    settings: RunSettings = field(default_factory=RunSettings)
    progress: Progress = field(default_factory=Silent)

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


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON values are of many types
    """Return a value as JSON has it: no NaN, no infinity."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
