"""From headers to a plan: which calibration frames serve which lights, and why."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from lightframe.checks import PlanRecord, Refusal, counted, judge
from lightframe.checks._plan_records import Binding, Outcome, Pairing, SetAside, SetRecord
from lightframe.frames._info import FrameInfo, FrameKind
from lightframe.session._choice import Choice, pairings
from lightframe.session._choose import Chooser
from lightframe.session._file_names import slug, unique_names
from lightframe.session._groups import Lights, group_lights
from lightframe.session._match import Candidate, compare
from lightframe.session._match_settings import MatchSettings
from lightframe.session._plan_types import (
    Assignment,
    LightGroup,
    MasterJob,
    Match,
    Other,
    Plan,
    Unused,
)
from lightframe.session._sets import FrameSet, gather, plural

__all__ = ["make_plan"]

_DEFAULTS = MatchSettings()
_CALIBRATION = (FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT_DARK, FrameKind.FLAT)


def make_plan(
    frames: Iterable[FrameInfo],
    refused: Iterable[Refusal] = (),
    settings: MatchSettings = _DEFAULTS,
    *,
    named: Collection[Path] = (),
    calibrate_dark: bool | None = None,
) -> Plan:
    """Plan a run from headers; no pixel is read.

    Parameters
    ----------
    frames : iterable of FrameInfo
        All frames of the session, in any order; the plan does not depend on it.
    refused : iterable of Refusal
        Files that could not be read.
    settings : MatchSettings
        Tolerances and overrides.
    named : collection of Path
        Masters that the user named by hand. They come before all others that fit.
    calibrate_dark : bool or None
        The setting of calibration of that name, for the rules to judge.

    Returns
    -------
    Plan
        Light groups, masters in the order in which they can be made, frames that take no part with
        the reason, and the findings of all rules that headers alone decide.
    """
    return _Planner(frames, refused, settings, frozenset(named), calibrate_dark).plan()


class _Planner:
    """Holds what the steps of one planning share."""

    def __init__(
        self,
        frames: Iterable[FrameInfo],
        refused: Iterable[Refusal],
        settings: MatchSettings,
        named: frozenset[Path],
        calibrate_dark: bool | None,
    ) -> None:
        self.settings = settings
        self.refused = tuple(sorted(refused))
        ordered = sorted(frames, key=lambda info: info.path)
        self.aside, used = _set_aside(ordered, settings)
        self.unknown = tuple(info.path for info in ordered if info.kind is None)
        self.lights = group_lights((i for i in used if i.kind is FrameKind.LIGHT), settings)
        self.sets = gather((i for i in used if i.kind in _CALIBRATION), settings)
        chooser = Chooser(self.sets, settings, named=named, calibrate_dark=calibrate_dark)
        self.flat_choices = {s: chooser.for_flats(s) for s in self.sets if s.kind is FrameKind.FLAT}
        self.light_choices = [
            [chooser.for_lights(s, self.flat_choices) for s in gather(lights.frames, settings)]
            for lights in self.lights
        ]

    def plan(self) -> Plan:
        """Put everything together."""
        needed = self._needed()
        names = dict(zip(needed, _master_names(needed), strict=True))
        groups = tuple(
            self._group(lights, choices, names)
            for lights, choices in zip(self.lights, self.light_choices, strict=True)
        )
        steps = {s: self._assignments(self.flat_choices.get(s, ()), names) for s in needed}
        serves: dict[str, list[str]] = defaultdict(list)
        for user, parts in (
            *((group.name, group.assignments) for group in groups),
            *((names[s], steps[s]) for s in needed),
        ):
            for name in dict.fromkeys(name for part in parts for name in part.masters):
                serves[name].append(user)
        masters = tuple(
            MasterJob(
                name=names[s],
                kind=s.kind,
                given=s.is_master,
                frames=s.paths,
                label=s.label,
                exposure_s=s.exposure_s,
                gain=s.facts["gain"],
                temperature_c=s.temperature_c,
                filter=s.facts["filter"] if s.kind is FrameKind.FLAT else None,
                holds_bias=s.holds_bias,
                steps=steps[s],
                serves=tuple(serves[names[s]]),
            )
            for s in needed
        )
        record = self._record(needed)
        return Plan(
            groups=groups,
            masters=masters,
            unused=tuple(self._unused(needed)),
            refused=self.refused,
            findings=judge(record),
            record=record,
        )

    def _needed(self) -> list[FrameSet]:
        """Return the sets that become masters, or are some; all of them if there are no lights."""
        if not self.lights:
            return list(self.sets)
        direct = {s for choices in self.light_choices for c in choices for s in c.masters}
        behind = {s for f in direct for c in self.flat_choices.get(f, ()) for s in c.masters}
        return [s for s in self.sets if s in direct | behind]

    def _group(
        self, lights: Lights, choices: Sequence[Choice], names: dict[FrameSet, str]
    ) -> LightGroup:
        first = lights.frames[0]
        exposures = [info.exposure_s for info in lights.frames if info.exposure_s is not None]
        return LightGroup(
            name=lights.name,
            object=lights.object,
            filter=choices[0].target.facts["filter"],
            camera=choices[0].target.facts["camera"],
            height=first.height,
            width=first.width,
            channels=first.channels,
            binning=first.binning,
            exposure_s=sum(exposures) if exposures else None,
            reasons=lights.reasons,
            assignments=self._assignments(choices, names),
        )

    def _assignments(
        self, choices: Iterable[Choice], names: dict[FrameSet, str]
    ) -> tuple[Assignment, ...]:
        """Return one assignment for all choices that calibrate frames of equal settings alike."""
        alike: dict[tuple[object, ...], list[Choice]] = defaultdict(list)
        for choice in choices:
            target = choice.target
            key: tuple[object, ...] = (choice.bias, choice.dark, choice.flat, choice.dark_scaling)
            key = (*key, target.facts["gain"], target.calibrated)
            if target.kind is FrameKind.LIGHT:
                key = (*key, target.exposure_s, choice.reasons)
            alike[key].append(choice)
        return tuple(_assignment(members, names) for members in alike.values())

    def _unused(self, needed: Collection[FrameSet]) -> Iterator[Unused]:
        """Yield every frame that takes no part, with the reason."""
        if self.unknown:
            yield Unused(
                self.unknown,
                counted(len(self.unknown), "frame", "frames"),
                "cannot tell what for: no header, name or folder says it",
            )
        for aside in self.aside:
            yield Unused(aside.paths, plural(aside.kind, aside.paths), aside.reason)
        choices = [c for group in self.light_choices for c in group]
        flats = [c for s in needed for c in self.flat_choices.get(s, ())]
        for frames in self.sets:
            if frames not in needed:
                reason = _why_unused(frames, choices, flats, self.settings)
                yield Unused(frames.paths, frames.label, reason)

    def _record(self, needed: Sequence[FrameSet]) -> PlanRecord:
        """Return what the rules look at."""
        settings = self.settings
        lights = [c for group in self.light_choices for c in group]
        flats = [c for s in needed for c in self.flat_choices.get(s, ())]
        serving = {path for s in needed for path in s.paths}.union(
            *(s.paths for choice in (*lights, *flats) for s in choice.fitting())
        )
        return PlanRecord(
            refused=self.refused,
            set_aside=tuple(self.aside),
            pairings=tuple(
                pairing
                for choice in (*lights, *flats)
                for pairing in pairings(choice)
                if not _others_business(pairing, serving)
            ),
            lights=tuple(choice.record for choice in lights),
            flats=tuple(choice.record for choice in flats),
            light_groups=tuple(
                SetRecord(
                    label=f"{plural(FrameKind.LIGHT, group.frames)} {group.name}",
                    kind=FrameKind.LIGHT,
                    paths=tuple(info.path for info in group.frames),
                )
                for group in self.lights
            ),
            integrated=tuple(s.record() for s in needed if not s.is_master),
            idle_flat_filters=tuple(
                dict.fromkeys(
                    s.facts["filter"]
                    for s in self.sets
                    if s.kind is FrameKind.FLAT and s not in needed and s.facts["filter"]
                )
            ),
            temperature_error_c=settings.temperature_error_c,
            flat_age_days=settings.flat_age_days,
            few_frames=settings.few_frames,
            fewest_frames=settings.fewest_frames,
            master_noise_percent=settings.master_noise_percent,
        )


def _set_aside(
    frames: Iterable[FrameInfo], settings: MatchSettings
) -> tuple[list[SetAside], list[FrameInfo]]:
    """Divide frames into those that are processed already and those to plan with."""
    aside: dict[tuple[FrameKind, str, bool], list[Path]] = defaultdict(list)
    used = []
    for info in frames:
        stacked = info.is_master or (info.frames_combined or 1) > 1
        if info.kind is FrameKind.LIGHT and stacked:
            aside[info.kind, "integrated before", True].append(info.path)
        elif (
            info.kind
            and info.calibration
            and not info.is_master
            and settings.calibrated_frames != "use"
        ):
            done = ", ".join(sorted(kind.value for kind in info.calibration))
            aside[info.kind, f"calibrated before ({done})", False].append(info.path)
        else:
            used.append(info)
    return [
        SetAside(kind=kind, paths=tuple(paths), reason=reason, stacked=stacked)
        for (kind, reason, stacked), paths in aside.items()
    ], used


def _others_business(pairing: Pairing, serving: Collection[Path]) -> bool:
    """Whether a refused candidate is simply another camera's, and serves, or would serve, there.

    Frames of another size by the very same camera are no other camera's.
    """
    camera = pairing.of("camera")
    one_camera = camera is not None and camera.outcome is Outcome.SAME
    other = pairing.differs("camera") or (pairing.differs("geometry") and not one_camera)
    return not pairing.used and other and set(pairing.source.paths) <= set(serving)


def _assignment(choices: Sequence[Choice], names: dict[FrameSet, str]) -> Assignment:
    first = choices[0]
    target = first.target
    temperatures = [c.target.temperature_c for c in choices if c.target.temperature_c is not None]
    nights = {info.night.isoformat() for c in choices for info in c.target.frames if info.night}

    def name(frames: FrameSet | None) -> str | None:
        return None if frames is None else names.get(frames)

    return Assignment(
        frames=tuple(sorted(path for choice in choices for path in choice.target.paths)),
        bias=name(first.bias),
        dark=name(first.dark),
        flat=name(first.flat),
        dark_scaling=first.dark_scaling,
        dark_holds_bias=first.record.dark_holds_bias,
        calibrated_before=first.record.already_calibrated,
        exposure_s=target.exposure_s,
        gain=target.facts["gain"],
        temperature_c=(min(temperatures), max(temperatures)) if temperatures else (),
        nights=tuple(sorted(nights)),
        reasons=first.reasons,
        matches=tuple(
            _match(ranked, names, taken=role in first.taken)
            for role, ranked in first.ranked.items()
            if ranked
        ),
    )


def _match(ranked: Sequence[Candidate], names: dict[FrameSet, str], *, taken: bool) -> Match:
    best = ranked[0]
    others = ranked[1:] if taken else ranked
    return Match(
        role=best.role,
        master=names.get(best.source) if taken else None,
        label=best.source.label,
        comparisons=best.comparisons,
        others=tuple(
            Other(other.source.label, _why_not(other, best if taken else None)) for other in others
        ),
    )


def _why_not(candidate: Candidate, best: Candidate | None) -> str:
    """Say why a candidate was not taken, `best` being the one that was."""
    if decisive := candidate.differing(Binding.DECISIVE):
        return ", ".join(comparison.text for comparison in decisive)
    if best is None:
        return "not needed"
    if best.named and not candidate.named:
        return "another master was named"
    if tolerated := candidate.differing(Binding.TOLERATED):
        return ", ".join(comparison.text for comparison in tolerated)
    return _why_behind(candidate, best)


def _why_behind(candidate: Candidate, best: Candidate) -> str:
    """Say why a candidate without any difference stands behind the best."""
    for quantity in ("exposure", "temperature", "night"):
        comparison = candidate.of(quantity)
        if comparison and candidate.distance(quantity) > best.distance(quantity):
            return comparison.text
    known = {c.quantity for c in best.comparisons if c.outcome is not Outcome.UNKNOWN}
    unknown = [c.quantity for c in candidate.comparisons if c.outcome is Outcome.UNKNOWN]
    if missing := [quantity for quantity in unknown if quantity in known]:
        return f"{', '.join(missing)} unknown"
    if candidate.source.is_master and not best.source.is_master:
        return "frames of the same facts are there to build the master from"
    return "equal in all that is known"


def _why_unused(
    frames: FrameSet,
    lights: Sequence[Choice],
    flats: Sequence[Choice],
    settings: MatchSettings,
) -> str:
    """Say why a set of calibration frames serves nothing."""
    targets = lights if frames.kind in {FrameKind.DARK, FrameKind.FLAT} else (*lights, *flats)
    targets = flats if frames.kind is FrameKind.FLAT_DARK else targets
    if not targets:
        return "there are no flats that they could serve"
    refusals: list[list[str]] = []
    for choice in targets:
        role = frames.kind
        decisive = [
            c.text
            for c in compare(choice.target, frames, role, settings)
            if c.outcome is Outcome.DIFFERENT and c.binding is Binding.DECISIVE
        ]
        refusals.append(decisive)
        if decisive:
            continue
        for candidate in choice.ranked.get(role, ()):
            if candidate.source is frames and role in choice.taken:
                best = choice.ranked[role][0]
                return f"{_why_not(candidate, best)}: {best.source.label} fits better"
    if all(refusals):
        return min(refusals, key=lambda texts: (len(texts), texts))[0]
    if frames.kind is FrameKind.BIAS:
        return "bias not needed: darks and flat-darks take it away"
    if frames.kind is FrameKind.FLAT_DARK:
        return "not needed: the flats are calibrated with other frames"
    return "not needed"


def _master_names(sets: Sequence[FrameSet]) -> list[str]:
    """Return a unique name for each set, made of what distinguishes masters of its kind."""
    names, distinctions = [], []
    for frames in sets:
        parts = [frames.kind.value]
        if frames.kind is FrameKind.FLAT:
            parts.append(slug(frames.facts["filter"] or "nofilter"))
        elif frames.kind is not FrameKind.BIAS:
            if frames.exposure_s is not None:
                parts.append(f"{frames.exposure_s:.5g}s")
            if frames.temperature_c is not None:
                parts.append(f"{frames.temperature_c:.0f}C")
        if frames.facts["gain"] is not None:
            parts.append(f"gain{frames.facts['gain']:.5g}")
        names.append("_".join(parts))
        night = frames.facts["night"]
        size = f"{frames.shape[2]}x{frames.shape[1]}"
        distinctions.append(f"{size}_{night.isoformat()}" if night else size)
    return unique_names(names, distinctions)
