"""Pictures of frames without light that differ from each other."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_ledger import hot_ratios
from lightframe.checks._evidence_pictures import frame_map, row_profiles
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._frame_chart import frame_chart
from lightframe.checks._pictures import Axis, FrameChart, Mark, Panels, Profile
from lightframe.checks._settings import CheckSettings

__all__ = ["inconsistent_darks", "leaking_darks", "torn_dark", "unstable_bias"]

Change: TypeAlias = tuple[FrameEvidence, float, float, Float64]
"""A frame, the change of its smooth structure from end to end, its error, and its map."""

_LEVEL = Axis("level", "DN")


def unstable_bias(frames: SetEvidence, limit: float, steepest: Change | None) -> Panels:
    """Show the level of each bias frame, and the gradient that differs most, if one does."""
    levels = frames.frame_levels()
    middle = float(np.median(levels))
    chart = frame_chart(
        frames.paths,
        levels,
        [frame.path for frame in frames.frames if abs(frame.level - middle) > limit],
        title="Level of each bias frame",
        caption="A bias is a constant: all dots should lie in the band.",
        axis=_LEVEL,
        band=(middle - limit, middle + limit),
    )
    if steepest is None:
        return Panels(pictures=(chart,))
    frame, change, _, smooth = steepest
    shape = frame_map(
        smooth,
        frame,
        "Steepest gradient",
        f"{frame.path.name} less the median of the set: {change:.0f} DN from end to end.",
        Axis("difference", "DN"),
    )
    return Panels(pictures=(chart, shape))


def leaking_darks(
    frames: SetEvidence,
    strongest: tuple[FrameEvidence, float, Float64],
    changes: Mapping[Path, float],
    limit: float,
) -> Panels:
    """Show the structure of the strongest dark, and how much of it there is in each."""
    frame, _, smooth = strongest
    shape = frame_map(
        smooth,
        frame,
        "Structure of the dark that differs most",
        f"{frame.path.name} less the median of the set, smoothed. Glow of the sensor would be the"
        " same in all darks, and so would not show here.",
        Axis("difference", "DN"),
    )
    chart = frame_chart(
        frames.paths,
        [changes.get(item.path) for item in frames.frames],
        [path for path, change in changes.items() if change > limit],
        title="Smooth structure that differs from the set's",
        axis=Axis("from end to end", "DN"),
        marks=(Mark("allowed", limit),),
    )
    return Panels(pictures=(shape, chart))


def torn_dark(frames: SetEvidence, torn: tuple[FrameEvidence, int, float]) -> Profile:
    """Show the rows of a dark whose readout was interrupted, beside those of another one."""
    frame, row, step = torn
    other = next((f for f in frames.frames if f is not frame), frame)
    return row_profiles(
        {frame.path.name: frame.rows, other.path.name: other.rows},
        "Mean of each row",
        f"The level changes by {step:.0f} DN at row {row}, and not in the other dark.",
        _LEVEL,
        (Mark(f"row {row}", float(row)),),
    )


def inconsistent_darks(
    frames: SetEvidence,
    wrong: Collection[Path],
    allowed: tuple[float, float],
    settings: CheckSettings,
) -> Panels:
    """Show level, noise and hot pixels of each dark; `allowed` is the level and its tolerance."""
    level, reach = allowed
    noise = np.array([frame.noise.mean() for frame in frames.frames])
    usual = float(np.median(noise))
    charts = [
        frame_chart(
            frames.paths,
            frames.frame_levels(),
            wrong,
            title="Level",
            axis=_LEVEL,
            band=(level - reach, level + reach),
        ),
        frame_chart(
            frames.paths,
            noise,
            wrong,
            title="Noise",
            axis=Axis("noise", "DN"),
            band=(usual / settings.dark_noise_ratio, usual * settings.dark_noise_ratio),
        ),
    ]
    hot = hot_ratios(frames)
    if any(ratio is not None for ratio in hot):
        charts.append(
            frame_chart(
                frames.paths,
                hot,
                wrong,
                title="Hot pixels, relative to the set",
                caption="They follow the temperature: 1.3 times is about 2 degrees.",
                axis=Axis("factor"),
                band=(1.0 / settings.dark_hot_ratio, settings.dark_hot_ratio),
            )
        )
    return Panels(pictures=tuple(chart for chart in charts if _tells(chart)) or tuple(charts))


def _tells(chart: FrameChart) -> bool:
    """Whether a frame that stands out is beyond what is allowed."""
    low, high = chart.band or (-np.inf, np.inf)
    return any(
        value is not None and not low <= value <= high
        for value, wrong in zip(chart.values, chart.wrong, strict=True)
        if wrong
    )
