"""Names of files in tables: they break behind the parts that they are made of."""

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

__all__ = ["Names"]

_PARTS = re.compile(r"[^_\s]*[_\s]*")


class Names:
    """Names and words, which a narrow column breaks behind an underscore or a space.

    Parameters
    ----------
    text : str
        One or several names, one below the other or with spaces between them.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the widths of the longest part and of the longest line."""
        parts = (cell_len(part.rstrip()) for part in _PARTS.findall(self._text))
        lines = map(cell_len, self._text.split("\n"))
        most = max(lines, default=0)
        return Measurement(max(parts, default=0), most).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines."""
        for line in self._text.split("\n"):
            for piece in _filled(line, options.max_width):
                yield Text(piece, overflow="fold")


def _filled(line: str, width: int) -> Iterator[str]:
    """Yield a line in pieces of whole parts."""
    begun = ""
    for part in _PARTS.findall(line):
        if begun and part and cell_len(begun) + cell_len(part.rstrip()) > width:
            yield begun.rstrip()
            begun = ""
        begun += part
    yield begun.rstrip()
