"""Lights gathered by what they show: one group, one result."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lightframe.frames._info import FrameInfo
from lightframe.session._file_names import slug, unique_names
from lightframe.session._match_settings import MatchSettings
from lightframe.session._sets import camera_words, filter_key, same_name

__all__ = ["Lights", "group_lights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lights:
    """The lights of one result."""

    name: str
    object: str | None
    frames: tuple[FrameInfo, ...]
    reasons: tuple[str, ...]


def group_lights(frames: Iterable[FrameInfo], settings: MatchSettings) -> tuple[Lights, ...]:
    """Group lights by object, filter, camera, geometry and binning.

    Names of objects are compared without case and spaces. A light that names no object belongs to
    the one object named in its folder; where its folder names none or several, such lights are
    grouped by folder, or all together, as the settings say.
    """
    lights = sorted(frames, key=lambda info: info.path)
    named_in: dict[Path, set[str]] = defaultdict(set)
    for info in lights:
        if key := same_name(info.object):
            named_in[info.path.parent].add(key)
    groups: dict[tuple[object, ...], list[FrameInfo]] = defaultdict(list)
    for info in lights:
        groups[
            _object_key(info, named_in[info.path.parent], settings),
            filter_key(info.filter, settings) or "",
            camera_words(info.camera),
            (info.channels, info.height, info.width),
            info.binning,
        ].append(info)
    found = sorted((_lights(members) for members in groups.values()), key=_order)
    names = unique_names([lights.name for lights in found], [_distinction(g) for g in found])
    return tuple(replace(lights, name=name) for lights, name in zip(found, names, strict=True))


def _object_key(info: FrameInfo, named: set[str], settings: MatchSettings) -> object:
    """Return what a light is grouped by: the name of its object, or the folder it lies in."""
    if key := same_name(info.object):
        return key
    if len(named) == 1:
        return next(iter(named))
    return info.path.parent if settings.unnamed_objects == "folder" else Path()


def _lights(members: Sequence[FrameInfo]) -> Lights:
    first = members[0]
    name = _most_frequent(info.object for info in members if same_name(info.object))
    reasons = []
    unnamed = sum(same_name(info.object) is None for info in members)
    if name is None:
        reasons.append(f"no object is named; grouped by folder {first.path.parent.name or '.'}")
    elif unnamed:
        reasons.append(f"{unnamed} of {len(members)} name no object and lie in the same folder")
    for noun, why, values in (
        ("exposures", " s go together: weights follow the noise", {i.exposure_s for i in members}),
        ("gains", " go together: they are brought to one scale", {i.gain for i in members}),
    ):
        known = sorted(value for value in values if value is not None)
        if len(known) > 1:
            listed = ", ".join(f"{value:.5g}" for value in known)
            reasons.append(f"{noun} of {listed}{why}")
    label = name or first.path.parent.name or "unknown"
    return Lights(
        name=f"{slug(label)}_{slug(_most_frequent(i.filter for i in members) or 'nofilter')}",
        object=name,
        frames=tuple(members),
        reasons=tuple(reasons),
    )


def _order(lights: Lights) -> tuple[str, Path]:
    return lights.name, lights.frames[0].path


def _distinction(lights: Lights) -> str:
    first = lights.frames[0]
    camera = slug(first.camera or "")
    return "_".join(part for part in (camera, f"{first.width}x{first.height}") if part)


def _most_frequent(names: Iterable[str | None]) -> str | None:
    """Return the spelling used most often; of equally frequent ones the first by alphabet."""
    counts = Counter(name.strip() for name in names if name and name.strip())
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None
