"""Histograms, scatter plots, profiles and comparisons as SVG."""

from collections.abc import Iterable, Sequence
from html import escape

from lightframe.checks import (
    Axis,
    Comparison,
    FrameChart,
    Histogram,
    Line,
    Points,
    Profile,
    Scatter,
)
from lightframe.report._svg import LETTER, WIDTH, Plot, axis_name, format_value, padded, shortened

__all__ = [
    "Key",
    "draw_comparison",
    "draw_frames",
    "draw_histogram",
    "draw_profile",
    "draw_scatter",
    "tone",
]

Key = list[tuple[str, str, str]]
"""What colours mean: a class of the style sheet, a sign (dot, line, dash), and words."""

_COLOURS = {"red": "red", "green": "green", "blue": "blue"}
_TONES = 6
_STRIP = 46
_ROW = 34
_LARGE_FRAME = 250.0
_AXES = 50
"""Width that the labels of an axis take."""


def tone(name: str, number: int) -> str:
    """Return the style class of a series: its own colour if it is named so, else the next one."""
    return _COLOURS.get(name.split(" ", maxsplit=1)[0], f"c{number % _TONES + 1}")


def draw_histogram(picture: Histogram, identity: str) -> tuple[str, Key]:
    """Return distributions over each other, or combs below each other."""
    bins = len(picture.series[0].percent)
    centres = [picture.start + picture.width * (i + 0.5) for i in range(bins)]
    if picture.apart:
        return _combs(picture, identity, centres), []
    shares = [value for item in picture.series for value in item.percent if value]
    wanted = [mark.value for mark in picture.marks]
    wanted += [picture.start, picture.start + picture.width * bins]
    low, high = min(wanted), max(wanted)
    low, high = (low, high + 0.03 * (high - low)) if picture.marks else (low, high)
    unit = "%"
    top = padded(shares, log=picture.log, zero=True)
    share = Axis("pixels", unit, log=picture.log)
    y_range = (min(top[0], min(shares, default=1.0)), top[1] * (1.6 if picture.log else 1.0))
    plot = Plot(picture.axis, (low, high), share, y_range, identity)
    for number, item in enumerate(picture.series):
        outline = _steps(plot, picture, item.percent)
        plot.add(
            f'<path class="area {tone(item.name, number)}" d="{outline}">'
            f"<title>{escape(item.name)}</title></path>",
            clip=True,
        )
    plot.mark_x(picture.marks)
    key = [(tone(item.name, i), "area", item.name) for i, item in enumerate(picture.series)]
    names = ", ".join(item.name for item in picture.series)
    description = f"Histogram of {axis_name(picture.axis)}: {names}. {picture.caption}"
    return plot.svg(picture.title, description), key if len(key) > 1 else []


def _steps(plot: Plot, picture: Histogram, percent: Sequence[float | None]) -> str:
    """Return the outline of a histogram, closed at its foot."""
    places = [f"M{plot.x(picture.start):.1f},{plot.bottom:.1f}"]
    for i, value in enumerate(percent):
        shown = plot.bottom
        if value:
            shown = min(plot.bottom, plot.y(value))
        right = plot.x(picture.start + picture.width * (i + 1))
        places.append(f"V{shown:.1f}H{right:.1f}")
    return "".join([*places, f"V{plot.bottom:.1f}Z"])


def _combs(picture: Histogram, identity: str, centres: Sequence[float]) -> str:
    """Return bars at single values, a strip for each distribution."""
    ends = picture.start, picture.start + picture.width * len(centres)
    height = _STRIP * len(picture.series)
    plot = Plot(picture.axis, ends, None, (0.0, float(len(picture.series))), identity, height)
    for number, item in enumerate(picture.series):
        foot = plot.top + _STRIP * (number + 1)
        most = max((value for value in item.percent if value), default=1.0)
        bars = "".join(
            f"M{plot.x(x):.1f},{foot:.1f}v{-(_STRIP - 18) * value / most:.1f}"
            for x, value in zip(centres, item.percent, strict=True)
            if value
        )
        plot.add(
            f'<line class="grid" x1="{plot.x.start:.1f}" x2="{plot.x.end:.1f}" y1="{foot:.1f}"'
            f' y2="{foot:.1f}"/><path class="comb {tone(item.name, number)}" d="{bars}"/>'
        )
        plot.text(plot.x.start, foot - _STRIP + 14, item.name, kind="note")
    plot.mark_x(picture.marks)
    names = ", ".join(item.name for item in picture.series)
    return plot.svg(
        picture.title, f"Single values and how often they occur: {names}. {picture.caption}"
    )


def draw_scatter(picture: Scatter, identity: str) -> tuple[str, Key]:
    """Return points and the lines they follow, or places in a frame."""
    xs = [value for item in picture.points for value in item.x if value is not None]
    ys = [value for item in picture.points for value in item.y if value is not None]
    height = 156.0
    if picture.frame is not None:
        width_px, height_px = picture.frame
        height = min((WIDTH - _AXES) * height_px / width_px, _LARGE_FRAME)
        ranges = (0.0, width_px * (_shown_width(height, width_px, height_px))), (0.0, height_px)
    else:
        ends = padded(xs, log=picture.x.log, zero=picture.origin)
        seen = [*ys, *_errors(picture.points)]
        if picture.lines and not picture.y.log:
            seen += _inside(picture.lines, ends, ys)
        ranges = ends, padded(seen, log=picture.y.log, zero=picture.origin)
        if picture.extent is not None:
            ranges = _of_one_scale(ranges, picture.extent, height)
    plot = Plot(
        picture.x, ranges[0], picture.y, ranges[1], identity, height, picture.frame is not None
    )
    key: Key = []
    for number, item in enumerate(picture.points):
        shade = "bad" if item.wrong else tone(item.name, number)
        plot.add(_dots(plot, item, shade))
        key.append((shade, "dot", item.name))
    for line in picture.lines:
        shade = "expected" if line.expected else "fitted"
        plot.add(_straight(plot, line, shade), clip=True)
        key.append((shade, "dash" if line.expected else "line", line.name))
    count = sum(len(item.x) for item in picture.points)
    description = (
        f"{count} points of {axis_name(picture.y)} against {axis_name(picture.x)}."
        f" {picture.caption}"
    )
    return plot.svg(picture.title, description), key if len(key) > 1 else []


def _errors(points: Iterable[Points]) -> list[float]:
    """Return the ends of error bars."""
    return [
        value + sign * error
        for item in points
        for value, error in zip(item.y, item.error, strict=bool(item.error))
        if value is not None and error is not None
        for sign in (-1, 1)
    ]


def _of_one_scale(
    ranges: tuple[tuple[float, float], tuple[float, float]], extent: float, height: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return ranges about the same middles, of one scale, with at least some length of y."""
    wide = (WIDTH - _AXES) / height
    (x0, x1), (y0, y1) = ranges
    half = 0.5 * max(extent, y1 - y0, (x1 - x0) / wide)
    x, y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    return (x - half * wide, x + half * wide), (y - half, y + half)


def _shown_width(height: float, width_px: float, height_px: float) -> float:
    """Return by how much the axis must be longer than the frame for one scale on both axes."""
    return max(1.0, (WIDTH - _AXES) * height_px / (width_px * height))


def _inside(lines: Iterable[Line], ends: tuple[float, float], ys: Sequence[float]) -> list[float]:
    """Return the ends of lines that do not lie far from the points."""
    reach = max(ys, default=1.0) - min(ys, default=0.0)
    middle = 0.5 * (max(ys, default=1.0) + min(ys, default=0.0))
    values = [line.intercept + line.slope * x for line in lines for x in ends]
    return [value for value in values if abs(value - middle) <= 1.5 * reach]


def _dots(plot: Plot, item: Points, shade: str) -> str:
    known = [
        (plot.x(x), plot.y(y), i)
        for i, (x, y) in enumerate(zip(item.x, item.y, strict=True))
        if x is not None and y is not None
    ]
    parts = []
    if item.joined:
        path = "L".join(f"{x:.1f},{y:.1f}" for x, y, _ in known)
        parts.append(f'<path class="joined {shade}" d="M{path}"/>')
    few = 60
    radius = 3.2 if len(known) <= few else 2.2
    for x, y, i in known:
        error = item.error[i] if item.error else None
        if error is not None:
            reach = abs(plot.y(error) - plot.y(0.0))
            parts.append(
                f'<line class="error {shade}" x1="{x:.1f}" x2="{x:.1f}"'
                f' y1="{y - reach:.1f}" y2="{y + reach:.1f}"/>'
            )
        parts.append(f'<circle class="point {shade}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>')
    return "".join(parts)


def _straight(plot: Plot, line: Line, shade: str) -> str:
    low, high = plot.x.low, plot.x.high
    points = ((plot.x(x), plot.y(line.intercept + line.slope * x)) for x in (low, high))
    (x1, y1), (x2, y2) = points
    return (
        f'<line class="{shade}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}">'
        f"<title>{escape(line.name)}</title></line>"
    )


def draw_profile(picture: Profile, identity: str) -> tuple[str, Key]:
    """Return curves along the rows or columns."""
    values = [v for curve in picture.curves for v in curve.values if v is not None]
    count = max(len(curve.values) for curve in picture.curves)
    ends = picture.start, picture.start + picture.step * max(count - 1, 1)
    plot = Plot(picture.x, ends, picture.y, padded(values), identity)
    for number, curve in enumerate(picture.curves):
        places = [
            f"{plot.x(picture.start + picture.step * i):.1f},{plot.y(value):.1f}"
            for i, value in enumerate(curve.values)
            if value is not None
        ]
        plot.add(
            f'<path class="curve {tone(curve.name, number)}" d="M{"L".join(places)}">'
            f"<title>{escape(curve.name)}</title></path>",
            clip=True,
        )
    plot.mark_x(picture.marks)
    key = [(tone(curve.name, i), "line", curve.name) for i, curve in enumerate(picture.curves)]
    names = ", ".join(curve.name for curve in picture.curves)
    description = f"{axis_name(picture.y)} by {axis_name(picture.x)}: {names}. {picture.caption}"
    return plot.svg(picture.title, description), key


def draw_frames(
    picture: FrameChart, identity: str, along: str = "frame, in the order of time"
) -> tuple[str, Key]:
    """Return a dot for each frame, those that stand out in another colour; `along` is what x is."""
    errors = picture.errors or (None,) * len(picture.values)
    wrong = picture.wrong or (False,) * len(picture.values)
    seen = [mark.value for mark in picture.marks] + list(picture.band or ())
    for value, error in zip(picture.values, errors, strict=True):
        if value is not None:
            seen += [value - (error or 0.0), value + (error or 0.0)]
    count = len(picture.frames)
    plot = Plot(
        Axis(along),
        (0.4, count + 0.6),
        picture.axis,
        padded(seen, log=picture.axis.log),
        identity,
        height=140,
    )
    if picture.band is not None:
        low, high = plot.y(picture.band[0]), plot.y(picture.band[1])
        plot.add(
            f'<rect class="band" x="{plot.x.start:.1f}" width="{plot.x.end - plot.x.start:.1f}"'
            f' y="{high:.1f}" height="{max(low - high, 1.0):.1f}"/>',
            clip=True,
        )
    plot.mark_y(picture.marks)
    radius = 4.0 if count <= 40 else 2.6  # noqa: PLR2004 - dots that do not touch
    for number, value in enumerate(picture.values):
        if value is None:
            continue
        x, y, error = plot.x(number + 1), plot.y(value), errors[number]
        name = picture.frames[number] or f"number {number + 1}"
        shade = "bad" if wrong[number] else "c1"
        bar = ""
        if error is not None:
            reach = abs(plot.y(error) - plot.y(0.0))
            bar = (
                f'<line class="error {shade}" x1="{x:.1f}" x2="{x:.1f}"'
                f' y1="{y - reach:.1f}" y2="{y + reach:.1f}"/>'
            )
        plot.add(
            f'{bar}<circle class="dot {shade}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
            f"<title>{escape(name)}: {format_value(value)}"
            f" {escape(picture.axis.unit)}</title></circle>"
        )
    return plot.svg(picture.title, _told(picture, wrong)), _frame_key(picture, wrong)


def _frame_key(picture: FrameChart, wrong: Sequence[bool]) -> Key:
    key: Key = []
    named = [name for name, bad in zip(picture.frames, wrong, strict=True) if bad]
    if named and len(named) < len(picture.frames):
        few = 2
        words = ", ".join(named) if len(named) <= few else f"{len(named)} frames of this finding"
        key += [("bad", "dot", words), ("c1", "dot", "the others")]
    if picture.band is not None:
        key.append(("band", "area", "allowed"))
    return key


def _told(picture: FrameChart, wrong: Sequence[bool]) -> str:
    known = [value for value in picture.values if value is not None]
    ends = f"{format_value(min(known, default=0))} to {format_value(max(known, default=0))}"
    return (
        f"{axis_name(picture.axis)} of {len(picture.frames)} frames, {ends};"
        f" {sum(wrong)} of them stand out. {picture.caption}"
    )


def draw_comparison(picture: Comparison, identity: str) -> tuple[str, Key]:
    """Return a row for each thing: its name, its value, and what it may be."""
    seen = [mark.value for mark in picture.marks]
    for row in picture.rows:
        seen += [v for v in (row.value, row.low, row.high) if v is not None]
    ends = padded(seen, log=picture.axis.log, zero=picture.from_zero)
    height = _ROW * len(picture.rows) + (16 * len(picture.marks))
    plot = Plot(picture.axis, ends, None, (0.0, 1.0), identity, height)
    plot.mark_x(picture.marks)
    first = plot.top + 16 * len(picture.marks)
    for number, row in enumerate(picture.rows):
        y = first + _ROW * number
        shade = "bad" if row.wrong else "c1"
        label = "unknown" if row.value is None else format_value(row.value)
        plot.text(plot.x.end, y + 12, label, anchor="end", kind="value")
        room = int((plot.x.end - plot.x.start) / LETTER) - len(label) - 2
        plot.text(plot.x.start, y + 12, shortened(row.name, room), kind="note")
        plot.add(_interval(plot, row.low, row.high, y + 22, shade), clip=True)
        if row.value is None:
            continue
        x = plot.x(row.value)
        if picture.from_zero:
            zero = plot.x(max(0.0, plot.x.low))
            plot.add(
                f'<rect class="bar {shade}" x="{min(zero, x):.1f}" y="{y + 17:.1f}"'
                f' width="{max(abs(x - zero), 0.5):.1f}" height="10" rx="2"/>',
                clip=True,
            )
        else:
            plot.add(f'<circle class="dot {shade}" cx="{x:.1f}" cy="{y + 22:.1f}" r="4"/>')
    rows = "; ".join(
        f"{row.name}: {'unknown' if row.value is None else format_value(row.value)}"
        for row in picture.rows
    )
    return plot.svg(picture.title, f"{axis_name(picture.axis)}: {rows}. {picture.caption}"), []


def _interval(plot: Plot, low: float | None, high: float | None, y: float, shade: str) -> str:
    if low is None and high is None:
        return ""
    left = plot.x.start if low is None else plot.x(low)
    right = plot.x.end if high is None else plot.x(high)
    return (
        f'<line class="interval {shade}" x1="{left:.1f}" x2="{right:.1f}"'
        f' y1="{y:.1f}" y2="{y:.1f}"/>'
    )
