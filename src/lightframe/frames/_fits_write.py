"""Writing FITS: converted strip by strip, under a temporary name, never half a file.

Results are floating point in 0..1 with DNSCALE = 65535, as PixInsight and Siril read it, or in DN;
or 16-bit integers, where values beyond the range are truncated and counted.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt

from lightframe.frames._fits_cards import BLOCK, format_cards
from lightframe.frames._header import Card, Header
from lightframe.frames._scratch import new_file
from lightframe.frames._stored import FULL_SCALE
from lightframe.kernels._samples import dn_to_words

__all__ = ["WriteReport", "write_fits"]

_STRIP = 1 << 17
"""Samples converted at a time: they stay in the cache until they are written."""

_STORED = {"float32": ">f4", "uint16": ">i2", "uint8": ">u1"}
_BITPIX = {"float32": -32, "uint16": 16, "uint8": 8}
_MISSING = -0x8000
"""The sample of DN 0, which stands for missing pixels where a 16-bit image has any."""

_FOREIGN = sys.byteorder == "little"

_OURS = frozenset(
    (
        *("SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS", "BZERO"),
        *("BSCALE", "BLANK", "DATAMIN", "DATAMAX", "CHECKSUM", "DATASUM", "EXTNAME", "EXTVER"),
        *("EXTLEVEL", "INHERIT", "NEXTEND", "DNSCALE", "LONGSTRN", "CONTINUE", "END"),
    )
)
"""Keywords that describe the stored array. DATAMAX is never written: above 10 on floating-point
data it makes Siril divide by 65535."""

_MAP_UNITS = {
    "VARIANCE": ("adu2", "DN^2, whatever the scale of the image"),
    "SLOPE": ("adu", "DN for each rank"),
}
"""Units of maps that have any, by the name of the extension."""


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What was written.

    Attributes
    ----------
    clipped_low, clipped_high : int
        Samples truncated at 0 and at 65535; always 0 for float32.
    bytes : int
        Size of the file.
    """

    clipped_low: int
    clipped_high: int
    bytes: int


def write_fits(
    path: Path,
    planes: npt.NDArray[np.float32],
    header: Header,
    *,
    extensions: Iterable[tuple[str, npt.NDArray[np.generic]]] = (),
    units: Literal["unit", "dn"] = "unit",
    sample_format: Literal["float32", "uint16"] = "float32",
) -> WriteReport:
    """Write an image, and maps that belong to it, to a FITS file.

    The file appears under its name when it is complete; one that was there is replaced.

    Parameters
    ----------
    path : Path
        The file.
    planes : ndarray of float32, shape (channels, height, width) or (height, width)
        DN; NaN is missing. One plane is written as a two-dimensional image.
    header : Header
        Its cards; those that describe the stored array are replaced by those that fit.
    extensions : iterable of (str, ndarray), optional
        EXTNAME and array: float32, uint16 or uint8, two- or three-dimensional.
    units : {"unit", "dn"}
        float32 only: ``"unit"`` writes DN / 65535 and DNSCALE = 65535, ``"dn"`` writes DN and
        DNSCALE = 1.
    sample_format : {"float32", "uint16"}
        float32 is never truncated. uint16 is rounded to the nearest integer and truncated to
        0..65535; where pixels are missing, 0 stands for them (BLANK), and data begin at 1.

    Returns
    -------
    WriteReport
        Counts of truncated samples, and the size of the file.

    Raises
    ------
    SettingsError
        If the folder does not exist or cannot be written to.
    ResourceError
        If there is no room.
    ValueError
        If units or samples are none of these, or an array is no image.
    """
    if units not in {"unit", "dn"} or sample_format not in {"float32", "uint16"}:
        raise ValueError(f"units {units!r}, sample format {sample_format!r}")
    image = _Unit(_shaped(np.asarray(planes, np.float32)), sample_format, units)
    maps = [(name, _Unit(_shaped(array), array.dtype.name, "")) for name, array in extensions]
    headers = [image.header(header, extend=bool(maps))]
    headers.extend(unit.extension_header(name) for name, unit in maps)
    units_in_order = [image, *(unit for _, unit in maps)]
    size = sum(map(len, headers)) + sum(unit.padded for unit in units_in_order)
    with new_file(path, size) as file:
        for text, unit in zip(headers, units_in_order, strict=True):
            file.write(text)
            unit.write(file)
    return WriteReport(image.clipped_low, image.clipped_high, size)


def _shaped(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Return a single plane as two-dimensional, three planes as they are."""
    if array.ndim == 3 and array.shape[0] == 1:  # noqa: PLR2004 - channels, rows, columns
        array = array[0]
    if array.ndim not in {2, 3} or array.size == 0:
        raise ValueError(f"an image has one plane or several, not the shape {array.shape}")
    return np.ascontiguousarray(array)


class _Unit:
    """One image of the file, on its way from the array to stored samples."""

    def __init__(self, array: npt.NDArray[np.generic], sample_format: str, units: str) -> None:
        if sample_format not in _STORED:
            raise TypeError(f"arrays of type {sample_format} are not written")
        self.array = array
        self.flat = array.reshape(-1)
        self.format = sample_format
        self.units = units
        self.stored = np.dtype(_STORED[sample_format])
        self.has_missing = (
            sample_format == "uint16" and array.dtype == np.float32 and _any_nan(self.flat)
        )
        self.clipped_low = 0
        self.clipped_high = 0

    @property
    def padded(self) -> int:
        """Bytes of the data, padded to whole blocks."""
        return -(-self.array.size * self.stored.itemsize // BLOCK) * BLOCK

    def header(self, header: Header, *, extend: bool) -> bytes:
        """Return the primary header."""
        first = [Card("SIMPLE", True, "conforms to the FITS standard"), *self._shape_cards()]
        if extend:
            first.append(Card("EXTEND", True, "extensions may follow"))
        first.extend(self._scale_cards())
        rest = [card for card in header if not _is_ours(card.keyword)]
        return format_cards([*first, *rest])

    def extension_header(self, name: str) -> bytes:
        """Return the header of an image extension."""
        unit = [Card("BUNIT", *_MAP_UNITS[name])] if name in _MAP_UNITS else []
        return format_cards(
            [
                Card("XTENSION", "IMAGE", "image extension"),
                *self._shape_cards(),
                Card("PCOUNT", 0, "no group parameters"),
                Card("GCOUNT", 1, "one group"),
                Card("EXTNAME", name, "name of this extension"),
                *unit,
                *self._scale_cards(),
            ]
        )

    def _shape_cards(self) -> list[Card]:
        axes = tuple(reversed(self.array.shape))
        meanings = ("columns", "rows", "planes")
        return [
            Card("BITPIX", _BITPIX[self.format], "bits of a sample; negative: floating point"),
            Card("NAXIS", len(axes), "number of axes"),
            *(Card(f"NAXIS{i + 1}", axes[i], meanings[i]) for i in range(len(axes))),
        ]

    def _scale_cards(self) -> list[Card]:
        cards = []
        if self.format == "uint16":
            cards.append(Card("BZERO", 32768, "unsigned 16-bit integers"))
            cards.append(Card("BSCALE", 1, "DN = BZERO + sample"))
            if self.has_missing:
                cards.append(Card("BLANK", _MISSING, "sample of missing pixels"))
        elif self.format == "float32" and self.units:
            scale = FULL_SCALE if self.units == "unit" else 1.0
            cards.append(Card("DNSCALE", scale, "[DN] DN = sample x DNSCALE"))
        return cards

    def write(self, file: BinaryIO) -> None:
        """Write the samples and the padding."""
        buffer = np.empty(min(_STRIP, self.flat.size), self.stored)
        for start in range(0, self.flat.size, _STRIP):
            strip = self.flat[start : start + _STRIP]
            out = buffer[: strip.size]
            self._convert(strip, out)
            file.write(out.data)
        file.write(bytes(self.padded - self.flat.size * self.stored.itemsize))

    def _convert(self, strip: npt.NDArray[np.generic], out: npt.NDArray[np.generic]) -> None:
        if self.format == "uint16" and strip.dtype == np.float32:
            lowest = np.float32(1.0 if self.has_missing else 0.0)
            low, high = dn_to_words(
                cast("npt.NDArray[np.float32]", strip), lowest, _FOREIGN, out.view(np.uint16)
            )
            self.clipped_low += int(low)
            self.clipped_high += int(high)
        elif self.format == "uint16":
            np.bitwise_xor(strip, np.uint16(0x8000), out=out.view(">u2"))
        elif self.format == "float32" and self.units == "unit":
            np.divide(strip, np.float32(FULL_SCALE), out=out)
        else:
            np.copyto(out, strip, casting="same_kind")


def _any_nan(flat: npt.NDArray[np.generic]) -> bool:
    return any(
        np.isnan(flat[start : start + _STRIP]).any() for start in range(0, flat.size, _STRIP)
    )


def _is_ours(keyword: str) -> bool:
    keyword = keyword.upper()
    return keyword in _OURS or (keyword.startswith("NAXIS") and keyword[5:].isdigit())
