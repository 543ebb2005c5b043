"""Pictures of evidence as data: what is plotted and in which units. How it looks is not known here.

A rule hands a picture to `found`, and the finding carries it among its evidence, as JSON values
under the key ``picture``. A picture holds a few hundred numbers at most: it shows why a finding
stands, and is no copy of the pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from lightframe.checks._picture_parts import (
    Axis,
    Counts,
    Curve,
    Line,
    Mark,
    Numbers,
    Points,
    Row,
    numbers,
    same_length,
    table,
)
from lightframe.errors import InputError

__all__ = [
    "Axis",
    "Comparison",
    "Correlation",
    "Counts",
    "Curve",
    "FrameChart",
    "Histogram",
    "Line",
    "Mark",
    "Panels",
    "Picture",
    "Points",
    "Profile",
    "Row",
    "Scatter",
    "TileMap",
    "numbers",
    "picture_as_dict",
    "picture_from_dict",
    "table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """What all pictures have.

    Attributes
    ----------
    title : str
        What is shown, in a few words.
    caption : str
        What there is to be seen in it.
    """

    title: str
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(_Picture):
    """How often values occur.

    Attributes
    ----------
    axis : Axis
        The values.
    start, width : float
        Lower edge of the first bin, and the width of all bins.
    series : tuple of Counts
        Distributions over the same bins.
    marks : tuple of Mark
        Values that matter.
    log : bool
        Whether percentages are to be spaced by powers of ten.
    apart : bool
        Whether the distributions are combs, to be drawn below each other.
    """

    axis: Axis
    start: float
    width: float
    series: tuple[Counts, ...]
    marks: tuple[Mark, ...] = ()
    log: bool = False
    apart: bool = False
    kind: Literal["histogram"] = "histogram"

    def __post_init__(self) -> None:
        same_length(self.title, *(item.percent for item in self.series))


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMap(_Picture):
    """Values over the frame in tiles, first stored row first.

    Attributes
    ----------
    value : Axis
        What the tiles hold.
    values : tuple of tuple of float or None
        By row and column; None is unknown.
    aspect : float
        Height of the frame over its width.
    neutral : float or None
        The value of nothing, from which others differ to both sides; None where there is none.
    """

    value: Axis
    values: tuple[Numbers, ...]
    aspect: float = 1.0
    neutral: float | None = 0.0
    kind: Literal["map"] = "map"

    def __post_init__(self) -> None:
        same_length(self.title, *self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation(_Picture):
    """How alike two images are at each shift of one against the other.

    Attributes
    ----------
    values : tuple of tuple of float or None
        Correlation coefficients by shift in y and x; the middle is no shift.
    step_px : float
        Shift from one to the next in pixels.
    shift_px : tuple of (float, float)
        The shift found, in x and y.
    """

    values: tuple[Numbers, ...]
    step_px: float
    shift_px: tuple[float, float]
    kind: Literal["correlation"] = "correlation"

    def __post_init__(self) -> None:
        same_length(self.title, *self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter(_Picture):
    """One quantity against another.

    Attributes
    ----------
    x, y : Axis
        The quantities.
    points : tuple of Points
        Groups of points.
    lines : tuple of Line
        What they follow, or should.
    frame : tuple of (float, float), optional
        Width and height in pixels if the points are places in a frame: y then runs downwards, and
        both axes have one scale.
    extent : float, optional
        Least length of the axes if they are to have one scale, as for movements.
    origin : bool
        Whether both axes are to show zero.
    """

    x: Axis
    y: Axis
    points: tuple[Points, ...]
    lines: tuple[Line, ...] = ()
    frame: tuple[float, float] | None = None
    extent: float | None = None
    origin: bool = False
    kind: Literal["scatter"] = "scatter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(_Picture):
    """Averages along the rows, or columns, of frames.

    Attributes
    ----------
    x, y : Axis
        The place, and what is averaged.
    start, step : float
        Place of the first value, and the distance to the next.
    curves : tuple of Curve
        The profiles.
    marks : tuple of Mark
        Places that matter.
    """

    x: Axis
    y: Axis
    start: float
    step: float
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...] = ()
    kind: Literal["profile"] = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameChart(_Picture):
    """One value a frame, in the order in which they were taken.

    Attributes
    ----------
    axis : Axis
        What is shown.
    frames : tuple of str
        Names of the frames; in large sets only of those that stand out.
    values : tuple of float or None
        One a frame.
    errors : tuple of float or None
        Their standard errors; empty where they are not known.
    wrong : tuple of bool
        Which frames the finding is about.
    band : tuple of (float, float) or None
        What is allowed.
    marks : tuple of Mark
        Values that matter.
    """

    axis: Axis
    frames: tuple[str, ...]
    values: Numbers
    errors: Numbers = ()
    wrong: tuple[bool, ...] = ()
    band: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()
    kind: Literal["frames"] = "frames"

    def __post_init__(self) -> None:
        same_length(
            self.title, self.frames, self.values, *(c for c in (self.errors, self.wrong) if c)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(_Picture):
    """The same quantity of several things: of sets of frames, of colours.

    Attributes
    ----------
    axis : Axis
        The quantity.
    rows : tuple of Row
        The things.
    marks : tuple of Mark
        Values that matter.
    from_zero : bool
        Whether values are amounts, to be drawn as bars from zero.
    """

    axis: Axis
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...] = ()
    from_zero: bool = False
    kind: Literal["comparison"] = "comparison"


_Single: TypeAlias = Histogram | TileMap | Correlation | Scatter | Profile | FrameChart | Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """A few pictures that tell something together.

    Attributes
    ----------
    pictures : tuple of pictures
        The most telling first.
    """

    pictures: tuple[Annotated[_Single, Field(discriminator="kind")], ...]
    kind: Literal["panels"] = field(default="panels")


Picture: TypeAlias = _Single | Panels


@cache
def _adapter() -> TypeAdapter[Picture]:
    """Return what turns pictures into JSON values and back; it takes a moment to build."""
    return TypeAdapter(Annotated[Picture, Field(discriminator="kind")])


def picture_as_dict(picture: Picture) -> dict[str, Any]:
    """Return a picture as JSON values, its kind among them."""
    values: dict[str, Any] = _adapter().dump_python(picture, mode="json")
    return values


def picture_from_dict(values: Mapping[str, Any]) -> Picture:
    """Return the picture that `picture_as_dict` has written.

    Raises
    ------
    InputError
        If the values are not those of a picture.
    """
    try:
        return _adapter().validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(
            f"this is not the picture of a finding: {place}: {first['msg']}",
            cause="run.json was written by another version, or edited",
            remedy="run again, or use the version that wrote it",
        ) from error
