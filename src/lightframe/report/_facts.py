"""The numbers behind a finding in words, and other things that templates say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lightframe.checks import RULES
from lightframe.checks import number as significant

__all__ = ["by_severity", "counted", "facts", "meaning", "number"]

_SEVERITIES = ("error", "warning", "info")
_WORDS = {"error": "error", "warning": "warning", "info": "note"}
_UNITS = {
    "dn": "DN", "px": "px", "deg": "°", "c": "°C", "s": "s", "percent": "%", "rows": "rows",
}  # fmt: skip
_ELSEWHERE = frozenset({"picture", "consequences", "also", "others"})
"""Evidence that has its own place in the page."""
_LONGEST = 16
_DEEPEST_TABLE = 24


def by_severity(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return findings, the worst first."""
    return sorted(findings, key=lambda finding: _SEVERITIES.index(finding["severity"]))


def counted(findings: Sequence[Mapping[str, Any]]) -> str:
    """Return how many findings there are of each severity: ``2 errors, 1 warning``."""
    counts = Counter(finding["severity"] for finding in findings)
    return ", ".join(
        f"{counts[name]} {_WORDS[name]}{'' if counts[name] == 1 else 's'}"
        for name in _SEVERITIES
        if counts[name]
    )


def meaning(rule: str) -> str:
    """Return what a rule is about, as the headline of its findings."""
    words = RULES.meaning(rule)
    return words[0].upper() + words[1:]


def number(value: object, digits: int = 3) -> str:
    """Return a number to `digits` significant digits, several with slashes, unknown as a dash."""
    if isinstance(value, list | tuple):
        return " / ".join(number(part, digits) for part in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if isinstance(value, int) or abs(float(f"{value:.{digits}g}")) >= 10**digits:
        return f"{value:,.0f}"
    return significant(value, digits)


def facts(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the evidence of a finding as pairs of words and values with their units."""
    rows: list[tuple[str, str]] = []
    for key, value in evidence.items():
        if key in _ELSEWHERE or value is None or value in ("", [], {}):
            continue
        words, unit = _named(key)
        if isinstance(value, Mapping):
            rows += [
                (f"{words}: {name}", _text(part, unit))
                for name, part in list(value.items())[:_DEEPEST_TABLE]
            ]
        else:
            rows.append((words, _text(value, unit)))
    return rows


def _named(key: str) -> tuple[str, str]:
    """Return the name of a number in words, and its unit, which the name ends with."""
    stem, _, last = key.rpartition("_")
    if stem and last in _UNITS:
        return stem.replace("_", " "), _UNITS[last]
    return key.replace("_", " "), ""


def _text(value: object, unit: str) -> str:
    if isinstance(value, list):
        if any(isinstance(part, list | dict) for part in value):
            return f"{len(value)} entries, in the file of the findings"
        shown = ", ".join(_text(part, "") for part in value[:_LONGEST])
        more = f", … ({len(value)} in all)" if len(value) > _LONGEST else ""
        return f"{shown}{more} {unit}".rstrip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{number(value, 4)} {unit if isinstance(value, int | float) else ''}".rstrip()
