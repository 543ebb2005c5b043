"""Names in the columns of tables, however narrow."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from lightframe.cli._names import Names


def printed(text, width):
    """Return the lines of a column of that width."""
    console = Console(file=io.StringIO(), width=width)
    table = Table(box=None, show_header=False, pad_edge=False, padding=0)
    table.add_column()
    table.add_row(Names(text))
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["dark_120s_-10C_gain100"]),
        (22, ["dark_120s_-10C_gain100"]),
        (21, ["dark_120s_-10C_", "gain100"]),
        (10, ["dark_120s_", "-10C_", "gain100"]),
        (4, ["dark", "_", "120s", "_", "-10C", "_", "gain", "100"]),
    ],
)
def test_a_name_breaks_behind_its_parts(width, lines):
    """Letters are parted only where a single part is too wide."""
    assert printed("dark_120s_-10C_gain100", width) == lines


def test_several_names_are_kept_apart():
    """Lines stay lines, and words are words."""
    assert printed("bias\nflat_L (optimised)", 30) == ["bias", "flat_L (optimised)"]
    assert printed("bias\nflat_L (optimised)", 12) == ["bias", "flat_L", "(optimised)"]
    assert printed("", 12) == [""]
