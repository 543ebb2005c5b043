"""The entry point: finds the command, runs it, and turns errors into messages and exit codes.

Exit codes: 0 done; 1 done, but with findings of severity error or with files set aside; 2 wrong
usage or settings; 3 input unusable; 4 interrupted or out of resources, can be resumed.
"""

import argparse
import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol, cast

from lightframe._version import __version__
from lightframe.cli._parser import Parser
from lightframe.errors import InputError, LightframeError, ResourceError
from lightframe.session import Hashing
from lightframe.tables import Table

__all__ = ["COMMANDS", "main"]

COMMANDS: Table[str] = Table("command")
"""Commands, and the module that carries each out; only the one asked for is imported."""

COMMANDS.enter("run", "from folders of raw frames to integrated images", "_run")
COMMANDS.enter("check", "what is wrong with frames and plan, before any work is done", "_check")
COMMANDS.enter("explain", "what a rule of the checks means, and what to do", "_explain")
COMMANDS.enter(
    "sensor", "gain, noise, range and dark current of the camera, by its frames", "_sensor"
)
COMMANDS.enter("info", "what the headers of files say", "_info")
COMMANDS.enter("master", "integrate bias, dark, flat-dark or flat frames to a master", "_master")
COMMANDS.enter(
    "calibrate", "subtract bias and dark, divide by the flat; writes <name>_c", "_calibrate"
)
COMMANDS.enter(
    "cosmetic", "replace hot and cold pixels by good neighbours; writes <name>_cc", "_cosmetic"
)
COMMANDS.enter("debayer", "from mosaics to colour images; writes <name>_d", "_debayer")
COMMANDS.enter("measure", "stars, background and noise of lights, and the best of them", "_measure")
COMMANDS.enter("register", "bring lights onto one grid; writes <name>_r", "_register")
COMMANDS.enter("integrate", "files of one size become one image, with its maps", "_integrate")
COMMANDS.enter("stats", "level, spread, noise and clipping of images", "_stats")
COMMANDS.enter("stretch", "a picture of an image, to look at", "_stretch")
COMMANDS.enter("simulate", "write a simulated session with known truth", "_simulate")
COMMANDS.enter("demo", "simulate a session, run it, compare the result with the truth", "_demo")

_HASHED = {"integrate", "master"}
"""Commands whose results tell the SHA-256 of each file that is named."""

_SWITCH_S = 0.0002
"""How long a thread waits for the interpreter while a command is imported."""


class _Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: Parser) -> None: ...

    def execute(self, arguments: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal has signs such as °
    hashing = Hashing()
    try:
        arguments = _parsed(argv, hashing)
        return int(arguments.execute(arguments))
    except SystemExit as stop:  # argparse ends the program for --help and for wrong usage
        return int(stop.code or 0)
    except (LightframeError, KeyboardInterrupt, MemoryError, OSError) as error:
        from lightframe.cli._console import print_error  # noqa: PLC0415 - Rich; help has no use for it

        told = _in_words(error)
        print_error(told)
        return told.exit_code
    finally:
        hashing.forget()


def _in_words(error: BaseException) -> LightframeError:
    """Return what has ended a command as an error with a remedy and an exit code."""
    if isinstance(error, LightframeError):
        return error
    if isinstance(error, OSError):
        return _of_machine(error)
    if isinstance(error, MemoryError):
        return ResourceError("out of memory", remedy="give a smaller --memory or fewer --workers")
    return ResourceError("interrupted", remedy="give the same command again to resume")


def _of_machine(error: OSError) -> LightframeError:
    """Return what the machine refused: room to write, or access to a file."""
    from lightframe.frames import storage_error  # noqa: PLC0415 - slow, and rarely needed

    where = error.filename if isinstance(error.filename, str) else ""
    found = storage_error(error, Path(where))
    if isinstance(found, ResourceError):
        return ResourceError(found.what, where=where, remedy=found.remedy)
    return InputError(
        error.strerror or str(error),
        where=where,
        cause="the file was moved or is protected, or its disk was removed, while it was needed",
        remedy="see to it that the file can be read and its folder be written to",
    )


def _imported(name: str) -> _Command:
    """Import the module of a command.

    What it defines stays to the end: looking for garbage among it meanwhile would only take time.
    The thread that hashes asks for the interpreter twice in 6 ms, and would wait 5 ms each time.
    """
    collecting, interval = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(_SWITCH_S)
    try:
        return cast("_Command", importlib.import_module(f"lightframe.cli.{name}"))
    finally:
        sys.setswitchinterval(interval)
        if collecting:
            gc.enable()


def _files_among(words: Sequence[str]) -> Iterator[Path]:
    """Yield the files that are named, without those that follow an option, such as the result."""
    for before, word in pairwise(words):
        if not before.startswith("-") and os.path.isfile(word):  # noqa: PTH113 - of any word
            yield Path(word)


def _names_output(words: Sequence[str]) -> bool:
    """Whether ``-o`` or ``--out`` is given, however written; a trace alone writes no hashes."""
    return any(word.startswith(("-o", "--o")) for word in words)


def _parsed(argv: Sequence[str], hashing: Hashing) -> argparse.Namespace:
    """Parse the arguments; the chosen command's module adds its own."""
    parser = Parser(
        prog="lightframe",
        description="Raw frames of the night sky to a calibrated, registered, integrated image.",
    )
    parser.add_argument("--version", action="version", version=f"lightframe {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    parser.set_defaults(hashing=hashing)
    chosen = next((word for word in argv if not word.startswith("-")), None)
    if chosen in _HASHED and _names_output(argv):  # importing the command takes 0.4 s of one core
        hashing.begin(_files_among(argv))
    asked = parser
    for entry in COMMANDS.entries():
        sub = commands.add_parser(entry.name, help=entry.meaning, description=entry.meaning)
        if entry.name == chosen:
            command = _imported(entry.value)
            asked = sub
            command.add_arguments(sub)
            sub.set_defaults(execute=command.execute)
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        asked.refuse(unknown)
    return arguments
