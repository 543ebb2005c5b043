"""``lightframe demo``: simulate a session, do the main job on it, hold the result to the truth."""

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from lightframe import report
from lightframe.cli._console import ConsoleProgress, stdout
from lightframe.cli._output import print_json
from lightframe.cli._summary import render_summary
from lightframe.errors import SettingsError
from lightframe.frames import read_image
from lightframe.session import OWN_FOLDER, RunSettings, default_threads, run
from lightframe.simulation import (
    PRESETS,
    TRUTH_FOLDER,
    Comparison,
    Truth,
    compare_with_truth,
    preset,
    schedule,
    simulate_session,
)

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    presets = "; ".join(f"{entry.name}: {entry.meaning}" for entry in PRESETS.entries())
    parser.add_argument(
        "out",
        metavar="OUT",
        nargs="?",
        default=Path("demo"),
        type=Path,
        help="folder for session and result [demo]",
    )
    parser.add_argument(
        "--preset", default="osc-cmos", help=f"what to simulate ({presets}) [osc-cmos]"
    )
    parser.add_argument("--json", action="store_true", help="print run.json and the comparison")


def execute(arguments: argparse.Namespace) -> int:
    """Simulate, run, compare."""
    progress = ConsoleProgress(quiet=arguments.json)
    raw, out = arguments.out / "session", arguments.out / "result"
    truth = _simulated(raw, out, arguments.preset, progress)
    outcome = run([raw], out, RunSettings(), progress=progress, fresh=True)
    page = report.write_report(outcome.document, out)
    comparisons = [
        _compared(result, outcome.document, out, truth) for result in outcome.document["results"]
    ]
    if arguments.json:
        document = outcome.document | {"truth": [one.as_dict() for one in comparisons]}
        print_json(document)
        return outcome.exit_code
    console = stdout()
    for result, comparison in zip(outcome.document["results"], comparisons, strict=True):
        console.print(Text(f"{result['path']} against the truth", "bold"))
        console.print(comparison.table())
        console.print()
    console.print(render_summary(outcome.document, out, page), crop=False)
    return outcome.exit_code


def _simulated(raw: Path, out: Path, name: str, progress: ConsoleProgress) -> Truth:
    """Write a fresh session, in place of that of an earlier demo, finished or not."""
    session = preset(name)
    earlier = {raw: TRUTH_FOLDER, out: OWN_FOLDER}
    for folder, mark in earlier.items():
        if folder.exists() and not (folder / mark).is_dir():
            raise SettingsError(
                "is there, but is not of an earlier demo",
                where=folder,
                cause="the demo replaces its own folders, and nothing else",
                remedy="name another folder",
            )
    for folder in earlier:
        if folder.exists():
            shutil.rmtree(folder)
    with progress.step("Simulating frames", len(schedule(session))) as advance:
        return simulate_session(raw, session, threads=default_threads(), advance=advance)


def _compared(
    result: Mapping[str, Any], document: Mapping[str, Any], out: Path, truth: Truth
) -> Comparison:
    """Hold a result to the truth, on the grid and the scale of the light it was normalized to."""
    lights = {
        light["path"]: light
        for light in document["lights"]
        if light["used"] and light["group"] == result["group"]
    }
    reference = lights[result["normalized_to"]]
    return compare_with_truth(
        read_image(out / result["path"])[1],
        truth,
        filter_name=result["filter"],
        lights=[Path(path).name for path in lights],
        reference=Path(reference["path"]).name,
        grid=np.linalg.inv(reference["transform"]),
    )
