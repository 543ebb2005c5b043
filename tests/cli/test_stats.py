"""``lightframe stats`` and ``lightframe stretch``."""

import numpy as np
import pytest
from PIL import Image

from lightframe.frames import read_image
from step_frames import files


def test_statistics_of_a_mosaic_are_those_of_its_colours(lightframe, osc):
    """Each colour of a mosaic has its own line, with the values NumPy gives."""
    light = files(osc, "lights")[0]
    code, document, _ = lightframe("stats", light, "--json")
    info, pixels = read_image(light)
    cell = np.tile(info.cfa.planes(), (info.height // 2, info.width // 2))
    (entry,) = document["files"]
    assert code == 0
    assert [plane["name"] for plane in entry["planes"]] == ["R", "G", "B"]
    for colour, plane in enumerate(entry["planes"]):
        samples = pixels[0][cell == colour].astype(np.float64)
        assert plane["samples"] == samples.size
        assert plane["mean"] == pytest.approx(samples.mean(), rel=1e-12)
        assert plane["median"] == np.median(samples)
        assert plane["minimum"] == samples.min()
        assert plane["maximum"] == samples.max()


def test_a_bad_file_is_named_and_the_rest_goes_on(lightframe, osc, broken):
    """One unreadable file among several: exit code 1; alone: 3."""
    light = files(osc, "lights")[0]
    code, text, errors = lightframe("stats", light, broken)
    assert code == 1
    assert "median" in text
    assert "broken.fits" in errors
    assert "1 of 2 files" in errors
    assert lightframe("stats", broken)[0] == 3


def test_stretch_writes_a_colour_picture_of_a_mosaic(lightframe, osc, tmp_path):
    """A mosaic becomes a colour picture of half its size, with the background at a quarter."""
    picture = tmp_path / "new" / "light.png"
    code, text, _ = lightframe("stretch", files(osc, "lights")[0], "-o", picture)
    assert code == 0
    assert text.strip() == str(picture)
    with Image.open(picture) as image:
        assert image.size == (120, 90)
        assert image.mode == "RGB"
        assert np.median(np.asarray(image), axis=(0, 1)) == pytest.approx([64, 64, 64], abs=3)


def test_a_picture_under_a_name_of_another_format_is_refused(lightframe, osc, tmp_path):
    """Wrong usage ends with 2 and says what to do."""
    code, _, errors = lightframe("stretch", files(osc, "lights")[0], "-o", tmp_path / "light.jpg")
    assert code == 2
    assert "*.png" in errors
