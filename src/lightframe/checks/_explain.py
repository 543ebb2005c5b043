"""The documentation of the rules, made from the rules themselves."""

import re
from typing import Any

from lightframe.checks._consequences import CONSEQUENCES
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._plan_records import PlanRecord
from lightframe.checks._remedies import REMEDIES
from lightframe.checks._rules import RULES
from lightframe.checks._settings import CheckSettings
from lightframe.checks._shown import SHOWN

__all__ = ["rule_facts", "rule_page", "rule_pages"]

_INDEX = "README.md"

_TOLD_BY: dict[type, str] = {
    PlanRecord: "headers and settings",
    SessionEvidence: "pixels of raw frames",
}


def rule_facts(name: str) -> dict[str, Any]:
    """Return everything that is known about a rule, as JSON values.

    Raises
    ------
    SettingsError
        If there is no such rule; the message lists them.
    """
    entry = RULES[name]
    paragraphs: list[tuple[str, str]] = []
    examples: list[str] = []
    for item in entry.witnesses:
        how = _TOLD_BY.get(item.judges, "calibrated lights and results")
        for paragraph in item.explanation.split("\n\n"):
            text = " ".join(paragraph.split())
            if text.startswith("Example: "):
                examples.append(text.removeprefix("Example: "))
            elif text:
                paragraphs.append((how, text))
    fields = CheckSettings.model_fields
    return {
        "name": name,
        "meaning": RULES.meaning(name),
        "severity": entry.severity.value,
        "group": entry.group.value,
        "told_by": list(dict.fromkeys(how for how, _ in paragraphs)),
        "explanation": [{"told_by": how, "text": text} for how, text in paragraphs],
        "examples": examples,
        "remedy": REMEDIES[name],
        "thresholds": [
            {
                "name": field,
                "default": fields[field].default,
                "meaning": CheckSettings.meaning(field),
            }
            for field in entry.thresholds
        ],
        "picture": SHOWN.get(name),
        "guide": _guide_sections(" ".join(text for _, text in paragraphs)),
        "explains": sorted(CONSEQUENCES.get(name, ())),
    }


def _guide_sections(text: str) -> list[str]:
    """Return the sections of the guide that a text names: (guide 5.2, 8.4), (guide, note 2)."""
    sections: list[str] = []
    for match in re.findall(r"\(guide,? ([^)]*)\)", text):
        sections += [part.strip() for part in match.split(",")]
    sections += re.findall(r"\((\d+\.\d+(?:, \d+\.\d+)*)\)", text)
    return sorted({part for item in sections for part in item.split(", ")})


def rule_page(name: str) -> str:
    """Return the documentation page of a rule in Markdown."""
    facts = rule_facts(name)
    lines = [
        f"# {name}",
        "",
        f"{facts['meaning'][0].upper()}{facts['meaning'][1:]}.",
        "",
        (
            f"Severity: {facts['severity']}. Group: {facts['group']}."
            f" Told by: {', '.join(facts['told_by'])}."
        ),
        "",
    ]
    several = len(facts["told_by"]) > 1
    told_by = ""
    for item in facts["explanation"]:
        if several and item["told_by"] != told_by:
            told_by = item["told_by"]
            lines += [f"## From {told_by}", ""]
        lines += [item["text"], ""]
    if facts["examples"]:
        lines += ["## Example", ""]
        for example in facts["examples"]:
            lines += [example, ""]
    lines += ["## What to do", "", facts["remedy"], ""]
    if facts["picture"]:
        lines += ["## Picture", "", f"In the report: {facts['picture']}.", ""]
    if facts["thresholds"]:
        lines += ["## Thresholds", "", "In the table `[check]` of the settings:", ""]
        lines += ["| setting | default | meaning |", "| --- | --- | --- |"]
        lines += [
            f"| `{t['name']}` | {t['default']:g} | {t['meaning']} |" for t in facts["thresholds"]
        ]
        lines.append("")
    if facts["guide"]:
        lines += [f"Guide to PixInsight's ImageCalibration: {', '.join(facts['guide'])}.", ""]
    if facts["explains"]:
        names = ", ".join(f"`{other}`" for other in facts["explains"])
        lines += [f"Where it stands, these are not reported of the same frames: {names}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def rule_pages() -> dict[str, str]:
    """Return all pages by file name: an index, and one page a rule."""
    lines = [
        "# The checks",
        "",
        "Made from the rules themselves by `lightframe explain --write docs/checks`.",
        "",
        "| rule | severity | group | meaning | picture |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in RULES:
        entry = RULES[name]
        lines.append(
            f"| [{name}]({name}.md) | {entry.severity.value} | {entry.group.value} |"
            f" {RULES.meaning(name)} | {SHOWN.get(name, '')} |"
        )
    return {_INDEX: "\n".join(lines) + "\n"} | {f"{name}.md": rule_page(name) for name in RULES}
