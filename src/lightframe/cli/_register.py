"""``lightframe register``: lights are brought onto one grid by their stars."""

import argparse
from pathlib import Path

from lightframe.cli._options import add_settings
from lightframe.cli._outcome import number, print_end, print_lights, print_table, table
from lightframe.cli._parser import Parser
from lightframe.cli._steps import add_common, add_output, bench_of, output_of
from lightframe.figures import percent
from lightframe.processes import DetectionSettings, RegistrationSettings, ResampleSettings
from lightframe.session import Batch, RegisteredFile, register_files

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the command."""
    add_common(
        parser,
        files="calibrated, for mosaics debayered, lights",
        example="registration.model=affine",
    )
    add_output(parser, folder=True, required=False)
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help="the light whose grid is kept [the best of the files]",
    )
    add_settings(parser, RegistrationSettings, "registration", section="registration")
    add_settings(parser, ResampleSettings, "interpolation", section="resampling")
    add_settings(
        parser, DetectionSettings, "star detection", section="detection", prefix="detection"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Register the files; without an output folder, report the transforms only."""
    bench = bench_of(arguments)
    batch = register_files(
        arguments.files,
        arguments.out,
        bench,
        output_of(arguments, bench),
        reference=arguments.reference,
    )
    if arguments.json:
        print_lights(batch)
    elif batch.done:
        _print(batch)
    return print_end(batch, arguments.files)


def _print(batch: Batch[RegisteredFile]) -> None:
    shown = table(
        "Light", "Stars", "Pairs", "RMS px", "Shift x, y px", "Rotation °", "Scale", "Overlap",
        "Model",
    )  # fmt: skip
    for file in batch.done:
        name = file.measured.info.path if file.written is None else file.written.path
        found = file.registration
        stars = str(file.measured.measurement.star_count)
        if found is None:
            shown.add_row(name.name, stars, *["-"] * 6, "reference")
            continue
        shown.add_row(
            name.name,
            stars,
            str(found.inliers),
            number(found.rms_px, ".3f"),
            f"{found.shift_px[0]:+.2f}, {found.shift_px[1]:+.2f}",
            number(found.rotation_deg, "+.4f"),
            number(found.scale, ".5f"),
            percent(found.overlap, 1),
            found.model,
        )
    print_table(shown)
