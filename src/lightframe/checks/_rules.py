"""The catalogue of rules: each has a name, a meaning, an explanation, and a function that judges.

A rule looks at one kind of evidence, told by the type of its argument; `judge` lets all rules look
at a piece of evidence that can. The docstring of a rule is what ``lightframe explain`` prints.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.tables import Table

__all__ = ["RULES", "Rule", "found", "judge", "rule"]

E = TypeVar("E")
Check = Callable[[E], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What stands behind the name of a rule.

    Attributes
    ----------
    severity : Severity
        The usual severity; a finding may be milder or worse where its evidence says so.
    group : Group
        Where the cause usually lies.
    judges : type
        The evidence it looks at.
    explanation : str
        How it knows, what it means for the result, what to do.
    check : callable
        Takes the evidence, gives findings.
    """

    severity: Severity
    group: Group
    judges: type
    explanation: str
    check: Callable[[Any], Iterable[Finding]]


RULES: Table[Rule] = Table("rule")


def rule(
    name: str, meaning: str, *, severity: Severity, group: Group, judges: type[E]
) -> Callable[[Check[E]], Check[E]]:
    """Return a decorator that enters a function into `RULES`; its docstring explains the rule."""

    def enter(check: Check[E]) -> Check[E]:
        explanation = inspect.cleandoc(check.__doc__ or "")
        RULES.enter(name, meaning, Rule(severity, group, judges, explanation, check))
        return check

    return enter


def found(  # noqa: PLR0913 - the parts of a finding, by keyword
    name: str,
    *,
    frames: Iterable[Path],
    message: str,
    cause: str = "",
    remedy: str = "",
    evidence: Mapping[str, Any] | None = None,
    severity: Severity | None = None,
    group: Group | None = None,
) -> Finding:
    """Build a finding of the rule `name`; severity and group are the rule's own unless given."""
    entry = RULES[name]
    return Finding(
        rule=name,
        severity=severity or entry.severity,
        group=group or entry.group,
        frames=tuple(dict.fromkeys(frames)),
        message=message,
        cause=cause,
        remedy=remedy,
        evidence=evidence or {},
    )


def judge(evidence: object) -> tuple[Finding, ...]:
    """Let all rules that judge this type of evidence look at it.

    Returns
    -------
    tuple of Finding
        The worst first, else in the order of the catalogue.
    """
    findings = [
        finding
        for entry in RULES.entries()
        if entry.value.judges is type(evidence)
        for finding in entry.value.check(evidence)
    ]
    return tuple(sorted(findings, key=lambda finding: finding.severity.rank))
