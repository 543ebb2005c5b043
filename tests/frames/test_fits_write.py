"""Writing FITS: what is written is valid, complete, and read back to the bit."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightframe.errors import ResourceError, SettingsError
from lightframe.frames import Card, Header, Window, write_fits
from lightframe.frames._fits import FITS

EMPTY = Header()


def read(path):
    """Return the source's type, the image in DN and the notes."""
    source = FITS.open(path)
    out = np.empty((source.channels, source.height, source.width), np.float32)
    source.read(Window(0, source.height, 0, source.width), out)
    source.close()
    return out


def planes(*shape, seed=0):
    """Return a noisy image in DN that reaches beyond 16 bits at both ends, with a hole."""
    image = np.random.default_rng(seed).normal(1000, 50, shape).astype(np.float32)
    image[..., 0, 1], image[..., 1, 0], image[..., 2, 3] = -3.4, 70000.0, np.nan
    return image


@pytest.mark.parametrize("units", ["unit", "dn"])
@pytest.mark.parametrize("channels", [1, 3])
def test_float_images_are_valid_and_equal_to_the_bit(tmp_path, units, channels):
    """Samples are DN / 65535 or DN in float32, never truncated; astropy and we read the same."""
    image = planes(channels, 20, 30)
    path = tmp_path / "a.fits"

    report = write_fits(path, image, EMPTY, units=units)

    scale = np.float32(65535 if units == "unit" else 1)
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].header["BITPIX"] == -32
        assert hdus[0].header["DNSCALE"] == scale
        assert hdus[0].data.ndim == (3 if channels == 3 else 2)
        stored = hdus[0].data.reshape(image.shape)
        assert np.array_equal(stored, image / scale, equal_nan=True)
    assert np.array_equal(read(path), image / scale * scale, equal_nan=True)
    assert FITS.open(path).notes == ()
    assert (report.clipped_low, report.clipped_high) == (0, 0)
    assert report.bytes == path.stat().st_size
    assert report.bytes % 2880 == 0


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=12).map(
            lambda shape: (3 if shape[0] > 6 else 1, *shape[1:])
        ),
        elements=st.floats(width=32),
    )
)
@settings(deadline=None, max_examples=60)
def test_any_float_image_survives_in_dn(tmp_path_factory, image):
    """Every float32, subnormal and infinite ones included, comes back with its bits."""
    path = tmp_path_factory.mktemp("any") / "a.fits"

    write_fits(path, image, EMPTY, units="dn")

    assert np.array_equal(read(path), image, equal_nan=True)


def test_sixteen_bit_images_are_rounded_truncated_and_counted(tmp_path):
    """Values beyond 0..65535 are cut and counted; the rest is the nearest integer."""
    image = np.array([[[-3.4, -0.4, 0.4, 0.6, 1.5, 65535.4, 65536.0, 1e9]]], np.float32)
    path = tmp_path / "a.fits"

    report = write_fits(path, image, EMPTY, sample_format="uint16")

    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert "BLANK" not in hdus[0].header
        assert "DNSCALE" not in hdus[0].header
        assert hdus[0].data.dtype == np.uint16
        assert hdus[0].data.tolist() == [[0, 0, 0, 1, 2, 65535, 65535, 65535]]
    assert (report.clipped_low, report.clipped_high) == (1, 2)
    assert FITS.open(path).dtype == np.uint16


def test_missing_pixels_of_sixteen_bit_images_stay_missing(tmp_path):
    """Where pixels are missing, 0 stands for them, and a true 0 becomes 1 and is counted."""
    image = np.array([[[np.nan, 0.0, 1.0, 2.0]]], np.float32)
    path = tmp_path / "a.fits"

    report = write_fits(path, image, EMPTY, sample_format="uint16")

    assert np.array_equal(read(path)[0, 0], [np.nan, 1, 1, 2], equal_nan=True)
    assert report.clipped_low == 1


@given(hnp.arrays(np.uint16, st.tuples(st.just(1), st.integers(1, 20), st.integers(1, 20))))
@settings(deadline=None, max_examples=40)
def test_sixteen_bit_integers_survive(tmp_path_factory, image):
    """Every 16-bit image comes back exactly, and is stacked as uint16."""
    path = tmp_path_factory.mktemp("any") / "a.fits"

    write_fits(path, image.astype(np.float32), EMPTY, sample_format="uint16")

    source = FITS.open(path)
    out = np.empty(image.shape, np.uint16)
    source.read(Window(0, source.height, 0, source.width), out)
    assert np.array_equal(out, image)


def test_an_image_of_many_strips_is_written_whole(tmp_path):
    """Strips, and the last shorter one, leave no seam."""
    image = planes(3, 301, 1001)
    for sample_format in ("float32", "uint16"):
        write_fits(tmp_path / "a.fits", image, EMPTY, units="dn", sample_format=sample_format)
        expected = image if sample_format == "float32" else np.rint(np.clip(image, 1, 65535))
        assert np.array_equal(read(tmp_path / "a.fits"), expected, equal_nan=True)


def test_extensions_carry_maps(tmp_path):
    """WEIGHT, REJ_LOW and the like are image extensions of their own type."""
    weight = planes(20, 30)
    low = np.random.default_rng(0).integers(0, 65535, (3, 20, 30)).astype(np.uint16)
    high = np.random.default_rng(1).integers(0, 255, (1, 20, 30)).astype(np.uint8)
    path = tmp_path / "a.fits"

    maps = [("WEIGHT", weight), ("REJ_LOW", low), ("REJ_HIGH", high)]
    report = write_fits(path, planes(1, 20, 30), EMPTY, extensions=maps)

    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "WEIGHT", "REJ_LOW", "REJ_HIGH"]
        assert np.array_equal(hdus["WEIGHT"].data, weight, equal_nan=True)
        assert np.array_equal(hdus["REJ_LOW"].data, low)
        assert np.array_equal(hdus["REJ_HIGH"].data, high[0])
        assert "DNSCALE" not in hdus["WEIGHT"].header
    assert report.bytes == path.stat().st_size


def test_structural_keywords_are_ours_and_the_rest_is_kept(tmp_path):
    """The header of a frame can be handed on: what describes the array is replaced."""
    header = Header(
        [
            Card("SIMPLE", True),
            Card("BITPIX", 16),
            Card("NAXIS", 2),
            Card("NAXIS1", 9999),
            Card("NAXIS2", 9999),
            Card("NAXIS3", 3),
            Card("BZERO", 32768),
            Card("BSCALE", 1),
            Card("BLANK", 0),
            Card("DATAMAX", 65535.0),
            Card("DATAMIN", 0.0),
            Card("DNSCALE", 16383.0),
            Card("CHECKSUM", "abc"),
            Card("OBJECT", "Sh2-101 \N{GREEK SMALL LETTER ALPHA} Köln", "[] target"),
            Card("EXPTIME", 120.5, "[s] exposure of a frame"),
            Card("EXPTIME", 3.0),
            Card("HISTORY", "ImageCalibration.outputPedestal: 100"),
        ]
    )
    path = tmp_path / "a.fits"

    write_fits(path, planes(1, 20, 30), header)

    found = FITS.header(path)
    assert found.values("EXPTIME") == (120.5,)
    assert found.card("EXPTIME").comment == "[s] exposure of a frame"
    assert found.get("OBJECT") == "Sh2-101 ? Koln"
    assert found.values("HISTORY") == ("ImageCalibration.outputPedestal: 100",)
    assert found.values("NAXIS1") == (30,)
    assert found.get("DNSCALE") == 65535.0
    unwanted = {"DATAMAX", "DATAMIN", "BLANK", "BZERO", "BSCALE", "CHECKSUM", "NAXIS3"}
    assert not unwanted & {card.keyword for card in found}
    with fits.open(path) as hdus:
        hdus.verify("exception")


def test_an_existing_file_is_replaced_as_a_whole(tmp_path):
    """The old file is there until the new one is complete, and nothing else is left."""
    path = tmp_path / "a.fits"
    write_fits(path, planes(3, 40, 50), EMPTY)

    write_fits(path, planes(1, 20, 30, seed=1), EMPTY)

    assert read(path).shape == (1, 20, 30)
    assert [each.name for each in tmp_path.iterdir()] == ["a.fits"]


def test_an_absent_folder_is_a_settings_error(tmp_path):
    """The path of the output is the user's: the message says what to do."""
    with pytest.raises(SettingsError, match=r"(?s)No such file.*choose a folder"):
        write_fits(tmp_path / "absent" / "a.fits", planes(1, 20, 30), EMPTY)


@pytest.mark.parametrize("step", ["reserve", "write"])
def test_a_full_disk_is_a_resource_error_and_leaves_nothing(tmp_path, monkeypatch, step):
    """Neither a part of the new file nor a damaged old one remains."""
    path = tmp_path / "a.fits"
    write_fits(path, planes(1, 20, 30), EMPTY)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    steps = {"reserve": "_scratch.reserve", "write": "_fits_write._Unit.write"}
    monkeypatch.setattr(f"lightframe.frames.{steps[step]}", full)
    with pytest.raises(ResourceError, match="No space left"):
        write_fits(path, planes(1, 20, 30, seed=1), EMPTY)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_without_posix_fallocate_files_are_the_same(tmp_path, monkeypatch):
    """Systems without the call get the same bytes."""
    with_call = write_fits(tmp_path / "a.fits", planes(3, 20, 30), EMPTY)
    monkeypatch.delattr("os.posix_fallocate")

    without = write_fits(tmp_path / "b.fits", planes(3, 20, 30), EMPTY)

    assert with_call == without
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


def test_wrong_arguments_are_refused(tmp_path):
    """Unknown units, types that are not written and shapes that are no image are errors."""
    path = Path(tmp_path / "a.fits")
    with pytest.raises(ValueError, match="units 'adu'"):
        write_fits(path, planes(1, 20, 30), EMPTY, units="adu")
    with pytest.raises(TypeError, match="complex64"):
        write_fits(path, planes(20, 30), EMPTY, extensions=[("X", np.ones((2, 2), np.complex64))])
    with pytest.raises(ValueError, match="shape"):
        write_fits(path, np.ones((1, 1, 2, 2), np.float32), EMPTY)
    with pytest.raises(ValueError, match="shape"):
        write_fits(path, np.ones((1, 0, 2), np.float32), EMPTY)
    assert not path.exists()
