"""Pictures of flats: their levels, bands, shapes, and the stars in them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_pictures import (
    frame_map,
    row_profiles,
    values_by_colour,
)
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._frame_chart import frame_chart
from lightframe.checks._pictures import (
    Axis,
    Histogram,
    Mark,
    Panels,
    Points,
    Profile,
    Scatter,
    TileMap,
    numbers,
)

__all__ = [
    "bands_of_flats",
    "level_of_flat",
    "odd_flats",
    "shutter_pattern",
    "stars_of_flats",
]


_PERCENT = Axis("difference", "%")
_MOST_CURVES = 3
_MOST_STARS = 60


def level_of_flat(frame: FrameEvidence, caption: str, marks: Mapping[str, float]) -> Histogram:
    """Show where the colours of a flat lie in the range, and the levels that matter."""
    return values_by_colour(
        frame,
        "All values of a flat",
        f"{frame.path.name}: {caption}",
        [Mark(name, value) for name, value in marks.items()],
    )


def bands_of_flats(
    frames: Sequence[FrameEvidence], profiles: Sequence[Float64], strength: Sequence[float]
) -> Profile:
    """Show the rows of the flats with the strongest bands, relative to the set."""
    order = np.argsort(-np.asarray(strength), kind="stable")[:_MOST_CURVES]
    return row_profiles(
        {frames[i].path.name: 100.0 * profiles[i] for i in sorted(order)},
        "Rows of single flats against those of the set",
        "Noise would make lines without waves. Waves that lie elsewhere in each flat are flicker of"
        " the light.",
        _PERCENT,
    )


def odd_flats(
    frames: SetEvidence,
    ratios: Float64,
    deviations: Float64,
    wrong: Sequence[Path],
    limit: float,
) -> Panels:
    """Show the shape of the worst flat over that of the set, and the deviation of each."""
    worst = int(np.argmax(deviations))
    frame = frames.frames[worst]
    shape = frame_map(
        100.0 * (ratios[worst] - np.median(ratios[worst])),
        frame,
        "Shape of the flat that deviates most",
        f"{frame.path.name} over the median of the set: a flat that fits is even.",
        _PERCENT,
    )
    chart = frame_chart(
        frames.paths,
        100.0 * deviations,
        wrong,
        title="Deviation of each flat",
        axis=Axis("from end to end", "%"),
        marks=(Mark("allowed", 100.0 * limit),),
    )
    return Panels(pictures=(shape, chart))


def shutter_pattern(short: FrameEvidence, ratio: Float64, seconds: tuple[float, float]) -> TileMap:
    """Show the shape of short flats over that of long ones."""
    return frame_map(
        100.0 * (ratio - np.median(ratio)),
        short,
        f"Flats of {seconds[0]:.4g} s over flats of {seconds[1]:.4g} s",
        "Both show the same light path: the map would be even if the shutter took no time.",
        _PERCENT,
    )


def stars_of_flats(frames: Sequence[FrameEvidence]) -> Scatter:
    """Show where some of the flats have stars."""
    chosen = frames[:_MOST_CURVES]
    info = frames[0].info
    return Scatter(
        title="Stars in the first flats of the set",
        caption="The same pattern of stars, further along in each flat.",
        x=Axis("x", "px"),
        y=Axis("y", "px"),
        points=tuple(
            Points(
                frame.path.name,
                numbers(frame.stars.x[:_MOST_STARS].astype(float), 6),
                numbers(frame.stars.y[:_MOST_STARS].astype(float), 6),
            )
            for frame in chosen
        ),
        frame=(float(info.width), float(info.height)),
    )
