"""Rules on given master darks."""

from collections.abc import Iterator

import numpy as np

from lightframe.checks._evidence_levels_of_bias import agreed_level, bias_levels, setups
from lightframe.checks._evidence_pictures import levels_beside, lowest_values
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import same_setup
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._pictures import Row
from lightframe.checks._rules import found, rule
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []

_ERROR = Severity.ERROR


@rule(
    "master-dark-precalibrated",
    "a given master dark has had the bias subtracted already",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=SessionEvidence,
)
def master_dark_precalibrated(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the level of a given master dark with the bias level of the raw frames.

    A master dark holds the bias unless somebody has subtracted it. Taken for one that does, it
    leaves the whole bias in the lights, and the flat over-corrects (guide 7.1, 7.4). Never
    pre-calibrate darks: give the plain integration of the raw darks.

    Example: the master dark has a median of 0.4 DN, bias frames and lights stand on 700 DN.
    """
    for master, level, bias in _masters_below_bias(evidence):
        if master.frames[0].info.calibration & {FrameKind.BIAS, FrameKind.DARK}:
            continue  # its header says so, and the plan knows
        yield found(
            "master-dark-precalibrated",
            frames=master.paths,
            message=f"{master.label}: median {number(level, 4)} DN, but {bias:.0f} DN without light"
            " in the raw frames (expected: at least half of it)",
            cause="the bias was subtracted from the darks before or after they were integrated",
            remedy="integrate the raw darks anew, or give the raw darks instead of the master",
            evidence={"median_dn": round(level, 3), "bias_level_dn": round(bias, 2)},
            picture=levels_beside(
                evidence,
                [
                    Row(master.label, round(level, 3), wrong=True),
                    Row("level without light of the raw frames", round(bias, 2)),
                ],
                "Level of the master dark beside the raw frames",
                "A dark that holds its bias lies beside it, or above.",
            ),
        )


@rule(
    "master-dark-clipped",
    "a given master dark was pre-calibrated, and its negative values were cut off",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=SessionEvidence,
)
def master_dark_clipped(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for many exact zeros in a given master dark.

    Where the hardware suppresses dark current, a dark minus a bias is negative in half of its
    pixels. Programs that cut these off at zero lose the correction of half of the sensor, and no
    addition of the bias brings it back (guide 7.2). Integrate the raw darks, and subtract
    nothing from them.

    Example: 47 % of the pixels of the master dark are exactly zero.
    """
    most = 0.02
    for master in evidence.masters(FrameKind.DARK, FrameKind.FLAT_DARK):
        levels = master.frames[0].levels
        zeros = float(levels.zeros.mean())
        lowest = float(levels.at_minimum.mean()) if levels.minimum.min() >= 0 else 0.0
        share = max(zeros, lowest if float(master.noise.mean()) > 0 else 0.0)
        if share <= most or float(levels.negative.max()) > 0:
            continue
        yield found(
            "master-dark-clipped",
            frames=master.paths,
            message=f"{master.label}: {percent(share, 0)} of the pixels are exactly"
            f" {number(levels.minimum.min())} (allowed: {percent(most, 0)})",
            cause="the bias was subtracted from the darks, and negative values were cut off",
            remedy="integrate the raw darks anew, without subtracting anything",
            evidence={
                "at_lowest": round(share, 4),
                "lowest_dn": float(levels.minimum.min()),
                "median_dn": round(float(master.level.mean()), 3),
                "allowed": most,
            },
            picture=lowest_values(
                master.frames[0],
                "The lowest values of the master dark",
                "The bar at the end holds the pixels that were cut off there.",
            ),
        )


def _masters_below_bias(
    evidence: SessionEvidence,
) -> Iterator[tuple[SetEvidence, float, float]]:
    """Yield given master darks below half of the bias level, with both levels."""
    for master in evidence.masters(FrameKind.DARK, FrameKind.FLAT_DARK):
        level = float(master.level.mean())
        for group in setups(evidence):
            if not any(same_setup(master, frames) for frames in group):
                continue
            bias = _bias_level(evidence, group, master)
            noise = max((s.read_noise for s in group if s.is_dark), default=1.0)
            if bias is not None and level < 0.5 * bias and bias - level > 3.0 * noise:
                yield master, level, bias
                break


def _bias_level(
    evidence: SessionEvidence, group: list[SetEvidence], master: SetEvidence
) -> float | None:
    """Return the bias level of a setup; for lights alone, their noise tells it."""
    levels = [item for item in bias_levels(evidence, group) if np.isfinite(item.low)]
    if levels:
        return agreed_level(levels)
    served = [u.target for u in evidence.uses if u.source is master]
    darkest = [
        float(np.min([f.levels.quantile(0.0001).min() for f in s.frames]))
        for s in (*served, *group)
        if s.kind in {FrameKind.LIGHT, FrameKind.FLAT}
    ]
    # The darkest pixels of lights lie above the bias by the sky at least.
    return 0.7 * min(darkest) if darkest and min(darkest) > 50.0 else None  # noqa: PLR2004
