"""What a simulated session must show for a rule: a session that it finds, and a near miss."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lightframe.simulation import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A session that a rule must find, and one that it must not.

    Attributes
    ----------
    found : Session
        Where the rule fires; nothing else of severity error or warning may be said, but what
        names the rule as its cause, or is named by it as its own.
    near : Session
        Where something is nearly as wrong, and no error and no warning is given.
    settings, near_settings : mapping
        Settings of the check or run.
    severity : str or None
        Severity of the finding, if it is not the rule's usual one.
    numbers : mapping of str to float
        Values in its evidence, to 10 percent or 0.6.
    """

    found: Session
    near: Session
    settings: Mapping[str, Any] = field(default_factory=dict)
    near_settings: Mapping[str, Any] = field(default_factory=dict)
    severity: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
