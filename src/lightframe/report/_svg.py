"""The parts of a chart as SVG text: scales, ticks, axes; no script, no library."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, inf, isfinite, log10

from lightframe.checks import Axis, Mark

__all__ = [
    "LETTER",
    "WIDTH",
    "Plot",
    "Scale",
    "axis_name",
    "format_value",
    "padded",
    "shortened",
    "svg",
]

WIDTH = 360
"""Width of a chart in its own units: about that of a phone, so that text keeps its size there."""

_HEIGHT = 216
LETTER = 5.9
"""Width of a letter, on average, at the size of labels."""

_CHARACTER = 6.1
"""Width of a digit."""
_RIGHT, _TOP, _NAMED_TOP, _BOTTOM = 10, 8, 24, 36
_MARK_LINE = 13
_X_TICKS, _Y_TICKS = 5, 5
_NEAR_ZERO = 0.35
_MOST_SPAN = 1e12  # of an axis of powers of ten
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to places along an axis.

    Attributes
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Places of the ends.
    log : bool
        Whether powers of ten have equal distances; both ends are then above zero.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value; those beyond the ends lie beyond the axis."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = log10(low), log10(high), log10(max(value, 1e-300))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return round values between the ends, and their labels."""
        if self.log:
            values = _log_ticks(self.low, self.high, most)
            return [(value, format_value(value)) for value in values]
        step = _round_step((self.high - self.low) / most)
        first = ceil(self.low / step - 1e-9)
        count = floor(self.high / step + 1e-9) - first + 1
        digits = max(0, -floor(log10(step) + 1e-9))
        return [
            (value, f"{value + 0.0:,.{digits}f}".replace("-", _MINUS))
            for value in (round((first + i) * step, digits + 2) for i in range(count))
        ]


def _round_step(rough: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(rough))
    return next(f * power for f in (1.0, 2.0, 5.0, 10.0) if f * power >= rough * 0.999)


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    inside = floor(log10(high)) - ceil(log10(low)) + 1
    every = max(1, ceil(inside / most))
    # Where there is room, more than powers of ten.
    factors = (1.0, 2.0, 5.0) if inside < most / 2 else (1.0,)
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    values = [f * 10.0**power for power in decades if power % every == 0 for f in factors]
    return [value for value in values if low <= value <= high]


def format_value(value: float) -> str:
    """Return a number of three digits and more as people write it."""
    if value == 0:
        return "0"
    most, least = 1e6, 1e-3
    if not least <= abs(value) < most:
        return f"{value:.3g}".replace("-", _MINUS)
    digits = max(0, 2 - floor(log10(abs(value))))
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", _MINUS)


def padded(
    values: Sequence[float], *, log: bool = False, zero: bool = False
) -> tuple[float, float]:
    """Return ends of an axis a little beyond the values, never equal.

    Parameters
    ----------
    values : sequence of float
        What is to be seen.
    log : bool
        For an axis of powers of ten; values up to zero are left out, and it ends at the least at a
        trillionth of the highest.
    zero : bool
        Whether zero is to be seen as well; it is where the values nearly reach it.
    """
    known = [value for value in values if isfinite(value) and (value > 0 or not log)]
    low, high = min(known, default=inf), max(known, default=-inf)
    if not log and (zero or 0.0 < low < _NEAR_ZERO * high):
        low, high = min(low, 0.0), max(high, 0.0)
    if low > high:
        return (1.0, 10.0) if log else (0.0, 1.0)
    if log:
        low = max(low, high / _MOST_SPAN)
        margin = max((high / low) ** 0.06, 1.1)
        return low / margin, high * margin
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    ends = low - margin, high + margin
    # What begins at zero is not drawn as if it could be below it.
    return (0.0 if low == 0.0 else ends[0]), (0.0 if high == 0.0 and low < 0 else ends[1])


def shortened(words: str, most: int) -> str:
    """Return words without their middle where they have more than `most` letters."""
    if len(words) <= most:
        return words
    kept = max(most - 1, 2)
    first = (kept + 1) // 2
    return f"{words[:first]}…{words[len(words) - kept + first :]}"


def axis_name(axis: Axis) -> str:
    """Return the name of an axis with its unit."""
    return f"{axis.name} ({axis.unit})" if axis.unit else axis.name


@dataclass(slots=True)
class Plot:
    """A chart that is being drawn.

    Parameters
    ----------
    x, y : tuple of Axis and range
        What the axes show, and the values at their ends; y with no range has no axis.
    identity : str
        A name that no other chart of the page has.
    height : float
        Height of the plot without the names of its axes.
    flipped : bool
        Whether y runs downwards.
    """

    x_axis: Axis
    x_range: tuple[float, float]
    y_axis: Axis | None
    y_range: tuple[float, float]
    identity: str
    height: float = _HEIGHT - _NAMED_TOP - _BOTTOM
    flipped: bool = False
    parts: list[str] = field(default_factory=list)
    x: Scale = field(init=False)
    y: Scale = field(init=False)

    def __post_init__(self) -> None:
        top = _TOP if self.y_axis is None else _NAMED_TOP
        bottom = top + self.height
        ends = (top, bottom) if self.flipped else (bottom, top)
        # Powers of ten have room for what is above zero alone.
        log = self.y_axis is not None and self.y_axis.log and self.y_range[0] > 0
        self.y = Scale(self.y_range[0], self.y_range[1], ends[0], ends[1], log)
        left = 12.0
        if self.y_axis is not None:
            longest = max((len(label) for _, label in self.y.ticks(_Y_TICKS)), default=1)
            left = max(28.0, 10.0 + _CHARACTER * longest)
        log = self.x_axis.log and self.x_range[0] > 0
        self.x = Scale(self.x_range[0], self.x_range[1], left, WIDTH - _RIGHT, log)
        self._draw_axes(left, bottom)

    def _draw_axes(self, left: float, bottom: float) -> None:
        right = WIDTH - _RIGHT
        if self.y_axis is not None:
            for value, label in self.y.ticks(_Y_TICKS):
                y = self.y(value)
                self.parts.append(
                    f'<line class="grid" x1="{left:.1f}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                )
                self.text(left - 5, y + 3.8, label, anchor="end")
            self.text(2, 11, axis_name(self.y_axis), kind="name")
        for value, label in self.x.ticks(_X_TICKS):
            x = self.x(value)
            self.parts.append(
                f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}"'
                f' y1="{bottom:.1f}" y2="{bottom + 4:.1f}"/>'
            )
            half = 0.5 * _CHARACTER * len(label)
            self.text(min(x, WIDTH - 2 - half), bottom + 15, label, anchor="middle")
        self.parts.append(
            f'<line class="axis" x1="{left:.1f}" x2="{right}" y1="{bottom:.1f}" y2="{bottom:.1f}"/>'
        )
        self.text(
            (left + right) / 2, bottom + 30, axis_name(self.x_axis), anchor="middle", kind="name"
        )

    @property
    def top(self) -> float:
        """Upper end of the plot."""
        return min(self.y.start, self.y.end)

    @property
    def bottom(self) -> float:
        """Lower end of the plot."""
        return max(self.y.start, self.y.end)

    def add(self, markup: str, *, clip: bool = False) -> None:
        """Add SVG; `clip` cuts it off at the ends of the axes."""
        self.parts.append(
            f'<g clip-path="url(#{self.identity}-clip)">{markup}</g>' if clip else markup
        )

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", kind: str = ""
    ) -> None:
        """Add words, escaped; those too long for the chart lose their middle."""
        named = f' class="{kind}"' if kind else ""
        room = 2 * WIDTH if anchor == "middle" else WIDTH - x if anchor == "start" else x
        short = shortened(words, int(room / LETTER))
        shown = escape(short)
        if short != words:
            shown += f"<title>{escape(words)}</title>"
        self.parts.append(
            f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{shown}</text>'
        )

    def mark_x(self, marks: Sequence[Mark]) -> None:
        """Draw values of the x axis that matter, their names at different heights."""
        for number, mark in enumerate(sorted(marks, key=lambda m: m.value)):
            x = self.x(mark.value)
            if not self.x.start - 1 <= x <= self.x.end + 1:
                continue
            y = self.top + 10 + _MARK_LINE * number
            before = x > (self.x.start + self.x.end) / 2
            self.add(
                f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}"'
                f' y1="{self.top:.1f}" y2="{self.bottom:.1f}"/>'
            )
            self.text(
                x - 5 if before else x + 5,
                y,
                mark.name,
                anchor="end" if before else "start",
                kind="note",
            )

    def mark_y(self, marks: Sequence[Mark]) -> None:
        """Draw values of the y axis that matter."""
        for mark in marks:
            y = self.y(mark.value)
            if not self.top - 1 <= y <= self.bottom + 1:
                continue
            self.add(
                f'<line class="mark" x1="{self.x.start:.1f}" x2="{self.x.end:.1f}"'
                f' y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            above = y - 4 if y - self.top > _MARK_LINE else y + 12
            self.text(self.x.end - 2, above, mark.name, anchor="end", kind="note")

    def svg(self, title: str, description: str) -> str:
        """Return the chart, with a title and a description for those who cannot see it."""
        height = self.bottom + _BOTTOM
        left, right = self.x.start, self.x.end
        clip = (
            f'<clipPath id="{self.identity}-clip"><rect x="{left:.1f}" y="{self.top:.1f}"'
            f' width="{right - left:.1f}" height="{self.bottom - self.top:.1f}"/></clipPath>'
        )
        return svg(self.identity, (WIDTH, height), title, description, clip + "".join(self.parts))


def svg(
    identity: str, size: tuple[float, float], title: str, description: str, content: str
) -> str:
    """Return an SVG element with a title and a description."""
    name = escape(identity, quote=True)
    return (
        f'<svg class="plot" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" role="img"'
        f' aria-labelledby="{name}-title" aria-describedby="{name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{content}</svg>'
    )
