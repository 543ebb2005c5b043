"""The pictures of findings, drawn: figures with a title, a chart, a key and a caption."""

from collections.abc import Mapping
from functools import singledispatch
from html import escape
from typing import Any

from lightframe.checks import (
    Comparison,
    Correlation,
    FrameChart,
    Histogram,
    Panels,
    Profile,
    Scatter,
    TileMap,
    picture_from_dict,
)
from lightframe.report._draw_charts import (
    Key,
    draw_comparison,
    draw_frames,
    draw_histogram,
    draw_profile,
    draw_scatter,
)
from lightframe.report._draw_maps import draw_correlation, draw_map

__all__ = ["figures"]

_Single = Histogram | TileMap | Correlation | Scatter | Profile | FrameChart | Comparison


def figures(finding: Mapping[str, Any], identity: str) -> list[str]:
    """Draw what shows the evidence of a finding.

    Parameters
    ----------
    finding : mapping
        As run.json has it.
    identity : str
        A name that nothing else on the page has.

    Returns
    -------
    list of str
        One HTML figure for each picture; none where the finding has no picture.

    Raises
    ------
    InputError
        If what it has is not a picture.
    """
    values = finding.get("evidence", {}).get("picture")
    if values is None:
        return []
    picture = picture_from_dict(values)
    parts = picture.pictures if isinstance(picture, Panels) else (picture,)
    return [_figure(part, f"{identity}-{number}") for number, part in enumerate(parts, 1)]


def _figure(picture: _Single, identity: str) -> str:
    drawing, key = _drawn(picture, identity)
    signs = "".join(
        f'<li><i class="sign {sign} {shade}"></i>{escape(words)}</li>' for shade, sign, words in key
    )
    legend = f'<ul class="key">{signs}</ul>' if signs else ""
    caption = f"<p>{escape(picture.caption)}</p>" if picture.caption else ""
    return (
        f'<figure class="evidence {picture.kind}"><div class="caption-title">'
        f"{escape(picture.title)}</div>{drawing}<figcaption>{legend}{caption}</figcaption></figure>"
    )


def _drawn(picture: _Single, identity: str) -> tuple[str, Key]:
    if isinstance(picture, TileMap):
        return draw_map(picture, identity), []
    if isinstance(picture, Correlation):
        return draw_correlation(picture, identity), []
    return _draw_chart(picture, identity)


@singledispatch
def _draw_chart(picture: object, identity: str) -> tuple[str, Key]:
    """Return a chart and its key."""
    raise TypeError(f"{identity}: no chart is known for {type(picture).__name__}")


_draw_chart.register(Histogram, draw_histogram)
_draw_chart.register(Scatter, draw_scatter)
_draw_chart.register(Profile, draw_profile)
_draw_chart.register(FrameChart, draw_frames)
_draw_chart.register(Comparison, draw_comparison)
