"""Rules that headers alone decide, by what a plan has to do without: matching of frames."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._plan_records import (
    CalibrationRecord,
    Comparison,
    Outcome,
    Pairing,
    PlanRecord,
    SetRecord,
)
from lightframe.checks._rules import found, rule

__all__: list[str] = []

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@rule(
    "unreadable-file",
    "a file is truncated, corrupt, or not an image",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def unreadable_file(plan: PlanRecord) -> Iterator[Finding]:
    """Report what the reader of the file says of it.

    The file is left out and the run goes on with the others. Copy the file again from the camera
    or capture computer; if it is broken there as well, delete it.

    Example: light_0007.fits: the file ends after 1 209 600 of 2 018 880 bytes.
    """
    for path, reason in plan.refused:
        yield found(
            "unreadable-file",
            frames=[path],
            message=f"{path.name} cannot be read: {reason}",
            cause="an interrupted transfer or download, a full disk, or a file of another kind",
            remedy="copy the file again from the capture computer, or delete it",
            evidence={"reader": reason},
        )


@rule(
    "already-calibrated",
    "a frame among the raw frames has been calibrated or integrated before",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=PlanRecord,
)
def already_calibrated(plan: PlanRecord) -> Iterator[Finding]:
    """Headers of processed frames say so: CALSTAT, HISTORY, number of combined frames.

    Calibrating a frame twice subtracts the bias twice and divides by the flat twice. Such frames
    are left out, unless the setting `calibrated_frames` is ``use``. Integrated frames are usually
    the telescope's own stack lying beside its raw frames; leaving them out is only mentioned.

    Example: 12 lights whose CALSTAT is BDF: bias, dark and flat are done already.
    """
    for aside in plan.set_aside:
        yield found(
            "already-calibrated",
            frames=aside.paths,
            severity=_INFO if aside.stacked else _ERROR,
            message=f"{len(aside.paths)} {aside.kind} frames are left out: {aside.reason}",
            cause="results of an earlier processing lie among the raw frames",
            remedy="give the raw frames instead; or, if there are no others, set"
            ' calibrated_frames = "use"',
            evidence={"reason": aside.reason, "frames": len(aside.paths)},
        )


@dataclass(frozen=True, slots=True)
class _Mismatch:
    """One quantity in which calibration frames must not differ."""

    rule: str
    quantity: str
    meaning: str
    explanation: str
    cause: str
    remedy: str
    example: str


_MISMATCHES = (
    _Mismatch(
        "camera-mismatch",
        "camera",
        "calibration frames come from another camera",
        "Fixed pattern, bias and dark current belong to one sensor. Names are compared without"
        " case, punctuation and the maker's additions; names such as 'ASCOM Camera' say nothing.",
        "frames of another camera lie in these folders, or the driver names the camera otherwise",
        "take calibration frames with the camera of the lights; if it is the same camera under"
        ' another name, set ignored_quantities = "camera"',
        "darks by an ASI294MC Pro for lights by an ASI2600MC Pro.",
    ),
    _Mismatch(
        "format-mismatch",
        "format",
        "camera raw files are mixed with FITS of the same camera",
        "Programs that convert camera raw files to FITS often rescale 12 or 14 bits to 16, crop the"
        " masked borders, or subtract the black level. Calibration needs both sides untouched.",
        "one kind of frame was saved by the camera, the other by a capture program",
        "save all frames in one format, best all by the capture program",
        "lights as CR2 with values up to 16383, darks as FITS with values up to 65532.",
    ),
    _Mismatch(
        "binning-mismatch",
        "binning",
        "calibration frames have another binning than the lights",
        "Binned pixels have another bias, noise and size; frames cannot be binned later to fit.",
        "the binning was changed between lights and calibration frames",
        "take calibration frames with the binning of the lights",
        "darks binned 1 x 1 for lights binned 2 x 2.",
    ),
    _Mismatch(
        "geometry-mismatch",
        "geometry",
        "calibration frames have another size than the lights",
        "Pixels are matched one by one; frames of another size are never resized or cropped.",
        "a sub-frame or crop, another driver, or frames that have been processed already",
        "take calibration frames of the full size of the lights",
        "flats of 6248 x 4176 pixels for lights of 6244 x 4168.",
    ),
    _Mismatch(
        "readout-mode-mismatch",
        "readout_mode",
        "calibration frames were read out in another mode",
        "Readout modes differ in conversion gain, bias level and noise (guide 5.2).",
        "the readout mode was changed between lights and calibration frames",
        "take calibration frames in the readout mode of the lights",
        "darks in the mode High Gain for lights in the mode Photographic.",
    ),
    _Mismatch(
        "gain-mismatch",
        "gain",
        "calibration frames have another gain or ISO",
        "Bias level, noise and dark current in DN all depend on the gain; all frames of a session"
        " need the same (guide 5.2). Flats of another gain are used where there are no others,"
        " since their shape survives once they are calibrated with frames of their own gain.",
        "the gain was changed between lights and calibration frames",
        "take calibration frames with the gain of the lights; if a header is wrong, set"
        ' ignored_quantities = "gain"',
        "darks of gain 0 for lights of gain 100.",
    ),
    _Mismatch(
        "offset-mismatch",
        "offset",
        "calibration frames have another offset",
        "The offset is a constant in every pixel: if it differs, that constant is left in or taken"
        " too much, and the flat over- or under-corrects (guide 5.2, 8.4).",
        "the offset was changed, or another program or driver with its own default was used",
        "take calibration frames with the offset of the lights; if a header is wrong, set"
        ' ignored_quantities = "offset"',
        "darks of offset 10 for lights of offset 50.",
    ),
    _Mismatch(
        "cfa-pattern-wrong",
        "colours",
        "the colour pattern in the header cannot be right",
        "Frames of one camera and size have one pattern. If headers claim two, one of them is"
        " wrong, or the frames are stored upside down or cropped by an odd number of pixels.",
        "the row order or crop differs between programs, or a header is wrong",
        "take all frames with one program; if only a header is wrong, set"
        ' ignored_quantities = "colours"',
        "BAYERPAT is RGGB in the lights and GBRG in the flats of the same camera and size.",
    ),
    _Mismatch(
        "frame-flipped",
        "row_order",
        "calibration frames are mirrored against the lights",
        "ROWORDER says whether the first stored row is the top of the picture. If it differs"
        " between frames of one camera, they are stored upside down against each other.",
        "two programs, or two versions of one, store rows in opposite order",
        "take all frames with one program; if only a header is wrong, set"
        ' ignored_quantities = "row_order"',
        "ROWORDER is TOP-DOWN in the lights and BOTTOM-UP in the darks.",
    ),
)
_COVERS = {
    "camera": "*",
    "format": "*",
    "filter": "*",
    "binning": "geometry",
    "row_order": "colours",
}
"""A difference in one quantity explains those in others; ``*`` in all."""


def _own_causes(pairing: Pairing) -> list[Comparison]:
    """Return the differences that are not explained by another one."""
    differences = list(pairing.differences())
    covers = [_COVERS[d.quantity] for d in differences if d.quantity in _COVERS]
    if "*" in covers:
        return [d for d in differences if _COVERS.get(d.quantity) == "*"][:1]
    return [d for d in differences if d.quantity not in covers]


def _mismatch_check(mismatch: _Mismatch) -> Callable[[PlanRecord], Iterator[Finding]]:
    """Return the function that reports one quantity."""

    def check(plan: PlanRecord) -> Iterator[Finding]:
        cases: dict[tuple[str | None, str | None], list[Pairing]] = defaultdict(list)
        for pairing in plan.pairings:
            for difference in _own_causes(pairing):
                if difference.quantity == mismatch.quantity:
                    cases[difference.wanted, difference.found].append(pairing)
        for (wanted, have), pairings in cases.items():
            yield _mismatch_finding(mismatch, wanted, have, pairings)

    return check


def _mismatch_severity(mismatch: _Mismatch, pairing: Pairing) -> Severity:
    harmless = pairing.used and pairing.own_calibration
    # The row order is a claim that only the pixels can confirm.
    unsure = pairing.used and mismatch.quantity == "row_order"
    return _WARNING if harmless or unsure or pairing.replaced else _ERROR


def _mismatch_finding(
    mismatch: _Mismatch, wanted: str | None, have: str | None, pairings: Sequence[Pairing]
) -> Finding:
    name = mismatch.quantity.replace("_", " ")
    refused = [pairing.role.value for pairing in pairings if not pairing.used]
    used = [pairing.role.value for pairing in pairings if pairing.used]
    ends = [f"not used as {' and '.join(dict.fromkeys(refused))}"] if refused else []
    ends += [f"used as {' and '.join(dict.fromkeys(used))} all the same"] if used else []
    severities = {_mismatch_severity(mismatch, pairing) for pairing in pairings}
    return found(
        mismatch.rule,
        frames=[path for pairing in pairings for path in pairing.source.paths],
        severity=min(severities, key=lambda severity: severity.rank),
        message=f"{name} {have} of {_labels(pairing.source for pairing in pairings)}, but {wanted}"
        f" of {_labels(pairing.target for pairing in pairings)}: {', '.join(ends)}",
        cause=mismatch.cause,
        remedy=mismatch.remedy,
        evidence={
            mismatch.quantity: {"calibration_frames": have, "frames_in_need": wanted},
            "not_used_as": list(dict.fromkeys(refused)),
            "used_as": list(dict.fromkeys(used)),
        },
    )


for _mismatch in _MISMATCHES:
    _check = _mismatch_check(_mismatch)
    _check.__doc__ = f"{_mismatch.explanation}\n\nExample: {_mismatch.example}"
    rule(
        _mismatch.rule,
        _mismatch.meaning,
        severity=_ERROR,
        group=Group.ACQUISITION,
        judges=PlanRecord,
    )(_check)


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
        " allow_dark_scale_up",
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
        tolerances = [c.tolerance for p in pairings if (c := p.of("exposure")) is not None]
        yield found(
            name,
            frames=source.paths,
            message=f"{source.label} for lights of {lights} s: subtracted as they are",
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
        yield found(
            "dark-temperature-mismatch",
            frames=paths,
            severity=severity,
            message=f"{source.label}: {worst.text}"
            + ("; the dark is scaled to fit" if scaled else "; subtracted as they are"),
            cause="another set point, a cooler at its limit, or another season",
            remedy="take darks at the temperature of the lights"
            + ("" if scaled else "; bias frames would allow darks to be optimised"),
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


def _labels(sets: Iterable[SetRecord]) -> str:
    """Return the labels of some sets, each once, the tail counted only."""
    labels = [f"[{label}]" for label in dict.fromkeys(record.label for record in sets)]
    rest = f" and {len(labels) - 3} more sets" if labels[3:] else ""
    return ", ".join(labels[:3]) + rest
