"""Rules that headers alone decide: exposure and temperature of darks against those of lights."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._plan_records import (
    CalibrationRecord,
    Comparison,
    Outcome,
    Pairing,
    PlanRecord,
)
from lightframe.checks._rules import found, rule

__all__: list[str] = []

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@rule(
    "dark-exposure-mismatch",
    "the darks have another exposure than the lights and cannot be scaled",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def dark_exposure_mismatch(plan: PlanRecord) -> Iterator[Finding]:
    """Compare exposures of lights and darks that cannot be scaled.

    A dark of another exposure holds another amount of dark signal. It can be scaled only if
    bias frames tell how much of it is bias. Without them the dark is subtracted as it is: hot
    pixels, glow and level come out wrong by the ratio of the exposures.

    Example: darks of 120 s for lights of 300 s without bias frames: 60 % of the dark signal would
    stay in.
    """
    cases = _darks_of_other_exposure(plan, too_short_to_scale=False)
    yield from _exposure_findings(
        "dark-exposure-mismatch",
        cases,
        cause="darks of the lights' exposure are missing, and so are bias frames to scale with, or"
        " the settings forbid scaling",
        remedy="take darks of the exposure of the lights; or bias frames, so that longer darks can"
        " be scaled",
    )


@rule(
    "dark-shorter-than-light",
    "the darks are shorter than the lights: scaling them up would add their noise",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def dark_shorter_than_light(plan: PlanRecord) -> Iterator[Finding]:
    """Look for darks that would have to be scaled up (guide 4.2, 5.2).

    Darks to be scaled must be at least as long as the lights: scaling up multiplies the noise
    of the dark. Unless it is allowed, the dark is subtracted as it is, and part of the dark
    signal stays in the lights.

    Example: darks of 80 s for lights of 160 s: scaled by 2, their noise would double.
    """
    cases = _darks_of_other_exposure(plan, too_short_to_scale=True)
    yield from _exposure_findings(
        "dark-shorter-than-light",
        cases,
        cause="the exposure of the lights was raised after the darks had been taken",
        remedy="take darks at least as long as the longest light; or accept their noise with"
        " match.allow_dark_scale_up = true",
    )


def _darks_of_other_exposure(
    plan: PlanRecord, *, too_short_to_scale: bool
) -> dict[tuple[Any, ...], list[Pairing]]:
    """Return, by dark, the pairings in which a dark of another exposure is subtracted as it is."""
    cases: dict[tuple[Any, ...], list[Pairing]] = defaultdict(list)
    for record in plan.lights:
        pairing = record.dark_pairing
        exposure = None if pairing is None else pairing.of("exposure")
        if pairing is None or exposure is None or exposure.outcome is not Outcome.DIFFERENT:
            continue
        shorter = (exposure.difference or 0.0) < 0
        could_scale = record.bias_at_hand and record.scaling_allowed
        if record.dark_scaling == "none" and (shorter and could_scale) == too_short_to_scale:
            cases[pairing.source.paths].append(pairing)
    return cases


def _exposure_findings(
    name: str, cases: dict[tuple[Any, ...], list[Pairing]], *, cause: str, remedy: str
) -> Iterator[Finding]:
    for pairings in cases.values():
        source = pairings[0].source
        wanted = sorted({p.target.exposure_s for p in pairings if p.target.exposure_s is not None})
        lights = ", ".join(f"{number(value, 5)}" for value in wanted)
        plain = "is subtracted as it is" if len(source.paths) == 1 else "are subtracted as they are"
        tolerances = [c.tolerance for p in pairings if (c := p.of("exposure")) is not None]
        yield found(
            name,
            frames=source.paths,
            message=f"{source.label} {plain} from lights of {lights} s",
            cause=cause,
            remedy=remedy,
            evidence={
                "dark_exposure_s": source.exposure_s,
                "light_exposures_s": wanted,
                "tolerance_s": max(t for t in tolerances if t is not None),
                "lights": sum(len(pairing.target.paths) for pairing in pairings),
            },
        )


@rule(
    "dark-temperature-mismatch",
    "darks and lights were taken at different sensor temperatures",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def dark_temperature_mismatch(plan: PlanRecord) -> Iterator[Finding]:
    """Compare temperatures of lights and darks.

    Dark current doubles every 5 to 7 degrees, so 3 degrees change hot pixels by a third. Set
    points are compared where the sensor has reached them, else measured temperatures. For a
    cooled camera a difference above the tolerance is a warning, above `temperature_error_c` an
    error. Without a set point it is a warning, or a note if the dark is optimised, which is
    what the guide recommends for cameras without temperature control (8.1, 8.6).

    Example: darks at -10 °C for lights at -20 °C: hot pixels of the dark are 3.2 times as
    bright as those of the lights.
    """
    cases: dict[tuple[Any, ...], list[tuple[CalibrationRecord, Pairing, Comparison]]] = defaultdict(
        list
    )
    for record in plan.lights:
        pairing = record.dark_pairing
        temperature = None if pairing is None else pairing.of("temperature")
        if pairing is None or temperature is None or temperature.outcome is not Outcome.DIFFERENT:
            continue
        severity = _temperature_severity(record, pairing, temperature, plan.temperature_error_c)
        cases[pairing.source.paths, severity].append((record, pairing, temperature))
    for (paths, severity), members in cases.items():
        source = members[0][1].source
        worst = max((m[2] for m in members), key=lambda c: abs(c.difference or 0.0))
        scaled = {record.dark_scaling for record, _, _ in members} != {"none"}
        bias_at_hand = any(record.bias_at_hand for record, _, _ in members)
        yield found(
            "dark-temperature-mismatch",
            frames=paths,
            severity=severity,
            message=f"{source.label}: {worst.text}"
            + ("; the dark is scaled to fit" if scaled else "; the dark is subtracted as it is"),
            cause="another set point, a cooler at its limit, or another season",
            remedy="take darks at the temperature of the lights"
            + ("" if scaled or bias_at_hand else "; bias frames would allow darks to be optimised"),
            evidence={
                "difference_c": worst.difference,
                "tolerance_c": worst.tolerance,
                "error_above_c": plan.temperature_error_c,
                "cooled": source.cooled,
                "lights": sum(len(pairing.target.paths) for _, pairing, _ in members),
            },
        )


def _temperature_severity(
    record: CalibrationRecord, pairing: Pairing, temperature: Comparison, error_c: float
) -> Severity:
    if pairing.target.cooled or pairing.source.cooled:
        return _ERROR if abs(temperature.difference or 0.0) > error_c else _WARNING
    return _WARNING if record.dark_scaling == "none" else _INFO
