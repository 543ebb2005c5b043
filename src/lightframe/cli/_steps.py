"""What the commands for single steps are told: their common options, and the settings from them."""

import argparse
from pathlib import Path

from lightframe.cli._console import ConsoleProgress
from lightframe.cli._options import add_memory, add_sources, read_config, settings_from
from lightframe.session import Bench, OutputSettings, RunSettings

__all__ = ["add_common", "add_output", "bench_of", "output_of"]


def add_common(
    parser: argparse.ArgumentParser, *, files: str = "frames", example: str = "memory_gb=2"
) -> None:
    """Add the files and the options that every command for a single step has."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help=files)
    parser.add_argument("--json", action="store_true", help="print JSON alone on stdout")
    group = parser.add_argument_group("settings and limits")
    add_sources(group, example, "settings, as lightframe explain --settings lists them")
    add_memory(group)


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
    progress = ConsoleProgress(quiet=arguments.json, least_s=2.0)
    return Bench(settings, progress, arguments.hashing)


def output_of(arguments: argparse.Namespace, bench: Bench) -> OutputSettings:
    """Return how results are written."""
    return OutputSettings.parse(
        {
            "format": getattr(arguments, "format", "auto"),
            "units": bench.settings.units,
            "sample_format": arguments.sample_format,
        }
    )
