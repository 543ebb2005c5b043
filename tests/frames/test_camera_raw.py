"""Camera raw: CFA values as LibRaw unpacks them, facts as EXIF states them."""

import struct
from datetime import UTC, date, datetime

import imagecodecs
import numpy as np
import pytest
import rawpy
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.errors import SettingsError, UnreadableFileError
from lightframe.frames import _camera_raw_exif
from lightframe.frames._camera_raw import CAMERA_RAW, CameraRawFormat, CameraRawSettings
from lightframe.frames._camera_raw_exif import exif_cards, read_exif
from lightframe.frames._header import Header
from lightframe.frames._pixels import Window

CELLS = {"RGGB": (0, 1, 1, 2), "BGGR": (2, 1, 1, 0), "GRBG": (1, 0, 2, 1), "GBRG": (1, 2, 0, 1)}
HEIGHT, WIDTH = 64, 96
XTRANS = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"


def write_dng(path, mosaic, *, cell="RGGB", iso=800, lossless=False, model="Test 1", extra=()):
    """Write a DNG as cameras do, uncompressed or as lossless JPEG."""
    side = 2 if len(cell) == 4 else 6
    tags = [
        (50706, "B", 4, (1, 4, 0, 0), True),  # DNGVersion
        (50708, "s", 0, model, True),  # UniqueCameraModel
        (271, "s", 0, "Lightframe", True),
        (272, "s", 0, model, True),
        (33421, "H", 2, (side, side), True),  # CFARepeatPatternDim
        (33422, "B", side * side, tuple("RGB".index(letter) for letter in cell), True),
        (50714, "I", 1, 512, True),  # BlackLevel
        (50717, "I", 1, 16383, True),  # WhiteLevel
        (33434, "2I", 1, (120, 1), True),  # ExposureTime
        (33437, "2I", 1, (28, 10), True),  # FNumber
        (34855, "H", 1, iso, True),
        (36867, "s", 0, "2026:03:04 22:30:15", True),  # DateTimeOriginal
        (37386, "2I", 1, (135, 1), True),  # FocalLength
        *extra,
    ]
    options = {"photometric": 32803, "metadata": None, "extratags": tags}
    if lossless:
        data = imagecodecs.ljpeg_encode(mosaic, bitspersample=14)
        with tifffile.TiffWriter(path) as tiff:
            tiff.write(
                iter([data]), shape=mosaic.shape, dtype=np.uint16, compression=7,
                rowsperstrip=mosaic.shape[0], **options,
            )  # fmt: skip
    else:
        tifffile.imwrite(path, mosaic, **options)
    return path


def mosaic(seed=0):
    """Return a noisy 14-bit mosaic."""
    return np.random.default_rng(seed).integers(0, 16383, (HEIGHT, WIDTH)).astype(np.uint16)


def pixels(reader, path, scratch=None):
    """Return the decoded pixels."""
    source = reader.open(path, scratch)
    out = np.empty((source.channels, source.height, source.width), np.uint16)
    source.read(Window(0, source.height, 0, source.width), out)
    source.close()
    return out


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lossless", [False, True])
def test_mosaics_are_read_to_the_bit(tmp_path, cell, lossless):
    """No black level, no white balance, no interpolation: the stored values and their colours."""
    values = mosaic()
    path = write_dng(tmp_path / "a.dng", values, cell=cell, lossless=lossless)

    info = CAMERA_RAW.info(path)

    assert np.array_equal(pixels(CAMERA_RAW, path)[0], values)
    assert info.cfa.name == cell
    assert info.shape == (HEIGHT, WIDTH)
    assert (info.channels, info.format, info.sample_format) == (1, "raw", "uint16")
    assert (info.black_dn, info.saturation_dn) == (512, 16383)
    assert info.row_order == "TOP-DOWN"


def test_an_xtrans_pattern_has_36_letters(tmp_path):
    """The six by six cell of Fujifilm is told, phased at the first visible pixel."""
    path = write_dng(tmp_path / "a.dng", mosaic(), cell=XTRANS)

    assert CAMERA_RAW.info(path).cfa.name == XTRANS


def test_exif_facts_become_cards(tmp_path):
    """Exposure, ISO, optics, camera and time are in the header under the keywords of FITS."""
    path = write_dng(tmp_path / "LIGHT_120s.dng", mosaic())

    info = CAMERA_RAW.info(path)

    assert info.camera == "Lightframe Test 1"
    assert info.exposure_s == 120
    assert info.gain == 800
    assert info.focal_length_mm == 135
    assert info.aperture_mm == pytest.approx(135 / 2.8, abs=1e-3)
    assert info.night == date(2026, 3, 4)
    assert info.header.get("FOCRATIO") == 2.8
    assert info.header.get("DATE-LOC") == "2026-03-04T22:30:15"
    assert CAMERA_RAW.header(path).get("BAYERPAT") == "RGGB"


@pytest.mark.parametrize(
    ("forced", "focal", "ratio"),
    [
        ({}, 135, 2.8),
        ({"force_focal_length_mm": 500.0}, 500, 2.8),
        ({"force_focal_length_mm": 0.0}, None, 2.8),
        ({"force_aperture": 5.0}, 135, 5),
        ({"force_focal_length_mm": 0.0, "force_aperture": 0.0}, None, None),
        ({"force_focal_length_mm": 800.0, "force_aperture": 4.0}, 800, 4),
    ],
)
def test_optics_can_be_forced_or_dropped(tmp_path, forced, focal, ratio):
    """None keeps what the camera says, 0 drops it, any other number replaces it."""
    path = write_dng(tmp_path / "a.dng", mosaic())
    reader = CameraRawFormat(CameraRawSettings(**forced))

    info = reader.info(path)

    assert info.focal_length_mm == focal
    assert info.header.get("FOCRATIO") == ratio
    assert info.aperture_mm == (pytest.approx(focal / ratio, abs=1e-3) if focal and ratio else None)


def test_negative_optics_are_a_settings_error():
    """A focal length below 0 is refused with the name of the setting."""
    with pytest.raises(SettingsError, match="force_focal_length_mm"):
        CameraRawSettings.parse({"force_focal_length_mm": -1})


def test_decoded_pixels_can_lie_in_a_scratch_folder(tmp_path):
    """With a scratch folder the pixels are mapped from there; closing removes them."""
    path = write_dng(tmp_path / "a.dng", mosaic())
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    source = CAMERA_RAW.open(path, scratch)

    assert len(list(scratch.iterdir())) == 1
    assert not source.by_rows
    assert source.dtype == np.uint16
    source.close()
    assert list(scratch.iterdir()) == []
    assert np.array_equal(pixels(CAMERA_RAW, path, scratch)[0], mosaic())


def test_frames_of_one_camera_and_iso_are_decoded_once_to_describe_them(tmp_path, monkeypatch):
    """Scanning a folder opens each file and decodes one for each ISO."""
    paths = [
        write_dng(tmp_path / f"{number}.dng", mosaic(number), iso=iso)
        for number, iso in enumerate([800, 800, 800, 1600])
    ]
    decoded = []
    real = CameraRawFormat._sensor.__globals__["_decoded_sensor"]
    monkeypatch.setattr(
        "lightframe.frames._camera_raw._decoded_sensor",
        lambda raw, path: decoded.append(path) or real(raw, path),
    )
    reader = CameraRawFormat()

    infos = [reader.info(path) for path in paths]

    assert decoded == [paths[0], paths[3]]
    assert {info.cfa.name for info in infos} == {"RGGB"}
    assert [info.gain for info in infos] == [800, 800, 800, 1600]


def test_a_linear_dng_is_an_rgb_image(tmp_path):
    """Three values a pixel become three planes without a colour pattern."""
    image = np.random.default_rng(1).integers(0, 60000, (HEIGHT, WIDTH, 3)).astype(np.uint16)
    path = tmp_path / "a.dng"
    tags = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Test", True),
        (272, "s", 0, "Test", True),
    ]
    tifffile.imwrite(
        path, image, photometric=34892, metadata=None, extratags=tags, planarconfig="contig"
    )

    info = CAMERA_RAW.info(path)

    assert info.channels == 3
    assert info.cfa is None
    assert np.array_equal(pixels(CAMERA_RAW, path), image.transpose(2, 0, 1))


@pytest.mark.parametrize("kept", [10, 200, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("lossless", [False, True])
def test_truncated_files_are_errors(tmp_path, kept, lossless, capfd):
    """A file that ends early is refused, and nothing is left in the scratch folder."""
    data = write_dng(tmp_path / "whole.dng", mosaic(), lossless=lossless).read_bytes()
    path = tmp_path / "cut.dng"
    path.write_bytes(data[: int(len(data) * kept) if isinstance(kept, float) else kept])
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with pytest.raises(UnreadableFileError, match="LibRaw cannot decode it"):
        CAMERA_RAW.open(path, scratch)

    assert list(scratch.iterdir()) == []


def test_an_absent_file_is_an_error(tmp_path):
    """The reason is told, with its likely cause."""
    with pytest.raises(UnreadableFileError, match=r"(?s)no such file.*a typing error"):
        CAMERA_RAW.info(tmp_path / "absent.cr2")


def test_names_beyond_ascii_are_opened(tmp_path):
    """Paths with umlauts and other scripts are no obstacle."""
    path = write_dng(tmp_path / "Köln 星.dng", mosaic())

    assert np.array_equal(pixels(CAMERA_RAW, path)[0], mosaic())


def test_cameras_are_recognised_by_their_suffix(tmp_path):
    """Canon, Nikon, Sony, Fujifilm and the rest; TIFF is not claimed."""
    for suffix in ("cr2", "CR3", "nef", "ARW", "raf", "dng", "rw2", "orf", "pef", "kdc", "gpr"):
        assert CAMERA_RAW.matches(tmp_path / f"a.{suffix}", b"")
    assert not CAMERA_RAW.matches(tmp_path / "a.tif", b"II*\0")


def tiff(entries):
    """Return a TIFF with one directory of short ASCII strings, rationals and 16-bit lists."""
    data = b""
    offset = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        if isinstance(value, str):
            kind, count, payload = 2, len(value) + 1, value.encode() + b"\0"
        elif isinstance(value, tuple):
            kind, count, payload = 5, 1, struct.pack("<II", *value)
        else:
            kind, count, payload = 3, len(value), struct.pack(f"<{len(value)}H", *value)
        payload += bytes(-len(payload) % 2)
        if len(payload) <= 4:
            directory += struct.pack("<HHI", tag, kind, count) + payload.ljust(4, b"\0")
        else:
            directory += struct.pack("<HHII", tag, kind, count, offset + len(data))
            data += payload
    return b"II*\0\x08\0\0\0" + directory + bytes(4) + data


def box(name, content):
    """Return a box of an ISO base media file."""
    return struct.pack(">I4s", len(content) + 8, name) + content


def test_canon_cr3_boxes_are_read(tmp_path):
    """Make, exposure and the sensor's temperature come from CMT1, CMT2 and CMT3."""
    path = tmp_path / "a.cr3"
    image = tiff([(271, "Canon"), (272, "Canon EOS R6")])
    exif = tiff(
        [
            (33434, (300, 1)),
            (34855, [1600]),
            (36867, "2026:03:04 00:30:15"),
            (36881, "+02:00"),
            (37521, "25"),
        ]
    )
    maker = tiff([(4, [68, 0, 160, 196, 300, 64, 0, 0, 3, 0, 8, 0, 128 + 31, 0])])
    parts = box(b"CMT1", image) + box(b"CMT2", exif) + box(b"CMT3", maker)
    movie = box(b"moov", box(b"uuid", bytes(16) + box(b"CNCV", b"CanonCR3") + parts))
    path.write_bytes(box(b"ftyp", b"crx \0\0\0\1crx isom") + movie)

    header = Header(exif_cards(read_exif(path)))

    assert header.get("INSTRUME") == "Canon EOS R6"
    assert header.get("EXPTIME") == 300
    assert header.get("ISOSPEED") == 1600
    assert header.get("CCD-TEMP") == 31
    assert header.get("DATE-LOC") == "2026-03-04T00:30:15.250000"
    expected = datetime(2026, 3, 3, 22, 30, 15, 250000, tzinfo=UTC)
    assert datetime.fromisoformat(f"{header.get('DATE-OBS')}+00:00") == expected


def test_fujifilm_raf_is_read_through_its_preview(tmp_path):
    """The EXIF tags of a RAF file are those of the JPEG inside."""
    exif = b"Exif\0\0" + tiff([(271, "FUJIFILM"), (272, "X-T4")])
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + b"\xff\xd9"
    start = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 148, len(jpeg))
    path = tmp_path / "a.raf"
    path.write_bytes(start.ljust(148, b"\0") + jpeg)

    assert Header(exif_cards(read_exif(path))).get("INSTRUME") == "FUJIFILM X-T4"


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"FUJIFILM", b"\0\0\0\x18ftypcrx ", b"II*\0"])
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_no_exif_instead_of_an_error(tmp_path_factory, data, start):
    """Whatever a file holds, reading its facts does not raise."""
    path = tmp_path_factory.mktemp("any") / "a.cr3"
    path.write_bytes(start + data)

    assert isinstance(exif_cards(read_exif(path)), list)


def test_zeros_and_nonsense_of_cameras_are_unknown():
    """0 s, ISO 0, f/0 and -128 degrees say that the camera does not know."""
    tags = {
        "EXIF ExposureTime": 0.0,
        "EXIF ISOSpeedRatings": 0,
        "EXIF FNumber": float("nan"),
        "EXIF FocalLength": 0,
        "MakerNote CameraTemperature": "-128 C",
        "EXIF DateTimeOriginal": "0000:00:00 00:00:00",
        "EXIF FocalPlaneXResolution": 72,
    }

    assert exif_cards(tags) == []


@pytest.mark.parametrize(
    "tags",
    [
        {"MakerNote SensorTemperature": float("nan")},
        {"EXIF FocalPlaneResolutionUnit": [2, 2], "EXIF FocalPlaneXResolution": 5000.0},
    ],
)
def test_damaged_numbers_of_cameras_are_unknown(tags):
    """A fraction over zero, or two numbers where one is meant, does not stop the reading."""
    assert exif_cards(tags) == []


def test_a_date_before_all_dates_is_read_as_the_clock_has_it():
    """A camera that was never set and is east of Greenwich has no time in UTC."""
    tags = {
        "EXIF DateTimeOriginal": "0001:01:01 00:00:00",
        "EXIF OffsetTimeOriginal": "+02:00",
    }

    assert "DATE-OBS" not in Header(exif_cards(tags))


@pytest.mark.parametrize("notes", [[68, 0, 160], [68] * 12 + [1.5]])
def test_damaged_notes_of_canon_have_no_temperature(tmp_path, monkeypatch, notes):
    """Notes that are cut short, or hold other numbers, leave the rest of the tags alone."""
    path = tmp_path / "a.cr3"
    parts = box(b"CMT1", tiff([(271, "Canon"), (272, "Canon EOS R6")])) + box(b"CMT3", b"notes")
    path.write_bytes(box(b"ftyp", b"crx ") + box(b"moov", box(b"uuid", bytes(16) + parts)))
    whole = _camera_raw_exif._tags
    monkeypatch.setattr(
        _camera_raw_exif,
        "_tags",
        lambda file: {"Image Tag 0x0004": notes} if file.getvalue() == b"notes" else whole(file),
    )

    header = Header(exif_cards(read_exif(path)))

    assert header.get("INSTRUME") == "Canon EOS R6"
    assert "CCD-TEMP" not in header


REAL = {
    "CRW_0101.CRW": ("RGGB", "Canon PowerShot S40", 50, 0.009914),
    "CRW_0304.CRW": ("RGGB", "Canon PowerShot G2", 50, 0.019829),
    "P003908.KDC": ("GRBG", "Eastman Kodak Company Kodak DC120 ZOOM Digital Camera", None, 0.00364),
    "RAW_NIKON_D1.NEF": ("BGGR", "NIKON D1", 200, 0.004),
    "colorchart.dng": ("RGGB", "Canon EOS Kiss X4", None, None),
}


@pytest.mark.parametrize("name", REAL)
def test_real_camera_files_are_read_as_libraw_reads_them(shared_data, name):
    """The visible pixels are LibRaw's to the bit, and the colours are those it tells."""
    path = shared_data / "camera-raw" / name
    cell, camera, iso, exposure = REAL[name]

    info = CAMERA_RAW.info(path)

    with rawpy.imread(str(path)) as raw:
        assert np.array_equal(pixels(CAMERA_RAW, path)[0], raw.raw_image_visible)
        letters = np.array([chr(code) for code in raw.color_desc])[raw.raw_colors_visible]
        assert "".join(letters[:2, :2].reshape(-1)) == info.cfa.name == cell
        assert info.saturation_dn == raw.white_level
        assert info.black_dn == np.mean(raw.black_level_per_channel)
    assert info.camera == camera
    assert info.gain == iso
    assert info.exposure_s == exposure


def test_real_files_without_pixels_are_refused(shared_data, capfd):
    """Metadata without pixels, and compressions LibRaw does not know, are told with a remedy."""
    folder = shared_data / "camera-raw"
    paths = [*(folder / "metadata-only").iterdir(), folder / "GOPR8513.GPR"]
    for path in paths:
        for read in (CAMERA_RAW.info, CAMERA_RAW.header, CAMERA_RAW.open):
            with pytest.raises(UnreadableFileError, match=r"(?s)LibRaw cannot.*convert it to DNG"):
                read(path)

    assert len(paths) == 7


def test_facts_of_real_files_without_pixels_are_read(shared_data):
    """EXIF is found in CR2, CR3, RAF and NEF."""
    folder = shared_data / "camera-raw" / "metadata-only"

    def facts(name):
        header = Header(exif_cards(read_exif(folder / name)))
        return header.get("INSTRUME"), header.get("EXPTIME"), header.get("ISOSPEED")

    assert facts("CanonRaw.cr2") == ("Canon EOS 350D DIGITAL", pytest.approx(1 / 15), 400)
    assert facts("Canon-R6-pruned.CR3") == ("Canon EOS R6", 0.25, 100)
    assert facts("FujiFilm.raf") == ("FUJIFILM FinePix S5Pro", 0.004, 100)
    assert facts("Nikon.nef") == ("NIKON D70", 0.05, 200)
