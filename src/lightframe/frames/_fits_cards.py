"""FITS cards: 80 bytes <-> `Card`.

Frames come from dozens of programs, and some of their cards are not FITS: ``EXPOSURE= 6,4E-05``
with a decimal comma, strings without a closing quote, bytes beyond ASCII. Such a card must neither
stop the reading nor raise a warning, and its text must survive, so that the header vocabulary can
judge it. Reading is therefore tolerant; writing is strict.

Reference: FITS standard 4.0, section 4.
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator

from lightframe.frames._header import Card, Value

__all__ = ["BLOCK", "CARD", "COMMENTARY", "format_cards", "parse_cards", "plain_text", "to_ascii"]

CARD = 80
"""Bytes of a card."""
BLOCK = 2880
"""Bytes of a FITS block; headers and data are multiples of it."""
COMMENTARY = ("COMMENT", "HISTORY", "")
"""Keywords whose cards hold text instead of a value."""

_KEYWORD_WIDTH = 8
_TEXT_WIDTH = 72  # columns 9 to 80 of a commentary card
_STRING_WIDTH = 68  # columns 12 to 79 of a string card, between the quotes
_FIXED_WIDTH = 20  # numbers end in column 30

_STRING = re.compile(r"'((?:[^']|'')*)'([^/]*)(?:/(.*))?$", re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d+$")
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?$")
_KEYWORD = re.compile(r"[A-Z0-9_-]{1,8}$")
_HIERARCH = re.compile(r"[A-Z0-9_:.\-]+(?: [A-Z0-9_:.\-]+)*$")

_ASCII = str.maketrans(
    {
        "\N{DEGREE SIGN}": "deg",
        "\N{MICRO SIGN}": "u",
        "\N{GREEK SMALL LETTER MU}": "u",
        "\N{LATIN SMALL LETTER SHARP S}": "ss",
        "\N{LATIN SMALL LETTER AE}": "ae",
        "\N{LATIN CAPITAL LETTER AE}": "AE",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN CAPITAL LETTER O WITH STROKE}": "O",
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN CAPITAL LETTER L WITH STROKE}": "L",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{PRIME}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{DOUBLE PRIME}": '"',
    }
)


def parse_cards(block: bytes) -> list[Card]:
    """Parse the cards of one header, up to its END card if there is one.

    Parameters
    ----------
    block : bytes
        Cards of 80 bytes one after the other.

    Returns
    -------
    list of Card
        CONTINUE cards are joined to the string they continue; ``HIERARCH A B = v`` has the keyword
        ``A B``. What cannot be understood as a number, a logical or a string is kept as a string.
    """
    cards: list[Card] = []
    for start in range(0, len(block), CARD):
        image = _decode(block[start : start + CARD])
        if image[:8].rstrip() == "END":
            break
        card = _parse_card(image)
        if card.keyword == "CONTINUE" and cards and _continues(cards[-1], card):
            cards[-1] = _joined(cards[-1], card)
        elif card.keyword or card.value:
            cards.append(card)
    return cards


def _decode(image: bytes) -> str:
    image = image.replace(b"\0", b" ")
    try:
        return image.decode("utf-8")
    except UnicodeDecodeError:
        return image.decode("latin-1")


def _parse_card(image: str) -> Card:
    keyword = image[:8].rstrip().upper()
    if keyword in COMMENTARY:
        return Card(keyword, image[8:].rstrip())
    if keyword == "CONTINUE":
        value, comment = _parse_value(image[8:])
        return Card(keyword, value, comment)
    name, equals, rest = image.partition("=")
    if keyword == "HIERARCH" and equals:
        value, comment = _parse_value(rest)
        return Card(" ".join(name[8:].upper().split()), value, comment)
    if equals and len(name) <= _KEYWORD_WIDTH:
        value, comment = _parse_value(rest)
        return Card(name.strip().upper(), value, comment)
    return Card(keyword, image[8:].strip())


def _parse_value(text: str) -> tuple[Value, str]:
    text = text.strip()
    if text.startswith("'"):
        match = _STRING.match(text)
        if match is None:
            return text[1:].rstrip(), ""
        return match[1].replace("''", "'").rstrip(), (match[3] or "").strip()
    text, _, comment = text.partition("/")
    return _parse_plain(text.strip()), comment.strip()


def _parse_plain(text: str) -> Value:
    """Interpret the text of a value that is not quoted."""
    if not text:
        return None
    if text in {"T", "F"}:
        return text == "T"
    if _INTEGER.match(text):
        return int(text)
    if _REAL.match(text):
        return float(text.upper().replace("D", "E"))
    return text


def _continues(previous: Card, card: Card) -> bool:
    return (
        isinstance(previous.value, str)
        and previous.value.endswith("&")
        and previous.keyword not in COMMENTARY
        and isinstance(card.value, str)
    )


def _joined(previous: Card, card: Card) -> Card:
    comment = " ".join(part for part in (previous.comment, card.comment) if part)
    return Card(previous.keyword, f"{str(previous.value)[:-1]}{card.value}", comment)


def to_ascii(text: str) -> str:
    """Return `text` in printable ASCII: accents dropped, common signs spelled out, the rest ``?``.

    Examples
    --------
    >>> to_ascii("Köln, 10 °C, 3.76 µm")
    'Koln, 10 degC, 3.76 um'
    """
    if text.isascii() and text.isprintable():
        return text
    plain = unicodedata.normalize("NFKD", " ".join(text.translate(_ASCII).splitlines()))
    return "".join(
        (letter if " " <= letter <= "~" else "?") if not letter.isspace() else " "
        for letter in plain
        if not unicodedata.combining(letter)
    )


def format_cards(cards: Iterable[Card]) -> bytes:
    """Return the header that consists of `cards`, with its END card, padded to whole blocks.

    Of several cards with one keyword the first is written; COMMENT, HISTORY and blank cards are all
    written, wrapped to 72 columns. Long strings use CONTINUE. A keyword that has more than eight
    characters is written by the HIERARCH convention. Comments are cut where the card ends. A card
    that no convention can hold is written as a HISTORY line ``KEYWORD = value``.
    """
    seen: set[str] = set()
    lines: list[str] = []
    for card in cards:
        keyword = to_ascii(card.keyword).upper().strip()
        if keyword not in COMMENTARY:
            if keyword in seen:
                continue
            seen.add(keyword)
        lines.extend(_format_card(keyword, card.value, to_ascii(card.comment).strip()))
    lines.append("END")
    text = "".join(line.ljust(CARD) for line in lines)
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("ascii")


def _format_card(keyword: str, value: Value, comment: str) -> Iterator[str]:
    if keyword in COMMENTARY:
        yield from _commentary(keyword, "" if value is None else str(value))
        return
    if _KEYWORD.match(keyword):
        if isinstance(value, str):
            yield from _string(keyword, value, comment)
        else:
            yield _with_comment(f"{keyword:8}= {plain_text(value):>{_FIXED_WIDTH}}", comment)
        return
    quoted = "'" + to_ascii(value).replace("'", "''") + "'" if isinstance(value, str) else None
    image = f"HIERARCH {keyword} = {plain_text(value) if quoted is None else quoted}"
    if _HIERARCH.match(keyword) and len(image) <= CARD:
        yield _with_comment(image, comment)
    else:
        yield from _commentary("HISTORY", f"{keyword} = {value}" + f" / {comment}" * bool(comment))


def plain_text(value: Value) -> str:
    """Return the text of a value that is not a string; "" for None and what is not finite."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int):
        return str(int(value))
    number = float(value)
    if number != number or number in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
        return ""
    text = repr(number).upper()
    return text if "." in text or "E" not in text else text.replace("E", ".0E")


def _with_comment(image: str, comment: str) -> str:
    return f"{image} / {comment}"[:CARD].rstrip() if comment else image


def _commentary(keyword: str, text: str) -> Iterator[str]:
    text = to_ascii(text)
    for line in textwrap.wrap(text, _TEXT_WIDTH) if len(text) > _TEXT_WIDTH else [text]:
        yield f"{keyword:8}{line}"


def _string(keyword: str, value: str, comment: str) -> Iterator[str]:
    rest = to_ascii(value).rstrip().replace("'", "''")
    head = f"{keyword:8}= "
    while len(rest) > _STRING_WIDTH:
        cut = _STRING_WIDTH - 1
        quotes = cut - len(rest[:cut].rstrip("'"))
        cut -= quotes % 2  # a doubled quote stays in one piece
        yield f"{head}'{rest[:cut]}&'"
        head, rest = "CONTINUE  ", rest[cut:]
    yield _with_comment(f"{head}{chr(39) + rest.ljust(8) + chr(39):{_FIXED_WIDTH}}", comment)
