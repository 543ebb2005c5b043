"""Reading camera raw: the values behind the colour filter array, as the camera stored them.

No black level is subtracted, no white balance applied, nothing interpolated: what calibration
frames of the same camera have in common with the light stays in it. LibRaw decodes, through rawpy.
Decision: docs/decisions/0003-camera-raw.md.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import rawpy
from pydantic import Field

from lightframe.errors import UnreadableFileError
from lightframe.frames._access import access_error
from lightframe.frames._camera_raw_exif import (
    clock_cards,
    exif_cards,
    read_exif,
    stated_sensor,
)
from lightframe.frames._describe import frame_info
from lightframe.frames._file_samples import in_file
from lightframe.frames._header import Card, Header
from lightframe.frames._info import FrameInfo
from lightframe.frames._scratch import scratch_array
from lightframe.frames._stored import StoredPixels
from lightframe.settings import Settings

__all__ = ["CAMERA_RAW", "CameraRawFormat", "CameraRawSettings"]

_RGB = 3
_PERIODS = (2, 6)  # Bayer, X-Trans
_NO_COLOUR = 6  # LibRaw's colour of a sensor without filters
_WIDEST = max(_PERIODS) * 2


class CameraRawSettings(Settings):
    """What to believe of the optics that a camera reports."""

    force_focal_length_mm: Annotated[float, Field(ge=0)] | None = None
    """Focal length in millimetres in place of the camera's; 0 drops it, as behind a telescope."""

    force_aperture: Annotated[float, Field(ge=0)] | None = None
    """Focal ratio (f-number) in place of the camera's; 0 drops it."""


@dataclass(frozen=True, slots=True)
class _Sensor:
    """What only the decoder knows. The same for all frames of a camera at one ISO.

    `colours` is the cell of the filter array at the first visible pixel, row by row, or "".
    """

    height: int
    width: int
    channels: int
    colours: str
    black: tuple[int, ...]
    white: int


class CameraRawFormat:
    """Camera raw: Canon, Nikon, Sony, Fujifilm, DNG, and what else LibRaw decodes.

    Parameters
    ----------
    settings : CameraRawSettings, optional
        What to believe of the optics.
    """

    suffixes = (
        ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".raf", ".dng", ".rw2",
        ".orf", ".ori", ".pef", ".kdc", ".dcr", ".k25", ".gpr", ".srw", ".x3f", ".3fr", ".fff",
        ".iiq", ".mef", ".mos", ".mrw", ".erf", ".rwl", ".raw", ".cap",
    )  # fmt: skip

    def __init__(self, settings: CameraRawSettings | None = None) -> None:
        self.settings = CameraRawSettings() if settings is None else settings
        self._sensors: dict[tuple[object, ...], _Sensor] = {}
        self._decoding = threading.Lock()

    def matches(self, path: Path, first_bytes: bytes) -> bool:  # noqa: ARG002 - as of all formats
        """Tell whether `path` is meant as camera raw: by its suffix, most are TIFF inside."""
        return path.suffix.lower() in self.suffixes

    def header(self, path: Path) -> Header:
        """Return what the file says as cards with the keywords that FITS programs use.

        Raises
        ------
        UnreadableFileError
            If LibRaw cannot decode the file.
        """
        return self._described(path)[0]

    def info(self, path: Path) -> FrameInfo:
        """Describe a frame.

        The colour pattern, the black and the white level are known to LibRaw only after decoding.
        They are those of the first frame that was read of this camera at this ISO, so that a folder
        of frames is scanned by opening each and decoding one.

        Raises
        ------
        UnreadableFileError
            If LibRaw cannot decode the file.
        """
        header, sensor = self._described(path)
        black = float(np.mean(sensor.black)) if sensor.black else None
        info = frame_info(
            path,
            "raw",
            height=sensor.height,
            width=sensor.width,
            channels=sensor.channels,
            sample_format="uint16",
            header=header,
        )
        return replace(info, black_dn=black, saturation_dn=float(sensor.white))

    def open(self, path: Path, scratch: Path | None = None) -> StoredPixels:
        """Decode the visible pixels.

        Parameters
        ----------
        path : Path
            The file.
        scratch : Path, optional
            Folder for the decoded pixels; without it they stay in memory.

        Raises
        ------
        UnreadableFileError
            If LibRaw cannot decode the file, or the file is truncated.
        """
        with _opened(path) as raw:
            visible = _visible(raw, path)
            shape = visible.shape
            decoded, release = scratch_array(shape, np.uint16, scratch)
            decoded[...] = visible
        stored = in_file(decoded, lambda flat: flat.reshape(shape))
        return StoredPixels(stored, by_rows=False, release=release)

    def _described(self, path: Path) -> tuple[Header, _Sensor]:
        with _opened(path) as raw:
            exif = read_exif(path)
            cards = {card.keyword: card for card in exif_cards(exif)}
            sensor = self._sensor(raw, path, cards, stated_sensor(exif))
            if "EXPTIME" not in cards and "EXIF ExposureTime" not in exif:
                cards = {card.keyword: card for card in _decoder_cards(raw)} | cards
        return Header(_with_sensor(self._with_optics(cards), sensor).values()), sensor

    def _sensor(
        self, raw: rawpy.RawPy, path: Path, cards: dict[str, Card], stated: tuple[object, ...]
    ) -> _Sensor:
        """Return what the decoder knows, from an earlier frame of the camera if there was one."""
        if "INSTRUME" not in cards:
            return _decoded_sensor(raw, path)
        iso = cards["ISOSPEED"].value if "ISOSPEED" in cards else None
        key = (cards["INSTRUME"].value, iso, path.suffix.lower(), stated, *raw.sizes)
        with self._decoding:
            if key not in self._sensors:
                self._sensors[key] = _decoded_sensor(raw, path)
            return self._sensors[key]

    def _with_optics(self, cards: dict[str, Card]) -> dict[str, Card]:
        """Force or drop focal length and focal ratio, and state the aperture that follows."""
        forced = {
            "FOCALLEN": (self.settings.force_focal_length_mm, "[mm] focal length as set"),
            "FOCRATIO": (self.settings.force_aperture, "focal ratio as set"),
        }
        for keyword, (value, comment) in forced.items():
            if value is not None:
                cards.pop(keyword, None)
            if value:
                cards[keyword] = Card(keyword, value, comment)
        if "FOCALLEN" in cards and "FOCRATIO" in cards:
            focal, ratio = (float(cards[name].value or 0) for name in ("FOCALLEN", "FOCRATIO"))
            cards["APTDIA"] = Card("APTDIA", round(focal / ratio, 3), "[mm] FOCALLEN / FOCRATIO")
        return cards


CAMERA_RAW = CameraRawFormat()
"""The camera-raw formats, with the optics as the camera reports them."""


@contextmanager
def _opened(path: Path) -> Iterator[rawpy.RawPy]:
    """Open a file with LibRaw, and translate its errors."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise access_error(error, path) from error
    try:
        with rawpy.imread(str(path)) as raw:
            yield raw
    except rawpy.LibRawError as error:
        message = error.args[0] if error.args else error
        told = message.decode("ascii", "replace") if isinstance(message, bytes) else message
        raise UnreadableFileError(
            f"LibRaw cannot decode it: {told} ({size:,} bytes)",
            where=path,
            cause="the file is truncated, or LibRaw does not know this camera's compression",
            remedy="copy the file again; if that does not help, convert it to DNG with the camera"
            " maker's or Adobe's converter",
        ) from error


def _visible(raw: rawpy.RawPy, path: Path) -> npt.NDArray[np.uint16]:
    """Return the visible pixels, shape (channels, height, width): a view into LibRaw's memory."""
    pixels = raw.raw_image_visible
    if pixels.ndim == 2:  # noqa: PLR2004 - rows, columns
        return pixels[np.newaxis]
    if raw.num_colors != _RGB:
        raise UnreadableFileError(
            f"holds {raw.num_colors} values a pixel instead of one or three", where=path
        )
    return pixels[:, :, :_RGB].transpose(2, 0, 1)


def _decoded_sensor(raw: rawpy.RawPy, path: Path) -> _Sensor:
    channels, height, width = _visible(raw, path).shape
    colours = _cell(raw) if channels == 1 else ""
    black = raw.black_level_per_channel
    return _Sensor(height, width, channels, colours, tuple(black), raw.white_level)


def _cell(raw: rawpy.RawPy) -> str:
    """Return the letters of the smallest cell that repeats, at the first visible pixel."""
    sizes = raw.sizes
    grid = np.array(
        [
            [raw.raw_color(sizes.top_margin + y, sizes.left_margin + x) for x in range(_WIDEST)]
            for y in range(_WIDEST)
        ]
    )
    if np.any(grid >= _NO_COLOUR):
        return ""
    letters = np.array([chr(code) for code in raw.color_desc])[grid]
    for period in _PERIODS:
        cell = letters[:period, :period]
        if np.array_equal(letters, np.tile(cell, (_WIDEST // period, _WIDEST // period))):
            return "".join(cell.reshape(-1))
    return ""


def _decoder_cards(raw: rawpy.RawPy) -> Iterator[Card]:
    """Yield the facts that LibRaw itself found, for files whose EXIF tags cannot be read."""
    other: Any = raw.other
    if other.shutter_speed > 0:
        yield Card("EXPTIME", round(other.shutter_speed, 6), "[s] LibRaw shutter speed")
    if other.iso_speed > 0:
        yield Card("ISOSPEED", other.iso_speed, "LibRaw ISO speed")
    if other.focal_length > 0:
        yield Card("FOCALLEN", round(other.focal_length, 3), "[mm] LibRaw focal length")
    if other.aperture > 0:
        yield Card("FOCRATIO", round(other.aperture, 3), "LibRaw aperture")
    if other.timestamp is not None and other.timestamp.timestamp() > 0:
        yield from clock_cards(other.timestamp.replace(tzinfo=None), "LibRaw timestamp")


def _with_sensor(cards: dict[str, Card], sensor: _Sensor) -> dict[str, Card]:
    """Add what describes the pixels."""
    cards["SATURATE"] = Card("SATURATE", sensor.white, "[DN] white level")
    if sensor.black:
        told = ", ".join(str(level) for level in sensor.black)
        mean = round(float(np.mean(sensor.black)), 3)
        cards["BLACKDN"] = Card("BLACKDN", mean, f"[DN] black level, of the colours {told}")
    if sensor.colours:
        cards["BAYERPAT"] = Card("BAYERPAT", sensor.colours, "colours from the first pixel on")
        cards["ROWORDER"] = Card("ROWORDER", "TOP-DOWN", "first row is the top")
    return cards
