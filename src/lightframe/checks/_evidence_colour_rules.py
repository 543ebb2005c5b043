"""Rules on colour: which phases of the 2x2 cell are one colour, and whether any was multiplied."""

from collections.abc import Iterator, Sequence

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_pictures import comb, values_by_phase
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import DARK_KINDS, SetEvidence
from lightframe.checks._evidence_tools import dark_reference, rounded
from lightframe.checks._evidence_x_trans import light_by_six
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import counted
from lightframe.checks._pictures import Axis, Comparison
from lightframe.checks._rules import Stage, found, rule, witness
from lightframe.figures import percent
from lightframe.frames import CfaPattern, FrameKind

__all__ = ["bright_flats"]


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_DIAGONALS = ((0, 3), (1, 2))
_BAYER = 2
_FEWEST_VALUES = 64
_LEAST_SNR = 10.0
"""Light of a flat in units of the noise of a pixel from which on its colours can be compared."""
_PLACES = ("top left", "top right", "bottom left", "bottom right")
_CLAIMS = {(0, 3): ("GRBG", "GBRG"), (1, 2): ("RGGB", "BGGR")}
"""Patterns whose greens lie on a diagonal."""


def _difference(signal: Float64, a: int, b: int) -> float:
    """Return the relative difference of two phases."""
    return float(abs(signal[a] - signal[b]) / max(0.5 * (signal[a] + signal[b]), 1e-9))


def bright_flats(evidence: SessionEvidence) -> Iterator[tuple[SetEvidence, Float64]]:
    """Yield flats bright enough to compare colours, and their light by phase."""
    for flats in evidence.of(FrameKind.FLAT):
        if flats.frames[0].info.channels != 1:
            continue
        dark = dark_reference(evidence, flats)
        signal = flats.level - (dark.level if dark is not None else 0.0)
        if np.all(signal > _LEAST_SNR * flats.noise) and signal.min() > 0:
            yield flats, signal


def _green_diagonal(evidence: SessionEvidence, signal: Float64) -> tuple[int, int] | None:
    """Return the diagonal that is one colour while the other is two; None if it is not clear."""
    settings = evidence.settings
    for greens, others in (_DIAGONALS, _DIAGONALS[::-1]):
        equal = _difference(signal, *greens) <= settings.cfa_equal
        if equal and _difference(signal, *others) >= settings.cfa_different:
            return greens
    return None


def _claimed_diagonal(pattern: CfaPattern) -> tuple[int, int]:
    greens = [phase for phase, letter in enumerate(pattern.name) if letter == "G"]
    return greens[0], greens[1]


@rule(
    "cfa-pattern-missing",
    "a colour camera's frames carry no pattern",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("cfa_equal", "cfa_different"),
)
def cfa_pattern_missing(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for colours in flats of frames without BAYERPAT.

    In a flat of a colour camera two of the four phases of the 2x2 cell, on a diagonal, are equal:
    green; the other two differ. Without a pattern the frames would be integrated as monochrome
    (guide 2.1.2). Which of the two others is red a flat cannot tell; try one, and look at a star
    of known colour or at the daylight sky.

    Example: phases at 18988, 25320, 25320, 17268 DN: greens on the rising diagonal, so RGGB or
    BGGR.
    """
    for flats, signal in bright_flats(evidence):
        if any(f.info.cfa is not None for f in flats.frames):
            continue
        greens = _green_diagonal(evidence, signal)
        if greens is None:
            continue
        stated = {
            f.info.cfa.name
            for f in evidence.frames()
            if f.info.cfa is not None and f.info.shape == flats.shape
        }
        likely = [name for name in _CLAIMS[greens] if name in stated] or list(_CLAIMS[greens])
        bare = [
            f.path for f in evidence.frames() if f.info.cfa is None and f.info.shape == flats.shape
        ]
        yield found(
            "cfa-pattern-missing",
            frames=bare,
            message=f"{counted(len(bare), 'frame carries', 'frames carry')} no colour pattern, but"
            f" {flats.label} show one:"
            f" {' or '.join(likely)} (phases {', '.join(f'{v:.0f}' for v in signal)} DN)",
            cause="the capture program does not write BAYERPAT",
            remedy=f"add the keyword BAYERPAT = {likely[0]} to the headers; look whether red and"
            " blue come out right",
            evidence={
                "light_by_phase_dn": rounded(signal, 6),
                "candidates": likely,
                "equal_within": evidence.settings.cfa_equal,
                "different_from": evidence.settings.cfa_different,
            },
            picture=_light_by_phase(
                flats, signal, "Two places of the 2x2 cell, on a diagonal, are equal: green."
            ),
        )


@witness("cfa-pattern-wrong", judges=SessionEvidence, thresholds=("cfa_equal", "cfa_different"))
def pattern_contradicts_flats(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the pattern of the header with flats: the two greens must be equal.

    If the two phases that should be green differ by more than 3 % while the two others agree
    within 0.5 %, the pattern is shifted by a row or a column: the frame was cropped, or stored
    upside down, or the header is wrong. Debayering then makes a mosaic of wrong colours.

    Example: the header says RGGB, but phases 0 and 3 (25320 and 25318 DN) are equal and 1 and 2
    (18988 and 17268 DN) are not: GRBG or GBRG.
    """
    for flats, signal in bright_flats(evidence):
        pattern = flats.frames[0].info.cfa
        greens = _green_diagonal(evidence, signal)
        if pattern is None or pattern.period != _BAYER or greens is None:
            continue
        if _claimed_diagonal(pattern) == greens:
            continue
        alike = [f for f in evidence.frames() if f.info.cfa == pattern]
        yield found(
            "cfa-pattern-wrong",
            frames=[f.path for f in alike if f.info.shape == flats.shape],
            message=f"the headers say {pattern.name}, but in {flats.label} the phases are"
            f" {', '.join(f'{v:.0f}' for v in signal)} DN: the pattern is"
            f" {' or '.join(_CLAIMS[greens])}",
            cause="rows are stored in the opposite order, the frame was cropped by an odd number of"
            " pixels, or the header is wrong",
            remedy="correct BAYERPAT, ROWORDER, XBAYROFF or YBAYROFF",
            evidence={
                "claimed": pattern.name,
                "light_by_phase_dn": rounded(signal, 6),
                "candidates": list(_CLAIMS[greens]),
                "equal_within": evidence.settings.cfa_equal,
                "different_from": evidence.settings.cfa_different,
            },
            picture=_light_by_phase(
                flats, signal, "The two equal places are the green ones, whatever the header says."
            ),
        )


@rule(
    "cfa-on-mono",
    "the header of a monochrome sensor states a colour pattern",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("cfa_equal", "cfa_different"),
)
def cfa_on_mono(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the phases of flats: if all four are equal, there are no colour filters.

    Some drivers write BAYERPAT for monochrome cameras. Debayering such frames throws half of the
    resolution away. Remove the keyword.

    Example: the header says RGGB; the phases of the flats are 26020, 26019, 26021 and 26020 DN.
    """
    flats = [item for item in bright_flats(evidence) if item[0].frames[0].info.cfa is not None]
    if not flats:
        return
    widest = max((s.max() - s.min()) / s.mean() for _, s in flats)
    six = [np.ptp(light_by_six(s, dark_reference(evidence, s))) for s, _ in flats]
    if max(six) > evidence.settings.cfa_different:
        return  # X-Trans: each place of the 2x2 cell holds all colours
    lights = [s for s in evidence.of(FrameKind.LIGHT) if s.frames[0].info.cfa is not None]
    coloured = any(np.ptp(s.level) > 0.5 * float(s.noise.mean()) for s in lights)
    if widest > evidence.settings.cfa_equal or coloured:
        return
    frames = [f for f in evidence.frames() if f.info.cfa is not None]
    first, signal = flats[0]
    pattern = first.frames[0].info.cfa
    yield found(
        "cfa-on-mono",
        frames=[f.path for f in frames],
        message=f"the headers say {pattern.name if pattern else ''}, but all phases of"
        f" {first.label} agree within {percent(widest, 2)} (allowed:"
        f" {percent(evidence.settings.cfa_equal, 1)}): no colour filters",
        cause="the driver writes BAYERPAT for monochrome cameras",
        remedy="remove BAYERPAT from the headers",
        evidence={
            "light_by_phase_dn": rounded(signal, 6),
            "widest_difference": float(widest),
            "allowed": evidence.settings.cfa_equal,
        },
        picture=_light_by_phase(
            first, signal, "Colour filters would make at least one place differ from the others."
        ),
    )


def _light_by_phase(flats: SetEvidence, signal: Float64, caption: str) -> Comparison:
    return values_by_phase(
        flats.frames[0],
        signal,
        "Light of the flats at the four places of the 2x2 cell",
        caption,
        Axis("light", "DN"),
    )


@rule(
    "white-balance-scaled",
    "the driver multiplied the colours of raw frames",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.SET,
    thresholds=("white_balance",),
)
def white_balance_scaled(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the distances of the values of each colour: multiplication tears gaps.

    Raw values come in steps of 1, 4 or 16. Multiplied by 1.9 they come in steps 1.9 times as wide:
    the histogram of that colour has gaps, its bias is 1.9 times that of green, and its highest
    values are cut off. ZWO's own driver does so with WB_R = 52 and WB_B = 95, its default: red
    x 1.04, blue x 1.90 (guide 2.2). Set both to 50, and take all frames anew; frames that
    were all multiplied alike can still be calibrated with each other, but highlights of blue are
    lost.

    Example: bias 700 DN in both greens, 728 DN in red, 1330 DN in blue.
    """
    frames = [s for s in evidence.sets if not s.is_master]
    factors: list[tuple[SetEvidence, Float64]] = []
    measured = False
    for item in frames:
        spacing = _spacing_ratios(item)
        measured = measured or spacing is not None
        if spacing is not None and _is_scaled(evidence, spacing):
            factors.append((item, spacing))
    if not measured:
        for item in evidence.of(*DARK_KINDS):
            ratios = _level_ratios(item)
            if ratios is not None and _is_scaled(evidence, ratios):
                factors.append((item, ratios))
    if not factors:
        return
    first = max(factors, key=lambda f: len(f[0].frames))
    yield found(
        "white-balance-scaled",
        frames=[path for item, _ in factors for path in item.paths],
        message=f"in {', '.join(item.label for item, _ in factors)} the phases of the 2x2 cell"
        f" are multiplied by {', '.join(f'{v:.2f}' for v in first[1])} (allowed: within"
        f" {percent(evidence.settings.white_balance, 1)} of 1)",
        cause="the driver applies a white balance to raw frames (ZWO: WB_R 52, WB_B 95)",
        remedy="set WB_R and WB_B to 50 in the camera's settings and take the frames again; or use"
        " the ASCOM driver",
        evidence={
            "factors_by_phase": {item.label: rounded(v) for item, v in factors},
            "levels_by_phase_dn": rounded(first[0].level, 6),
            "highest_by_phase_dn": rounded(
                np.max([f.levels.maximum for f in first[0].frames], axis=0), 6
            ),
            "allowed": evidence.settings.white_balance,
        },
        picture=comb(
            (
                (f"{place}: x {factor:.2f}", first[0].frames[0], phase)
                for phase, (place, factor) in enumerate(
                    zip(_PLACES, first[1].tolist(), strict=True)
                )
            ),
            "Values that occur at each place of the 2x2 cell",
            "Raw values come in even steps. Where a colour was multiplied the steps are wider.",
        ),
    )


def _greens(values: Float64, tolerance: float) -> float | None:
    """Return the value of the diagonal that is equal, and lower where both are; None if neither."""
    equal = [pair for pair in _DIAGONALS if _difference(values, *pair) <= tolerance]
    if not equal:
        return None
    return min(float(0.5 * (values[a] + values[b])) for a, b in equal)


def _spacing_ratios(frames: SetEvidence) -> Float64 | None:
    """Return the spacing of each phase over that of green; None where it cannot be measured."""
    spacings = [
        f.levels.spacing
        for f in frames.frames
        if np.all(f.levels.values >= _FEWEST_VALUES / max(1, f.levels.frame_step))
        and not f.info.calibration
    ]
    if 2 * len(spacings) < len(frames.frames) or not spacings:
        return None
    spacing = np.median(spacings, axis=0)
    if not np.all(np.isfinite(spacing)):
        return None
    green = _greens(spacing, 0.004)
    return None if green is None or green <= 0 else np.asarray(spacing / green)


def _level_ratios(frames: SetEvidence) -> Float64 | None:
    """Return the level of each phase over that of green, where it is clearly above the noise."""
    green = _greens(frames.level, 0.004)
    step = max(frames.step, 1)
    if green is None or green < 50.0 * step:
        return None
    if np.max(np.abs(frames.level - green)) < max(5.0 * step, 2.0 * float(frames.noise.mean())):
        return None
    return np.asarray(frames.level / green)


def _is_scaled(evidence: SessionEvidence, ratios: Sequence[float] | Float64) -> bool:
    return bool(np.max(np.abs(np.asarray(ratios) - 1.0)) > evidence.settings.white_balance)
