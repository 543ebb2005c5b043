"""Evidence of sets of frames: what the frames of one have in common."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence, clipped_deviation
from lightframe.frames import FrameKind

__all__ = ["DARK_KINDS", "SetEvidence", "describe_set"]


DARK_KINDS = (FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT_DARK)
"""Kinds of frames that no light reaches."""

_MOST_PAIRS = 8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SetEvidence:
    """Frames that the plan treats alike.

    Attributes
    ----------
    label : str
        In words.
    kind : FrameKind
        What they are said to be.
    is_master : bool
        Whether it is one given master.
    frames : tuple of FrameEvidence
        In the order of time where it is known, else of paths.
    level : float64 (4,)
        Level of each phase: median over the frames.
    noise : float64 (4,)
        Spatial noise of each phase: median over the frames.
    temporal : float64 (4,)
        Temporal noise of a frame, from differences of pairs; NaN for fewer than two frames.
    tiles : float64 (4, rows, columns)
        Background by tiles: median over the frames.
    step : int
        Step of the integers in most of the frames; 0 if unknown.
    """

    label: str
    kind: FrameKind
    is_master: bool
    frames: tuple[FrameEvidence, ...]
    level: Float64
    noise: Float64
    temporal: Float64
    tiles: Float64
    step: int = field(init=False)

    def __post_init__(self) -> None:
        steps = [frame.levels.frame_step for frame in self.frames]
        object.__setattr__(self, "step", max(set(steps), key=steps.count))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(frame.path for frame in self.frames)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.frames[0].info.shape

    @property
    def exposure_s(self) -> float | None:
        """Median exposure as claimed."""
        known = [f.info.exposure_s for f in self.frames if f.info.exposure_s is not None]
        return float(np.median(known)) if known else None

    @property
    def temperature_c(self) -> float | None:
        """Median temperature of the sensor as claimed."""
        known = [f.info.temperature_c for f in self.frames if f.info.temperature_c is not None]
        return float(np.median(known)) if known else None

    @property
    def gain(self) -> float | None:
        """Gain as claimed by the first frame that does."""
        return next((f.info.gain for f in self.frames if f.info.gain is not None), None)

    @property
    def camera(self) -> str | None:
        """Camera as claimed by the first frame that does."""
        return next((f.info.camera for f in self.frames if f.info.camera is not None), None)

    @property
    def filter(self) -> str | None:
        """Filter as claimed by the first frame that does."""
        return next((f.info.filter for f in self.frames if f.info.filter is not None), None)

    @property
    def is_dark(self) -> bool:
        """Whether no light should have reached the frames."""
        return self.kind in DARK_KINDS

    @property
    def read_noise(self) -> float:
        """Temporal noise over all phases, or the spatial noise where there is no pair."""
        known = np.where(np.isfinite(self.temporal), self.temporal, self.noise)
        return float(np.sqrt(np.mean(known**2)))

    def frame_levels(self) -> Float64:
        """Return the level of each frame, shape (frames,): mean of the medians of the phases."""
        return np.array([frame.level for frame in self.frames])

    def without(self, paths: frozenset[Path]) -> "SetEvidence | None":
        """Return the set without some frames; None if none is left."""
        kept = [frame for frame in self.frames if frame.path not in paths]
        if not kept:
            return None
        return describe_set(self.label, self.kind, kept, is_master=self.is_master)


def describe_set(
    label: str, kind: FrameKind, frames: Sequence[FrameEvidence], *, is_master: bool = False
) -> SetEvidence:
    """Put frames together, and measure what takes several of them.

    Frames of another shape than the first are left out of the measurements.

    Parameters
    ----------
    label : str
        What the set is called in messages.
    kind : FrameKind
        Of all its frames.
    frames : sequence of FrameEvidence
        Its frames, in any order.
    is_master : bool
        Whether it is a master frame.
    """
    ordered = sorted(
        frames, key=lambda f: (f.info.time.timestamp() if f.info.time else 0.0, f.path)
    )
    alike = [frame for frame in ordered if frame.tiles.shape == ordered[0].tiles.shape]
    return SetEvidence(
        label=label,
        kind=kind,
        is_master=is_master,
        frames=tuple(ordered),
        level=np.median([frame.levels.median for frame in ordered], axis=0),
        noise=np.median([frame.noise for frame in ordered], axis=0),
        temporal=_temporal_noise(alike),
        tiles=np.median([frame.tiles for frame in alike], axis=0),
    )


def _temporal_noise(frames: Sequence[FrameEvidence]) -> Float64:
    """Return the noise of one frame from differences of neighbours in time, shape (4,)."""
    pairs = [(a, b) for a, b in itertools.pairwise(frames) if a.patches.shape == b.patches.shape][
        :_MOST_PAIRS
    ]
    if not pairs:
        return np.full(4, np.nan)
    return np.asarray(np.median([_pair_noise(a, b) for a, b in pairs], axis=0))


def _pair_noise(first: FrameEvidence, second: FrameEvidence) -> Float64:
    difference = second.patches.astype(np.float64) - first.patches
    noise = np.empty(4)
    for phase in range(4):
        # Neighbour against neighbour: level and shape of the light may change between frames.
        steps = np.diff(difference[:, phase // 2 :: 2, phase % 2 :: 2], axis=2)
        values = steps.reshape(difference.shape[0], -1)
        step = float(max(first.levels.step[phase], 1))
        noise[phase] = np.median(clipped_deviation(values, step)) / 2.0
    return noise
