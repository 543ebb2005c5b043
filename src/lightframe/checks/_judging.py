"""Judging a session: first what the frames are, then what is wrong with them."""

from lightframe.checks._evidence_sets import SessionEvidence
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._rules import judge

__all__ = ["judge_session"]


def judge_session(evidence: SessionEvidence) -> tuple[Finding, ...]:
    """Let all rules look at the evidence of a session.

    Rules that tell what a frame is come first: a flat among darks, or a frame whose BZERO was lost,
    would make its whole set look wrong to the others, so it is taken out for them.

    Parameters
    ----------
    evidence : SessionEvidence
        What was measured.

    Returns
    -------
    tuple of Finding
        Findings, consequences included.
    """
    first = judge(evidence, sets_aside=True)
    aside = frozenset(
        path
        for finding in first
        if finding.severity is Severity.ERROR
        for path in finding.frames
    )
    return (*first, *judge(evidence.without(aside), sets_aside=False))
