"""``lightframe master``: calibration frames integrated to a master."""

import argparse
from pathlib import Path

from lightframe.cli._console import stdout
from lightframe.cli._options import add_settings
from lightframe.cli._outcome import (
    number,
    numbers,
    print_end,
    print_remarks,
    print_table,
    refused_files,
    table,
)
from lightframe.cli._output import print_json
from lightframe.cli._parser import Parser
from lightframe.cli._steps import add_common, add_output, bench_of, output_of
from lightframe.errors import SettingsError
from lightframe.figures import percent
from lightframe.frames import FrameKind
from lightframe.processes import CalibrationSettings
from lightframe.session import FlatCalibration, MasterFile, RunSettings, make_master

__all__ = ["add_arguments", "execute"]

_KINDS = ("bias", "dark", "flat-dark", "flat")


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the commands, one for each kind of master."""
    kinds = parser.add_subparsers(metavar="KIND", required=True, dest="kind")
    for kind in _KINDS:
        sub = kinds.add_parser(
            kind, help=f"master {kind}", description=f"integrate {kind} frames to a master"
        )
        section = "flats" if kind == "flat" else "darks"
        add_common(sub, files=f"{kind} frames", example=f"{section}.rejection=sigma")
        add_output(sub, folder=False)
        sub.add_argument(
            "--any-kind",
            action="store_true",
            help=f"take frames whose header says that they are no {kind} frames",
        )
        if kind == "flat":
            _add_flat_calibration(sub)
        if kind == "bias":
            _add_superbias(sub)
        defaults = getattr(RunSettings(), section)
        add_settings(sub, defaults, "integration", section=section)


def _add_flat_calibration(parser: Parser) -> None:
    group = parser.add_argument_group(
        "calibration of the flats",
        "With a bias or with a flat-dark of their exposure, never with both; long flats of a CCD"
        " with --bias, --dark and --optimize-dark.",
    )
    group.add_argument("--bias", metavar="FILE", type=Path, help="master bias")
    group.add_argument("--flat-dark", metavar="FILE", type=Path, help="master flat-dark")
    group.add_argument("--dark", metavar="FILE", type=Path, help="master dark, to be scaled")
    group.add_argument(
        "--optimize-dark", action="store_true", help="scale the dark to each flat; CCD only"
    )
    wanted = {"dark_objective", "dark_threshold_sigma", "dark_scale_per_colour"}
    add_settings(
        parser,
        CalibrationSettings,
        "scaling of the dark",
        section="calibration",
        without=set(CalibrationSettings.model_fields) - wanted,
    )


def _add_superbias(parser: Parser) -> None:
    parser.add_argument(
        "--superbias",
        dest="set:superbias",
        action="store_true",
        default=None,
        help="write a model of columns, rows and large scales instead of the integration: hardly"
        " any noise, but without the offsets of single pixels; for CCD, not for CMOS",
    )
    defaults = RunSettings().superbias_model
    add_settings(parser, defaults, "superbias", section="superbias_model", prefix="superbias")


def execute(arguments: argparse.Namespace) -> int:
    """Make the master."""
    bench = bench_of(arguments)
    calibration = FlatCalibration()
    if arguments.kind == "flat":
        if arguments.optimize_dark != (arguments.dark is not None):
            raise SettingsError(
                "--dark and --optimize-dark belong together",
                cause="a dark that is not of the flats' exposure has to be scaled",
                remedy="give both, with --bias; or --flat-dark for a dark of the flats' exposure",
            )
        calibration = FlatCalibration(arguments.bias, arguments.flat_dark, arguments.dark)
    batch = make_master(
        FrameKind(arguments.kind),
        arguments.files,
        arguments.out,
        bench,
        output_of(arguments, bench),
        calibration=calibration,
        any_kind=arguments.any_kind,
    )
    if arguments.json:
        masters = [made.record | {"notes": list(made.remarks)} for made in batch.done]
        print_json({"masters": masters, "refused": refused_files(batch.failures)})
    else:
        for made in batch.done:
            _print(made)
    return print_end(batch, arguments.files)


def _print(made: MasterFile) -> None:
    console, record = stdout(), made.record
    result = made.integration
    shown = table("Frame", "Median DN", "Rejected low", "Rejected high")
    for index, entry in enumerate(record["inputs"]):
        shown.add_row(
            Path(entry["path"]).name,
            number(made.levels_dn[index], ".2f"),
            percent(result.frames_low[index].mean(), 4),
            percent(result.frames_high[index].mean(), 4),
        )
    print_table(shown)
    frames = "1 frame" if record["frames"] == 1 else f"{record['frames']} frames"
    console.print(
        f"{made.written.path}: {frames},"
        f" median {numbers(record['median_dn'], '.2f')} DN,"
        f" noise {numbers(record['noise_dn'], '.3f')} DN,"
        f" rejected {percent(record['rejected_fraction'], 4)}",
        soft_wrap=True,
    )
    if made.written.truncated:
        console.print(f"{made.written.truncated} samples were truncated to the 16-bit range")
    print_remarks([made.remarks])
