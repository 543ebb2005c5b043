"""Maps of the frame, and of the correlation with another image, as SVG."""

from collections.abc import Sequence
from html import escape

from lightframe.checks import Axis, Correlation, TileMap
from lightframe.report._svg import WIDTH, Plot, axis_name, format_value, svg

__all__ = ["draw_correlation", "draw_map", "map_css"]

_LEVELS = 12
"""Shades on either side of neutral."""
_TALLEST = 300.0
_KEY_HEIGHT = 44
_INSET, _LABEL = 20.0, 50.0
"""Room beside the key of shades, and between the labels of its ends and of neutral."""
_Ramp = tuple[str, str, str]
_LIGHT: tuple[_Ramp, _Ramp] = ("#eef1f6", "#f0a566", "#8c2a1c"), ("#eef1f6", "#7fb2df", "#173f78")
_DARK: tuple[_Ramp, _Ramp] = ("#262e3f", "#c0682f", "#ffd9a8"), ("#262e3f", "#2f6fb8", "#b9dcff")
"""Neutral, middle and far shade of what is above and below neutral."""


def map_css() -> str:
    """Return the shades of maps as style rules for light and dark pages."""

    def rules(ramps: tuple[_Ramp, _Ramp]) -> str:
        return "".join(
            f".plot .{letter}{level}{{fill:{_mixed(ramp, level / _LEVELS)}}}"
            for letter, ramp in zip("hl", ramps, strict=True)
            for level in range(_LEVELS + 1)
        )

    return f"{rules(_LIGHT)}@media (prefers-color-scheme:dark){{{rules(_DARK)}}}"


def _mixed(ramp: _Ramp, share: float) -> str:
    index = min(int(2 * share), 1)
    first, second = ramp[index], ramp[index + 1]
    part = 2 * share - index
    channels = (
        round(int(first[i : i + 2], 16) * (1 - part) + int(second[i : i + 2], 16) * part)
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{channel:02x}" for channel in channels)


class _Shades:
    """Shades for values: about neutral, or from the lowest to the highest."""

    def __init__(self, rows: Sequence[Sequence[float | None]], neutral: float | None) -> None:
        known = [value for row in rows for value in row if value is not None]
        self.low, self.high = min(known, default=0.0), max(known, default=0.0)
        middle = self.low if neutral is None else neutral
        self.reach = max(self.high - middle, 0.0 if neutral is None else middle - self.low) or 1.0
        self.middle = middle

    def __call__(self, value: float) -> str:
        level = self._level(value)
        return f"h{level}" if level >= 0 else f"l{-level}"

    def _level(self, value: float) -> int:
        return round(_LEVELS * (value - self.middle) / self.reach)

    def key(self, y: float) -> str:
        """Return a bar with the shades that occur, and the values of its ends and of neutral."""
        first, last = self._level(self.low), self._level(self.high)
        side = (WIDTH - 2 * _INSET) / (last - first + 1)
        bar = "".join(
            f'<rect class="{"h" if level >= 0 else "l"}{abs(level)}"'
            f' x="{_INSET + side * (level - first):.2f}" y="{y:.1f}" width="{side + 0.3:.2f}"'
            ' height="9"/>'
            for level in range(first, last + 1)
        )
        labels = [(_INSET, self.low, "start"), (WIDTH - _INSET, self.high, "end")]
        neutral = _INSET + side * (0.5 - first)
        if min(neutral, WIDTH - neutral) > _INSET + _LABEL:
            labels.append((neutral, self.middle, "middle"))
        return bar + "".join(
            f'<text x="{x:.1f}" y="{y + 21:.1f}" text-anchor="{anchor}">'
            f"{format_value(value)}</text>"
            for x, value, anchor in labels
        )


def draw_map(picture: TileMap, identity: str) -> str:
    """Return a map of tiles, first stored row on top, with a key of its shades."""
    rows, columns = len(picture.values), len(picture.values[0])
    width = min(float(WIDTH - 8), _TALLEST / picture.aspect)
    left = (WIDTH - width) / 2
    side_x, side_y = width / columns, width * picture.aspect / rows
    shades = _Shades(picture.values, picture.neutral)
    unit = picture.value.unit
    cells = "".join(
        _cell((left + side_x * x, side_y * y), (side_x, side_y), shades, value)
        for y, row in enumerate(picture.values)
        for x, value in enumerate(row)
    )
    height = side_y * rows
    outline = (
        f'<rect class="outline" x="{left:.1f}" y="0.5" width="{width:.1f}"'
        f' height="{height - 0.5:.1f}"/>'
    )
    name = (
        f'<text class="name" x="{WIDTH / 2}" y="{height + _KEY_HEIGHT:.1f}" text-anchor="middle">'
        f"{escape(axis_name(picture.value))}</text>"
    )
    known = f"{format_value(shades.low)} to {format_value(shades.high)} {unit}".strip()
    return svg(
        identity,
        (WIDTH, height + _KEY_HEIGHT + 6),
        picture.title,
        f"{rows} by {columns} tiles of the frame, {known}. {picture.caption}",
        cells + outline + shades.key(height + 10) + name,
    )


def _cell(
    place: tuple[float, float], size: tuple[float, float], shades: _Shades, value: float | None
) -> str:
    if value is None:
        return ""
    # A little overlap, so that no gap shows between tiles.
    return (
        f'<rect class="{shades(value)}" x="{place[0]:.1f}" y="{place[1]:.1f}"'
        f' width="{size[0] + 0.4:.1f}" height="{size[1] + 0.4:.1f}">'
        f"<title>{format_value(value)}</title></rect>"
    )


def draw_correlation(picture: Correlation, identity: str) -> str:
    """Return a map of the correlation over shifts, with the shift found and no shift."""
    rows, columns = len(picture.values), len(picture.values[0])
    step = picture.step_px
    reach_x, reach_y = columns * step / 2, rows * step / 2
    plot = Plot(
        Axis("shift in x", "px"),
        (-reach_x, reach_x),
        Axis("shift in y", "px"),
        (-reach_y, reach_y),
        identity,
        height=290,
        flipped=True,
    )
    shades = _Shades(picture.values, 0.0)
    cells = "".join(
        _cell(
            (plot.x((x - columns / 2) * step), plot.y((y - rows / 2) * step)),
            (plot.x(step) - plot.x(0), plot.y(step) - plot.y(0)),
            shades,
            value,
        )
        for y, row in enumerate(picture.values)
        for x, value in enumerate(row)
    )
    zero_x, zero_y = plot.x(0), plot.y(0)
    found_x, found_y = plot.x(picture.shift_px[0]), plot.y(picture.shift_px[1])
    plot.add(
        f'{cells}<line class="mark" x1="{zero_x:.1f}" x2="{zero_x:.1f}" y1="{plot.top:.1f}"'
        f' y2="{plot.bottom:.1f}"/><line class="mark" x1="{plot.x.start:.1f}"'
        f' x2="{plot.x.end:.1f}" y1="{zero_y:.1f}" y2="{zero_y:.1f}"/>'
        f'<circle class="ring back" cx="{found_x:.1f}" cy="{found_y:.1f}" r="9"/>'
        f'<circle class="ring" cx="{found_x:.1f}" cy="{found_y:.1f}" r="9"/>',
        clip=True,
    )
    words = ", ".join(format_value(round(value, 1)) for value in picture.shift_px) + " px"
    before = found_x > WIDTH / 2
    plot.text(
        found_x - 14 if before else found_x + 14,
        found_y + 4,
        words,
        anchor="end" if before else "start",
        kind="note",
    )
    return plot.svg(
        picture.title,
        f"Correlation {format_value(shades.low)} to {format_value(shades.high)}, highest at a shift"
        f" of {words}. {picture.caption}",
    )
