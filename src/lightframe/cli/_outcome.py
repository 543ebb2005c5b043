"""How commands for single steps tell what they have done: tables, numbers, and how they end."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich import box
from rich.table import Table

from lightframe.cli._console import print_error, stderr, stdout
from lightframe.cli._output import print_json
from lightframe.cli._wide_table import fitted
from lightframe.errors import LightframeError
from lightframe.session import Batch, Failure, unknown_light

__all__ = [
    "number",
    "numbers",
    "print_end",
    "print_lights",
    "print_remarks",
    "print_table",
    "refused_files",
    "table",
]


def _print_failures(failures: Sequence[Failure]) -> None:
    """Print why files were set aside, on standard error; a reason that several share once."""
    alike: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failures:
        error = failure.error
        alike.setdefault((error.what, error.cause, error.remedy), []).append(failure)
    for first, *others in alike.values():
        _print_failure(first)
        if others:
            names = ", ".join(other.path.name for other in others)
            stderr().print(f"  the same: {names}")


def _print_failure(failure: Failure) -> None:
    error = failure.error
    named = failure.path.name in str(error)
    print_error(
        error
        if named
        else LightframeError(
            failure.reason, where=failure.path, cause=error.cause, remedy=error.remedy
        )
    )


def print_end(batch: Batch[Any], files: Sequence[Path]) -> int:
    """Print what was set aside and how many of the files; return the exit code."""
    _print_failures(batch.failures)
    total = len(set(files))
    if batch.failures and total > 1:
        stderr().print(f"set aside: {len(batch.failures)} of {total} files")
    return batch.exit_code


def table(*columns: str, left: int = 1, title: str | None = None) -> Table:
    """Return a table whose first `left` columns are text, the others numbers."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for index, column in enumerate(columns):
        made.add_column(
            column, justify="left" if index < left else "right", overflow="fold", no_wrap=index > 0
        )
    return made


def print_table(shown: Table) -> None:
    """Print a table with all of its numbers.

    Names are folded on a narrow terminal, and what is still wider becomes several tables. Where a
    single number is wider, the terminal breaks the lines: one that is cut off would be a wrong one.
    A file is as wide as the table.
    """
    console = stdout()
    for part in fitted(shown, console):
        console.print(part, crop=False)


def print_remarks(remarks: Iterable[tuple[str, ...]]) -> None:
    """Print remarks on files, each once, with how many files it holds for."""
    counted = Counter(remark for several in remarks for remark in several)
    for remark, count in counted.items():
        times = f" ({count} files)" if count > 1 else ""
        stdout().print(f"note: {remark}{times}", style="yellow", soft_wrap=True)


class _Light(Protocol):
    def as_dict(self) -> dict[str, Any]: ...


_L = TypeVar("_L", bound=_Light)


def print_lights(batch: Batch[_L]) -> None:
    """Print what was done to each light, and why others were set aside, as JSON."""
    refused = [
        unknown_light(failure.path, None) | {"used": False, "reason": failure.reason}
        for failure in batch.failures
    ]
    print_json({"lights": [light.as_dict() for light in batch.done] + refused})


def refused_files(failures: Sequence[Failure]) -> list[dict[str, str]]:
    """Return files that were set aside, and why, for the key ``refused``."""
    return [failure.as_dict() for failure in failures]


def numbers(values: Iterable[float], form: str) -> str:
    """Return several numbers with one space between them."""
    return " ".join(number(value, form) for value in values)


def number(value: float | None, form: str = ".2f") -> str:
    """Return a number, or a dash where it is unknown or not finite."""
    return "-" if value is None or not math.isfinite(value) else format(value, form)
