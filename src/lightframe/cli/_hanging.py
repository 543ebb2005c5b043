"""Text whose lines stand in under the first, as far as the terminal is wide."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

__all__ = ["Hanging", "indented"]

_LEAST_WIDTH = 16
"""Columns that a line has on the narrowest terminal, which breaks it then."""


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
        begin = self._text.wrap(console, width + max(0, self._rest - self._first))[0]
        begin.rstrip()
        yield Text(" " * self._first).append_text(begin)
        left = self._text.plain[len(begin) :].lstrip()
        remainder = self._text[len(self._text) - len(left) :]
        if remainder:
            for line in remainder.wrap(console, width + max(0, self._first - self._rest)):
                line.rstrip()
                yield Text(" " * self._rest).append_text(line)


def indented(text: str, style: str = "", columns: int = 2) -> Hanging:
    """Return text of which every line stands in."""
    return Hanging(Text(text, style), columns, columns)
