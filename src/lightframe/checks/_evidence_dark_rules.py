"""Rules on frames without light: bias, dark and flat-dark frames."""

from collections.abc import Iterator

import numpy as np

from lightframe.checks._evidence_dark_pictures import (
    inconsistent_darks,
    leaking_darks,
    torn_dark,
    unstable_bias,
)
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_ledger import hot_ratios
from lightframe.checks._evidence_pictures import lowest_values
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import DARK_KINDS, SetEvidence
from lightframe.checks._evidence_structure import changed_frames, structure_changes, torn_frames
from lightframe.checks._evidence_tools import names_of, rounded, spike_at_minimum
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._pictures import Picture
from lightframe.checks._rules import Stage, found, rule
from lightframe.checks._settings import CheckSettings
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_FEWEST = 3


@rule(
    "bias-unstable",
    "bias level or gradient varies from frame to frame",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.SET,
    thresholds=("bias_unstable_sigma", "bias_unstable_steps"),
)
def bias_unstable(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare levels and gradients of bias frames with each other.

    The bias must be a constant. Where it changes from frame to frame by more than the noise of a
    pixel, no master bias fits any light: the MN34230 and the IMX294 do so below 0.2 s (guide
    4.1), other cameras after a change of temperature or a power cycle. Use flat-darks for the
    flats, and darks of the lights' exposure for the lights.

    Example: levels between 652 and 741 DN at a read noise of 7.6 DN; gradients up to 48 DN.
    """
    for frames in evidence.of(FrameKind.BIAS):
        if len(frames.frames) < _FEWEST:
            continue
        settings = evidence.settings
        limit = max(
            settings.bias_unstable_sigma * frames.read_noise,
            settings.bias_unstable_steps * max(frames.step, 1),
        )
        levels = frames.frame_levels()
        changes = structure_changes(frames)
        gradients = [change for _, change, _, _ in changes]
        by_level = float(np.ptp(levels)) > 2.0 * limit
        by_gradient = max(gradients, default=0.0) > limit
        if not by_level and not by_gradient:
            continue
        yield found(
            "bias-unstable",
            frames=frames.paths,
            message=f"{frames.label}: levels from {levels.min():.0f} to {levels.max():.0f} DN,"
            f" gradients changing by up to {number(max(gradients, default=0.0))} DN (allowed:"
            f" {number(2 * limit)} and {number(limit)} DN)",
            cause="the sensor switches its readout at very short exposures, or the electronics had"
            " not settled",
            remedy="take flat-darks and darks of the exposures of flats and lights instead of bias"
            " frames, or bias frames of 0.3 s",
            evidence={
                "levels_dn": rounded(levels, 6),
                "gradients_dn": rounded(gradients),
                "noise_dn": round(frames.read_noise, 3),
                "level_range_allowed_dn": round(2 * limit, 3),
                "gradient_allowed_dn": round(limit, 3),
            },
            picture=unstable_bias(
                frames,
                limit,
                max(changes, key=lambda item: item[1]) if by_gradient else None,
            ),
        )


@rule(
    "black-clipped",
    "a spike at the lowest value of a bias or dark: the offset is too low",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.SET,
    thresholds=("clipped_fraction",),
)
def black_clipped(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for pixels that pile up at the lowest value.

    The offset is there to keep the noise of dark pixels above zero. If it is too low, the ADC cuts
    the lower half of the noise off: the mean of such pixels is too high by an amount that differs
    from pixel to pixel, and no calibration brings it back. Raise the offset, and take
    everything anew, the lights as well (guide, note 2).

    Example: 31 % of the pixels of a dark are exactly 0, the next value holds 4 %.
    """
    sets: list[SetEvidence] = []
    wrong: list[FrameEvidence] = []
    for frames in evidence.of(*DARK_KINDS):
        clipped = [frame for frame in frames.frames if _clipped_share(evidence, frame) > 0]
        if clipped and 2 * len(clipped) >= len(frames.frames):
            sets.append(frames)
            wrong += clipped
    if not wrong:
        return
    worst = max(wrong, key=lambda frame: _clipped_share(evidence, frame))
    share, levels = _clipped_share(evidence, worst), worst.levels
    yield found(
        "black-clipped",
        frames=[frame.path for frame in wrong],
        message=f"{', '.join(frames.label for frames in sets)}: up to {percent(share, 1)} of the"
        f" pixels lie at the lowest value, {levels.minimum.min():.0f} DN (allowed:"
        f" {percent(evidence.settings.clipped_fraction, 1)})",
        cause="the offset is too low for this gain, or the camera subtracts its black level",
        remedy="raise the offset until no pixel of a bias frame lies at the lowest value; take"
        " lights and calibration frames again",
        evidence={
            "at_lowest": round(share, 5),
            "lowest_dn": float(levels.minimum.min()),
            "at_next_value": round(float(levels.above_minimum.max()), 5),
            "median_dn": worst.level,
            "allowed": evidence.settings.clipped_fraction,
        },
        picture=lowest_values(
            worst,
            "The lowest values of the frame",
            f"{worst.path.name}: the bar at the lowest value holds the pixels whose noise was cut"
            " off there. With enough offset the curve begins at nothing.",
        ),
    )


def _clipped_share(evidence: SessionEvidence, frame: FrameEvidence) -> float:
    """Return the fraction of pixels cut off at the lowest value; 0 if there is no spike."""
    at_zero = float(frame.levels.zeros.max())
    return at_zero if at_zero > evidence.settings.clipped_fraction else spike_at_minimum(frame)


@rule(
    "dark-light-leak",
    "structure in darks that changes from frame to frame: light leaks in",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.SET,
    thresholds=("leak_sigma",),
)
def dark_light_leak(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the low-passed darks of a set with each other.

    Amplifier glow looks the same in all darks of one exposure and temperature. A gradient that
    changes from frame to frame is light: through a cap (plastic lets infrared pass), a focuser, a
    filter slider (guide 5.3). The master dark then subtracts it from the lights, where it was not.
    Take the darks anew, in the dark, with a cap of metal or foil.

    Example: a gradient of 210 DN across the darks that grows from frame to frame, at a noise of
    8 DN.
    """
    for frames in evidence.of(FrameKind.DARK, FrameKind.FLAT_DARK):
        changed = changed_frames(frames, evidence.settings.leak_sigma)
        if not changed:
            continue
        strongest = max(changed, key=lambda item: item[1])
        many = 3 * len(changed) >= len(frames.frames)
        wrong = list(frames.frames) if many else [item[0] for item in changed]
        limit = max(evidence.settings.leak_sigma * frames.read_noise, 0.5 * max(frames.step, 1))
        changes = {f.path: change for f, change, _, _ in structure_changes(frames)}
        yield found(
            "dark-light-leak",
            frames=[frame.path for frame in wrong],
            message=f"{frames.label}: smooth structure of up to {number(strongest[1])} DN that"
            f" differs from frame to frame (allowed: {number(limit)} DN), most in"
            f" {strongest[0].path.name}",
            cause="light gets in: through the cap (plastic passes infrared), the focuser or the"
            " filter wheel",
            remedy="take the darks again in a dark place, with a cap of metal or aluminium foil",
            evidence={
                "change_dn": {path.name: round(change, 3) for path, change in changes.items()},
                "levels_dn": rounded(frames.frame_levels(), 6),
                "allowed_dn": round(limit, 3),
            },
            picture=leaking_darks(frames, strongest, changes, limit),
        )


@rule(
    "dark-inconsistent",
    "single darks are off the level, noise or hot pixels of their set",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("dark_level_sigma", "dark_noise_ratio", "dark_hot_ratio"),
)
def dark_inconsistent(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare level, noise and hot pixels of each dark with those of its set.

    A dark taken before the cooler had settled has brighter hot pixels; one of another gain, offset
    or readout mode has another level or noise; one whose readout was interrupted has a seam, on one
    side of which the level is another. A master of mixed frames fits no light. Leave the
    outliers out.

    Example: the first two of twelve darks have hot pixels 1.6 times as bright: the sensor was
    about 4 degrees warmer.
    """
    settings = evidence.settings
    for frames in evidence.of(FrameKind.DARK, FrameKind.FLAT_DARK):
        if len(frames.frames) < _FEWEST:
            continue
        limit = max(settings.dark_level_sigma * frames.read_noise, 2.0 * max(frames.step, 1))
        seams = torn_frames(frames)
        torn = {frame.path for frame, _, _ in seams}
        whole = [frame for frame in frames.frames if frame.path not in torn] or frames.frames
        level = float(np.median([frame.level for frame in whole]))
        noise = float(np.median([frame.noise.mean() for frame in whole]))
        wrong = [
            (frame, f"a seam at row {row}: the level changes by {step:.0f} DN")
            for frame, row, step in seams
        ]
        wrong += [
            (frame, text)
            for frame, text in _unlike(frames, (level, limit), noise, settings)
            if frame.path not in torn
        ]
        if not wrong:
            continue
        outliers = [frame for frame, _ in wrong]
        picture: Picture
        if len(outliers) == len(seams):
            picture = torn_dark(frames, max(seams, key=lambda seam: abs(seam[2])))
        else:
            paths = [frame.path for frame in outliers]
            picture = inconsistent_darks(frames, paths, (level, limit), settings)
        yield found(
            "dark-inconsistent",
            frames=[frame.path for frame in outliers],
            message=f"{names_of(outliers)} of {frames.label}: "
            + "; ".join(dict.fromkeys(text for _, text in wrong[:3]))
            + f" (allowed: {number(limit)} DN, noise by {settings.dark_noise_ratio:g}, hot pixels"
            f" by {settings.dark_hot_ratio:g})",
            cause="the cooler had not settled, a setting or readout mode changed in between, or the"
            " transfer was interrupted",
            remedy="leave these frames out, or take them again",
            evidence={
                "frames": {frame.path.name: text for frame, text in wrong},
                "levels_dn": rounded(frames.frame_levels(), 6),
                "noise_dn": rounded([f.noise.mean() for f in frames.frames]),
                "temperatures_c": [f.info.temperature_c for f in frames.frames],
            },
            picture=picture,
        )


def _unlike(
    frames: SetEvidence, allowed: tuple[float, float], usual_noise: float, settings: CheckSettings
) -> Iterator[tuple[FrameEvidence, str]]:
    """Yield the frames of another level (`allowed`: usual one, tolerance), noise or hot pixels."""
    usual_level, limit = allowed
    for frame, level, hot in zip(
        frames.frames, frames.frame_levels(), hot_ratios(frames), strict=True
    ):
        noise = float(frame.noise.mean()) / usual_noise if usual_noise > 0 else 1.0
        if abs(level - usual_level) > limit:
            yield frame, f"level {level:.0f} DN instead of {usual_level:.0f} DN"
        elif not _within(noise, settings.dark_noise_ratio):
            yield frame, f"noise {noise:.2f} times that of the set"
        elif hot is not None and not _within(hot, settings.dark_hot_ratio):
            yield frame, f"hot pixels {hot:.2f} times those of the set"


def _within(ratio: float, most: float) -> bool:
    """Whether a ratio is less than `most`, and its inverse too."""
    return 1.0 / most < ratio < most
