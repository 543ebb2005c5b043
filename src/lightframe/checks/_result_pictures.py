"""Pictures of calibrated lights, made of what pass 1 has seen of them."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_tools import QUADRATIC_TERMS, quadratic_terms
from lightframe.checks._frame_chart import frame_chart
from lightframe.checks._numbers import number
from lightframe.checks._pictures import (
    Axis,
    Correlation,
    Counts,
    Histogram,
    Line,
    Mark,
    Panels,
    Points,
    Scatter,
    TileMap,
    numbers,
    table,
)
from lightframe.checks._result_evidence import CalibratedSet, LightEvidence, LightViews
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes import DustMoved, HotSlope

__all__ = [
    "against_the_flat",
    "around_zero",
    "dither_path",
    "dust_shift",
    "glow_of_dark",
    "glow_of_lights",
    "hot_pixels_left",
    "qualities",
    "shared_pattern",
    "unknown_hot_pixels",
]


_MOST_TILES = (12, 16)
_FEWEST_TILES = 20
_MOST_POINTS = 240
_BINS = 48
_REACH = 6.0
"""Noise on either side of the background that a histogram shows."""
_FOOT = 0.2
"""Part of the tiles that lie below the line drawn through the background."""
_BRIGHT = 6.0
"""Spread of the tiles below that line from which on above it a tile is called bright."""
_SHADES = 3.0
"""Depth of the darkest part of the background that is shown above its median, too."""


def _coarse(values: Float64) -> Float64:
    """Return means of neighbouring tiles, no more than 12 rows and 16 columns of them."""
    every = max(-(-side // most) for side, most in zip(values.shape, _MOST_TILES, strict=True))
    rows, columns = (max(1, side // every) for side in values.shape)
    part = values[: rows * every, : columns * every]
    blocks = part.reshape(rows, part.shape[0] // rows, columns, part.shape[1] // columns)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _map(values: Float64, views: LightViews, title: str, caption: str, value: Axis) -> TileMap:
    return TileMap(
        title=title, caption=caption, value=value, values=table(values, 3), aspect=views.aspect
    )


def against_the_flat(lights: CalibratedSet) -> Panels | None:
    """Show the background against the flat, what follows the flat against the sky, and a map."""
    views, verdict = lights.views, lights.verdict
    if views is None or verdict is None or views.reciprocal is None:
        return None
    background, reciprocal = _coarse(views.background), _coarse(views.reciprocal)
    known = np.isfinite(background) & np.isfinite(reciprocal)
    if known.sum() < _FEWEST_TILES:
        return None
    x, y = reciprocal[known], background[known]
    over = verdict.q_dn > 0
    slope = float(f"{verdict.q_dn:.4g}")
    # Nebulae and stars only add light: the line lies along the foot of the cloud of tiles.
    foot = float(np.quantile(y - slope * x, _FOOT))
    above = y - slope * x - foot
    bright = above > _BRIGHT * MAD_TO_SIGMA * float(np.median(-above[above <= 0]))
    # The brightest would squeeze the background together.
    shown = bright & (above < 3.0 * float(above[~bright].max()))
    tiles = Scatter(
        title="Background against the flat",
        caption="Tiles of the frame, from where the flat is bright, on the left, to where it is"
        f" dark: the background {'rises' if over else 'falls'}. The slope of the line comes from"
        " single pixels and dust shadows, which no nebula knows of.",
        x=Axis("1 / flat"),
        y=Axis("background", "DN"),
        points=(
            Points("background", numbers(x[~bright]), numbers(y[~bright], 5)),
            Points("with nebulae or stars", numbers(x[shown]), numbers(y[shown], 5)),
        ),
        lines=(
            Line("a flat that fits", 0.0, foot + slope * float(x.min()), expected=True),
            Line(f"found: {number(slope)} DN follow the flat", slope, foot),
        ),
    )
    levels = _against_the_sky(lights)
    uneven = _unevenness(background, views)
    return Panels(pictures=(tiles, uneven) if levels is None else (tiles, levels, uneven))


def _unevenness(background: Float64, views: LightViews) -> TileMap:
    middle = float(np.nanmedian(background))
    below = middle - float(np.nanquantile(background, 0.05))
    # What is far brighter than the darkest part is dark is no background.
    difference = np.minimum(background - middle, _SHADES * below)
    unit = "DN"
    if middle > 0:
        difference, unit = 100.0 * difference / middle, "%"
    return _map(
        difference,
        views,
        "Background of the calibrated lights",
        "Median of the lights in tiles; what is much brighter has the last shade.",
        Axis("difference from the median", unit),
    )


def _against_the_sky(lights: CalibratedSet) -> Scatter | None:
    """Show what follows the flat in each light against the light's background (T2)."""
    views, verdict = lights.views, lights.verdict
    fewest = 3
    if views is None or verdict is None or len(views.flat_fits) < fewest:
        return None
    fits = views.flat_fits
    lines = [Line("a flat that fits", 0.0, expected=True)]
    if np.isfinite(verdict.flat_error):
        share = verdict.flat_error
        lines.append(Line("fitted", -share, verdict.additive_dn * (1.0 + share)))
    return Scatter(
        title="What follows the flat, light by light",
        caption="A fault of the lights is the same at any sky: a level line. A fault of the flat"
        " grows with the sky: a line through zero.",
        x=Axis("background", "DN"),
        y=Axis("follows the flat", "DN"),
        points=(
            Points(
                "lights",
                numbers([fit.level_dn for fit in fits], 5),
                numbers([fit.q_dn for fit in fits]),
                numbers([fit.sigma_dn for fit in fits]),
            ),
        ),
        lines=tuple(lines),
        origin=True,
    )


def dust_shift(dust: DustMoved) -> Correlation | None:
    """Show how alike the shadows of lights and flat are at each shift."""
    if dust.alike is None:
        return None
    return Correlation(
        title="Dust shadows of the lights laid over those of the flat",
        caption=f"Correlation at each shift, mean of the shadows. The cross of lines is no shift;"
        f" they are most alike at a shift of {number(dust.moved_px, 2)} px.",
        values=table(dust.alike, 3),
        step_px=dust.step_px,
        shift_px=(round(dust.dx_px, 2), round(dust.dy_px, 2)),
    )


def glow_of_dark(views: LightViews | None) -> TileMap | None:
    """Show the glow of the dark."""
    if views is None or views.glow is None:
        return None
    return _map(
        _coarse(views.glow),
        views,
        "Glow of the dark",
        "Dark less bias, divided by the flat as the lights are, about its median.",
        Axis("above the median", "DN"),
    )


def glow_of_lights(views: LightViews | None) -> Panels | None:
    """Show the glow of the dark, and what is left at the same places of the lights."""
    dark = glow_of_dark(views)
    if dark is None or views is None or views.glow is None:
        return None
    used = np.isfinite(views.background) & np.isfinite(views.glow)
    sky = quadratic_terms(views.background.shape, 0.5)
    terms = np.concatenate([sky, views.glow[..., np.newaxis]], axis=-1)
    solution = np.linalg.lstsq(terms[used], views.background[used], rcond=None)[0]
    left = _coarse(views.background - sky @ solution[:QUADRATIC_TERMS])
    lights = _map(
        left - np.nanmedian(left),
        views,
        "What is left in the lights",
        "Their background less a smooth sky. Nebulae show as well; glow stands where the dark has"
        " it.",
        Axis("above the sky", "DN"),
    )
    return Panels(pictures=(lights, dark))


def shared_pattern(views: LightViews | None) -> Scatter | None:
    """Show pixels of one half of the lights against those of the other half."""
    if views is None or views.pattern is None:
        return None
    first, second = (half[:_MOST_POINTS].astype(float) for half in views.pattern)
    return Scatter(
        title="The same pixels in two halves of the lights",
        caption="Each dot is a pixel less its neighbours, means of every other light. Noise makes a"
        " round cloud; a pattern that all lights share draws it out along the line.",
        x=Axis("one half", "DN"),
        y=Axis("the other half", "DN"),
        points=(Points("pixels", numbers(first, 3), numbers(second, 3)),),
        lines=(Line("the same in both", 1.0),),
    )


def around_zero(
    lights: CalibratedSet, level: float, noise: float, marks: Sequence[Mark] = ()
) -> Histogram | None:
    """Show the calibrated pixels around their background, with zero marked."""
    views = lights.views
    if views is None or not views.values.size or not noise > 0:
        return None
    low = min(level - _REACH * noise, -noise)
    high = max(level + _REACH * noise, noise)
    # A bin begins at zero, so that what is below it is told apart.
    width = (high - low) / _BINS
    first = int(np.floor(low / width))
    edges = width * np.arange(first, first + _BINS + 2)
    counts = np.histogram(views.values, edges)[0]
    return Histogram(
        title="Calibrated pixels",
        caption="What lies left of zero would be cut off in files of whole numbers.",
        axis=Axis("level", "DN"),
        start=float(edges[0]),
        width=float(width),
        series=(Counts("pixels", numbers(100.0 * counts / views.values.size)),),
        marks=(Mark("zero", 0.0), *marks),
    )


def dither_path(lights: CalibratedSet, needed_px: float) -> Scatter | None:
    """Show where the middle of each light falls in the reference."""
    placed = [light.placed[0] for light in lights.lights if light.placed is not None]
    fewest = 2
    if len(placed) < fewest:
        return None
    path = np.array(placed)[:_MOST_POINTS] - placed[0]
    return Scatter(
        title="Movement of the field from light to light",
        caption="Dots are the lights in the order of time. Dithering scatters them by more than"
        f" {number(needed_px)} px; a row or a heap leaves pixels of the sensor on the same places"
        " of the sky.",
        x=Axis("x", "px"),
        y=Axis("y", "px"),
        points=(Points("lights", numbers(path[:, 0]), numbers(path[:, 1]), joined=True),),
        extent=2.0 * needed_px,
    )


def hot_pixels_left(left: HotSlope) -> Scatter | None:
    """Show what is left of hot pixels against their excess in the dark."""
    if left.points is None or not len(left.points):
        return None
    points = left.points[np.argsort(left.points[:, 0])].astype(float)
    points = points[: max(_FEWEST_TILES, int(0.98 * len(points)))]
    return Scatter(
        title="What is left of hot pixels in a calibrated light",
        caption="Each dot is a hot pixel of the dark. With a dark that fits, nothing is left of"
        " them, whatever their excess.",
        x=Axis("excess in the dark", "DN"),
        y=Axis("left in the light", "DN"),
        points=(Points("hot pixels", numbers(points[:, 0]), numbers(points[:, 1])),),
        lines=(
            Line("a dark that fits", 0.0, expected=True),
            Line(f"found: {number(left.slope)} of the excess", float(f"{left.slope:.4g}")),
        ),
    )


def unknown_hot_pixels(views: LightViews | None) -> Scatter | None:
    """Show where the lights have hot pixels that the dark does not know."""
    if views is None or not len(views.unknown_hot) or not views.width:
        return None
    x, y = views.unknown_hot.T.astype(float)
    return Scatter(
        title="Hot pixels of the lights that the dark does not know",
        caption="Places in the frame. Pixels that aged lie everywhere; a heap is a star, or glow.",
        x=Axis("x", "px"),
        y=Axis("y", "px"),
        points=(Points("hot pixels", numbers(x, 6), numbers(y, 6), wrong=True),),
        frame=(float(views.width), views.width * views.aspect),
    )


_QUALITIES: dict[str, tuple[str, Axis, Callable[[LightEvidence], float | None]]] = {
    "relative_brightness": (
        "Brightness of the stars in a second of exposure",
        Axis("relative to the median"),
        lambda light: (
            None if not light.brightness else light.brightness / (light.exposure_s or 1.0)
        ),
    ),
    "fwhm_px": ("Width of the stars", Axis("FWHM", "px"), lambda light: light.fwhm_px),
    "eccentricity": (
        "Eccentricity of the stars",
        Axis("eccentricity"),
        lambda light: light.eccentricity,
    ),
    "relative_weight": (
        "Sky",
        Axis("background", "DN"),
        lambda light: max(light.level_dn, default=None),
    ),
    "stars": ("Stars found", Axis("stars"), lambda light: float(light.stars)),
}
"""Title, axis and value of what a light is called bad for, by the name of its evidence."""


def qualities(
    light: LightEvidence, group: Sequence[LightEvidence], names: Iterable[str]
) -> Panels | None:
    """Show what a light is called bad for, beside the others; `names` are those of its evidence."""
    charts = []
    for name in names:
        if name in _QUALITIES:
            title, axis, value = _QUALITIES[name]
            values = [value(other) for other in group]
            if name == "relative_brightness":
                usual = median(value for value in values if value is not None)
                values = [None if value is None else value / usual for value in values]
            paths = [other.path for other in group]
            charts.append(frame_chart(paths, values, [light.path], title=title, axis=axis))
    return Panels(pictures=tuple(charts)) if charts else None
