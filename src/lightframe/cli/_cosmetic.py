"""``lightframe cosmetic``: hot and cold pixels are replaced by good neighbours of their colour."""

import argparse
from pathlib import Path

from lightframe.cli._options import add_settings
from lightframe.cli._outcome import print_end, print_lights, print_remarks, print_table, table
from lightframe.cli._parser import Parser
from lightframe.cli._steps import add_common, add_output, bench_of, output_of
from lightframe.figures import percent
from lightframe.processes import CosmeticSettings
from lightframe.session import correct_files

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the command."""
    add_common(parser, files="calibrated frames, not debayered", example="cosmetic.hot_sigma=4")
    add_output(parser, folder=True)
    parser.add_argument(
        "--dark", metavar="FILE", type=Path, help="master dark that knows hot and cold pixels"
    )
    parser.add_argument(
        "--map",
        action="store_true",
        help="add the map of defects to the files: 0 good, or the sum of 1 hot, 2 cold, 4 listed",
    )
    add_settings(
        parser,
        CosmeticSettings,
        "cosmetic correction",
        section="cosmetic",
        without={"use_dark"},
    )


def execute(arguments: argparse.Namespace) -> int:
    """Correct the files."""
    bench = bench_of(arguments)
    batch = correct_files(
        arguments.files,
        arguments.out,
        bench,
        output_of(arguments, bench),
        dark=arguments.dark,
        with_map=arguments.map,
    )
    if arguments.json:
        print_lights(batch)
    elif batch.done:
        shown = table("Light", "Hot", "Cold", "Listed", "Defects %", "Replaced")
        for file in batch.done:
            counts = file.defects.counts()
            share = len(file.defects) / (file.info.height * file.info.width)
            shown.add_row(
                file.written.path.name,
                *(str(counts[kind]) for kind in ("hot", "cold", "listed")),
                percent(share, 4),
                str(file.replaced),
            )
        print_table(shown)
        print_remarks(file.remarks for file in batch.done)
    return print_end(batch, arguments.files)
