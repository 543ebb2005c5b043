"""Values of cards: what a text, a number, an angle or a date means, as programs really write them.

Each reader takes a card and gives None where the card says nothing: a blank string, ``'Unknown'``,
a number out of its range. Nothing is guessed here; what is ambiguous is decided in `_describe`.
"""

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from lightframe.frames._header import Card, Value

__all__ = [
    "Quantity",
    "angle_deg",
    "clock",
    "count",
    "length_mm",
    "local_time",
    "number",
    "quantity",
    "temperature_c",
    "text",
    "time_s",
    "utc",
]

_SAYS_NOTHING = frozenset(
    {
        "", "unknown", "n/a", "none", "null", "nan", "undefined", "undef", "unset", "not set",
        "not available", "unspecified", "-", "--", "?",
    }
)  # fmt: skip

_NUMBER = re.compile(
    r"([+-]?(?:\d[\d.,]*|[.,]\d+)(?:[EeDd][+-]?\d+)?)(?:/(\d+(?:\.\d+)?))?\s*([^\d\s].*)?$"
)

_MICROSECONDS = re.compile(r"\b[uµμ]s(?:ec)?\b|micro[- ]?sec", re.IGNORECASE)
_MILLISECONDS = re.compile(r"\bms(?:ec)?\b|milli[- ]?sec", re.IGNORECASE)
_SECONDS = re.compile(r"\b(?:s|secs?|seconds?)\b", re.IGNORECASE)
_MILLIMETRES = re.compile(r"\bmm\b|millimet", re.IGNORECASE)
_METRES = re.compile(r"\bm\b|\bmet(?:er|re)s?\b", re.IGNORECASE)
_KELVIN = re.compile(r"\bK\b|[Kk]elvin")

_LONGEST_TELESCOPE_MM = 60_000.0
_TEMPERATURES_C = (-150.0, 100.0)

_YEARS = range(1900, 2200)

_ISO_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:[.,]\d*)?))?"
    r"\s*(Z|UTC?|[+-]\d{2}:?\d{2})?)?$"
)
_EXIF_TIME = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2}):(\d{2}):(\d{2}(?:\.\d*)?)()$")
_OLD_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})$")
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:[.,]\d*)?))?$")
_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})$")


class Quantity(NamedTuple):
    """A number and the unit written behind it (``""`` if none)."""

    value: float
    unit: str


def text(card: Card, factor: float = 1.0) -> str | None:  # noqa: ARG001 - the call of all readers
    """Read a text; None where it says nothing, e.g. ``''`` or ``'Unknown'``."""
    return _clean(card.value)


def _clean(value: Value) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    words = str(value).strip().strip("'").strip()
    return None if words.lower() in _SAYS_NOTHING else words


def quantity(value: Value) -> Quantity | None:
    """Read a number that may be a string, have a decimal comma, be a fraction or carry a unit.

    Examples
    --------
    >>> quantity("6,4E-05").value, quantity("1/250").value, quantity("44 C")
    (6.4e-05, 0.004, Quantity(value=44.0, unit='C'))
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Quantity(float(value), "") if math.isfinite(value) else None
    match = _NUMBER.match(value.strip().strip("'").strip())
    if match is None:
        return None
    digits = _with_decimal_point(match[1].upper().replace("D", "E"))
    try:
        result = float(digits) / float(match[2] or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return Quantity(result, (match[3] or "").strip()) if math.isfinite(result) else None


def _with_decimal_point(digits: str) -> str:
    """Turn a decimal comma into a point; where both occur the last one is the decimal one."""
    if "." in digits and "," in digits:
        thousands = min(".,", key=digits.rindex)
        digits = digits.replace(thousands, "")
    return digits.replace(",", ".")


def number(card: Card, factor: float = 1.0) -> float | None:
    """Read a number in the unit of its row; `factor` converts from the unit of the keyword."""
    found = quantity(card.value)
    return None if found is None else found.value * factor


def count(card: Card, factor: float = 1.0) -> int | None:
    """Read a count of 1 or more."""
    found = number(card, factor)
    return round(found) if found is not None and found >= 1 else None


def time_s(card: Card, factor: float = 1.0) -> float | None:
    """Read a duration in seconds, 0 or more; a unit in the value or the comment is heeded."""
    found = quantity(card.value)
    if found is None or found.value < 0:
        return None
    hint = found.unit or card.comment
    if _MICROSECONDS.search(hint):
        factor = 1e-6
    elif _MILLISECONDS.search(hint):
        factor = 1e-3
    elif _SECONDS.search(hint):
        factor = 1.0
    # A product with 1e-3 or 1e-6 is not exact; 64 us must compare equal to 6.4e-05 s.
    return found.value * factor if factor >= 1 else found.value / round(1 / factor)


def length_mm(card: Card, factor: float = 1.0) -> float | None:
    """Read a length in millimetres, more than 0; a unit in the value or the comment is heeded."""
    found = quantity(card.value)
    if found is None or found.value <= 0:
        return None
    hint = found.unit or card.comment
    if _MILLIMETRES.search(hint):
        factor = 1.0
    elif _METRES.search(hint):
        factor = 1000.0
    if found.value * factor > _LONGEST_TELESCOPE_MM:
        factor = 1.0
    return found.value * factor


def temperature_c(card: Card, factor: float = 1.0) -> float | None:
    """Read a temperature in degrees Celsius; values no sensor has (-273.15, 999) are None."""
    found = quantity(card.value)
    if found is None:
        return None
    kelvin = _KELVIN.search(found.unit or card.comment)
    celsius = found.value * factor - (273.15 if kelvin else 0.0)
    low, high = _TEMPERATURES_C
    return celsius if low <= celsius <= high else None


def angle_deg(card: Card, factor: float = 1.0) -> float | None:
    """Read an angle in degrees, decimal or ``'-96 27 12'``, ``'03:43:00.0'``."""
    found = number(card, factor)
    if found is not None and not re.search(r"\d[ :]+\d", str(card.value)):
        return found
    parts = re.split(r"[\s:]+", str(card.value).strip().strip("'").strip())
    try:
        magnitudes = [abs(float(part)) for part in parts[:3]]
    except ValueError:
        return None
    sign = -1.0 if parts[0].startswith("-") else 1.0
    angle = sign * sum(part / 60.0**power for power, part in enumerate(magnitudes))
    return angle if math.isfinite(angle) else None


def utc(card: Card, factor: float = 1.0) -> datetime | None:  # noqa: ARG001 - the call of all readers
    """Read a date with time as UTC; None where the time of day is missing."""
    return _moment(card.value)


def local_time(card: Card, factor: float = 1.0) -> datetime | None:  # noqa: ARG001 - the call of all readers
    """Read a date with time of a local clock; the result has no time zone."""
    moment = _moment(card.value)
    return None if moment is None else moment.replace(tzinfo=None)


def _moment(value: Value) -> datetime | None:
    words = _clean(value) or ""
    match = _ISO_TIME.match(words) or _EXIF_TIME.match(words)
    if match is None or match[4] is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    moment = _datetime(_date(year, month, day), hour, minute, match[6])
    zone = _ZONE.match(match[7] or "")
    if moment is not None and zone:
        shift = timedelta(hours=int(zone[2]), minutes=int(zone[3]))
        moment += -shift if zone[1] == "+" else shift
    return moment


def _date(year: int, month: int, day: int) -> date | None:
    """Return the date, or None where there is no such day or no camera was there to see it."""
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


def _datetime(day: date | None, hour: int, minute: int, seconds: str | None) -> datetime | None:
    if day is None or hour > 24 or minute > 59:  # noqa: PLR2004 - hours and minutes of a day
        return None
    second = float((seconds or "0").replace(",", "."))
    # timedelta carries a leap second (60) and 24:00 over to the next minute and day.
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start + timedelta(hours=hour, minutes=minute, seconds=second)


def clock(day: Value, time_of_day: Value) -> datetime | None:
    """Join a date (``'2004-06-09'`` or the old ``'dd/mm/yy'``) and ``'hh:mm:ss'`` to a UTC time.

    Years of two digits from 70 on belong to the 20th century, the others to the 21st: old frames
    keep their sense, and so do the files of programs that still write the old form.
    """
    words = _clean(day) or ""
    if iso := _ISO_TIME.match(words):
        found = _date(int(iso[1]), int(iso[2]), int(iso[3]))
    elif old := _OLD_DATE.match(words):
        year = int(old[3])
        century = 0 if year > 99 else 1900 if year >= 70 else 2000  # noqa: PLR2004 - see above
        found = _date(century + year, int(old[2]), int(old[1]))
    else:
        return None
    time = _CLOCK.match(_clean(time_of_day) or "")
    return None if time is None else _datetime(found, int(time[1]), int(time[2]), time[3])
