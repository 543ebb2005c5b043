"""The parser of the command line."""

import argparse
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn

from lightframe.errors import SettingsError

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

    def refuse(self, unknown: list[str]) -> NoReturn:
        """End the program because of words that mean nothing, with what may have been meant."""
        known = [name for action in self._actions for name in action.option_strings]
        near = [get_close_matches(word.partition("=")[0], known, n=1) for word in unknown]
        meant = [name for names in near for name in names]
        self.error(
            f"unrecognized arguments: {' '.join(unknown)}"
            + (f"; meant may be {', '.join(meant)}" if meant else "")
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command; its options, up to fifty lines, only where to find.

        Raises
        ------
        SettingsError
            Always.
        """
        raise SettingsError(message, where=self.prog, remedy=f"{self.prog} --help tells the usage")

    def format_help(self) -> str:
        """Describe all options."""
        for option, describe in self._descriptions:
            option.help = describe()
        return super().format_help()
