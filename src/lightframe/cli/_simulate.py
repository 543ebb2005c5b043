"""``lightframe simulate``: a session of raw frames with known truth."""

import argparse
from pathlib import Path

from lightframe.cli._console import ConsoleProgress, stdout
from lightframe.cli._options import add_assignments, settings_from
from lightframe.cli._output import print_json
from lightframe.session import default_threads
from lightframe.simulation import PRESETS, Session, preset, schedule, simulate_session

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    presets = "; ".join(f"{entry.name}: {entry.meaning}" for entry in PRESETS.entries())
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder without a session")
    parser.add_argument(
        "--preset", default="osc-cmos", help=f"what to simulate ({presets}) [osc-cmos]"
    )
    add_assignments(
        parser, "one setting of the session, e.g. lights.count=8; may be given several times"
    )
    parser.add_argument("--json", action="store_true", help="print the session as JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Write the session."""
    session = settings_from(arguments, Session, preset(arguments.preset).model_dump())
    progress = ConsoleProgress(quiet=arguments.json)
    frames = schedule(session)
    with progress.step("Simulating frames", len(frames)) as advance:
        simulate_session(arguments.folder, session, threads=default_threads(), advance=advance)
    if arguments.json:
        print_json(
            {
                "folder": str(arguments.folder),
                "frames": [str(frame.path) for frame in frames],
                "settings": session.model_dump(mode="json"),
            }
        )
    else:
        stdout().print(f"{len(frames)} frames in {arguments.folder}; the truth is in truth/")
    return 0
