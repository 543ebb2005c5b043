"""Judging a session: what the frames are, whether they are sound, whether they go together."""

from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._rules import Stage, judge

__all__ = ["judge_session"]


def judge_session(evidence: SessionEvidence) -> tuple[Finding, ...]:
    """Let all rules look at the evidence of a session, stage by stage.

    A flat among darks, or a frame whose BZERO was lost, would make its whole set look wrong, and a
    dark with a light leak would contradict the bias: frames with an error are taken out before the
    next stage, and so are lights that a run sets aside.

    Parameters
    ----------
    evidence : SessionEvidence
        What was measured.

    Returns
    -------
    tuple of Finding
        Findings, consequences included.
    """
    findings: list[Finding] = []
    for stage in Stage:
        new = judge(evidence, stage)
        findings += new
        wrong = [
            finding
            for finding in new
            if finding.severity is Severity.ERROR or finding.rule == "bad-light"
        ]
        evidence = evidence.without(frozenset(path for f in wrong for path in f.frames))
    return tuple(findings)
