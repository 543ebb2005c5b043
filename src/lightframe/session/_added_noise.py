"""What the masters of a run add to the noise of its results, from the lights as they were measured.

The arithmetic is that of `lightframe.processes.added_noise`; here its inputs are put together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks import Finding, judge
from lightframe.checks._plan_records import MeasuredNoise
from lightframe.frames import FrameKind
from lightframe.processes import AddedNoise, LightStack, added_noise, own_noise
from lightframe.session._alignment import AlignedLight
from lightframe.session._calibrating import Master
from lightframe.session._lights import MeasuredLight
from lightframe.session._plan_types import LightGroup, Plan

__all__ = ["noise_by_masters", "record_added_noise", "with_measured_noise"]


_POINTS = ((0.5, 0.5), (0.15, 0.15), (0.85, 0.15), (0.15, 0.85), (0.85, 0.85))
"""Points of the reference at which lights are compared, as parts of width and height."""
_DITHERED = 0.5
"""Part of the lights that must be independent of each other for a stack to count as dithered."""
_MOSAIC_EXTENT_PX = 2.0
"""Interpolation of colours spreads a pixel to the next ones of its colour, two pixels away."""
_RULE = "too-few-frames"
_Costs = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Members:
    """The lights of one result, with what they share."""

    group: LightGroup
    lights: Sequence[MeasuredLight]
    weights: Float64
    positions: Float64
    extent_px: float
    masters: Mapping[str, Master] = field(repr=False)

    def stack(self, colour: int, costs: Sequence[_Costs]) -> LightStack:
        """Return the lights of one colour, the noise of their masters taken out."""
        noise = [
            own_noise(
                float(light.noise_dn[colour]),
                [
                    (sigma, cost)
                    for name, cost in costs[index].items()
                    if (sigma := _sigma(self.masters[name], colour)) is not None
                ],
            )
            for index, light in enumerate(self.lights)
        ]
        return LightStack(self.weights, np.array(noise), self.positions, self.extent_px)


def noise_by_masters(
    group: LightGroup,
    lights: Sequence[AlignedLight],
    parts: Sequence[Mapping[str, Any]],
    masters: Mapping[str, Master],
    limit: float,
) -> dict[str, dict[str, Any]]:
    """Work out what each master adds to one result.

    Parameters
    ----------
    group : LightGroup
        The result's group.
    lights : sequence of AlignedLight
        The lights in it, registered: their shifts tell how far they are dithered.
    parts : sequence of mapping
        Weight and scale of each, as run.json has them.
    masters : mapping of str to Master
        All masters by name.
    limit : float
        Added noise to be reached, 0.05 for 5 percent.

    Returns
    -------
    dict
        By name of the master: ``group``, number of ``lights`` in it, how many ``independent`` ones
        dithering makes of them, and for each channel or colour ``percent`` added and
        ``frames_needed``. Masters whose noise is not known (given ones) are left out.
    """
    members = _members(group, lights, parts, masters)
    found: dict[str, list[AddedNoise]] = {}
    independent = 0.0
    for colour in range(len(members.lights[0].noise_dn)):
        costs = [_costs(light, colour, masters) for light in members.lights]
        stack = members.stack(colour, costs)
        independent = stack.independent()
        for name in dict.fromkeys(name for cost in costs for name in cost):
            master = masters[name]
            sigma = _sigma(master, colour)
            if sigma is None:
                continue
            # The pattern that a superbias lacks does not fall with its frames.
            frames = None if master.record["superbias"] else master.record["frames"]
            shares = [cost.get(name, 0.0) for cost in costs]
            added = added_noise(stack, sigma, shares, frames=frames, limit=limit)
            found.setdefault(name, []).append(added)
    return {
        name: {
            "group": group.name,
            "lights": len(members.lights),
            "independent": independent,
            "percent": [100 * added.fraction for added in colours],
            "frames_needed": _most([added.frames_needed for added in colours]),
        }
        for name, colours in found.items()
    }


def _members(
    group: LightGroup,
    lights: Sequence[AlignedLight],
    parts: Sequence[Mapping[str, Any]],
    masters: Mapping[str, Master],
) -> _Members:
    calibration = lights[0].light.treatment.calibration
    x, y = np.array(_POINTS).T * [[calibration.width], [calibration.height]]
    points = np.stack((x, y, np.ones_like(x)))
    places = []
    for aligned in lights:
        u, v, w = aligned.inverse @ points
        places.append(np.stack((u / w, v / w), axis=1))
    cfa = lights[0].light.cfa
    return _Members(
        group,
        [aligned.light for aligned in lights],
        np.array([part["weight"] * (part["scale"] or 1.0) for part in parts]),
        np.stack(places, axis=1),
        1.0 if cfa is None else _MOSAIC_EXTENT_PX,
        masters,
    )


def _sigma(master: Master, colour: int) -> float | None:
    """Return the noise of a master, of a flat relative to its level; None if it is not known."""
    key = "relative_noise" if master.job.kind is FrameKind.FLAT else "random_noise_dn"
    values = master.record[key]
    return None if values is None else float(values[min(colour, len(values) - 1)])


def _costs(light: MeasuredLight, colour: int, masters: Mapping[str, Master]) -> _Costs:
    """Return what noise of one unit in each master is in a light, see `added_noise`."""
    costs: _Costs = {}
    for name, cost in (*_subtracted(light, colour), *_divided(light, colour, masters)):
        costs[name] = costs.get(name, 0.0) + cost
    return costs


def _subtracted(light: MeasuredLight, colour: int) -> Iterator[tuple[str, float]]:
    assignment, calibration = light.treatment.assignment, light.treatment.calibration
    k = 1.0
    if light.dark_scale is not None:
        factors = light.dark_scale.factors
        k = factors[min(colour, len(factors) - 1)]
    without_bias = calibration.settings.calibrate_dark
    if without_bias is None:
        without_bias = assignment.dark_holds_bias
    if assignment.dark is not None:
        yield assignment.dark, k
    if assignment.bias is None:
        return
    if assignment.dark is None or not without_bias:
        yield assignment.bias, 1.0
    elif calibration.scales_dark:
        yield assignment.bias, 1.0 - k


def _divided(
    light: MeasuredLight, colour: int, masters: Mapping[str, Master]
) -> Iterator[tuple[str, float]]:
    """Yield flat, and what the flats were calibrated with: their noise goes with the sky."""
    name, calibration = light.treatment.assignment.flat, light.treatment.calibration
    scale = calibration.flat_scale
    if name is None or scale is None:
        return
    level = float(light.statistics.location[colour])
    yield name, level
    part = level / scale.factors[min(colour, len(scale.factors) - 1)]
    steps = masters[name].job.steps
    if len(steps) != 1 or len(steps[0].frames) != len(masters[name].job.frames):
        return
    step = steps[0]
    if step.bias is not None:
        yield step.bias, -part
    if step.dark is not None and step.dark_scaling == "none":
        yield step.dark, -part


def _most(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) and known else None


def record_added_noise(
    group: LightGroup,
    lights: Sequence[AlignedLight],
    parts: Sequence[Mapping[str, Any]],
    masters: Mapping[str, Master],
    limit: float,
) -> None:
    """Enter what the masters add to one more result into their records.

    The arguments are those of `noise_by_masters`. ``adds_noise_percent`` is that of the result and
    colour where it is the most; ``more_frames`` how many frames more would bring it to the limit
    everywhere.
    """
    for name, entry in noise_by_masters(group, lights, parts, masters, limit).items():
        record = masters[name].record
        entries = [*record["adds_noise"], entry]
        record["adds_noise"] = entries
        record["adds_noise_percent"] = max(max(item["percent"]) for item in entries)
        needed = _most([item["frames_needed"] for item in entries])
        record["more_frames"] = None if needed is None else max(0, needed - record["frames"])


def with_measured_noise(
    findings: Sequence[Finding], plan: Plan, masters: Iterable[Master]
) -> list[Finding]:
    """Judge the numbers of frames again, now that the noise they add has been measured.

    Parameters
    ----------
    findings : sequence of Finding
        All findings; those of the plan on numbers of frames are replaced.
    plan : Plan
        What was planned.
    masters : iterable of Master
        Their records are complete.
    """
    if plan.record is None:
        return list(findings)
    measured = {
        master.job.frames: MeasuredNoise(
            percent=master.record["adds_noise_percent"],
            more_frames=master.record["more_frames"],
            undithered=any(_undithered(entry) for entry in master.record["adds_noise"]),
        )
        for master in masters
        if master.record["adds_noise_percent"] is not None
    }
    again = judge(replace(plan.record, measured_noise=measured))
    again = tuple(finding for finding in again if finding.rule == _RULE)
    # What the lights themselves tell of the same noise is said in the same place.
    seen = [f.message for f in findings if f.rule == _RULE and f not in plan.findings]
    if again and seen:
        evidence = {**again[0].evidence, "seen_in_lights": seen}
        again = (replace(again[0], evidence=evidence), *again[1:])
    return [finding for finding in findings if finding.rule != _RULE] + list(again)


def _undithered(entry: Mapping[str, Any]) -> bool:
    """Whether the lights of a result are dithered so little that a master's noise adds up."""
    return bool(entry["lights"] > 1 and entry["independent"] < _DITHERED * entry["lights"])
