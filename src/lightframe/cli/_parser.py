"""The parser of the command line."""

import argparse
from collections.abc import Callable
from typing import Any

__all__ = ["Parser"]


class Parser(argparse.ArgumentParser):
    """A parser with options that are described when help is asked for, which is seldom.

    What settings mean is read from the source of their classes: 60 ms for those of an integration.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of argparse
        super().__init__(*args, **kwargs)
        self._descriptions: list[tuple[argparse.Action, Callable[[], str]]] = []

    def describe_later(self, option: argparse.Action, describe: Callable[[], str]) -> None:
        """Let a function tell the help of an option."""
        self._descriptions.append((option, describe))

    def format_help(self) -> str:
        """Describe all options."""
        for option, describe in self._descriptions:
            option.help = describe()
        return super().format_help()
