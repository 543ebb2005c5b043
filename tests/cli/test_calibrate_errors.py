"""What ``lightframe calibrate`` refuses: each message names the files and both values."""

import numpy as np
import pytest
from astropy.io import fits

SHAPE = (60, 80)


class _Folder:
    """Writes small frames."""

    def __init__(self, path):
        self.path = path
        self.rng = np.random.default_rng(1)

    def write(self, name, pixels, **cards):
        """Write pixels as they are, and return the file."""
        path = self.path / name
        fits.writeto(path, pixels, fits.Header(cards), overwrite=True)
        return path

    def light(self, name="light.fits", *, shape=SHAPE, level=1500, **cards):
        pixels = self.rng.normal(level, 30, shape).round().astype(np.uint16)
        return self.write(name, pixels, IMAGETYP="Light", EXPTIME=60.0, **cards)

    def master(self, kind, *, shape=SHAPE, level=500.0, scale=1.0, **cards):
        pixels = (self.rng.normal(level, 3, shape) / scale).astype(np.float32)
        cards = {"IMAGETYP": f"Master {kind}", "EXPTIME": 60.0} | cards
        return self.write(f"{kind.lower()}.fits", pixels, **cards)


@pytest.fixture
def folder(tmp_path):
    """Return a writer of frames."""
    return _Folder(tmp_path)


@pytest.fixture
def refused(lightframe, tmp_path):
    """Return a function that calibrates and expects a refusal with all the given words."""

    def run(light, *words, code=3, says):
        out = tmp_path / "out"
        found, document, errors = lightframe("calibrate", light, *words, "-o", out, "--json")
        assert found == code
        errors = " ".join(errors.split())
        for word in says:
            assert word in errors
        if code == 3:
            (entry,) = document["lights"]
            assert entry["used"] is False
            assert entry["reason"]
        assert not list(out.glob("*_c.fits"))

    return run


@pytest.mark.parametrize("kind", ["Bias", "Dark", "Flat"])
def test_masters_of_another_size_are_refused(folder, refused, kind):
    """Rows and columns of both sides are told, and both files."""
    master = folder.master(kind, shape=(50, 70))
    words = [f"--{kind.lower()}", master]
    refused(folder.light(), *words, says=["light.fits", master.name, "50 x 70", "60 x 80"])


@pytest.mark.parametrize("kind", ["Dark", "Flat"])
def test_a_master_of_another_pattern_than_the_light_is_refused(folder, refused, kind):
    """Both patterns are told, and both files."""
    light = folder.light(BAYERPAT="RGGB", ROWORDER="TOP-DOWN")
    master = folder.master(kind, BAYERPAT="GRBG", ROWORDER="TOP-DOWN")
    words = [f"--{kind.lower()}", master]
    refused(light, *words, says=["light.fits", master.name, "RGGB", "GRBG", "flipped"])


def test_a_dark_of_another_pattern_than_the_flat_is_refused(folder, refused):
    """Both are named, even where the light does not say its own."""
    dark = folder.master("Dark", BAYERPAT="GBRG", ROWORDER="TOP-DOWN")
    flat = folder.master("Flat", level=20000, BAYERPAT="RGGB", ROWORDER="TOP-DOWN")
    says = ["dark.fits has GBRG", "flat.fits has RGGB", "light.fits"]
    refused(folder.light(), "--dark", dark, "--flat", flat, says=says)


@pytest.mark.parametrize("role", ["dark", "bias"])
def test_a_master_in_fractions_that_is_read_as_dn_is_refused(folder, refused, role):
    """One pixel far beyond 1 hides its scale; that the light is far above it shows the mistake."""
    pixels = (folder.rng.normal(500, 3, SHAPE) / 65535).astype(np.float32)
    pixels[3, 3] = 1.5
    master = folder.write(f"{role}.fits", pixels, IMAGETYP=f"Master {role}", EXPTIME=60.0)
    says = [f"{role}.fits has values up to 0.0", "light.fits has a median of 1", "no DNSCALE"]
    refused(folder.light(), f"--{role}", master, says=says)


def test_a_master_in_dn_that_is_read_as_fractions_is_refused(folder, refused):
    """A dark of half a DN is taken as half of full scale, which no pixel of the light reaches."""
    pixels = folder.rng.uniform(0.2, 0.9, SHAPE).astype(np.float32)
    dark = folder.write("dark.fits", pixels, IMAGETYP="Master Dark", EXPTIME=60.0)
    says = ["dark.fits has a median of 3", "light.fits has 99.9 %", "fractions of full scale"]
    refused(folder.light(), "--dark", dark, says=says)


def test_a_dark_far_above_the_light_is_refused(folder, refused):
    """Both levels are told, and what may be wrong."""
    dark = folder.master("Dark", level=2600.0, DNSCALE=1.0)
    says = ["dark.fits has a median of 2", "light.fits has 99.9 %", "offset or gain"]
    refused(folder.light(), "--dark", dark, says=says)


@pytest.mark.parametrize("units", ["unit", "dn"])
def test_our_own_masters_keep_their_scale(folder, lightframe, tmp_path, units):
    """Masters written in either unit calibrate lights in DN to the same pixels."""
    darks = [
        folder.write(
            f"dark_{i}.fits",
            folder.rng.normal(500, 3, SHAPE).round().astype(np.uint16),
            IMAGETYP="Dark", EXPTIME=60.0,
        )
        for i in range(3)
    ]  # fmt: skip
    light, master = folder.light(), tmp_path / "master.fits"
    code, _, _ = lightframe("master", "dark", *darks, "-o", master, "--units", units)
    assert code == 0
    code, _, errors = lightframe(
        "calibrate", light, "--dark", master, "--units", "dn", "-o", tmp_path / "out", "--json"
    )
    assert (code, "differs" in errors) == (0, False)
    result = fits.getdata(tmp_path / "out" / "light_c.fits")
    assert np.median(result) == pytest.approx(1000, abs=3)


def test_a_dark_to_be_scaled_may_be_brighter_than_the_light(folder, lightframe, tmp_path):
    """A long warm dark, a short light: the bias is subtracted as it is, the dark by its factor."""
    light = folder.light(level=700)
    bias = folder.master("Bias", DNSCALE=1.0)
    dark = folder.master("Dark", level=2500.0, EXPTIME=600.0, DNSCALE=1.0)
    code, document, _ = lightframe(
        "calibrate", light, "--bias", bias, "--dark", dark, "--dark-scaling", "exposure",
        "-o", tmp_path / "out", "--json",
    )  # fmt: skip
    assert code == 0
    assert document["lights"][0]["k"] == pytest.approx(0.1)


def test_an_empty_flat_is_refused(folder, refused):
    """The flat is named, with its factor and the number of its pixels."""
    flat = folder.write("flat.fits", np.zeros(SHAPE, np.float32), IMAGETYP="Master Flat")
    says = ["light.fits", "flat.fits", "is 0 DN", "4800 of 4800 pixels", "illuminated"]
    refused(folder.light(), "--flat", flat, says=says)


def test_calibrating_with_nothing_is_wrong_usage(folder, refused):
    """Without master and overscan the remedy is told by an example."""
    refused(folder.light(), code=2, says=["nothing to calibrate with", "--dark FILE"])


def test_a_colour_image_that_was_a_mosaic_is_refused(folder, refused):
    """Three channels and a pattern in the header mean debayered, whatever the masters."""
    light = folder.light(shape=(3, *SHAPE), BAYERPAT="RGGB")
    says = ["light.fits", "3 channels", "RGGB", "calibrate the raw CFA frames"]
    refused(light, "--dark", folder.master("Dark"), says=says)


def test_a_colour_image_with_masters_of_a_mosaic_is_refused(folder, refused):
    """Where its header says nothing, the pattern of the master tells that it was a mosaic."""
    light = folder.light(shape=(3, *SHAPE))
    dark = folder.master("Dark", BAYERPAT="GRBG", ROWORDER="TOP-DOWN")
    says = ["light.fits has 3 channels", "dark.fits has the CFA pattern GRBG", "debayered"]
    refused(light, "--dark", dark, says=says)


def test_masters_of_one_plane_calibrate_all_channels(folder, lightframe, tmp_path):
    """Masters without a pattern serve colour images, channel by channel."""
    light = folder.light(shape=(3, *SHAPE))
    code, _, _ = lightframe(
        "calibrate", light, "--dark", folder.master("Dark"), "--units", "dn",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert code == 0
    result = fits.getdata(tmp_path / "out" / "light_c.fits")
    assert np.median(result, axis=(1, 2)) == pytest.approx([1000] * 3, abs=5)


def test_one_bad_frame_does_not_stop_the_others(folder, lightframe, broken, tmp_path):
    """A light of another size and a broken file are set aside by name; exit code 1."""
    good, small = folder.light(), folder.light("small.fits", shape=(50, 80))
    code, document, errors = lightframe(
        "calibrate", good, small, broken, "--dark", folder.master("Dark"),
        "-o", tmp_path / "out", "--json",
    )  # fmt: skip
    assert code == 1
    assert "small.fits" in errors
    assert "broken.fits" in errors
    used = {entry["path"].rsplit("/", 1)[1]: entry["used"] for entry in document["lights"]}
    assert used == {"light.fits": True, "small.fits": False, "broken.fits": False}
