"""``lightframe run``: from folders of raw frames to integrated images."""

import argparse
from pathlib import Path

from lightframe import report
from lightframe.cli._console import ConsoleProgress, stdout
from lightframe.cli._options import add_memory, add_sources, read_config, settings_from
from lightframe.cli._output import print_json
from lightframe.cli._plan_table import render_plan
from lightframe.cli._summary import render_summary
from lightframe.errors import SettingsError
from lightframe.session import RunSettings, plan_run, run

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help="raw frames, masters")
    parser.add_argument("-o", "--out", metavar="OUT", type=Path, help="folder for all output")
    add_sources(
        parser, "lights.rejection=sigma", "settings, as lightframe explain --settings lists them"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--json", action="store_true", help="print run.json alone on stdout")
    add_memory(parser)
    parser.add_argument(
        "--keep",
        metavar="WHAT",
        dest="set:keep",
        help="intermediate files to write, one or several of calibrated,debayered,registered",
    )
    parser.add_argument("--units", dest="set:units", choices=("unit", "dn"), help="of the results")
    parser.add_argument(
        "--force",
        dest="set:force",
        action="store_const",
        const="true",
        help="go on although the settings would subtract the bias twice",
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run has left")


def execute(arguments: argparse.Namespace) -> int:
    """Plan, run, report."""
    settings = settings_from(arguments, RunSettings, read_config(arguments.config))
    progress = ConsoleProgress(quiet=arguments.json)
    if arguments.out is None and not arguments.dry_run:
        raise SettingsError("no output folder", remedy="name one with -o OUT")
    if arguments.dry_run:
        plan = plan_run(arguments.folders, settings, progress=progress)
        if arguments.json:
            print_json({"plan": plan.as_dict(), "findings": plan.findings_as_dicts()})
        else:
            stdout().print(render_plan(plan))
        return plan.exit_code
    outcome = run(
        arguments.folders, arguments.out, settings, progress=progress, fresh=arguments.fresh
    )
    page = report.write_report(outcome.document, arguments.out)
    if arguments.json:
        print_json(outcome.document)
    else:
        stdout().print(render_summary(outcome.document, arguments.out, page), crop=False)
    return outcome.exit_code
