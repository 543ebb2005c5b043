"""One cause is reported once: findings that only follow from another one are left out."""

from collections.abc import Sequence
from dataclasses import replace

from lightframe.checks._finding import Finding
from lightframe.checks._numbers import counted
from lightframe.checks._rules import RULES

__all__ = ["CONSEQUENCES", "one_cause_once", "without_consequences"]

_OF_WRONG_PIXELS = frozenset(
    {
        "already-calibrated", "bias-unstable", "black-clipped", "camera-mismatch",
        "cfa-on-mono", "cfa-pattern-missing", "cfa-pattern-wrong", "dark-inconsistent",
        "dark-light-leak", "dark-temperature-mismatch", "filtered-raw", "flat-banding",
        "flat-dark-needed", "flat-inconsistent", "flat-saturated", "flat-shutter-pattern",
        "flat-underexposed", "flat-weak-channel", "frame-flipped", "gain-label-wrong",
        "hot-pixel-mismatch", "master-dark-clipped", "master-dark-precalibrated", "mixed-scaling",
        "offset-mismatch", "software-mismatch", "stale-dark", "stars-in-flat",
        "white-balance-scaled",
    }
)  # fmt: skip
"""What may seem wrong with pixels that are not what they are taken for."""

CONSEQUENCES: dict[str, frozenset[str]] = {
    "unreadable-file": _OF_WRONG_PIXELS,
    "unsigned-offset-wrong": _OF_WRONG_PIXELS | {"frame-type-mislabelled", "units-mismatch"},
    "units-mismatch": _OF_WRONG_PIXELS | {"frame-type-mislabelled"},
    "frame-type-mislabelled": _OF_WRONG_PIXELS
    | {"no-dark", "no-flat", "flats-uncalibrated", "too-few-frames", "dark-exposure-mismatch",
       "flat-dark-exposure-mismatch"},
    "already-calibrated": _OF_WRONG_PIXELS - {"already-calibrated"},
    "white-balance-scaled": _OF_WRONG_PIXELS
    - {"white-balance-scaled", "frame-flipped", "camera-mismatch"},
    "mixed-scaling": _OF_WRONG_PIXELS - {"mixed-scaling", "white-balance-scaled"},
    "format-mismatch": frozenset({"mixed-scaling", "frame-type-mislabelled", "offset-mismatch",
                                  "software-mismatch", "geometry-mismatch", "gain-label-wrong"}),
    "binning-mismatch": frozenset({"geometry-mismatch", "gain-label-wrong", "offset-mismatch",
                                   "camera-mismatch", "stale-dark", "hot-pixel-mismatch",
                                   "frame-flipped", "flat-dark-needed", "dark-inconsistent"}),
    "camera-mismatch": frozenset({"frame-flipped", "gain-label-wrong", "hot-pixel-mismatch",
                                  "dark-temperature-mismatch", "offset-mismatch", "stale-dark",
                                  "software-mismatch"}),
    "gain-mismatch": frozenset({"gain-label-wrong", "hot-pixel-mismatch", "offset-mismatch",
                                "dark-temperature-mismatch"}),
    "gain-label-wrong": frozenset({"flat-underexposed", "flat-weak-channel", "hot-pixel-mismatch",
                                   "dark-temperature-mismatch", "dark-inconsistent",
                                   "offset-mismatch", "stale-dark"}),
    "readout-mode-mismatch": frozenset({"gain-label-wrong", "offset-mismatch"}),
    "master-dark-clipped": frozenset({"master-dark-precalibrated", "offset-mismatch"}),
    "master-dark-precalibrated": frozenset({"offset-mismatch"}),
    "black-clipped": frozenset({"offset-mismatch", "already-calibrated", "bias-unstable",
                                "gain-label-wrong", "dark-inconsistent"}),
    "bias-unstable": frozenset({"offset-mismatch", "gain-label-wrong"}),
    "bias-not-recommended": frozenset({"bias-unstable"}),
    "dark-light-leak": frozenset({"dark-inconsistent", "offset-mismatch", "gain-label-wrong",
                                  "hot-pixel-mismatch", "flat-dark-needed", "stale-dark",
                                  "dark-temperature-mismatch"}),
    "frame-flipped": frozenset({"camera-mismatch", "hot-pixel-mismatch", "stale-dark",
                                "dark-temperature-mismatch", "cfa-pattern-wrong"}),
    "dark-temperature-mismatch": frozenset({"hot-pixel-mismatch", "stale-dark"}),
    "dark-exposure-mismatch": frozenset({"hot-pixel-mismatch", "stale-dark"}),
    "dark-shorter-than-light": frozenset({"hot-pixel-mismatch", "stale-dark"}),
    "hot-pixel-mismatch": frozenset({"stale-dark"}),
    "filtered-raw": frozenset({"camera-mismatch", "stale-dark", "hot-pixel-mismatch",
                               "gain-label-wrong", "dark-temperature-mismatch"}),
    "flat-saturated": frozenset({"flat-inconsistent", "flat-weak-channel", "gain-label-wrong",
                                 "cfa-on-mono", "cfa-pattern-wrong", "cfa-pattern-missing"}),
    "flat-underexposed": frozenset({"flat-weak-channel", "flat-dark-needed",
                                    "flat-inconsistent"}),
    "flat-shutter-pattern": frozenset({"flat-inconsistent", "flat-banding"}),
    "flat-banding": frozenset({"flat-inconsistent"}),
    "stars-in-flat": frozenset({"flat-inconsistent"}),
}  # fmt: skip
"""Findings that are left out where the same frames have a finding of the rule to the left.

The most fundamental causes come first.
"""

_OF_SETS = frozenset(
    {
        "dark-light-leak", "dark-scale-disagrees", "dark-scaling-with-glow", "dust-embossed",
        "flat-banding", "flat-dark-needed", "flat-inconsistent", "flat-saturated",
        "flat-shutter-pattern", "flat-underexposed", "flat-weak-channel", "gain-label-wrong",
        "hot-pixel-mismatch", "mixed-scaling", "no-dark-correlation", "over-correction",
        "residual-glow", "residual-pattern", "stale-dark", "stars-in-flat", "under-correction",
        "undithered", "clipped-result", "offset-mismatch", "frame-flipped", "camera-mismatch",
    }
)  # fmt: skip
"""Rules that judge set by set, so that one cause shows in the frames of each filter."""
_MOST_MESSAGES = 4


def one_cause_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Make one finding of those that one cause has left in several sets of frames.

    Flats of all filters that were exposed too long, darks of another offset under the lights of
    each filter: rule, severity, cause and remedy are the same.

    Returns
    -------
    tuple of Finding
        In the order of the first of each; frames and messages of all, the numbers of the first, and
        those of the others under ``others`` in its evidence.
    """
    by_cause: dict[tuple[object, ...], list[Finding]] = {}
    for place, finding in enumerate(findings):
        key = (finding.rule, finding.severity, finding.cause, finding.remedy)
        alone = finding.rule not in _OF_SETS
        by_cause.setdefault((*key, place if alone else None), []).append(finding)
    return tuple(_together(members) for members in by_cause.values())


def _together(findings: Sequence[Finding]) -> Finding:
    """Return one finding for several of one cause."""
    first, *others = findings
    if not others:
        return first
    messages = list(dict.fromkeys(finding.message for finding in findings))
    more = len(messages) - _MOST_MESSAGES
    shown = messages[:_MOST_MESSAGES] + (
        [f"the same in {counted(more, 'more set', 'more sets')}"] if more > 0 else []
    )
    numbers = [
        {name: value for name, value in finding.evidence.items() if name != "picture"}
        for finding in others
    ]
    return replace(
        first,
        frames=tuple(dict.fromkeys(path for finding in findings for path in finding.frames)),
        message="; ".join(shown),
        evidence={**first.evidence, "others": numbers},
    )


def without_consequences(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Leave out what follows from another finding of the same frames, and what is said twice.

    Parameters
    ----------
    findings : sequence of Finding
        Of all rules; those that headers decide before those of the pixels.

    Returns
    -------
    tuple of Finding
        The worst first, else in the order of the catalogue.
    """
    kept: list[Finding] = []
    for finding in findings:
        frames = set(finding.frames)
        if not any(other.rule == finding.rule and frames & set(other.frames) for other in kept):
            kept.append(finding)
    # Causes in the order of the table, the most fundamental first: what an earlier one has
    # explained explains nothing itself.
    for cause, consequences in CONSEQUENCES.items():
        frames = {path for finding in kept if finding.rule == cause for path in finding.frames}
        kept = [
            finding
            for finding in kept
            if finding.rule not in consequences or not frames & set(finding.frames)
        ]
    order = {name: place for place, name in enumerate(RULES)}
    ordered = sorted(kept, key=lambda f: (f.severity.rank, order[f.rule]))
    return one_cause_once(ordered)
