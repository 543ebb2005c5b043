"""The findings of a run on its calibrated lights."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.checks import (
    CalibratedSet,
    Finding,
    LightEvidence,
    ResultEvidence,
    judge_results,
)
from lightframe.frames import FrameKind
from lightframe.processes import (
    DustMoved,
    GlowLeft,
    dust_moved,
    flat_verdict,
    glow_left,
    mean_slope,
    pattern_left,
    photometric_scale,
)
from lightframe.session._alignment import AlignedLight
from lightframe.session._calibrating import Master
from lightframe.session._context import Context
from lightframe.session._lights import MeasuredLight
from lightframe.session._plan_types import Assignment, LightGroup, Plan
from lightframe.session._sets import plural
from lightframe.session._views import views_of

__all__ = ["Field", "judge_lights"]

_SAME_TEMPERATURE_C = 1.0
_LEDGER_LIGHTS = 5
_ALWAYS = 0.8
_PATTERN_LIGHTS = 24
"""Lights in which fixed pattern is looked for."""
_POINTS = ((0.5, 0.5), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))
"""Points of the frame whose movement is that of the field, as parts of width and height."""


@dataclass(frozen=True, slots=True)
class Field:
    """The lights of one field after pass 1 and registration.

    Attributes
    ----------
    groups : sequence of LightGroup
        What was planned with them.
    lights : sequence of MeasuredLight
        Those that could be calibrated.
    aligned : mapping of Path to AlignedLight
        Those that could be registered.
    """

    groups: Sequence[LightGroup]
    lights: Sequence[MeasuredLight]
    aligned: Mapping[Path, AlignedLight]


def judge_lights(
    field: Field,
    masters: Mapping[str, Master],
    plan: Plan,
    known: Sequence[Finding],
    context: Context,
) -> tuple[Finding, ...]:
    """Judge the lights of one field.

    Parameters
    ----------
    field : Field
        The lights.
    masters : mapping of str to Master
        All masters by name.
    plan : Plan
        What was planned.
    known : sequence of Finding
        What headers, settings and raw frames have said already.
    context : Context
        Settings and folders.
    """
    by_path = {light.info.path: light for light in field.lights}
    sets = []
    for group in field.groups:
        for part in group.assignments:
            members = [by_path[path] for path in part.frames if path in by_path]
            if members:
                sets.append(_calibrated_set(group, part, members, field.aligned, masters, plan))
    evidence = ResultEvidence(
        sets=tuple(_with_peers(lights, sets) for lights in sets),
        findings=tuple(known),
        settings=context.settings.check,
    )
    return judge_results(evidence)


def _with_peers(lights: CalibratedSet, sets: Sequence[CalibratedSet]) -> CalibratedSet:
    """Return a set that knows the other lights of its result."""
    others = (other for other in sets if other is not lights and other.group == lights.group)
    return replace(lights, peers=tuple(light for other in others for light in other.lights))


def _calibrated_set(
    group: LightGroup,
    part: Assignment,
    members: Sequence[MeasuredLight],
    aligned: Mapping[Path, AlignedLight],
    masters: Mapping[str, Master],
    plan: Plan,
) -> CalibratedSet:
    """Put together what is known of the lights of one assignment."""
    steps = () if part.flat is None else plan.master(part.flat).steps
    exposure = "" if part.exposure_s is None else f" {part.exposure_s:.5g} s"
    members = sorted(members, key=_taken)
    dark = None if part.dark is None else masters[part.dark]
    first = members[0].treatment.calibration
    unknown_hot = _unknown_hot(members)
    excess, ratio = _dark_excess(part, masters)
    return CalibratedSet(
        label=f"{plural(FrameKind.LIGHT, members)} {group.name}{exposure}",
        lights=tuple(_evidence(light, aligned, dark) for light in members),
        group=group.name,
        flats=() if part.flat is None else plan.master(part.flat).frames,
        darks=_frames(plan, (part.dark, part.bias)),
        others=_frames(plan, (name for step in steps for name in step.masters)),
        verdict=flat_verdict(
            [light.glimpse.flat_fit for light in members if light.glimpse.flat_fit is not None]
        ),
        dark_excess_dn=excess,
        dark_variance_ratio=ratio,
        bias_dn=_bias_level(part, masters),
        flat_level_dn=None
        if first.flat_scale is None
        else float(np.mean(first.flat_scale.factors)),
        colours=first.cfa is not None,
        megapixels=first.height * first.width / 1e6,
        calibrated_before=part.calibrated_before,
        same_temperature=_same_temperature(members, dark),
        unknown_hot=None if unknown_hot is None else int(unknown_hot.size),
        hot_left=mean_slope(
            [light.glimpse.hot_left for light in members if light.glimpse.hot_left is not None]
        ),
        hot_symmetry=_symmetry(members),
        pattern=pattern_left([light.glimpse.pattern for light in members[:_PATTERN_LIGHTS]]),
        masters_of=_counts(part, masters),
        dust=_dust(members),
        glow=_glow(members),
        views=views_of(members, unknown_hot),
    )


def _taken(light: MeasuredLight) -> tuple[datetime, str]:
    """Return when a light was taken; those of unknown time come first, by name."""
    return light.info.time or datetime.min.replace(tzinfo=UTC), light.info.path.name


def _frames(plan: Plan, names: Iterable[str | None]) -> tuple[Path, ...]:
    chosen = [plan.master(name).frames for name in names if name is not None]
    return tuple(dict.fromkeys(path for frames in chosen for path in frames))


def _evidence(
    light: MeasuredLight, aligned: Mapping[Path, AlignedLight], dark: Master | None
) -> LightEvidence:
    place = aligned.get(light.info.path)
    exposure = None if dark is None else dark.job.exposure_s
    own = light.info.exposure_s
    return LightEvidence(
        path=light.info.path,
        level_dn=light.measurement.background_dn,
        noise_dn=light.noise_dn,
        low_fraction=light.glimpse.low_fraction,
        pedestal_dn=light.levels.pedestal_dn,
        stars=light.measurement.star_count,
        fwhm_px=light.measurement.fwhm_px,
        eccentricity=light.measurement.eccentricity,
        brightness=_brightness(place, aligned),
        placed=None if place is None else _placed(place),
        dark_scale=light.dark_scale,
        exposure_ratio=own / exposure if own and exposure else None,
        exposure_s=own,
    )


def _placed(aligned: AlignedLight) -> npt.NDArray[np.float64]:
    """Return where points of the frame fall in the reference, shape (n, 2)."""
    calibration = aligned.light.treatment.calibration
    x, y = np.array(_POINTS).T * [[calibration.width], [calibration.height]]
    u, v, w = aligned.transform @ np.stack((x, y, np.ones_like(x)))
    return np.stack((u / w, v / w), axis=1)


def _brightness(place: AlignedLight | None, aligned: Mapping[Path, AlignedLight]) -> float | None:
    """Return the flux of a light's stars over that of the reference's."""
    reference = next((other for other in aligned.values() if other.is_reference), None)
    if place is None or reference is None:
        return None
    if place.is_reference:
        return 1.0
    found = photometric_scale(
        place.light.measurement.stars, place.transform, reference.light.measurement.stars
    )
    return None if found is None else found.ratio


def _same_temperature(lights: Sequence[MeasuredLight], dark: Master | None) -> bool | None:
    """Whether lights and dark have one temperature, measured and set; None is unknown."""
    if dark is None or dark.job.temperature_c is None:
        return None
    own = [light.info.temperature_c for light in lights if light.info.temperature_c is not None]
    if not own or any(light.info.set_temperature_c is None for light in lights):
        return None
    return max(abs(value - dark.job.temperature_c) for value in own) <= _SAME_TEMPERATURE_C


def _symmetry(lights: Sequence[MeasuredLight]) -> str | None:
    """Return how the dark lies on most of the lights; None where they do not say."""
    named = Counter(light.glimpse.hot_symmetry for light in lights)
    name, count = named.most_common(1)[0]
    return name if 2 * count > len(lights) else None


def _unknown_hot(lights: Sequence[MeasuredLight]) -> npt.NDArray[np.int64] | None:
    """Return the pixels that were found hot in four of five lights, and not in the dark."""
    known = lights[0].treatment.defects
    if known is None or lights[0].treatment.assignment.dark is None:
        return None
    found = [light.defects.hot for light in lights if light.defects is not None]
    if len(found) < _LEDGER_LIGHTS:
        return None
    places, counts = np.unique(np.concatenate(found), return_counts=True)
    always = places[counts >= _ALWAYS * len(found)]
    return np.setdiff1d(always, known.pixels)


def _dust(lights: Sequence[MeasuredLight]) -> DustMoved | None:
    probe = lights[0].treatment.probe.dust
    if probe is None:
        return None
    return dust_moved(
        [light.glimpse.dust for light in lights if light.glimpse.dust is not None], probe
    )


def _glow(lights: Sequence[MeasuredLight]) -> GlowLeft | None:
    glow = lights[0].treatment.probe.glow
    return None if glow is None else glow_left([light.glimpse.tiles for light in lights], glow)


def _counts(part: Assignment, masters: Mapping[str, Master]) -> tuple[int, ...]:
    """Return the numbers of frames in dark and flat; empty if one of them is missing or unknown."""
    names = [name for name in (part.dark, part.flat) if name is not None]
    counts = [masters[name].record["frames"] for name in names]
    return tuple(counts) if len(names) == 2 and all(counts) else ()  # noqa: PLR2004 - both


def _bias_level(part: Assignment, masters: Mapping[str, Master]) -> float | None:
    """Return the level of the master bias, or of a master dark that holds its bias, in DN."""
    for name in (part.bias, part.dark):
        if name is not None and (name == part.bias or part.dark_holds_bias):
            return round(float(masters[name].record["median_dn"][0]), 1)
    for master in masters.values():
        if master.job.kind.value in {"bias", "flat-dark"} and master.job.gain == part.gain:
            return round(float(master.record["median_dn"][0]), 1)
    return None


def _dark_excess(
    part: Assignment, masters: Mapping[str, Master]
) -> tuple[float | None, float | None]:
    """Return level and variance of the dark against those of frames of hardly any exposure.

    The level is their difference, the variance their ratio. None where the dark is scaled, was
    given, or no such frames of its gain and size are there.
    """
    if part.dark is None or not part.dark_holds_bias or part.dark_scaling != "none":
        return None, None
    dark = masters[part.dark]
    for other in masters.values():
        if other.job.kind not in {FrameKind.BIAS, FrameKind.FLAT_DARK} or other is dark:
            continue
        alike = other.job.gain == part.gain and other.pixels.shape == dark.pixels.shape
        noises = dark.record["frame_noise_dn"], other.record["frame_noise_dn"]
        if not alike or not all(noises):
            continue
        levels = (np.mean(master.record["median_dn"]) for master in (dark, other))
        variances = [float(np.mean(np.square(noise))) for noise in noises]
        return float(np.subtract(*levels)), round(variances[0] / max(variances[1], 1e-9), 2)
    return None, None
