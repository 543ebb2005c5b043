"""``lightframe measure``, ``register`` and ``integrate``."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from lightframe.frames import read_image, read_info
from lightframe.session._records import unknown_light
from step_frames import files


@pytest.fixture(scope="module")
def registered(ccd, tmp_path_factory):
    """Return the folder of the CCD's lights, registered."""
    from lightframe.cli import main  # noqa: PLC0415 (the function of the same name is a fixture)

    folder = tmp_path_factory.mktemp("registered")
    dark, bias = folder / "dark.fits", folder / "bias.fits"
    lights = [str(path) for path in files(ccd, "lights")]
    for words in (
        ["master", "dark", *map(str, files(ccd, "darks")), "-o", str(dark)],
        ["master", "bias", *map(str, files(ccd, "bias")), "-o", str(bias)],
        ["calibrate", *lights, "--dark", str(dark), "--bias", str(bias), "--optimize-dark",
         "-o", str(folder / "c")],
        ["cosmetic", *(str(folder / "c" / f"M 17-000{n}L_c.fits") for n in (1, 2, 3, 4)),
         "--dark", str(dark), "-o", str(folder / "cc")],
        ["register", *(str(folder / "cc" / f"M 17-000{n}L_c_cc.fits") for n in (1, 2, 3, 4)),
         "-o", str(folder / "r")],
    ):  # fmt: skip
        assert main([*words, "--json"]) == 0
    return folder


def test_measurements_have_the_names_of_run_json(lightframe, ccd, broken):
    """Every entry has the keys of a light of run.json; a bad file is an entry with its reason."""
    lights = files(ccd, "lights")
    code, document, _ = lightframe("measure", *lights, broken, "--json")
    assert code == 1
    assert len(document["lights"]) == len(lights) + 1
    for entry in document["lights"]:
        assert unknown_light(lights[0], 1.0).keys() <= entry.keys()
    good, bad = document["lights"][:-1], document["lights"][-1]
    assert not bad["used"]
    assert bad["reason"]
    assert sum(entry["reference"] for entry in good) == 1
    assert all(entry["fwhm_px"] == pytest.approx(2.4, rel=0.25) for entry in good)
    assert np.mean([entry["weight"] for entry in good]) == pytest.approx(1)


def test_frames_without_stars_have_no_reference(lightframe, ccd):
    """Bias frames are measured; none of them is a reference."""
    code, text, _ = lightframe("measure", *files(ccd, "bias"))
    assert code == 0
    assert "None of the files" in text
    code, _, errors = lightframe("register", *files(ccd, "bias"))
    assert code == 3
    assert "reference" in errors


def test_registration_brings_stars_together(lightframe, registered):
    """After registration the files' stars lie within a fifth of a pixel of each other."""
    paths = sorted((registered / "r").glob("*_r.fits"))
    assert len(paths) == 4
    code, document, _ = lightframe("register", *paths, "--reference", paths[0], "--json")
    assert code == 0
    for entry in document["lights"]:
        transform = np.array(entry["transform"])
        centre = transform @ [120, 90, 1]
        assert centre[:2] / centre[2] == pytest.approx([120, 90], abs=0.2)
        if not entry["reference"]:
            assert entry["registration"]["rms_px"] < 0.4
    history = " ".join(map(str, read_info(paths[0]).header.values("HISTORY")))
    assert "StarAlignment.referenceImage" in history
    assert "ImageCalibration.masterDark" in history


def test_a_given_reference_outside_the_files_sets_the_grid(lightframe, registered, tmp_path):
    """Only the files are written, on the grid of the reference."""
    first, second = sorted((registered / "cc").glob("*.fits"))[:2]
    code, document, _ = lightframe(
        "register", second, "--reference", first, "-o", tmp_path, "--json"
    )
    assert code == 0
    assert [entry["path"] for entry in document["lights"]] == [str(second)]
    assert [path.name for path in tmp_path.iterdir()] == [f"{second.stem}_r.fits"]


def test_a_reference_may_have_the_name_of_a_light_or_another_path_to_one(
    lightframe, registered, tmp_path
):
    """What counts is the file: the first of another night, or a light named in another way."""
    first, second = sorted((registered / "cc").glob("*.fits"))[:2]
    other = tmp_path / "other night" / second.name
    other.parent.mkdir()
    shutil.copy(first, other)
    code, document, _ = lightframe(
        "register", second, "--reference", other, "-o", tmp_path / "r", "--json"
    )
    assert code == 0
    assert [entry["reference"] for entry in document["lights"]] == [False]
    (tmp_path / "link").symlink_to(first.parent)
    code, document, _ = lightframe(
        *("register", first, second, "--reference", tmp_path / "link" / first.name),
        *("-o", tmp_path / "r", "--json"),
    )
    assert code == 0
    assert [entry["reference"] for entry in document["lights"]] == [True, False]


def test_mosaics_are_registered_but_not_resampled(lightframe, osc, tmp_path):
    """Transforms of mosaics are reported; writing them would mix their colours."""
    lights = files(osc, "lights")
    code, document, _ = lightframe("register", *lights, "--json")
    assert code == 0
    assert all(entry["output"] is None for entry in document["lights"])
    code, _, errors = lightframe("register", *lights, "-o", tmp_path)
    assert code == 3
    assert "debayer" in errors


def test_a_plain_average_is_the_mean(lightframe, registered, tmp_path):
    """Without rejection, normalization and weights each pixel is the mean of what is there."""
    paths = sorted((registered / "r").glob("*_r.fits"))
    out = tmp_path / "mean.fits"
    code, document, _ = lightframe(
        "integrate", *paths, "-o", out, "--rejection", "none", "--normalization", "none",
        "--weight", "none", "--json",
    )  # fmt: skip
    stack = np.array([read_image(path)[1] for path in paths], np.float64)
    assert code == 0
    covered = np.isfinite(stack).all(axis=0)
    result = read_image(out)[1]
    assert result[covered] == pytest.approx(stack.mean(axis=0)[covered], abs=0.01)
    with fits.open(out) as units:
        assert [unit.name for unit in units[1:]] == ["WEIGHT", "REJ_LOW", "REJ_HIGH"]
        assert units["WEIGHT"].data == pytest.approx(np.isfinite(stack).sum(axis=0)[0])
    assert document["result"]["frames"] == 4
    info = read_info(out)
    assert info.frames_combined == 4
    assert info.total_exposure_s == 4 * 180
    assert {kind.value for kind in info.calibration} == {"bias", "dark"}


def test_integration_of_lights_gains_by_their_number(lightframe, registered, tmp_path):
    """Four lights: noise falls by about two; maps of variance and slope are written on request."""
    paths = sorted((registered / "r").glob("*_r.fits"))
    out = tmp_path / "lights.fits"
    code, document, _ = lightframe(
        "integrate", *paths, "-o", out, "--variance", "--rejection", "linear-fit", "--json"
    )
    assert code == 0
    assert 1.4 < document["result"]["gain_over_best_frame"] < 2.6
    assert [light["reference"] for light in document["lights"]] == [True, False, False, False]
    with fits.open(out) as units:
        assert {"SLOPE", "VARIANCE"} <= {unit.name for unit in units}


def test_pedestals_are_taken_off_once(lightframe, ccd, tmp_path):
    """A calibrated light with and without a pedestal gives the same result."""
    light, bias = files(ccd, "lights")[0], tmp_path / "bias.fits"
    lightframe("master", "bias", *files(ccd, "bias"), "-o", bias)
    for name, dn in (("a", "0"), ("b", "200")):
        lightframe("calibrate", light, "--bias", bias, "--pedestal", dn, "-o", tmp_path / name)
        source = tmp_path / name / f"{light.stem}_c.fits"
        assert lightframe("integrate", source, "-o", tmp_path / f"{name}.xisf")[0] == 0
    first, second = (read_image(tmp_path / f"{name}.xisf")[1] for name in "ab")
    assert first == pytest.approx(second, abs=0.02)


def test_weights_can_be_given_or_come_from_keywords(lightframe, ccd, tmp_path):
    """Numbers that are given are used, relative to their mean; missing ones are errors."""
    lights = files(ccd, "lights")[:2]
    words = ["integrate", *lights, "-o", tmp_path / "out.fits"]
    _, document, _ = lightframe(*words, "--weights", "3,1", "--json")
    assert [light["weight"] for light in document["lights"]] == [1.5, 0.5]
    _, document, _ = lightframe(*words, "--weight-keyword", "EXPTIME", "--json")
    assert [light["weight"] for light in document["lights"]] == [1.0, 1.0]
    assert lightframe(*words, "--weights", "3")[0] == 2
    code, _, said = lightframe(*words, "--weights", "3,1", "--weight", "noise")
    assert code == 2
    assert "--weights contradicts the weight 'noise'" in said
    assert lightframe(*words, "--weight-keyword", "NOTHING")[0] == 3


def test_a_pixel_can_be_traced(lightframe, registered, tmp_path):
    """Each file's sample and its fate; the result is that of the integration."""
    paths = sorted((registered / "r").glob("*_r.fits"))
    out = tmp_path / "out.fits"
    code, document, _ = lightframe(
        "integrate", *paths, "-o", out, "--trace-pixel", "120,90", "--json"
    )
    (trace,) = document["trace"]
    assert code == 0
    assert len(trace["samples"]) == 4
    assert trace["result"] == pytest.approx(read_image(out)[1][0, 90, 120], rel=1e-5)
    code, text, _ = lightframe("integrate", *paths, "--trace-pixel", "120,90")
    assert code == 0
    assert "survives" in text
    assert lightframe("integrate", *paths, "--trace-pixel", "240,90")[0] == 2
    assert lightframe("integrate", *paths)[0] == 2


def test_a_trace_tells_what_was_set_aside(lightframe, registered, broken, tmp_path):
    """Named on standard error and in JSON, once, and in the exit code; so with a result."""
    words = ["integrate", *sorted((registered / "r").glob("*_r.fits")), broken]
    words += ["--trace-pixel", "120,90"]
    for more in ([], ["-o", tmp_path / "out.fits"]):
        code, text, messages = lightframe(*words, *more)
        assert code == 1
        assert "survives" in text
        assert messages.count("broken.fits") == 1
        assert "set aside: 1 of 5 files" in messages
        code, document, _ = lightframe(*words, *more, "--json")
        assert code == 1
        assert [entry["path"] for entry in document["refused"]] == [str(broken)]
    code, document, _ = lightframe("integrate", broken, "--trace-pixel", "1,1", "--json")
    assert (code, document["trace"]) == (3, [])


def test_a_file_of_another_size_is_set_aside(lightframe, ccd, tmp_path, broken):
    """The majority decides; what does not fit and what is broken is named."""
    lights = files(ccd, "lights")
    odd = tmp_path / "odd.fits"
    fits.writeto(odd, fits.getdata(lights[0])[:100])
    code, document, errors = lightframe(
        "integrate", *lights, odd, broken, "-o", tmp_path / "out.fits", "--json"
    )
    assert code == 1
    assert document["result"]["frames"] == len(lights)
    assert "odd.fits" in errors
    assert "broken.fits" in errors


@pytest.mark.parametrize(
    "command",
    ["stats", "stretch", "master flat", "calibrate", "cosmetic", "debayer", "measure", "register",
     "integrate"],
)  # fmt: skip
def test_every_command_explains_itself(lightframe, command):
    """--help names the command, ends with 0, and no option is without a meaning."""
    code, text, _ = lightframe(*command.split(), "--help")
    assert code == 0
    assert f"usage: lightframe {command}" in text


def test_local_normalization_is_a_choice(lightframe, registered, tmp_path):
    """Gradients of registered files are evened out to the reference, with scales by stars."""
    paths = []
    for number, path in enumerate(sorted((registered / "r").glob("*_r.fits"))):
        paths.append(tmp_path / path.name)
        with fits.open(path) as units:
            width = units[0].data.shape[1]
            units[0].data += number * 100 / 65535 * np.linspace(-1, 1, width, dtype=np.float32)
            units.writeto(paths[-1])
    slopes = {}
    for name in ("local", "additive-scaling"):
        out = tmp_path / f"{name}.fits"
        code, _, _ = lightframe(
            "integrate", *paths, "-o", out, "--normalization", name, "--rejection", "none", "--json"
        )
        assert code == 0
        image = read_image(out)[1][0]
        first = read_image(paths[0])[1][0]
        left = image - first
        slopes[name] = np.nanmedian(left[:, -60:-20]) - np.nanmedian(left[:, 20:60])
    assert slopes["additive-scaling"] > 100
    assert abs(slopes["local"]) < 10
