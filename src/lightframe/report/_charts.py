"""Bars of named amounts as SVG text: no script, no library, readable when printed."""

from collections.abc import Sequence
from html import escape

__all__ = ["bars"]


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
