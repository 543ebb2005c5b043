"""The variance map: residuals over its root have a width of 1."""

import numpy as np
import pytest
from test_integration import Planes

from lightframe.frames import CfaPattern
from lightframe.frames._pixels import Window
from lightframe.processes._debayer import debayer, debayer_area_variance
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration import integrate
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_variance import NoiseModel
from lightframe.processes._rejection import REJECTIONS
from lightframe.processes._resampling import ResampleSettings, resample

SHAPE = (160, 320)
SKY = 1000.0
XTRANS = ("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG")


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
        source.planes[...] = out
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


def low_frequency_power(planes):
    """Return the power of each plane's noise at wavelengths above 40 pixels; 1 for unit noise."""
    size = planes.shape[-1]
    y, x = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    slow = (np.hypot(y, x) < 1 / 40) & (x > 0)
    power = np.abs(np.fft.rfft2(planes - planes.mean(axis=(1, 2), keepdims=True))) ** 2
    return power[:, slow].mean(axis=1) / size**2


@pytest.mark.parametrize(
    ("pattern", "method"),
    [("bayer", "bilinear"), ("bayer", "vng"), ("bayer", "rcd"), ("xtrans", "bilinear"),
     ("xtrans", "xtrans"), ("bayer", "superpixel")],
)  # fmt: skip
def test_areas_of_debayered_noise_have_the_stated_variance(pattern, method):
    """What the table of methods says of noise at large scales is right within 2.5 percent."""
    rng = np.random.default_rng(8)
    cfa = CfaPattern(("RG", "GB") if pattern == "bayer" else XTRANS)
    powers = []
    for _ in range(4):
        planes = debayer(rng.normal(1000, 10, (984, 984)).astype(np.float32), cfa, method)
        inner = planes[:, 12:-12, 12:-12].astype(np.float64)
        powers.append(low_frequency_power(inner) / 10**2)
    expected = np.sqrt(debayer_area_variance(cfa, method))
    assert np.sqrt(np.mean(powers, axis=0)) == pytest.approx(expected, rel=0.025)


def test_areas_of_a_mosaic_have_fewer_samples():
    """A quarter for red and blue of a Bayer mosaic, half for green; superpixels average green."""
    cfa = CfaPattern(("RG", "GB"))
    assert debayer_area_variance(cfa, "bilinear") == (4, 2, 4)
    assert debayer_area_variance(cfa, "superpixel") == (1, 0.5, 1)


def sky_with_stars(shape, seed, *, brightest=300):
    """Return the expected electrons of stars on a sky of 100, and the mask of the sky."""
    rng = np.random.default_rng(seed)
    sky = np.full(shape, 100.0)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for x, y in rng.uniform(0, shape, (60, 2)):
        square = (rows - x) ** 2 + (columns - y) ** 2
        sky += brightest * rng.uniform(0.2, 1) * np.exp(-square / 18) * 10
    nebula = 400 * np.exp(-((rows - shape[0] / 2) ** 2) / (shape[0] / 6) ** 2)
    return sky + nebula, sky + nebula < 101


def photographs(electrons, frames, *, gains, clear, read_noise=3.0, seed=1):
    """Return frames of Poisson electrons with read noise in DN, and their statistics."""
    rng = np.random.default_rng(seed)
    sources, statistics = [], []
    for k in range(frames):
        gain, through = gains[k % len(gains)], clear[k % len(clear)]
        counted = rng.poisson(electrons * through) + rng.normal(0, read_noise, electrons.shape)
        sources.append(Planes((counted / gain)[None].astype(np.float32)))
        level, noise = 100 * through / gain, np.sqrt(100 * through + read_noise**2) / gain
        scale = through / gain
        statistics.append(FrameStatistics(*(np.array([v]) for v in (level, scale, scale, noise))))
    return sources, statistics


@pytest.mark.parametrize(
    ("normalization", "combination"),
    [("additive-scaling", "average"), ("multiplicative", "median"), ("additive-scaling", "sum"),
     ("local", "average")],
)  # fmt: skip
def test_photon_noise_of_stars_and_nebulae_is_predicted(normalization, combination):
    """With the gain of each frame, residuals have their width at every level of light."""
    electrons, sky = sky_with_stars((300, 300), 4)
    gains, clear = (0.5, 0.25, 1.3), (1.0, 0.8)
    sources, statistics = photographs(electrons, 24, gains=gains, clear=clear)
    settings = IntegrationSettings(
        normalization=normalization, combination=combination, rejection="none", variance=True,
        rejection_normalization="none",
    )  # fmt: skip
    model = NoiseModel(np.array([gains[k % 3] for k in range(24)]))
    result = integrate(sources, settings, statistics=statistics, noise_model=model)
    truth = electrons / gains[0] * (24 if combination == "sum" else 1)
    residual = (result.image[0] - truth) / np.sqrt(result.variance[0])
    for low, high in ((0, 101), (101, 200), (200, 500), (500, 1e9)):
        part = (electrons >= low) & (electrons < high)
        assert part.sum() > 1000
        assert residual[part].std() == pytest.approx(1, abs=0.03 + 1.5 / np.sqrt(2 * part.sum()))
    plain = integrate(sources, settings, statistics=statistics)
    bright = electrons > 500
    assert ((plain.image[0] - truth) / np.sqrt(plain.variance[0]))[bright].std() > 2
    np.testing.assert_array_equal(plain.image, result.image)
    assert np.median(result.variance[0][sky]) == pytest.approx(
        np.median(plain.variance[0][sky]), rel=0.01
    )


def test_photon_noise_is_predicted_with_rejection_and_faint_sky():
    """A sky of a few electrons and false rejections: stars and background keep their width."""
    electrons, _ = sky_with_stars((300, 300), 6)
    electrons = electrons - 96
    rng = np.random.default_rng(3)
    sources, statistics = [], []
    for _ in range(12):
        counted = rng.poisson(electrons) + rng.normal(0, 1.5, electrons.shape)
        sources.append(Planes(counted[None].astype(np.float32)))
        values = (4.0, 1.0, 1.0, np.sqrt(4 + 1.5**2))
        statistics.append(FrameStatistics(*(np.array([v]) for v in values)))
    model = NoiseModel(np.ones(12))
    result = integrate(
        sources, IntegrationSettings(variance=True), statistics=statistics, noise_model=model
    )
    residual = (result.image[0] - electrons) / np.sqrt(result.variance[0])
    for part in (electrons < 5, electrons > 50):
        assert residual[part].std() == pytest.approx(1, abs=0.04)


def test_dark_corners_have_less_noise():
    """Where a gradient lowers the sky, the variance falls with it."""
    electrons = np.broadcast_to(np.linspace(50, 150, 300), (200, 300))
    sources, statistics = photographs(electrons, 16, gains=(1.0,), clear=(1.0,), read_noise=2.0)
    settings = IntegrationSettings(variance=True, rejection="none")
    model = NoiseModel(np.ones(16))
    result = integrate(sources, settings, statistics=statistics, noise_model=model)
    residual = (result.image[0] - electrons) / np.sqrt(result.variance[0])
    for part in np.array_split(residual, 3, axis=1):
        assert part.std() == pytest.approx(1, abs=0.03)


def test_gains_are_positive_numbers():
    """Anything else is a mistake of the caller."""
    with pytest.raises(ValueError, match="above 0"):
        NoiseModel(np.array([1.0, 0.0]))
