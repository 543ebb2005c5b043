"""Rules on the spacing of values: floats of another scale, integers of fewer bits."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import log2

from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_pictures import comb
from lightframe.checks._evidence_scale import dark_ratios, few_values, same_scale, spacing_of
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_tools import names_of
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._numbers import counted, number
from lightframe.checks._pictures import Histogram
from lightframe.checks._rules import Stage, found, witness
from lightframe.frames import FrameKind

__all__: list[str] = []

_ALIKE = 0.01
"""Relative difference of two spacings that is none: 16383 and 16384 steps to full scale."""
_FRACTIONAL = 1e-6
_NOISE_OF_MEANS = 1.4
"""Noise of the frames in wider steps over that of the others from which on these are means."""


@witness("format-mismatch", judges=SessionEvidence, stage=Stage.FRAME)
def other_spacing(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the spacing of the values, where the headers claim one format.

    Numbers of an ADC stay evenly spaced, whatever they are multiplied with. Programs that convert
    camera raw files to floating point divide by the highest number of the ADC: frames of the same
    camera then differ by a factor of 4 or 16 from those that were stored as integers. Frames whose
    level is the same, but which come in wider steps, were read out with fewer bits: high-speed
    modes of cameras do so, with noise and level of their own.

    Example: darks are floats spaced by 4.00024 DN, 16383 of them to full scale, and the lights
    integers in steps of 1 DN: levels differ by a factor of 4.
    """
    groups: dict[tuple[object, ...], list[FrameEvidence]] = defaultdict(list)
    for frames in evidence.sets:
        if not frames.is_master:
            known = [frame for frame in frames.frames if spacing_of(frame) > 0]
            groups[frames.camera, frames.shape].extend(known)
    for members in groups.values():
        by_spacing = _by_spacing(members)
        if len(by_spacing) > 1:
            usual = _usual(by_spacing)
            for spacing, others in by_spacing.items():
                if spacing != usual:
                    yield from _judged(others, by_spacing[usual], spacing, usual)


def _by_spacing(frames: Sequence[FrameEvidence]) -> dict[float, list[FrameEvidence]]:
    """Return the frames by the distance of their values; nearly equal ones are one."""
    result: dict[float, list[FrameEvidence]] = {}
    for frame in sorted(frames, key=lambda frame: frame.levels.frame_step == 0):
        spacing = spacing_of(frame)
        near = (known for known in result if abs(spacing / known - 1.0) < _ALIKE)
        result.setdefault(next(near, spacing), []).append(frame)
    return result


def _usual(by_spacing: dict[float, list[FrameEvidence]]) -> float:
    """Return the spacing of the lights, or of most frames."""

    def lights(spacing: float) -> int:
        return sum(frame.info.kind is FrameKind.LIGHT for frame in by_spacing[spacing])

    return max(by_spacing, key=lambda spacing: (lights(spacing), len(by_spacing[spacing])))


def _judged(
    frames: Sequence[FrameEvidence],
    others: Sequence[FrameEvidence],
    spacing: float,
    usual: float,
) -> Iterator[Finding]:
    ratio = spacing / usual
    floats = any(abs(value - round(value)) > _FRACTIONAL for value in (spacing, usual))
    if not same_scale(frames, others, ratio):
        if floats:
            yield _of_other_scale(frames, others, spacing, usual)
        return
    ratios = dark_ratios(frames, others)
    if floats or few_values({round(spacing): frames, round(usual): others}):
        return
    noise = 1.0 if ratios is None else ratios.noise if ratio > 1.0 else 1.0 / ratios.noise
    if noise > _NOISE_OF_MEANS:
        return  # the finer ones are quieter: means of binned pixels
    yield _of_other_bits(frames, others, spacing, usual)


def _of_other_scale(
    frames: Sequence[FrameEvidence],
    others: Sequence[FrameEvidence],
    spacing: float,
    usual: float,
) -> Finding:
    factor = max(spacing / usual, usual / spacing)
    return found(
        "format-mismatch",
        frames=[frame.path for frame in frames],
        message=f"{_kinds(frames)} ({names_of(frames)}): values spaced by {number(spacing, 6)} DN,"
        f" but by {number(usual, 6)} DN in {_kinds(others)}: levels differ by a factor of"
        f" {number(factor)}",
        cause="one kind of frame was converted to floating point as a fraction of the ADC's range,"
        " the other holds the ADC's numbers",
        remedy="convert all frames in the same way, best not at all: give the files of the camera",
        evidence=_numbers(frames, others, spacing, usual),
        picture=_picture(frames, others),
    )


def _of_other_bits(
    frames: Sequence[FrameEvidence],
    others: Sequence[FrameEvidence],
    spacing: float,
    usual: float,
) -> Finding:
    bits = abs(round(log2(spacing / usual)))
    fewer = "fewer" if spacing > usual else "more"
    return found(
        "format-mismatch",
        frames=[frame.path for frame in frames],
        severity=Severity.WARNING,
        message=f"{_kinds(frames)} ({names_of(frames)}): steps of {spacing:.0f} DN, but of"
        f" {usual:.0f} DN in {_kinds(others)}, at the same level: {counted(bits, 'bit', 'bits')}"
        f" {fewer}",
        cause="another readout mode or speed, or another format of the driver: high-speed modes"
        " read fewer bits",
        remedy="take all frames in one mode and format",
        evidence=_numbers(frames, others, spacing, usual),
        picture=_picture(frames, others),
    )


def _kinds(frames: Sequence[FrameEvidence]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for frame in frames:
        counts[frame.info.kind.value if frame.info.kind else "frame"] += 1
    plural = {"bias": " frames"}
    return ", ".join(
        f"{count} {kind}{plural.get(kind, 's') if count > 1 else ''}"
        for kind, count in counts.items()
    )


def _numbers(
    frames: Sequence[FrameEvidence],
    others: Sequence[FrameEvidence],
    spacing: float,
    usual: float,
) -> dict[str, object]:
    ratios = dark_ratios(frames, others)
    return {
        "spacing_dn": round(spacing, 6),
        "spacing_elsewhere_dn": round(usual, 6),
        "level_without_light_ratio": None if ratios is None else round(ratios.level, 4),
        "highest_dn": max(float(frame.levels.maximum.max()) for frame in frames),
        "highest_elsewhere_dn": max(float(frame.levels.maximum.max()) for frame in others),
    }


def _picture(frames: Sequence[FrameEvidence], others: Sequence[FrameEvidence]) -> Histogram | None:
    whole = [g for g in (frames, others) if g[0].levels.frame_step > 0]
    return comb(
        ((f"steps of {g[0].levels.frame_step} DN: {names_of(g, 1)}", g[0], 0) for g in whole),
        "Values that occur around the median",
        "Fewer bits leave wider steps.",
    )
