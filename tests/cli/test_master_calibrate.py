"""``lightframe master`` and ``lightframe calibrate``."""

import numpy as np
import pytest

from lightframe.frames import FrameKind, read_header, read_image, read_info
from lightframe.session import scan
from step_frames import files


def pixels(path):
    """Return a file's pixels in float64."""
    return read_image(path)[1].astype(np.float64)


@pytest.fixture(scope="module")
def masters(ccd, tmp_path_factory):
    """Return the folder of the CCD's masters, made by the command line."""
    from lightframe.cli import main  # noqa: PLC0415 (the function of the same name is a fixture)

    folder = tmp_path_factory.mktemp("masters")
    for kind, source, more in (
        ("bias", "bias", []),
        ("dark", "darks", []),
        ("flat", "flats", ["--bias", folder / "bias.fits"]),
    ):
        words = ["master", kind, *files(ccd, source), "-o", folder / f"{kind}.fits", *more]
        assert main([str(word) for word in [*words, "--json"]]) == 0
    return folder


def test_a_master_is_the_mean_of_its_frames(lightframe, ccd, tmp_path):
    """Without rejection a master bias is the average, and its header says what it is."""
    frames = files(ccd, "bias")
    out = tmp_path / "bias.fits"
    code, document, _ = lightframe(
        "master", "bias", *frames, "-o", out, "--rejection", "none", "--json"
    )
    mean = np.mean([pixels(path) for path in frames], axis=0)
    assert code == 0
    assert np.abs(pixels(out) - mean).max() < 1e-2
    (record,) = document["masters"]
    assert record["frames"] == len(frames)
    assert record["rejected_fraction"] == 0
    assert record["levels_dn"] == [np.median(pixels(path)) for path in frames]
    info = read_info(out)
    assert (info.kind, info.is_master, info.frames_combined) == (FrameKind.BIAS, True, len(frames))


def test_flats_are_calibrated_once_and_say_so(lightframe, ccd, masters):
    """The master flat is free of its bias, and its header tells what was subtracted."""
    raw = np.mean([pixels(path) for path in files(ccd, "flats")], axis=0)
    flat = pixels(masters / "flat.fits")
    bias = pixels(masters / "bias.fits")
    assert np.median(raw - bias) == pytest.approx(np.median(flat), rel=0.01)
    assert read_info(masters / "flat.fits").calibration == {FrameKind.BIAS}
    assert any(
        "bias.fits" in str(line) for line in read_header(masters / "flat.fits").values("HISTORY")
    )


def test_a_master_flat_with_its_history_serves_in_a_run(masters):
    """A scan takes the masters for masters of their kinds, calibrated flats, too."""
    found = scan([masters])
    kinds = {info.path.stem: (info.kind, info.is_master) for info in found.frames}
    assert kinds == {
        "bias": (FrameKind.BIAS, True),
        "dark": (FrameKind.DARK, True),
        "flat": (FrameKind.FLAT, True),
    }


def test_bias_and_flat_dark_together_are_refused(lightframe, ccd, masters, tmp_path):
    """The bias would be subtracted twice: wrong usage, with the remedy."""
    code, _, errors = lightframe(
        "master", "flat", *files(ccd, "flats"), "--bias", masters / "bias.fits",
        "--flat-dark", masters / "dark.fits", "-o", tmp_path / "flat.fits",
    )  # fmt: skip
    assert code == 2
    assert "twice" in errors
    assert not (tmp_path / "flat.fits").exists()


def test_frames_of_another_kind_and_bad_ones_are_set_aside(lightframe, ccd, broken, tmp_path):
    """A light and a broken file among darks are named; the master is made of the darks."""
    darks, light = files(ccd, "darks"), files(ccd, "lights")[0]
    code, document, errors = lightframe(
        "master", "dark", *darks, light, broken, "-o", tmp_path / "dark.fits", "--json"
    )
    assert code == 1
    assert document["masters"][0]["frames"] == len(darks)
    assert "is a light frame" in errors
    assert "broken.fits" in errors
    assert lightframe("master", "dark", light, "-o", tmp_path / "none.fits")[0] == 3


def test_uncalibrated_flats_are_remarked(lightframe, ccd, tmp_path):
    """Without bias or flat-dark the master is made, with a warning."""
    code, text, _ = lightframe("master", "flat", *files(ccd, "flats"), "-o", tmp_path / "flat.xisf")
    assert code == 0
    assert "undercorrected" in text
    assert read_info(tmp_path / "flat.xisf").is_master


def test_calibration_follows_the_formulas(lightframe, ccd, masters, tmp_path):
    """With and without scaling, every pixel is that of the guide's equations, in float64."""
    light = files(ccd, "lights")[0]
    bias, dark, flat = (pixels(masters / f"{name}.fits") for name in ("bias", "dark", "flat"))
    given = ["--dark", masters / "dark.fits", "--flat", masters / "flat.fits"]
    given += ["--bias", masters / "bias.fits"]
    code, document, _ = lightframe("calibrate", light, *given, "-o", tmp_path / "a", "--json")
    (record,) = document["lights"]
    plain = (pixels(light) - dark) / flat * record["s"][0]
    assert code == 0
    assert pixels(tmp_path / "a" / f"{light.stem}_c.fits") == pytest.approx(plain, abs=0.02)
    assert record["k"] is None
    assert any("not used" in note for note in record["notes"])
    _, document, _ = lightframe(
        "calibrate", light, *given, "--optimize-dark", "-o", tmp_path / "b", "--json"
    )
    (record,) = document["lights"]
    scaled = (pixels(light) - bias - record["k"] * (dark - bias)) / flat * record["s"][0]
    assert pixels(tmp_path / "b" / f"{light.stem}_c.fits") == pytest.approx(scaled, abs=0.02)
    assert record["k"] == pytest.approx(180 / 600, rel=0.05)


def test_a_flat_divided_by_the_master_flat_is_flat(lightframe, ccd, masters, tmp_path):
    """Vignetting is gone: corners and centre agree to the noise of their medians."""
    flat = files(ccd, "flats")[0]
    lightframe(
        "calibrate", flat, "--bias", masters / "bias.fits", "--flat", masters / "flat.fits",
        "-o", tmp_path,
    )  # fmt: skip
    raw = pixels(flat)[0] - pixels(masters / "bias.fits")[0]
    result = pixels(tmp_path / f"{flat.stem}_c.fits")[0]
    corner, centre = (slice(0, 30), slice(0, 40)), (slice(75, 105), slice(100, 140))
    assert np.median(raw[corner]) / np.median(raw[centre]) < 0.95
    assert np.median(result[corner]) / np.median(result[centre]) == pytest.approx(1, abs=0.002)


def test_truncated_integers_are_counted_and_the_pedestal_is_stated(
    lightframe, ccd, masters, tmp_path
):
    """Integers are truncated and counted; the pedestal stands in the header, once."""
    light, dark = files(ccd, "lights")[0], files(ccd, "darks")[0]
    words = ["calibrate", light, "--dark", masters / "dark.fits", "--json"]
    _, document, _ = lightframe(*words, "--sample-format", "uint16", "-o", tmp_path / "cut")
    (record,) = document["lights"]
    assert record["truncated"] == pytest.approx(record["clipped_fraction"] * 240 * 180, abs=5)
    assert record["truncated"] > 0
    words = ["calibrate", dark, "--dark", masters / "dark.fits", "--json"]
    _, document, _ = lightframe(*words, "--pedestal", "auto", "-o", tmp_path / "auto")
    (record,) = document["lights"]
    info, image = read_image(tmp_path / "auto" / f"{dark.stem}_c.fits")
    assert 10 < record["pedestal_dn"] == info.pedestal_dn < 1000
    assert np.mean(image < 0) <= 1e-4
    assert info.header.values("PEDESTAL") == (record["pedestal_dn"],)
    assert info.calibration == {FrameKind.BIAS, FrameKind.DARK}
    history = " ".join(map(str, info.header.values("HISTORY")))
    assert "ImageCalibration.masterDark.fileName: dark.fits" in history


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "nothing to calibrate with"),
        (["--optimize-dark"], 2, "no dark"),
        (["--dark", "dark.fits", "--optimize-dark"], 2, "without a master bias"),
        (["--dark", "bias.fits", "--pedestal", "5000"], 2, "pedestal"),
        (["--dark", "nothing.fits"], 3, "nothing.fits"),
        (["--dark", "dark.fits", "--set", "calibration.flat_trm=0.1"], 2, "flat_trm"),
        (["--dark", "dark.fits", "--image-area", "[1:9,1:9]"], 2, "belong together"),
    ],
)
def test_wrong_usage_is_refused(lightframe, ccd, masters, tmp_path, words, code, message):
    """What cannot be done is said before anything is written."""
    words = [masters / word if str(word).endswith(".fits") else word for word in words]
    found, _, errors = lightframe(
        "calibrate", files(ccd, "lights")[0], *words, "-o", tmp_path / "out"
    )
    assert found == code
    assert message in errors


def test_a_light_is_calibrated_once(lightframe, ccd, masters, tmp_path):
    """Frames that say they are calibrated are set aside unless asked for."""
    light = files(ccd, "lights")[0]
    dark = masters / "dark.fits"
    lightframe("calibrate", light, "--dark", dark, "-o", tmp_path)
    done = tmp_path / f"{light.stem}_c.fits"
    code, _, errors = lightframe("calibrate", done, "--dark", dark, "-o", tmp_path / "again")
    assert code == 3
    assert "--again" in errors
    assert lightframe("calibrate", done, "--dark", dark, "-o", tmp_path / "x", "--again")[0] == 0


def test_a_dark_is_not_scaled_up_unless_told(lightframe, ccd, masters, tmp_path):
    """Darks of 600 s calibrated with 'darks' of 180 s: refused, then done with k beyond 1."""
    short = tmp_path / "short.fits"
    lightframe("master", "dark", *files(ccd, "lights"), "--any-kind", "-o", short)
    words = ["calibrate", files(ccd, "darks")[0], "--dark", short, "--bias", masters / "bias.fits"]
    words += ["--optimize-dark", "-o", tmp_path / "out"]
    code, _, errors = lightframe(*words)
    assert code == 3
    assert "scaled up" in errors
    code, document, _ = lightframe(*words, "--allow-dark-scale-up", "--json")
    assert code == 0
    assert document["lights"][0]["k"] > 2


def test_comparison_of_dark_scaling_finds_the_right_way(lightframe, ccd, masters):
    """A dark of 600 s on lights of 180 s leaves -70 % of its pattern; scaled, it leaves none."""
    code, document, _ = lightframe(
        "calibrate", *files(ccd, "lights")[:2], "--dark", masters / "dark.fits",
        "--bias", masters / "bias.fits", "--compare-dark-scaling", "--json",
    )  # fmt: skip
    assert code == 0
    for light in document["lights"]:
        plain, scaled = light["trials"]
        assert plain["residuals"][0]["pattern"] == pytest.approx(-0.7, abs=0.05)
        assert scaled["residuals"][0]["pattern"] == pytest.approx(0, abs=0.03)
        assert abs(scaled["residuals"][0]["correlation"]) < abs(
            plain["residuals"][0]["correlation"]
        )


def test_results_in_xisf_keep_colours_and_provenance(lightframe, osc, tmp_path):
    """A calibrated mosaic as XISF: same pixels, pattern and history as in FITS."""
    light, bias = files(osc, "lights")[0], tmp_path / "bias.fits"
    lightframe("master", "bias", *files(osc, "bias"), "-o", bias)
    for name in ("fits", "xisf"):
        lightframe("calibrate", light, "--bias", bias, "-o", tmp_path / name, "--format", name)
    first, second = (read_image(tmp_path / n / f"{light.stem}_c.{n}") for n in ("fits", "xisf"))
    assert np.array_equal(first[1], second[1])
    assert first[0].cfa == second[0].cfa == read_info(light).cfa
    assert first[0].exposure_s == second[0].exposure_s
    assert first[0].calibration == second[0].calibration


def test_two_files_of_one_name_are_refused(lightframe, ccd, masters, tmp_path):
    """Nothing is overwritten silently."""
    light = files(ccd, "lights")[0]
    copy = tmp_path / light.name
    copy.write_bytes(light.read_bytes())
    code, _, errors = lightframe(
        "calibrate", light, copy, "--dark", masters / "dark.fits", "-o", tmp_path / "out"
    )
    assert code == 2
    assert "same file" in errors
