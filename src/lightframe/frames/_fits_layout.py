"""Where the first image of a FITS file lies, and in which shape.

The header-data units are walked by reading headers only. Nothing here trusts a header further than
the size of the file reaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lightframe.errors import UnreadableFileError
from lightframe.frames._beginning import not_of_format
from lightframe.frames._fits_cards import BLOCK, CARD, COMMENTARY, parse_cards
from lightframe.frames._header import Card, Header

__all__ = ["ImageUnit", "find_image", "integer_card"]

_LARGEST = 1 << 62  # bytes; no file reaches beyond
_MAX_HEADER = 1 << 24  # bytes; the longest header seen in the wild has a hundredth of it
_TYPES = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_RGB = 3


@dataclass(frozen=True, slots=True)
class ImageUnit:
    """The header-data unit of an image.

    Parameters
    ----------
    header : Header
        Its cards, followed by the cards of the primary header that it does not repeat. Of a
        tile-compressed image these are the cards of the image, not of the table that holds it.
    table : Header or None
        The cards of the table, if the image is tile-compressed.
    offset, size : int
        Where the stored bytes begin, and how many there are.
    dtype : dtype
        Type of the samples in the file's byte order.
    axes : tuple of int
        NAXIS1, NAXIS2, ... of the image.
    channels, height, width : int
        Its geometry.
    interleaved : bool
        Whether the colours of a pixel lie side by side (NAXIS1 = 3).
    """

    header: Header
    table: Header | None
    offset: int
    size: int
    dtype: np.dtype[np.generic]
    axes: tuple[int, ...]
    channels: int
    height: int
    width: int
    interleaved: bool


def find_image(file: BinaryIO, path: Path) -> ImageUnit:
    """Return the first image of a FITS file: in the primary unit, or in the first extension.

    Parameters
    ----------
    file : binary file
        The file, or the stream it is unpacked from.
    path : Path
        Its name, for messages.

    Raises
    ------
    UnreadableFileError
        If the file is no FITS file, ends within a header, or has no image of one or three planes.
    """
    primary = Header()
    seen: list[str] = []
    start = 0
    while (block := _read_header(file, start, path)) is not None:
        cards = Header(parse_cards(block))
        offset = start + -(-len(block) // BLOCK) * BLOCK
        size = _data_size(cards, path)
        if start == 0:
            primary = cards
        compressed = cards.get("ZIMAGE") is True
        if compressed or _is_image(cards):
            return _image_unit(cards, primary, offset, size, path)
        seen.append(_describe(cards))
        start = offset + -(-size // BLOCK) * BLOCK
        if start > _LARGEST:
            break
    raise UnreadableFileError(
        f"holds no image: {'; '.join(seen)}",
        where=path,
        remedy="leave the file out, or give the file that holds the pixels",
    )


def _read_header(file: BinaryIO, start: int, path: Path) -> bytes | None:
    """Return the header at `start` up to its END card, or None behind the last unit."""
    file.seek(start)
    first = file.read(BLOCK)
    if start == 0 and not first:
        raise UnreadableFileError(
            "is empty (0 bytes)", where=path, remedy="copy or capture the file again"
        )
    if not first.startswith((b"SIMPLE", b"XTENSION") if start else b"SIMPLE"):
        if start:
            return None  # special records and padding behind the last unit
        raise not_of_format("a FITS", first, b"SIMPLE  =", path)
    pieces = [first]
    length = 0
    while True:
        piece = pieces[-1]
        for at in range(0, len(piece), CARD):
            if piece[at : at + CARD].rstrip(b" \0") == b"END":
                return b"".join(pieces)[: length + at + CARD]
        length += len(piece)
        if len(piece) < BLOCK or length > _MAX_HEADER:
            raise UnreadableFileError(
                f"has a header without END card: {length:,} bytes of it were read",
                where=path,
                cause="the file is truncated" if len(piece) < BLOCK else "the file is corrupt",
                remedy="copy or capture the file again",
            )
        pieces.append(file.read(BLOCK))


def integer_card(
    header: Header, keyword: str, path: Path, default: int | None = None, *, least: int = 0
) -> int:
    """Return the value of a card that must be an integer not below `least`."""
    value = header.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        told = "is missing" if value is None else f"is {value!r}"
        raise UnreadableFileError(
            f"has a header that does not describe its data: {keyword} {told}",
            where=path,
            cause="the file is corrupt",
        )
    return value


def _axes(header: Header, path: Path, prefix: str = "") -> tuple[int, ...]:
    count = integer_card(header, f"{prefix}NAXIS", path)
    if count > 999:  # noqa: PLR2004 - the limit of the standard
        raise UnreadableFileError(f"has {count} axes", where=path, cause="the file is corrupt")
    return tuple(integer_card(header, f"{prefix}NAXIS{axis}", path) for axis in range(1, count + 1))


def _data_size(header: Header, path: Path) -> int:
    axes = _axes(header, path)
    if not axes:
        return 0
    bits = abs(integer_card(header, "BITPIX", path, least=-64))
    if header.get("GROUPS") is True and axes[0] == 0:
        axes = axes[1:]
    count = integer_card(header, "GCOUNT", path, 1)
    extra = integer_card(header, "PCOUNT", path, 0)
    return bits // 8 * count * (extra + prod(axes))


def _is_image(header: Header) -> bool:
    kind = header.get("XTENSION", "IMAGE")
    naxis = header.get("NAXIS")
    return kind == "IMAGE" and isinstance(naxis, int) and naxis >= 2  # noqa: PLR2004


def _describe(header: Header) -> str:
    name = f" {header.get('EXTNAME')!r}" if header.get("EXTNAME") else ""
    return f"{header.get('XTENSION', 'primary unit')}{name} with NAXIS = {header.get('NAXIS')}"


def _image_unit(cards: Header, primary: Header, offset: int, size: int, path: Path) -> ImageUnit:
    prefix = "Z" if cards.get("ZIMAGE") is True else ""
    bitpix = integer_card(cards, f"{prefix}BITPIX", path, least=-64)
    if bitpix not in _TYPES:
        raise UnreadableFileError(
            f"has samples of {bitpix} bits; FITS knows {', '.join(map(str, _TYPES))}",
            where=path,
            cause="the file is corrupt",
        )
    axes = _axes(cards, path, prefix)
    channels, height, width, interleaved = _geometry(axes, path)
    table = cards if prefix else None
    header = _with_primary(_uncompressed(cards) if prefix else cards, primary)
    return ImageUnit(
        header, table, offset, size, np.dtype(_TYPES[bitpix]), axes, channels, height, width,
        interleaved,
    )  # fmt: skip


def _geometry(axes: Sequence[int], path: Path) -> tuple[int, int, int, bool]:
    """Return channels, height, width, and whether colours are interleaved."""
    told = " x ".join(str(length) for length in axes) or "no axes"
    shape = list(axes)
    while len(shape) > 2 and shape[-1] == 1:  # noqa: PLR2004 - a plane has two axes
        shape.pop()
    if 0 in shape:
        raise UnreadableFileError(
            f"has no pixels: its axes are {told}", where=path, cause="the capture was aborted"
        )
    match shape:
        case [width, height]:
            return 1, height, width, False
        case [width, height, 3]:
            return _RGB, height, width, False
        case [3, width, height]:
            return _RGB, height, width, True
    raise UnreadableFileError(
        f"has axes {told}: neither one plane nor three",
        where=path,
        remedy="split the cube into one file for each frame",
    )


_TABLE_ONLY = frozenset(
    (
        *("XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "TFIELDS", "THEAP", "CHECKSUM"),
        *("DATASUM", "ZIMAGE", "ZSIMPLE", "ZTENSION", "ZEXTEND", "ZBLOCKED", "ZPCOUNT", "ZGCOUNT"),
        *("ZHECKSUM", "ZDATASUM", "ZCMPTYPE", "ZQUANTIZ", "ZDITHER0", "ZBLANK", "ZMASKCMP"),
    )
)
_TABLE_INDEXED = ("NAXIS", "TTYPE", "TFORM", "TUNIT", "TDIM", "TDISP", "TNULL", "TSCAL", "TZERO")
_TILE_INDEXED = ("ZTILE", "ZNAME", "ZVAL")


def _uncompressed(cards: Header) -> Header:
    """Return the cards of the image that a table of tiles stands for."""

    def stem(keyword: str) -> str:
        return keyword.rstrip("0123456789") if keyword[-1:].isdigit() else ""

    kept = []
    for card in cards:
        keyword = card.keyword
        if keyword in _TABLE_ONLY or stem(keyword) in (*_TABLE_INDEXED, *_TILE_INDEXED):
            continue
        if keyword == "EXTNAME" and card.value == "COMPRESSED_IMAGE":
            continue
        if keyword in {"ZBITPIX", "ZNAXIS"} or stem(keyword) == "ZNAXIS":
            kept.append(Card(keyword[1:], card.value, card.comment))
        else:
            kept.append(card)
    return Header(kept)


_OF_THE_UNIT = frozenset(
    (
        *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "BZERO", "BSCALE"),
        *("BLANK", "CHECKSUM", "DATASUM", "EXTNAME", "EXTVER", "EXTLEVEL", "INHERIT", "DNSCALE"),
        "NEXTEND",
    )
)


def _with_primary(cards: Header, primary: Header) -> Header:
    """Return the cards of an extension and those of the primary header it does not repeat."""
    if cards is primary:
        return cards
    own = {card.keyword for card in cards}
    inherited = [
        card
        for card in primary
        if card.keyword in COMMENTARY or card.keyword not in own | _OF_THE_UNIT
    ]
    return cards.adding(*inherited)
