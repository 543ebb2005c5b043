"""From a header to a `FrameInfo`: the one place where the vocabulary's readings are weighed.

Most facts are the first keyword of their row that says something. The rest is decided here: what
EXPTIME means in a stack, whether GAIN is a setting or e-/DN, which night a frame belongs to, what
has been done to it already. Every decision that is not certain leaves a note.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lightframe.errors import InputError
from lightframe.frames import _values as values
from lightframe.frames import _vocabulary as vocabulary
from lightframe.frames._cfa import read_cfa
from lightframe.frames._header import Header
from lightframe.frames._info import FrameInfo, FrameKind
from lightframe.frames._kinds import KindReading, kind_from_header, kind_from_path
from lightframe.frames._names import facts_of_name

__all__ = ["frame_info"]

Fields = dict[str, Any]


_PLAIN_ROWS: dict[str, vocabulary.Row[Any]] = {
    "readout_mode": vocabulary.READOUT_MODE,
    "temperature_c": vocabulary.TEMPERATURE,
    "set_temperature_c": vocabulary.SET_TEMPERATURE,
    "offset": vocabulary.OFFSET,
    "filter": vocabulary.FILTER,
    "camera": vocabulary.CAMERA,
    "telescope": vocabulary.TELESCOPE,
    "object": vocabulary.OBJECT,
    "software": vocabulary.SOFTWARE,
    "focal_length_mm": vocabulary.FOCAL_LENGTH,
    "aperture_mm": vocabulary.APERTURE,
    "rotation_deg": vocabulary.ROTATION,
    "pier_side": vocabulary.PIER_SIDE,
    "row_order": vocabulary.ROW_ORDER,
    "saturation_dn": vocabulary.SATURATION,
    "black_dn": vocabulary.BLACK,
}
"""Fields that are what their row says."""


def frame_info(  # noqa: PLR0913 - one argument for each thing a format's reader finds
    path: Path,
    format_name: str,
    *,
    height: int,
    width: int,
    channels: int,
    sample_format: str,
    header: Header,
    notes: Sequence[str] = (),
) -> FrameInfo:
    """Describe a frame from its header, and where that is silent from its name.

    Parameters
    ----------
    path : Path
        The file; its name and folders are the last resort for kind and settings.
    format_name : str
        ``"fits"``, ``"xisf"`` or ``"raw"``.
    height, width, channels : int
        Geometry of the first image.
    sample_format : str
        Stored sample type, e.g. ``"uint16"``.
    header : Header
        All cards.
    notes : sequence of str, optional
        What the reader of the format has to say.

    Returns
    -------
    FrameInfo
        Unknown facts are None; assumptions and contradictions are in ``notes``.

    Raises
    ------
    InputError
        If the header contradicts itself about the pedestal: a wrong guess would go into the result
        unseen.
    """
    told = list(notes)
    fields: Fields = {name: row.value(header) for name, row in _PLAIN_ROWS.items()}
    fields["binning"] = vocabulary.read_binning(header)
    fields |= _kind(path, header, fields["object"], told)
    fields |= _exposures(header, fields, told)
    fields |= _gains(header, told)
    fields |= _pixel_size(header, fields["binning"])
    fields |= _times(header, told)
    fields["calibration"] = _calibration(header)
    fields["pedestal_dn"] = _pedestal(path, header, told)
    if channels == 1:
        fields["cfa"], cfa_notes = read_cfa(header, height, width)
        told.extend(cfa_notes)
    _fill_from_name(fields, path, told)
    return FrameInfo(
        path=path,
        format=format_name,
        height=height,
        width=width,
        channels=channels,
        sample_format=sample_format,
        header=header,
        notes=tuple(told),
        **fields,
    )


def _kind(path: Path, header: Header, object_name: str | None, notes: list[str]) -> Fields:
    stated = kind_from_header(header)
    named = kind_from_path(path, object_name)
    notes.extend(stated.notes)
    kind, source = _weighed(stated, named, notes)
    combined = _frames_combined(header, kind)
    is_master = stated.is_master or (combined or 1) > 1
    if named.is_master and not is_master:
        is_master = True
        notes.append("taken as a master because of the file's name")
    return {
        "kind": kind,
        "kind_from": source,
        "frames_combined": combined,
        "is_master": is_master,
    }


def _weighed(
    stated: KindReading, named: KindReading, notes: list[str]
) -> tuple[FrameKind | None, str]:
    """Weigh header against path: the header stands, a finer word of the path is believed."""
    if stated.kind is None:
        notes.extend(named.notes)
        if named.kind is None:
            notes.append("what the frame is for is not known")
            return None, ""
        notes.append(f"taken as {named.kind} because of {named.source}: the header does not say")
        return named.kind, "path"
    if named.kind in {None, stated.kind}:
        return stated.kind, stated.source
    if stated.kind is FrameKind.DARK and named.kind is FrameKind.FLAT_DARK:
        notes.append(f"{stated.source} says dark, {named.source} says flat-dark: taken as such")
        return FrameKind.FLAT_DARK, "path"
    if stated.kind is not FrameKind.FLAT_DARK or named.kind is not FrameKind.DARK:
        notes.append(
            f"{stated.source} says {stated.kind}, but {named.source} says {named.kind}:"
            " the header stands"
        )
    return stated.kind, stated.source


_OWN_COUNT = {
    FrameKind.LIGHT: "LIGH_CNT",
    FrameKind.FLAT: "FLAT_CNT",
    FrameKind.DARK: "DARK_CNT",
    FrameKind.BIAS: "BIAS_CNT",
}
"""ASTAP counts the frames of each kind that went into a file; only its own kind's were combined."""

_NUMBER_OF_IMAGES = re.compile(r"ImageIntegration\.numberOfImages:\s*(\d+)")


def _history(header: Header) -> list[str]:
    return [str(line) for line in header.values("HISTORY")]


def _frames_combined(header: Header, kind: FrameKind | None) -> int | None:
    stated = vocabulary.FRAMES_COMBINED.value(header)
    if stated is not None:
        return stated
    for line in _history(header):
        if match := _NUMBER_OF_IMAGES.search(line):
            return int(match[1])
    own = None if kind is None else header.card(_OWN_COUNT.get(kind, ""))
    return None if own is None else values.count(own)


def _exposures(header: Header, fields: Fields, notes: list[str]) -> Fields:
    reading = vocabulary.EXPOSURE.read(header) or vocabulary.SHUTTER.read(header)
    total = vocabulary.TOTAL_EXPOSURE.value(header)
    if reading is None:
        return {"exposure_s": None, "total_exposure_s": total}
    exposure = reading.value
    sub = vocabulary.SUB_EXPOSURE.value(header)
    combined = fields["frames_combined"] or 1
    if sub and reading.keyword == "EXPTIME" and not math.isclose(sub, exposure, rel_tol=1e-3):
        if fields["is_master"] and sub < exposure:
            notes.append(
                f"EXPTIME = {exposure:g} s is taken as the total of the stack, EXPOSURE = {sub:g} s"
                " as that of one frame"
            )
            return {"exposure_s": sub, "total_exposure_s": total or exposure}
        notes.append(f"EXPTIME = {exposure:g} s and EXPOSURE = {sub:g} s differ: EXPTIME is used")
    elif combined > 1 and total and math.isclose(total, exposure, rel_tol=1e-3):
        notes.append(f"{reading.keyword} = {exposure:g} s is the total of {combined} frames")
        return {"exposure_s": exposure / combined, "total_exposure_s": total}
    if header.card("INTEGRAT") and total is None:
        notes.append(f"{reading.keyword} = {exposure:g} s of an integration may be the total")
    return {"exposure_s": exposure, "total_exposure_s": total}


_ELECTRONS = re.compile(r"e-?\s*/\s*(?:adu|dn)|electrons?\s*(?:per|/)|e-\s+per", re.IGNORECASE)
_OBSERVATORY = ("OBSTYPE", "OBSMODE", "RDNOISE", "READNOIS", "RONOISE", "ENOISE")
_DRIVER_SETTINGS = ("OFFSET", "BLKLEVEL", "SWCREATE", "CREATOR", "SOFTWARE", "PROGRAM", "ORIGIN")


def _gains(header: Header, notes: list[str]) -> Fields:
    """Tell the driver's gain setting from the e-/DN that observatories write into GAIN."""
    reading = vocabulary.GAIN.read(header)
    egain = vocabulary.EGAIN.value(header)
    iso = vocabulary.ISO.value(header)
    if reading is None:
        return {"gain": iso, "egain": egain}
    gain = reading.value
    card = header.card(reading.keyword)
    reason = ""
    if card is not None and _ELECTRONS.search(card.comment):
        reason = "its comment says so"
    elif egain is None and any(map(header.card, _OBSERVATORY)):
        reason = "this is an observatory's header"
    elif egain is None and not gain.is_integer():
        reason = "it is not an integer"
    if reason and gain > 0:
        notes.append(f"GAIN = {gain:g} is taken as e-/DN: {reason}")
        return {"gain": iso, "egain": egain or gain}
    if egain is None and not any(map(header.card, _DRIVER_SETTINGS)):
        notes.append(f"GAIN = {gain:g} is taken as the camera's setting, not as e-/DN")
    return {"gain": gain, "egain": egain}


def _pixel_size(header: Header, binning: tuple[int, int] | None) -> Fields:
    size = vocabulary.PIXEL_SIZE.value(header)
    sensor = vocabulary.SENSOR_PIXEL_SIZE.value(header)
    if size is None and sensor is not None:
        size = sensor * (binning or (1, 1))[0]
    return {"pixel_size_um": size}


_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_JD_OF_MJD_EPOCH = 2_400_000.5
_HALF_DAY = timedelta(hours=12)


def _start(header: Header) -> datetime | None:
    """Return the start of the exposure from whatever form of UTC the header has."""
    start = vocabulary.START.value(header) or values.clock(
        vocabulary.START_DATE.value(header), vocabulary.START_CLOCK.value(header)
    )
    if start is not None:
        return start
    days = vocabulary.MODIFIED_JULIAN_DATE.value(header)
    julian = vocabulary.JULIAN_DATE.value(header)
    if days is None and julian is not None:
        days = julian - _JD_OF_MJD_EPOCH
    if days is None or not 0 < days < 100_000:  # noqa: PLR2004 - the years 1858 to 2132
        return None
    return _MJD_EPOCH + timedelta(seconds=round(days * 86400, 3))


def _times(header: Header, notes: list[str]) -> Fields:
    start = _start(header)
    if start is None:
        return _camera_times(header, notes)
    return {"time": start, "night": _night(start, header, notes)}


def _night(start: datetime, header: Header, notes: list[str]) -> date:
    local = vocabulary.LOCAL_START.value(header)
    longitude = vocabulary.LONGITUDE.value(header)
    if local is None and longitude is not None:
        local = start + timedelta(hours=((longitude + 180) % 360 - 180) / 15)
    if local is None:
        notes.append("neither local time nor longitude is stated: the night is that of UTC")
        local = start
    return (local - _HALF_DAY).date()


def _camera_times(header: Header, notes: list[str]) -> Fields:
    """Read a local clock alone, as of cameras for daylight; mostly its time zone is unknown."""
    local = vocabulary.LOCAL_START.value(header) or vocabulary.CAMERA_CLOCK.value(header)
    if local is None:
        return {"time": None, "night": None}
    zone = header.get("EXIF OFFSETTIMEORIGINAL") or header.get("EXIF OFFSETTIME")
    shift = re.fullmatch(r"([+-]\d{2}):(\d{2})", str(zone or "").strip())
    offset = timedelta()
    if shift:
        sign = -1 if shift[1].startswith("-") else 1
        offset = timedelta(hours=int(shift[1]), minutes=sign * int(shift[2]))
    else:
        notes.append("only a local time without time zone is stated: it is taken as UTC")
    return {"time": (local - offset).replace(tzinfo=UTC), "night": (local - _HALF_DAY).date()}


_LETTERS = {"B": FrameKind.BIAS, "D": FrameKind.DARK, "F": FrameKind.FLAT}
_CALSTAT = re.compile(r"[BDFSCM]+$")  # further letters: stacked, cosmetic, merged

_DONE = (
    # PixInsight: one line an item; "enabled" tells by its value, the others by being there.
    re.compile(r"ImageCalibration\.master(Bias|Dark|Flat)\.(?:enabled:\s*true|fileName:\s*\S)"),
    re.compile(r"^\s*(Bias|Dark|Flat) (?:Subtraction|Field|corrected)\b"),  # MaxIm, AstroImageJ
    re.compile(r"Calibrated with a master (bias|offset|dark|flat)"),  # Siril
)
_CORRECTIONS = {  # IRAF
    "ZEROCOR": FrameKind.BIAS,
    "BIASCOR": FrameKind.BIAS,
    "DARKCOR": FrameKind.DARK,
    "FLATCOR": FrameKind.FLAT,
}
_NOT_DONE = frozenset({"", "omit", "perform", "no", "f", "false"})


def _calibration(header: Header) -> frozenset[FrameKind]:
    """Return the kinds of masters that have been applied already."""
    done = set()
    letters = str(header.get("CALSTAT") or "").strip().upper()
    if _CALSTAT.match(letters):
        done |= {_LETTERS[letter] for letter in letters if letter in _LETTERS}
    for line in _history(header):
        for pattern in _DONE:
            if match := pattern.search(line):
                word = match[1].lower()
                done.add(FrameKind.BIAS if word == "offset" else FrameKind(word))
    for keyword, kind in _CORRECTIONS.items():
        if str(header.get(keyword) or "").strip().lower() not in _NOT_DONE:
            done.add(kind)
    return frozenset(done)


def _pedestal(path: Path, header: Header, notes: list[str]) -> float | None:
    """Return the pedestal as a positive number of DN on the 16-bit scale."""
    stated = [values.quantity(value) for value in header.values("PEDESTAL")]
    sizes = {abs(found.value) for found in stated if found is not None}
    if len(sizes) > 1:
        listed = ", ".join(f"{size:g}" for size in sorted(sizes))
        raise InputError(
            f"has {len(stated)} PEDESTAL cards that differ ({listed} DN)",
            where=path,
            cause="two programs have added a pedestal and each has left its own card",
            remedy="keep the card that tells how much the pixels still contain, delete the others",
        )
    adaptive = values.quantity(header.get("AD-PED"))
    if adaptive is not None and adaptive.value:
        notes.append(f"AD-PED = {adaptive.value:g} (Astro Pixel Processor) is not taken off")
    if not sizes:
        return None
    size = sizes.pop()
    if any(found is not None and found.value < 0 for found in stated):
        notes.append(
            f"PEDESTAL = {-size:g} is what to add (MaxIm's sign): a pedestal of {size:g} DN"
        )
    return size


def _fill_from_name(fields: Fields, path: Path, notes: list[str]) -> None:
    taken = {name: value for name, value in facts_of_name(path).items() if fields.get(name) is None}
    if taken:
        fields |= taken
        facts = ", ".join(f"{name} = {value}" for name, value in taken.items())
        notes.append(f"from the file's name alone: {facts}")
