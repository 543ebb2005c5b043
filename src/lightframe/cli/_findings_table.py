"""Findings as a page for people: by group, the worst first, each with cause and remedy."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from lightframe.checks import Finding, Group, Severity, counted
from lightframe.cli._hanging import Hanging
from lightframe.cli._plan_table import render_findings
from lightframe.session import Unused

__all__ = ["render_grouped"]

_TITLES = {
    Group.ACQUISITION: "Acquisition: how frames were taken",
    Group.MASTERS: "Masters: how calibration frames were prepared",
    Group.SETTINGS: "Settings: what was asked for",
}
_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_MOST_NAMES = 3


def render_grouped(
    findings: Sequence[Finding], frames: int, unseen: Sequence[Unused] = ()
) -> RenderableType:
    """Return findings as something `rich` prints, with a line that sums them up.

    Parameters
    ----------
    findings : sequence of Finding
        What was found.
    frames : int
        How many frames were looked at.
    unseen : sequence of Unused
        Frames that were not, and why.
    """
    parts: list[RenderableType] = []
    for group, title in _TITLES.items():
        members = [finding for finding in findings if finding.group is group]
        if members:
            parts += [Text(title, "bold"), *_with_frames(members), Text()]
    counts = Counter(finding.severity for finding in findings)
    summary = ", ".join(
        counted(counts[severity], word, f"{word}s") for severity, word in _WORDS.items()
    )
    looked_at = counted(frames, "frame", "frames")
    parts.append(Text(f"{looked_at} looked at: {summary}", "bold"))
    parts += [Hanging(Text(f"not looked at: {one.label}: {one.reason}")) for one in unseen]
    if findings:
        parts.append(Text("lightframe explain RULE tells more about a rule", "dim"))
    return Lines(*parts)


def _with_frames(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    for finding in findings:
        yield render_findings([finding])
        names = [path.name for path in finding.frames]
        if names:
            rest = f" and {len(names) - _MOST_NAMES} more" if names[_MOST_NAMES:] else ""
            yield Hanging(Text(f"frames: {', '.join(names[:_MOST_NAMES])}{rest}", "dim"), 2, 4)
