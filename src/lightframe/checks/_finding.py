"""What a check reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lightframe.checks._pictures import Picture, picture_from_dict

__all__ = ["Finding", "Group", "Severity"]


class Severity(StrEnum):
    """How bad it is; members are ordered from the worst to the mildest."""

    ERROR = "error"
    """The result will be wrong, or is missing."""
    WARNING = "warning"
    """The result will be worse than it could be."""
    INFO = "info"
    """Worth knowing; nothing needs to be done."""

    @property
    def rank(self) -> int:
        """0 for the worst; for sorting."""
        return list(Severity).index(self)


class Group(StrEnum):
    """Where the cause lies, and so who can remove it."""

    ACQUISITION = "acquisition"
    MASTERS = "masters"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake, or one thing worth knowing, in data or settings.

    Attributes
    ----------
    rule : str
        Name of the rule, a row of `lightframe.checks.RULES`.
    severity : Severity
        How bad it is here.
    group : Group
        Where the cause lies.
    frames : tuple of Path
        The frames it is about: those to be replaced or looked at.
    message : str
        What was found, with both values and the tolerance.
    cause : str
        The likely cause, in the user's words.
    remedy : str
        What to do about it.
    evidence : mapping of str to JSON values
        The numbers behind the message; under ``picture``, what shows them.
    """

    rule: str
    severity: Severity
    group: Group
    frames: tuple[Path, ...]
    message: str
    cause: str = ""
    remedy: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def picture(self) -> Picture | None:
        """What shows the evidence; None where numbers say it all."""
        values = self.evidence.get("picture")
        return None if values is None else picture_from_dict(values)

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values, keys in the order of ``run.json``."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "group": self.group.value,
            "frames": [str(path) for path in self.frames],
            "message": self.message,
            "cause": self.cause,
            "remedy": self.remedy,
            "evidence": dict(self.evidence),
        }
