"""How a long job tells what it is doing, without knowing who listens."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """What the session tells its surface: steps that advance, and messages."""

    def step(self, name: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Open a step of `total` units; the callable it gives adds units done, from any thread."""
        ...

    def message(self, text: str) -> None:
        """Tell one line."""
        ...


class Silent:
    """Tells nobody."""

    @contextmanager
    def step(self, name: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002 (the protocol's names)
        """Open a step that nobody sees."""
        yield lambda _units: None

    def message(self, text: str) -> None:
        """Say nothing."""
