"""``lightframe info``: what headers say, and what was assumed."""

import argparse
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from lightframe.cli._console import stdout
from lightframe.cli._hanging import Hanging
from lightframe.cli._outcome import print_end, refused_files
from lightframe.cli._output import print_json
from lightframe.frames import CfaPattern, FrameInfo
from lightframe.session import Batch, read_infos

__all__ = ["add_arguments", "execute"]

_TEXTS = frozenset({"COMMENT", "HISTORY", ""})
"""Keywords of cards that have a text and no value."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="any images: FITS, XISF, camera raw"
    )
    parser.add_argument("--header", action="store_true", help="show all cards, too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(arguments: argparse.Namespace) -> int:
    """Describe each file; one that cannot be read does not stop the others."""
    frames, failures = read_infos(arguments.files)
    if arguments.json:
        described = [_as_dict(info, header=arguments.header) for info in frames]
        print_json({"frames": described, "refused": refused_files(failures)})
    else:
        for info in frames:
            _print(info, header=arguments.header)
    return print_end(Batch(tuple(frames), tuple(failures)), arguments.files)


def _as_dict(info: FrameInfo, *, header: bool) -> dict[str, Any]:
    document = {item.name: _plain(getattr(info, item.name)) for item in fields(info) if item.repr}
    if header:
        document["header"] = [[card.keyword, card.value, card.comment] for card in info.header]
    return document


def _plain(value: object) -> object:
    if isinstance(value, CfaPattern):
        return value.name
    if isinstance(value, Path | date):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _in_words(value: object) -> str:
    """Return a value as people write it; a list is a size or names."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return (", " if isinstance(value[0], str) else " x ").join(map(str, value))
    return str(value)


def _print(info: FrameInfo, *, header: bool) -> None:
    """Print the facts of a frame; unknown ones are named together at the end."""
    console = stdout()
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="cyan")
    table.add_column(overflow="fold")
    unknown = []
    for name, value in _as_dict(info, header=False).items():
        if name in {"path", "notes"}:
            continue
        if value is None or value == "":
            unknown.append(name)
        elif value != []:
            table.add_row(name, _in_words(value))
    console.print(Text(str(info.path), "bold"))
    console.print(table)
    for note in info.notes:
        console.print(Hanging(Text(f"note: {note}", "yellow"), 2, 4))
    if unknown:
        console.print(Hanging(Text(f"unknown: {', '.join(unknown)}", "dim"), 2, 4))
    if header:
        for card in info.header:
            comment = f" / {card.comment}" if card.comment else ""
            equals = " " if card.keyword in _TEXTS else " = "
            console.print(f"  {card.keyword:8}{equals}{card.value}{comment}", soft_wrap=True)
    console.print()
