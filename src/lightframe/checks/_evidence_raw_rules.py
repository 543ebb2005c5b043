"""Rules on whether frames are raw, and of one scale."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_pictures import comb, lowest_values
from lightframe.checks._evidence_scale import few_values, same_scale
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import DARK_KINDS, SetEvidence
from lightframe.checks._evidence_tools import names_of, same_setup
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import counted
from lightframe.checks._pictures import Mark
from lightframe.checks._rules import Stage, found, rule, witness
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []

_ERROR = Severity.ERROR


@witness(
    "already-calibrated",
    judges=SessionEvidence,
    thresholds=("calibrated_fraction", "clipped_fraction"),
    stage=Stage.FRAME,
)
def calibrated_pixels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for what raw frames never have: fractions, negative values, no bias.

    An ADC gives whole numbers, evenly spaced ones where a program has stored them as fractions of
    its range, and the offset keeps them above zero. A frame whose bias has been subtracted lies far
    below the level of frames without light, or has many pixels at exactly zero while its neighbours
    have a bias.

    Example: 48 % of the pixels of a dark are exactly 0, and its median is 0 DN, while the
    flat-darks of the same gain and offset have 700 DN.
    """
    for frames in evidence.sets:
        if frames.is_master:
            continue
        wrong: list[FrameEvidence] = []
        why = ""
        reference = _bias_elsewhere(evidence, frames)
        for frame in frames.frames:
            if frame.info.calibration or frame.info.channels != 1:
                continue
            if reason := _calibrated(evidence, frame, reference):
                wrong.append(frame)
                why = why or reason
        if wrong:
            yield found(
                "already-calibrated",
                frames=[frame.path for frame in wrong],
                message=f"{names_of(wrong)} ({frames.kind.value}): {why}",
                cause="the frames were calibrated before, by the camera or by another program",
                remedy="give the raw frames as the camera delivered them",
                evidence={
                    "median_dn": wrong[0].level,
                    "zeros": float(wrong[0].levels.zeros.mean()),
                    "fractional": float(wrong[0].levels.fractional.mean()),
                    "negative": float(wrong[0].levels.negative.mean()),
                    "bias_level_elsewhere_dn": reference,
                    "fractional_allowed": evidence.settings.calibrated_fraction,
                },
                picture=lowest_values(
                    wrong[0],
                    "The lowest values of the frame",
                    f"{wrong[0].path.name}: a raw frame keeps clear of zero, by its offset.",
                    () if reference is None else [Mark("frames without light", reference)],
                ),
            )


def _calibrated(evidence: SessionEvidence, frame: FrameEvidence, reference: float | None) -> str:
    levels, settings = frame.levels, evidence.settings
    fractional = float(levels.fractional.mean())
    if fractional > settings.calibrated_fraction and not np.all(levels.grid > 0):
        return f"{percent(fractional, 0)} of the pixels are not whole numbers"
    negative = float(levels.negative.mean())
    if negative > settings.calibrated_fraction:
        return f"{percent(negative, 0)} of the pixels are negative"
    quiet = max(float(frame.noise.mean()), 1.0)
    if reference is None or reference < max(10.0 * quiet, 20.0):
        return ""
    zeros = float(levels.zeros.mean())
    if zeros > settings.clipped_fraction and frame.level < 0.5 * reference:
        return (
            f"{percent(zeros, 1)} of the pixels are zero and the median is {frame.level:.0f} DN,"
            f" while frames without light have {reference:.0f} DN"
        )
    if frame.level < min(2.0 * quiet, 0.1 * reference):
        return (
            f"the median is {frame.level:.0f} DN, while frames without light of the same settings"
            f" have {reference:.0f} DN"
        )
    return ""


def _bias_elsewhere(evidence: SessionEvidence, frames: SetEvidence) -> float | None:
    """Return the level of frames without light of the same claimed settings, in other sets."""
    offset = frames.frames[0].info.offset
    levels = [
        float(s.level.mean())
        for s in evidence.of(*DARK_KINDS)
        if s is not frames
        and same_setup(s, frames)
        and (s.step == frames.step or 0 in {s.step, frames.step})
        and (offset is None or s.frames[0].info.offset in {None, offset})
    ]
    return max(levels, default=None)


@rule(
    "mixed-scaling",
    "12- or 14-bit data are mixed with the same data scaled to 16 bit",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.SET,
)
def mixed_scaling(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the steps of the integers: data scaled from 14 to 16 bits are multiples of 4.

    Camera raw files, and some drivers, store the numbers of the ADC, others multiply them up to
    16 bits (guide 2.1, 2.2). Frames of both kinds cannot be calibrated with each other: levels
    differ by a factor of 4 or 16. Take all frames with the same driver and program, or rescale one
    of the sets.

    Example: 12 darks in steps of 1 DN with a level of 175 DN, 16 lights in steps of 4 DN; 4 x 175
    is the level of 700 DN that the lights need.
    """
    groups: dict[tuple[object, ...], list[SetEvidence]] = defaultdict(list)
    for frames in evidence.sets:
        if not frames.is_master and frames.step > 0:
            groups[frames.camera, frames.shape].append(frames)
    for sets in groups.values():
        by_step: dict[int, list[FrameEvidence]] = defaultdict(list)
        for frames in sets:
            for frame in frames.frames:
                if frame.levels.frame_step > 0:
                    by_step[frame.levels.frame_step].append(frame)
        if len(by_step) < 2 or few_values(by_step):  # noqa: PLR2004 - two make a comparison
            continue
        usual = _usual_step(by_step)
        scaled = {
            n: frames
            for n, frames in by_step.items()
            if n == usual or not same_scale(frames, by_step[usual], n / usual)
        }
        if len(scaled) > 1:
            yield _scaling_finding(scaled, usual)


def _usual_step(by_step: dict[int, list[FrameEvidence]]) -> int:
    """Return the step of the lights, or of most frames."""
    lights = [n for n, fs in by_step.items() if any(f.info.kind is FrameKind.LIGHT for f in fs)]
    return max(lights or by_step, key=lambda n: len(by_step[n]))


def _scaling_finding(by_step: dict[int, list[FrameEvidence]], usual: int) -> Finding:
    others = {n: frames for n, frames in by_step.items() if n != usual}
    wrong = [frame for frames in others.values() for frame in frames]
    paths: list[Path] = [frame.path for frame in wrong]
    steps = ", ".join(f"{_frames(fs)} in steps of {n}" for n, fs in others.items())
    kinds = sorted({frame.info.kind.value for frame in wrong if frame.info.kind})
    return found(
        "mixed-scaling",
        frames=paths,
        message=f"{steps} DN ({', '.join(kinds)}), but {_frames(by_step[usual])} in steps of"
        f" {usual} DN: levels differ by a factor of"
        f" {', '.join(f'{max(n, usual) / min(n, usual):.0f}' for n in others)}",
        cause="two drivers or programs, of which one scales the numbers of the ADC to 16 bits",
        remedy="take all frames with the same driver, program and format; or multiply the pixels of"
        " one set by the factor",
        evidence={
            "steps": {str(n): len(frames) for n, frames in by_step.items()},
            "highest_dn": {
                str(n): max(float(f.levels.maximum.max()) for f in frames)
                for n, frames in by_step.items()
            },
        },
        picture=comb(
            ((f"steps of {n} DN: {names_of(by_step[n], 1)}", by_step[n][0], 0) for n in by_step),
            "Values that occur around the median",
            "Numbers of the ADC come one by one; multiplied to 16 bits they come in wider steps.",
        ),
    )


def _frames(frames: Sequence[FrameEvidence]) -> str:
    return counted(len(frames), "frame", "frames")
