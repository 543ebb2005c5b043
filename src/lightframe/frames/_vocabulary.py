"""The header vocabulary: one row a fact, with the keywords that state it, in order, and its unit.

A row is read from the first of its keywords that says something. A new program's keyword is one
word in one row. Sources of the keywords: NINA, MaxIm DL, SBFITSEXT, SGPro, APT, SharpCap, INDI,
ZWO, DWARFLAB, Astro Pixel Processor, PixInsight (FITS and XISF), Siril, ASTAP, IRAF, EXIF.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from lightframe.frames import _values as values
from lightframe.frames._header import Card, Header
from lightframe.tables import Table

__all__ = ["VOCABULARY", "Keyword", "Reading", "Row", "read_binning"]

T = TypeVar("T")
Parser = Callable[[Card, float], T | None]


class Keyword(NamedTuple):
    """A keyword, and the factor from its unit to that of the row."""

    name: str
    factor: float = 1.0


class Reading(NamedTuple, Generic[T]):
    """A value and the keyword it was read from."""

    value: T
    keyword: str


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One fact about a frame: where headers state it and how it is read.

    Attributes
    ----------
    unit : str
        Unit of the value, ``""`` for texts and pure numbers.
    parse : callable
        Reader of one card: ``(card, factor) -> value or None``.
    keywords : tuple of Keyword
        In the order in which they are asked.
    """

    unit: str
    parse: Parser[T]
    keywords: tuple[Keyword, ...]

    def read(self, header: Header) -> Reading[T] | None:
        """Return the value of the first keyword that says something, or None."""
        for keyword in self.keywords:
            card = header.card(keyword.name)
            if card is not None:
                value = self.parse(card, keyword.factor)
                if value is not None:
                    return Reading(value, keyword.name)
        return None

    def value(self, header: Header) -> T | None:
        """Return the value alone."""
        reading = self.read(header)
        return None if reading is None else reading.value


VOCABULARY: Table[Row[Any]] = Table("header fact")
"""All rows by name; names with a unit suffix are fields of `FrameInfo`."""


def _row(
    name: str, meaning: str, unit: str, parse: Parser[T], *keywords: str | tuple[str, float]
) -> Row[T]:
    row = Row(
        unit,
        parse,
        tuple(Keyword(key) if isinstance(key, str) else Keyword(*key) for key in keywords),
    )
    VOCABULARY.enter(name, meaning, row)
    return row


def _above_zero(card: Card, factor: float) -> float | None:
    found = values.number(card, factor)
    return found if found is not None and found > 0 else None


def _not_negative(card: Card, factor: float) -> float | None:
    """Read a setting; drivers write -1 for one they do not have."""
    found = values.number(card, factor)
    return found if found is not None and found >= 0 else None


def _shutter_s(card: Card, factor: float) -> float | None:
    """Read a shutter time; a camera that writes 0 s does not know it."""
    return values.time_s(card, factor) or None


def _filter(card: Card, factor: float) -> str | None:
    name = values.text(card, factor)
    return None if name is None or name.lower().replace(" ", "") == "nofilter" else name


_ANY_CAMERA = frozenset({"ascom camera", "camera", "ccd", "cmos"})


def _camera(card: Card, factor: float) -> str | None:
    name = values.text(card, factor)
    return None if name is None or name.lower() in _ANY_CAMERA else name


_PIER_SIDES = {
    "e": "east", "east": "east", "piereast": "east", "0": "east",
    "w": "west", "west": "west", "pierwest": "west", "1": "west",
}  # fmt: skip


def _pier_side(card: Card, factor: float) -> str | None:
    return _PIER_SIDES.get((values.text(card, factor) or "").lower().replace(" ", ""))


def _direction(card: Card, factor: float) -> float | None:
    angle = values.angle_deg(card, factor)
    return None if angle is None else angle % 360


def _row_order(card: Card, factor: float) -> str | None:
    words = re.sub(r"[\s_]+", "-", values.text(card, factor) or "").upper()
    return {"TOPDOWN": "TOP-DOWN", "BOTTOMUP": "BOTTOM-UP"}.get(words.replace("-", ""))


def _bin_pair(card: Card, factor: float) -> tuple[int, int] | None:
    """Read ``'2*2'``, ``'2x2'``, ``'2 2'`` or 2."""
    found = re.findall(r"\d+", values.text(card, factor) or "")
    if len(found) not in {1, 2}:
        return None
    return max(1, int(found[0])), max(1, int(found[-1]))


def _bin_factor(card: Card, factor: float) -> int | None:
    """Read one binning factor; 0 and less mean 1."""
    found = values.number(card, factor)
    return None if found is None else max(1, round(found))


def _integer(card: Card, factor: float) -> int | None:
    found = values.number(card, factor)
    return round(found) if found is not None and float(found).is_integer() else None


EXPOSURE: Row[float] = _row(
    "exposure_s", "exposure of one sub-exposure", "s", values.time_s,
    "EXPTIME", "EXPOSURE", "EXP", ("EXPOINUS", 1e-6), "INSTRUMENT:EXPOSURETIME",
    "DARKTIME",
)  # fmt: skip
SHUTTER: Row[float] = _row(
    "shutter_s", "exposure as cameras for daylight state it; 0 is unknown", "s", _shutter_s,
    "EXIF EXPOSURETIME", "IMAGE EXPOSURETIME", "SHUTTER_SPEED", "SHARPCAP:EXPOSURE",
)  # fmt: skip
SUB_EXPOSURE: Row[float] = _row(
    "sub_exposure_s", "EXPOSURE, where a stack's EXPTIME is the total", "s", values.time_s,
    "EXPOSURE",
)  # fmt: skip
TOTAL_EXPOSURE: Row[float] = _row(
    "total_exposure_s", "sum over the combined frames", "s", values.time_s,
    "TOTALEXP", "LIVETIME", "PCL:TOTALEXPOSURETIME",
)  # fmt: skip
GAIN: Row[float] = _row(
    "gain", "gain setting in driver units; at observatories e-/DN", "", _not_negative,
    "GAIN", "SHARPCAP:GAIN",
)  # fmt: skip
ISO: Row[float] = _row(
    "iso", "sensitivity setting of cameras for daylight", "ISO", _above_zero,
    "ISO", "ISOSPEED", "EXIF ISOSPEEDRATINGS", "EXIF PHOTOGRAPHICSENSITIVITY",
    "IMAGE ISOSPEEDRATINGS", "INSTRUMENT:CAMERA:ISOSPEED",
)  # fmt: skip
EGAIN: Row[float] = _row(
    "egain", "conversion gain on the scale of the file", "e-/DN", _above_zero,
    "EGAIN", "CVF", "INSTRUMENT:CAMERA:GAIN",
)  # fmt: skip
OFFSET: Row[float] = _row(
    "offset", "offset setting in driver units; never PEDESTAL", "", _not_negative,
    "OFFSET", "BLKLEVEL", "BRIGHTNS", "CAMOFFS", "SHARPCAP:BLACK LEVEL", "SHARPCAP:BRIGHTNESS",
    "SHARPCAP:OFFSET",
)  # fmt: skip
READOUT_MODE: Row[str] = _row(
    "readout_mode", "readout mode", "", values.text, "READOUTM", "READMODE"
)
TEMPERATURE: Row[float] = _row(
    "temperature_c", "measured sensor temperature", "degC", values.temperature_c,
    "CCD-TEMP", "CCD_TEMP", "CCDTEMP", "TEMPERAT", "CAMTCCD", "DET-TEMP", "CAMTEMP",
    "INSTRUMENT:SENSOR:TEMPERATURE", "SHARPCAP:TEMPERATURE",
)  # fmt: skip
SET_TEMPERATURE: Row[float] = _row(
    "set_temperature_c", "set point of the cooling", "degC", values.temperature_c,
    "SET-TEMP", "SETTEMP", "CCDTSET", "INSTRUMENT:SENSOR:TARGETTEMPERATURE",
    "SHARPCAP:TARGET TEMPERATURE",
)  # fmt: skip
X_BINNING: Row[int] = _row(
    "x_binning", "horizontal binning", "", _bin_factor,
    "XBINNING", "BINX", "CCDXBIN", "CCDBINX", "XBIN", "INSTRUMENT:CAMERA:XBINNING",
)  # fmt: skip
Y_BINNING: Row[int] = _row(
    "y_binning", "vertical binning", "", _bin_factor,
    "YBINNING", "BINY", "CCDYBIN", "CCDBINY", "YBIN", "INSTRUMENT:CAMERA:YBINNING",
)  # fmt: skip
BINNING: Row[tuple[int, int]] = _row(
    "binning", "both binnings in one value", "", _bin_pair,
    "BINNING", "CCDSUM", "SHARPCAP:BINNING",
)  # fmt: skip
FILTER: Row[str] = _row(
    "filter", "filter name as written", "", _filter,
    "FILTER", "FILT-1", "FILTER-1", "FILTER1", "INSFLNAM", "FILTNAME", "INSTRUMENT:FILTER:NAME",
)  # fmt: skip
CAMERA: Row[str] = _row(
    "camera", "camera", "", _camera,
    "INSTRUME", "CAMERAID", "DETECTOR", "CAMERA", "INSTRUMENT:CAMERA:NAME", "IMAGE MODEL",
    "SHARPCAP:CAMERA",
)  # fmt: skip
TELESCOPE: Row[str] = _row(
    "telescope", "telescope", "", values.text, "TELESCOP", "INSTRUMENT:TELESCOPE:NAME"
)
OBJECT: Row[str] = _row(
    "object", "object", "", values.text,
    "OBJECT", "OBJNAME", "TARGET", "OBSERVATION:OBJECT:NAME",
)  # fmt: skip
SOFTWARE: Row[str] = _row(
    "software", "program that took or wrote the frame", "", values.text,
    "SWCREATE", "CREATOR", "SOFTWARE", "PROGRAM", "ORIGIN", "XISF:CREATORAPPLICATION",
)  # fmt: skip
FOCAL_LENGTH: Row[float] = _row(
    "focal_length_mm", "focal length", "mm", values.length_mm,
    "FOCALLEN", ("FOCAL", 1000.0), ("FLENGTH", 1000.0),
    ("INSTRUMENT:TELESCOPE:FOCALLENGTH", 1000.0), "EXIF FOCALLENGTH", "IMAGE FOCALLENGTH",
    "FOCAL_LENGTH",
)  # fmt: skip
APERTURE: Row[float] = _row(
    "aperture_mm", "diameter of the telescope", "mm", values.length_mm,
    "APTDIA", ("INSTRUMENT:TELESCOPE:APERTURE", 1000.0),
)  # fmt: skip
PIXEL_SIZE: Row[float] = _row(
    "pixel_size_um", "size of the stored, binned pixels", "um", _above_zero,
    "XPIXSZ", "XPIXELSZ", "XPIXSIZE", "INSTRUMENT:SENSOR:XPIXELSIZE",
)  # fmt: skip
SENSOR_PIXEL_SIZE: Row[float] = _row(
    "sensor_pixel_size_um", "size of the sensor's pixels before binning", "um", _above_zero,
    "PIXSIZE1", "PIXSIZEX",
)  # fmt: skip
ROTATION: Row[float] = _row(
    "rotation_deg", "rotator or camera angle", "deg", _direction,
    "ROTATANG", "ROTATOR", "ANGLE", "POSANGLE", "OBJCTROT", "PA",
)  # fmt: skip
PIER_SIDE: Row[str] = _row("pier_side", "side of the pier", "", _pier_side, "PIERSIDE")
START: Row[datetime] = _row(
    "time", "start of the exposure, UTC", "UTC", values.utc,
    "DATE-OBS", "DATE-BEG", "DATE-STA", "OBSERVATION:TIME:START",
)  # fmt: skip
START_DATE: Row[str] = _row(
    "start_date", "date of the start where the time of day has its own card", "", values.text,
    "DATE-OBS", "DATE_OBS", "UTDATE",
)  # fmt: skip
START_CLOCK: Row[str] = _row(
    "start_clock", "time of day of the start, UTC", "", values.text,
    "TIME-OBS", "UT", "UTSTART", "UTC-OBS", "UTC",
)  # fmt: skip
MODIFIED_JULIAN_DATE: Row[float] = _row(
    "modified_julian_date", "start of the exposure", "d", _above_zero, "MJD-OBS", "MJD"
)
JULIAN_DATE: Row[float] = _row(
    "julian_date", "start of the exposure", "d", _above_zero, "JD", "JD-OBS"
)
LOCAL_START: Row[datetime] = _row(
    "local_time", "start of the exposure by the local clock", "", values.local_time, "DATE-LOC"
)
CAMERA_CLOCK: Row[datetime] = _row(
    "camera_clock", "start of the exposure by the camera's clock", "", values.local_time,
    "EXIF DATETIMEORIGINAL", "IMAGE DATETIMEORIGINAL", "IMAGE DATETIME",
)  # fmt: skip
LONGITUDE: Row[float] = _row(
    "longitude_deg", "geographic longitude, east positive", "deg", values.angle_deg,
    "SITELONG", "LONG-OBS", "OBSGEO-L", "OBSERVATION:LOCATION:LONGITUDE",
)  # fmt: skip
ROW_ORDER: Row[str] = _row(
    "row_order", "whether the first stored row is the picture's top or bottom", "", _row_order,
    "ROWORDER",
)  # fmt: skip
FRAMES_COMBINED: Row[int] = _row(
    "frames_combined", "number of frames in a master or stack", "", values.count,
    "NCOMBINE", "STACKCNT", "NUMFRAME", "SNAPSHOT", "NIMAGES",
)  # fmt: skip
SATURATION: Row[float] = _row(
    "saturation_dn", "stated saturation on the scale of the file", "DN", _above_zero,
    "SATURATE", "SATLEVEL", "MAXLIN",
)  # fmt: skip
BLACK: Row[float] = _row(
    "black_dn", "black level that the camera itself states", "DN", _not_negative, "BLACKDN"
)
X_CFA_OFFSET: Row[int] = _row(
    "x_cfa_offset", "columns by which the colour cell is shifted", "px", _integer,
    "XBAYROFF", "BAYOFFX",
)  # fmt: skip
Y_CFA_OFFSET: Row[int] = _row(
    "y_cfa_offset", "rows by which the colour cell is shifted", "px", _integer,
    "YBAYROFF", "BAYOFFY",
)  # fmt: skip
X_ORIGIN: Row[int] = _row(
    "x_origin", "first column of a sub-frame in binned pixels", "px", _integer,
    "XORGSUBF", "XOFFSET", "SUBX",
)  # fmt: skip
Y_ORIGIN: Row[int] = _row(
    "y_origin", "first row of a sub-frame in binned pixels", "px", _integer,
    "YORGSUBF", "YOFFSET", "SUBY",
)  # fmt: skip


def read_binning(header: Header) -> tuple[int, int] | None:
    """Return horizontal and vertical binning; where only one is stated both are equal."""
    x = X_BINNING.value(header)
    y = Y_BINNING.value(header)
    if x is None and y is None:
        return BINNING.value(header)
    return x or y or 1, y or x or 1
