"""Frames gathered into sets: those that would be integrated together, or calibrated alike."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from lightframe.checks._cameras import Sensor, sensor_of
from lightframe.checks._plan_records import SetRecord
from lightframe.frames._info import FrameInfo, FrameKind
from lightframe.session._match_settings import MatchSettings

__all__ = [
    "FrameSet",
    "camera_words",
    "filter_key",
    "gather",
    "plural",
    "same_name",
    "split_by_exposure",
]

_NOUNS = {
    FrameKind.BIAS: ("bias frame", "bias frames"),
    FrameKind.DARK: ("dark", "darks"),
    FrameKind.FLAT_DARK: ("flat-dark", "flat-darks"),
    FrameKind.FLAT: ("flat", "flats"),
    FrameKind.LIGHT: ("light", "lights"),
}
_HALF_TURN_DEG = 180.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameSet:
    """Frames of one kind whose facts agree as far as they are known.

    The attributes are those of `FrameInfo`; where only some frames state a value, it is the value
    of those. ``exposure_s`` and ``temperature_c`` are medians, the temperature being the set point
    wherever the sensor has reached it.

    Attributes
    ----------
    frames : tuple of FrameInfo
        In the order of their paths.
    exposures_s : tuple of float
        Shortest and longest exposure; empty if unknown.
    cooled : bool or None
        True where a set point is known, False for camera raw files, else unknown.
    holds_bias : bool
        Whether the bias has not been subtracted from the frames.
    calibrated : bool
        Whether any calibration has been applied to the frames.
    """

    kind: FrameKind
    frames: tuple[FrameInfo, ...]
    is_master: bool
    exposure_s: float | None
    exposures_s: tuple[float, ...]
    temperature_c: float | None
    cooled: bool | None
    facts: Mapping[str, Any]
    calibrated: bool
    holds_bias: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(info.path for info in self.frames)

    @property
    def sensor(self) -> Sensor:
        """What the camera's name tells."""
        return sensor_of(self.facts["camera"])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns."""
        first = self.frames[0]
        return first.channels, first.height, first.width

    @property
    def label(self) -> str:
        """A short description in words."""
        name = (
            f"master {_NOUNS[self.kind][0]}" if self.is_master else plural(self.kind, self.frames)
        )
        facts = []
        if self.kind in {FrameKind.FLAT, FrameKind.LIGHT} and self.facts["filter"]:
            facts.append(str(self.facts["filter"]))
        if self.kind is not FrameKind.BIAS and self.exposures_s:
            low, high = self.exposures_s
            facts.append(f"{low:.5g} s" if low == high else f"{low:.5g} to {high:.5g} s")
        if self.kind in {FrameKind.DARK, FrameKind.FLAT_DARK} and self.temperature_c is not None:
            facts.append(f"{self.temperature_c:.3g} °C")
        if self.facts["gain"] is not None:
            facts.append(f"gain {self.facts['gain']:.5g}")
        if self.is_master:
            facts.append(self.frames[0].path.name)
        return f"{name} {', '.join(facts)}" if facts else name

    def record(self) -> SetRecord:
        """Return the set as the rules see it."""
        return SetRecord(
            label=self.label,
            kind=self.kind,
            paths=self.paths,
            is_master=self.is_master,
            exposure_s=self.exposure_s,
            filter=self.facts["filter"],
            cooled=self.cooled,
            sensor=self.sensor,
        )


def plural(kind: FrameKind, frames: Sequence[object]) -> str:
    """Return e.g. ``"1 dark"`` or ``"20 darks"``."""
    return f"{len(frames)} {_NOUNS[kind][len(frames) != 1]}"


def same_name(name: str | None) -> str | None:
    """Return a name without case, spaces and punctuation: 'M 13' and 'm13' are the same."""
    return re.sub(r"[\W_]+", "", name or "").casefold() or None


_FILTERS = {
    "l": ("lum", "luminance"),
    "r": ("red",),
    "g": ("green",),
    "b": ("blue",),
    "ha": ("halpha", "hydrogenalpha"),
    "oiii": ("o3",),
    "sii": ("s2",),
    "": ("none", "nofilter", "empty", "na", "unknown"),
}
_FILTER_ALIASES = {alias: name for name, aliases in _FILTERS.items() for alias in aliases}


def filter_key(name: str | None, settings: MatchSettings) -> str | None:
    """Return the filter in the spelling used for comparison; None where there is none."""
    key = same_name(name) or ""
    for alias in settings.filter_aliases:
        left, _, right = alias.partition("=")
        if same_name(left) == key:
            key = same_name(right) or ""
    return _FILTER_ALIASES.get(key, key) or None


_FILLERS = {"zwo", "ccd", "cmos", "camera", "ascom", "indi", "native", "driver", "usb", "the"}


def camera_words(name: str | None) -> frozenset[str]:
    """Return the words of a camera's name that identify it; none for e.g. ``ASCOM Camera``."""
    words = re.findall(r"[a-z0-9]+", (name or "").casefold())
    return frozenset(word for word in words if word not in _FILLERS)


def effective_temperature(info: FrameInfo, settings: MatchSettings) -> float | None:
    """Return the set point where the sensor has reached it, else what was measured."""
    reached = (
        info.temperature_c is None
        or info.set_temperature_c is None
        or abs(info.temperature_c - info.set_temperature_c) <= settings.temperature_tolerance_c
    )
    return info.set_temperature_c if reached and _is_set(info) else info.temperature_c


def _is_set(info: FrameInfo) -> bool:
    return info.set_temperature_c is not None


_FACTS = (
    "camera", "gain", "offset", "readout_mode", "binning", "filter", "cfa", "row_order", "night",
    "telescope", "focal_length_mm", "rotation_deg", "software", "format",
)  # fmt: skip
"""What a set knows of its frames besides kind, size, exposure and temperature."""


def gather(frames: Iterable[FrameInfo], settings: MatchSettings) -> tuple[FrameSet, ...]:
    """Gather frames of known kind into sets; the order of `frames` does not matter.

    Frames belong together if all facts that matter for their kind agree. A frame that lacks some
    of them joins a set whose other facts agree, if there is exactly one such set; every given
    master is a set of its own.
    """
    by_kind: dict[FrameKind, list[FrameInfo]] = defaultdict(list)
    for info in sorted(frames, key=lambda info: info.path):
        if info.kind is not None:
            by_kind[info.kind].append(info)
    return tuple(
        _frame_set(kind, members, settings)
        for kind in FrameKind
        for members in _together(kind, by_kind[kind], settings)
    )


_Key = tuple[object, ...]


def _together(
    kind: FrameKind, frames: Sequence[FrameInfo], settings: MatchSettings
) -> list[list[FrameInfo]]:
    """Divide frames of one kind, in the order of their paths, into sets."""
    columns = _columns(kind, frames, settings)
    groups: dict[_Key, list[FrameInfo]] = defaultdict(list)
    for index, info in enumerate(frames):
        groups[tuple(column[index] for column in columns)].append(info)
    for key in sorted(groups, key=lambda key: key.count(None)):
        hosts = [other for other in groups if _could_join(key, other)]
        if len(hosts) == 1:
            groups[hosts[0]] += groups.pop(key)
    return sorted(groups.values(), key=lambda members: min(info.path for info in members))


def _could_join(key: _Key, host: _Key) -> bool:
    """Whether `host` knows more than `key` and contradicts nothing."""
    pairs = list(zip(key, host, strict=True))
    return key.count(None) > host.count(None) and all(
        mine == its or mine is None for mine, its in pairs
    )


def _columns(
    kind: FrameKind, frames: Sequence[FrameInfo], settings: MatchSettings
) -> list[list[object]]:
    """Return, fact by fact, the value of each frame that decides where it belongs."""

    def column(value: Callable[[FrameInfo], object]) -> list[object]:
        return [value(info) for info in frames]

    columns = [
        column(lambda info: info.path if info.is_master else 0),
        column(lambda info: info.format == "raw"),
        column(lambda info: (info.channels, info.height, info.width)),
        column(lambda info: camera_words(info.camera) or None),
        column(lambda info: info.binning),
        column(lambda info: info.gain),
        column(lambda info: info.offset),
        column(lambda info: same_name(info.readout_mode)),
        column(lambda info: info.cfa),
        column(lambda info: info.row_order),
        column(lambda info: info.calibration),
    ]
    if kind in {FrameKind.FLAT, FrameKind.LIGHT}:
        columns += [
            column(lambda info: filter_key(info.filter, settings)),
            column(lambda info: info.night),
            column(lambda info: same_name(info.telescope)),
            _clusters(column(_half_turn), settings.rotation_tolerance_deg, wrap=_HALF_TURN_DEG),
            _clusters(
                [info.focal_length_mm for info in frames],
                0.0,
                fraction=settings.focal_length_tolerance_fraction,
            ),
        ]
    if kind in {FrameKind.DARK, FrameKind.FLAT_DARK, FrameKind.LIGHT}:
        columns.append(
            _clusters(
                [info.exposure_s for info in frames],
                settings.exposure_tolerance_s,
                fraction=settings.exposure_tolerance_fraction,
            )
        )
        columns.append(_temperatures(frames, settings))
    if kind is FrameKind.BIAS:
        set_points = [info.set_temperature_c for info in frames]
        columns.append(_clusters(set_points, settings.temperature_tolerance_c))
    return columns


def _half_turn(info: FrameInfo) -> float | None:
    """Return the rotation of the camera, the same before and after a meridian flip."""
    return None if info.rotation_deg is None else info.rotation_deg % _HALF_TURN_DEG


def _temperatures(frames: Sequence[FrameInfo], settings: MatchSettings) -> list[object]:
    """Return what each frame is gathered by: a set point, or a range of measured values."""
    values = [effective_temperature(info, settings) for info in frames]
    cooled = [value if _is_set(info) else None for info, value in zip(frames, values, strict=True)]
    free = [None if _is_set(info) else value for info, value in zip(frames, values, strict=True)]
    regulated = _clusters(cooled, settings.temperature_tolerance_c)
    drifting = _clusters(free, settings.uncooled_tolerance_c)
    return [
        regulated[i] if cooled[i] is not None else drifting[i] if free[i] is not None else None
        for i in range(len(frames))
    ]


def _clusters(
    values: Sequence[Any], tolerance: float, *, fraction: float = 0.0, wrap: float | None = None
) -> list[object]:
    """Return for each number the smallest one of its cluster; None stays None.

    A cluster spans at most ``max(tolerance, fraction * smallest)``; with `wrap` distances are
    measured around a circle of that length.
    """
    starts: list[float] = []
    cluster: dict[float, float] = {}
    for value in sorted({value for value in values if value is not None}):
        for start in starts:
            distance = abs(value - start)
            distance = distance if wrap is None else min(distance, wrap - distance)
            if distance <= max(tolerance, fraction * start):
                cluster[value] = start
                break
        else:
            starts.append(value)
            cluster[value] = value
    return [None if value is None else cluster[value] for value in values]


def _frame_set(kind: FrameKind, members: Sequence[FrameInfo], settings: MatchSettings) -> FrameSet:
    frames = tuple(sorted(members, key=lambda info: info.path))
    exposures = [info.exposure_s for info in frames if info.exposure_s is not None]
    temperatures = [
        value for info in frames if (value := effective_temperature(info, settings)) is not None
    ]
    calibration = frozenset().union(*(info.calibration for info in frames))
    return FrameSet(
        kind=kind,
        frames=frames,
        is_master=frames[0].is_master,
        exposure_s=median(exposures) if exposures else None,
        exposures_s=(min(exposures), max(exposures)) if exposures else (),
        temperature_c=median(temperatures) if temperatures else None,
        cooled=_cooled(frames),
        facts={name: _common([getattr(info, name) for info in frames]) for name in _FACTS},
        calibrated=bool(calibration),
        holds_bias=not calibration & {FrameKind.BIAS, FrameKind.DARK},
    )


def _common(values: Sequence[Any]) -> Any:  # noqa: ANN401 - a fact has the type it has
    """Return the most frequent known value; the smallest of equally frequent ones."""
    counts = Counter(value for value in values if value is not None)
    if not counts:
        return None
    most = max(counts.values())
    return min((value for value, count in counts.items() if count == most), key=_sortable)


def _sortable(value: object) -> tuple[float, str]:
    if isinstance(value, int | float):
        return float(value), ""
    return (float(value.toordinal()), "") if isinstance(value, date) else (0.0, str(value))


def _cooled(frames: Sequence[FrameInfo]) -> bool | None:
    if any(_is_set(info) for info in frames):
        return True
    return False if all(info.format == "raw" for info in frames) else None


def split_by_exposure(flats: FrameSet, settings: MatchSettings) -> tuple[FrameSet, ...]:
    """Divide a set of flats into sets that the same flat-dark can serve."""
    reach = settings.flat_dark_tolerance_s, settings.flat_dark_tolerance_fraction
    clusters = _clusters([info.exposure_s for info in flats.frames], reach[0], fraction=reach[1])
    parts: dict[object, list[FrameInfo]] = defaultdict(list)
    for info, cluster in zip(flats.frames, clusters, strict=True):
        parts[cluster].append(info)
    return tuple(
        _frame_set(flats.kind, members, settings)
        for _, members in sorted(parts.items(), key=lambda item: (item[0] is None, item[0] or 0.0))
    )
