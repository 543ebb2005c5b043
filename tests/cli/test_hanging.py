"""Paragraphs on terminals of any width."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from lightframe.cli._hanging import Hanging


def printed(text, width, first, rest):
    """Return the lines of a paragraph."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(Hanging(Text(text), first, rest))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("first", "rest"), [(0, 8), (2, 4), (4, 4), (6, 2)])
@given(words=st.lists(st.text("abc.", min_size=1, max_size=12), max_size=30))
def test_every_line_fits_and_stands_in(first, rest, words):
    """The first by one number of columns, the others by another; all words are there, whole."""
    begin, *others = printed(" ".join(words), 32, first, rest)
    assert len(begin) - len(begin.lstrip()) == (first if words else len(begin))
    assert all(len(line) - len(line.lstrip()) == rest for line in others)
    assert max(map(len, [begin, *others])) <= 32
    assert " ".join([begin, *others]).split() == words
    assert not any(line.endswith(" ") for line in others)


def test_lines_are_as_long_as_they_may_be():
    """The first has the columns that the indent takes from the others."""
    assert printed("a" * 20 + " " + "b" * 18 + " c", 20, 0, 2) == ["a" * 20, "  " + "b" * 18, "  c"]


def test_a_terminal_without_room_still_shows_all():
    """Words that are wider than a line are folded."""
    assert "".join(line.strip() for line in printed("x" * 50, 10, 8, 8)) == "x" * 50


@pytest.mark.parametrize("width", range(18, 60))
def test_a_percent_sign_stays_with_its_number(width):
    """Wherever the line ends."""
    text = "flats: 12 % of the pixels are saturated (allowed: 0.5 %), as bright as 100 % of them"
    lines = printed(text, width, 0, 2)
    assert " ".join(line.strip() for line in lines) == text
    assert not any(line.strip().startswith("%") for line in lines)


def test_the_text_itself_stays_as_it_is():
    """Printing it twice prints the same."""
    text = Text("12 % of them")
    assert printed(text.plain, 20, 0, 2) == [text.plain]
    list(Hanging(text).__rich_console__(Console(width=20), Console(width=20).options))
    assert text.plain == "12 % of them"
