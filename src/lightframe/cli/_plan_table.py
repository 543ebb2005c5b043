"""A plan as tables for people: results, masters, and what takes no part."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightframe.checks import Finding, Severity
from lightframe.cli._hanging import Hanging, indented
from lightframe.cli._names import Names
from lightframe.figures import duration
from lightframe.session import Assignment, LightGroup, MasterJob, Plan, Unused

__all__ = ["render_findings", "render_plan"]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_SCALINGS = {
    "none": "plain",
    "exposure": "scaled by exposure",
    "optimize": "optimised",
}


def render_plan(plan: Plan) -> RenderableType:
    """Return the plan as something `rich` prints, at 80 columns or more, coloured or not.

    Results come first, each with the way its lights are calibrated and why; then the masters, what
    takes no part and why, and the findings.
    """
    parts: list[RenderableType] = []
    for group in plan.groups:
        parts += [_group_title(group), *_indented(group.reasons), _assignments(group), Text()]
    if plan.masters:
        parts += [Text("Masters", "bold"), _masters(plan.masters), Text()]
    left_out = [
        *plan.unused,
        *(Unused((item.path,), item.path.name, item.reason) for item in plan.refused),
    ]
    if left_out:
        parts += [Text("Not used", "bold"), _unused(left_out), Text()]
    if plan.findings:
        parts += [Text("Findings", "bold"), *_findings(plan.findings)]
    if not parts:
        parts.append(Text("Nothing to do: no frames."))
    return Group(*parts)


def render_findings(findings: Sequence[Finding]) -> RenderableType:
    """Return findings as something `rich` prints: severity, rule, message, cause, remedy."""
    return Group(*_findings(findings))


def _group_title(group: LightGroup) -> Text:
    text = Text(group.name, "bold")
    facts = [f"{len(group.frames)} light{'s' * (len(group.frames) != 1)}"]
    if group.exposure_s is not None:
        facts.append(duration(group.exposure_s))
    if group.camera:
        facts.append(group.camera)
    facts.append(f"{group.width} x {group.height}")
    if group.binning not in {None, (1, 1)} and group.binning is not None:
        facts.append(f"binning {group.binning[0]} x {group.binning[1]}")
    return text.append(": " + ", ".join(facts), "not bold")


def _indented(lines: Iterable[str]) -> Iterator[RenderableType]:
    for line in lines:
        yield indented(line, "dim")


def _assignments(group: LightGroup) -> Table:
    table = _table("Lights", "Exposure", "Temp.", "Calibrated with", "Why")
    for part in group.assignments:
        table.add_row(
            str(len(part.frames)),
            "?" if part.exposure_s is None else f"{part.exposure_s:.5g} s",
            _temperature(part.temperature_c),
            Names(_calibration(part)),
            "\n".join(part.reasons),
        )
    return table


def _masters(masters: Sequence[MasterJob]) -> Table:
    table = _table("Master", "Made of", "Calibrated with", "Serves")
    for job in masters:
        steps = [
            _calibration(step) + (f" ({len(step.frames)} frames)" if len(job.steps) > 1 else "")
            for step in job.steps
        ]
        serves = list(job.serves)
        shown = ", ".join(serves[:3]) + (f" and {len(serves) - 3} more" if serves[3:] else "")
        table.add_row(Names(job.name), job.label, Names("\n".join(steps)), Names(shown))
    return table


def _calibration(part: Assignment) -> str:
    """Return the masters one below the other, with what is done to the dark."""
    if part.calibrated_before:
        return "calibrated before"
    names = [name for name in (part.bias, part.flat) if name is not None]
    if part.dark is not None:
        scaling = f" ({_SCALINGS[part.dark_scaling]})" if part.dark_scaling != "none" else ""
        names.insert(len(names) - (part.flat is not None), part.dark + scaling)
    return "\n".join(names) or "nothing"


def _unused(left_out: Iterable[Unused]) -> Table:
    table = _table("Frames", "Why")
    for item in left_out:
        table.add_row(item.label, item.reason)
    return table


def _findings(findings: Iterable[Finding]) -> Iterator[RenderableType]:
    for finding in findings:
        head = Text(f"{finding.severity.value} ", _STYLES[finding.severity])
        head.append(finding.rule, "bold").append(f": {finding.message}", "not bold default")
        yield Hanging(head)
        for name, text in (("cause", finding.cause), ("remedy", finding.remedy)):
            if text:
                yield Hanging(Text(f"{name}: {text}", "dim"), 2, 4)


def _table(*titles: str) -> Table:
    """Return a table of plain lines, which reads well on paper and in a pipe."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in {"Exposure", "Temp."})
    return table


def _temperature(values: Sequence[float]) -> str:
    if not values:
        return "?"
    low, high = (f"{value:.3g}" for value in (values[0], values[-1]))
    return f"{low} °C" if low == high else f"{low} to {high} °C"
