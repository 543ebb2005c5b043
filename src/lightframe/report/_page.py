"""The page: run.json in, HTML out. No arithmetic here: numbers only get their units."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from lightframe.checks import Axis, FrameChart
from lightframe.frames import write_text
from lightframe.report._charts import bars
from lightframe.report._draw_charts import draw_frames
from lightframe.report._environment import environment
from lightframe.report._facts import by_severity

__all__ = ["write_report"]

_LARGEST_SIDE = 1600
_THUMBNAIL_SIDE = 320
_JPEG_QUALITY = 88
_CHARTS = (
    ("fwhm_px", "FWHM", "px"),
    ("eccentricity", "Eccentricity", ""),
    ("background_dn", "Background", "DN"),
    ("noise_dn", "Noise", "DN"),
    ("stars", "Stars", ""),
    ("weight", "Weight", ""),
)


def write_report(run: Mapping[str, Any], out: Path) -> Path:
    """Write ``report.html`` into the output folder of a run.

    Parameters
    ----------
    run : mapping
        What run.json holds.
    out : Path
        The output folder; paths in `run` of files made by the run are relative to it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SettingsError
        If it cannot be written there.
    ResourceError
        If there is no room.
    """
    pages = environment()
    pages.filters |= {
        "picture": lambda path: _picture(out, path, _LARGEST_SIDE),
        "thumbnail": lambda path: _picture(out, path, _THUMBNAIL_SIDE),
    }
    page = pages.get_template("report.html.jinja").render(
        run=run,
        findings=by_severity(run["findings"]),
        groups=[_group(n, result, run["lights"]) for n, result in enumerate(run["results"], 1)],
        outside=[light for light in run["lights"] if not light["used"]],
        steps=bars(
            [(cost["step"], cost["wall_s"]) for cost in run["resources"]["steps"]], unit="s"
        ),
    )
    path = out / "report.html"
    write_text(path, page)
    return path


def _group(
    number: int, result: Mapping[str, Any], lights: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the n-th result with its lights and their charts."""
    members = [light for light in lights if light["group"] == result["group"]]
    charts = [
        _chart(members, key, Axis(name, unit), f"lights-{number}-{key}")
        for key, name, unit in _CHARTS
    ]
    return {"result": result, "lights": members, "charts": [chart for chart in charts if chart]}


def _chart(lights: Sequence[Mapping[str, Any]], key: str, axis: Axis, identity: str) -> str:
    """Return a chart of one number a light; none where it is known of no light."""
    values = tuple(_scalar(light.get(key)) for light in lights)
    if all(value is None for value in values):
        return ""
    picture = FrameChart(
        title=axis.name,
        caption="Lights that were not used stand out.",
        axis=axis,
        frames=tuple(Path(light["path"]).name for light in lights),
        values=values,
        wrong=tuple(not light["used"] for light in lights),
    )
    return draw_frames(picture, identity, along="light")[0]


def _scalar(value: object) -> float | None:
    """Return a number, the mean of numbers per colour, or None where nothing is known."""
    if isinstance(value, list):
        known = [part for part in value if part is not None]
        return sum(known) / len(known) if known else None
    return float(value) if isinstance(value, int | float) else None


def _picture(out: Path, path: str | None, side: int) -> str | None:
    """Return a preview as a data URI, so that the page needs no other file."""
    if path is None:
        return None
    with Image.open(out / path) as preview:
        image = preview.convert("RGB" if preview.mode in ("RGB", "RGBA", "P") else "L")
    image.thumbnail((side, side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
