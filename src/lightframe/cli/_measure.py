"""``lightframe measure``: stars, background and noise of lights, and the best of them."""

import argparse

from lightframe.cli._console import stdout
from lightframe.cli._options import add_settings
from lightframe.cli._outcome import number, numbers, print_end, print_lights, print_table, table
from lightframe.cli._parser import Parser
from lightframe.cli._steps import add_common, bench_of
from lightframe.processes import DetectionSettings
from lightframe.session import Batch, MeasuredFile, measure_files

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the command."""
    add_common(
        parser,
        files="lights, best calibrated; mosaics, monochrome or colour",
        example="detection.threshold=4",
    )
    add_settings(parser, DetectionSettings, "star detection", section="detection")


def execute(arguments: argparse.Namespace) -> int:
    """Measure the files."""
    batch = measure_files(arguments.files, bench_of(arguments))
    if arguments.json:
        print_lights(batch)
    elif batch.done:
        _print(batch)
    return print_end(batch, arguments.files)


def _print(batch: Batch[MeasuredFile]) -> None:
    shown = table(
        "Light", "Stars", "FWHM px", "Ecc.", "Background DN", "Noise DN", "Weight", "Score"
    )
    for file in batch.done:
        measured = file.measurement
        shown.add_row(
            ("* " if file.is_reference else "  ") + file.info.path.name,
            str(measured.star_count),
            number(measured.fwhm_px),
            number(measured.eccentricity),
            numbers(measured.background_dn, ".1f"),
            numbers(measured.noise_dn, ".2f"),
            number(file.weight, ".3f"),
            number(file.score, "+.3f"),
        )
    console = stdout()
    print_table(shown)
    best = next((file for file in batch.done if file.is_reference), None)
    if best is None:
        console.print("None of the files shows enough stars to be the reference.")
    else:
        console.print(
            f"* the reference of a registration: {best.info.path.name}",
            soft_wrap=True,
        )
