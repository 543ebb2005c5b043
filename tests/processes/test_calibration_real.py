"""Dark scaling on real frames, where exposures and temperatures say what to expect."""

from pathlib import Path

import numpy as np
import pytest

from lightframe.frames import read_image
from lightframe.processes import CalibrationSettings, Masters, evaluate_noise, prepare_calibration


def _mean(folder: Path, pattern: str):
    frames = [read_image(path)[1][0] for path in sorted(folder.glob(pattern))]
    return np.median(frames, axis=0).astype(np.float32)


@pytest.mark.parametrize("objective", ["wavelet-noise", "regression"])
def test_m13_follows_the_ratio_of_exposures(shared_data, objective):
    """A cooled CCD, dark of 80 s, lights of 60 to 160 s: k is the ratio within 2 percent.

    What is left follows the temperature, which wanders by 0.2 degrees.
    """
    folder = shared_data / "m13-mono-ccd"
    masters = Masters(bias=_mean(folder, "Bias*"), dark=_mean(folder, "Dark*"), dark_exposure_s=80)
    settings = CalibrationSettings(dark_scaling="optimize", dark_objective=objective)
    prepared = prepare_calibration(masters, settings, height=1024, width=1024)
    ratios, factors, temperatures = [], [], []
    for path in sorted(folder.glob("M13*")):
        info, light = read_image(path)
        scale = prepared.dark_scale(light, exposure_s=info.exposure_s)
        assert scale.determined
        assert scale.sigma_k < 0.003
        ratios.append(info.exposure_s / 80)
        factors.append(scale.k)
        temperatures.append(info.temperature_c)
    assert factors == pytest.approx(ratios, rel=0.02)
    assert np.corrcoef(np.array(factors) / ratios, temperatures)[0, 1] > 0.5


def test_asi120_darks_of_30_s_are_three_tenths_of_those_of_100_s(shared_data):
    """An uncooled colour camera: k of a 30 s dark is 0.3 within 2 percent for every colour."""
    folder = shared_data / "asi120-osc-calibration"
    first = min((folder / "dark_30s").glob("*"))
    info, dark = read_image(first)
    masters = Masters(
        bias=_mean(folder / "bias", "*"), dark=_mean(folder / "dark_100s", "*"), dark_exposure_s=100
    )
    settings = CalibrationSettings(dark_scaling="optimize", dark_scale_per_colour=True)
    prepared = prepare_calibration(
        masters, settings, height=info.height, width=info.width, cfa=info.cfa
    )
    scale = prepared.dark_scale(dark)
    assert scale.determined
    assert scale.factors == pytest.approx((0.3, 0.3, 0.3), rel=0.02)


def test_both_noise_methods_agree_on_a_real_colour_frame(shared_data):
    """On a Seestar light MRS and k-sigma agree within 2 percent on each plane."""
    path = min((shared_data / "seestar-m94-osc").glob("*.fit"))
    info, light = read_image(path)
    first, second = (evaluate_noise(light, info.cfa, name) for name in ("mrs", "k-sigma"))
    assert first.planes == ("R", "G1", "G2", "B")
    assert first.sigma_dn == pytest.approx(second.sigma_dn, rel=0.02)
