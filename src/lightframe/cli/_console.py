"""What a person sees while a job runs: bars on a terminal, plain lines elsewhere, all on stderr."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from lightframe.errors import LightframeError

__all__ = ["ConsoleProgress", "discard", "print_error", "stderr", "stdout"]


class _Console(Console):
    """A console whose reader may go, as ``head`` does: that is its right, and the job goes on."""

    def on_broken_pipe(self) -> None:
        """Say no more."""
        self.quiet = True
        discard(self.file)


def discard(stream: IO[str]) -> None:
    """Let everything that is still written to a stream of the process vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def stdout(piped_width: int = 100) -> Console:
    """Return a console on standard output: tables of a fixed width when piped.

    Text is printed as it is: names of files hold brackets and colons that are no markup.
    """
    return _Console(
        width=None if sys.stdout.isatty() else piped_width,
        highlight=False,
        markup=False,
        emoji=False,
    )


def stderr() -> Console:
    """Return a console on standard error."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_error(error: LightframeError) -> None:
    """Print an error as what, where, likely cause, remedy."""
    console = stderr()
    console.print("error:", style="bold red", end=" ")
    console.print(str(error))


class ConsoleProgress:
    """Progress of a session on standard error.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    least_s : float
        Without a terminal, steps that took less time are not mentioned.
    """

    def __init__(self, *, quiet: bool = False, least_s: float = 0.0) -> None:
        self._console = stderr()
        self._quiet = quiet
        self._least_s = least_s

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show one step: a bar on a terminal, else one line when it ends."""
        if self._quiet:
            yield lambda _units: None
        elif self._console.is_terminal:
            with self._bar() as bar:
                task = bar.add_task(name, total=max(total, 1))
                yield lambda units: bar.advance(task, units)
                bar.update(task, completed=max(total, 1))
        else:
            start = time.perf_counter()
            yield lambda _units: None
            seconds = time.perf_counter() - start
            if seconds >= self._least_s:
                self.message(f"{name}: done in {seconds:.1f} s")

    def message(self, text: str) -> None:
        """Print one line."""
        if not self._quiet:
            self._console.print(text)

    def _bar(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
