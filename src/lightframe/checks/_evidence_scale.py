"""How the numbers of two groups of frames are spaced, and whether their scale is the same."""

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple

import numpy as np

from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_sets import DARK_KINDS

__all__ = ["Ratios", "dark_ratios", "few_values", "same_scale", "spacing_of"]

_RANGE = 65536.0
_WIDE = 0.45
"""Spread in steps: that of a single value, spread evenly over a step, is 0.34."""


class Ratios(NamedTuple):
    """Frames without light of one group over those of another."""

    level: float
    noise: float


def spacing_of(frame: FrameEvidence) -> float:
    """Return the distance of the values of a frame in DN; 0 if unknown."""
    return float(frame.levels.frame_step or frame.levels.grid.max())


def dark_ratios(frames: Iterable[FrameEvidence], others: Iterable[FrameEvidence]) -> Ratios | None:
    """Return level and noise of frames without light over those of others; None if unknown."""
    medians = []
    for group in (frames, others):
        dark = [frame for frame in group if frame.info.kind in DARK_KINDS]
        levels = [frame.level for frame in dark]
        noises = [float(frame.noise.mean()) for frame in dark]
        if not dark or min(levels) <= 0 or min(noises) <= 0:
            return None
        medians.append((float(np.median(levels)), float(np.median(noises))))
    (level, noise), (other_level, other_noise) = medians
    return Ratios(level / other_level, noise / other_noise)


def same_scale(
    frames: Sequence[FrameEvidence], others: Sequence[FrameEvidence], ratio: float
) -> bool:
    """Whether groups whose steps differ by a ratio have one scale all the same.

    Told by the level of frames without light in both; else by values of the frames with the finer
    steps that are too high for what was not multiplied: a 14-bit ADC gives no more than 16383.
    """
    ratios = dark_ratios(frames, others)
    if ratios is not None:
        return abs(log(ratios.level)) < 0.5 * abs(log(ratio))
    finer = frames if ratio < 1.0 else others
    highest = max(float(frame.levels.maximum.max()) for frame in finer)
    return highest >= _RANGE * min(ratio, 1.0 / ratio)


def few_values(by_step: Mapping[int, Sequence[FrameEvidence]]) -> bool:
    """Whether few values, not a scale, explain the steps: a frame of few values has wide steps."""
    smallest = min(by_step)
    wider = {n: frames for n, frames in by_step.items() if n > smallest}
    return any(
        float(frame.levels.spread.min()) < _WIDE * n
        for n, frames in wider.items()
        for frame in frames
    )
