"""The variance map: residuals over its root have a width of 1."""

import numpy as np
import pytest
from test_integration import Planes

from lightframe.frames import CfaPattern
from lightframe.frames._pixels import Window
from lightframe.processes._debayer import debayer
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration import integrate
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._rejection import REJECTIONS
from lightframe.processes._resampling import ResampleSettings, resample
from lightframe.session._results import of_mosaic

SHAPE = (160, 320)
SKY = 1000.0


def lights(frames, *, unequal=1.0, shape=SHAPE, seed=0, hits=0.0):
    """Return frames of different transparency, sky and noise, and their true statistics."""
    rng = np.random.default_rng(seed)
    sources, statistics = [], []
    for k in range(frames):
        noise = 10.0 * unequal ** (k / (frames - 1))
        clear = 1.0 - 0.3 * k / frames * (unequal != 1)
        sky = SKY + 13.0 * k
        pixels = rng.normal(sky, noise, shape)
        pixels[rng.random(shape) < hits] += 3000
        sources.append(Planes(pixels[None].astype(np.float32)))
        statistics.append(FrameStatistics(*(np.array([v]) for v in (sky, clear, clear, noise))))
    return sources, statistics


def width(result):
    """Return the standard deviation of residuals over the predicted sigma."""
    residual = (result.image - np.median(result.image)) / np.sqrt(result.variance)
    return (residual - residual.mean()).std()


@pytest.mark.parametrize("rejection", sorted({*REJECTIONS} - {"min-max"}))
@pytest.mark.parametrize("frames", [3, 5, 8, 20, 60])
def test_residuals_have_the_predicted_width_with_any_rejection(rejection, frames):
    """The variance that false rejections add is in the map."""
    sources, statistics = lights(frames)
    limits = {"ccd": {"gain": 10.0, "read_noise": 0.0}}
    settings = IntegrationSettings(rejection=rejection, limits=limits, variance=True)
    result = integrate(sources, settings, statistics=statistics)
    assert width(result) == pytest.approx(1, abs=0.015)


@pytest.mark.parametrize("combination", ["average", "median", "minimum", "maximum", "sum"])
def test_every_combination_has_its_own_variance(combination):
    """The median is noisier than the mean, extremes noisier still."""
    sources, statistics = lights(15)
    settings = IntegrationSettings(combination=combination, variance=True)
    result = integrate(sources, settings, statistics=statistics)
    assert width(result) == pytest.approx(1, abs=0.015)


@pytest.mark.parametrize("weight", ["none", "noise", "snr"])
@pytest.mark.parametrize("normalization", ["additive", "additive-scaling", "local"])
@pytest.mark.parametrize("compared", ["none", "scale", "local"])
def test_unequal_frames_are_predicted(weight, normalization, compared):
    """Noise that grows by two, transparency that falls, weights: residuals keep their width."""
    sources, statistics = lights(16, unequal=2.0)
    settings = IntegrationSettings(
        weight=weight, normalization=normalization, rejection_normalization=compared, variance=True
    )
    result = integrate(sources, settings, statistics=statistics)
    assert width(result) == pytest.approx(1, abs=0.03)


def test_real_outliers_and_missing_samples_widen_the_prediction():
    """Where cosmic rays and edges leave fewer samples, the map says so, and is right."""
    sources, statistics = lights(20, hits=0.01)
    for k, source in enumerate(sources):
        source.planes[:, :, : 12 * k] = np.nan
    result = integrate(sources, IntegrationSettings(variance=True), statistics=statistics)
    thin = result.weight < 6
    normalized = (result.image - SKY) / np.sqrt(result.variance)
    for part in (thin, ~thin):
        residual = normalized[part] - np.median(normalized[part])
        robust = 1.4826 * np.median(np.abs(residual))
        assert robust == pytest.approx(1, abs=0.03 if part is not thin else 0.05)
    assert np.median(result.variance[thin]) > 2 * np.median(result.variance[~thin])


@pytest.mark.parametrize("interpolation", ["lanczos3", "bilinear"])
def test_areas_of_resampled_lights_are_predicted(interpolation):
    """With the noise from before resampling, means over areas have their predicted width."""
    rng = np.random.default_rng(5)
    shape, side = (420, 420), 15
    settings = ResampleSettings(interpolation=interpolation)
    sources, statistics = lights(12, shape=shape, unequal=1.5, seed=3)
    for source in sources:
        angle = rng.uniform(-0.01, 0.01)
        inverse = np.array(
            [
                [np.cos(angle), -np.sin(angle), rng.uniform(-3, 3)],
                [np.sin(angle), np.cos(angle), rng.uniform(-3, 3)],
                [0, 0, 1],
            ]
        )
        out = np.empty((1, *shape), np.float32)
        resample(
            source.planes, (0, 0), inverse, Window(0, shape[0], 0, shape[1]), settings, out,
            height=shape[0], width=shape[1],
        )  # fmt: skip
        source.planes = out
    result = integrate(sources, IntegrationSettings(variance=True), statistics=statistics)
    inner = slice(15, 405)
    blocks, variances = (
        plane[inner, inner].reshape(26, side, 26, side).mean(axis=(1, 3))
        for plane in (result.image[0].astype(float), result.variance[0])
    )
    residual = (blocks - SKY) / np.sqrt(variances / side**2)
    assert residual.std() == pytest.approx(1, abs=0.08)  # 676 blocks: 0.03 by chance
    pixels = (result.image[0, inner, inner] - SKY) / np.sqrt(result.variance[0, inner, inner])
    assert pixels.std() < 0.95


@pytest.mark.parametrize("method", ["rcd", "bilinear"])
def test_areas_of_debayered_lights_are_predicted(method):
    """Red and blue planes have a quarter of the samples, and four times the variance over areas."""
    rng = np.random.default_rng(8)
    cfa = CfaPattern(("RG", "GB"))
    sums = np.zeros(3)
    for _ in range(6):
        mosaic = rng.normal(1000, 10, (624, 624)).astype(np.float32)
        planes = np.empty((3, 624, 624), np.float32)
        debayer(mosaic, cfa, method, out=planes)
        blocks = planes[:, 24:600, 24:600].astype(float).reshape(3, 12, 48, 12, 48)
        sums += blocks.mean(axis=(2, 4)).var(axis=(1, 2)) * 48**2 / 6
    predicted = of_mosaic(np.full((3, 1, 1), 100, np.float32), cfa)[:, 0, 0]
    assert predicted.tolist() == [400, 200, 400]
    assert np.sqrt(sums / predicted) == pytest.approx(1, abs=0.07)  # 864 blocks: 0.024 by chance
