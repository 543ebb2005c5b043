"""Several files of which one may be bad: what was made of the others, and why that one was not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from lightframe.errors import InputError, LightframeError
from lightframe.frames import FrameInfo, read_info

__all__ = ["Batch", "Failure", "read_infos"]

T = TypeVar("T")

_DONE, _SOME_FAILED, _NOTHING_DONE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was set aside, and why.

    Attributes
    ----------
    path : Path
        The file.
    error : LightframeError
        What is wrong with it.
    """

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


def read_infos(paths: Sequence[Path]) -> tuple[list[FrameInfo], list[Failure]]:
    """Read the headers of files, and say why some cannot be read. A file counts once."""
    infos: list[FrameInfo] = []
    failures: list[Failure] = []
    for path in dict.fromkeys(paths):
        try:
            infos.append(read_info(path))
        except InputError as error:
            failures.append(Failure(path, error))
    return infos, failures
