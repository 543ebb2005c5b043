"""``lightframe cosmetic`` and ``lightframe debayer``."""

import numpy as np
import pytest
from astropy.io import fits

from lightframe.frames import (
    Card,
    CfaPattern,
    Header,
    read_header,
    read_image,
    read_info,
    write_fits,
)
from lightframe.processes import debayer
from step_frames import files


def test_hot_pixels_of_the_dark_are_replaced(lightframe, ccd, tmp_path):
    """Pixels that the dark calls hot get the median of their neighbours; the map names them."""
    dark, light = tmp_path / "dark.fits", files(ccd, "lights")[0]
    lightframe("master", "dark", *files(ccd, "darks"), "-o", dark)
    code, document, _ = lightframe(
        "cosmetic", light, "--dark", dark, "--no-detect", "--map", "-o", tmp_path, "--json"
    )
    (record,) = document["lights"]
    assert code == 0
    assert record["defects"]["hot"] > 20
    assert record["replaced"] == sum(record["defects"].values())
    before, after = read_image(light)[1][0], read_image(tmp_path / f"{light.stem}_cc.fits")[1][0]
    with fits.open(tmp_path / f"{light.stem}_cc.fits") as units:
        marks = units["DEFECTS"].data
    assert np.count_nonzero(marks == 1) == record["defects"]["hot"]
    assert np.array_equal(before[marks == 0], np.rint(after[marks == 0]))
    hot = marks == 1
    assert np.median(before[hot]) > np.median(after[hot])


def test_a_defect_list_is_honoured(lightframe, ccd, tmp_path):
    """A listed column is replaced wherever it lies; a list of another sensor is an error."""
    light, listed = files(ccd, "lights")[0], tmp_path / "list.txt"
    listed.write_text("column 100\n")
    words = ["cosmetic", light, "--no-detect", "--defect-list", listed, "-o", tmp_path, "--json"]
    code, document, _ = lightframe(*words)
    assert code == 0
    assert document["lights"][0]["defects"] == {"hot": 0, "cold": 0, "listed": 180}
    listed.write_text("column 5000\n")
    code, _, errors = lightframe(*words)
    assert code == 3
    assert "another sensor" in errors


def test_nothing_to_find_defects_with_is_wrong_usage(lightframe, ccd, tmp_path):
    """Without dark, list and detection the command says so."""
    code, _, errors = lightframe("cosmetic", files(ccd, "lights")[0], "--no-detect", "-o", tmp_path)
    assert code == 2
    assert "--dark" in errors


def test_a_dark_of_another_size_sets_the_light_aside(lightframe, ccd, osc, tmp_path):
    """Size and pattern are compared before anything is replaced."""
    dark = tmp_path / "dark.fits"
    lightframe("master", "dark", *files(osc, "darks"), "-o", dark)
    cropped = tmp_path / "cropped.fits"
    fits.writeto(cropped, fits.getdata(files(ccd, "lights")[0])[:100])
    code, _, errors = lightframe("cosmetic", cropped, "--dark", dark, "-o", tmp_path / "out")
    assert code == 3
    assert "size" in errors


def test_what_does_not_fit_a_correction_is_told(lightframe, osc, tmp_path):
    """A dark of another camera, a flat for a dark, frames that are debayered already."""
    light, dark, flat = (files(osc, kind)[0] for kind in ("lights", "darks", "flats"))
    other = tmp_path / "other.fits"
    info, pixels = read_image(dark)
    cards = [c for c in info.header if c.keyword not in {"INSTRUME", "BZERO", "BSCALE"}]
    write_fits(other, pixels, Header((*cards, Card("INSTRUME", "QHY600M"))), units="dn")
    code, out, _ = lightframe("cosmetic", light, "--dark", other, "-o", tmp_path)
    assert code == 0
    assert "note: other.fits: camera QHY600M instead of" in out

    code, _, err = lightframe("cosmetic", light, "--dark", flat, "-o", tmp_path)
    assert code == 2
    assert "given as dark, says of itself that it is a flat" in err

    lightframe("debayer", light, "-o", tmp_path)
    code, document, _ = lightframe(
        "cosmetic", tmp_path / f"{light.stem}_d.fits", "-o", tmp_path, "--json"
    )
    assert code == 0
    assert "before they are debayered" in document["lights"][0]["notes"][0]


def test_debayering_is_that_of_the_library_and_drops_the_pattern(lightframe, osc, tmp_path):
    """Three planes, no BAYERPAT, noise of the mosaic by colour, method in the history."""
    light = files(osc, "lights")[0]
    code, document, _ = lightframe("debayer", light, "--method", "rcd", "-o", tmp_path, "--json")
    (record,) = document["lights"]
    info, image = read_image(tmp_path / f"{light.stem}_d.fits")
    raw, mosaic = read_image(light)
    assert code == 0
    assert record["cfa"] == "RGGB"
    assert image.shape == (3, 180, 240)
    assert info.cfa is None
    assert image == pytest.approx(debayer(mosaic[0], raw.cfa, "rcd"), abs=0.01)
    header = read_header(tmp_path / f"{light.stem}_d.fits")
    assert header.get("BAYERPAT") is None
    assert header.get("NOISE01") * 65535 == pytest.approx(record["noise_dn"][1], rel=1e-3)
    assert "Debayer.method: rcd" in header.values("HISTORY")


def test_separate_channels_are_mono_files_of_one_filter(lightframe, osc, tmp_path):
    """Superpixel: three files of half the size and twice the pixel size."""
    light = files(osc, "lights")[0]
    code, *_ = lightframe(
        "debayer", light, "--method", "superpixel", "--separate-channels", "-o", tmp_path
    )
    assert code == 0
    for channel in "RGB":
        info = read_info(tmp_path / f"{light.stem}_d_{channel}.fits")
        assert (info.channels, info.height, info.width) == (1, 90, 120)
        assert info.filter == channel
        assert info.pixel_size_um == pytest.approx(2 * read_info(light).pixel_size_um)


def test_a_mono_frame_needs_a_pattern_to_be_debayered(lightframe, ccd, tmp_path):
    """Without a pattern the frame is set aside; with one given it is taken."""
    light = files(ccd, "lights")[0]
    code, _, errors = lightframe("debayer", light, "-o", tmp_path)
    assert code == 3
    assert "--pattern" in errors
    code, *_ = lightframe("debayer", light, "--pattern", "grbg", "-o", tmp_path)
    assert code == 0
    expected = debayer(read_image(light)[1][0], CfaPattern.from_name("GRBG"), "bilinear")
    found = read_image(tmp_path / f"{light.stem}_d.fits")[1]
    assert found == pytest.approx(expected, abs=0.01)
    assert lightframe("debayer", light, "--pattern", "RGB", "-o", tmp_path)[0] == 2
