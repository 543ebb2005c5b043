"""What all pages have: templates, filters, style."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from lightframe.figures import duration
from lightframe.report._draw_maps import map_css
from lightframe.report._facts import counted, facts, meaning, number
from lightframe.report._pictures import figures

__all__ = ["environment"]


_FEWEST_PERCENT = 0.001
"""Less is told as less: a single pixel in a million interests nobody to three digits."""


def environment() -> Environment:
    """Return the templates of this package with what they may call."""
    made = Environment(
        loader=PackageLoader("lightframe.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "counted": counted,
        "duration": _duration,
        "facts": facts,
        "figures": figures,
        "meaning": meaning,
        "name": lambda path: Path(path).name,
        "number": number,
        "percent": _percent,
        "size": _size,
    }
    made.globals["map_css"] = map_css()
    return made


def _duration(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 999.5:  # noqa: PLR2004 - kilo, to three digits
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{number(count)} GB"


def _percent(fraction: float | None) -> str:
    if fraction is None:
        return "-"
    few = 0 < 100 * fraction < _FEWEST_PERCENT
    return f"< {_FEWEST_PERCENT} %" if few else f"{number(100 * fraction)} %"
