"""What a camera-raw file says of the exposure: its EXIF tags, whatever container they lie in.

exifread knows TIFF (and so CR2, NEF, DNG, ARW, ORF, PEF, KDC, ...) and JPEG. The containers of
Fujifilm (RAF) and Canon (CR3, CRW) are opened here, and their parts handed to it.
"""

import io
import logging
import math
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from lightframe.frames._header import Card

__all__ = ["clock_cards", "exif_cards", "read_exif", "stated_sensor"]

# It warns of files that have no EXIF block; here that is a fact like others, not a message.
logging.getLogger("exifread").setLevel(logging.CRITICAL)

_MAX_PART = 1 << 24  # bytes; EXIF blocks have at most a few hundred thousand
_CANON_SHOT_INFO = "Image Tag 0x0004"
_CANON_TEMPERATURE = 12  # index in ShotInfo, degrees Celsius + 128; 0 is unknown
_TEMPERATURE_RANGE = range(-60, 100)
_OF_THE_SENSOR = ("CFAPattern", "CVAPattern", "BlackLevel", "WhiteLevel", "ActiveArea")
_INCH_UM = 25400.0
_UNITS_UM = {2: _INCH_UM, 3: 10000.0}  # FocalPlaneResolutionUnit


def read_exif(path: Path) -> dict[str, Any]:
    """Return the EXIF tags of a camera-raw file by names such as ``"EXIF ExposureTime"``.

    Values are numbers, strings or lists of numbers. A file without EXIF tags gives an empty
    dictionary: what cannot be known is not an error.
    """
    with path.open("rb") as file:
        start = file.read(16)
        if start.startswith(b"FUJIFILM"):
            return _tags(io.BytesIO(_fujifilm_jpeg(file)))
        if start[4:12] == b"ftypcrx ":
            return _canon_boxes(file)
        if start[6:14] == b"HEAPCCDR":
            return _canon_heap(file)
        return _tags(file)


def _tags(file: BinaryIO) -> dict[str, Any]:
    import exifread  # noqa: PLC0415 - 10 ms that only camera raw needs

    file.seek(0)
    try:
        found = exifread.process_file(file, details=True, extract_thumbnail=False)
    except Exception:  # noqa: BLE001 - damaged maker notes raise whatever comes; the rest counts
        file.seek(0)
        try:
            found = exifread.process_file(file, details=False, extract_thumbnail=False)
        except Exception:  # noqa: BLE001 - no readable EXIF block: nothing is known
            return {}
    return {name: _plain(tag) for name, tag in found.items() if hasattr(tag, "values")}


def _plain(tag: Any) -> Any:  # noqa: ANN401 - exifread is untyped
    """Return a text as it is, one number as a number, several as a list."""
    if isinstance(tag.values, str):
        return tag.values.strip(" \0")
    values = tag.values if isinstance(tag.values, list | tuple) else [tag.values]
    numbers = [_number(value) for value in values]
    return numbers[0] if len(numbers) == 1 else numbers


def _number(value: Any) -> Any:  # noqa: ANN401 - exifread is untyped
    if isinstance(value, Fraction):  # exifread's own, which may have a denominator of 0
        return value.numerator / value.denominator if value.denominator else float("nan")
    return value


def _fujifilm_jpeg(file: BinaryIO) -> bytes:
    """Return the preview of a RAF file: the EXIF tags are in it."""
    file.seek(84)
    place = file.read(8)
    if len(place) < 8:  # noqa: PLR2004 - two 32-bit numbers
        return b""
    offset, length = struct.unpack(">II", place)
    file.seek(offset)
    return file.read(min(length, _MAX_PART))


def _canon_boxes(file: BinaryIO) -> dict[str, Any]:
    """Return the tags of a CR3 file: CMT1 holds the image's, CMT2 the EXIF, CMT3 the maker's."""
    tags: dict[str, Any] = {}
    parts = dict(_metadata_boxes(file))
    for name, prefix in ((b"CMT1", "Image"), (b"CMT2", "EXIF"), (b"CMT3", "MakerNote")):
        for tag, value in _tags(io.BytesIO(parts.get(name, b""))).items():
            tags[tag.replace("Image ", f"{prefix} ", 1)] = value
            if prefix == "MakerNote" and tag == _CANON_SHOT_INFO:
                tags["MakerNote CameraTemperature"] = _canon_temperature(value)
    return tags


def _canon_temperature(shot_info: Any) -> int | None:  # noqa: ANN401 - whatever the tag holds
    """Return the temperature in ShotInfo; None where damaged notes hold something else."""
    known = isinstance(shot_info, list) and len(shot_info) > _CANON_TEMPERATURE
    value = shot_info[_CANON_TEMPERATURE] if known else None
    return value - 128 if isinstance(value, int) else None


def _metadata_boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Walk the boxes moov, moov/uuid, moov/uuid/* of an ISO base media file."""
    end = file.seek(0, io.SEEK_END)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        if name == b"moov":
            at += 8
        elif name == b"uuid":
            at += 24  # the identifier has 16 bytes
        elif size < 8:  # noqa: PLR2004 - 0: up to the end, 1: a 64-bit size, as of the pixels
            return
        else:
            if name.startswith(b"CMT"):
                yield name, file.read(min(size - 8, _MAX_PART))
            at += size


def _canon_heap(file: BinaryIO) -> dict[str, Any]:
    """Return make and model of a CRW file, which stand behind one another as two strings."""
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - _MAX_PART))
    _, found, rest = file.read().partition(b"Canon\0")
    if not found:
        return {}
    model = rest[:64].split(b"\0")[0].decode("ascii", "replace")
    return {"Image Make": "Canon", "Image Model": model}


def exif_cards(tags: Mapping[str, Any]) -> list[Card]:
    """Return the facts of EXIF tags as cards with the keywords that FITS programs use.

    Zeros stand for what the camera does not know: a lens without contacts, a telescope.
    """
    cards = [
        *_identity(tags),
        _card("EXPTIME", _positive(tags, "EXIF ExposureTime"), "[s] EXIF ExposureTime"),
        _card("ISOSPEED", _iso(tags), "EXIF ISO sensitivity"),
        *_time(tags),
        _card("FOCALLEN", _positive(tags, "EXIF FocalLength"), "[mm] EXIF FocalLength"),
        _card("FOCRATIO", _positive(tags, "EXIF FNumber"), "EXIF FNumber"),
        _card("XPIXSZ", _pixel_size(tags), "[um] EXIF FocalPlaneXResolution"),
        _card("CCD-TEMP", _temperature(tags), "[degC] temperature in the maker's notes"),
    ]
    return [card for card in cards if card is not None]


def stated_sensor(tags: Mapping[str, Any]) -> tuple[object, ...]:
    """Return all that the tags say of colours and levels, to tell one sensor from another."""
    return tuple(f"{name} {tags[name]}" for name in sorted(tags) if name.endswith(_OF_THE_SENSOR))


def _card(keyword: str, value: float | str | None, comment: str) -> Card | None:
    return None if value is None else Card(keyword, value, comment)


def _text(tags: Mapping[str, Any], name: str) -> str | None:
    value = tags.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _positive(tags: Mapping[str, Any], name: str) -> float | None:
    """Return a number above zero; some cameras write the tags of EXIF into the first directory."""
    for where in (name, name.replace("EXIF ", "Image ")):
        value = tags.get(where)
        if isinstance(value, int | float) and value > 0:
            return value
    return None


def _identity(tags: Mapping[str, Any]) -> Iterator[Card | None]:
    make, model = _text(tags, "Image Make"), _text(tags, "Image Model")
    camera = model if make is None or model is None else _with_make(make, model)
    yield _card("INSTRUME", camera, "EXIF Make and Model")
    yield _card("LENS", _text(tags, "EXIF LensModel"), "EXIF LensModel")
    yield _card("CAMSERNO", _text(tags, "EXIF BodySerialNumber"), "EXIF BodySerialNumber")


def _with_make(make: str, model: str) -> str:
    """Join both unless the model begins with the make: ``NIKON CORPORATION``, ``NIKON D70``."""
    return (
        model if model.lower().startswith(make.split(maxsplit=1)[0].lower()) else f"{make} {model}"
    )


def _iso(tags: Mapping[str, Any]) -> float | None:
    names = ("EXIF ISOSpeedRatings", "EXIF RecommendedExposureIndex", "MakerNote ISOSetting")
    for name in names:
        value = tags.get(name, tags.get(name.replace("EXIF ", "Image ")))
        value = value[-1] if isinstance(value, list) and value else value
        if isinstance(value, int | float) and 0 < value != 0xFFFF:  # noqa: PLR2004 - "see elsewhere"
            return value
    return None


def _time(tags: Mapping[str, Any]) -> Iterator[Card]:
    """Yield the start by the camera's clock, and in UTC where the clock's zone is known."""
    text = _text(tags, "EXIF DateTimeOriginal") or _text(tags, "Image DateTimeOriginal")
    try:
        start = datetime.strptime(text or "", "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - camera's clock
    except ValueError:
        return
    fraction = _text(tags, "EXIF SubSecTimeOriginal") or ""
    if fraction.isdecimal():
        start = start.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    yield from clock_cards(start, "EXIF DateTimeOriginal")
    zone = _text(tags, "EXIF OffsetTimeOriginal")
    try:
        utc = datetime.fromisoformat(f"{start.isoformat()}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return
    if zone:
        yield Card(
            "DATE-OBS", utc.replace(tzinfo=None).isoformat(), "[UTC] with OffsetTimeOriginal"
        )


def clock_cards(start: datetime, source: str) -> Iterator[Card]:
    """Yield the start of the exposure by the camera's clock as FITS and as EXIF write it."""
    comment = f"{source}: the camera's clock"
    yield Card("DATE-LOC", start.isoformat(), comment)
    yield Card("EXIF DATETIMEORIGINAL", start.strftime("%Y:%m:%d %H:%M:%S"), comment)


def _pixel_size(tags: Mapping[str, Any]) -> float | None:
    resolution = _positive(tags, "EXIF FocalPlaneXResolution")
    unit = tags.get("EXIF FocalPlaneResolutionUnit", 2)
    if resolution is None or not isinstance(unit, int) or unit not in _UNITS_UM:
        return None
    size = _UNITS_UM[unit] / resolution
    return round(size, 3) if 0.5 < size < 30 else None  # noqa: PLR2004 - others mean the preview


def _temperature(tags: Mapping[str, Any]) -> float | None:
    value = tags.get("MakerNote CameraTemperature", tags.get("MakerNote SensorTemperature"))
    known = isinstance(value, int | float) and math.isfinite(value)
    return value if known and int(value) in _TEMPERATURE_RANGE else None
