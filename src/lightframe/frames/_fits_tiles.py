"""Tile-compressed FITS images: RICE_1, GZIP_1, GZIP_2, PLIO_1 and HCOMPRESS_1, through astropy."""

import io
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.errors import UnreadableFileError
from lightframe.frames._fits_cards import BLOCK, format_cards
from lightframe.frames._fits_layout import ImageUnit
from lightframe.frames._header import Card, Header

__all__ = ["decode_tiles"]

_MAX_EXPANSION = 1100
"""Most that deflate can expand; RICE and PLIO stay below it on anything a camera sees."""
_FREE = 1 << 28
"""Bytes that an image may have whatever the size of its file: blank tiles shrink to nothing."""

_TABLE = frozenset(
    (
        *("XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "TFIELDS", "THEAP", "ZIMAGE"),
        *("ZCMPTYPE", "ZBITPIX", "ZNAXIS", "ZQUANTIZ", "ZDITHER", "ZBLANK", "ZSCALE", "ZZERO"),
        *("TTYPE", "TFORM", "TUNIT", "TDIM", "TNULL", "TSCAL", "TZERO", "ZTILE", "ZNAME", "ZVAL"),
    )
)
"""The keywords, without their index, that say how the tiles are stored."""


def decode_tiles(unit: ImageUnit, data: bytes, path: Path) -> npt.NDArray[np.generic]:
    """Return the samples of a tile-compressed image as they were before BZERO and BSCALE.

    Parameters
    ----------
    unit : ImageUnit
        The unit; ``unit.table`` is its header as stored.
    data : bytes
        The table and its heap.
    path : Path
        The file, for messages.

    Raises
    ------
    UnreadableFileError
        If the header promises more pixels than such a file can hold, or the tiles are corrupt.
    """
    claimed = prod(unit.axes) * unit.dtype.itemsize
    if claimed > max(_FREE, _MAX_EXPANSION * len(data)):
        raise UnreadableFileError(
            f"claims {claimed:,} bytes of pixels in {len(data):,} bytes of compressed data",
            where=path,
            cause="the header is corrupt",
        )
    from astropy.io import fits  # noqa: PLC0415 - 0.2 s that only compressed files need

    table = Header() if unit.table is None else unit.table
    # Only what describes the table goes to astropy: other cards may be ones that it warns of.
    needed = [card for card in table if card.keyword.rstrip("0123456789") in _TABLE]
    primary = format_cards(
        [Card("SIMPLE", True), Card("BITPIX", 8), Card("NAXIS", 0), Card("EXTEND", True)]
    )
    padding = bytes(-len(data) % BLOCK)
    stream = io.BytesIO(b"".join((primary, format_cards(needed), data, padding)))
    try:
        with fits.open(stream, do_not_scale_image_data=True, memmap=False) as units:
            samples = np.asarray(units[1].data)
    except Exception as error:
        # Corrupt tiles make the decoders raise whatever comes: OSError, IndexError, zlib.error, ...
        raise UnreadableFileError(
            f"has tiles that cannot be decoded: {error}",
            where=path,
            cause="the file is corrupt",
            remedy="copy the file again",
        ) from error
    if samples.shape != tuple(reversed(unit.axes)):
        raise UnreadableFileError(
            f"decodes to {samples.shape} instead of {tuple(reversed(unit.axes))}",
            where=path,
            cause="the file is corrupt",
        )
    return samples
