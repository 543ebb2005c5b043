"""Tables that are wider than the terminal: one below the other, each with the names."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table

__all__ = ["Fitted", "fitted"]

_NAME_AT_LEAST = 16
"""Characters of a name that stand in one line where names are folded."""
_WORDS_AT_LEAST = 24
"""The same of other text."""
_UNLIMITED = 10_000


class Fitted:
    """A table that `rich` prints in parts that fit; see `fitted`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the parts."""
        yield from fitted(self._table, console)


def fitted(shown: Table, console: Console) -> Iterator[Table]:
    """Yield a table in parts that fit, each with its first column and as many others as it can.

    Parameters
    ----------
    shown : Table
        Its first column holds names. It and columns that may be wrapped are folded where that
        helps, to their least width if they have one.
    console : Console
        Where it is to be printed. A file is as wide as the table.

    Yields
    ------
    Table
        A part. Where one column beside the names does not fit, it is wider than the console: its
        lines must not be cropped.
    """
    if not console.is_terminal:
        shown.width = _width(shown, console)
        yield shown
        return
    parts: list[list[int]] = [[0]]
    for column in range(1, len(shown.columns)):
        wider = [*parts[-1], column]
        alone = len(parts[-1]) == 1
        if alone or _narrowest(_part(shown, wider), console) <= console.width:
            parts[-1] = wider
        else:
            parts.append([0, column])
    for columns in parts:
        part = shown if len(parts) == 1 else _part(shown, columns)
        if columns == parts[0]:
            part.title = shown.title
        _fold(part, console)
        yield part


def _width(shown: Table, console: Console) -> int:
    """Return the characters that a table takes if nothing is folded."""
    return console.measure(shown, options=console.options.update(max_width=_UNLIMITED)).maximum


def _narrowest(shown: Table, console: Console) -> int:
    """Return the characters that a table takes if all is folded that may be."""
    return _width(shown, console) - sum(_foldable(shown, console))


def _fold(shown: Table, console: Console) -> None:
    """Make the widest columns narrower as far as it takes, and they may be."""
    left = _foldable(shown, console)
    widths = [_column_width(column, console) for column in shown.columns]
    excess = _width(shown, console) - console.width
    for _ in range(min(excess, sum(left))):
        widest = max((i for i, some in enumerate(left) if some), key=widths.__getitem__)
        left[widest] -= 1
        widths[widest] -= 1
        shown.columns[widest].width = widths[widest]
    if excess > 0:
        shown.width = _width(shown, console)


def _foldable(shown: Table, console: Console) -> list[int]:
    """Return by how many characters each column can become narrower."""
    spare = []
    for index, column in enumerate(shown.columns):
        usual = max(_WORDS_AT_LEAST if index else _NAME_AT_LEAST, cell_len(str(column.header)))
        width = _column_width(column, console)
        spare.append(0 if column.no_wrap else max(0, width - (column.min_width or usual)))
    return spare


def _column_width(column: Column, console: Console) -> int:
    """Return the characters of the longest line of a column."""
    options = console.options.update(max_width=_UNLIMITED)
    cells = (column.header, *column.cells)
    return max(Measurement.get(console, options, cell).maximum for cell in cells)


def _part(shown: Table, columns: Iterable[int]) -> Table:
    """Return some columns of a table."""
    made = Table(box=shown.box, pad_edge=shown.pad_edge, title_justify=shown.title_justify)
    chosen = [shown.columns[index] for index in columns]
    for column in chosen:
        made.add_column(
            column.header,
            justify=column.justify,
            overflow=column.overflow,
            no_wrap=column.no_wrap,
            min_width=column.min_width,
        )
    for row in zip(*(column.cells for column in chosen), strict=True):
        made.add_row(*row)
    return made
