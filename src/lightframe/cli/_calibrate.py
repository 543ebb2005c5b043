"""``lightframe calibrate``: bias, dark and flat, with or without dark frame optimization."""

import argparse
import math
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from lightframe.cli._console import stdout
from lightframe.cli._options import add_settings
from lightframe.cli._outcome import (
    number,
    numbers,
    print_end,
    print_lights,
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
from lightframe.processes import (
    CalibrationSettings,
    OverscanRegion,
    OverscanSettings,
    overscan_from_sections,
)
from lightframe.session import (
    Batch,
    Bench,
    CalibratedFile,
    Calibrator,
    DarkComparison,
    MasterFiles,
    calibrate_files,
    compare_dark_scaling,
)

__all__ = ["add_arguments", "execute"]

_SECTION = "calibration"
_FROM_HEADER = "header"


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the command."""
    add_common(parser, files="raw frames", example="calibration.flat_trim=0.1")
    add_output(parser, folder=True, required=False)
    masters = parser.add_argument_group(
        "masters",
        "Without --optimize-dark the dark is subtracted as it is, bias included: --bias is then"
        " used only where there is no dark, or one that is free of bias. With --optimize-dark"
        " the calibrated light is ((light - bias) - k (dark - bias)) / flat s0.",
    )
    for role in ("bias", "dark", "flat"):
        masters.add_argument(f"--{role}", metavar="FILE", type=Path, help=f"master {role}")
    masters.add_argument(
        "--optimize-dark",
        dest=f"set:{_SECTION}.dark_scaling",
        action="store_const",
        const="optimize",
        help="scale the dark signal by the factor k that fits the pixels of each light; needs"
        " --bias",
    )
    masters.add_argument(
        "--allow-dark-scale-up",
        dest="set:match.allow_dark_scale_up",
        action="store_const",
        const=True,
        help="scale darks up for lights of longer exposure, too",
    )
    masters.add_argument(
        "--compare-dark-scaling",
        action="store_true",
        help="write nothing: calibrate with the dark as it is and scaled, and compare noise,"
        " residual pattern and residual glow",
    )
    masters.add_argument(
        "--again", action="store_true", help="calibrate frames that say they are calibrated"
    )
    add_settings(
        parser,
        CalibrationSettings,
        "calibration",
        section=_SECTION,
        without={"overscan", "output_pedestal", "output_pedestal_dn"},
    )
    _add_pedestal_and_overscan(parser)
    parser.add_argument("--verbose", action="store_true", help="tell each light's whole account")


def _add_pedestal_and_overscan(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pedestal and overscan")
    group.add_argument(
        "--pedestal",
        metavar="N|auto",
        help="DN added to the result, 0 to 1000; auto: the least that leaves no more pixels below"
        " zero than --output-pedestal-limit [0]",
    )
    group.add_argument(
        "--overscan",
        metavar="SECTION[=TARGET]",
        action="append",
        help="unexposed pixels, and the part of the frame they stand for [all of --image-area], as"
        " [x1:x2,y1:y2] counted from 1; up to four times. header: BIASSEC and TRIMSEC of"
        " each frame",
    )
    group.add_argument(
        "--image-area", metavar="SECTION", help="what is left of a frame with overscan"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Calibrate the files, or compare both ways of subtracting the dark."""
    _put_pedestal(arguments)
    bench = bench_of(arguments)
    from_header = arguments.overscan == [_FROM_HEADER]
    overscan = None if from_header else _overscan(arguments)
    if overscan is not None:
        calibration = bench.settings.calibration.model_copy(update={"overscan": overscan})
        settings = bench.settings.model_copy(update={_SECTION: calibration})
        bench = replace(bench, settings=settings)
    calibrator = Calibrator.load(
        MasterFiles(arguments.bias, arguments.dark, arguments.flat),
        bench,
        again=arguments.again,
        overscan_from_header=from_header,
    )
    if arguments.compare_dark_scaling:
        return _compare(arguments, calibrator, bench)
    if arguments.out is None:
        raise SettingsError("no output folder", remedy="name one with -o DIR")
    batch = calibrate_files(
        arguments.files, arguments.out, calibrator, bench, output_of(arguments, bench)
    )
    if arguments.json:
        print_lights(batch)
    elif batch.done:
        _print(batch, verbose=arguments.verbose)
    return print_end(batch, arguments.files)


def _put_pedestal(arguments: argparse.Namespace) -> None:
    """Turn ``--pedestal N|auto`` into the settings it stands for."""
    if arguments.pedestal is None:
        return
    auto = arguments.pedestal == "auto"
    setattr(arguments, f"set:{_SECTION}.output_pedestal", "auto" if auto else "literal")
    if not auto:
        setattr(arguments, f"set:{_SECTION}.output_pedestal_dn", arguments.pedestal)


def _overscan(arguments: argparse.Namespace) -> OverscanSettings | None:
    """Return the overscan that sections on the command line describe."""
    if arguments.overscan is None and arguments.image_area is None:
        return None
    if arguments.overscan is None or arguments.image_area is None:
        raise SettingsError(
            "--overscan and --image-area belong together", remedy="give both, or neither"
        )
    image = arguments.image_area
    regions: list[OverscanRegion] = []
    for text in arguments.overscan:
        source, _, target = text.partition("=")
        regions += overscan_from_sections(source, target or image).regions
    whole = overscan_from_sections(image, image).image
    return OverscanSettings.parse({"image": whole, "regions": tuple(regions)}, where="--overscan")


def _print(batch: Batch[CalibratedFile], *, verbose: bool) -> None:
    console = stdout()
    if verbose:
        for file in batch.done:
            console.print(f"{file.record}\n", soft_wrap=True)
    shown = table("Light", "k", "s0 DN", "Noise DN", "< 0", "> white", "NaN px", "Ped.")
    for file in batch.done:
        record = file.record
        scale, flat, noise, clipping = (
            record.dark_scale, record.flat_scale, record.noise, record.clipping,
        )  # fmt: skip
        factor = "-"
        if scale is not None:
            doubt = "" if scale.determined else " ?"
            error = f" ± {scale.sigma_k:.4f}" if 0 < scale.sigma_k < float("inf") else ""
            factor = f"{numbers(scale.factors, '.4f')}{error}{doubt}"
        shown.add_row(
            file.written.path.name,
            factor,
            "-" if flat is None else numbers(flat.factors, ".1f"),
            "-" if noise is None else numbers(noise.sigma_dn, ".2f"),
            percent(clipping.low_fraction, 4),
            percent(clipping.high_fraction, 4),
            str(clipping.missing),
            str(record.output_pedestal_dn),
        )
    print_table(shown)
    doubts = {
        f"{file.info.path.name}: k is not determined: {file.record.dark_scale.reason}": None
        for file in batch.done
        if file.record.dark_scale is not None and not file.record.dark_scale.determined
    }
    print_remarks([*((file.remarks + file.record.notes) for file in batch.done), tuple(doubts)])
    truncated = sum(file.written.truncated for file in batch.done)
    if truncated:
        console.print(
            Text(
                f"{truncated} samples were truncated to the 16-bit range: --pedestal auto saves"
                " those below zero, float32 all",
                "yellow",
            )
        )


def _compare(arguments: argparse.Namespace, calibrator: Calibrator, bench: Bench) -> int:
    batch = compare_dark_scaling(arguments.files, calibrator, bench)
    if arguments.json:
        lights = [comparison.as_dict() for comparison in batch.done]
        print_json({"lights": lights, "refused": refused_files(batch.failures)})
    elif batch.done:
        _print_comparison(batch)
    return print_end(batch, arguments.files)


def _share(value: float, error: float, digits: int) -> str:
    """Return e.g. ``"+0.12 ± 0.05 %"``, or a dash where nothing is known."""
    if not math.isfinite(value):
        return "-"
    return f"{100.0 * value:+.{digits}f} ± {number(100.0 * error, f'.{digits}f')} %"


def _print_comparison(batch: Batch[DarkComparison]) -> None:
    shown = table(
        "Light", "Dark", "k", "Noise DN", "Pattern left", "Correlation", "Glow left", "Glow DN",
        left=2,
    )  # fmt: skip
    for comparison in batch.done:
        name = comparison.path.name
        for trial in comparison.trials:
            scale, noise = trial.record.dark_scale, trial.record.noise
            for channel, left in enumerate(trial.residuals):
                shown.add_row(
                    name if trial is comparison.trials[0] and not channel else "",
                    {"none": "as it is", "optimize": "scaled"}[trial.scaling],
                    "1" if scale is None else numbers(scale.factors, ".3f"),
                    "-" if noise is None else numbers(noise.sigma_dn, ".2f"),
                    _share(left.pattern, left.pattern_sigma, 2),
                    number(left.correlation, "+.4f"),
                    _share(left.glow, left.glow_sigma, 1),
                    number(left.glow_dn, "+.2f"),
                )
    print_table(shown)
    stdout().print(
        "Left: share of the dark's signal; 0 is right, positive too little was subtracted, negative"
        " too much.",
    )
