"""Formats: which reader reads a file, whatever its name; and SharpCap's settings beside a frame."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import UnreadableFileError
from lightframe.frames import (
    FrameKind,
    Window,
    find_format,
    formats,
    has_image_suffix,
    open_pixels,
    read_header,
    read_image,
    read_info,
    with_settings,
)


@pytest.fixture
def light(tmp_path):
    """Write a small light of 16 bits and return its path."""
    path = tmp_path / "x.fits"
    data = np.arange(12, dtype=np.uint16).reshape(3, 4) + 60_000
    fits.PrimaryHDU(data, fits.Header({"IMAGETYP": "LIGHT", "EXPTIME": 30.0})).writeto(path)
    return path


def test_formats_are_named_as_in_frame_info():
    """The table's names are those of FrameInfo.format."""
    assert list(formats) == ["fits", "xisf", "raw"]


def test_a_frame_is_read_whole(light):
    """read_image returns float32 DN in planes, read_header the cards."""
    info, image = read_image(light)
    assert (info.format, info.kind, info.shape, info.channels) == (
        "fits",
        FrameKind.LIGHT,
        (3, 4),
        1,
    )
    assert (image.shape, image.dtype) == ((1, 3, 4), np.float32)
    np.testing.assert_array_equal(image.ravel(), np.arange(60_000, 60_012))
    assert read_header(light).get("EXPTIME") == 30.0


def test_pixels_are_read_by_windows(light, tmp_path):
    """open_pixels gives windows, also of a gzipped file, unpacked into the scratch folder."""
    packed = tmp_path / "x.fits.gz"
    packed.write_bytes(gzip.compress(light.read_bytes()))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for path in (light, packed):
        source = open_pixels(path, scratch=scratch)
        out = np.empty((1, 1, 2), np.uint16)
        source.read(Window(1, 2, 1, 3), out)
        source.close()
        np.testing.assert_array_equal(out.ravel(), [60_005, 60_006])
    assert list(scratch.iterdir()) == []


def test_first_bytes_decide_under_a_foreign_name(light):
    """A FITS file without suffix, or named .xisf, is still read as FITS."""
    for name in ("frame", "frame.dat"):
        other = light.with_name(name)
        other.write_bytes(light.read_bytes())
        assert read_info(other).kind is FrameKind.LIGHT


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.dat", b"\x89PNG", "is none of the formats that are read: FITS"),
        ("x.dat", b"", "is empty"),
        ("folder", None, "is a folder, not a file"),
        ("absent.fits", None, "no such file"),
    ],
)
def test_what_is_no_frame_is_refused_with_a_reason(name, content, words, tmp_path):
    """Foreign, empty, absent files and folders are clear errors that name the file."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "folder":
        path.mkdir()
    with pytest.raises(UnreadableFileError, match=words) as caught:
        find_format(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A.FITS", True),
        ("a.fit.gz", True),
        ("a.fz", True),
        ("a.XISF", True),
        ("a.CR2", True),
        ("a.gz", False),
        ("a.txt", False),
        ("fits", False),
    ],
)
def test_suffixes_are_compared_without_case(name, expected):
    """Suffixes are compared without case; a bare .gz is no frame."""
    assert has_image_suffix(Path(name)) is expected


SETTINGS = """[ZWO ASI290MM Mini]
FrameType=Dark
Exposure=2.000s
Gain=300
Black Level=20
Temperature=12.7
Binning=2
#comment=1
"""


def test_settings_fill_what_the_header_leaves_unknown(light, tmp_path):
    """SharpCap's settings give gain, offset and camera; the header's kind and exposure stand."""
    path = tmp_path / "x.CameraSettings.txt"
    path.write_text(SETTINGS, encoding="utf-8")
    info = with_settings(read_info(light), path)
    assert (info.kind, info.exposure_s) == (FrameKind.LIGHT, 30.0)
    assert (info.gain, info.offset, info.camera) == (300.0, 20.0, "ZWO ASI290MM Mini")
    assert (info.temperature_c, info.binning) == (12.7, (2, 2))
    assert info.notes[-1].startswith("from x.CameraSettings.txt: gain, offset")


def test_settings_that_cannot_be_read_change_nothing(light, tmp_path):
    """A missing or empty settings text is no error."""
    info = read_info(light)
    assert with_settings(info, tmp_path / "absent.txt") is info
