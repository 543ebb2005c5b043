"""What a run has made, as a table for people."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lightframe.checks import Severity
from lightframe.cli._hanging import Hanging
from lightframe.cli._names import Names
from lightframe.cli._wide_table import Fitted
from lightframe.figures import duration, percent

__all__ = ["render_summary"]

_INDENT = 8
"""Columns that a severity takes."""
_SEVERAL = re.compile(r"[-.\d]+( [-.\d]+)+")
"""Numbers without a unit: one for each colour."""
_NAME_AT_LEAST = 10
"""Characters of a name that stand in one line: as many as most of its parts have."""
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


def _masters(masters: list[Mapping[str, Any]]) -> Fitted:
    rows = []
    for master in masters:
        rejected, added = master["rejected_fraction"], master["adds_noise_percent"]
        rows.append(
            (
                master["name"] + (" (given)" if master["given"] else ""),
                str(master["frames"] or "-"),
                _numbers(master["median_dn"], ".1f"),
                _numbers(master["noise_dn"], ".2f"),
                "-" if added is None else f"{added:.1f} %",
                "-" if rejected is None else percent(rejected, 3),
            )
        )
    return _table("Masters", ("Master", "Frames", "Level DN", "Noise DN", "Adds", "Rejected"), rows)


def _results(document: Mapping[str, Any]) -> Fitted:
    rows = []
    for result in document["results"]:
        widths = sorted(
            light["fwhm_px"]
            for light in document["lights"]
            if light["used"] and light["group"] == result["group"] and light["fwhm_px"]
        )
        exposure = result["exposure_s"]
        rows.append(
            (
                Path(result["path"]).name,
                str(result["frames"]),
                "unknown" if exposure is None else duration(exposure),
                _numbers(result["noise_dn"], ".2f"),
                f"{widths[len(widths) // 2]:.2f}" if widths else "-",
                percent(result["rejected_low"] + result["rejected_high"], 3),
            )
        )
    names = ("Result", "Frames", "Exposure", "Noise DN", "FWHM px", "Rejected")
    return _table("Results", names, rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Fitted:
    """Return a table of names and numbers; the numbers of a cell may stand one below the other."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title=title)
    table.add_column(columns[0], overflow="fold", min_width=_NAME_AT_LEAST)
    for name, *cells in list(zip(columns, *rows, strict=True))[1:]:
        words = [*name.split(), *(word for cell in cells for word in _unbroken(cell))]
        table.add_column(name, justify="right", overflow="fold", min_width=max(map(len, words)))
    for name, *numbers in rows:
        table.add_row(Names(name), *numbers)
    return Fitted(table)


def _unbroken(cell: str) -> list[str]:
    """Return what has to stand in one line: each of several numbers, or all of it."""
    return cell.split() if _SEVERAL.fullmatch(cell) else [cell]


def _numbers(values: list[float], form: str) -> str:
    return " ".join(format(value, form) for value in values)
