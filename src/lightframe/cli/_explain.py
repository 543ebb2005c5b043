"""``lightframe explain``: what rules and settings mean."""

import argparse
from pathlib import Path

from rich import box
from rich.markdown import Markdown
from rich.table import Table

from lightframe.checks import RULES, rule_facts, rule_page, rule_pages
from lightframe.cli._console import stderr, stdout
from lightframe.cli._output import print_json
from lightframe.cli._settings_page import settings_as_toml
from lightframe.frames import write_text

__all__ = ["add_arguments", "execute"]

_COLUMNS = 80
"""Below this the group of a rule is left out: its meaning would have no room."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("rule", metavar="RULE", nargs="?", help="a rule; all of them if left out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--settings",
        action="store_true",
        help="instead of rules all settings of lightframe run: a TOML file for --config;"
        " with --json their schema",
    )
    parser.add_argument(
        "--write", metavar="DIR", type=Path, help="write the documentation page of every rule"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Print one rule, or the table of all, or write all pages; or print all settings."""
    if arguments.settings:
        _print_settings(as_json=arguments.json)
        return 0
    names = [arguments.rule] if arguments.rule else list(RULES)
    facts = [rule_facts(name) for name in names]  # a wrong name is an error
    if arguments.write is not None:
        for name, text in rule_pages().items():
            write_text(arguments.write / name, text)
        stderr().print(f"{len(rule_pages())} pages written to {arguments.write}")
    elif arguments.json:
        print_json({"rules": facts})
    elif arguments.rule:
        stdout().print(Markdown(rule_page(arguments.rule)))
    else:
        console = stdout()
        keys = ["name", "severity", "group", "meaning"]
        if console.width < _COLUMNS:
            keys.remove("group")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
        for key in keys:
            title = "Rule" if key == "name" else key.capitalize()
            table.add_column(title, overflow="fold", no_wrap=key != "meaning")
        for fact in facts:
            table.add_row(*(fact[key] for key in keys))
        console.print(table)
    return 0


def _print_settings(*, as_json: bool) -> None:
    from lightframe.session import RunSettings  # noqa: PLC0415 - 40 ms that rules can do without

    if as_json:
        print_json(RunSettings.model_json_schema())
    else:
        stdout().print(settings_as_toml(RunSettings()), soft_wrap=True, end="")
