"""The fate of one pixel of an integration, as tables and as JSON."""

from dataclasses import asdict
from typing import Any

from lightframe.cli._console import stdout
from lightframe.cli._outcome import number, print_table, table
from lightframe.session import FileTraces

__all__ = ["print_traces", "trace_document"]


def trace_document(made: FileTraces) -> list[Any]:
    """Return the traces as values for JSON."""
    files = [str(info.path) for info in made.infos]
    return [{"files": files} | asdict(trace) for trace in made.traces]


def print_traces(made: FileTraces) -> None:
    """Print samples and rounds of each channel."""
    console = stdout()
    for trace in made.traces:
        title = f"Pixel {trace.x}, {trace.y}, channel {trace.channel}: {trace.rejection}"
        samples = table(
            "File", "DN", "For rejection", "For output", "Weight", "Round", "Fate", title=title
        )
        samples.columns[-1].no_wrap = False
        samples.columns[-1].justify = "left"
        for sample in trace.samples:
            fate = sample.fate if not sample.reason else f"{sample.fate}: {sample.reason}"
            samples.add_row(
                made.infos[sample.frame].path.name,
                number(sample.value),
                number(sample.compared),
                number(sample.combined),
                number(sample.weight, ".3f"),
                "" if sample.round is None else str(sample.round),
                fate,
            )
        rounds = table("Round", "Samples", "Lower limit", "Upper limit", "Low", "High", left=0)
        for index, step in enumerate(trace.rounds, start=1):
            rounds.add_row(
                str(index),
                str(step.samples),
                number(step.lower),
                number(step.upper),
                str(step.low),
                str(step.high),
            )
        print_table(samples)
        if trace.rounds:
            print_table(rounds)
        console.print(f"result {number(trace.result, '.3f')} DN, weight {number(trace.weight)}\n")
