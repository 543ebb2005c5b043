"""Pictures of raw frames, made of what was measured on them; several rules share each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_ledger import Ledger
from lightframe.checks._evidence_levels_of_bias import BiasLevel
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._pictures import (
    Axis,
    Comparison,
    Counts,
    Curve,
    Histogram,
    Line,
    Mark,
    Points,
    Profile,
    Row,
    Scatter,
    TileMap,
    numbers,
    table,
)

__all__ = [
    "colours_of",
    "comb",
    "frame_map",
    "hot_pixels_by_orientation",
    "hot_pixels_by_slope",
    "implied_levels",
    "levels_beside",
    "lowest_values",
    "row_profiles",
    "values_by_colour",
    "values_by_phase",
]


_LEVEL = Axis("level", "DN")
_COLOURS = {"R": "red", "G": "green", "B": "blue"}
_BAYER = 2
_POINTS = 160
_BRIGHTEST = 0.98
"""Part of the hot pixels that is shown: the brightest few would squeeze all others together."""
_CURVE = 160
_NEARLY_ALL = 0.995
_FEWEST_BINS = 16
_AROUND = 64.5


def colours_of(frame: FrameEvidence) -> tuple[str, ...]:
    """Return the colour of each phase; "pixels" for all where colours do not matter."""
    pattern = frame.info.cfa
    if pattern is None or pattern.period != _BAYER:
        return ("pixels",) * 4
    return tuple(_COLOURS[letter] for letter in pattern.name)


def values_by_colour(
    frame: FrameEvidence, title: str, caption: str, marks: Sequence[Mark]
) -> Histogram:
    """Return the histogram of all values of a frame, one distribution for each colour."""
    levels = frame.levels
    width = float(np.nanmax(levels.whole_width))
    start = float(np.floor(np.nanmin(levels.whole_start) / width) * width)
    counts: dict[str, Float64] = {}
    bins = 2 * levels.whole.shape[1]
    for phase, name in enumerate(colours_of(frame)):
        edges = levels.whole_start[phase] + levels.whole_width[phase] * np.arange(
            levels.whole.shape[1]
        )
        places = np.minimum(((edges - start) / width).astype(np.int64), bins - 1)
        counts.setdefault(name, np.zeros(bins))
        np.add.at(counts[name], places, levels.whole[phase])
    last = max(int(np.flatnonzero(values)[-1]) for values in counts.values() if values.any()) + 1
    return Histogram(
        title=title,
        caption=caption,
        axis=_LEVEL,
        start=start,
        width=width,
        series=tuple(
            Counts(name, numbers(100.0 * values[:last] / max(values.sum(), 1.0)))
            for name, values in counts.items()
        ),
        marks=tuple(marks),
        log=True,
    )


def lowest_values(
    frame: FrameEvidence, title: str, caption: str, marks: Sequence[Mark] = ()
) -> Histogram:
    """Return the histogram of a frame from its lowest value to beyond the median.

    Of the phase with most pixels at the lowest value.
    """
    levels = frame.levels
    phase = int(np.argmax(levels.at_minimum))
    counts, width = levels.low[phase], float(levels.low_width[phase])
    filled = np.searchsorted(np.cumsum(counts), _NEARLY_ALL * counts.sum())
    counts = counts[: max(int(filled) + 1, _FEWEST_BINS)]
    # Whole numbers stand in the middle of their bins.
    whole = float(levels.fractional[phase]) == 0.0
    step = max(int(levels.step[phase]), 1)
    return Histogram(
        title=title,
        caption=caption,
        axis=_LEVEL,
        start=float(levels.low_start[phase]) - (0.5 * step if whole else 0.0),
        width=width,
        series=(Counts("pixels", numbers(100.0 * counts / max(levels.whole[phase].sum(), 1))),),
        marks=tuple(marks),
    )


def comb(
    members: Iterable[tuple[str, FrameEvidence, int]], title: str, caption: str
) -> Histogram | None:
    """Return the single values around the median: name, frame and phase of each comb.

    None where there is nothing to show.
    """
    series = []
    for name, frame, phase in members:
        counts = frame.levels.around[phase]
        series.append(Counts(name, numbers(100.0 * counts / max(counts.sum(), 1), 3)))
    if not series:
        return None
    return Histogram(
        title=title,
        caption=caption,
        axis=Axis("distance from the median", "DN"),
        start=-_AROUND,
        width=1.0,
        series=tuple(series),
        apart=True,
    )


def frame_map(
    values: Float64, frame: FrameEvidence, title: str, caption: str, value: Axis
) -> TileMap:
    """Return a map of tiles, shape (rows, columns), of a frame."""
    return TileMap(
        title=title,
        caption=caption,
        value=value,
        values=table(values, 3),
        aspect=frame.info.height / frame.info.width,
    )


def row_profiles(
    curves: Mapping[str, Float64],
    title: str,
    caption: str,
    value: Axis,
    marks: Sequence[Mark] = (),
) -> Profile:
    """Return profiles along the columns, averaged to some 160 places each."""
    length = max(values.size for values in curves.values())
    step = max(1, -(-length // _CURVE))
    shown = []
    for name, values in curves.items():
        whole = values[: values.size // step * step].reshape(-1, step).mean(axis=1)
        shown.append(Curve(name, numbers(whole)))
    return Profile(
        title=title,
        caption=caption,
        x=Axis("row", ""),
        y=value,
        start=0.5 * (step - 1),
        step=float(step),
        curves=tuple(shown),
        marks=tuple(marks),
    )


def values_by_phase(
    frame: FrameEvidence, values: Float64, title: str, caption: str, axis: Axis
) -> Comparison:
    """Return a bar for each place of the 2x2 cell."""
    places = ("top left", "top right", "bottom left", "bottom right")
    names = colours_of(frame)
    return Comparison(
        title=title,
        caption=caption,
        axis=axis,
        rows=tuple(
            Row(f"{place}, as the header says {name}" if name != "pixels" else place, value)
            for place, name, value in zip(places, names, numbers(values, 5), strict=True)
        ),
        from_zero=True,
    )


def levels_beside(
    evidence: SessionEvidence,
    rows: Sequence[Row],
    title: str,
    caption: str,
    *,
    without: Collection[Path] = (),
) -> Comparison:
    """Return some levels beside those of all sets of raw frames, by powers of ten."""
    others = []
    for frames in evidence.sets:
        levels = [frame.level for frame in frames.frames if frame.path not in without]
        if frames.is_master or not levels or min(levels) <= 0:
            continue
        middle, low, high = numbers((np.median(levels), min(levels), max(levels)), 5)
        others.append(Row(frames.label, middle, low, high))
    log = all(row.value is not None and row.value > 0 for row in rows)
    axis = Axis("level", "DN", log=log)
    return Comparison(title=title, caption=caption, axis=axis, rows=(*rows, *others))


def implied_levels(
    levels: Sequence[BiasLevel], agreed: float, wrong: Sequence[BiasLevel]
) -> Comparison:
    """Return where the level without light lies according to each set."""
    rows = []
    for item in levels:
        if np.isinf(item.low) and item not in wrong:
            continue  # it only bounds the level from above, mostly from far
        middle, low, high = numbers((item.level, item.low, item.high), 5)
        name = f"{item.frames.label}: {item.how}"
        stands_out = any(item.frames is other.frames for other in wrong)
        rows.append(Row(name, middle, low, high, wrong=stands_out))
    return Comparison(
        title="Level without light",
        caption="Bars are what the level may be according to each set; they should all meet.",
        axis=_LEVEL,
        rows=tuple(rows),
        marks=(Mark(f"most agree on {agreed:.0f} DN", agreed),),
    )


def hot_pixels_by_slope(
    ledger: Ledger, expected: float, title: str, caption: str, lights: Sequence[FrameEvidence] = ()
) -> Scatter:
    """Return hot pixels of the lights against those of the dark, with the slope found.

    Parameters
    ----------
    ledger : Ledger
        The hot pixels.
    expected : float
        The slope that exposures lead to expect.
    title, caption : str
        Words.
    lights : sequence of FrameEvidence, optional
        Lights in which hot pixels that the dark does not know are shown as well.
    """
    order = ledger.points[np.argsort(ledger.points[:, 0])]
    kept = order[: max(20, int(_BRIGHTEST * len(order)))]
    kept = kept[:: max(1, -(-len(kept) // _POINTS))]
    points = [Points("hot pixels of the dark", numbers(kept[:, 0]), numbers(kept[:, 1]))]
    unknown = _excess_of_unknown(ledger, lights)
    if unknown:
        points.append(
            Points("not in the dark", (0.0,) * len(unknown), numbers(unknown), wrong=True)
        )
    lines = [Line(f"expected: {expected:.3g}", expected, expected=True)]
    if ledger.slope is not None and not unknown:
        lines.append(Line(f"found: {ledger.slope:.3g}", float(f"{ledger.slope:.4g}")))
    return Scatter(
        title=title,
        caption=caption,
        x=Axis("excess in the dark", "DN"),
        y=Axis("excess in the lights", "DN"),
        points=tuple(points),
        lines=tuple(lines),
    )


def _excess_of_unknown(ledger: Ledger, lights: Sequence[FrameEvidence]) -> list[float]:
    """Return by how much pixels stand out that the dark does not know: medians of the lights."""
    wanted = ledger.unknown[:_POINTS]
    seen: dict[tuple[int, int], list[float]] = {place: [] for place in wanted}
    for frame in lights:
        hot = frame.hot
        for y, x, excess in zip(hot.y.tolist(), hot.x.tolist(), hot.excess.tolist(), strict=True):
            if (y, x) in seen:
                seen[y, x].append(excess)
    return [float(np.median(values)) for values in seen.values() if values]


def hot_pixels_by_orientation(ledger: Ledger, needed: float, caption: str) -> Comparison:
    """Return how many hot pixels of the dark are found in the lights, for each symmetry."""
    best = ledger.best
    return Comparison(
        title="Hot pixels of the dark found in the lights",
        caption=caption,
        axis=Axis("found", "%"),
        rows=tuple(
            Row(name, round(100.0 * share, 1), wrong=name == best != "as stored")
            for name, share in ledger.found.items()
        ),
        marks=(Mark("needed", 100.0 * needed),),
        from_zero=True,
    )
