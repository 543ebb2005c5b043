"""``lightframe stats``: level, spread, noise and clipping of images."""

import argparse

from rich.text import Text

from lightframe.cli._console import stdout
from lightframe.cli._outcome import number, print_end, print_table, refused_files, table
from lightframe.cli._output import print_json
from lightframe.cli._steps import add_common, bench_of
from lightframe.session import FileStatistics, stats_files

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_common(parser, files="any images; mosaics are measured colour by colour")
    parser.add_argument(
        "--within-scale",
        action="store_true",
        help="leave out pixels at or below 0 and at or above the white level",
    )


def execute(arguments: argparse.Namespace) -> int:
    """Measure each file; one that cannot be read does not stop the others."""
    batch = stats_files(arguments.files, bench_of(arguments), within_scale=arguments.within_scale)
    if arguments.json:
        files = [file.as_dict() for file in batch.done]
        print_json({"files": files, "refused": refused_files(batch.failures)})
    else:
        for file in batch.done:
            _print(file)
    return print_end(batch, arguments.files)


def _print(file: FileStatistics) -> None:
    info = file.info
    shown = table("", *(plane.name or "DN" for plane in file.planes))
    planes = file.planes
    shown.add_row("count %", *(f"{100 * plane.count_fraction:.5f}" for plane in planes))
    for title, attribute in (
        ("mean", "mean"),
        ("median", "median"),
        ("sigma", "sigma"),
        ("MAD x 1.4826", "mad_sigma"),
        ("sqrt(BWMV)", "bwmv_sigma"),
        ("minimum", "minimum"),
        ("maximum", "maximum"),
        ("noise (MRS)", "noise"),
    ):
        shown.add_row(title, *(number(getattr(plane, attribute), ".3f") for plane in planes))
    for title, attribute in (
        ("px <= 0", "low"),
        (f"px >= {file.white_dn:g}", "high"),
        ("px missing", "missing"),
    ):
        shown.add_row(title, *(str(getattr(plane, attribute)) for plane in planes))
    cfa = f", {info.cfa.name}" if info.cfa is not None else ""
    size = f"{info.width} x {info.height}, {info.sample_format}{cfa}"
    stdout().print(Text.assemble((str(info.path), "bold"), f"  {size}, in DN"))
    print_table(shown)
