"""The verdict on flat fielding: over- and under-correction, whose fault it is, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import measured, number
from lightframe.checks._result_evidence import GLOW_AREA, CalibratedSet, ResultEvidence
from lightframe.checks._result_pictures import against_the_flat
from lightframe.checks._rules import found, rule
from lightframe.checks._settings import CheckSettings
from lightframe.figures import percent
from lightframe.processes import FlatVerdict

__all__ = ["is_certain"]

_LIGHTS_TOO_HIGH = (
    "bias-never-subtracted", "no-dark", "offset-mismatch", "gain-mismatch", "gain-label-wrong",
    "master-dark-precalibrated", "master-dark-clipped", "units-mismatch", "mixed-scaling",
    "readout-mode-mismatch", "software-mismatch", "dark-shorter-than-light",
    "dark-exposure-mismatch", "dark-temperature-mismatch", "bias-unstable", "black-clipped",
)  # fmt: skip
_LIGHTS_TOO_LOW = (
    "double-bias-subtraction", "offset-mismatch", "gain-mismatch", "gain-label-wrong",
    "dark-light-leak", "units-mismatch", "mixed-scaling", "readout-mode-mismatch",
    "software-mismatch", "dark-exposure-mismatch", "dark-temperature-mismatch", "bias-unstable",
    "frame-type-mislabelled",
)  # fmt: skip
_FLAT_TOO_HIGH = (
    "frame-flipped", "camera-mismatch", "flats-uncalibrated", "flat-saturated",
    "offset-mismatch", "gain-mismatch", "flat-dark-exposure-mismatch", "flat-dark-needed",
    "bias-unstable",
)  # fmt: skip
_FLAT_TOO_LOW = (
    "frame-flipped", "camera-mismatch", "double-bias-subtraction", "offset-mismatch",
    "gain-mismatch", "flat-dark-exposure-mismatch", "bias-unstable", "flat-underexposed",
)  # fmt: skip

_THRESHOLDS = (
    "flat_residual_sigma", "flat_residual_effect", "flat_explained_sigma",
    "flat_explained_effect", "flat_colour_error",
)  # fmt: skip

_DARK_LEFT = ("dark-shorter-than-light", "dark-exposure-mismatch", "dark-temperature-mismatch")
"""What leaves a pattern of the dark in the lights: the little that then follows the flat may be
its own unevenness, as pixels of larger area have both more dark current and more light."""

_MUTUAL = ("offset-mismatch", "gain-mismatch", "gain-label-wrong")

_MORE_THAN_BIAS = 2.0
"""A flat that is wrong by more than this many times the bias is not wrong by its calibration."""
_BEYOND_FLATS = 0.35
"""Part of the sky that no error of a flat's level explains."""
_GLOW_FEIGNS = 0.25
"""Part of the height of a glow that may seem to follow the flat: 0.02 to 0.14 on simulated ones."""
_SURE_OF_GLOW = 5.0
_SEPARATED = 3.0
_AS_THE_BIAS = 0.15
_WELL_KNOWN = 4.0
"""Errors by which an amount must differ from nothing to be compared with the bias."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A set of lights that does not go with its flat."""

    lights: CalibratedSet
    verdict: FlatVerdict
    side: str
    reason: str
    cause: Finding | None


def _cases(evidence: ResultEvidence, sign: int) -> Iterator[_Case]:
    settings = evidence.settings
    for lights in evidence.sets:
        verdict = lights.verdict
        if verdict is None or verdict.q_dn * sign <= 0 or _feigned_by_glow(lights, verdict):
            continue
        side, reason = _side(lights, verdict)
        cause = _known_cause(evidence, lights, verdict, side)
        if not is_certain(verdict, settings, explained=cause is not None):
            continue
        if cause is None and (
            lights.dust_has_moved(settings)  # embossed dust follows the flat, and is reported
            or _may_be_glow(lights, verdict)
            or evidence.known(_DARK_LEFT, lights.paths + lights.darks)
        ):
            continue
        if not side and cause is not None:
            side = _side_of(cause, lights, sign)
            reason = f"as {cause.rule} has it; the sky varied too little to prove it"
        elif not side and _as_the_bias(lights, verdict):
            side, reason = "lights", f"it is as much as the bias of {lights.bias_dn:.0f} DN"
        elif not side and _as_the_bias_of_the_flat(lights, verdict):
            side = "flat"
            reason = f"in the flat it is as much as the bias of {lights.bias_dn:.0f} DN"
        yield _Case(lights, verdict, side, reason, cause)


def _feigned_by_glow(lights: CalibratedSet, verdict: FlatVerdict) -> bool:
    """Whether glow that is left in a corner, where the flat falls, may be all that follows it."""
    glow = lights.glow
    if glow is None or glow.area > GLOW_AREA or abs(glow.share) < _SURE_OF_GLOW * glow.sigma:
        return False
    feigned = _GLOW_FEIGNS * glow.share * glow.glow_dn
    return 0.0 < verdict.q_dn / feigned < 1.0 if feigned else False


def _may_be_glow(lights: CalibratedSet, verdict: FlatVerdict) -> bool:
    """Whether so much could be left of a glow that nobody knows how much is left."""
    glow = lights.glow
    if glow is None or glow.area > GLOW_AREA or abs(glow.share) >= _SURE_OF_GLOW * glow.sigma:
        return False
    share = min(1.0, abs(glow.share) + 2.0 * glow.sigma)
    return abs(verdict.q_dn) < _GLOW_FEIGNS * share * glow.glow_dn


def is_certain(verdict: FlatVerdict, settings: CheckSettings, *, explained: bool) -> bool:
    """Whether what follows the flat is beyond its errors, and large enough to be seen."""
    if explained:
        limit = settings.flat_explained_sigma * verdict.sigma_dn
        effect = settings.flat_explained_effect
    else:
        # Colours change the sensitivity of pixels, but neither dust nor vignetting.
        colour = settings.flat_colour_error * verdict.pixel_share * abs(verdict.sky_dn)
        limit = settings.flat_residual_sigma * verdict.sigma_dn + colour
        effect = settings.flat_residual_effect
    return abs(verdict.q_dn) > limit and abs(verdict.effect) > effect


def _side(lights: CalibratedSet, verdict: FlatVerdict) -> tuple[str, str]:
    """Return on whose side the fault lies ("" if that cannot be told), and why."""
    additive = abs(verdict.additive_dn) / max(verdict.additive_sigma_dn, 1e-9)
    share = abs(verdict.flat_error) / max(verdict.flat_error_sigma, 1e-9)
    if additive > _SEPARATED and share > _SEPARATED:
        return "both", "one part grows with the sky level, another does not"
    if additive > _SEPARATED:
        return "lights", "the fault does not grow with the sky level"
    if share > _SEPARATED:
        return "flat", "the fault grows with the sky level"
    if lights.bias_dn and lights.flat_level_dn and not _beyond_flats(verdict):
        in_flat = abs(verdict.q_dn / verdict.level_dn) * lights.flat_level_dn
        if in_flat > _MORE_THAN_BIAS * lights.bias_dn:
            return "lights", f"in the flat it would be {in_flat:.0f} DN, far more than its bias"
    return "", f"the sky varied by only {percent(verdict.sky_spread, 0)}"


def _known_cause(
    evidence: ResultEvidence, lights: CalibratedSet, verdict: FlatVerdict, side: str
) -> Finding | None:
    """Return the finding that says why already."""
    over = verdict.q_dn > 0
    known = partial(evidence.known, remarks=False)
    flat_frames = lights.flats + lights.others
    of_lights = known(_LIGHTS_TOO_HIGH if over else _LIGHTS_TOO_LOW, lights.paths + lights.darks)
    of_flat = known(_FLAT_TOO_LOW if over else _FLAT_TOO_HIGH, flat_frames)
    if side == "flat":
        return of_flat
    if side == "lights":
        # Which of two sets has the wrong level, levels alone cannot tell.
        return of_lights or known(_MUTUAL, flat_frames)
    return of_lights or of_flat


def _side_of(cause: Finding, lights: CalibratedSet, sign: int) -> str:
    named = set(cause.frames)
    own: set[Path] = set(lights.paths) | set(lights.darks)
    rules = _LIGHTS_TOO_HIGH if sign > 0 else _LIGHTS_TOO_LOW
    return "lights" if cause.rule in rules and named & own else "flat"


def _finding(name: str, case: _Case) -> Finding:
    verdict, over = case.verdict, case.verdict.q_dn > 0
    course = "rises where the flat falls" if over else "falls where the flat falls"
    effect = f"by {number(100 * abs(verdict.effect), 2)} % from its brightest part to its darkest"
    message = (
        f"{case.lights.label}: after calibration the background {course}, {effect}; {_amount(case)}"
    )
    cause, remedy = _why(case)
    return found(
        name,
        frames=case.lights.paths,
        group=_group(case),
        message=message,
        cause=cause,
        remedy=remedy,
        evidence={
            "side": case.side or None,
            "additive_dn": _number(verdict.additive_dn),
            "additive_error_dn": _number(verdict.additive_sigma_dn),
            "flat_error_percent": _number(100 * verdict.flat_error),
            "flat_error_error_percent": _number(100 * verdict.flat_error_sigma),
            "follows_flat_dn": _number(verdict.q_dn),
            "follows_flat_error_dn": _number(verdict.sigma_dn),
            "background_dn": _number(verdict.level_dn),
            "unevenness_percent": _number(100 * verdict.effect),
            "sky_spread_percent": _number(100 * verdict.sky_spread),
            "bias_dn": case.lights.bias_dn,
            "frames": verdict.frames,
            "consequence_of": None if case.cause is None else case.cause.rule,
        },
        picture=against_the_flat(case.lights),
    )


def _number(value: float) -> float | None:
    """Return a number of four digits for JSON; None where it is unknown."""
    return float(f"{value:.4g}") if value == value else None  # noqa: PLR0124 - NaN


def _amount(case: _Case) -> str:
    """Say how much is left, and on which side."""
    verdict = case.verdict
    over = verdict.q_dn > 0
    dn = f"{measured(abs(verdict.q_dn), verdict.sigma_dn)} DN"
    done = "were not subtracted from the lights" if over else "too much was subtracted"
    to_percent = 100 / max(abs(verdict.level_dn), 1e-9)
    excess = measured(to_percent * abs(verdict.q_dn), to_percent * verdict.sigma_dn)
    held = "too little" if over else "too much"
    wrong = f"the flat holds {excess} % of its level {held}"
    if case.side == "lights":
        return f"{dn} {done} (light side: {case.reason})"
    if case.side == "flat":
        return f"{wrong} (flat side: {case.reason})"
    if case.side == "both":
        share = measured(100 * abs(verdict.flat_error), 100 * verdict.flat_error_sigma)
        return (
            f"{measured(abs(verdict.additive_dn), verdict.additive_sigma_dn)} DN are wrong in the"
            f" lights, and {share} % in the flat ({case.reason})"
        )
    if _beyond_flats(verdict):
        wrong = "the flat is of another sensor, flipped or shifted: its pixels are not these"
    return f"either {dn} {done}, or {wrong}; which of both cannot be told: {case.reason}"


def _beyond_flats(verdict: FlatVerdict) -> bool:
    """Whether no error of a flat's level can be so large."""
    return abs(verdict.q_dn) > _BEYOND_FLATS * max(abs(verdict.sky_dn), 1e-9)


def _as_the_bias(lights: CalibratedSet, verdict: FlatVerdict) -> bool:
    return _near(abs(verdict.q_dn), lights.bias_dn, verdict.sigma_dn)


def _as_the_bias_of_the_flat(lights: CalibratedSet, verdict: FlatVerdict) -> bool:
    """Whether the flat would hold its bias, or have lost it twice."""
    if not lights.flat_level_dn or verdict.level_dn <= 0:
        return False
    in_flat = lights.flat_level_dn / verdict.level_dn
    return _near(abs(verdict.q_dn) * in_flat, lights.bias_dn, verdict.sigma_dn * in_flat)


def _near(amount: float, bias: float | None, sigma: float) -> bool:
    """Whether an amount is well known, and that of the bias."""
    if not bias or amount < _WELL_KNOWN * sigma:
        return False
    return abs(amount - bias) < max(_AS_THE_BIAS * bias, 2 * sigma)


def _why(case: _Case) -> tuple[str, str]:
    """Return the likely cause and the remedy."""
    if case.cause is not None:
        return (
            f"{case.cause.rule}: {case.cause.message}",
            case.cause.remedy or "remove that cause, and run again",
        )
    over = case.verdict.q_dn > 0
    bias = case.lights.bias_dn
    if bias and case.side == "lights" and _as_the_bias(case.lights, case.verdict):
        times = "never subtracted from the lights" if over else "subtracted twice from the lights"
        return (
            (
                f"the bias of {bias:.0f} DN was {times}: a master dark that is free of it was taken"
                " for one that holds it, or the other way round"
            ),
            "give raw darks instead of a calibrated master, and let the run calibrate them",
        )
    if case.side in {"lights", "both"}:
        return (
            "darks of another offset, gain or readout mode, or a bias that has drifted"
            if over
            else "darks of another offset or gain, with a light leak, or warmer than the lights",
            "compare levels with lightframe check; take darks with the settings of the lights",
        )
    if bias and case.side == "flat" and _as_the_bias_of_the_flat(case.lights, case.verdict):
        times = "subtracted from the flats twice" if over else "never subtracted from the flats"
        return (
            f"the bias of {bias:.0f} DN was {times}",
            "give flats as they come from the camera, with flat-darks or bias frames of their own",
        )
    if case.side == "flat":
        return (
            "more was subtracted from the flats than their bias"
            if over
            else "the flats hold bias, dark signal or stray light, or reach saturation",
            "calibrate the flats with flat-darks of their own exposure, and keep stray light away",
        )
    return (
        "darks of another offset than the lights, or flats that do not belong to them or were not"
        " calibrated with frames of their own offset"
        + ("" if over else ", or that hold stray light"),
        "take darks and flat-darks with the settings of lights and flats",
    )


def _group(case: _Case) -> Group:
    if case.cause is not None:
        return case.cause.group
    return Group.MASTERS


@rule(
    "over-correction",
    "the background rises where the flat falls: lights and flat do not go together",
    severity=Severity.ERROR,
    group=Group.MASTERS,
    judges=ResultEvidence,
    thresholds=_THRESHOLDS,
)
def over_correction(evidence: ResultEvidence) -> Iterator[Finding]:
    """Hold the calibrated lights against the reciprocal of their flat (guide 8.4).

    A constant left in the lights is divided by the flat with them: vignetting and dust come out
    bright. In small tiles the pixels are compared with their own sensitivity and with the dust
    shadows, so that no nebula or galaxy is taken for vignetting; the flat's own noise is taken off,
    and the dark takes part in the fit.

    Over the lights, what follows the flat is compared with the sky level. A fault of the lights
    (no dark or bias subtracted, darks of another offset) is a number of DN and does not grow with
    the sky. A fault of the flat (too much subtracted from it) is a percentage and does.

    Nothing is claimed that moved dust, glow, or the pattern of a dark that is known not to fit
    could feign.

    Example: no dark subtracted: 700 DN of 900 DN are not sky, and the corners of a flat with 35 %
    vignetting come out 40 % too bright.
    """
    for case in _cases(evidence, 1):
        yield _finding("over-correction", case)


@rule(
    "under-correction",
    "the background falls where the flat falls: vignetting and dust are left in",
    severity=Severity.ERROR,
    group=Group.MASTERS,
    judges=ResultEvidence,
    thresholds=_THRESHOLDS,
)
def under_correction(evidence: ResultEvidence) -> Iterator[Finding]:
    """Hold the calibrated lights against the reciprocal of their flat (guide 8.4).

    Found as over-correction is, with the opposite sign. On the side of the lights too much was
    subtracted: the bias twice, a dark of a higher offset, a dark with a light leak. On the side of
    the flat something was left in: flats that were not calibrated, stray light, saturation.

    Example: flats of 29,000 DN that keep a bias of 700 DN hold 2.4 % too much, and leave a 40th of
    their vignetting in every light.
    """
    for case in _cases(evidence, -1):
        yield _finding("under-correction", case)
