"""The findings of a run on its calibrated lights."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lightframe.checks import CalibratedSet, Finding, ResultEvidence, judge
from lightframe.processes import flat_verdict
from lightframe.session._calibrating import Master
from lightframe.session._context import Context
from lightframe.session._lights import MeasuredLight
from lightframe.session._plan_types import Assignment, LightGroup, Plan

__all__ = ["judge_lights"]


def judge_lights(
    groups: Sequence[LightGroup],
    lights: Sequence[MeasuredLight],
    masters: Mapping[str, Master],
    plan: Plan,
    context: Context,
) -> tuple[Finding, ...]:
    """Judge the lights of one field after pass 1 and registration.

    Parameters
    ----------
    groups : sequence of LightGroup
        The groups of the field.
    lights : sequence of MeasuredLight
        Their lights, as far as they could be calibrated.
    masters : mapping of str to Master
        All masters by name.
    plan : Plan
        What was planned, and what its rules have said.
    context : Context
        Settings and folders.
    """
    by_path = {light.info.path: light for light in lights}
    sets = []
    for group in groups:
        for part in group.assignments:
            members = [by_path[path] for path in part.frames if path in by_path]
            if members:
                sets.append(_calibrated_set(group, part, members, masters, plan))
    evidence = ResultEvidence(
        sets=tuple(sets), findings=plan.findings, settings=context.settings.check
    )
    return judge(evidence)


def _calibrated_set(
    group: LightGroup,
    part: Assignment,
    members: Sequence[MeasuredLight],
    masters: Mapping[str, Master],
    plan: Plan,
) -> CalibratedSet:
    """Put together what is known of the lights of one assignment."""
    flats = () if part.flat is None else plan.master(part.flat).frames
    steps = () if part.flat is None else plan.master(part.flat).steps
    exposure = "" if part.exposure_s is None else f" {part.exposure_s:.5g} s"
    lights = tuple(light.evidence for light in members)
    fits = [light.flat_fit for light in lights if light.flat_fit is not None]
    return CalibratedSet(
        label=f"{len(members)} lights {group.name}{exposure}",
        lights=lights,
        flats=flats,
        darks=_frames(plan, (part.dark, part.bias)),
        others=_frames(plan, (name for step in steps for name in step.masters)),
        verdict=flat_verdict(fits),
        bias_dn=_bias_level(part, masters),
    )


def _frames(plan: Plan, names: Iterable[str | None]) -> tuple[Path, ...]:
    chosen = [plan.master(name).frames for name in names if name is not None]
    return tuple(dict.fromkeys(path for frames in chosen for path in frames))


def _bias_level(part: Assignment, masters: Mapping[str, Master]) -> float | None:
    """Return the level of the master bias, or of a master dark that holds its bias, in DN."""
    for name in (part.bias, part.dark):
        if name is not None and (name == part.bias or part.dark_holds_bias):
            return round(float(masters[name].record["median_dn"][0]), 1)
    for master in masters.values():
        if master.job.kind.value in {"bias", "flat-dark"} and master.job.gain == part.gain:
            return round(float(master.record["median_dn"][0]), 1)
    return None
