"""The file formats, and reading a frame whatever its format.

A format is a row of `formats`; the frame's suffix proposes it, and the first bytes decide.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lightframe.errors import UnreadableFileError
from lightframe.frames._access import access_error
from lightframe.frames._camera_raw import CAMERA_RAW
from lightframe.frames._fits import FITS
from lightframe.frames._header import Header
from lightframe.frames._info import FrameInfo
from lightframe.frames._pixels import PixelSource, Window
from lightframe.frames._xisf import XISF
from lightframe.tables import Table

__all__ = [
    "FrameFormat",
    "find_format",
    "formats",
    "has_image_suffix",
    "open_pixels",
    "read_header",
    "read_image",
    "read_info",
]

_FIRST_BYTES = 1024


class FrameFormat(Protocol):
    """What the reader of a file format offers."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of file names in lower case, e.g. ``(".fits", ".fits.gz")``."""
        ...

    def matches(self, path: Path, first_bytes: bytes) -> bool:
        """Tell whether the file is of this format."""
        ...

    def info(self, path: Path) -> FrameInfo:
        """Return what the header tells."""
        ...

    def header(self, path: Path) -> Header:
        """Return all cards."""
        ...

    def open(self, path: Path, scratch: Path | None = None) -> PixelSource:
        """Open the pixels of the first image."""
        ...


formats: Table[FrameFormat] = Table("file format")
"""All readers, by the name that `FrameInfo.format` has."""

formats.enter("fits", "FITS, also compressed", FITS)
formats.enter("xisf", "XISF", XISF)
formats.enter("raw", "camera raw", CAMERA_RAW)


def has_image_suffix(path: Path) -> bool:
    """Tell whether the file's name ends like that of a frame."""
    name = path.name.lower()
    return any(name.endswith(reader.suffixes) for reader in formats.values())


def find_format(path: Path) -> FrameFormat:
    """Return the reader of a file.

    The readers whose suffix fits are asked first, then all others: a frame under a foreign name is
    read, too.

    Raises
    ------
    UnreadableFileError
        If the file cannot be opened, or no reader knows it.
    """
    first_bytes = _first_bytes(path)
    name = path.name.lower()
    readers = sorted(formats.values(), key=lambda reader: not name.endswith(reader.suffixes))
    for reader in readers:
        if reader.matches(path, first_bytes):
            return reader
    known = ", ".join(entry.meaning for entry in formats.entries())
    raise UnreadableFileError(
        "is empty" if not first_bytes else f"is none of the formats that are read: {known}",
        where=path,
        cause="the capture or the copying was interrupted" if not first_bytes else "",
    )


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FIRST_BYTES)
    except OSError as error:
        raise access_error(error, path) from error


def read_info(path: Path) -> FrameInfo:
    """Describe a frame from its header alone.

    Raises
    ------
    UnreadableFileError
        If the file is no frame, or is damaged.
    InputError
        If the header contradicts itself where a wrong guess would spoil the result.
    """
    return find_format(path).info(path)


def read_header(path: Path) -> Header:
    """Return all cards of a frame.

    Raises
    ------
    UnreadableFileError
        If the file is no frame, or is damaged.
    """
    return find_format(path).header(path)


def open_pixels(path: Path, *, scratch: Path | None = None) -> PixelSource:
    """Open the pixels of a frame, in DN, for reading by windows.

    Parameters
    ----------
    path : Path
        The file.
    scratch : Path, optional
        Folder for the decoded pixels of files that cannot be read by rows (compressed, camera raw);
        without it they are decoded into memory. Closing the source removes them.

    Raises
    ------
    UnreadableFileError
        If the file is no frame, or is damaged.
    """
    return find_format(path).open(path, scratch)


def read_image(path: Path) -> tuple[FrameInfo, npt.NDArray[np.float32]]:
    """Read a whole frame.

    Returns
    -------
    info : FrameInfo
        What the header tells.
    image : ndarray, shape (channels, height, width), float32
        DN.

    Raises
    ------
    UnreadableFileError
        If the file is no frame, or is damaged.
    """
    reader = find_format(path)
    info = reader.info(path)
    source = reader.open(path, None)
    try:
        image = np.empty((source.channels, source.height, source.width), np.float32)
        source.read(Window(0, source.height, 0, source.width), image)
    finally:
        source.close()
    return info, image
