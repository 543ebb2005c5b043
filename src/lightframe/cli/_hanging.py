"""Text whose lines stand in under the first, as far as the terminal is wide."""

import re

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

__all__ = ["Hanging", "indented"]

_LEAST_WIDTH = 16
"""Columns that a line has on the narrowest terminal, which breaks it then."""
_SIGN = re.compile(r"(?<=\d) (?=%)")
_JOINED = "\ue000"
"""Stands for the space before a percent sign: `rich` breaks lines at no-break spaces too."""


class Hanging:
    """Text with a hanging indent.

    Parameters
    ----------
    text : Text
        What is printed.
    first, rest : int
        By how many columns the first line and the others stand in.
    """

    def __init__(self, text: Text, first: int = 0, rest: int = 2) -> None:
        self._text = text
        self._first = first
        self._rest = rest

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        width = max(options.max_width - max(self._first, self._rest), _LEAST_WIDTH)
        text = self._text.copy()
        text.plain = _SIGN.sub(_JOINED, text.plain)
        begin = text.wrap(console, width + max(0, self._rest - self._first))[0]
        begin.rstrip()
        yield _line(self._first, begin)
        left = text.plain[len(begin) :].lstrip()
        remainder = text[len(text) - len(left) :]
        if remainder:
            for line in remainder.wrap(console, width + max(0, self._first - self._rest)):
                line.rstrip()
                yield _line(self._rest, line)


def _line(columns: int, line: Text) -> Text:
    line.plain = line.plain.replace(_JOINED, " ")
    return Text(" " * columns).append_text(line)


def indented(text: str, style: str = "", columns: int = 2) -> Hanging:
    """Return text of which every line stands in."""
    return Hanging(Text(text, style), columns, columns)
