"""What a run has made, as a table for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightframe.checks import Severity
from lightframe.cli._figures import duration, percent
from lightframe.cli._hanging import Hanging
from lightframe.cli._names import Names

__all__ = ["render_summary"]

_INDENT = 8
"""Columns that a severity takes."""
_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def render_summary(document: Mapping[str, Any], out: Path, report: Path) -> RenderableType:
    """Return results, frames set aside and findings of a run as something `rich` prints."""
    parts: list[RenderableType] = []
    if document["masters"]:
        parts += [_masters(document["masters"]), Text()]
    if document["results"]:
        parts += [_results(document), Text()]
    aside = [light for light in document["lights"] if not light["used"]]
    if aside:
        parts.append(Text(f"Set aside: {len(aside)} of {len(document['lights'])} lights", "bold"))
        parts += [
            Hanging(Text(f"{Path(light['path']).name}: {light['reason']}"), 2, 4) for light in aside
        ]
        parts.append(Text())
    if unused := document["plan"]["unused"]:
        parts.append(Text("Not used", "bold"))
        parts += [Hanging(Text(f"{one['label']}: {one['reason']}"), 2, 4) for one in unused]
        parts.append(Text())
    for finding in sorted(document["findings"], key=lambda item: Severity(item["severity"]).rank):
        line = Text(f"{finding['severity']:7} ", _STYLES[finding["severity"]])
        line.append(finding["rule"], "bold").append(f"  {finding['message']}", "default")
        parts.append(Hanging(line, 0, _INDENT))
        if finding["remedy"]:
            parts.append(Hanging(Text(f"remedy: {finding['remedy']}"), _INDENT, _INDENT + 2))
    resources = document["resources"]
    parts.append(
        Text(
            f"{resources['wall_s']:.1f} s, peak memory {resources['peak_rss_mb'] / 1000:.2f} GB, "
            f"{resources['bytes_written'] / 1e6:.0f} MB written"
        )
    )
    if document["results"]:
        parts.append(Text(f"Results: {out / 'results'}", "bold"))
    elif document["masters"]:
        parts.append(Text(f"Masters: {out / 'masters'}", "bold"))
    parts.append(Text(f"Report:  {report}", "bold"))
    return Group(*parts)


def _masters(masters: list[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title="Masters")
    for name in ("Master", "Frames", "Level DN", "Noise DN", "Adds", "Rejected"):
        _add_column(table, name, left=name == "Master")
    for master in masters:
        rejected, added = master["rejected_fraction"], master["adds_noise_percent"]
        table.add_row(
            Names(master["name"] + (" (given)" if master["given"] else "")),
            str(master["frames"] or "-"),
            _numbers(master["median_dn"], ".1f"),
            _numbers(master["noise_dn"], ".2f"),
            "-" if added is None else f"{added:.1f} %",
            "-" if rejected is None else percent(rejected, 3),
        )
    return table


def _results(document: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title="Results")
    for name in ("Result", "Frames", "Exposure", "Noise DN", "FWHM px", "Rejected"):
        _add_column(table, name, left=name == "Result")
    for result in document["results"]:
        widths = sorted(
            light["fwhm_px"]
            for light in document["lights"]
            if light["used"] and light["group"] == result["group"] and light["fwhm_px"]
        )
        exposure = result["exposure_s"]
        table.add_row(
            Names(Path(result["path"]).name),
            str(result["frames"]),
            "unknown" if exposure is None else duration(exposure),
            _numbers(result["noise_dn"], ".2f"),
            f"{widths[len(widths) // 2]:.2f}" if widths else "-",
            percent(result["rejected_low"] + result["rejected_high"], 3),
        )
    return table


def _add_column(table: Table, name: str, *, left: bool) -> None:
    """Add a column that is as wide as the longest word of its name, however narrow the terminal."""
    table.add_column(
        name,
        justify="left" if left else "right",
        overflow="fold",
        min_width=max(map(len, name.split())),
    )


def _numbers(values: list[float], form: str) -> str:
    return " ".join(format(value, form) for value in values)
