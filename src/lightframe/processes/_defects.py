"""Defective pixels: which they are, and lists of them as users write them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError

__all__ = ["DefectRow", "Defects", "parse_defect_list"]

Indices = npt.NDArray[np.int64]
DefectRow = tuple[bool, bool, int, bool, int, int]
"""A row of the reference's list: enabled, is row, address, is range, begin, end."""


def _indices(values: npt.ArrayLike) -> Indices:
    """Return each value once, in order; lists joined end to end are merged without a full sort."""
    indices = np.asarray(values, np.int64)
    if not (indices[1:] > indices[:-1]).all():
        indices = np.sort(indices, kind="stable")
        indices = indices[np.append(True, indices[1:] > indices[:-1])]
    return indices


def _none() -> Indices:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Defects:
    """Defective pixels of one sensor as sorted flat indices ``y * width + x``.

    Parameters
    ----------
    hot, cold : (n,) int64
        Pixels that are too high, and too low.
    listed : (n,) int64, optional
        Pixels that a defect list names, whatever their values.

    Attributes
    ----------
    pixels : (n,) int64
        All of them, each once.
    """

    hot: Indices = field(default_factory=_none)
    cold: Indices = field(default_factory=_none)
    listed: Indices = field(default_factory=_none)
    pixels: Indices = field(init=False)

    def __post_init__(self) -> None:
        for name in ("hot", "cold", "listed"):
            object.__setattr__(self, name, _indices(getattr(self, name)))
        object.__setattr__(
            self, "pixels", _indices(np.concatenate((self.hot, self.cold, self.listed)))
        )

    @classmethod
    def none(cls) -> Self:
        """Return no defects."""
        return cls()

    def __len__(self) -> int:
        return self.pixels.size

    def __repr__(self) -> str:
        return f"Defects({', '.join(f'{n} {kind}' for kind, n in self.counts().items())})"

    def counts(self) -> dict[str, int]:
        """Return the number of hot, cold and listed pixels."""
        return {"hot": self.hot.size, "cold": self.cold.size, "listed": self.listed.size}

    def merged(self, other: "Defects") -> "Defects":
        """Return the defects of both."""
        return Defects(
            np.concatenate((self.hot, other.hot)),
            np.concatenate((self.cold, other.cold)),
            np.concatenate((self.listed, other.listed)),
        )

    def map(self, height: int, width: int) -> npt.NDArray[np.uint8]:
        """Return an image of the defects: 0 good, or the sum of 1 hot, 2 cold, 4 listed."""
        marks = np.zeros(height * width, np.uint8)
        for bit, indices in ((1, self.hot), (2, self.cold), (4, self.listed)):
            marks[indices] |= bit
        return marks.reshape(height, width)


_LINE = re.compile(
    r"(?P<what>pixel|p|column|col|c|row|line|l)\s+(?P<numbers>\d+(?:\s+\d+)*)(?:\s+(?P<kind>[hc]))?",
    re.IGNORECASE,
)
_REFERENCE_ROW = re.compile(
    r"\[?\s*(true|false|1|0)\s*,\s*(true|false|1|0)\s*,\s*(\d+)\s*,"
    r"\s*(true|false|1|0)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]?,?",
    re.IGNORECASE,
)
_NUMBERS = {"p": (2, 4), "c": (1, 3), "r": (1, 3)}
"""How many numbers a pixel (or rectangle), a column and a row may have."""


class _Marks:
    """The defects of a list while it is read."""

    def __init__(self, height: int, width: int) -> None:
        self.size = {"x": width, "y": height}
        self.marks = np.zeros((height, width), bool)

    def add(self, x: tuple[int, int] | None, y: tuple[int, int] | None) -> None:
        """Mark columns and rows from the first to the last one named; None means all."""
        spans = []
        for axis, span in (("y", y), ("x", x)):
            first, last = span or (0, self.size[axis] - 1)
            if last < first:
                raise ValueError(f"{axis} runs backwards, from {first} to {last}")
            if last >= self.size[axis]:
                raise ValueError(f"{axis} = {last}, but the frame ends at {self.size[axis] - 1}")
            spans.append(slice(first, last + 1))
        self.marks[spans[0], spans[1]] = True

    def add_row_of_reference(self, row: DefectRow) -> None:
        """Mark what one row of the reference's list names; disabled rows are skipped."""
        enabled, is_row, address, is_range, begin, end = row
        if enabled:
            line, extent = (address, address), (begin, end) if is_range else None
            self.add(*((extent, line) if is_row else (line, extent)))

    def add_line(self, text: str) -> None:
        """Mark what one line of text names."""
        if match := _REFERENCE_ROW.fullmatch(text):
            values = [{"true": 1, "false": 0}.get(g.lower(), g) for g in match.groups()]
            enabled, is_row, address, is_range, begin, end = map(int, values)
            self.add_row_of_reference(
                (bool(enabled), bool(is_row), address, bool(is_range), begin, end)
            )
            return
        match = _LINE.fullmatch(text)
        if match is None:
            raise ValueError("this is no pixel, column or row")
        what = match["what"][0].lower().replace("l", "r")
        numbers = [int(number) for number in match["numbers"].split()]
        if len(numbers) not in _NUMBERS[what] or (match["kind"] and what != "p"):
            raise ValueError(
                f"{match['what']} takes {' or '.join(map(str, _NUMBERS[what]))} numbers"
            )
        if what == "p":
            self.add((numbers[0], numbers[-2]), (numbers[1], numbers[-1]))
            return
        span = (numbers[1], numbers[2]) if len(numbers) > 1 else None
        line = (numbers[0], numbers[0])
        self.add(*((span, line) if what == "r" else (line, span)))


def parse_defect_list(
    source: str | Iterable[DefectRow], *, height: int, width: int, where: str | Path = ""
) -> Defects:
    """Read a defect list.

    Coordinates count from 0 at the first stored pixel; ranges include both ends. A line each::

        # comment
        pixel 102 55            x y; a trailing H or C, as other programs write it, is accepted
        pixel 100 50 110 52     a rectangle: x0 y0 x1 y1
        column 512              all of it
        column 700 0 99         rows 0 to 99 of it
        row 31                  all of it
        row 30 10 20            columns 10 to 20 of it
        true, false, 512, true, 0, 99    a row of the reference's table: enabled, is row,
                                         address, is range, begin, end

    ``p``, ``c``, ``col``, ``l`` and ``line`` are understood too, in any case of letters.

    Parameters
    ----------
    source : str or iterable of DefectRow
        The text, or rows of the reference's table.
    height, width : int
        Size of the frame.
    where : str or Path, optional
        The file's name, for messages.

    Raises
    ------
    InputError
        If a line cannot be understood or names pixels outside the frame; the message names it.
    """
    marks = _Marks(height, width)
    entries: Iterable[tuple[int, str | DefectRow]]
    if isinstance(source, str):
        lines = (line.partition("#")[0].strip() for line in source.splitlines())
        entries = [(number, line) for number, line in enumerate(lines, 1) if line]
    else:
        entries = list(enumerate(source, 1))
    for number, entry in entries:
        try:
            if isinstance(entry, str):
                marks.add_line(entry)
            else:
                marks.add_row_of_reference(entry)
        except ValueError as error:
            raise InputError(
                f"line {number} of the defect list ({entry}): {error}",
                where=where,
                cause="the list belongs to another sensor, binning or crop"
                if "the frame ends" in str(error)
                else "",
                remedy="write 'pixel X Y', 'column X [Y0 Y1]' or 'row Y [X0 X1]'",
            ) from error
    return Defects(listed=np.flatnonzero(marks.marks))
