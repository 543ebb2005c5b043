"""XISF 1.0: every way a block can lie in a file, and every way a file can be broken."""

import base64
import hashlib
import zlib

import lz4.block
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lightframe.errors import SettingsError, UnreadableFileError
from lightframe.frames._cfa import CfaPattern
from lightframe.frames._header import Card, Header
from lightframe.frames._pixels import Window
from lightframe.frames._xisf import XISF
from lightframe.frames._xisf_blocks import CODECS
from lightframe.frames._xisf_write import XISF_COMPRESSIONS, XisfImage, write_xisf

PLAIN = np.arange(1, 241, dtype="<u2").reshape(1, 12, 20) * 251
PACK = {
    "zlib": zlib.compress,
    "lz4": lambda data: lz4.block.compress(data, store_size=False),
    "lz4hc": lambda data: lz4.block.compress(data, mode="high_compression", store_size=False),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


def shuffled(data, size):
    """Shuffle bytes as the specification writes it down."""
    items = np.frombuffer(data, np.uint8).reshape(-1, size)
    return items.T.tobytes()


def image_xml(data, *, attributes="", children="", geometry="20:12:1", sample="UInt16"):
    """Return an Image element with an inline block."""
    text = base64.b64encode(data).decode()
    return (
        f'<Image geometry="{geometry}" sampleFormat="{sample}" location="inline:base64" '
        f"{attributes}>{text}{children}</Image>"
    )


def write(path, body, blocks=b"", *, length=None, prolog=""):
    """Write a file around the body of an XML header."""
    xml = (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}'
        f'<xisf version="1.0" xmlns="http://www.pixinsight.com/xisf">{body}</xisf>'
    ).encode()
    length = len(xml) if length is None else length
    path.write_bytes(b"XISF0100" + length.to_bytes(4, "little") + bytes(4) + xml + blocks)
    return path


def pixels(path, **options):
    """Read all pixels as float32 DN."""
    source = XISF.open(path, **options)
    out = np.empty((source.channels, source.height, source.width), np.float32)
    source.read(Window(0, source.height, 0, source.width), out)
    source.close()
    return out


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("codec", sorted(PACK))
def test_every_codec_is_read_with_and_without_shuffling(tmp_path, codec, shuffle):
    """zlib, lz4, lz4hc and zstd blocks give the same pixels, shuffled or not."""
    data = shuffled(PLAIN.tobytes(), 2) if shuffle else PLAIN.tobytes()
    name = f"{codec}+sh:{PLAIN.nbytes}:2" if shuffle else f"{codec}:{PLAIN.nbytes}"
    path = write(
        tmp_path / "a.xisf", image_xml(PACK[codec](data), attributes=f'compression="{name}"')
    )

    assert np.array_equal(pixels(path), PLAIN)


@pytest.mark.parametrize("codec", sorted(PACK))
def test_sub_blocks_are_joined_before_unshuffling(tmp_path, codec):
    """A block that was compressed in pieces reads like one piece."""
    data = shuffled(PLAIN.tobytes(), 2)
    parts = [data[:100], data[100:101], data[101:]]
    packed = [PACK[codec](part) for part in parts]
    subblocks = ":".join(f"{len(p)},{len(d)}" for p, d in zip(packed, parts, strict=True))
    attributes = f'compression="{codec}+sh:{PLAIN.nbytes}:2" subblocks="{subblocks}"'
    path = write(tmp_path / "a.xisf", image_xml(b"".join(packed), attributes=attributes))

    assert np.array_equal(pixels(path), PLAIN)


def test_inline_hex_and_embedded_blocks_are_read(tmp_path):
    """Blocks written as hexadecimal text, or in a Data element, are found."""
    hexadecimal = (
        f'<Image geometry="20:12:1" sampleFormat="UInt16" location="inline:hex">'
        f"{PLAIN.tobytes().hex()}</Image>"
    )
    packed = base64.b64encode(zlib.compress(PLAIN.tobytes())).decode()
    embedded = (
        '<Image geometry="20:12:1" sampleFormat="UInt16" location="embedded">'
        f'<Data compression="zlib:{PLAIN.nbytes}" encoding="base64">\n {packed}\n</Data></Image>'
    )

    for body in (hexadecimal, embedded):
        assert np.array_equal(pixels(write(tmp_path / "a.xisf", body)), PLAIN)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("storage", ["Planar", "Normal"])
def test_byte_order_and_pixel_storage_are_respected(tmp_path, order, storage):
    """Big-endian samples and interleaved channels give the right planes."""
    planes = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)
    stored = planes if storage == "Planar" else planes.transpose(1, 2, 0)
    data = stored.astype("<u2" if order == "little" else ">u2").tobytes()
    attributes = f'colorSpace="RGB" byteOrder="{order}" pixelStorage="{storage}"'
    path = write(tmp_path / "a.xisf", image_xml(data, attributes=attributes, geometry="5:4:3"))

    assert np.array_equal(pixels(path), planes)


@pytest.mark.parametrize(
    ("sample", "dtype", "attributes", "expected"),
    [
        ("UInt8", "u1", "", [0.0, 7.0]),
        ("UInt16", "<u2", "", [0.0, 7.0]),
        ("UInt32", "<u4", "", [0.0, 7 / 65537]),
        ("Float32", "<f4", 'bounds="0:1"', [0.0, 7 * 65535.0]),
        ("Float64", "<f8", 'bounds="0:1"', [0.0, 7 * 65535.0]),
        ("Float32", "<f4", "", [0.0, 7 * 65535.0]),
        ("Float32", "<f4", 'bounds="0:65535"', [0.0, 7.0]),
        ("Float32", "<f4", 'bounds="-1:1"', [32767.5, 4 * 65535.0]),
    ],
)
def test_samples_are_brought_to_dn_by_type_and_bounds(
    tmp_path, sample, dtype, attributes, expected
):
    """Short integers are DN; long integers and floats use their full range."""
    data = np.array([0, 7], dtype).tobytes()
    path = write(
        tmp_path / "a.xisf",
        image_xml(data, attributes=attributes, geometry="2:1:1", sample=sample),
    )

    assert pixels(path)[0, 0] == pytest.approx(expected, rel=1e-6)


def test_alpha_channels_are_left_out_and_said(tmp_path):
    """A gray image of two channels has one plane of light and one of transparency."""
    planes = np.arange(40, dtype="<u2").reshape(2, 4, 5)
    path = write(tmp_path / "a.xisf", image_xml(planes.tobytes(), geometry="5:4:2"))

    assert np.array_equal(pixels(path), planes[:1])
    assert XISF.open(path).notes == ("1 alpha channel left out",)


def test_header_cards_come_from_keywords_properties_and_elements(tmp_path):
    """Keywords, scalar and text properties, image type and colour filter array become cards."""
    children = (
        '<FITSKeyword name="OBJECT" value="\'M 31\'" comment="target"/>'
        '<FITSKeyword name="EXPTIME" value="300." comment=""/>'
        '<FITSKeyword name="FLAG" value="T" comment=""/>'
        '<FITSKeyword name="HISTORY" value="" comment="a line"/>'
        '<Property id="Instrument:Camera:Gain" type="Float32" value="0.246"/>'
        '<Property id="Observation:Object:Name" type="String">M31</Property>'
        '<Property id="Observation:Time:Start" type="TimePoint" value="2025-01-02T03:04:05Z"/>'
        '<Property id="Matrix" type="F64Matrix" rows="1" columns="1" location="inline:hex">'
        "0000000000000000</Property>"
        '<ColorFilterArray pattern="GRBG" width="2" height="2" name="GRBG Bayer"/>'
        '<Reference ref="k"/>'
    )
    path = write(
        tmp_path / "a.xisf",
        image_xml(PLAIN.tobytes(), attributes='imageType="Light"', children=children)
        + '<FITSKeyword uid="k" name="GAIN" value="100" comment="shared"/>'
        + '<Metadata><Property id="XISF:CreatorApplication" type="String">x</Property></Metadata>',
    )

    header = XISF.header(path)

    assert header.get("OBJECT") == "M 31"
    assert header.get("EXPTIME") == 300.0
    assert header.get("FLAG") is True
    assert header.values("HISTORY") == ("a line",)
    assert header.get("INSTRUMENT:CAMERA:GAIN") == 0.246
    assert header.get("OBSERVATION:OBJECT:NAME") == "M31"
    assert header.get("OBSERVATION:TIME:START") == "2025-01-02T03:04:05Z"
    assert header.get("XISF:IMAGETYPE") == "Light"
    assert (header.get("XISF:CFAPATTERN"), header.get("XISF:CFAWIDTH")) == ("GRBG", 2)
    assert header.get("GAIN") == 100
    assert header.get("XISF:CREATORAPPLICATION") == "x"
    assert "MATRIX" not in header


@pytest.mark.parametrize("algorithm", ["sha-1", "sha1", "sha-256", "sha-512", "sha3-256"])
def test_checksums_are_verified(tmp_path, algorithm):
    """A right checksum passes; a wrong one is an error, whatever the algorithm."""
    name = algorithm.replace("sha-", "sha").replace("sha3-", "sha3_")
    digest = hashlib.new(name, PLAIN.tobytes()).hexdigest()
    good = image_xml(PLAIN.tobytes(), attributes=f'checksum="{algorithm}:{digest}"')
    bad = image_xml(PLAIN.tobytes(), attributes=f'checksum="{algorithm}:{digest[::-1]}"')

    assert np.array_equal(pixels(write(tmp_path / "a.xisf", good)), PLAIN)
    with pytest.raises(UnreadableFileError, match="checksum"):
        pixels(write(tmp_path / "b.xisf", bad))


BOMB = zlib.compress(bytes(200_000_000), 9)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '<Image geometry="20:12:1" sampleFormat="UInt16" location="attachment:9999:480"/>',
            "beyond the file",
        ),
        (
            '<Image geometry="20:12:1" sampleFormat="UInt16" location="attachment:16:-1"/>',
            "beyond the file",
        ),
        ('<Image geometry="20:12" sampleFormat="UInt16" location="inline:hex"/>', "geometry"),
        ('<Image geometry="20:12:1" sampleFormat="Complex32" location="inline:hex"/>', "format"),
        (
            '<Image geometry="2:1:1" sampleFormat="UInt8" colorSpace="CIELab" location="inline:"/>',
            "colour space",
        ),
        (
            '<Image geometry="20:12:1" sampleFormat="UInt16" location="url(http://x)"/>',
            "another file",
        ),
        (image_xml(PLAIN.tobytes()[:-2]), "480 bytes"),
        (image_xml(b"x", attributes='compression="rar:480"'), "unknown compression"),
        (image_xml(b"x" * 99, attributes='compression="zlib:480"'), "cannot be decompressed"),
        (image_xml(b"x" * 99, attributes='compression="zlib:many"'), "cannot be decompressed"),
        (image_xml(zlib.compress(bytes(481)), attributes='compression="zlib:480"'), "481"),
        (
            image_xml(BOMB, attributes='compression="zlib:480"'),
            "were expected",
        ),
        (
            image_xml(
                zlib.compress(bytes(9)),
                attributes='compression="zlib:20000000000"',
                geometry="100000:100000:1",
            ),
            "cannot stand for",
        ),
        ("", "holds 0 images"),
    ],
)
def test_malformed_files_are_refused_with_the_reason(tmp_path, body, message):
    """Sizes are bounded by the file, and every damage has its message."""
    path = write(tmp_path / "a.xisf", body)

    with pytest.raises(UnreadableFileError, match=message):
        pixels(path)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('location="attachment:99999999:10"', "beyond the file"),
        ('location="inline:hex" compression="zlib"', "cannot be decompressed"),
        ('location="inline:hex" compression="zlib:inf"', "cannot be decompressed"),
        ('location="inline:hex" compression="zlib:0"', "were expected"),
    ],
)
def test_broken_text_properties_are_refused_with_the_reason(tmp_path, attributes, message):
    """An error while the header is read is told as it is, though the file is still mapped."""
    packed = zlib.compress(bytes(100_000)).hex()
    body = f'<Property id="A:B" type="String" {attributes}>{packed}</Property>'
    path = write(tmp_path / "a.xisf", image_xml(PLAIN.tobytes(), children=body))

    for read in (XISF.header, XISF.info):
        with pytest.raises(UnreadableFileError, match=message):
            read(path)


def test_a_refused_file_leaves_no_scratch_behind(tmp_path):
    """The scale is known to be bad before anything is decoded."""
    (tmp_path / "scratch").mkdir()
    data = zlib.compress(bytes(960))
    body = image_xml(data, attributes='bounds="1:0" compression="zlib:960"', sample="Float32")

    with pytest.raises(UnreadableFileError, match="bounds"):
        XISF.open(write(tmp_path / "a.xisf", body), scratch=tmp_path / "scratch")

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("'it''s'", "it's"), ("'x" + 3 * "'", "x'"), ("2024_01", "2024_01"), ("1D3", 1e3)],
)
def test_values_of_keywords_are_read_as_fits_means_them(tmp_path, text, value):
    """Quotes are doubled within strings, and numbers are written as in FITS."""
    child = f'<FITSKeyword name="A" value="{text}" comment=""/>'

    header = XISF.header(write(tmp_path / "a.xisf", image_xml(PLAIN.tobytes(), children=child)))

    assert header.get("A") == value


def test_document_types_and_truncated_headers_are_refused(tmp_path):
    """No entity is ever expanded, and a header that is cut off is an error."""
    prolog = '<!DOCTYPE xisf [<!ENTITY a "aaaaaaaaaa">]>'

    with pytest.raises(UnreadableFileError, match="malformed"):
        XISF.header(write(tmp_path / "a.xisf", image_xml(PLAIN.tobytes()), prolog=prolog))
    data = write(tmp_path / "a.xisf", image_xml(PLAIN.tobytes())).read_bytes()
    (tmp_path / "e.xisf").write_bytes(data.replace(b"UTF-8", b"UTF-X"))
    with pytest.raises(UnreadableFileError, match="unknown encoding"):
        XISF.header(tmp_path / "e.xisf")
    with pytest.raises(UnreadableFileError, match="truncated"):
        XISF.header(write(tmp_path / "b.xisf", image_xml(PLAIN.tobytes()), length=100_000))
    (tmp_path / "c.xisf").write_bytes(b"")
    with pytest.raises(UnreadableFileError, match="empty"):
        XISF.header(tmp_path / "c.xisf")
    (tmp_path / "d.xisf").write_bytes(b"not an image at all")
    with pytest.raises(UnreadableFileError, match="not a monolithic XISF"):
        XISF.header(tmp_path / "d.xisf")


@pytest.mark.parametrize("compression", XISF_COMPRESSIONS)
def test_what_is_written_is_read_back_to_float32_rounding(tmp_path, compression):
    """Several images, negative values, NaN, keywords and the colour filter array survive."""
    planes = np.random.default_rng(1).normal(1000, 500, (3, 31, 17)).astype(np.float32)
    planes[1, 2, 3] = np.nan
    mosaic = planes[:1, :30, :16] * -1
    header = Header([Card("OBJECT", "O'Neill é"), Card("GAIN", 100, "[driver]"), Card("OK", True)])
    images = [
        XisfImage(planes, header, "integration", "MasterLight"),
        XisfImage(mosaic, cfa=CfaPattern.from_name("GBRG"), name="cfa"),
    ]

    truncated = write_xisf(tmp_path / "a.xisf", images, compression=compression)

    assert truncated == 0
    assert np.allclose(pixels(tmp_path / "a.xisf"), planes, rtol=2e-7, atol=1e-3, equal_nan=True)
    assert np.allclose(pixels(tmp_path / "a.xisf", index=1), mosaic, rtol=2e-7, atol=1e-3)
    read = XISF.header(tmp_path / "a.xisf")
    assert read.get("OBJECT") == "O'Neill é"
    assert (read.get("GAIN"), read.get("OK")) == (100, True)
    assert read.get("XISF:IMAGETYPE") == "MasterLight"


@pytest.mark.parametrize("value", [np.float64(1.5), np.float32(0.25), 1e-7, -3, np.nan, None])
def test_numbers_of_any_library_are_written_as_numbers(tmp_path, value):
    """NumPy's numbers print with their type's name; NaN has no form in FITS."""
    image = XisfImage(PLAIN.astype(np.float32), Header([Card("A", value)]))

    write_xisf(tmp_path / "a.xisf", [image])

    expected = None if value is None or np.isnan(value) else float(value)
    assert XISF.header(tmp_path / "a.xisf").get("A") == expected


def test_uint16_samples_are_truncated_and_counted(tmp_path):
    """Integers hold 0 to 65535; what does not fit is counted."""
    planes = np.array([[[-3.0, 0.4, 0.6, 65535.0, 70000.0, np.nan]]], np.float32)

    truncated = write_xisf(tmp_path / "a.xisf", [XisfImage(planes)], sample_format="uint16")

    assert truncated == 3
    assert pixels(tmp_path / "a.xisf")[0, 0].tolist() == [0, 0, 1, 65535, 65535, 0]
    assert XISF.open(tmp_path / "a.xisf").dtype == np.uint16


def test_scratch_file_holds_decoded_pixels_until_closed(tmp_path):
    """A compressed image can be decoded to disk, and nothing of it is left behind."""
    write_xisf(tmp_path / "a.xisf", [XisfImage(PLAIN.astype(np.float32))])
    (tmp_path / "scratch").mkdir()

    source = XISF.open(tmp_path / "a.xisf", scratch=tmp_path / "scratch")

    assert not source.by_rows
    assert len(list((tmp_path / "scratch").iterdir())) == 1
    source.close()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_unknown_compression_and_unwritable_folder_are_settings_errors(tmp_path):
    """A wrong name lists the known ones; a missing folder is said."""
    image = XisfImage(PLAIN.astype(np.float32))

    with pytest.raises(SettingsError, match="zstd"):
        write_xisf(tmp_path / "a.xisf", [image], compression="rar")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_xisf(tmp_path / "missing" / "a.xisf", [image])


@given(
    codec=st.sampled_from(sorted(CODECS)),
    data=st.binary(min_size=0, max_size=200),
    position=st.integers(0, 199),
)
def test_codecs_never_return_more_than_asked_for(codec, data, position):
    """Corrupt input raises ValueError or gives at most the expected number of bytes, plus one."""
    packed = bytearray(PACK[codec](data))
    packed[position % len(packed)] ^= 0x55
    try:
        result = CODECS[codec].decompress(bytes(packed), 100)
    except ValueError:
        return
    assert len(result) <= 101


@pytest.mark.parametrize("name", ["test.xisf", "test_lz4.xisf", "wrenby/test.xisf"])
def test_files_of_other_programs_are_read(shared_data, name):
    """Embedded base64 blocks, plain and lz4-shuffled, of real writers are read."""
    source = XISF.open(shared_data / "xisf" / name)
    data = pixels(shared_data / "xisf" / name)

    assert data.shape == (1, 10, 8)
    assert source.dtype == np.uint16
    assert (data.min(), data.max()) == (0, 9)
    assert data[0, 0].tolist() == [5, 7, 4, 2, 1, 1, 1, 5]
    assert XISF.header(shared_data / "xisf" / name).get("INSTRUME") == "CCD Simulator"


def test_second_channel_of_a_gray_file_is_alpha(shared_data):
    """The two-channel file is read as one plane."""
    assert pixels(shared_data / "xisf" / "wrenby" / "2ch.xisf").shape == (1, 10, 4)
