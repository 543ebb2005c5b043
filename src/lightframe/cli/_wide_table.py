"""Tables that are wider than the terminal: one below the other, each with the names."""

from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

__all__ = ["fitted"]

_NAME_AT_LEAST = 16
"""Characters of a name that stand in one line where names are folded."""
_WORDS_AT_LEAST = 24
"""The same of other text."""
_UNLIMITED = 10_000


def fitted(shown: Table, console: Console) -> Iterator[Table]:
    """Yield a table in parts that fit, each with its first column and as many others as it can.

    Parameters
    ----------
    shown : Table
        Its first column holds names. It and columns that may be wrapped are folded where that
        helps.
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
        narrowest = _narrowest(part, console)
        if narrowest > console.width:
            part.width = narrowest
        yield part


def _width(shown: Table, console: Console) -> int:
    """Return the characters that a table takes if nothing is folded."""
    return console.measure(shown, options=console.options.update(max_width=_UNLIMITED)).maximum


def _narrowest(shown: Table, console: Console) -> int:
    """Return the characters that a table takes if all is folded that may be."""
    spared = _foldable(shown, 0, _NAME_AT_LEAST)
    spared += sum(
        _foldable(shown, index, _WORDS_AT_LEAST)
        for index, column in enumerate(shown.columns)
        if index and not column.no_wrap
    )
    return _width(shown, console) - spared


def _foldable(shown: Table, index: int, least: int) -> int:
    """Return by how many characters a column can become narrower."""
    column = shown.columns[index]
    width = max((cell_len(str(cell)) for cell in column.cells), default=0)
    return max(0, width - max(least, cell_len(str(column.header))))


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
        )
    for row in zip(*(column.cells for column in chosen), strict=True):
        made.add_row(*row)
    return made
