"""Rules that headers alone decide, on what a plan has to do without: flats, darks, frames."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from pathlib import Path

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._findings_without_dark import dark_missing, dark_subtracted_by_camera
from lightframe.checks._numbers import counted, number
from lightframe.checks._plan_records import (
    CalibrationRecord,
    Pairing,
    PlanRecord,
    SetRecord,
    paths_of,
)
from lightframe.checks._rules import found, rule
from lightframe.frames._info import FrameKind

__all__: list[str] = []

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_CAUSES_OF_CHANGE = {
    _WARNING: (
        "the camera was turned, or the optics were changed, between flats and lights",
        "take flats with the light path of the lights",
    ),
    _INFO: (
        "the flats are of another time: dust moves, and the light path may have been touched",
        "look at dust shadows in the result; take new flats if they are left",
    ),
}


@rule(
    "flat-dark-exposure-mismatch",
    "the flat-darks have another exposure than the flats",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def flat_dark_exposure_mismatch(plan: PlanRecord) -> Iterator[Finding]:
    """Compare exposures of flats and flat-darks, which are never scaled (guide 4.3, 5.2).

    Flat-darks hold the dark signal of their own exposure. Where bias frames fit, they are used
    instead and this is a warning.

    Example: flat-darks of 2.5 s for flats of 4 s.
    """
    cases: dict[tuple[tuple[Path, ...], bool], list[Pairing]] = {}
    for record in plan.flats:
        pairing = record.dark_pairing
        if pairing is None or pairing.role is not FrameKind.FLAT_DARK:
            continue
        if pairing.differs("exposure"):
            cases.setdefault((pairing.source.paths, pairing.used), []).append(pairing)
    for (paths, used), pairings in cases.items():
        served = any(
            record.dark is not None and record.dark.paths == paths and not other.differs("exposure")
            for record in plan.flats
            if (other := record.dark_pairing) is not None
        )
        if served and not used:
            continue  # they are somebody else's flat-darks
        flats = sorted({p.target.exposure_s or 0.0 for p in pairings})
        exposure = pairings[0].of("exposure")
        yield found(
            "flat-dark-exposure-mismatch",
            frames=(*paths, *paths_of(p.target for p in pairings)),
            severity=_ERROR if used else _WARNING,
            message=f"{pairings[0].source.label} for flats of "
            f"{', '.join(f'{number(value, 5)}' for value in flats)} s: "
            + ("used for lack of others" if used else "other frames are used instead"),
            cause="the exposure of the flats was changed, or set automatically frame by frame",
            remedy="take flat-darks with the exposure of the flats, or bias frames",
            evidence={
                "flat_dark_exposure_s": pairings[0].source.exposure_s,
                "flat_exposures_s": flats,
                "tolerance_s": None if exposure is None else exposure.tolerance,
                "used": used,
            },
        )


@rule(
    "flats-uncalibrated",
    "there is nothing to calibrate the flats with",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def flats_uncalibrated(plan: PlanRecord) -> Iterator[Finding]:
    """Tell of flats that keep their bias, and their dark signal if they are long.

    Both must go before flats are integrated. A flat that keeps its bias is too even: it under-
    corrects, and vignetting stays in the lights (guide 6.2.1, 8.4).

    Example: flats of 5000 DN that keep 1920 DN of bias correct a corner of 70 % light to 89 % of
    what it should be.
    """
    bare = [r for r in plan.flats if r.bias_left > 0 and not _explained(plan, r)]
    if not bare:
        return
    by_settings = all(record.by_settings for record in bare)
    yield found(
        "flats-uncalibrated",
        frames=paths_of(record.target for record in bare),
        group=Group.SETTINGS if by_settings else Group.ACQUISITION,
        message=f"{counted(_count(bare), 'flat stays', 'flats stay')} uncalibrated: "
        + (
            "the settings say so" if by_settings else "there are neither flat-darks nor bias frames"
        ),
        cause="the settings forbid what would be there"
        if by_settings
        else "flat-darks and bias frames were not taken, or are not in the folders given",
        remedy='set match.flat_calibration = "auto"'
        if by_settings
        else "take flat-darks with the exposure of the flats, or bias frames",
        evidence={"flats": _count(bare)},
    )


@rule(
    "flat-filter-missing",
    "lights of a filter have no flat",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def flat_filter_missing(plan: PlanRecord) -> Iterator[Finding]:
    """Look for flats of each filter: each has its own dust and vignetting (guide 5.4, 6.2).

    Flats of another filter are not used. Reported where there are flats, but none for this filter.

    Example: 20 lights of Ha, and flats of L, R, G and B only.
    """
    missing = [p for p in plan.pairings if not p.used and p.differs("filter")]
    by_filter: dict[str, list[Pairing]] = {}
    for pairing in missing:
        comparison = pairing.of("filter")
        by_filter.setdefault(str(comparison and comparison.wanted), []).append(pairing)
    for name, pairings in by_filter.items():
        lights = paths_of(pairing.target for pairing in pairings)
        idle = plan.idle_flat_filters
        yield found(
            "flat-filter-missing",
            frames=lights,
            message=f"{counted(len(lights), 'light', 'lights')} of filter {name}"
            f" {'has' if len(lights) == 1 else 'have'} no flat",
            cause="no flats were taken for it, or they are not in the folders given"
            + (
                f"; or it has another name there: flats of {', '.join(idle)} serve no lights"
                if idle
                else ""
            ),
            remedy="take flats with this filter"
            + (
                f"; if it is the same filter under another name, set match.filter_aliases ="
                f' "{idle[0]}={name}"'
                if idle
                else ""
            ),
            evidence={"filter": name, "lights": len(lights)},
        )


@rule(
    "flat-geometry-changed",
    "the light path changed between flats and lights",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def flat_geometry_changed(plan: PlanRecord) -> Iterator[Finding]:
    """Compare the light paths of flats and lights: rotation, focus, reducer (guide 5.4, 8.5).

    Told by rotation and focal length in the headers; half a turn, as after a meridian flip with the
    angle given on the sky, is no change. Flats of many days before or after are only mentioned.

    Example: the rotator at 92.0 degrees for the flats and 87.5 for the lights: dust shadows lie
    elsewhere.
    """
    cases: dict[tuple[str, Severity], list[tuple[Pairing, str]]] = defaultdict(list)
    for pairing in plan.pairings:
        if pairing.role is not FrameKind.FLAT or not pairing.used:
            continue
        changed = [
            comparison
            for quantity in ("rotation", "focal_length")
            if (comparison := pairing.of(quantity)) is not None and pairing.differs(quantity)
        ]
        for comparison in changed:
            cases[comparison.quantity, _WARNING].append((pairing, comparison.text))
        night = pairing.of("night")
        days = 0.0 if night is None else abs(night.difference or 0.0)
        if days > plan.flat_age_days and not changed:
            cases["night", _INFO].append((pairing, f"{days:.0f} days apart"))
    for (quantity, severity), members in cases.items():
        changes = list(dict.fromkeys(text for _, text in members))
        cause, remedy = _CAUSES_OF_CHANGE[severity]
        lights = paths_of(pairing.target for pairing, _ in members)
        yield found(
            "flat-geometry-changed",
            frames=paths_of(pairing.source for pairing, _ in members),
            severity=severity,
            message=f"flats for {counted(len(lights), 'light', 'lights')}: {', '.join(changes)}",
            cause=cause,
            remedy=remedy,
            evidence={"quantity": quantity, "changes": changes, "lights": len(lights)},
        )


@rule(
    "no-dark",
    "lights are integrated without a dark",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def no_dark(plan: PlanRecord) -> Iterator[Finding]:
    """Tell of lights without a dark: hot pixels, glow and dark signal stay in (guide 4.2).

    Where darks are there but do not fit, the rule that tells why reports it instead. Without bias
    as well, flats over-correct (guide 8.4).

    Smart telescopes subtract a dark before they write their frames. Of a camera known for that it
    is only a remark: a second dark would be one too many. The pixels are the witness: where values
    come in the even steps of the ADC, nothing was subtracted, and it is a warning after all.

    Example: 16 lights, flats, and neither darks nor bias frames.
    """
    cases: dict[tuple[bool, bool], list[CalibrationRecord]] = defaultdict(list)
    for record in _without(plan, plan.lights, FrameKind.DARK):
        cases[record.target.sensor.subtracts_dark, record.bias is not None].append(record)
    for (subtracted, bias), bare in cases.items():
        lights = paths_of(record.target for record in bare)
        flat = any(record.flat is not None for record in bare)
        about = dark_subtracted_by_camera if subtracted else dark_missing
        yield about(lights, bias=bias, flat=flat)


@rule(
    "no-flat",
    "lights are integrated without a flat",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def no_flat(plan: PlanRecord) -> Iterator[Finding]:
    """Tell of lights without a flat: vignetting, dust shadows, unequal pixels stay (guide 4.4).

    Example: 16 lights and 12 darks, but no flat.
    """
    bare = _without(plan, plan.lights, FrameKind.FLAT)
    if bare:
        yield found(
            "no-flat",
            frames=paths_of(record.target for record in bare),
            message=f"{counted(_count(bare), 'light has', 'lights have')} no flat",
            cause="no flats were taken, or they are not in the folders given",
            remedy="take flats with the unchanged light path, one set a filter",
            evidence={"lights": _count(bare)},
        )


@rule(
    "too-few-frames",
    "a set has so few frames that it adds noise, or outliers stay in",
    severity=_INFO,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def too_few_frames(plan: PlanRecord) -> Iterator[Finding]:
    """Measure the noise that each master adds to the results, or count its frames (guide 6).

    The noise of a master falls with the root of the number of its frames. Lights that show the same
    field pixel by pixel average their own noise, but not the master's; dithered lights average
    both. A run measures the noise of lights and masters, and how far the lights are dithered: above
    `master_noise_percent` it is a warning, with the number of frames that would do.

    Before a run frames are counted, which makes a forecast of the worst case, often far above what
    the run measures: N calibration frames raise the noise of a result of n lights by up to
    ``sqrt(1 + n / N) - 1``, if the lights are not dithered and their noise is that of the readout.
    With fewer than three frames outliers cannot be told from signal: that is a warning.

    Example: 20 lights and 5 darks: a forecast of up to 124 % more noise, where the readout
    dominates; under a bright sky and dithered, the run measures 2 %.
    """
    yield from _noisy_masters(plan)
    counted = [s for s in plan.integrated if not _noisy(plan, s)]
    scarce = [s for s in counted if len(s.paths) < plan.few_frames]
    few = [s for s in scarce if len(s.paths) >= plan.fewest_frames]
    fewest = [s for s in (*counted, *plan.light_groups) if len(s.paths) < plan.fewest_frames]
    if fewest:
        yield _scarce_finding(plan, fewest, _WARNING, plan.fewest_frames)
    if few:
        yield _scarce_finding(plan, few, _INFO, plan.few_frames)


def _noisy(plan: PlanRecord, frames: SetRecord) -> bool:
    measured = plan.measured_noise.get(frames.paths)
    return measured is not None and measured.percent > plan.master_noise_percent


def _noisy_masters(plan: PlanRecord) -> Iterator[Finding]:
    """Yield one finding for all masters that were found to add too much noise."""
    noisy = [(s, plan.measured_noise[s.paths]) for s in plan.integrated if _noisy(plan, s)]
    if not noisy:
        return
    noisy.sort(key=lambda item: -item[1].percent)
    limit = plan.master_noise_percent
    missing = {s.label: n.more_frames for s, n in noisy if n.more_frames is not None}
    wanted = ", ".join(f"{count} more for [{label}]" for label, count in missing.items())
    undithered = any(noise.undithered for _, noise in noisy)
    yield found(
        "too-few-frames",
        frames=paths_of(s for s, _ in noisy),
        severity=_WARNING,
        message="masters add noise to the result: "
        + ", ".join(f"[{s.label}] {noise.percent:.1f} %" for s, noise in noisy)
        + f" (allowed: {limit:g} %)",
        cause="fewer frames were taken than lights of so little noise need"
        + (", and the lights are hardly dithered: a master's noise adds up" * undithered),
        remedy=(f"take more frames: {wanted}" if missing else "use the plain master bias")
        + ("; or dither between the lights" * undithered),
        evidence={
            "adds_noise_percent": {s.label: round(noise.percent, 2) for s, noise in noisy},
            "allowed_percent": limit,
            "frames": {s.label: len(s.paths) for s, _ in noisy},
            "more_frames": missing,
            "lights_dithered": not undithered,
        },
    )


def _scarce_finding(
    plan: PlanRecord, sets: Sequence[SetRecord], severity: Severity, least: int
) -> Finding:
    """Return the finding on sets of few frames: what they add, as measured, or at the most."""
    measured = {
        s.label: round(plan.measured_noise[s.paths].percent, 2)
        for s in sets
        if s.paths in plan.measured_noise
    }
    guessed = [len(s.paths) for s in sets if s.paths not in plan.measured_noise]
    lights = max((len(group.paths) for group in plan.light_groups), default=0)
    raised = 100 * (sqrt(1 + lights / min(guessed)) - 1) if guessed and lights else None
    if severity is _WARNING:
        effect = "; outliers cannot be rejected"
    elif raised is not None:
        effect = (
            f"; forecast: they raise the noise of the result by up to {raised:.0f} %, where lights"
            " are not dithered and show little but the noise of the readout"
            + "; a run measures it"
            * (not plan.measured_noise)
        )
    elif measured:
        effect = f"; they raise the noise of the result by {max(measured.values()):.1f} % at most"
    else:
        effect = ""
    return found(
        "too-few-frames",
        frames=paths_of(sets),
        severity=severity,
        message=f"few frames in {counted(len(sets), 'set', 'sets')}: "
        + ", ".join(f"[{s.label}]" for s in sets)
        + effect,
        cause="fewer frames were taken than "
        + ("rejection needs" if severity is _WARNING else "the masters need"),
        remedy=f"take at least {least} frames of each kind, better 20 and more",
        evidence={
            "frames": {s.label: len(s.paths) for s in sets},
            "threshold": least,
            "noise_raised_percent": None if raised is None else round(raised, 1),
            "adds_noise_percent": measured,
        },
    )


def _explained(plan: PlanRecord, record: CalibrationRecord) -> bool:
    """Whether a frame that does not fit tells already why these flats stay uncalibrated."""
    return any(p.target.paths == record.target.paths and not p.used for p in plan.pairings)


def _without(
    plan: PlanRecord, records: Iterable[CalibrationRecord], kind: FrameKind
) -> list[CalibrationRecord]:
    """Return what lacks a master of `kind` for no reason that another rule tells."""
    explained = {p.target.paths for p in plan.pairings if p.role is kind and not p.used}
    return [
        record
        for record in records
        if not record.already_calibrated
        and (record.dark if kind is FrameKind.DARK else record.flat) is None
        and record.target.paths not in explained
    ]


def _count(records: Iterable[CalibrationRecord]) -> int:
    return sum(len(record.target.paths) for record in records)
