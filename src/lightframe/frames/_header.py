"""A header, whatever the file format: keywords, values, comments, in the order of the file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

__all__ = ["Card", "Header", "Value"]

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Card:
    """One entry of a header: keyword (upper case), value (None where absent) and comment."""

    keyword: str
    value: Value = None
    comment: str = ""


class Header(Sequence[Card]):
    """An immutable sequence of cards with look-up by keyword (case-insensitive).

    FITS cards, XISF FITSKeyword elements and properties, and camera-raw EXIF tags all become
    cards; an XISF property or EXIF tag keeps its own identifier as the keyword, e.g.
    ``INSTRUMENT:EXPOSURETIME`` or ``EXIF EXPOSURETIME``, in upper case.
    """

    __slots__ = ("_cards", "_first")

    def __init__(self, cards: Iterable[Card] = ()) -> None:
        self._cards = tuple(cards)
        self._first: dict[str, Card] = {}
        for card in self._cards:
            self._first.setdefault(card.keyword.upper(), card)

    def get(self, keyword: str, default: Value = None) -> Value:
        """Return the value of the first card with `keyword`, or `default`."""
        card = self._first.get(keyword.upper())
        return default if card is None else card.value

    def card(self, keyword: str) -> Card | None:
        """Return the first card with `keyword`, or None."""
        return self._first.get(keyword.upper())

    def values(self, keyword: str) -> tuple[Value, ...]:
        """Return the values of all cards with `keyword`, e.g. all HISTORY lines."""
        keyword = keyword.upper()
        return tuple(card.value for card in self._cards if card.keyword.upper() == keyword)

    def replacing(self, *cards: Card) -> "Header":
        """Return a header in which `cards` stand in place of all cards with their keywords."""
        return Header((*self.without(*(card.keyword for card in cards)), *cards))

    def adding(self, *cards: Card) -> "Header":
        """Return a header with `cards` at its end, e.g. further HISTORY lines."""
        return Header((*self._cards, *cards))

    def without(self, *keywords: str) -> "Header":
        """Return a header without any card of `keywords`."""
        unwanted = {keyword.upper() for keyword in keywords}
        return Header(card for card in self._cards if card.keyword.upper() not in unwanted)

    def __contains__(self, keyword: object) -> bool:
        return isinstance(keyword, str) and keyword.upper() in self._first

    @overload
    def __getitem__(self, index: int) -> Card: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Card]: ...
    def __getitem__(self, index: int | slice) -> Card | Sequence[Card]:
        return self._cards[index]

    def __iter__(self) -> Iterator[Card]:
        return iter(self._cards)

    def __len__(self) -> int:
        return len(self._cards)

    def __repr__(self) -> str:
        return f"Header({len(self._cards)} cards)"
