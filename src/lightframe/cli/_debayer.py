"""``lightframe debayer``: from mosaics to colour images."""

import argparse

from lightframe.cli._outcome import numbers, print_end, print_lights, print_table, table
from lightframe.cli._steps import add_common, add_output, bench_of, output_of
from lightframe.errors import SettingsError
from lightframe.frames import CfaPattern
from lightframe.processes import DEBAYER_METHODS
from lightframe.session import RunSettings, debayer_files

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_common(parser, files="calibrated, corrected mosaics", example="debayer=rcd")
    add_output(parser, folder=True)
    methods = "; ".join(f"{row.name}: {row.meaning}" for row in DEBAYER_METHODS.entries())
    parser.add_argument(
        "--method",
        dest="set:debayer",
        metavar="X",
        help=f"how ({methods}) [{RunSettings().debayer}]".replace("%", "%%"),
    )
    parser.add_argument(
        "--pattern",
        metavar="RGGB",
        help="colours of the stored array from its first pixel on, whatever the headers say",
    )
    parser.add_argument(
        "--separate-channels",
        action="store_true",
        help="write one file a channel: <name>_d_R, <name>_d_G, <name>_d_B",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Debayer the files."""
    bench = bench_of(arguments)
    batch = debayer_files(
        arguments.files,
        arguments.out,
        bench,
        output_of(arguments, bench),
        pattern=_pattern(arguments.pattern),
        separate_channels=arguments.separate_channels,
    )
    if arguments.json:
        print_lights(batch)
    elif batch.done:
        shown = table("Light", "Pattern", "Noise R G B DN")
        for file in batch.done:
            shown.add_row(
                ", ".join(written.path.name for written in file.written),
                "" if file.info.cfa is None else file.info.cfa.name,
                numbers(file.noise_dn, ".2f"),
            )
        print_table(shown)
    return print_end(batch, arguments.files)


def _pattern(name: str | None) -> CfaPattern | None:
    if name is None:
        return None
    try:
        return CfaPattern.from_name(name.upper())
    except ValueError as error:
        raise SettingsError(
            str(error), where="--pattern", remedy="for example --pattern RGGB"
        ) from error
