"""What is known of a camera by name gives way to what its frames show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from lightframe.checks._cameras import camera_of
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._findings_without_dark import dark_missing
from lightframe.checks._sensor_bias import bias_figures
from lightframe.checks._sensor_noise import black_of, noise_figures
from lightframe.checks._sensor_range import Linearity, linearity
from lightframe.checks._sensor_setup import Setup, gather_setups
from lightframe.checks._sensor_verdict import State, dark_subtracted, unstable_bias
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__ = ["LinearLimit", "linear_limit", "measured_wins", "setup_of"]

_LEAST_BEND = 0.5
"""Part of saturation below which what looks like a bend is the lamp or the shutter."""
_CERTAIN_BEND = 0.02


@dataclass(frozen=True, slots=True)
class LinearLimit:
    """The level up to which flats may go.

    Attributes
    ----------
    dn : float
        The level.
    why : str
        What it is, in words.
    """

    dn: float
    why: str


def setup_of(evidence: SessionEvidence, frames: SetEvidence) -> Setup | None:
    """Return all frames of the camera and settings of a set; None for masters and the like."""
    if "sensor setups" not in evidence.remembered:
        evidence.remembered["sensor setups"] = gather_setups(evidence.frames())
    setups: list[Setup] = evidence.remembered["sensor setups"]
    first = frames.frames[0]
    return next((setup for setup in setups if any(f is first for f in setup.frames)), None)


def linear_limit(evidence: SessionEvidence, flats: SetEvidence, ceiling: float) -> LinearLimit:
    """Return the level from which on flats are no longer linear.

    Measured on flats of several exposures where they show it; else that of the known camera, where
    measured flats are not linear to beyond it; else `CheckSettings.flat_limit`.
    """
    share = evidence.settings.flat_limit
    usual = share * ceiling
    found = _measured_linearity(evidence, flats)
    bend = None if found is None else _bend_of(found, ceiling)
    if found is not None and bend is not None and bend < usual:
        return LinearLimit(bend, f"measured: light falls behind the exposure ({_how(found)})")
    known = camera_of(flats.camera)
    if known is None or known.linear_to is None or known.linear_to >= share:
        return LinearLimit(usual, f"{percent(share, 0)} of saturation")
    prior = known.linear_to * ceiling
    if found is not None and found.linear_to.known and found.linear_to.number > prior:
        level = min(found.linear_to.number, usual)
        return LinearLimit(level, f"measured to be linear to there ({_how(found)})")
    return LinearLimit(
        prior, f"the {known.name} is linear to {percent(known.linear_to, 0)} of saturation"
    )


def _how(found: Linearity) -> str:
    return f"{len(found.points)} exposures"


def _measured_linearity(evidence: SessionEvidence, flats: SetEvidence) -> Linearity | None:
    setup = setup_of(evidence, flats)
    if setup is None or len({f.info.exposure_s for f in setup.of(FrameKind.FLAT)}) < 3:  # noqa: PLR2004
        return None
    key = ("linearity", id(setup))
    if key not in evidence.remembered:
        bias = bias_figures(setup, black_of(setup))
        evidence.remembered[key] = linearity(setup, bias["bias_level_dn"])
    found: Linearity = evidence.remembered[key]
    return found


def _bend_of(found: Linearity, ceiling: float) -> float | None:
    """Return the level at which light has fallen 2 % behind the exposure, in DN.

    None unless all brighter flats fall behind, the brighter the more: then a pixel fills up.
    """
    if not found.bends or found.linear_to.number < _LEAST_BEND * ceiling:
        return None
    points = sorted(found.points, key=lambda point: point.exposure_s)
    beyond = [point for point in points if point.level_dn > found.linear_to.number]
    behind = [point.deviation for point in beyond]
    falling = behind == sorted(behind, reverse=True) and max(behind, default=0.0) < 0.0
    if not falling or behind[-1] > -_CERTAIN_BEND:
        return None
    levels = [found.linear_to.number, *(point.level_dn for point in beyond)]
    return float(np.interp(_CERTAIN_BEND, [0.0, *(-deviation for deviation in behind)], levels))


def measured_wins(findings: Iterable[Finding], evidence: SessionEvidence) -> tuple[Finding, ...]:
    """Hold findings that rest on the name of a camera against its frames.

    `bias-not-recommended` says that bias frames of a sensor are not stable. Where they are, and
    agree with darks, it becomes a remark; where they are not, it says so with numbers. `no-dark` of
    a camera that is known to subtract a dark itself is a remark, unless its frames show that
    nothing was subtracted from them.
    """
    witnesses = {"bias-not-recommended": _bias_as_measured, "no-dark": _dark_as_measured}
    return tuple(
        witnesses[finding.rule](finding, evidence) if finding.rule in witnesses else finding
        for finding in findings
    )


def _setup_of_frames(finding: Finding, evidence: SessionEvidence, kind: FrameKind) -> Setup | None:
    """Return the camera and settings of the first frames of a kind that a finding is about."""
    named = set(finding.frames)
    frames = next((s for s in evidence.of(kind) if named & set(s.paths)), None)
    return None if frames is None else setup_of(evidence, frames)


def _dark_as_measured(finding: Finding, evidence: SessionEvidence) -> Finding:
    setup = _setup_of_frames(finding, evidence, FrameKind.LIGHT)
    if setup is None or not finding.evidence.get("subtracted_by_camera"):
        return finding
    remark = dark_subtracted(setup, camera_of(setup.fact("camera")))
    if remark is None:
        return finding
    told = dict(finding.evidence) | {"measured": remark.text, "state": remark.state.value}
    if remark.state is State.SEEN:
        return replace(finding, message=f"{finding.message} ({remark.text})", evidence=told)
    plain = dark_missing(finding.frames, bias=told["bias"], flat=told["flat"])
    return replace(
        plain,
        message=f"{plain.message}; the camera is known to subtract a dark itself, but these are"
        f" {remark.text}: as the ADC gave them",
        evidence=told | {"subtracted_by_camera": False},
    )


def _bias_as_measured(finding: Finding, evidence: SessionEvidence) -> Finding:
    setup = _setup_of_frames(finding, evidence, FrameKind.BIAS)
    if setup is None:
        return finding
    figures = noise_figures(setup, black_of(setup))
    remark = unstable_bias(setup, figures, evidence.settings)
    if remark is None:
        return finding
    told = dict(finding.evidence) | {"measured": remark.text, "state": remark.state.value}
    if remark.state is State.SEEN:
        message = f"{finding.message}; measured: {remark.text}"
        return replace(finding, message=message, evidence=told)
    return replace(
        finding,
        severity=Severity.INFO,
        message=f"{finding.message}, but these are: {remark.text}",
        cause="the sensor is known to switch its readout at very short exposures; in these frames"
        " it does not show",
        remedy="nothing; look again when the camera or its driver changes",
        evidence=told,
    )
