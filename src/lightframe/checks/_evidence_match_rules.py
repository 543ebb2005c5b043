"""Rules on the level without light, which frames must agree on: by offset, and by program."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lightframe.checks._evidence_levels_of_bias import (
    BiasLevel,
    bias_levels,
    deviants,
    is_undecided,
    setups,
)
from lightframe.checks._evidence_pictures import implied_levels
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._rules import found, rule, with_picture, witness

__all__: list[str] = []

_WARNING = Severity.WARNING
_NO_BIAS = 0.05
"""Part of the bias level below which lights have none."""


@witness("offset-mismatch", judges=SessionEvidence, thresholds=("offset_sigma", "offset_steps"))
def offset_by_levels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Measure the level without light of every set, and compare.

    Bias frames show it directly. Darks lie above it by their dark signal, of which their noise
    tells how much it can be. For lights it is where the noise of the sky, which falls with its
    brightness, would reach that of a dark. The sets must agree within 2 times the noise of a pixel
    and 4 steps; what disagrees was taken with another offset, whatever the header says.

    Example: darks at 700 DN, but the noise of the lights' sky, 300 DN at 65 DN², points to 1300 DN
    without light: 600 DN would be left in every pixel.
    """
    yield from _level_findings(evidence, "offset-mismatch", "already-calibrated")


@rule(
    "software-mismatch",
    "frames of one project come from different capture programs, and their levels differ",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("offset_sigma", "offset_steps"),
)
def software_mismatch(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the levels without light of frames from different programs (guide 2.2).

    Programs and drivers come with offsets of their own, which not all write into the header. Where
    levels differ, no header states the offset of both, and SWCREATE differs, the program is the
    likely cause. Take all frames with the same program.

    Example: darks by SharpCap at 400 DN, lights by N.I.N.A. at 700 DN without light.
    """
    yield from _level_findings(evidence, "software-mismatch")


def _level_findings(evidence: SessionEvidence, *names: str) -> Iterator[Finding]:
    for group in setups(evidence):
        levels = bias_levels(evidence, group)
        agreed, wrong = deviants(levels)
        if not wrong:
            continue
        right = [s for s in group if all(s is not item.frames for item in wrong)]
        for name, items in _by_cause(wrong, agreed, right).items():
            if name in names:
                finding = _level_finding(evidence, name, items, agreed, right)
                unsure = all(is_undecided(levels, agreed, item) for item in items)
                finding = _undecided(finding, right) if unsure else finding
                yield with_picture(finding, implied_levels(levels, agreed, items))


def _undecided(finding: Finding, right: Sequence[SetEvidence]) -> Finding:
    """Return the finding on two levels of which either may be that of the lights."""
    others = [s for s in right if s.is_dark]
    if not others:
        return finding
    return replace(
        finding,
        frames=(*finding.frames, *(path for frames in others for path in frames.paths)),
        message=f"{finding.message}; the lights do not tell which of both is theirs",
    )


def _by_cause(
    wrong: Sequence[BiasLevel], agreed: float, right: Sequence[SetEvidence]
) -> dict[str, list[BiasLevel]]:
    """Return the sets that are off the agreed level, by the rule that explains them."""
    causes: dict[str, list[BiasLevel]] = {}
    for item in wrong:
        if _without_bias(item, agreed):
            name = "already-calibrated"
        elif _explained_by_program(item.frames, right):
            name = "software-mismatch"
        else:
            name = "offset-mismatch"
        causes.setdefault(name, []).append(item)
    return causes


def _explained_by_program(frames: SetEvidence, others: Sequence[SetEvidence]) -> bool:
    """Whether programs differ and no header states the offset of both sides.

    Frames without light show their level, and so whose program it is that has another one; flats
    and lights are asked only where there are none.
    """
    own = {f.info.software for f in frames.frames}
    dark = [s for s in others if s.is_dark] or others
    theirs = {f.info.software for s in dark for f in s.frames}
    differ = None not in own | theirs and not own & theirs
    stated = all(f.info.offset is not None for s in (frames, *others) for f in s.frames)
    return bool(differ and not stated)


def _without_bias(item: BiasLevel, agreed: float) -> bool:
    """Whether lights have no bias at all: dead pixels, which see no sky, lie at zero."""
    darkest = min(float(frame.levels.minimum.min()) for frame in item.frames.frames)
    low = item.level < 4.0 * _NO_BIAS * agreed and darkest < _NO_BIAS * agreed
    return (low or item.level < 0.0) and not item.frames.is_dark


def _level_finding(
    evidence: SessionEvidence,
    name: str,
    items: Sequence[BiasLevel],
    agreed: float,
    right: Sequence[SetEvidence],
) -> Finding:
    settings = evidence.settings
    item = items[0]
    frames = item.frames
    claimed, elsewhere = _offsets([frames]), _offsets(right)
    headers = "headers do not state the offset"
    if claimed and claimed == elsewhere:
        headers = f"the headers claim offset {claimed[0]:g} for both"
    elif claimed and elsewhere:
        headers = f"the headers claim {claimed[0]:g} and {elsewhere[0]:g}"
    programs = sorted({str(f.info.software) for s in (frames, *right) for f in s.frames})
    tolerance = max(
        settings.offset_sigma * frames.read_noise if frames.is_dark else item.high - item.level,
        settings.offset_steps * max(frames.step, 1),
    )
    causes = {
        "software-mismatch": f"programs with offsets of their own: {', '.join(programs)}",
        "offset-mismatch": "the offset was changed, or was not yet in effect when the frames were"
        " taken, or some of the frames were calibrated before",
        "already-calibrated": "the bias has been subtracted from these frames already",
    }
    return found(
        name,
        frames=[path for entry in items for path in entry.frames.paths],
        message=f"{', '.join(dict.fromkeys(i.frames.label for i in items))}: {item.level:.0f} DN"
        f" without light (told by {item.how}), but {agreed:.0f} DN in the other frames (tolerance"
        f" {number(tolerance)} DN); {headers}",
        cause=causes[name],
        remedy="give the raw frames as the camera delivered them"
        if name == "already-calibrated"
        else "take calibration frames again with the offset (and the program) of the lights",
        evidence={
            "level_without_light_dn": {i.frames.label: round(i.level, 2) for i in items},
            "level_elsewhere_dn": round(agreed, 2),
            "tolerance_dn": round(tolerance, 2),
            "measured_from": item.how,
            "claimed_offsets": claimed,
            "claimed_offsets_elsewhere": elsewhere,
            "programs": programs,
        },
    )


def _offsets(sets: Iterable[SetEvidence]) -> list[float]:
    """Return the offsets that headers of these frames state."""
    return sorted({f.info.offset for s in sets for f in s.frames if f.info.offset is not None})
