"""Wrong inputs to single steps: each is refused, or named in a note, and none passes in silence."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from check_sessions import mono, osc, written
from lightframe.cli import main
from lightframe.frames import FrameKind
from lightframe.simulation import FlatLevel, WrongSetting

DARK, FLAT = (FrameKind.DARK,), (FrameKind.FLAT,)


class Desk:
    """Raw frames of a session with their masters, and what can be done to copies of these."""

    def __init__(self, raw, masters):
        self.raw, self.masters = raw, masters

    def frames(self, kind):
        """Return the raw frames of one kind."""
        return sorted((self.raw / kind).iterdir())

    def master(self, kind, out, change=None, **cards):
        """Return a copy of a master, with pixels and header changed."""
        with fits.open(self.masters / f"{kind}.fits") as file:
            pixels, header = np.array(file[0].data), file[0].header.copy()
        for keyword, value in cards.items():
            header[keyword.replace("_", "-")] = value
        path = out / f"{kind}_changed.fits"
        fits.writeto(path, pixels if change is None else change(pixels), header)
        return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return frames of a monochrome camera with a master bias, dark and flat."""
    folder = tmp_path_factory.mktemp("desk")
    raw, masters = written(folder / "raw", mono()), folder / "masters"
    masters.mkdir()
    for kind, name, words in (
        ("bias", "bias", ()),
        ("dark", "darks", ()),
        ("flat", "flats", ("--bias", masters / "bias.fits")),
    ):
        files = [str(path) for path in sorted((raw / name).iterdir())]
        assert main(["master", kind, *files, *map(str, words), "-o", f"{masters / kind}.fits"]) == 0
    return Desk(raw, masters)


@pytest.fixture
def calibrated(desk, lightframe, tmp_path):
    """Return a function that calibrates a light: exit code, and all that was said."""

    def run(*words, light=None):
        light = light or desk.frames("lights")[0]
        code, out, err = lightframe("calibrate", light, *words, "-o", tmp_path / "out")
        return code, " ".join((out + err).split())

    return run


SAID = {
    "dark of another exposure": ("dark", {"EXPTIME": 30.0}, "exposure 30 s instead of 90 s"),
    "dark at +20 degrees": (
        "dark",
        {"CCD_TEMP": 20.0, "SET_TEMP": 20.0},
        "temperature 20 °C instead of -10 °C",
    ),
    "dark of another gain": ("dark", {"GAIN": 0.0}, "gain 0 instead of 100"),
    "dark of another offset": ("dark", {"OFFSET": 10.0}, "offset 10 instead of 50"),
    "dark of another camera": ("dark", {"INSTRUME": "QHY600M"}, "camera QHY600M instead of"),
    "dark of another binning": (
        "dark",
        {"XBINNING": 2, "YBINNING": 2},
        "binning 2 x 2 instead of 1 x 1",
    ),
    "flat of another filter": ("flat", {"FILTER": "Ha"}, "filter Ha instead of L"),
}


@pytest.mark.parametrize("what", SAID)
def test_a_master_of_other_settings_is_named_with_both_values(what, desk, calibrated, tmp_path):
    """The note tells quantity and both values."""
    kind, cards, text = SAID[what]
    code, said = calibrated(f"--{kind}", desk.master(kind, tmp_path, **cards))

    assert code == 0
    assert f"{kind}_changed.fits: {text}" in said


@pytest.mark.parametrize("kind", ["bias", "dark", "flat"])
def test_a_master_of_another_size_stops_the_light(kind, desk, calibrated, tmp_path):
    """No frame is written un-flattened."""
    small = desk.master(kind, tmp_path, lambda pixels: pixels[..., :-2, :-2])
    code, said = calibrated(f"--{kind}", small)

    assert code == 3
    assert "size (rows x columns) differs" in said
    assert not list((tmp_path / "out").glob("*_c.fits"))


def test_a_dark_of_three_channels_stops_the_light(desk, calibrated, tmp_path):
    """Channels of both are told."""
    colour = desk.master("dark", tmp_path, lambda pixels: np.stack([pixels.squeeze()] * 3))
    code, said = calibrated("--dark", colour)

    assert code == 3
    assert "number of channels differs" in said


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--dark", "flat", "--flat", "dark"), "given as dark, says of itself that it is a flat"),
        (("--flat", "bias"), "given as flat, says of itself that it is a bias"),
        (("--bias", "flat"), "given as bias, says of itself that it is a flat"),
    ],
)
def test_exchanged_masters_are_refused(words, text, desk, calibrated):
    """Before any light is read."""
    files = [desk.masters / f"{word}.fits" if word[0] != "-" else word for word in words]
    code, said = calibrated(*files)

    assert code == 2
    assert text in said


def test_a_bias_beside_a_dark_that_holds_it_is_not_subtracted_twice(desk, calibrated, tmp_path):
    """It cancels out, and is left out; insisting is told with its consequence."""
    words = ("--bias", desk.masters / "bias.fits", "--dark", desk.masters / "dark.fits")
    code, said = calibrated(*words)
    once = np.median(fits.getdata(next((tmp_path / "out").glob("*_c.fits")))) * 65535
    _, insisted = calibrated(*words, "--calibrate-dark", "false")
    twice = np.median(fits.getdata(next((tmp_path / "out").glob("*_c.fits")))) * 65535

    assert code == 0
    assert "it cancels out" in said
    assert "the bias is subtracted twice" in insisted
    assert once - twice == pytest.approx(500.0, abs=3.0)


def test_flats_without_bias_are_named_when_made_and_when_used(
    desk, lightframe, calibrated, tmp_path
):
    """By the master that is made of them, and by each light it is given to."""
    flat = tmp_path / "flat.fits"
    _, out, err = lightframe("master", "flat", *desk.frames("flats"), "-o", flat)
    _, said = calibrated("--flat", flat)

    assert "the flats are not calibrated" in " ".join((out + err).split())
    assert "integrated from flats that were not calibrated" in said


def test_saturated_flats_are_named_by_their_rule(desk, lightframe, tmp_path):
    """The limit and the part of the pixels above it."""
    raw = written(tmp_path / "bright", mono(FlatLevel(level=1.5)))
    flats = sorted((raw / "flats").iterdir())
    bias = desk.masters / "bias.fits"
    _, out, _ = lightframe("master", "flat", *flats, "--bias", bias, "-o", tmp_path / "flat.fits")

    assert "flat-saturated: 100 % of the pixels lie above 58982 DN" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--dark", "dark"), "cannot be scaled without a master bias"),
        (("--bias", "bias"), "there is no dark to be scaled"),
    ],
)
def test_dark_optimization_asks_for_what_it_needs(words, text, desk, calibrated):
    """A dark without bias to tell its dark signal, and nothing to scale, are wrong usage."""
    option, name = words
    code, said = calibrated(option, desk.masters / f"{name}.fits", "--optimize-dark")

    assert code == 2
    assert text in said


def test_a_frame_smaller_than_the_window_of_the_optimization_is_scaled(desk, calibrated):
    """A factor of one, within its error, from 352 x 256 pixels."""
    masters = [
        word for kind in ("bias", "dark") for word in (f"--{kind}", f"{desk.masters}/{kind}.fits")
    ]
    code, said = calibrated(*masters, "--optimize-dark")
    k, error = (float(found) for found in re.search(r"_c.fits ([\d.]+) ± ([\d.]+)", said).groups())

    assert code == 0
    assert abs(k - 1.0) < 5 * error < 0.1


def test_a_light_that_was_calibrated_is_not_calibrated_again(desk, calibrated, tmp_path):
    """What was done to it already is told."""
    calibrated("--dark", desk.masters / "dark.fits")
    once = shutil.move(next((tmp_path / "out").glob("*_c.fits")), tmp_path / "once.fits")
    code, said = calibrated("--dark", desk.masters / "dark.fits", light=once)

    assert code == 3
    assert "has been calibrated before (bias, dark)" in said


def test_zeros_in_a_flat_make_missing_pixels_and_are_counted(desk, calibrated, tmp_path):
    """NaN where nothing can be known, never zero; the count is in the table."""

    def with_zeros(pixels):
        pixels.reshape(-1)[::977] = 0.0
        return pixels

    code, said = calibrated("--flat", desk.master("flat", tmp_path, with_zeros))
    light = fits.getdata(next((tmp_path / "out").glob("*_c.fits")))
    holes = np.isnan(light.reshape(-1))

    assert code == 0
    assert holes[::977].all()
    assert holes.sum() == holes[::977].size
    assert f" {holes.sum()} " in said
    assert not np.any(light == 0.0)


def test_a_monochrome_frame_is_not_debayered(desk, lightframe, tmp_path):
    """No pattern is taken from settings in silence."""
    code, _, err = lightframe("debayer", desk.frames("lights")[0], "-o", tmp_path / "out")

    assert code == 3
    assert "is no mosaic" in err


def test_a_dark_of_mixed_settings_says_of_which(desk, lightframe, tmp_path):
    """Two groups with exposure, temperature and gain; a light and a bias are set aside."""
    fault = WrongSetting(
        kinds=DARK, numbers=(2, 3), exposure_s=9.0, temperature_c=15.0, gain=0.0, honest=True
    )
    raw = written(tmp_path / "mixed", mono(fault))
    strangers = [desk.frames("lights")[0], desk.frames("bias")[0]]
    files = [*sorted((raw / "darks").iterdir()), *strangers]
    code, out, err = lightframe("master", "dark", *files, "-o", tmp_path / "dark.fits")
    said, errors = " ".join(out.split()), " ".join(err.split())

    assert code == 1
    assert "2 darks 90 s, -10 °C, gain 100; 2 darks 9 s, 15 °C, gain 0" in said
    assert "is a light frame (by IMAGETYP), not a dark frame" in errors
    assert "is a bias frame (by IMAGETYP), not a dark frame" in errors
    assert fits.getval(tmp_path / "dark.fits", "NCOMBINE") == 4


@pytest.mark.parametrize("damage", ["truncated", "noise"])
def test_one_damaged_file_is_set_aside(damage, desk, lightframe, tmp_path):
    """The others make the master; exit code and message tell of the one."""
    files = [Path(shutil.copy(path, tmp_path)) for path in desk.frames("darks")]
    data = files[1].read_bytes()
    files[1].write_bytes(data[: len(data) // 2] if damage == "truncated" else data[::-1])
    code, _, err = lightframe("master", "dark", *files, "-o", tmp_path / "dark.fits")

    assert code == 1
    assert files[1].name in err
    assert fits.getval(tmp_path / "dark.fits", "NCOMBINE") == 3


def test_unregistered_lights_are_named_with_how_far_they_are_off(lightframe, tmp_path):
    """They are integrated as asked, and it is said what that does to their stars."""
    raw = written(tmp_path / "raw", osc().resized(400, 500))
    lights = sorted((raw / "lights").iterdir())
    code, out, err = lightframe("integrate", *lights, "-o", tmp_path / "sum.fits")

    assert code == 0
    assert "register the files first" in " ".join((out + err).split())


def test_missing_pixels_are_no_part_of_a_mean(desk, lightframe, tmp_path):
    """NaN of one file of four: the mean of the other three, and a hole where all have one."""
    files = []
    for number, path in enumerate(desk.frames("bias")):
        pixels = fits.getdata(path).astype(np.float32)
        pixels[5, 5] = np.nan
        if number == 2:
            pixels[7, 9] = np.nan
        files.append(tmp_path / f"{number}.fits")
        fits.writeto(files[-1], pixels, fits.Header({"DNSCALE": 1.0}))
    words = ("--rejection", "none", "--normalization", "none", "--weight", "none")
    code, _, _ = lightframe("integrate", *files, *words, "-o", tmp_path / "mean.fits")
    mean = np.squeeze(fits.getdata(tmp_path / "mean.fits")) * 65535
    others = [fits.getdata(path).astype(float)[7, 9] for path in files]

    assert code == 0
    assert np.isnan(mean[5, 5])
    assert mean[7, 9] == pytest.approx(np.nanmean(others), rel=1e-6)
    assert np.isnan(mean).sum() == 1


def test_zeros_are_values_and_not_missing(lightframe, tmp_path):
    """Frames of 0, 0, 10, 10, 20 and 0 have a mean of 6.67, not of 13.33."""
    files = []
    for number, level in enumerate((0, 0, 10, 10, 20, 0)):
        files.append(tmp_path / f"{number}.fits")
        fits.writeto(files[-1], np.full((40, 40), level, np.uint16))
    words = ("--rejection", "none", "--normalization", "none", "--weight", "none")
    lightframe("integrate", *files, *words, "-o", tmp_path / "mean.fits")

    assert fits.getdata(tmp_path / "mean.fits") * 65535 == pytest.approx(20 / 3, rel=1e-6)


def test_winsorized_rejection_of_two_frames_says_that_it_rejects_nothing(
    desk, lightframe, tmp_path
):
    """Nothing tells which of two is wrong."""
    code, out, _ = lightframe(
        "integrate",
        *desk.frames("bias")[:2],
        "--rejection",
        "winsorized",
        "-o",
        tmp_path / "a.fits",
    )

    assert code == 0
    assert "rejects no single outlier here" in " ".join(out.split())


def test_a_file_that_is_there_is_told_of_before_it_is_replaced(desk, lightframe, tmp_path):
    """Never in silence; an input is never replaced at all."""
    files = desk.frames("bias")
    lightframe("integrate", *files, "-o", tmp_path / "a.fits")
    _, _, err = lightframe("integrate", *files, "-o", tmp_path / "a.fits")
    code, _, refusal = lightframe("integrate", *files, "-o", files[0])

    assert "a.fits is there already, and will be replaced" in " ".join(err.split())
    assert code == 2
    assert "would replace an input" in refusal


def test_a_missing_master_is_named(desk, calibrated, tmp_path):
    """The file that is not there, and exit code 3."""
    code, said = calibrated("--dark", tmp_path / "nothing.fits")

    assert code == 3
    assert "nothing.fits" in said
