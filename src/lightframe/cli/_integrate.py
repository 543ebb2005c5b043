"""``lightframe integrate``: files of one size become one image."""

import argparse
from pathlib import Path
from typing import Any

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
from lightframe.cli._trace_table import print_traces, trace_document
from lightframe.errors import SettingsError
from lightframe.figures import percent
from lightframe.processes import IntegrationSettings
from lightframe.session import (
    Batch,
    IntegratedFile,
    StackOptions,
    integrate_files,
    trace_files,
)

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the command."""
    add_common(
        parser, files="registered lights, or anything of one size", example="lights.rejection=esd"
    )
    add_output(parser, folder=False, required=False)
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help="the file to whose level and scale the others are brought [the first]",
    )
    parser.add_argument(
        "--weights",
        metavar="W,W,...",
        help="one number a file, in their order: sets --weight given",
    )
    parser.add_argument(
        "--weight-keyword",
        metavar="NAME",
        help="keyword of the headers that holds the weight: sets --weight keyword",
    )
    parser.add_argument(
        "--keep-pedestals",
        action="store_true",
        help="do not take off the pedestals that the headers state",
    )
    parser.add_argument(
        "--trace-pixel",
        metavar="X,Y",
        help="print the fate of one pixel, column and row from 0; without -o nothing else is done",
    )
    add_settings(parser, IntegrationSettings, "integration", section="lights")


def execute(arguments: argparse.Namespace) -> int:
    """Integrate the files, follow one pixel, or both."""
    options = _options(arguments)
    bench = bench_of(arguments)
    if arguments.out is None and arguments.trace_pixel is None:
        raise SettingsError("no output file", remedy="name one with -o FILE")
    document: dict[str, Any] = {}
    batch: Batch[Any] = Batch(())
    if arguments.trace_pixel is not None:
        traced = trace_files(arguments.files, _pixel(arguments.trace_pixel), bench, options)
        document["trace"] = [entry for one in traced.done for entry in trace_document(one)]
        if not arguments.json:
            for one in traced.done:
                print_traces(one)
        batch = traced
    if arguments.out is not None:
        integrated = integrate_files(
            arguments.files, arguments.out, bench, output_of(arguments, bench), options
        )
        for made in integrated.done:
            document |= made.as_dict()
            if not arguments.json:
                _print(made)
        batch = integrated
    if arguments.json:
        print_json(document | {"refused": refused_files(batch.failures)})
    return print_end(batch, arguments.files)


def _options(arguments: argparse.Namespace) -> StackOptions:
    """Return what belongs to the files; weights that are given are used."""
    weights: tuple[float, ...] = ()
    if arguments.weights is not None:
        try:
            weights = tuple(float(word) for word in arguments.weights.split(","))
        except ValueError as error:
            raise SettingsError(
                f"--weights {arguments.weights!r} are no numbers", remedy="for example 1,0.8,1.2"
            ) from error
        _set_weight(arguments, "--weights", "given")
    if arguments.weight_keyword is not None:
        _set_weight(arguments, "--weight-keyword", "keyword")
    return StackOptions(
        reference=arguments.reference,
        weights=weights,
        keyword=arguments.weight_keyword or "",
        subtract_pedestals=not arguments.keep_pedestals,
    )


def _set_weight(arguments: argparse.Namespace, option: str, weight: str) -> None:
    """Let an option stand for the setting that it implies."""
    setting = "set:lights.weight"
    chosen = getattr(arguments, setting)
    if chosen not in {None, weight}:
        raise SettingsError(
            f"{option} contradicts the weight {chosen!r}",
            remedy=f"leave out {option}, or the other",
        )
    setattr(arguments, setting, weight)


def _pixel(text: str) -> tuple[int, int]:
    x, _, y = text.partition(",")
    try:
        return int(x), int(y)
    except ValueError as error:
        raise SettingsError(
            f"--trace-pixel {text!r} is no column and row", remedy="for example 512,300"
        ) from error


def _print(made: IntegratedFile) -> None:
    console, result = stdout(), made.integration
    shown = table("File", "Exposure s", "Noise DN", "Weight", "Scale", "Rej. low", "Rej. high")
    noise_dn = made.frames_noise_dn
    for index, info in enumerate(made.infos):
        shown.add_row(
            ("* " if index == made.reference else "  ") + info.path.name,
            number(info.exposure_s, ".6g"),
            number(noise_dn[index]),
            number(float(result.weights[index].mean()), ".4f"),
            number(float(result.factors[index].mean()), ".4f"),
            percent(result.frames_low[index].mean(), 4),
            percent(result.frames_high[index].mean(), 4),
        )
    print_table(shown)
    single = len(made.infos) == 1
    files = "1 file" if single else f"{len(made.infos)} files"
    gain = "" if single else f" {number(made.gain_over_best)} times less than the best file's,"
    console.print(
        f"{made.written.path}: {files}, rejection {result.rejection},"
        f" noise {numbers(made.noise_dn, '.3f')} DN,{gain}"
        f" signal to noise {numbers(made.snr, '.4g')};"
        f" rejected {percent(result.rejected[0], 4)} low, {percent(result.rejected[1], 4)} high",
        soft_wrap=True,
    )
    if made.missing:
        console.print(f"{made.missing} pixels are covered by no file: missing")
    if made.written.truncated:
        console.print(f"{made.written.truncated} samples were truncated to the 16-bit range")
    print_remarks([made.remarks])
