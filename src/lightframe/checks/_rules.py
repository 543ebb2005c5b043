"""The catalogue of rules: each has a name, a meaning, an explanation, and a function that judges.

A rule looks at one kind of evidence, told by the type of its argument; `judge` lets all rules look
at a piece of evidence that can. A rule may have several witnesses: `offset-mismatch` is told by the
headers in a plan, and by the levels of the pixels in a session. The docstrings of its functions are
what ``lightframe explain`` prints.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._pictures import Picture, picture_as_dict
from lightframe.tables import Table

__all__ = [
    "RULES",
    "Rule",
    "Stage",
    "Witness",
    "found",
    "judge",
    "rule",
    "with_picture",
    "witness",
]

E = TypeVar("E")
Check = Callable[[E], Iterable[Finding]]


class Stage(IntEnum):
    """What a witness needs to be true: frames with an error of an earlier stage are not shown it.

    A flat among darks, or a dark with a light leak, would make others look wrong that are right.
    """

    FRAME = 0
    """Asks what a single frame is."""
    SET = 1
    """Asks whether the frames of a set are sound in themselves."""
    COMPARISON = 2
    """Compares sets with each other."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A function that judges one kind of evidence for a rule.

    Attributes
    ----------
    judges : type
        The evidence it looks at.
    explanation : str
        How it knows.
    check : callable
        Takes the evidence, gives findings.
    thresholds : tuple of str
        The fields of `CheckSettings` that it uses.
    stage : Stage
        When it looks, and so what it can rely on.
    """

    judges: type
    explanation: str
    check: Callable[[Any], Iterable[Finding]]
    thresholds: tuple[str, ...] = ()
    stage: Stage = Stage.COMPARISON


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
    witnesses : list of Witness
        All functions that judge for it, the first being the one above.
    """

    severity: Severity
    group: Group
    judges: type
    explanation: str
    check: Callable[[Any], Iterable[Finding]]
    witnesses: list[Witness] = field(default_factory=list, compare=False)

    @property
    def thresholds(self) -> tuple[str, ...]:
        """The fields of `CheckSettings` that decide."""
        return tuple(dict.fromkeys(name for w in self.witnesses for name in w.thresholds))


RULES: Table[Rule] = Table("rule", filled_by="lightframe.checks._catalogue")


def rule(  # noqa: PLR0913 - what a rule consists of, by keyword
    name: str,
    meaning: str,
    *,
    severity: Severity,
    group: Group,
    judges: type[E],
    thresholds: tuple[str, ...] = (),
    stage: Stage = Stage.COMPARISON,
) -> Callable[[Check[E]], Check[E]]:
    """Return a decorator that enters a function into `RULES`; its docstring explains the rule."""

    def enter(check: Check[E]) -> Check[E]:
        explanation = inspect.cleandoc(check.__doc__ or "")
        first = Witness(judges, explanation, check, thresholds, stage)
        RULES.enter(name, meaning, Rule(severity, group, judges, explanation, check, [first]))
        return check

    return enter


def witness(
    name: str,
    *,
    judges: type[E],
    thresholds: tuple[str, ...] = (),
    stage: Stage = Stage.COMPARISON,
) -> Callable[[Check[E]], Check[E]]:
    """Return a decorator that lets a function judge other evidence for a rule that exists."""

    def enter(check: Check[E]) -> Check[E]:
        explanation = inspect.cleandoc(check.__doc__ or "")
        RULES[name].witnesses.append(Witness(judges, explanation, check, thresholds, stage))
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
    picture: Picture | None = None,
) -> Finding:
    """Build a finding of the rule `name`; severity and group are the rule's own unless given."""
    entry = RULES[name]
    shown = {} if picture is None else {"picture": picture_as_dict(picture)}
    return Finding(
        rule=name,
        severity=severity or entry.severity,
        group=group or entry.group,
        frames=tuple(dict.fromkeys(frames)),
        message=message,
        cause=cause,
        remedy=remedy,
        evidence={**(evidence or {}), **shown},
    )


def with_picture(finding: Finding, picture: Picture) -> Finding:
    """Return a finding with a picture of its evidence."""
    return replace(finding, evidence={**finding.evidence, "picture": picture_as_dict(picture)})


def judge(evidence: object, stage: Stage | None = None) -> tuple[Finding, ...]:
    """Let all rules that judge this type of evidence look at it.

    Parameters
    ----------
    evidence : object
        What to judge.
    stage : Stage, optional
        Only let the rules of this stage look.

    Returns
    -------
    tuple of Finding
        The worst first, else in the order of the catalogue.
    """
    findings = [
        finding
        for entry in RULES.entries()
        for witness in entry.value.witnesses
        if witness.judges is type(evidence) and (stage is None or witness.stage is stage)
        for finding in witness.check(evidence)
    ]
    return tuple(sorted(findings, key=lambda finding: finding.severity.rank))
