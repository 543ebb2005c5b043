"""One cause once: what follows from another finding on the same lights goes into that finding."""

from collections.abc import Sequence
from dataclasses import replace

from lightframe.checks._finding import Finding

__all__ = ["RESULT_CONSEQUENCES", "folded", "merged"]

_OF_THE_DARK = frozenset(
    {"hot-pixel-mismatch", "stale-dark", "residual-pattern", "clipped-result", "residual-glow"}
)
RESULT_CONSEQUENCES: dict[str, frozenset[str]] = {
    "dark-light-leak": frozenset(
        {"under-correction", "clipped-result", "residual-pattern", "residual-glow"}
    ),
    "no-dark-correlation": _OF_THE_DARK | {"dark-scale-disagrees"},
    "frame-flipped": _OF_THE_DARK,
    "hot-pixel-mismatch": _OF_THE_DARK - {"hot-pixel-mismatch"},
    "stale-dark": frozenset({"residual-pattern"}),
    "over-correction": frozenset({"clipped-result", "residual-pattern"}),
    "under-correction": frozenset({"clipped-result", "residual-pattern"}),
    "dust-embossed": frozenset({"residual-pattern"}),
    "dark-scaling-with-glow": frozenset({"residual-glow"}),
}
"""Findings on a set of lights that follow from the one to the left."""


def folded(findings: Sequence[Finding]) -> list[Finding]:
    """Put the consequences among the findings on one set of lights into their causes.

    Returns
    -------
    list of Finding
        The causes; the evidence of each lists under ``consequences`` what was left out for it.
    """
    kept: list[Finding] = []
    for finding in findings:
        below = [
            {"rule": other.rule, "message": other.message}
            for other in findings
            if other.rule in RESULT_CONSEQUENCES.get(finding.rule, ())
        ]
        if any(finding.rule in RESULT_CONSEQUENCES.get(other.rule, ()) for other in findings):
            continue
        if below:
            finding = replace(  # noqa: PLW2901 - the same one, with more evidence
                finding, evidence={**finding.evidence, "consequences": below}
            )
        kept.append(finding)
    return kept


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Say once what several sets of lights say of the same frames.

    Returns
    -------
    list of Finding
        The first of each rule and frames; its evidence lists the others' messages under ``also``.
    """
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.frames)
        if key not in kept:
            kept[key] = finding
            continue
        first = kept[key]
        also = [*first.evidence.get("also", ()), finding.message]
        kept[key] = replace(first, evidence={**first.evidence, "also": also})
    return sorted(kept.values(), key=lambda finding: finding.severity.rank)
