"""``lightframe master bias --superbias``, and the same in a run."""

import json
import re

import numpy as np
import pytest
from astropy.io import fits

from lightframe.cli import main
from lightframe.frames import read_header, read_image
from lightframe.processes import SuperbiasSettings, superbias
from step_frames import files


def _history(path):
    return [str(line) for line in read_header(path).values("HISTORY")]


def test_the_model_of_the_master_is_written(lightframe, ccd, tmp_path):
    """The file is the superbias of the plain master, tells so, and is called a master bias."""
    frames = files(ccd, "bias")
    plain, model = tmp_path / "plain.fits", tmp_path / "superbias.fits"
    assert lightframe("master", "bias", *frames, "-o", plain)[0] == 0
    code, document, _ = lightframe(
        "master", "bias", *frames, "--superbias", "--superbias-layers", 5, "-o", model, "--json"
    )
    (record,) = document["masters"]
    assert code == 0
    assert record["superbias"]["noise_avoided_dn"] > 0
    assert "Superbias.layers: 5" in _history(model)
    assert not any("Superbias" in line for line in _history(plain))
    bias = read_image(plain)[1]
    expected = superbias(bias, SuperbiasSettings(layers=5)).image
    np.testing.assert_allclose(read_image(model)[1], expected, atol=0.02)
    info = read_image(model)[0]
    assert (info.kind, info.is_master) == ("bias", True)


def test_offsets_of_single_pixels_are_remarked(lightframe, tmp_path):
    """A CMOS sensor with offsets of 4 DN and a master's noise of 1.3: the remark has both."""
    rng = np.random.default_rng(1)
    pattern = rng.normal(500, 4, (180, 240))
    for index in range(5):
        pixels = (pattern + rng.normal(0, 3, pattern.shape)).round().astype(np.uint16)
        header = fits.Header({"IMAGETYP": "Bias Frame", "EXPTIME": 0.0})
        fits.writeto(tmp_path / f"bias_{index}.fits", pixels, header)
    frames = sorted(tmp_path.glob("bias_*.fits"))
    code, text, _ = lightframe(
        "master", "bias", *frames, "--superbias", "-o", tmp_path / "model.fits"
    )
    assert code == 0
    lost, avoided = re.search(r"single pixels, (\S+) DN .* avoids only (\S+) DN", text).groups()
    assert float(lost) == pytest.approx(4, rel=0.1)
    assert float(avoided) == pytest.approx(3 / np.sqrt(5), rel=0.1)


def test_a_wrong_setting_is_wrong_usage(lightframe, ccd, tmp_path):
    """A trim of half of all pixels leaves none."""
    code, _, errors = lightframe(
        "master", "bias", *files(ccd, "bias"), "--superbias", "--superbias-trim", 0.5,
        "-o", tmp_path / "bias.fits",
    )  # fmt: skip
    assert code == 2
    assert "superbias_model.trim" in errors


@pytest.mark.slow
def test_a_run_makes_the_superbias_if_told(ccd, tmp_path):
    """run.json tells of it; the journal does not mix it up with the plain master."""
    out = tmp_path / "out"
    assert main(["run", str(ccd), "-o", str(out), "--json"]) in (0, 1)
    code = main(["run", str(ccd), "-o", str(out), "--json", "--set", "superbias=true"])
    assert code in (0, 1)
    document = json.loads((out / "run.json").read_text(encoding="utf-8"))
    kinds = {master["kind"]: master["superbias"] for master in document["masters"]}
    assert kinds["bias"] is not None
    assert kinds["dark"] is None
