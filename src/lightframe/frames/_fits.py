"""Reading FITS: own path from the mapped file to DN, in one pass.

Which pixels are DN already and which are fractions of full scale is decided here, see
`_full_scale`. Decision: docs/decisions/0002-fits-reading.md.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import isfinite
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from lightframe.errors import UnreadableFileError
from lightframe.frames._access import access_error
from lightframe.frames._describe import frame_info
from lightframe.frames._file_samples import FileSamples, in_file
from lightframe.frames._fits_layout import ImageUnit, find_image
from lightframe.frames._fits_tiles import decode_tiles
from lightframe.frames._header import Header
from lightframe.frames._info import FrameInfo
from lightframe.frames._scratch import scratch_array
from lightframe.frames._stored import FULL_SCALE, Scaling, StoredPixels, sample_format

__all__ = ["FITS", "FitsFormat"]

_OVERSHOOT = 1.1
"""Fractions of full scale may be a little above 1: interpolation overshoots at stars."""
_UNDERSHOOT = -1.0
"""... and below 0, where a background was subtracted."""
_SAMPLE = 1 << 20
"""Pixels looked at to tell fractions from DN."""

_GZIP = b"\x1f\x8b"
_MAX_EXPANSION = 1100  # most that deflate can expand, a little more for the header
_CHUNK = 1 << 20


class FitsFormat:
    """FITS images: plain, gzipped, or tile-compressed; one plane or three."""

    suffixes = (".fits", ".fit", ".fts", ".fz", ".fits.gz", ".fit.gz", ".fts.gz", ".fits.fz")

    def matches(self, path: Path, first_bytes: bytes) -> bool:
        """Tell whether `path` is meant as FITS, by its name or its first 80 or more bytes."""
        name = path.name.lower()
        if first_bytes.startswith(_GZIP):
            return name.endswith(self.suffixes)
        text = b"\n" in first_bytes  # a listing of a header begins like a FITS file, but has lines
        return name.endswith(self.suffixes) or (first_bytes.startswith(b"SIMPLE") and not text)

    def header(self, path: Path) -> Header:
        """Return the cards of the first image, followed by those of the primary header.

        Raises
        ------
        UnreadableFileError
            If the file is no FITS file, is truncated, or holds no image.
        """
        with _stream(path) as (file, size):
            unit = find_image(file, path)
            _require_size(unit, size, path)
        return unit.header

    def info(self, path: Path) -> FrameInfo:
        """Describe a frame from its header.

        Whether floating-point samples are DN or fractions of full scale is told in the notes,
        unless the file would have to be decompressed for it.

        Raises
        ------
        UnreadableFileError
            If the file is no FITS file, is truncated, or holds no image.
        """
        with _stream(path) as (file, size):
            unit = find_image(file, path)
            _require_size(unit, size, path)
        notes: tuple[str, ...] = ()
        if unit.dtype.kind == "f" and unit.table is None and size is not None:
            _, notes = _scaling(unit, _in_file(path, unit).array(), path)
        return frame_info(
            path,
            "fits",
            height=unit.height,
            width=unit.width,
            channels=unit.channels,
            sample_format=sample_format(unit.dtype, _number(unit.header, "BZERO", 0.0, path)),
            header=unit.header,
            notes=notes,
        )

    def open(self, path: Path, scratch: Path | None = None) -> StoredPixels:
        """Open the pixels of the first image.

        Parameters
        ----------
        path : Path
            The file.
        scratch : Path, optional
            Folder for the decoded pixels of a compressed file; without it they stay in memory.

        Raises
        ------
        UnreadableFileError
            If the file is no FITS file, is truncated or corrupt, or holds no image.
        """
        with _stream(path) as (file, size):
            unit = find_image(file, path)
            _require_size(unit, size, path)
            stored: npt.NDArray[np.generic] | FileSamples = _in_file(path, unit)
            release = None
            if unit.table is not None or size is None:
                decode = _unpacked if unit.table is None else _decoded
                flat, release = decode(file, unit, scratch, path)
                stored = in_file(flat, partial(_as_planes, unit=unit))
        samples = stored.array() if isinstance(stored, FileSamples) else stored
        try:
            scaling, notes = _scaling(unit, samples, path)
        except UnreadableFileError:
            if release is not None:
                release()
            raise
        return StoredPixels(stored, scaling, by_rows=release is None, notes=notes, release=release)


FITS = FitsFormat()
"""The FITS format."""


@contextmanager
def _stream(path: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a file, gzipped or not; yield it and its size, which is None where unpacking tells."""
    try:
        with path.open("rb") as file:
            if file.read(2) == _GZIP:
                with gzip.open(path) as unpacked:
                    yield cast("BinaryIO", unpacked), None
            else:
                yield file, file.seek(0, 2)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFileError(
            f"cannot be unpacked ({error}); it has {path.stat().st_size:,} bytes",
            where=path,
            cause="the file is truncated or corrupt",
            remedy="copy the file again",
        ) from error
    except OSError as error:
        raise access_error(error, path) from error


def _require_size(unit: ImageUnit, size: int | None, path: Path) -> None:
    """Raise unless the file can hold what its header promises."""
    if size is not None:
        _require(unit.offset + unit.size, size, unit, path)
    elif unit.size > _MAX_EXPANSION * (packed := path.stat().st_size):
        raise UnreadableFileError(
            f"claims {unit.size:,} bytes of pixels in {packed:,} bytes of gzipped data",
            where=path,
            cause="the header is corrupt",
        )


def _require(needed: int, present: int, unit: ImageUnit, path: Path) -> None:
    if present < needed:
        raise UnreadableFileError(
            f"is truncated: {needed:,} bytes are needed for {unit.width} x {unit.height} x "
            f"{unit.channels} pixels of {8 * unit.dtype.itemsize} bits, {present:,} are there",
            where=path,
            cause="the capture or the copying was interrupted",
            remedy="copy the file again, or leave it out",
        )


def _count(unit: ImageUnit) -> int:
    return unit.channels * unit.height * unit.width


def _decoded(
    file: BinaryIO, unit: ImageUnit, scratch: Path | None, path: Path
) -> tuple[npt.NDArray[np.generic], Callable[[], None]]:
    """Return the samples of a tile-compressed image as a flat array."""
    file.seek(unit.offset)
    data = file.read(unit.size)
    _require(unit.offset + unit.size, unit.offset + len(data), unit, path)
    samples = decode_tiles(unit, data, path)
    flat, release = scratch_array((_count(unit),), samples.dtype, scratch)
    flat[...] = samples.reshape(-1)
    return flat, release


def _unpacked(
    file: BinaryIO, unit: ImageUnit, scratch: Path | None, path: Path
) -> tuple[npt.NDArray[np.generic], Callable[[], None]]:
    """Return the samples of a gzipped image as a flat array in the file's byte order."""
    flat, release = scratch_array((_count(unit),), unit.dtype, scratch)
    rest = flat.view(np.uint8).data
    try:
        file.seek(unit.offset)
        while rest and (got := file.readinto(rest[:_CHUNK])):  # type: ignore[attr-defined]
            rest = rest[got:]
        _require(unit.offset + unit.size, unit.offset + unit.size - len(rest), unit, path)
        while file.read(_CHUNK):
            pass  # the check sum of the stream stands behind its last byte
    except BaseException:
        release()
        raise
    return flat, release


def _in_file(path: Path, unit: ImageUnit) -> FileSamples:
    """Return the samples of a plain file as they lie there."""
    arrange = partial(_as_planes, unit=unit)
    return FileSamples(path, unit.dtype, unit.offset, _count(unit), arrange)


def _as_planes(flat: npt.NDArray[np.generic], unit: ImageUnit) -> npt.NDArray[np.generic]:
    """Return a view of shape (channels, height, width)."""
    if unit.interleaved:
        return flat.reshape(unit.height, unit.width, unit.channels).transpose(2, 0, 1)
    return flat.reshape(unit.channels, unit.height, unit.width)


def _scaling(
    unit: ImageUnit, stored: npt.NDArray[np.generic], path: Path
) -> tuple[Scaling, tuple[str, ...]]:
    """Return how samples become DN, and what had to be assumed."""
    header = unit.header
    slope = _number(header, "BSCALE", 1.0, path)
    zero = _number(header, "BZERO", 0.0, path)
    blank = header.get("BLANK") if stored.dtype.kind in "iu" else None
    scaling = Scaling(slope, zero, blank if isinstance(blank, int) else None)
    if stored.dtype.kind in "iu" and slope.is_integer():
        return scaling, ()
    stated = header.get("DNSCALE")
    if isinstance(stated, int | float) and isfinite(stated) and stated > 0:
        return Scaling(slope * stated, zero * stated, scaling.blank), ()
    factor, notes = _full_scale(stored, slope, zero)
    return Scaling(slope * factor, zero * factor, scaling.blank), notes


def _number(header: Header, keyword: str, default: float, path: Path) -> float:
    """Return a number that may have been written with a decimal comma."""
    value = header.get(keyword)
    if value is None:
        return default
    try:
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except ValueError:
        number = float("nan")
    if not isfinite(number) or (keyword == "BSCALE" and number == 0):
        raise UnreadableFileError(
            f"has {keyword} = {value!r}, which is no scale",
            where=path,
            cause="the header is corrupt",
        )
    return number


def _full_scale(
    stored: npt.NDArray[np.generic], slope: float, zero: float
) -> tuple[float, tuple[str, ...]]:
    """Tell from the pixels whether samples are DN or fractions of full scale.

    PixInsight and Siril write floating-point images in 0..1, cameras and most other programs in DN,
    and no keyword is common to them. A sky in DN reaches far beyond 1, a fraction does not.

    Returns
    -------
    tuple of float and tuple of str
        What to multiply by: `FULL_SCALE` or 1; and the assumption in words.
    """
    step = max(1, stored.size // _SAMPLE)
    with np.errstate(over="ignore", invalid="ignore"):
        values = stored[:, ::step].astype(np.float64) * slope + zero
    values = values[np.isfinite(values)]
    if not values.size:
        return 1.0, ("no sample has a value: whether they are DN cannot be told",)
    lowest, highest = float(values.min()), float(values.max())
    told = f"samples from {lowest:.6g} to {highest:.6g}, no DNSCALE keyword"
    if lowest >= _UNDERSHOOT and highest <= _OVERSHOOT:
        return FULL_SCALE, (f"{told}: taken as fractions of full scale, 1 = {FULL_SCALE:.0f} DN",)
    return 1.0, (f"{told}: taken as DN",)
