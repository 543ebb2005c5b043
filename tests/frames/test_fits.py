"""Reading FITS: every kind of stored sample, every compression, every way to be broken."""

import gzip
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.errors import ResourceError, SettingsError, UnreadableFileError
from lightframe.frames._fits import FITS
from lightframe.frames._info import FrameInfo
from lightframe.frames._pixels import Window
from lightframe.frames._scratch import scratch_array
from lightframe.frames._stored import Scaling, StoredPixels

HEIGHT, WIDTH = 13, 17
BLOCK = 2880


def pixels(source, dtype=np.float32):
    """Return the whole image of a source."""
    out = np.full((source.channels, source.height, source.width), 77, dtype)
    source.read(Window(0, source.height, 0, source.width), out)
    return out


def read(path, dtype=np.float32, scratch=None):
    """Open a file, read it, close it."""
    source = FITS.open(path, scratch)
    try:
        return pixels(source, dtype)
    finally:
        source.close()


def stored_array(bitpix, channels, rng):
    """Return random samples that use the whole range of their type."""
    shape = (channels, HEIGHT, WIDTH) if channels > 1 else (HEIGHT, WIDTH)
    if bitpix < 0:
        return rng.normal(1000, 300, shape).astype({-32: ">f4", -64: ">f8"}[bitpix])
    dtype = np.dtype({8: "u1", 16: ">i2", 32: ">i4", 64: ">i8"}[bitpix])
    limits = np.iinfo(dtype.newbyteorder("="))
    array = rng.integers(limits.min, limits.max, shape, dtype.newbyteorder("="), endpoint=True)
    array.flat[0], array.flat[1] = limits.min, limits.max
    return array.astype(dtype)


def write(path, array, cards=(), *, extension=False):
    """Write stored samples as they are, by astropy, with the cards given."""
    header = (fits.ImageHDU if extension else fits.PrimaryHDU)(array).header.copy()
    header.extend(dict(cards).items(), strip=False)
    data = fits.PrimaryHDU().header.tostring().encode() if extension else b""
    samples = array.tobytes()
    data += header.tostring().encode() + samples + bytes(-len(samples) % BLOCK)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("extension", [False, True])
@pytest.mark.parametrize(
    ("bitpix", "zero", "slope", "sample_format", "dtype"),
    [
        (8, 0, 1, "uint8", np.uint16),
        (8, -128, 1, "int8", np.float32),
        (16, 0, 1, "int16", np.float32),
        (16, 32768, 1, "uint16", np.uint16),
        (16, 32768.5, 1, "int16", np.float32),
        (16, 100, 0.25, "int16", np.float32),
        (16, 0, 2, "int16", np.float32),
        (32, 0, 1, "int32", np.float32),
        (32, 2147483648, 1, "uint32", np.float32),
        (64, 0, 1, "int64", np.float32),
        (64, 9223372036854775808, 1, "uint64", np.float32),
        (-32, 0, 1, "float32", np.float32),
        (-32, 32768, 1, "float32", np.float32),
        (-64, 0, 1, "float64", np.float32),
        (-64, 10, 3, "float64", np.float32),
    ],
)
def test_all_kinds_of_samples_are_read_as_physical_values(
    tmp_path, bitpix, zero, slope, sample_format, dtype, channels, extension
):
    """BITPIX, sign by BZERO, BSCALE, planes and extensions: DN = BZERO + BSCALE x sample."""
    stored = stored_array(bitpix, channels, np.random.default_rng(abs(bitpix) + channels))
    cards = {"BZERO": zero, "BSCALE": slope} if (zero, slope) != (0, 1) else {}
    path = write(tmp_path / "a.fits", stored, cards, extension=extension)
    exact = stored.astype(np.float64) * slope + zero

    source = FITS.open(path)

    assert source.dtype == dtype
    assert source.by_rows
    expected = exact.astype(np.float32).reshape(channels, HEIGHT, WIDTH)
    assert np.array_equal(pixels(source), expected)
    if dtype == np.uint16:
        assert np.array_equal(pixels(source, np.uint16), expected)
    info = FITS.info(path)
    assert (info.height, info.width, info.channels) == (HEIGHT, WIDTH, channels)
    assert info.sample_format == sample_format


@pytest.mark.parametrize("suffix", [".fits", ".fit.gz", ".fits.fz"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_windows_hold_what_the_whole_image_holds(tmp_path_factory, suffix, data):
    """Any window of any kind of file equals that part of the image, in both types."""
    folder = tmp_path_factory.mktemp("windows")
    bitpix = data.draw(st.sampled_from([8, 16, 32, -32]))
    channels = data.draw(st.sampled_from([1, 3]))
    stored = stored_array(bitpix, channels, np.random.default_rng(5))
    path = folder / f"a{suffix}"
    image = stored.byteswap().view(stored.dtype.newbyteorder("="))
    if suffix == ".fits.fz":
        unit = fits.CompImageHDU(image, compression_type="GZIP_2", quantize_level=0)
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    else:
        fits.PrimaryHDU(image).writeto(path)
    y0 = data.draw(st.integers(0, HEIGHT))
    y1 = data.draw(st.integers(y0, HEIGHT))
    x0 = data.draw(st.integers(0, WIDTH))
    x1 = data.draw(st.integers(x0, WIDTH))
    source = FITS.open(path)
    whole = pixels(source)
    out = np.empty((channels, y1 - y0, x1 - x0), np.float32)

    source.read(Window(y0, y1, x0, x1), out)
    source.close()

    expected = image.astype(np.float32).reshape(channels, HEIGHT, WIDTH)
    assert np.array_equal(whole, expected)
    assert np.array_equal(out, whole[:, y0:y1, x0:x1])


@pytest.mark.parametrize(
    ("compression", "kind"),
    [
        (compression, kind)
        for compression in ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1"]
        for kind in ["uint16", "int16", "uint8", "int32"]
        if (compression, kind) != ("PLIO_1", "uint16")  # PLIO has no negative samples
    ],
)
@pytest.mark.parametrize("to_disk", [False, True])
def test_tile_compressed_integers_are_decoded_exactly(tmp_path, compression, kind, to_disk):
    """All compressions give the samples back, in memory or in a scratch file that goes away."""
    rng = np.random.default_rng(3)
    top = 250 if kind == "uint8" or compression == "PLIO_1" else 4000
    image = rng.integers(0, top, (40, 50)).astype(kind)
    path = tmp_path / "a.fits"
    tile = (50, 40) if compression == "HCOMPRESS_1" else (50, 7)
    unit = fits.CompImageHDU(image, compression_type=compression, tile_shape=tile[::-1])
    unit.header["OBJECT"] = "M 13"
    units = fits.HDUList([fits.PrimaryHDU(), unit])
    units[0].header["GAIN"] = 100
    units.writeto(path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    source = FITS.open(path, scratch if to_disk else None)

    assert not source.by_rows
    assert source.dtype == (np.uint16 if kind in {"uint16", "uint8"} else np.float32)
    assert np.array_equal(pixels(source)[0], image)
    assert len(list(scratch.iterdir())) == to_disk
    source.close()
    assert list(scratch.iterdir()) == []
    header = FITS.header(path)
    assert (header.get("NAXIS1"), header.get("NAXIS2")) == (50, 40)
    assert header.get("BITPIX") == {"uint16": 16, "int16": 16, "uint8": 8, "int32": 32}[kind]
    assert (header.get("OBJECT"), header.get("GAIN")) == ("M 13", 100)
    assert not any(card.keyword.startswith(("Z", "TFORM", "TTYPE")) for card in header)


def test_quantized_floats_are_decoded_as_astropy_decodes_them(tmp_path):
    """RICE on floats with dithering, and three planes, agree with astropy to the bit."""
    image = np.random.default_rng(1).normal(500, 20, (3, 40, 50)).astype(np.float32)
    path = tmp_path / "a.fits.fz"
    unit = fits.CompImageHDU(image, compression_type="RICE_1", quantize_method=1, dither_seed=7)
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)

    with fits.open(path) as units:
        expected = units[1].data.copy()

    assert np.array_equal(read(path), expected)


@pytest.mark.parametrize("bitpix", [8, 16, 32, -32, -64])
def test_gzipped_files_are_unpacked(tmp_path, bitpix):
    """A gzipped file reads like the plain one, in memory and from scratch."""
    plain = write(tmp_path / "a.fits", stored_array(bitpix, 3, np.random.default_rng(2)))
    packed = tmp_path / "a.fits.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert np.array_equal(read(packed), read(plain))
    assert np.array_equal(read(packed, scratch=tmp_path), read(plain))
    assert FITS.header(packed).get("BITPIX") == bitpix
    assert not FITS.open(packed).by_rows


def test_a_gzipped_tile_compressed_file_is_read(tmp_path):
    """Both compressions at once are no obstacle."""
    image = np.arange(600, dtype=np.int16).reshape(20, 30)
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image)]).writeto(path)
    packed = tmp_path / "a.fits.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))

    assert np.array_equal(read(packed)[0], image)


@pytest.mark.parametrize("bitpix", [8, 16, 32, 64])
def test_blank_samples_are_missing(tmp_path, bitpix):
    """A sample of BLANK reads as NaN, every other as its value, never as uint16."""
    stored = stored_array(bitpix, 1, np.random.default_rng(8))
    blank = int(stored[4, 5])
    path = write(tmp_path / "a.fits", stored, {"BLANK": blank, "BZERO": 3})

    source = FITS.open(path)
    image = pixels(source)[0]

    assert source.dtype == np.float32
    assert np.array_equal(np.isnan(image), stored == blank)
    expected = (stored.astype(np.float64) + 3).astype(np.float32)
    assert np.array_equal(image[stored != blank], expected[stored != blank])


def test_pixel_interleaved_colours_become_planes(tmp_path):
    """NAXIS1 = 3 holds the colours of a pixel side by side."""
    image = np.random.default_rng(4).integers(0, 60000, (HEIGHT, WIDTH, 3)).astype(">i4")
    path = write(tmp_path / "a.fits", (image - 32768).astype(">i2"), {"BZERO": 32768})

    source = FITS.open(path)

    assert (source.channels, source.height, source.width) == (3, HEIGHT, WIDTH)
    assert np.array_equal(pixels(source), image.transpose(2, 0, 1))
    assert np.array_equal(pixels(source, np.uint16), image.transpose(2, 0, 1))


def test_axes_of_length_one_behind_the_plane_are_dropped(tmp_path):
    """NAXIS = 4 with one plane is one plane."""
    stored = stored_array(16, 1, np.random.default_rng(1)).reshape(1, 1, HEIGHT, WIDTH)

    assert read(write(tmp_path / "a.fits", stored)).shape == (1, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ("top", "cards", "factor", "told"),
    [
        (1.0, {}, 65535, "fractions of full scale"),
        (1.05, {}, 65535, "fractions of full scale"),
        (3.0, {}, 1, "taken as DN"),
        (65535.0, {}, 1, "taken as DN"),
        (1.0, {"DNSCALE": 1.0}, 1, None),
        (0.5, {"DNSCALE": 16383.0}, 16383, None),
        (3.0, {"DNSCALE": 65535.0}, 65535, None),
    ],
)
@pytest.mark.parametrize("dtype", [">f4", ">f8"])
def test_floats_are_dn_or_fractions_and_say_so(tmp_path, top, cards, factor, told, dtype):
    """DNSCALE decides; without it the pixels do, and a note tells what was assumed."""
    image = np.linspace(0, top, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(dtype)
    path = write(tmp_path / "a.fits", image, cards)

    source = FITS.open(path)

    assert np.allclose(pixels(source)[0], image.astype(np.float64) * factor, rtol=2e-7)
    for notes in (source.notes, FITS.info(path).notes):
        assert [told in note for note in notes if "DNSCALE" in note] == ([True] if told else [])


def test_scaled_integers_within_one_are_fractions(tmp_path):
    """Integers whose BSCALE brings them into 0..1 are fractions of full scale, too."""
    stored = np.arange(HEIGHT * WIDTH, dtype=">i2").reshape(HEIGHT, WIDTH)
    path = write(tmp_path / "a.fits", stored, {"BSCALE": 1 / 32767})

    assert np.allclose(read(path)[0], stored / 32767 * 65535, rtol=1e-6)
    assert "fractions" in FITS.open(path).notes[0]


def test_an_image_without_any_value_is_read_and_told(tmp_path):
    """All pixels missing is no error of reading."""
    path = write(tmp_path / "a.fits", np.full((HEIGHT, WIDTH), np.nan, ">f4"))

    source = FITS.open(path)

    assert np.isnan(pixels(source)).all()
    assert "cannot be told" in source.notes[0]


def test_infinities_and_values_beyond_float32_stay_silent(tmp_path):
    """Doubles that float32 cannot hold become infinite without a warning."""
    image = np.array([[1e300, -np.inf, 1e5], [np.nan, 0, -1]], ">f8")

    assert np.array_equal(
        read(write(tmp_path / "a.fits", image))[0],
        np.array([[np.inf, -np.inf, 1e5], [np.nan, 0, -1]], np.float32),
        equal_nan=True,
    )


def test_decimal_commas_in_headers_are_read(tmp_path):
    """A scale with a decimal comma is a number, an exposure with one survives as text."""
    path = write(tmp_path / "a.fits", stored_array(16, 1, np.random.default_rng(1)))
    data = path.read_bytes()
    cards = "BSCALE  =                  0,5".ljust(80) + "EXPOSURE=              6,4E-05".ljust(80)
    path.write_bytes(data.replace(b"END" + b" " * 157, cards.encode(), 1)[:BLOCK - 80]
                     + b"END".ljust(80) + data[BLOCK:])  # fmt: skip

    assert FITS.header(path).get("EXPOSURE") == "6,4E-05"
    assert np.abs(read(path)).max() == 16384


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz", ".fits.fz"])
@pytest.mark.parametrize("kept", [1, 79, 2000, 2881, 0.3, 0.6, 0.9, -1])
def test_truncated_files_are_errors(tmp_path, suffix, kept):
    """Wherever a file ends too early, an UnreadableFileError says so."""
    image = np.random.default_rng(0).integers(0, 60000, (90, 100)).astype(np.uint16)
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".fits.fz":
        unit = fits.CompImageHDU(image, compression_type="RICE_1")
        fits.HDUList([fits.PrimaryHDU(), unit]).writeto(whole)
    else:
        fits.PrimaryHDU(image).writeto(whole)
    data = whole.read_bytes()
    if not suffix.endswith(".gz"):
        data = data.rstrip(b"\0")  # a file without the padding of its last block is whole
    length = int(len(data) * kept) if isinstance(kept, float) else kept
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[:length])

    with pytest.raises(UnreadableFileError) as caught:
        FITS.open(path, tmp_path)

    assert caught.value.where == str(path)
    assert list(tmp_path.glob("*.scratch")) == []


def test_a_truncated_plain_file_is_refused_from_its_header(tmp_path):
    """The message has the bytes that are needed and the bytes that are there."""
    path = write(tmp_path / "a.fits", stored_array(16, 1, np.random.default_rng(1)))
    path.write_bytes(path.read_bytes()[: BLOCK + 100])

    for read_part in (FITS.header, FITS.info, FITS.open):
        with pytest.raises(UnreadableFileError, match=r"3,322 bytes are needed.*2,980 are there"):
            read_part(path)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        (["NAXIS   = 0"], "holds no image"),
        (["NAXIS   = 2", "NAXIS1  = 0", "NAXIS2  = 10"], "has no pixels"),
        (["NAXIS   = 2", "NAXIS1  = 10", "NAXIS2  = 0"], "has no pixels"),
        (["NAXIS   = 1", "NAXIS1  = 10"], "holds no image"),
        (["NAXIS   = 3", "NAXIS1  = 5", "NAXIS2  = 5", "NAXIS3  = 7"], "neither one plane"),
        (["NAXIS   = 2", "NAXIS1  = -4", "NAXIS2  = 5"], "NAXIS1 is -4"),
        (["NAXIS   = 2", "NAXIS1  = 'x'", "NAXIS2  = 5"], "NAXIS1 is 'x'"),
        (["NAXIS   = 2", "NAXIS1  = 5"], "NAXIS2 is missing"),
        (["NAXIS   = 123456"], "123456 axes"),
        (["NAXIS   = 2", "NAXIS1  = 99999999", "NAXIS2  = 99999999"], "is truncated"),
        ([], "NAXIS is missing"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_headers_without_an_image_are_refused(tmp_path, cards, message, packed):
    """A header that promises no image, or one that cannot be, is a clear error."""
    lines = ["SIMPLE  = T", "BITPIX  = 16", *cards, "END"]
    data = "".join(line.ljust(80) for line in lines).ljust(BLOCK).encode() + bytes(BLOCK)
    path = tmp_path / ("a.fits.gz" if packed else "a.fits")
    path.write_bytes(gzip.compress(data) if packed else data)
    if packed and "truncated" in message:
        message = "claims"

    with pytest.raises(UnreadableFileError, match=message):
        FITS.open(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"just some text\n" * 1000, "is not a FITS file"),
        (b"SIMPLE  =                    T", "without END card"),
        (b"SIMPLE".ljust(80) * 72, "without END card"),
    ],
)
def test_other_files_under_a_fits_name_are_refused(tmp_path, data, message):
    """Text, nothing, and endless headers are told apart from images."""
    path = tmp_path / "a.fits"
    path.write_bytes(data)

    with pytest.raises(UnreadableFileError, match=message):
        FITS.info(path)


@pytest.mark.parametrize("packed", [False, True])
def test_units_beyond_the_end_of_any_file_are_refused(tmp_path, packed):
    """A corrupt length in front of the image is no reason to look there."""
    cards = [("SIMPLE", "T"), ("BITPIX", "8"), ("NAXIS", "1"), ("NAXIS1", "9" * 20)]
    text = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in cards) + "END"
    data = text.ljust(5760).encode()
    path = tmp_path / ("a.fits.gz" if packed else "a.fits")
    path.write_bytes(gzip.compress(data) if packed else data)

    with pytest.raises(UnreadableFileError, match="holds no image"):
        FITS.info(path)


def test_a_refused_file_leaves_no_scratch_behind(tmp_path):
    """A scale of zero shows after unpacking; what was unpacked is given back."""
    (tmp_path / "scratch").mkdir()
    path = write(tmp_path / "a.fits", np.ones((4, 5), np.int16), [("BSCALE", 7)])
    data = path.read_bytes().replace(
        b"BSCALE  =                    7", b"BSCALE  =                    0"
    )
    packed = tmp_path / "a.fits.gz"
    packed.write_bytes(gzip.compress(data))

    with pytest.raises(UnreadableFileError, match="BSCALE"):
        FITS.open(packed, scratch=tmp_path / "scratch")

    assert list((tmp_path / "scratch").iterdir()) == []


def test_tables_are_refused_by_name(tmp_path):
    """A file of tables says which units it has instead of an image."""
    path = tmp_path / "events.fits"
    table = fits.BinTableHDU(np.zeros(3, [("x", "f4")]), name="EVENTS")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)

    with pytest.raises(UnreadableFileError, match="BINTABLE 'EVENTS'"):
        FITS.header(path)


def test_an_image_behind_a_table_is_found(tmp_path):
    """The first image counts, wherever it stands."""
    path = tmp_path / "a.fits"
    image = np.arange(20, dtype=np.int16).reshape(4, 5)
    table = fits.BinTableHDU(np.zeros(3, [("x", "f4")]))
    fits.HDUList([fits.PrimaryHDU(), table, fits.ImageHDU(image)]).writeto(path)

    assert np.array_equal(read(path)[0], image)


def test_compressed_headers_cannot_claim_any_size(tmp_path):
    """A tile-compressed header that claims a terapixel is refused before memory is asked for."""
    path = tmp_path / "a.fits"
    unit = fits.CompImageHDU(np.zeros((20, 30), np.int16))
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    data = path.read_bytes()
    claim = data.replace(b"ZNAXIS1 =                   30", b"ZNAXIS1 =            300000000", 1)
    assert claim != data
    path.write_bytes(claim)

    with pytest.raises(UnreadableFileError, match="claims 12,000,000,000 bytes"):
        FITS.open(path)


def test_corrupt_tiles_and_streams_are_errors(tmp_path):
    """Damaged compressed data raise our error, not that of the decoder."""
    image = np.random.default_rng(0).integers(0, 60000, (64, 64)).astype(np.int32)
    tiles = tmp_path / "a.fits"
    unit = fits.CompImageHDU(image, compression_type="GZIP_1")
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(tiles)
    data = bytearray(tiles.read_bytes())
    data[2 * BLOCK + 1200 : 2 * BLOCK + 9000] = bytes(7800)
    tiles.write_bytes(data)
    stream = tmp_path / "b.fits.gz"
    whole = tmp_path / "b.fits"
    fits.PrimaryHDU(image).writeto(whole)
    packed = bytearray(gzip.compress(whole.read_bytes()))
    packed[len(packed) // 2] ^= 0xFF
    stream.write_bytes(packed)

    for path in (tiles, stream):
        with pytest.raises(UnreadableFileError, match="corrupt"):
            FITS.open(path)


def test_invalid_cards_do_not_disturb_decompression(tmp_path):
    """A card that astropy warns of is kept, and the tiles are decoded all the same."""
    path = tmp_path / "a.fits"
    unit = fits.CompImageHDU(np.arange(600, dtype=np.int16).reshape(20, 30))
    unit.header["EXPTIME"] = 123456.5
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
    path.write_bytes(path.read_bytes().replace(b"123456.5", b"6,4E-05 ", 1))

    assert FITS.header(path).get("EXPTIME") == "6,4E-05"
    assert read(path).sum() == 600 * 599 / 2


def test_several_threads_read_at_once(tmp_path):
    """Windows read by many threads from one source are all right."""
    image = np.random.default_rng(0).integers(0, 65535, (400, 300)).astype(np.uint16)
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(image).writeto(path)
    source = FITS.open(path)

    def right(row):
        out = np.empty((1, 8, 290), np.float32)
        source.read(Window(row, row + 8, 5, 295), out)
        return np.array_equal(out[0], image[row : row + 8, 5:295])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, list(range(0, 392, 3)) * 4))


def test_wrong_calls_are_refused(tmp_path):
    """A window outside, a buffer of wrong shape or type, and reading after closing are errors."""
    stored = stored_array(16, 1, np.random.default_rng(1))
    source = FITS.open(write(tmp_path / "a.fits", stored))
    buffer = np.zeros((1, HEIGHT, WIDTH), np.float32)

    with pytest.raises(ValueError, match="outside"):
        source.read(Window(0, HEIGHT + 1, 0, WIDTH), buffer)
    with pytest.raises(ValueError, match="shape"):
        source.read(Window(0, 2, 0, WIDTH), buffer)
    with pytest.raises(TypeError, match="cannot be read as uint16"):
        source.read(Window(0, HEIGHT, 0, WIDTH), buffer.astype(np.uint16))
    source.close()
    with pytest.raises(ValueError, match="closed"):
        source.read(Window(0, HEIGHT, 0, WIDTH), buffer)


def test_native_samples_are_read_too():
    """Decoded pixels in the machine's own byte order, and little-endian ones, are DN as well."""
    image = np.random.default_rng(0).integers(0, 65535, (2, 5, 6)).astype("<u2")

    for stored in (image, image.astype(">u2")):
        source = StoredPixels(stored, Scaling(zero=-3.0))
        assert source.dtype == np.float32
        assert np.array_equal(pixels(source), image.astype(np.float32) - 3)


def test_a_scratch_folder_that_cannot_be_used_is_a_settings_error(tmp_path):
    """Scratch files are asked for by the user's settings: a wrong folder is told so."""
    with pytest.raises(SettingsError, match="No such file"):
        scratch_array((10,), np.uint16, tmp_path / "absent")


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    """Space is reserved first, so that a full disk is an error and not a crash."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(ResourceError, match="No space left"):
        scratch_array((10,), np.uint16, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_are_recognised_by_name_and_beginning():
    """FITS under a foreign name is found; a listing of a header in a text file is not an image."""
    start = b"SIMPLE  =                    T".ljust(80)

    assert FITS.matches(Path("a.fits"), b"anything")
    assert FITS.matches(Path("frame.dat"), start)
    assert FITS.matches(Path("a.FIT.GZ"), b"\x1f\x8b")
    assert not FITS.matches(Path("notes.gz"), b"\x1f\x8b")
    assert not FITS.matches(Path("header.txt"), start.rstrip() + b"\nBITPIX")


REAL = [
    "m13-mono-ccd", "asi120-osc-calibration", "seestar-m94-osc", "fits-variants",
]  # fmt: skip


@pytest.mark.parametrize("folder", REAL)
def test_real_frames_are_read_as_astropy_reads_them(shared_data, folder):
    """Every real FITS file gives astropy's values, times full scale where it says so."""
    paths = [
        path
        for path in sorted((shared_data / folder).rglob("*"))
        if path.name.lower().endswith(FITS.suffixes)
    ]
    for path in paths:
        source = FITS.open(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # astropy on cards of cameras
            with fits.open(path) as units:
                expected = next(unit.data for unit in units if unit.data is not None)
        factor = 65535 if "fractions" in "".join(source.notes) else 1
        image = pixels(source)
        assert np.array_equal(
            image, (expected.reshape(image.shape).astype(np.float32) * np.float32(factor))
        ), path
        info = FITS.info(path)
        assert isinstance(info, FrameInfo)
        assert (info.channels, *info.shape) == image.shape
        source.close()

    assert len(paths) >= 10
