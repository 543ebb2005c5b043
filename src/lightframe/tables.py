"""Tables of named choices.

Rejectors, combiners, normalizations, frame kinds, header keywords and rules are tables: a name, its
meaning in one sentence, and what stands behind it. Help texts, validation and documentation are
made from them and cannot drift apart; an unknown name is an error that lists the known ones.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar

from lightframe.errors import SettingsError

__all__ = ["Entry", "Table"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One row of a `Table`."""

    name: str
    meaning: str
    value: T


class Table(Mapping[str, T]):
    """A mapping from name to value in which every row also carries its meaning.

    Parameters
    ----------
    title : str
        What the table lists, in the singular, e.g. ``"rejection algorithm"``; used in messages.
    filled_by : str, optional
        A module that enters rows from other modules; it is imported when the table is looked at.

    Examples
    --------
    >>> shapes = Table("shape")
    >>> @shapes.add("square", "four equal sides")
    ... def square(side):
    ...     return side * side
    >>> shapes["square"](3)
    9
    >>> shapes.meaning("square")
    'four equal sides'
    """

    def __init__(self, title: str, *, filled_by: str = "") -> None:
        self.title = title
        self._filled_by = filled_by
        self._entries: dict[str, Entry[T]] = {}

    def add(self, name: str, meaning: str) -> Callable[[T], T]:
        """Return a decorator that enters the decorated object under `name`."""

        def enter(value: T) -> T:
            self.enter(name, meaning, value)
            return value

        return enter

    def enter(self, name: str, meaning: str, value: T) -> None:
        """Enter one row; a name can be entered once."""
        if name in self._entries:
            raise ValueError(f"{self.title} {name!r} is entered twice")
        self._entries[name] = Entry(name, meaning, value)

    def meaning(self, name: str) -> str:
        """Return the meaning of `name`."""
        return self._entry(name).meaning

    def entries(self) -> tuple[Entry[T], ...]:
        """Return all rows in the order in which they were entered."""
        return tuple(self._rows().values())

    def _rows(self) -> dict[str, Entry[T]]:
        """Return all rows; another thread that fills the table is waited for by the import."""
        if self._filled_by:
            import_module(self._filled_by)
        return self._entries

    def _entry(self, name: str) -> Entry[T]:
        try:
            return self._rows()[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise SettingsError(
                f"unknown {self.title} {name!r}", remedy=f"choose one of: {known}"
            ) from None

    def __getitem__(self, name: str) -> T:
        return self._entry(name).value

    def __contains__(self, name: object) -> bool:
        return name in self._rows()

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows())

    def __len__(self) -> int:
        return len(self._rows())
