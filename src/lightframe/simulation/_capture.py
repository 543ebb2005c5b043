"""What capture programs write: headers and file names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lightframe.frames import Card, FrameKind, Header, Value
from lightframe.tables import Table

if TYPE_CHECKING:
    from lightframe.simulation._session import Session
    from lightframe.simulation._shots import Shot

__all__ = ["CAPTURE_PROGRAMS", "CaptureProgram", "file_name", "frame_header", "sidecar_text"]

_LOCAL = timedelta(hours=1)
"""Local time is UTC plus this."""

Cards = Iterator[tuple[str, Value, str]]


@dataclass(frozen=True, slots=True)
class CaptureProgram:
    """How one capture program describes a frame.

    Parameters
    ----------
    cards : callable
        (session, shot) -> (keyword, value, comment) in the order of the file.
    stem : callable
        (session, shot) -> file name without suffix.
    suffix : str
        Suffix of FITS files.
    sidecar : callable, optional
        (session, shot) -> lines of a text that is written beside the frame.
    """

    cards: Callable[[Session, Shot], Cards]
    stem: Callable[[Session, Shot], str]
    suffix: str = ".fits"
    sidecar: Callable[[Session, Shot], Iterator[str]] | None = None


CAPTURE_PROGRAMS: Table[CaptureProgram] = Table("capture program")


def frame_header(session: Session, shot: Shot) -> Header:
    """Return the header of a frame, without the cards that describe the array."""
    program = CAPTURE_PROGRAMS[session.capture]
    return Header(
        Card(keyword, value, comment)
        for keyword, value, comment in program.cards(session, shot)
        if value is not None
    )


def file_name(session: Session, shot: Shot) -> str:
    """Return the file name of a frame."""
    program = CAPTURE_PROGRAMS[session.capture]
    suffix = program.suffix if shot.container == "fits" else f".{shot.container}"
    return program.stem(session, shot) + suffix


def sidecar_text(session: Session, shot: Shot) -> str | None:
    """Return the text that is written beside a frame as ``NAME.CameraSettings.txt``, if any."""
    sidecar = CAPTURE_PROGRAMS[session.capture].sidecar
    return None if sidecar is None else "\n".join(sidecar(session, shot)) + "\n"


def _sexagesimal(value: float, separator: str = " ") -> str:
    seconds = round(abs(value) * 3600)
    parts = seconds // 3600, seconds // 60 % 60, seconds % 60
    return ("-" if value < 0 else "") + separator.join(f"{part:02d}" for part in parts)


def _time(shot: Shot, *, local: bool = False) -> str:
    moment = shot.time + _LOCAL if local else shot.time
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _stamp(shot: Shot, template: str) -> str:
    return (shot.time + _LOCAL).strftime(template)


def _egain(session: Session, shot: Shot) -> float:
    sensor = session.sensor
    if sensor.egain_on_adc_scale:
        return sensor.at_gain(shot.claim.gain).e_per_adu
    return sensor.e_per_dn(shot.claim.gain)


def _set_temperature(session: Session) -> float | None:
    return session.temperature_c if session.sensor.cooled else None


def _integer(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _is_light(shot: Shot) -> bool:
    return shot.claim.kind is FrameKind.LIGHT


def _nina_cards(session: Session, shot: Shot) -> Cards:
    sensor, optics, sky, claim = session.sensor, session.optics, session.sky, shot.claim
    words = {FrameKind.FLAT_DARK: "DARK"}
    yield "IMAGETYP", words.get(claim.kind, claim.kind.value.upper()), "Type of exposure"
    yield "EXPOSURE", claim.exposure_s, "[s] Exposure duration"
    yield "EXPTIME", claim.exposure_s, "[s] Exposure duration"
    yield "DATE-LOC", _time(shot, local=True), "Time of observation (local)"
    yield "DATE-OBS", _time(shot), "Time of observation (UTC)"
    yield "XBINNING", 1, "X axis binning factor"
    yield "YBINNING", 1, "Y axis binning factor"
    yield "GAIN", _integer(claim.gain), "Sensor gain"
    yield "OFFSET", _integer(claim.offset), "Sensor gain offset"
    yield "EGAIN", _egain(session, shot), "[e-/ADU] Electrons per A/D unit"
    yield "XPIXSZ", sensor.pixel_size_um, "[um] Pixel X axis size"
    yield "YPIXSZ", sensor.pixel_size_um, "[um] Pixel Y axis size"
    yield "INSTRUME", sensor.camera, "Imaging instrument name"
    yield "SET-TEMP", _set_temperature(session), "[degC] CCD temperature setpoint"
    yield "CCD-TEMP", claim.temperature_c, "[degC] CCD temperature"
    if sensor.cfa is not None:
        yield "BAYERPAT", sensor.cfa, "Sensor Bayer pattern"
        yield "XBAYROFF", 0, "Bayer pattern X axis offset"
        yield "YBAYROFF", 0, "Bayer pattern Y axis offset"
    yield "USBLIMIT", 40, "Camera-specific USB setting"
    yield "TELESCOP", optics.telescope, "Name of telescope"
    yield "FOCALLEN", optics.focal_length_mm, "[mm] Focal length"
    yield "FOCRATIO", round(optics.focal_length_mm / optics.aperture_mm, 2), "Focal ratio"
    if _is_light(shot):
        yield "RA", sky.ra_deg, "[deg] RA of telescope"
        yield "DEC", sky.dec_deg, "[deg] Declination of telescope"
        side = shot.pier_side
        yield "PIERSIDE", side.capitalize() if side else None, "Telescope pointing state"
    yield "FILTER", claim.filter, "Active filter name"
    flat = claim.kind in {FrameKind.FLAT, FrameKind.FLAT_DARK}
    target = "FlatWizard" if flat else sky.object if _is_light(shot) else None
    yield "OBJECT", target, "Name of the object of interest"
    if _is_light(shot):
        yield "OBJCTRA", _sexagesimal(sky.ra_deg / 15.0), "[H M S] RA of imaged object"
        yield "OBJCTDEC", _sexagesimal(sky.dec_deg), "[D M S] Declination of imaged object"
    yield "ROWORDER", "TOP-DOWN", "FITS Image Orientation"
    yield "EQUINOX", 2000.0, "Equinox of celestial coordinate system"
    yield "SWCREATE", "N.I.N.A. 3.2.0.9001 (x64)", "Software that created this file"


def _nina_stem(session: Session, shot: Shot) -> str:
    del session
    claim = shot.claim
    moment = _stamp(shot, "%Y-%m-%d_%H-%M-%S")
    return (
        f"{moment}_{claim.filter or ''}_{claim.temperature_c:.2f}"
        f"_{claim.exposure_s:.2f}s_{shot.number:04d}"
    )


def _sharpcap_cards(session: Session, shot: Shot) -> Cards:
    sensor, claim = session.sensor, shot.claim
    yield "SWCREATE", "SharpCap v4.1.11817.0, 64 bit", ""
    if sensor.cfa is not None:
        yield "COLORTYP", sensor.cfa, ""
        yield "BAYERPAT", sensor.cfa, ""
        yield "XBAYROFF", 0, ""
        yield "YBAYROFF", 0, ""
    yield "ROWORDER", "TOP-DOWN", "Image row order"
    yield "EXPTIME", claim.exposure_s, "Seconds"
    yield "GAIN", _integer(claim.gain), ""
    yield "BLKLEVEL", _integer(claim.offset), ""
    yield "EGAIN", _egain(session, shot), ""
    yield "CCD-TEMP", claim.temperature_c, "C"
    yield "SET-TEMP", _set_temperature(session), "C"
    yield "XBINNING", 1, ""
    yield "YBINNING", 1, ""
    yield "XPIXSZ", sensor.pixel_size_um, "microns, includes binning if any"
    yield "YPIXSZ", sensor.pixel_size_um, "microns, includes binning if any"
    yield "DATE-OBS", _time(shot) + "0000", "System Clock:Est. Frame Start"
    yield "INSTRUME", sensor.camera, ""
    yield "FILTER", claim.filter, ""


def _sharpcap_settings(session: Session, shot: Shot) -> Iterator[str]:
    sensor, claim = session.sensor, shot.claim
    yield f"[{sensor.camera}]"
    yield "FrameType=" + {FrameKind.FLAT_DARK: "Dark"}.get(
        claim.kind, claim.kind.value.capitalize()
    )
    yield "Pan=0"
    yield "Tilt=0"
    yield "Output Format=FITS files (*.fits)"
    yield "Binning=1"
    yield f"Capture Area={sensor.width}x{sensor.height}"
    yield f"Colour Space={'MONO16' if sensor.cfa is None else 'RAW16'}"
    yield "High Speed Mode=Off"
    yield f"Gain={claim.gain:g}"
    yield f"Exposure={claim.exposure_s:g}s"
    yield f"Brightness={claim.offset:g}"
    if sensor.cooled:
        yield "Cooler=On"
        yield f"Target Temperature={session.temperature_c:g}"
    yield f"Temperature={claim.temperature_c:.1f}"
    yield f"TimeStamp={_time(shot)}0000Z"
    yield "SharpCapVersion=4.1.11817.0"


def _sharpcap_stem(session: Session, shot: Shot) -> str:
    del session
    filter_ = f"{shot.claim.filter}_" if shot.claim.filter else ""
    return f"Capture_{filter_}{shot.number + 1:05d}_{_stamp(shot, '%H_%M_%SZ')}"


def _asiair_cards(session: Session, shot: Shot) -> Cards:
    sensor, optics, sky, claim = session.sensor, session.optics, session.sky, shot.claim
    words = {FrameKind.FLAT_DARK: "Dark"}
    yield "CREATOR", "ZWO ASIAIR Plus", "Capture software"
    yield "PRODUCER", "ZWO", "Producer"
    yield "OFFSET", _integer(claim.offset), "Gain offset"
    yield "GAIN", _integer(claim.gain), "Gain"
    yield "EGAIN", _egain(session, shot), "[e-/ADU] Electrons per A/D unit"
    yield "IMAGETYP", words.get(claim.kind, claim.kind.value.capitalize()), "Type of image"
    yield "EXPOSURE", claim.exposure_s, "[s] Exposure time"
    yield "EXPTIME", claim.exposure_s, "[s] Exposure time"
    yield "CCD-TEMP", claim.temperature_c, "[degC] Sensor temperature"
    yield "SET-TEMP", _set_temperature(session), "[degC] Set temperature"
    yield "XBINNING", 1, "Camera X bin"
    yield "YBINNING", 1, "Camera Y bin"
    yield "XORGSUBF", 0, "Subframe X position"
    yield "YORGSUBF", 0, "Subframe Y position"
    yield "XPIXSZ", sensor.pixel_size_um, "[um] Pixel size"
    yield "YPIXSZ", sensor.pixel_size_um, "[um] Pixel size"
    yield "INSTRUME", sensor.camera, "Camera"
    yield "BAYERPAT", sensor.cfa, "Bayer pattern"
    yield "FILTER", claim.filter, "Filter"
    yield "FOCALLEN", optics.focal_length_mm, "[mm] Focal length"
    if _is_light(shot):
        yield "OBJECT", sky.object, "Target"
        yield "RA", sky.ra_deg, "[deg] Right ascension"
        yield "DEC", sky.dec_deg, "[deg] Declination"
        yield "PIERSIDE", shot.pier_side and shot.pier_side.capitalize(), "Side of pier"
    yield "DATE-OBS", _time(shot), "Image created time"


def _asiair_stem(session: Session, shot: Shot) -> str:
    claim = shot.claim
    word = {FrameKind.FLAT_DARK: "Dark"}.get(claim.kind, claim.kind.value.capitalize())
    target = f"_{session.sky.object}" if _is_light(shot) else ""
    if claim.exposure_s >= 1.0:
        exposure = f"{claim.exposure_s:.1f}s"
    else:
        exposure = f"{claim.exposure_s * 1000.0:.1f}ms"
    filter_ = f"_{claim.filter}" if claim.filter else ""
    return (
        f"{word}{target}_{exposure}_Bin1{filter_}_gain{claim.gain:.0f}"
        f"_{_stamp(shot, '%Y%m%d-%H%M%S')}_{claim.temperature_c:.1f}C_{shot.number + 1:04d}"
    )


def _maxim_cards(session: Session, shot: Shot) -> Cards:
    sensor, optics, sky, claim = session.sensor, session.optics, session.sky, shot.claim
    words = {
        FrameKind.LIGHT: "Light Frame",
        FrameKind.DARK: "Dark Frame",
        FrameKind.FLAT_DARK: "Dark Frame",
        FrameKind.FLAT: "Flat Field",
        FrameKind.BIAS: "Bias Frame",
    }
    exposure_s = 0.0 if claim.kind is FrameKind.BIAS else claim.exposure_s
    yield "DATE-OBS", _time(shot), "[ISO 8601] UTC date/time of exposure start"
    yield "EXPTIME", exposure_s, "[sec] Duration of exposure"
    yield "EXPOSURE", exposure_s, "[sec] Duration of exposure"
    yield "SET-TEMP", _set_temperature(session), "CCD temperature setpoint in C"
    yield "CCD-TEMP", claim.temperature_c, "CCD temperature at start of exposure in C"
    yield "XPIXSZ", sensor.pixel_size_um, "Pixel Width in microns (after binning)"
    yield "YPIXSZ", sensor.pixel_size_um, "Pixel Height in microns (after binning)"
    yield "XBINNING", 1, "Binning level along the X-axis"
    yield "YBINNING", 1, "Binning level along the Y-axis"
    yield "XORGSUBF", 0, "Subframe X position in binned pixels"
    yield "YORGSUBF", 0, "Subframe Y position in binned pixels"
    yield "READOUTM", "8 MPPS", "Readout mode of image"
    yield "FILTER", claim.filter, "Filter name"
    yield "IMAGETYP", words[claim.kind], "Type of image"
    yield "FOCALLEN", optics.focal_length_mm, "Focal length of telescope in mm"
    yield "APTDIA", optics.aperture_mm, "Aperture diameter of telescope in mm"
    yield "EGAIN", _egain(session, shot), "Electronic gain in e-/ADU"
    yield "SWCREATE", "MaxIm DL Version 6.13 160412", "Name of software"
    yield "SBSTDVER", "SBFITSEXT Version 1.0", "Version of SBFITSEXT standard in effect"
    yield "OBJECT", sky.object if _is_light(shot) else "", "Target object name"
    yield "TELESCOP", optics.telescope, "Telescope name"
    yield "INSTRUME", sensor.camera, "Detector instrument name"
    yield "PIERSIDE", shot.pier_side and shot.pier_side.upper(), "Side of pier"
    yield "ROWORDER", "TOP-DOWN", "Image write order"
    yield "BAYERPAT", sensor.cfa, "Bayer pattern"


def _maxim_stem(session: Session, shot: Shot) -> str:
    claim = shot.claim
    number, filter_ = f"{shot.number + 1:04d}", claim.filter or ""
    if _is_light(shot):
        return f"{session.sky.object}-{number}{filter_}"
    word = {FrameKind.FLAT_DARK: "FlatDark"}.get(claim.kind, claim.kind.value.capitalize())
    return f"{word}-{number}{filter_}"


def _ekos_cards(session: Session, shot: Shot) -> Cards:
    sensor, optics, sky, claim = session.sensor, session.optics, session.sky, shot.claim
    word = {FrameKind.FLAT_DARK: "Dark"}.get(claim.kind, claim.kind.value.capitalize())
    yield "ROWORDER", "TOP-DOWN", "Row Order"
    yield "INSTRUME", sensor.camera, "CCD Name"
    yield "TELESCOP", optics.telescope, "Telescope name"
    yield "EXPTIME", claim.exposure_s, "Total Exposure Time (s)"
    if claim.kind in {FrameKind.DARK, FrameKind.FLAT_DARK}:
        yield "DARKTIME", claim.exposure_s, "Total Dark Exposure Time (s)"
    yield "CCD-TEMP", claim.temperature_c, "CCD Temperature (Celsius)"
    yield "PIXSIZE1", sensor.pixel_size_um, "Pixel Size 1 (microns)"
    yield "PIXSIZE2", sensor.pixel_size_um, "Pixel Size 2 (microns)"
    yield "XBINNING", 1, "Binning factor in width"
    yield "YBINNING", 1, "Binning factor in height"
    yield "XPIXSZ", sensor.pixel_size_um, "X binned pixel size in microns"
    yield "YPIXSZ", sensor.pixel_size_um, "Y binned pixel size in microns"
    yield "FRAME", word, "Frame Type"
    yield "IMAGETYP", f"{word} Frame", "Frame Type"
    yield "FILTER", claim.filter, "Filter"
    if sensor.cfa is not None:
        yield "XBAYROFF", 0, "X offset of Bayer array"
        yield "YBAYROFF", 0, "Y offset of Bayer array"
        yield "BAYERPAT", sensor.cfa, "Bayer color pattern"
    yield "FOCALLEN", optics.focal_length_mm, "Focal Length (mm)"
    yield "APTDIA", optics.aperture_mm, "Telescope diameter (mm)"
    if sensor.cooled:
        yield "GAIN", _integer(claim.gain), "Gain"
        yield "OFFSET", _integer(claim.offset), "Offset"
    else:
        yield "ISOSPEED", int(claim.gain), "ISO Speed"
    if _is_light(shot):
        yield "OBJECT", sky.object, "Object name"
        yield "OBJCTRA", _sexagesimal(sky.ra_deg / 15.0), "Object J2000 RA in Hours"
        yield "OBJCTDEC", _sexagesimal(sky.dec_deg), "Object J2000 DEC in Degrees"
        yield "PIERSIDE", shot.pier_side and shot.pier_side.upper(), "Side of pier"
    yield "EQUINOX", 2000, "Equinox"
    yield "DATE-OBS", _time(shot), "UTC start date of observation"


def _ekos_stem(session: Session, shot: Shot) -> str:
    claim = shot.claim
    word = {FrameKind.FLAT_DARK: "Dark"}.get(claim.kind, claim.kind.value.capitalize())
    parts = [session.sky.object.replace(" ", "_")] if _is_light(shot) else []
    parts += [word, *([claim.filter] if claim.filter else [])]
    if claim.kind is not FrameKind.BIAS:
        parts.append(f"{claim.exposure_s:g}_secs")
    return "_".join([*parts, _stamp(shot, "%Y-%m-%dT%H-%M-%S"), f"{shot.number + 1:03d}"])


CAPTURE_PROGRAMS.enter(
    "nina",
    "N.I.N.A. 3: IMAGETYP DARK for flat-darks too, GAIN, OFFSET, EGAIN, ROWORDER",
    CaptureProgram(_nina_cards, _nina_stem),
)
CAPTURE_PROGRAMS.enter(
    "sharpcap",
    "SharpCap: no IMAGETYP, offset as BLKLEVEL, a text of settings beside each frame",
    CaptureProgram(_sharpcap_cards, _sharpcap_stem, sidecar=_sharpcap_settings),
)
CAPTURE_PROGRAMS.enter(
    "asiair",
    "ZWO ASIAIR: CREATOR, all facts in the file name, no FILTER for colour cameras, no ROWORDER",
    CaptureProgram(_asiair_cards, _asiair_stem, ".fit"),
)
CAPTURE_PROGRAMS.enter(
    "maxim",
    "MaxIm DL: 'Light Frame', 'Flat Field', no gain and no offset",
    CaptureProgram(_maxim_cards, _maxim_stem, ".fit"),
)
CAPTURE_PROGRAMS.enter(
    "ekos",
    "Ekos and INDI: FRAME and IMAGETYP, DARKTIME, PIXSIZE1, ISOSPEED for DSLR cameras",
    CaptureProgram(_ekos_cards, _ekos_stem),
)
