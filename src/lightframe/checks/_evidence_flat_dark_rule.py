"""The rule on flats that a bias does not calibrate: they hold dark signal (guide 4.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_pictures import frame_map
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import same_setup
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._pictures import Axis
from lightframe.checks._rules import found, rule
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []


_WORST = 0.99
"""Quantile of the tiles that counts: the glow of a corner, not a single tile."""
_CERTAIN = 3.0
_ALIKE_C = 3.0
"""Degrees by which darks may differ from flats: their dark current then does by 40 percent."""


@rule(
    "flat-dark-needed",
    "flats hold dark signal that a bias does not remove",
    severity=Severity.WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("flat_dark_signal",),
)
def flat_dark_needed(evidence: SessionEvidence) -> Iterator[Finding]:
    """Work out the dark signal of flats from darks, and compare it with the light.

    Flats calibrated with bias frames keep their dark signal and glow. From darks, or flat-darks of
    another exposure, minus bias, scaled to the exposure of the flats, it follows how much that is;
    above 0.1 % of the light at the same place, and three times its error, it changes the shape of
    the flat (guide 4.3). Take flat-darks with the exposure of the flats.

    Example: flats of 30 s with 6000 DN; the dark signal is 0.9 DN/s in the warmest corner: 27 DN,
    0.45 % of the light.
    """
    for use in evidence.uses:
        flats, bias = use.target, use.source
        if flats.kind is not FrameKind.FLAT or use.role is not FrameKind.BIAS or bias.is_master:
            continue
        if any(u.target is flats and u.role is not FrameKind.BIAS for u in evidence.uses):
            continue
        dark = _longest_dark(evidence, flats)
        left = None if dark is None else _dark_signal(flats, bias, dark)
        if dark is None or left is None:
            continue
        allowed = evidence.settings.flat_dark_signal
        if left.share <= max(allowed, _CERTAIN * left.error):
            continue
        exposure = number(flats.exposure_s, 5)
        yield found(
            "flat-dark-needed",
            frames=flats.paths,
            message=f"{flats.label}: dark signal of {number(left.signal_dn)} DN in"
            f" {left.light_dn:.0f} DN of light, {percent(left.share, 2)} (allowed:"
            f" {percent(allowed, 2)}), is not removed by bias frames",
            cause="long flats, a warm sensor, or amplifier glow",
            remedy=f"take flat-darks of {exposure} s",
            evidence={
                "dark_signal_dn": round(left.signal_dn, 3),
                "light_dn": round(left.light_dn, 1),
                "share": round(left.share, 5),
                "error": round(left.error, 5),
                "allowed": allowed,
                "measured_on": dark.label,
            },
            picture=frame_map(
                100.0 * left.tiles,
                flats.frames[0],
                "Dark signal that stays in the flats",
                f"From {dark.label}, scaled to {exposure} s, as a part of the light of the flats at"
                " the same place. What is the same everywhere does no harm; what differs changes"
                " the shape of the flat.",
                Axis("part of the light", "%"),
            ),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """What a bias leaves in flats: where it is most, and in all tiles of that colour.

    `share` is the dark signal over the light, `error` its standard error.
    """

    signal_dn: float
    light_dn: float
    share: float
    error: float
    tiles: Float64


def _longest_dark(evidence: SessionEvidence, flats: SetEvidence) -> SetEvidence | None:
    """Return the longest frames without light of the flats' settings and temperature."""
    darks = [
        frames
        for frames in evidence.of(FrameKind.DARK, FrameKind.FLAT_DARK)
        if frames.exposure_s and same_setup(frames, flats) and _equally_warm(frames, flats)
    ]
    return max(darks, key=lambda frames: frames.exposure_s or 0.0, default=None)


def _equally_warm(a: SetEvidence, b: SetEvidence) -> bool:
    """Whether two sets were about equally warm, as far as is known."""
    first, second = a.temperature_c, b.temperature_c
    return first is None or second is None or abs(first - second) <= _ALIKE_C


def _dark_signal(flats: SetEvidence, bias: SetEvidence, dark: SetEvidence) -> _Left | None:
    """Measure what a bias leaves in flats; None where they have no light, or sizes differ."""
    ratio = (flats.exposure_s or 0.0) / (dark.exposure_s or 1.0)
    if not flats.tiles.shape == bias.tiles.shape == dark.tiles.shape or ratio <= 0:
        return None
    light = flats.tiles - bias.tiles
    if np.any(np.median(light, axis=(1, 2)) <= 0):
        return None
    signal = ratio * (dark.tiles - bias.tiles)
    # Tiles in deep shadow are none of the image.
    lit = light > 1e-3 * np.median(light, axis=(1, 2), keepdims=True)
    share = np.where(lit, signal / np.where(lit, light, 1.0), np.nan)
    most = np.nanquantile(share, _WORST, axis=(1, 2), method="lower")
    phase = int(np.argmax(most))
    place = np.unravel_index(np.nanargmin(np.abs(share[phase] - most[phase])), share[phase].shape)
    there = float(light[phase][place])
    error = ratio * float(np.hypot(_level_error(dark), _level_error(bias)))
    return _Left(
        float(signal[phase][place]), there, float(most[phase]), error / there, share[phase]
    )


def _level_error(frames: SetEvidence) -> float:
    """Return the error of the level of a set in DN, by how far its frames scatter."""
    levels = frames.frame_levels()
    if levels.size < 2:  # noqa: PLR2004 - a scatter needs two
        return 0.0
    return float(np.std(levels, ddof=1) / np.sqrt(levels.size))
