"""Write a raw frame as a camera does: DNG, an uncompressed TIFF with EXIF tags.

Sources: Adobe, Digital Negative Specification 1.4; Aldus, TIFF Revision 6.0.
"""

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.simulation._sensor import Sensor
from lightframe.simulation._shots import Shot

__all__ = ["write_dng"]

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL = 1, 2, 3, 4, 5
_PACKING = {_BYTE: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "I"}
_CFA_PHOTOMETRIC = 32803
_HEADER_BYTES = 8
_ENTRY_BYTES = 12

Tag = tuple[int, int, bytes, int]
"""Number, type, values, count."""


def write_dng(path: Path, raw: npt.NDArray[np.uint16], shot: Shot, sensor: Sensor) -> None:
    """Write the numbers of the ADC, and what the camera knows of the exposure.

    Parameters
    ----------
    path : Path
        The file.
    raw : uint16 (h, w)
        Values of the ADC, not shifted.
    shot : Shot
        The exposure; its claim goes into the EXIF tags.
    sensor : Sensor
        The sensor; it has a colour filter array.
    """
    pixels = np.ascontiguousarray(raw, "<u2").tobytes()
    tags = sorted(_tags(raw.shape, len(pixels), shot, sensor))
    behind = _HEADER_BYTES + len(pixels)
    directory, values = _directory(tags, behind)
    start = struct.pack("<2sHI", b"II", 42, behind)
    path.write_bytes(start + pixels + directory + values)


def _tags(shape: tuple[int, ...], size: int, shot: Shot, sensor: Sensor) -> Iterable[Tag]:
    pattern = sensor.pattern
    period = 2 if pattern is None else pattern.period
    letters = () if pattern is None else tuple(int(n) for n in pattern.planes().ravel())
    maker = sensor.camera.split()[0]
    exposure = Fraction(shot.claim.exposure_s).limit_denominator(8000)
    taken = shot.time.strftime("%Y:%m:%d %H:%M:%S")
    black = round(sensor.bias_level_dn(shot.claim.offset)) >> sensor.shift
    yield _numbers(254, _LONG, 0)  # NewSubfileType: the image itself
    yield _numbers(256, _LONG, shape[1])  # ImageWidth
    yield _numbers(257, _LONG, shape[0])  # ImageLength
    yield _numbers(258, _SHORT, 16)  # BitsPerSample
    yield _numbers(259, _SHORT, 1)  # Compression: none
    yield _numbers(262, _SHORT, _CFA_PHOTOMETRIC)  # PhotometricInterpretation
    yield _text(271, maker)  # Make
    yield _text(272, sensor.camera)  # Model
    yield _numbers(273, _LONG, _HEADER_BYTES)  # StripOffsets
    yield _numbers(277, _SHORT, 1)  # SamplesPerPixel
    yield _numbers(278, _LONG, shape[0])  # RowsPerStrip
    yield _numbers(279, _LONG, size)  # StripByteCounts
    yield _numbers(33421, _SHORT, period, period)  # CFARepeatPatternDim
    yield _numbers(33422, _BYTE, *letters)  # CFAPattern
    yield _numbers(33434, _RATIONAL, exposure.numerator, exposure.denominator)  # ExposureTime
    yield _numbers(34855, _SHORT, round(shot.claim.gain))  # ISOSpeedRatings
    yield _text(36867, taken)  # DateTimeOriginal
    yield _numbers(50706, _BYTE, 1, 4, 0, 0)  # DNGVersion
    yield _text(50708, sensor.camera)  # UniqueCameraModel
    yield _numbers(50714, _LONG, black)  # BlackLevel
    yield _numbers(50717, _LONG, (1 << sensor.adc_bits) - 1)  # WhiteLevel


def _numbers(tag: int, kind: int, *values: int) -> Tag:
    packed = struct.pack(f"<{len(values)}{_PACKING[kind]}", *values)
    return tag, kind, packed, len(values) // 2 if kind == _RATIONAL else len(values)


def _text(tag: int, text: str) -> Tag:
    packed = text.encode("ascii", "replace") + b"\0"
    return tag, _ASCII, packed, len(packed)


def _directory(tags: list[Tag], at: int) -> tuple[bytes, bytes]:
    """Return a directory that is stored at a place, and the values that do not fit into it."""
    entries, values = struct.pack("<H", len(tags)), b""
    behind = at + 2 + _ENTRY_BYTES * len(tags) + 4
    for tag, kind, packed, count in tags:
        entries += struct.pack("<HHI", tag, kind, count)
        if len(packed) <= 4:  # noqa: PLR2004 - so much fits into the entry
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", behind + len(values))
            values += packed + b"\0" * (len(packed) % 2)
    return entries + struct.pack("<I", 0), values
