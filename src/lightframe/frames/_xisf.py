"""Reading XISF 1.0, the monolithic files of PixInsight, N.I.N.A., Siril and others.

Decision: docs/decisions/0004-xisf.md. Integer samples use the full range of their type, floating
point samples state their range in ``bounds`` (specification, section 11.5): both are brought to the
16-bit scale, except for integers of up to 16 bits, which are DN as they are.
"""

import mmap
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import numpy.typing as npt
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lightframe.errors import UnreadableFileError
from lightframe.frames._access import access_error
from lightframe.frames._beginning import not_of_format
from lightframe.frames._describe import frame_info
from lightframe.frames._file_samples import FileSamples, in_file
from lightframe.frames._header import Card, Header, Value
from lightframe.frames._info import FrameInfo
from lightframe.frames._scratch import scratch_array
from lightframe.frames._stored import FULL_SCALE, Scaling, StoredPixels
from lightframe.frames._xisf_blocks import decoded, read_block, stated_size

__all__ = ["XISF", "XisfFormat"]

_SIGNATURE = b"XISF0100"
_PREAMBLE = 16
_DTYPES = {
    "UInt8": "u1",
    "UInt16": "u2",
    "UInt32": "u4",
    "UInt64": "u8",
    "Float32": "f4",
    "Float64": "f8",
}
_NOMINAL_CHANNELS = {"Gray": 1, "RGB": 3}
_INTEGER_TYPES = ("Int", "UInt", "Byte", "Short", "UShort", "Long", "ULong")
_BLOCK_TEXT_LIMIT = 1 << 20
"""Text properties longer than this are left out of the header: they are logs, not facts."""


@dataclass(frozen=True, slots=True)
class _ImageElement:
    """An Image element and what its attributes say."""

    element: Element
    width: int
    height: int
    stored_channels: int
    channels: int
    dtype: np.dtype[np.generic]
    sample_format: str
    planar: bool

    @property
    def size(self) -> int:
        """Bytes of the image, uncompressed."""
        return self.width * self.height * self.stored_channels * self.dtype.itemsize


class XisfFormat:
    """XISF 1.0 monolithic files."""

    suffixes = (".xisf",)

    def matches(self, path: Path, first_bytes: bytes) -> bool:
        """Tell whether `path` is an XISF file by its signature, or its name if it is empty."""
        return first_bytes.startswith(_SIGNATURE) or path.name.lower().endswith(self.suffixes)

    def header(self, path: Path) -> Header:
        """Return FITS keywords, properties and image attributes of the first image as cards.

        Raises
        ------
        UnreadableFileError
            If the file is not a monolithic XISF file, is truncated, or holds no image.
        """
        file = _mapped(path)
        return _header(_root(file, path), memoryview(file), path)

    def info(self, path: Path) -> FrameInfo:
        """Return what the header says of the first image."""
        file = _mapped(path)
        root = _root(file, path)
        image = _image(root, path)
        return frame_info(
            path,
            "xisf",
            height=image.height,
            width=image.width,
            channels=image.channels,
            sample_format=image.sample_format.lower(),
            header=_header(root, memoryview(file), path),
            notes=_notes(image),
        )

    def open(self, path: Path, scratch: Path | None = None, index: int = 0) -> StoredPixels:
        """Open the pixels of an image.

        Parameters
        ----------
        path : Path
            The file.
        scratch : Path, optional
            Folder for the decoded pixels of a compressed image; without it they stay in memory.
        index : int, optional
            Which image of the file.

        Raises
        ------
        UnreadableFileError
            If the file is damaged, its checksum does not agree, or its kind is not supported.
        """
        file = _mapped(path)
        image = _image(_root(file, path), path, index)
        scaling = _scaling(image, path)
        block = read_block(image.element, memoryview(file), path)
        samples = decoded(block, image.size, path).view(image.dtype)
        attached = image.element.get("location", "").startswith("attachment")
        by_rows = attached and not block.compression
        arrange = partial(_as_planes, image=image)
        release = None
        stored: npt.NDArray[np.generic] | FileSamples
        if by_rows:
            offset = int(image.element.get("location", "").split(":")[1])
            stored = FileSamples(path, image.dtype, offset, samples.size, arrange)
        elif scratch is None:
            stored = arrange(samples)
        else:
            kept, release = scratch_array(samples.shape, image.dtype, scratch)
            kept[...] = samples
            stored = in_file(kept, arrange)
        return StoredPixels(stored, scaling, by_rows=by_rows, notes=_notes(image), release=release)


XISF = XisfFormat()
"""The XISF format."""


def _mapped(path: Path) -> mmap.mmap:
    """Map a file; it is let go of with the last view of it, which an error may still hold."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as error:
        raise UnreadableFileError("is empty", where=path) from error
    except OSError as error:
        raise access_error(error, path) from error


def _as_planes(flat: npt.NDArray[np.generic], image: _ImageElement) -> npt.NDArray[np.generic]:
    """Return a view of shape (channels, height, width), without alpha channels."""
    if image.planar:
        planes = flat.reshape(image.stored_channels, image.height, image.width)
    else:
        planes = flat.reshape(image.height, image.width, image.stored_channels).transpose(2, 0, 1)
    return planes[: image.channels]


def _root(file: mmap.mmap, path: Path) -> Element:
    """Parse the XML header; names are returned without their namespace."""
    if file[: len(_SIGNATURE)] != _SIGNATURE:
        raise not_of_format("a monolithic XISF", file[:_PREAMBLE], _SIGNATURE, path)
    length = int.from_bytes(file[8:12], "little")
    if _PREAMBLE + length > len(file):
        raise UnreadableFileError(
            f"is truncated: its header needs {_PREAMBLE + length} bytes, {len(file)} are there",
            where=path,
            remedy="copy the file again",
        )
    try:
        root: Element = fromstring(
            file[_PREAMBLE : _PREAMBLE + length].rstrip(b"\0"), forbid_dtd=True
        )
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableFileError(f"its XML header is malformed: {error}", where=path) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _image(root: Element, path: Path, index: int = 0) -> _ImageElement:
    images = root.findall("Image")
    if index >= len(images):
        raise UnreadableFileError(
            f"holds {len(images)} images; image {index} was asked for", where=path
        )
    element = images[index]
    name = element.get("sampleFormat", "")
    if name not in _DTYPES:
        raise UnreadableFileError(f"samples of format {name!r} are not supported", where=path)
    colour = element.get("colorSpace", "Gray")
    if colour not in _NOMINAL_CHANNELS:
        raise UnreadableFileError(f"the colour space {colour!r} is not supported", where=path)
    try:
        width, height, stored = (int(part) for part in element.get("geometry", "").split(":"))
    except ValueError:
        raise UnreadableFileError(
            f"the geometry {element.get('geometry')!r} is not that of a two-dimensional image",
            where=path,
        ) from None
    if width < 1 or height < 1 or stored < _NOMINAL_CHANNELS[colour]:
        raise UnreadableFileError(
            f"{width} x {height} pixels in {stored} channels are not a {colour} image", where=path
        )
    order = ">" if element.get("byteOrder", "little") == "big" else "<"
    return _ImageElement(
        element,
        width,
        height,
        stored,
        _NOMINAL_CHANNELS[colour],
        np.dtype(order + _DTYPES[name]),
        name,
        element.get("pixelStorage", "Planar").lower() != "normal",
    )


def _scaling(image: _ImageElement, path: Path) -> Scaling:
    """Return what brings stored samples to DN."""
    if image.dtype.kind == "u":
        if image.dtype.itemsize <= np.dtype(np.uint16).itemsize:
            return Scaling()
        return Scaling(FULL_SCALE / (2.0 ** (8 * image.dtype.itemsize) - 1))
    try:
        low, high = (float(part) for part in image.element.get("bounds", "0:1").split(":"))
    except ValueError:
        low = high = 0.0
    if not high > low:
        raise UnreadableFileError(
            f"the bounds {image.element.get('bounds')!r} of its samples are not a range", where=path
        )
    slope = FULL_SCALE / (high - low)
    return Scaling(slope, -low * slope)


def _notes(image: _ImageElement) -> tuple[str, ...]:
    notes = []
    bounds = image.element.get("bounds")
    if image.dtype.kind == "f":
        stated = bounds or "not stated, taken as 0:1"
        notes.append(f"floating point samples, range {stated}, read as 0 to 65535 DN")
    elif image.dtype.itemsize > np.dtype(np.uint16).itemsize:
        notes.append(f"{image.sample_format} samples, full range read as 0 to 65535 DN")
    if image.stored_channels > image.channels:
        extra = image.stored_channels - image.channels
        notes.append(f"{extra} alpha channel{'s' if extra > 1 else ''} left out")
    orientation = image.element.get("orientation", "0")
    if orientation not in ("0", ""):
        notes.append(f"orientation {orientation!r} is for display; pixels are used as stored")
    return tuple(notes)


def _header(root: Element, file: memoryview, path: Path) -> Header:
    """Return keywords and properties of the first image, then those of the whole unit."""
    image = _image(root, path).element
    by_uid = {element.get("uid"): element for element in root.iter() if element.get("uid")}
    children = [by_uid.get(child.get("ref"), child) for child in image]
    metadata = root.find("Metadata")
    cards = [_keyword(child) for child in children if child.tag == "FITSKeyword"]
    properties = [child for child in children if child.tag == "Property"]
    properties += [] if metadata is None else metadata.findall("Property")
    properties += root.findall("Property")
    cards += [card for child in properties if (card := _property(child, file, path)) is not None]
    for name in ("imageType", "id", "orientation"):
        if image.get(name):
            cards.append(Card(f"XISF:{name}".upper(), image.get(name)))
    pattern = next((child for child in children if child.tag == "ColorFilterArray"), None)
    if pattern is not None:
        cards.append(Card("XISF:CFAPATTERN", pattern.get("pattern", "")))
        cards.append(Card("XISF:CFAWIDTH", _number(pattern.get("width", ""))))
        cards.append(Card("XISF:CFANAME", pattern.get("name", "")))
    return Header(cards)


def _keyword(element: Element) -> Card:
    """Return the card of a FITSKeyword; HISTORY and COMMENT keep their text in the comment."""
    name = element.get("name", "").strip().upper()
    text, comment = element.get("value", "").strip(), element.get("comment", "").strip()
    if name in ("HISTORY", "COMMENT"):
        return Card(name, text or comment)
    if text.startswith("'"):
        text = text[1:].removesuffix("'")
        return Card(name, text.replace("''", "'").rstrip(), comment)
    if text in ("T", "F"):
        return Card(name, text == "T", comment)
    number = _number(text)
    return Card(name, (text or None) if number is None else number, comment)


def _property(element: Element, file: memoryview, path: Path) -> Card | None:
    """Return the card of a scalar, text or time property; vectors and matrices are left out."""
    kind, name = element.get("type", ""), element.get("id", "").upper()
    value: Value
    if kind == "String":
        value = _text_property(element, file, path)
    elif kind == "TimePoint":
        value = element.get("value")
    elif kind == "Boolean":
        value = element.get("value", "").strip().lower() in ("1", "true")
    elif kind.startswith((*_INTEGER_TYPES, "Float", "Double")):
        value = _number(element.get("value", ""))
    else:
        return None
    return None if value is None else Card(name, value, element.get("comment", ""))


def _text_property(element: Element, file: memoryview, path: Path) -> str | None:
    if element.get("location") is None:
        return element.get("value", element.text or "").strip()
    block = read_block(element, file, path)
    size = stated_size(block)
    if size > _BLOCK_TEXT_LIMIT:
        return None
    return decoded(block, size, path).tobytes().decode("utf-8", "replace").strip()


def _number(text: str) -> int | float | None:
    """Return the number a text stands for, or None; FITS allows a D as exponent letter."""
    text = text.strip().replace("D", "E")
    if "_" in text:  # Python's own way of writing numbers
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
