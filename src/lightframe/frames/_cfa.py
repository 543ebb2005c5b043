"""The colour filter array: which colour each pixel sees, as stored.

Which cell lies at the origin of the stored array is decided here and nowhere else, from the
pattern's name, its offsets, the sub-frame's origin, the row order and the height. The rules:

- BAYERPAT names the cell at the top left of the *sensor* as the camera delivers it, whatever the
  row order of the file; COLORTYP and CFAIMAGE of other programs mean the same.
- XBAYROFF and YBAYROFF shift the cell. Drivers state them for the whole sensor (ASCOM: they do "not
  change to reflect subframe settings"), so the sub-frame's origin is added to them. That origin is
  counted in binned pixels and is multiplied by the binning: reading starts at that sensor pixel.
- A binned frame that states a pattern was binned colour by colour, as CMOS drivers do; the cell of
  the binned pixels is the sensor's.
- In a BOTTOM-UP file the first stored row is the last row of the picture.
- XISF's ColorFilterArray, and PixInsight's CFASourcePattern, describe the array as stored.

Sources: the ROWORDER proposal of Siril and CCDciel (2020), ASCOM's ICamera, SBFITSEXT, XISF 1.0
section 11.10.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from lightframe.frames import _vocabulary as vocabulary
from lightframe.frames._header import Header

__all__ = ["COLOURS", "CfaPattern", "CfaReading", "cfa_pattern", "read_cfa"]

COLOURS = "RGB"
"""Plane index -> letter: 0 is red, 1 is green, 2 is blue."""


@dataclass(frozen=True, slots=True)
class CfaPattern:
    """The repeating cell of a colour filter array, phased at row 0, column 0 of the array.

    Parameters
    ----------
    rows : tuple of str
        The cell row by row in letters of R, G, B: ``("RG", "GB")``, or six rows of six for X-Trans.
    """

    rows: tuple[str, ...]

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.rows}
        if len(widths) != 1 or not set("".join(self.rows)) <= set(COLOURS):
            raise ValueError(
                f"{' '.join(self.rows)!r} is no CFA cell: it is made of the letters R, G and B"
            )

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Build from the letters of a square cell read row by row, e.g. ``"GRBG"``."""
        side = {4: 2, 36: 6}.get(len(name))
        if side is None:
            raise ValueError(f"a CFA cell has 4 or 36 letters, not {len(name)}: {name!r}")
        return cls(tuple(name[i : i + side] for i in range(0, len(name), side)))

    @property
    def name(self) -> str:
        """The letters of the cell row by row."""
        return "".join(self.rows)

    @property
    def period(self) -> int:
        """Side of the cell: 2 for Bayer, 6 for X-Trans."""
        return len(self.rows)

    def shifted(self, y: int, x: int) -> "CfaPattern":
        """Return the pattern as seen from row `y`, column `x` of the array."""
        height, width = len(self.rows), len(self.rows[0])
        return CfaPattern(
            tuple(
                "".join(
                    self.rows[(row + y) % height][(column + x) % width] for column in range(width)
                )
                for row in range(height)
            )
        )

    def flipped_rows(self, height: int) -> "CfaPattern":
        """Return the pattern of an array of `height` rows stored in the opposite row order."""
        period = len(self.rows)
        return CfaPattern(tuple(self.rows[(height - 1 - row) % period] for row in range(period)))

    def planes(self) -> npt.NDArray[np.uint8]:
        """Return the cell as plane indices (0 R, 1 G, 2 B), shape (period, period)."""
        return np.array([[COLOURS.index(letter) for letter in row] for row in self.rows], np.uint8)


class CfaReading(NamedTuple):
    """The pattern of a header, if any, and what had to be assumed or could not be used."""

    pattern: CfaPattern | None
    notes: tuple[str, ...] = ()


_PICTURE_KEYWORDS = ("BAYERPAT", "CFAIMAGE", "COLORTYP")
"""State the pattern of the sensor, seen as a picture."""
_ARRAY_KEYWORDS = ("XISF:CFAPATTERN", "PCL:CFASOURCEPATTERN")
"""State the pattern of the array as stored."""

_NO_PATTERN = frozenset({"NONE", "NO", "N", "INVALID", "MONO", "MONOCHROME", "0", "F", "FALSE"})
_PIXEL_FORMATS = ("RAW", "RGB", "MONO", "Y")  # COLORTYP of ZWO programs: RAW16, RGB24, Y8


def cfa_pattern(header: Header, height: int, width: int) -> CfaPattern | None:
    """Return the colours at the origin of the array as stored.

    Parameters
    ----------
    header : Header
        Cards of a frame of any format.
    height, width : int
        Rows and columns of the stored array.

    Returns
    -------
    CfaPattern or None
        None for mono and RGB images, and where the header does not say.

    Examples
    --------
    >>> from lightframe.frames._header import Card
    >>> bottom_up = Header([Card("BAYERPAT", "RGGB"), Card("ROWORDER", "BOTTOM-UP")])
    >>> cfa_pattern(bottom_up, 1080, 1920).name, cfa_pattern(bottom_up, 1081, 1920).name
    ('GBRG', 'RGGB')
    """
    return read_cfa(header, height, width).pattern


def read_cfa(header: Header, height: int, width: int) -> CfaReading:
    """Return the pattern as `cfa_pattern` does, with notes for the user."""
    if header.get("NAXIS3") == len(COLOURS):
        return CfaReading(None)  # debayered; stacks of smart telescopes keep BAYERPAT
    keyword, letters = _stated(header)
    if not keyword:
        shifted = vocabulary.X_CFA_OFFSET.value(header) or vocabulary.Y_CFA_OFFSET.value(header)
        note = "offsets of a colour pattern are stated, but no pattern"
        return CfaReading(None, (note,) if shifted else ())
    if letters in _NO_PATTERN:
        return CfaReading(None)
    cell = _cell(letters, header.get("XISF:CFAWIDTH") if keyword in _ARRAY_KEYWORDS else None)
    if cell is None or min(height, width) < cell.period:
        note = f"{keyword} = {letters!r} is not used: no pattern of R, G and B that fits the image"
        return CfaReading(None, (note,))
    return CfaReading(cell) if keyword in _ARRAY_KEYWORDS else _as_stored(cell, header, height)


def _stated(header: Header) -> tuple[str, str]:
    """Return the first keyword that says something about the pattern, and its letters."""
    for keyword in _ARRAY_KEYWORDS[:1] + _PICTURE_KEYWORDS + _ARRAY_KEYWORDS[1:]:
        if letters := _letters(header, keyword):
            return keyword, letters
    return "", ""


def _letters(header: Header, keyword: str) -> str:
    value = header.get(keyword)
    if value is None:
        return ""
    letters = "".join(str(value).upper().replace("'", " ").split())
    is_format = letters.isdigit() or letters.startswith(_PIXEL_FORMATS)
    return "" if keyword == "COLORTYP" and is_format and letters not in _NO_PATTERN else letters


def _cell(letters: str, width: object) -> CfaPattern | None:
    stated_width = int(str(width)) if str(width).isdecimal() else None
    try:
        cell = CfaPattern.from_name(letters)
    except ValueError:
        return None
    if set(letters) != set(COLOURS) or stated_width not in {None, cell.period}:
        return None
    return cell


def _as_stored(cell: CfaPattern, header: Header, height: int) -> CfaReading:
    """Bring a pattern of the sensor, seen as a picture, to the array as stored."""
    notes = []
    binning = vocabulary.read_binning(header) or (1, 1)
    x_origin = (vocabulary.X_ORIGIN.value(header) or 0) * binning[0]
    y_origin = (vocabulary.Y_ORIGIN.value(header) or 0) * binning[1]
    if x_origin % cell.period or y_origin % cell.period:
        notes.append(
            f"the sub-frame starts at sensor pixel ({x_origin}, {y_origin}), which shifts the "
            "colour pattern; XBAYROFF and YBAYROFF are taken not to contain this shift"
        )
    if max(binning) > 1:
        notes.append(
            f"the frame is binned {binning[0]}x{binning[1]} and states a colour pattern: taken as "
            "binned colour by colour (where a camera adds the colours up, the frame is mono)"
        )
    if flip := str(header.get("FLIPSTAT") or "").strip():
        notes.append(f"FLIPSTAT = {flip!r}: the colour pattern may have moved with the picture")
    pattern = cell.shifted(
        _offset(vocabulary.Y_CFA_OFFSET, header) + y_origin,
        _offset(vocabulary.X_CFA_OFFSET, header) + x_origin,
    )
    order = vocabulary.ROW_ORDER.value(header)
    if order is None:
        notes.append("ROWORDER is absent: TOP-DOWN is assumed for the colour pattern")
    if order == "BOTTOM-UP":
        pattern = pattern.flipped_rows(height)
    return CfaReading(pattern, tuple(notes))


def _offset(row: vocabulary.Row[int], header: Header) -> int:
    """Return an offset of the cell; older N.I.N.A. wrote -1 where the driver had none."""
    offset = row.value(header) or 0
    by_nina = (vocabulary.SOFTWARE.value(header) or "").startswith("N.I.N.A.")
    return 0 if by_nina and offset < 0 else offset
