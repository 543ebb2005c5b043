"""Judging the calibrated lights of a field: set by set, causes before consequences."""

from dataclasses import replace

from lightframe.checks._consequences import one_cause_once
from lightframe.checks._finding import Finding
from lightframe.checks._result_consequences import folded, merged
from lightframe.checks._result_evidence import ResultEvidence
from lightframe.checks._rules import judge

__all__ = ["judge_results"]


def judge_results(evidence: ResultEvidence) -> tuple[Finding, ...]:
    """Let the rules of calibrated lights look at each set of them.

    Parameters
    ----------
    evidence : ResultEvidence
        What was measured, and what is known already.

    Returns
    -------
    tuple of Finding
        The worst first. What follows from another finding on the same lights is in the evidence of
        that one; what is known already of the same frames is not said again, and one cause in
        several sets is one finding.
    """
    findings: list[Finding] = []
    for lights in evidence.sets:
        findings += folded(judge(replace(evidence, sets=(lights,))))
    new = [
        finding
        for finding in merged(findings)
        if not any(
            finding.rule == other.rule and set(finding.frames) & set(other.frames)
            for other in evidence.findings
        )
    ]
    return one_cause_once(new)
