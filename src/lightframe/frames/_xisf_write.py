"""Writing XISF 1.0: monolithic files with attached blocks, as PixInsight reads them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
import numpy.typing as npt

from lightframe._version import __version__
from lightframe.errors import SettingsError
from lightframe.frames._cfa import CfaPattern
from lightframe.frames._fits_cards import plain_text
from lightframe.frames._header import Card, Header
from lightframe.frames._scratch import new_file
from lightframe.frames._stored import FULL_SCALE
from lightframe.frames._xisf_blocks import CODECS, compress

__all__ = ["XISF_COMPRESSIONS", "XisfImage", "write_xisf"]

_ALIGNMENT = 4096
_NAMESPACE = "http://www.pixinsight.com/xisf"
_STRUCTURAL = frozenset({"SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "EXTEND"})
_SCALING = frozenset({"BZERO", "BSCALE", "BLANK", "DATAMAX", "DATAMIN", "DNSCALE"})

XISF_COMPRESSIONS = ("none", *CODECS, *(f"{name}+sh" for name in CODECS))
"""Names accepted as ``compression``."""


@dataclass(frozen=True, slots=True)
class XisfImage:
    """One image of an XISF file.

    Attributes
    ----------
    planes : ndarray, shape (channels, height, width)
        Pixels in DN; 1 channel is written as gray, 3 as RGB.
    header : Header
        FITS keywords; cards whose keyword holds a colon are XISF's own and are not repeated.
    name : str
        The ``id`` attribute, e.g. ``"integration"`` or ``"rejection_low"``.
    image_type : str
        The ``imageType`` attribute, e.g. ``"MasterDark"``, or ``""``.
    cfa : CfaPattern or None
        Written as a ColorFilterArray element.
    full_scale_dn : float
        What floating-point samples are divided by; 1 for maps that are no levels.
    sample_format : {"float32", "uint16"} or None
        Sample type of this image, where it differs from that of the file's others.
    """

    planes: npt.NDArray[np.float32]
    header: Header = Header()
    name: str = "image"
    image_type: str = ""
    cfa: CfaPattern | None = None
    full_scale_dn: float = FULL_SCALE
    sample_format: Literal["float32", "uint16"] | None = None


def write_xisf(
    path: Path,
    images: Sequence[XisfImage],
    *,
    sample_format: Literal["float32", "uint16"] = "float32",
    compression: str = "zstd+sh",
) -> int:
    """Write images as one XISF file.

    float32 samples are DN / 65535 with bounds 0:1 and never truncated; uint16 samples are DN,
    rounded and truncated. Every block carries a SHA-256 checksum.

    Parameters
    ----------
    path : Path
        The file to write; it is complete or not there at all.
    images : sequence of XisfImage
        At least one.
    sample_format : {"float32", "uint16"}, optional
        Sample type of all images.
    compression : str, optional
        One of `XISF_COMPRESSIONS`.

    Returns
    -------
    int
        Number of samples truncated to 0 or 65535, or set from NaN to 0: always 0 for float32.

    Raises
    ------
    SettingsError
        If the compression is unknown or the folder cannot be written to.
    ResourceError
        If the disk is full.
    """
    if compression not in XISF_COMPRESSIONS:
        raise SettingsError(
            f"unknown compression {compression!r}",
            remedy=f"choose one of: {', '.join(XISF_COMPRESSIONS)}",
        )
    truncated = 0
    blocks: list[bytes | memoryview] = []
    elements = []
    for image in images:
        stored_as = image.sample_format or sample_format
        samples, lost = _samples(image, stored_as)
        truncated += lost
        element = _image_element(image, stored_as)
        blocks.append(_add_block(element, samples, compression))
        elements.append(element)
    header, positions = _laid_out(elements, [len(block) for block in blocks])
    _write(path, header, zip(positions, blocks, strict=True))
    return truncated


def _samples(image: XisfImage, sample_format: str) -> tuple[npt.NDArray[np.generic], int]:
    """Return the samples as stored, and how many of them were truncated."""
    if sample_format == "float32":
        return np.divide(image.planes, np.float32(image.full_scale_dn), dtype="<f4"), 0
    rounded = np.rint(image.planes)
    missing = ~((rounded >= 0) & (rounded <= FULL_SCALE))
    stored = np.nan_to_num(np.clip(rounded, 0, FULL_SCALE), nan=0.0).astype("<u2")
    return stored, int(np.count_nonzero(missing))


def _image_element(image: XisfImage, sample_format: str) -> Element:
    channels, height, width = image.planes.shape
    element = Element(
        "Image",
        {
            "id": image.name,
            "geometry": f"{width}:{height}:{channels}",
            "sampleFormat": {"float32": "Float32", "uint16": "UInt16"}[sample_format],
            "colorSpace": "RGB" if channels == 3 else "Gray",  # noqa: PLR2004 - R, G, B
        },
    )
    if sample_format == "float32":
        greatest = 1.0
        if image.full_scale_dn != FULL_SCALE:
            greatest = max(1.0, float(np.fmax.reduce(image.planes, axis=None)))
        element.set("bounds", f"0:{greatest:.9g}")
    if image.image_type:
        element.set("imageType", image.image_type)
    for card in image.header:
        if ":" not in card.keyword and card.keyword.upper() not in _STRUCTURAL | _SCALING:
            _add_keyword(element, card)
    if image.cfa is not None:
        size = str(image.cfa.period)
        SubElement(
            element,
            "ColorFilterArray",
            {"pattern": image.cfa.name, "width": size, "height": size},
        )
    return element


def _add_keyword(element: Element, card: Card) -> None:
    value, comment = card.value, card.comment
    if card.keyword.upper() in ("HISTORY", "COMMENT"):
        value, comment = None, str(card.value or card.comment)
    text = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else plain_text(value)
    SubElement(
        element,
        "FITSKeyword",
        {"name": card.keyword.upper(), "value": _printable(text), "comment": _printable(comment)},
    )


def _printable(text: str) -> str:
    """Return `text` without the control characters that XML cannot hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _add_block(
    element: Element, samples: npt.NDArray[np.generic], compression: str
) -> bytes | memoryview:
    """Return the stored bytes, and note compression and checksum in the element."""
    plain = samples.reshape(-1).view(np.uint8)
    stored: bytes | memoryview = plain.data
    if compression != "none":
        stored, attribute = compress(plain, compression, samples.dtype.itemsize)
        element.set("compression", attribute)
    element.set("checksum", f"sha-256:{hashlib.sha256(stored).hexdigest()}")
    return stored


def _laid_out(elements: Sequence[Element], sizes: Sequence[int]) -> tuple[bytes, list[int]]:
    """Return the header and the blocks' positions, which the header itself states."""
    root = Element("xisf", {"version": "1.0", "xmlns": _NAMESPACE})
    root.extend(elements)
    metadata = SubElement(root, "Metadata")
    creator = {"id": "XISF:CreatorApplication", "type": "String"}
    SubElement(metadata, "Property", creator).text = f"Lightframe {__version__}"
    start = 0
    while True:
        positions = []
        position = start
        for element, size in zip(elements, sizes, strict=True):
            positions.append(position)
            element.set("location", f"attachment:{position}:{size}")
            position += -(-size // _ALIGNMENT) * _ALIGNMENT
        header = tostring(root, "UTF-8", xml_declaration=True)
        needed = -(-(len(header) + 16) // _ALIGNMENT) * _ALIGNMENT
        if needed <= start:
            return header, positions
        start = needed


def _write(path: Path, header: bytes, blocks: Iterable[tuple[int, bytes | memoryview]]) -> None:
    """Write preamble, header and blocks, each at its position."""
    with new_file(path) as file:
        file.write(b"XISF0100" + len(header).to_bytes(4, "little") + bytes(4) + header)
        for position, block in blocks:
            file.write(bytes(position - file.tell()))
            file.write(block)
