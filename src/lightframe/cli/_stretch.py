"""``lightframe stretch``: a picture to look at."""

import argparse
from pathlib import Path

from lightframe.cli._console import stdout
from lightframe.cli._options import add_settings, add_sources, read_config, settings_from
from lightframe.cli._output import print_json
from lightframe.cli._parser import Parser
from lightframe.processes import StretchSettings
from lightframe.session import RunSettings, stretch_file

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the image")
    parser.add_argument("-o", "--out", metavar="PNG", type=Path, required=True, help="the picture")
    parser.add_argument("--json", action="store_true", help="print JSON alone on stdout")
    add_settings(parser, StretchSettings, "stretch", section="stretch")
    group = parser.add_argument_group("settings")
    add_sources(
        group, "stretch.linked=yes", "settings, in the tables of lightframe run", workers=False
    )


def execute(arguments: argparse.Namespace) -> int:
    """Stretch the image."""
    settings = settings_from(arguments, RunSettings, read_config(arguments.config))
    stretch_file(arguments.file, arguments.out, settings.stretch)
    if arguments.json:
        print_json({"path": str(arguments.file), "picture": str(arguments.out)})
    else:
        stdout().print(str(arguments.out), soft_wrap=True)
    return 0
