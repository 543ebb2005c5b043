"""Frames of one camera at the same settings: what a sensor is characterized from."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import DARK_KINDS, SetEvidence, describe_set
from lightframe.checks._evidence_structure import torn_frames
from lightframe.checks._finding import Severity
from lightframe.checks._rules import Stage, judge
from lightframe.frames import COLOURS, CfaPattern, FrameInfo, FrameKind

__all__ = ["DarkGroup", "Setup", "clusters", "gather_setups", "why_left_out"]


_BAYER = 2
_SHORT_S = 0.5
"""Exposure up to which a dark is as good as a bias frame."""
_COOLED_C = 1.0
_UNCOOLED_C = 3.0
_EXPOSURE_FRACTION = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class DarkGroup:
    """Frames without light, of one exposure and temperature.

    Attributes
    ----------
    frames : tuple of FrameEvidence
        In the order of time.
    exposure_s : float
        Median exposure; 0 for bias frames that do not state it.
    temperature_c : float or None
        Median temperature.
    is_bias : bool
        Whether they are bias frames.
    """

    frames: tuple[FrameEvidence, ...]
    exposure_s: float
    temperature_c: float | None
    is_bias: bool

    @property
    def label(self) -> str:
        """In words."""
        count = len(self.frames)
        if self.is_bias:
            return f"{count} bias frame{'s' * (count != 1)}"
        return f"{count} dark{'s' * (count != 1)} of {self.exposure_s:.4g} s"

    def levels(self) -> Float64:
        """Return the level of each frame in DN, shape (frames,): the median of its tiles.

        Glow covers a few tiles only.
        """
        return np.array([float(np.median(frame.tiles.mean(axis=0))) for frame in self.frames])

    def tiles(self) -> Float64:
        """Return the median of the frames' tile maps, mean of the phases, (rows, columns)."""
        return np.asarray(np.median([f.tiles.mean(axis=0) for f in self.frames], axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """Frames of one camera, size, binning, gain, offset, readout mode, and step of the integers.

    Attributes
    ----------
    frames : tuple of FrameEvidence
        All of them, in the order of time.
    step : int
        Step of the integers; 0 if unknown.
    set_aside : tuple of (Path, str)
        Frames that are not what they are said to be, and why; they take part in nothing.
    """

    frames: tuple[FrameEvidence, ...]
    step: int
    set_aside: tuple[tuple[Path, str], ...] = ()

    def of(self, *kinds: FrameKind) -> tuple[FrameEvidence, ...]:
        """Return the frames of some kinds."""
        return tuple(frame for frame in self.frames if frame.info.kind in kinds)

    def fact(self, name: str) -> Any:  # noqa: ANN401 - a fact has the type it has
        """Return a fact of the headers: that of the first frame which states it."""
        values = (getattr(frame.info, name) for frame in self.frames)
        return next((value for value in values if value is not None), None)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.frames[0].info.shape

    def sets(self) -> list[SetEvidence]:
        """Return the frames of each kind as a set."""
        kinds = {kind: self.of(kind) for kind in FrameKind}
        return [describe_set(kind.value, kind, frames) for kind, frames in kinds.items() if frames]

    def planes(self) -> dict[str, tuple[int, ...]]:
        """Return the phases of each colour; nothing for a monochrome or an X-Trans sensor."""
        cfa: CfaPattern | None = self.fact("cfa")
        if cfa is None or cfa.period != _BAYER:
            return {}
        cell = cfa.planes().ravel()
        return {
            letter: tuple(int(phase) for phase in np.flatnonzero(cell == index))
            for index, letter in enumerate(COLOURS)
        }

    def dark_groups(self) -> list[DarkGroup]:
        """Return the frames without light by exposure and temperature, the shortest first."""
        groups = []
        bias = self.of(FrameKind.BIAS)
        if bias:
            groups.append(_dark_group(bias, is_bias=True))
        darks = [f for f in self.of(*DARK_KINDS) if f not in bias and f.info.exposure_s is not None]
        cooled = any(frame.info.set_temperature_c is not None for frame in darks)
        for exposed in clusters(
            darks, lambda f: f.info.exposure_s or 0.0, fraction=_EXPOSURE_FRACTION
        ):
            known = [frame for frame in exposed if frame.info.temperature_c is not None]
            others = [frame for frame in exposed if frame.info.temperature_c is None]
            width = _COOLED_C if cooled else _UNCOOLED_C
            parts = clusters(known, lambda f: f.info.temperature_c or 0.0, width=width)
            groups += [_dark_group(part) for part in parts]
            if others:
                groups.append(_dark_group(others))
        return groups

    def quietest(self) -> DarkGroup | None:
        """Return what comes nearest to a bias: bias frames, else the shortest darks."""
        groups = self.dark_groups()
        bias = [group for group in groups if group.is_bias]
        if bias or not groups:
            return bias[0] if bias else None
        shortest = min(group.exposure_s for group in groups)
        reach = max(shortest * (1.0 + _EXPOSURE_FRACTION), _SHORT_S)
        return max(
            (group for group in groups if group.exposure_s <= reach), key=lambda g: len(g.frames)
        )


def _dark_group(frames: Sequence[FrameEvidence], *, is_bias: bool = False) -> DarkGroup:
    exposures = [f.info.exposure_s for f in frames if f.info.exposure_s is not None]
    temperatures = [f.info.temperature_c for f in frames if f.info.temperature_c is not None]
    return DarkGroup(
        frames=_by_time(frames),
        exposure_s=float(np.median(exposures)) if exposures else 0.0,
        temperature_c=float(np.median(temperatures)) if temperatures else None,
        is_bias=is_bias,
    )


def clusters(
    frames: Iterable[FrameEvidence],
    value: Callable[[FrameEvidence], float],
    *,
    width: float = 0.0,
    fraction: float = 0.0,
) -> list[list[FrameEvidence]]:
    """Return frames by clusters of a value, in ascending order.

    A cluster spans at most ``max(width, fraction * smallest)``.
    """
    found: list[list[FrameEvidence]] = []
    start = 0.0
    for frame in sorted(frames, key=value):
        own = value(frame)
        if not found or own - start > max(width, fraction * start):
            found.append([])
            start = own
        found[-1].append(frame)
    return found


def why_left_out(info: FrameInfo) -> str | None:
    """Return why a frame tells nothing of the sensor; None if it does."""
    if info.kind is None:
        return "what it is for is unknown"
    if info.is_master:
        return "it is a master: several frames in one, or floating point"
    if info.channels != 1:
        return "it is debayered: its pixels are mixtures of neighbours"
    if info.calibration:
        return "it has been calibrated"
    return None


_Key = tuple[object, ...]


def gather_setups(frames: Iterable[FrameEvidence]) -> list[Setup]:
    """Gather raw frames by camera and settings, the setups with most frames first.

    A frame that lacks a fact joins the one setup that it does not contradict, if there is one only.
    """
    groups: dict[_Key, list[FrameEvidence]] = defaultdict(list)
    for frame in frames:
        if why_left_out(frame.info) is None:
            groups[_key(frame)].append(frame)
    for key in sorted(groups, key=lambda key: -key.count(None)):
        hosts = [host for host in groups if host != key and _joins(key, host)]
        if len(hosts) == 1:
            groups[hosts[0]] += groups.pop(key)
    setups = [_setup(members) for members in groups.values()]
    return sorted(setups, key=lambda setup: (-len(setup.frames), setup.frames[0].path))


def _setup(frames: Sequence[FrameEvidence]) -> Setup:
    """Return a setup without frames that are not what they are said to be, or that are torn."""
    whole = Setup(_by_time(frames), _step(frames))
    findings = judge(SessionEvidence(sets=tuple(_like_a_plan(whole))), Stage.FRAME)
    wrong = {
        path: finding.rule
        for finding in findings
        if finding.severity is Severity.ERROR
        for path in finding.frames
    }
    sound = _without(whole, wrong)
    torn = {
        frame.path: "its readout was interrupted"
        for group in sound.dark_groups()
        for frame, _, _ in torn_frames(describe_set("", FrameKind.DARK, group.frames))
    }
    return _without(sound, torn)


def _like_a_plan(setup: Setup) -> Iterator[SetEvidence]:
    """Yield the frames as a plan gathers them: darks by exposure, flats and lights by filter."""
    for group in setup.dark_groups():
        kind = FrameKind.BIAS if group.is_bias else FrameKind.DARK
        yield describe_set(group.label, kind, group.frames)
    for kind in (FrameKind.FLAT, FrameKind.LIGHT):
        by_filter: dict[str, list[FrameEvidence]] = defaultdict(list)
        for frame in setup.of(kind):
            by_filter[frame.info.filter or ""].append(frame)
        for frames in by_filter.values():
            yield describe_set(kind.value, kind, frames)


def _without(setup: Setup, reasons: Mapping[Path, str]) -> Setup:
    """Return a setup without some frames; if it would be left with none, as it is."""
    kept = tuple(frame for frame in setup.frames if frame.path not in reasons)
    if not kept:
        return setup
    paths = [frame.path for frame in setup.frames if frame.path in reasons]
    aside = tuple((path, reasons[path]) for path in paths)
    return Setup(kept, setup.step, (*setup.set_aside, *aside))


def _step(frames: Sequence[FrameEvidence]) -> int:
    """Return the step of the integers; of very few values the least distance."""
    step = max(frame.levels.frame_step for frame in frames)
    if step > 0 or not all(np.issubdtype(f.patches.dtype, np.integer) for f in frames):
        return step
    gaps = np.diff(np.unique(np.concatenate([np.unique(frame.patches) for frame in frames])))
    return int(gaps.min()) if gaps.size else 0


def _by_time(frames: Sequence[FrameEvidence]) -> tuple[FrameEvidence, ...]:
    return tuple(
        sorted(frames, key=lambda f: (f.info.time.timestamp() if f.info.time else 0.0, f.path))
    )


def _key(frame: FrameEvidence) -> _Key:
    info = frame.info
    camera = " ".join((info.camera or "").lower().split()) or None
    mode = (info.readout_mode or "").strip().lower() or None
    step = frame.levels.frame_step or None
    return (info.shape, camera, info.gain, info.offset, mode, info.binning, step)


def _joins(key: _Key, host: _Key) -> bool:
    pairs = list(zip(key, host, strict=True))
    return key.count(None) > host.count(None) and all(
        mine is None or mine == other for mine, other in pairs
    )
