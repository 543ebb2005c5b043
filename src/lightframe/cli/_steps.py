"""What the commands for single steps share: their common options, and how they end."""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from lightframe.cli._console import ConsoleProgress, print_error, stderr, stdout
from lightframe.cli._options import read_config, settings_from
from lightframe.errors import LightframeError
from lightframe.session import Batch, Bench, Failure, OutputSettings, RunSettings, unknown_light

__all__ = [
    "WIDE",
    "add_common",
    "add_output",
    "bench_of",
    "number",
    "numbers",
    "output_of",
    "print_end",
    "print_remarks",
    "refused_files",
    "refused_lights",
    "table",
]

WIDE = 132
"""Columns of tables when piped."""


def add_common(parser: argparse.ArgumentParser, *, files: str = "frames") -> None:
    """Add the files and the options that every command for a single step has."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help=files)
    parser.add_argument("--json", action="store_true", help="print JSON alone on stdout")
    group = parser.add_argument_group("settings and limits")
    group.add_argument(
        "--config", metavar="F.toml", type=Path, help="settings, in the tables of lightframe run"
    )
    group.add_argument(
        "--set",
        dest="assignments",
        metavar="NAME=VALUE",
        action="append",
        help="one setting by its name in the tables of lightframe run, e.g. flats.rejection=sigma",
    )
    group.add_argument("--workers", metavar="N", dest="set:workers", help="threads [all cores]")
    group.add_argument(
        "--memory", metavar="GB", dest="set:memory_gb", help="for buffers [half of what is free]"
    )


def add_output(parser: argparse.ArgumentParser, *, folder: bool, required: bool = True) -> None:
    """Add the options of commands that write images."""
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR" if folder else "FILE",
        type=Path,
        required=required,
        help="folder for the results" if folder else "the result; its suffix gives the format",
    )
    group = parser.add_argument_group("output")
    if folder:
        group.add_argument(
            "--format", choices=("fits", "xisf"), default="fits", help="of the results [fits]"
        )
    group.add_argument(
        "--units",
        dest="set:units",
        choices=("unit", "dn"),
        help="scale of floating-point pixels: DN / 65535, or DN [unit]",
    )
    group.add_argument(
        "--sample-format",
        choices=("float32", "uint16"),
        default="float32",
        help="float32 is never truncated, uint16 is, and it is counted [float32]",
    )


def bench_of(arguments: argparse.Namespace) -> Bench:
    """Return settings and progress of a command."""
    settings = settings_from(arguments, RunSettings, read_config(arguments.config))
    return Bench(settings, ConsoleProgress(quiet=arguments.json, least_s=2.0))


def output_of(arguments: argparse.Namespace, bench: Bench) -> OutputSettings:
    """Return how results are written."""
    return OutputSettings.parse(
        {
            "format": getattr(arguments, "format", "auto"),
            "units": bench.settings.units,
            "sample_format": arguments.sample_format,
        }
    )


def _print_failures(failures: Sequence[Failure]) -> None:
    """Print why files were set aside, on standard error."""
    for failure in failures:
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


def print_remarks(remarks: Iterable[tuple[str, ...]]) -> None:
    """Print remarks on files, each once, with how many files it holds for."""
    counted = Counter(remark for several in remarks for remark in several)
    for remark, count in counted.items():
        times = f" ({count} files)" if count > 1 else ""
        stdout().print(f"note: {remark}{times}", style="yellow", soft_wrap=True)


def refused_lights(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    """Return files that were set aside as entries of ``lights``."""
    return [
        unknown_light(failure.path, None) | {"used": False, "reason": failure.reason}
        for failure in failures
    ]


def refused_files(failures: Sequence[Failure]) -> list[dict[str, str]]:
    """Return files that were set aside, and why, for the key ``refused``."""
    return [failure.as_dict() for failure in failures]


def numbers(values: Iterable[float], form: str) -> str:
    """Return several numbers with one space between them."""
    return " ".join(number(value, form) for value in values)


def number(value: float | None, form: str = ".2f") -> str:
    """Return a number, or a dash where it is unknown."""
    return "-" if value is None or value != value else format(value, form)  # noqa: PLR0124 (NaN)
