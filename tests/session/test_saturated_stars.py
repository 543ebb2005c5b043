"""Stars that saturate are the same for a run and for single steps."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lightframe.session import Bench, RunSettings, measure_files, run
from lightframe.simulation import simulate_session
from step_frames import files, small


@pytest.fixture(scope="module")
def bright(tmp_path_factory):
    """Simulate a session whose lights show stars 60 times as bright, many beyond full scale."""
    folder = tmp_path_factory.mktemp("bright")
    simulate_session(folder / "raw", small("mono-cmos", width=480, height=360), threads=2)
    for path in files(folder / "raw", "lights"):
        with fits.open(path, mode="update") as hdus:
            pixels = hdus[0].data.astype(np.float64)
            level = np.median(pixels)
            stars = np.where(pixels > level + 60, 60 * (pixels - level), pixels - level)
            hdus[0].data = np.clip(level + stars, 0, 65535).astype(np.uint16)
    return folder


def test_a_run_and_single_steps_find_the_same_stars_saturated(bright, tmp_path):
    """Nothing is stated in the headers: the limit of the integers counts, through calibration."""
    settings = RunSettings.parse({"keep": ["calibrated"], "correct_defects": False})
    document = run([bright / "raw"], tmp_path / "out", settings).document
    lights = {Path(light["path"]).stem: light for light in document["lights"]}

    kept = sorted((tmp_path / "out" / "calibrated").iterdir())
    measured = measure_files(kept, Bench()).done

    assert len(kept) == len(lights) == 4
    for one in measured:
        light = lights[one.info.path.name.removesuffix("_c.fits")]
        saturated = one.measurement.stars.saturated
        assert 50000 < one.info.saturation_dn < 65535
        assert saturated.sum() >= 3
        assert not saturated.all()
        assert light["stars"] == one.measurement.star_count
        assert light["fwhm_px"] == pytest.approx(one.measurement.fwhm_px, rel=1e-6)
