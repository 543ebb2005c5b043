"""The parts of pictures: axes, marks, and what is plotted on them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Axis",
    "Counts",
    "Curve",
    "Line",
    "Mark",
    "Numbers",
    "Points",
    "Row",
    "names_of_frames",
    "numbers",
    "same_length",
    "table",
]

Numbers: TypeAlias = tuple[float | None, ...]
"""None is unknown."""

_DIGITS = 4
_MOST_NAMES = 60


def numbers(values: Iterable[float], digits: int = _DIGITS) -> Numbers:
    """Return values of a few digits, as JSON has them; what is not finite is None."""
    return tuple(float(f"{v:.{digits}g}") if np.isfinite(v) else None for v in values)


def names_of_frames(paths: Sequence[Path], wrong: Collection[Path]) -> tuple[str, ...]:
    """Return the names of frames; in large sets only of those in `wrong`, the others are empty."""
    few = len(paths) <= _MOST_NAMES
    return tuple(path.name if few or path in wrong else "" for path in paths)


def table(values: npt.NDArray[np.floating], digits: int = _DIGITS) -> tuple[Numbers, ...]:
    """Return the rows of an array, shape (rows, columns), as `numbers`."""
    return tuple(numbers(row, digits) for row in values)


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows.

    Attributes
    ----------
    name : str
        The quantity.
    unit : str
        Its unit; empty for pure numbers.
    log : bool
        Whether it is to be spaced by powers of ten.
    """

    name: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on an axis that matters: a limit, an expected level.

    Attributes
    ----------
    name : str
        What is written beside it.
    value : float
        Where it is.
    """

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Counts:
    """One distribution of a histogram.

    Attributes
    ----------
    name : str
        What was counted: a colour, a set of frames.
    percent : tuple of float
        Percentage of the pixels in each bin.
    """

    name: str
    percent: Numbers


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a scatter plot.

    Attributes
    ----------
    name : str
        What they are.
    x, y : tuple of float or None
        Where they are.
    error : tuple of float or None
        Standard error of y; empty where it is not known.
    joined : bool
        Whether they follow each other.
    wrong : bool
        Whether they are what the finding is about.
    """

    name: str
    x: Numbers
    y: Numbers
    error: Numbers = ()
    joined: bool = False
    wrong: bool = False

    def __post_init__(self) -> None:
        same_length(self.name, self.x, self.y, *((self.error,) if self.error else ()))


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line, y = intercept + slope x.

    Attributes
    ----------
    name : str
        What it stands for.
    slope, intercept : float
        In the units of the axes.
    expected : bool
        Whether it is what should be; else it was fitted.
    """

    name: str
    slope: float
    intercept: float = 0.0
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of a profile.

    Attributes
    ----------
    name : str
        What it belongs to: a frame.
    values : tuple of float or None
        Its values at equal distances.
    """

    name: str
    values: Numbers


@dataclass(frozen=True, slots=True)
class Row:
    """One of the things compared.

    Attributes
    ----------
    name : str
        What it is.
    value : float or None
        Its value.
    low, high : float or None
        What the value may be; None is unknown, or unbounded.
    wrong : bool
        Whether the finding is about it.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    wrong: bool = False


def same_length(where: str, *columns: tuple[object, ...]) -> None:
    """Raise if columns of values are not equally long."""
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise ValueError(f"{where}: as many values are needed everywhere, not {lengths}")
