"""Small charts as SVG text: no script, no library, readable when printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Point", "bars", "scatter"]

_WIDTH, _HEIGHT = 420, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 22
_TICKS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """One frame in a chart."""

    value: float
    label: str
    used: bool = True


def scatter(points: Sequence[Point | None], *, title: str, unit: str = "") -> str:
    """Return a chart of one value per frame, in the order of the frames.

    Parameters
    ----------
    points : sequence of Point or None
        None leaves a gap: the value is unknown.
    title : str
        What the chart shows.
    unit : str, optional
        Its unit.
    """
    known = [point.value for point in points if point is not None]
    if not known:
        return ""
    low, high = _range(min(known), max(known))
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(points), 1)
    parts = [_frame(title, unit, low, high)]
    for index, point in enumerate(points):
        if point is not None:
            x = _LEFT + step * (index + 0.5)
            y = _height(point.value, low, high)
            kind = "dot" if point.used else "dot out"
            parts.append(
                f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">'
                f"<title>{escape(point.label)}: {point.value:.4g} {escape(unit)}</title></circle>"
            )
    return "".join([*parts, "</svg>"])


def bars(values: Sequence[tuple[str, float]], *, unit: str) -> str:
    """Return horizontal bars, one for each name."""
    if not values:
        return ""
    most = max(value for _, value in values) or 1.0
    row = 22
    height = row * len(values) + 6
    parts = [f'<svg class="chart" viewBox="0 0 640 {height}" role="img">']
    for index, (name, value) in enumerate(values):
        y = row * index + 4
        width = 380 * value / most
        parts.append(
            f'<text x="170" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="bar" x="180" y="{y}" width="{width:.1f}" height="16" rx="2"/>'
            f'<text x="{186 + width:.1f}" y="{y + 13}">{value:.1f} {escape(unit)}</text>'
        )
    return "".join([*parts, "</svg>"])


def _range(low: float, high: float) -> tuple[float, float]:
    """Return limits a little wider than the values, never of zero width."""
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _height(value: float, low: float, high: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)


def _frame(title: str, unit: str, low: float, high: float) -> str:
    name = f"{title} ({unit})" if unit else title
    parts = [
        (
            f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-label="{escape(name, quote=True)}">'
        )
    ]
    for tick in range(_TICKS):
        value = low + (high - low) * (tick + 0.5) / _TICKS
        y = _height(value, low, high)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    parts.append(f'<text class="title" x="{_LEFT}" y="{_HEIGHT - 6}">{escape(name)}</text>')
    return "".join(parts)
