"""``lightframe check``: what is wrong with frames and plan, before any work is done."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lightframe import report
from lightframe._version import __version__
from lightframe.checks import RULES, Finding, Group
from lightframe.cli._console import ConsoleProgress, stdout
from lightframe.cli._findings_table import render_grouped
from lightframe.cli._options import add_sources, read_config, settings_from
from lightframe.cli._output import print_json
from lightframe.session import RunSettings, check

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help="raw frames, masters")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--select", metavar="RULE,...", help="report only these rules")
    parser.add_argument("--ignore", metavar="RULE,...", help="leave these rules out")
    add_sources(
        parser, "check.flat_limit=0.85", "settings as for run; thresholds are in its table [check]"
    )
    parser.add_argument(
        "--report",
        metavar="FILE.html",
        type=Path,
        help="write the findings with their pictures as a page of its own",
    )
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="keep measurements here for the next time"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Look, judge, and print; the exit code is 1 where an error stands.

    Raises
    ------
    InputError
        If there was not a single frame to look at.
    """
    selected, ignored = rules_of(arguments.select), rules_of(arguments.ignore)
    settings = settings_from(arguments, RunSettings, read_config(arguments.config))
    result = check(
        arguments.folders,
        settings,
        progress=ConsoleProgress(quiet=arguments.json),
        cache=arguments.cache,
    )
    findings = [
        finding
        for finding in result.findings
        if (not selected or finding.rule in selected) and finding.rule not in ignored
    ]
    if arguments.json:
        print_json({"findings": [finding.as_dict() for finding in _grouped(findings)]})
    else:
        seen = {path for frames in result.evidence.sets for path in frames.paths}
        tried = seen.union(refusal.path for refusal in result.evidence.unreadable)
        unseen = [one for one in result.plan.unused if not tried.intersection(one.frames)]
        stdout().print(render_grouped(findings, len(seen), unseen))
    if arguments.report is not None:
        document = {
            "version": __version__,
            "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "inputs": [str(folder) for folder in arguments.folders],
            "findings": [finding.as_dict() for finding in findings],
            "sets": result.sets_as_dicts(),
        }
        report.write_check_report(document, arguments.report)
        if not arguments.json:
            stdout().print(f"Report: {arguments.report}", soft_wrap=True)
    if result.failure is not None:
        raise result.failure
    return int(any(finding.severity == "error" for finding in findings))


def rules_of(text: str | None) -> frozenset[str]:
    """Return the rules named in a list with commas.

    Raises
    ------
    SettingsError
        If there is no rule of one of these names; the message lists them.
    """
    names = [word.strip() for word in (text or "").split(",") if word.strip()]
    for name in names:
        RULES[name]
    return frozenset(names)


def _grouped(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings by group, the worst first in each."""
    order = list(Group)
    return sorted(findings, key=lambda f: (order.index(f.group), f.severity.rank))
