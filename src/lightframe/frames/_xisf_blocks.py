"""XISF data blocks: where they lie, how they are checked, and how they are compressed.

Source: XISF 1.0 specification, sections 10.3 (location), 10.5 (checksum), 10.6 (compression). Sizes
are bounded by what the file can hold, never by what its header claims.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import lz4.block
import numpy as np
import numpy.typing as npt
import zstandard

from lightframe.errors import UnreadableFileError

__all__ = ["CODECS", "Block", "Codec", "compress", "decoded", "read_block", "stated_size", "verify"]

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Codec:
    """A compression codec.

    Attributes
    ----------
    compress : callable
        Bytes -> compressed bytes.
    decompress : callable
        Compressed bytes and expected size -> bytes of at most that size; ValueError if corrupt.
    most_ratio : int
        The codec cannot expand a byte to more than this many bytes, by its format.
    """

    compress: Callable[[bytes | memoryview], bytes]
    decompress: Callable[[bytes | memoryview, int], bytes]
    most_ratio: int


def _inflate(data: bytes | memoryview, size: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        result = inflater.decompress(data, max(1, size))  # 0 would be no limit
        result += inflater.decompress(inflater.unconsumed_tail, 1) if len(result) == size else b""
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return result


def _decompress_lz4(data: bytes | memoryview, size: int) -> bytes:
    try:
        return bytes(lz4.block.decompress(data, uncompressed_size=size))
    except lz4.block.LZ4BlockError as error:
        raise ValueError(str(error)) from error


def _decompress_zstd(data: bytes | memoryview, size: int) -> bytes:
    try:
        stated = zstandard.frame_content_size(data)
        if stated not in (-1, size):
            raise ValueError(f"a zstd frame of {stated} bytes stands where {size} are expected")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


CODECS: dict[str, Codec] = {
    "zlib": Codec(lambda data: zlib.compress(data, 1), _inflate, 1040),
    "lz4": Codec(lambda data: lz4.block.compress(data, store_size=False), _decompress_lz4, 256),
    "lz4hc": Codec(
        lambda data: lz4.block.compress(data, mode="high_compression", store_size=False),
        _decompress_lz4,
        256,
    ),
    "zstd": Codec(
        lambda data: zstandard.ZstdCompressor(level=1).compress(data), _decompress_zstd, 1 << 17
    ),
}
"""Codec by name; with ``+sh`` behind the name, bytes are shuffled before compression."""

_DIGESTS = {
    "sha1": "sha1",
    "sha256": "sha256",
    "sha512": "sha512",
    "sha3256": "sha3_256",
    "sha3512": "sha3_512",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A data block as stored.

    Attributes
    ----------
    data : memoryview
        The stored bytes.
    compression : str
        The attribute, e.g. ``"zstd+sh:48000000:2"``, or ``""``.
    subblocks : str
        The attribute, e.g. ``"100,4096:90,4096"``, or ``""``.
    checksum : str
        The attribute, e.g. ``"sha-1:..."``, or ``""``.
    """

    data: memoryview
    compression: str
    subblocks: str
    checksum: str


def read_block(element: Element, file: memoryview, path: Path) -> Block:
    """Find the data block of an element.

    Parameters
    ----------
    element : Element
        An element with a ``location`` attribute, XML namespaces removed.
    file : memoryview
        The whole file.
    path : Path
        Its name, for messages.

    Raises
    ------
    UnreadableFileError
        If the block lies outside the file, in another file, or is not valid text.
    """
    kind, _, rest = element.get("location", "").partition(":")
    holder = element
    if kind == "attachment":
        data = _attached(rest, file, path)
    elif kind == "inline":
        data = _text(element, rest, path)
    elif kind == "embedded":
        child = element.find("Data")
        if child is None:
            raise UnreadableFileError("an embedded block has no Data element", where=path)
        holder = child
        data = _text(child, child.get("encoding", ""), path)
    elif kind.startswith(("url(", "path(")):
        raise UnreadableFileError(
            "its pixels lie in another file",
            where=path,
            cause="a distributed XISF unit (.xish)",
            remedy="save the image as a monolithic .xisf file",
        )
    else:
        raise UnreadableFileError(f"unknown location of a data block: {kind!r}", where=path)
    return Block(
        data,
        holder.get("compression", ""),
        holder.get("subblocks", ""),
        holder.get("checksum", element.get("checksum", "")),
    )


def _attached(rest: str, file: memoryview, path: Path) -> memoryview:
    try:
        position, size = (int(part) for part in rest.split(":"))
    except ValueError:
        raise UnreadableFileError(f"malformed location: attachment:{rest}", where=path) from None
    if position < 0 or size < 0 or position + size > len(file):
        raise UnreadableFileError(
            f"a block of {size} bytes at {position} reaches beyond the file of {len(file)} bytes",
            where=path,
            cause="the file was cut off while it was copied or written",
            remedy="copy it again from the camera's or capture computer's disk",
        )
    return file[position : position + size]


def _text(element: Element, encoding: str, path: Path) -> memoryview:
    text = "".join((element.text or "").split())
    try:
        if encoding == "base64":
            return memoryview(base64.b64decode(text, validate=True))
        if encoding == "hex":
            return memoryview(bytes.fromhex(text))
    except (binascii.Error, ValueError) as error:
        raise UnreadableFileError(f"invalid {encoding} text: {error}", where=path) from error
    raise UnreadableFileError(f"unknown encoding of a data block: {encoding!r}", where=path)


def verify(block: Block, path: Path) -> None:
    """Check the block's checksum, if it has one.

    Raises
    ------
    UnreadableFileError
        If the checksum does not agree, or its algorithm is unknown.
    """
    if not block.checksum:
        return
    name, _, stated = block.checksum.rpartition(":")
    algorithm = _DIGESTS.get(name.lower().replace("-", "").replace("_", ""))
    if algorithm is None:
        raise UnreadableFileError(f"unknown checksum algorithm {name!r}", where=path)
    found = hashlib.new(algorithm, block.data).hexdigest()
    if found != stated.strip().lower():
        raise UnreadableFileError(
            f"the {name} checksum of the pixels is {found}, the header says {stated}",
            where=path,
            cause="the file was altered or damaged after it was written",
            remedy="take the file from a backup",
        )


def stated_size(block: Block) -> int:
    """Return the number of bytes that a block claims to stand for; -1 if its claim is no number."""
    if not block.compression:
        return len(block.data)
    claim = block.compression.split(":")[1:2]
    return int(claim[0]) if claim and claim[0].isdecimal() else -1


def decoded(block: Block, size: int, path: Path) -> Bytes:
    """Return the `size` bytes that a block stands for.

    Returns
    -------
    ndarray of uint8
        A view of the file where the block is not compressed.

    Raises
    ------
    UnreadableFileError
        If the block does not hold `size` bytes, is corrupt, or of an unknown codec.
    """
    verify(block, path)
    if not block.compression:
        if len(block.data) != size:
            raise UnreadableFileError(
                f"the image needs {size} bytes, its block has {len(block.data)}",
                where=path,
                cause="the file is damaged, or its geometry is wrong",
            )
        return np.frombuffer(block.data, np.uint8)
    name, *numbers = block.compression.split(":")
    codec_name, _, shuffled = name.partition("+")
    codec = CODECS.get(codec_name)
    if codec is None or shuffled not in ("", "sh"):
        raise UnreadableFileError(f"unknown compression {name!r}", where=path)
    try:
        stated, item_size = int(numbers[0]), int(numbers[1]) if shuffled else 1
        data = _expanded(block, codec, size, stated)
    except (ValueError, IndexError, OverflowError) as error:
        raise UnreadableFileError(
            f"a {name} block cannot be decompressed: {error}",
            where=path,
            cause="the file is damaged",
            remedy="take the file from a backup",
        ) from error
    if item_size <= 1:
        return data
    from lightframe.kernels import _shuffle as kernels  # noqa: PLC0415 - 0.2 s; headers need none

    items = np.empty_like(data)
    kernels.unshuffle(data, item_size, items)
    return items


def _expanded(block: Block, codec: Codec, size: int, stated: int) -> Bytes:
    """Decompress all sub-blocks into `size` bytes; ValueError if they are not exactly that."""
    if stated != size:
        raise ValueError(f"it states {stated} bytes, the image needs {size}")
    if size > codec.most_ratio * len(block.data) + codec.most_ratio:
        raise ValueError(f"{len(block.data)} bytes cannot stand for {size}")
    pairs = [(len(block.data), size)]
    if block.subblocks:
        pairs = [_pair(text) for text in block.subblocks.split(":") if text]
    if sum(packed for packed, _ in pairs) != len(block.data) or sum(n for _, n in pairs) != size:
        raise ValueError("its sub-blocks do not add up to the block")
    result = np.empty(size, np.uint8)
    source = target = 0
    for packed, plain in pairs:
        data = codec.decompress(block.data[source : source + packed], plain)
        if len(data) != plain:
            raise ValueError(f"{len(data)} bytes came out where {plain} were expected")
        result[target : target + plain] = np.frombuffer(data, np.uint8)
        source += packed
        target += plain
    return result


def _pair(text: str) -> tuple[int, int]:
    packed, plain = (int(part) for part in text.split(","))
    if packed < 0 or plain < 0:
        raise ValueError("a sub-block has a negative length")
    return packed, plain


def compress(data: Bytes, compression: str, item_size: int) -> tuple[bytes, str]:
    """Compress a block.

    Parameters
    ----------
    data : ndarray of uint8
        The plain bytes.
    compression : str
        A name of `CODECS`, with or without ``+sh``.
    item_size : int
        Bytes of a sample, for the shuffling.

    Returns
    -------
    tuple of bytes and str
        The compressed bytes and the ``compression`` attribute.
    """
    codec_name, _, shuffled = compression.partition("+")
    if not shuffled or item_size == 1:
        return CODECS[codec_name].compress(data.data), f"{codec_name}:{data.size}"
    from lightframe.kernels import _shuffle as kernels  # noqa: PLC0415 - 0.2 s; headers need none

    items = np.empty_like(data)
    kernels.shuffle(data, item_size, items)
    packed = CODECS[codec_name].compress(items.data)
    return packed, f"{codec_name}+sh:{data.size}:{item_size}"
