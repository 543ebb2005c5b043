"""Noise evaluation on noise that is known."""

import numpy as np
import pytest
from calibration_frames import BAYER, XTRANS, Camera
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve1d

from lightframe.errors import InputError, SettingsError
from lightframe.frames import ArraySource
from lightframe.processes import NOISE_METHODS, evaluate_noise
from lightframe.processes import _noise as module

PATTERNS = {
    "mono": (None, ("",)),
    "bayer": (BAYER, ("R", "G1", "G2", "B")),
    "xtrans": (XTRANS, ("R", "G", "B")),
}
LAYER_SIGMAS = (0.8907, 0.2007, 0.0856, 0.0413)


def _noise(shape, sigma=10.0, seed=1):
    return np.random.default_rng(seed).normal(1000, sigma, shape).astype(np.float32)


def _layers(image, count):
    """Wavelet layers and residual, mirrored at the edges, float64."""
    current = image.astype(np.float64)
    layers = []
    for layer in range(count):
        taps = np.zeros(4 * 2**layer + 1)
        taps[:: 2**layer] = np.array([1, 4, 6, 4, 1]) / 16
        smooth = convolve1d(
            convolve1d(current, taps, axis=0, mode="reflect"), taps, axis=1, mode="reflect"
        )
        layers.append(current - smooth)
        current = smooth
    return layers, current


def _k_sigma_twin(image):
    values = np.abs(_layers(image, 1)[0][0]).ravel()
    sigma = values.std()
    for _ in range(60):
        sigma = np.sqrt(np.mean(values[values < 3 * sigma] ** 2))
    return sigma / 0.8907 / 0.98485


def _mrs_twin(image):
    layers, residual = _layers(image, 4)
    peak = np.max([np.abs(w) / s for w, s in zip(layers, LAYER_SIGMAS, strict=True)], axis=0)
    sigma = _k_sigma_twin(image)
    for _ in range(60):
        sigma = (image - residual)[peak <= 3 * sigma].std()
    return sigma / 0.974


@pytest.mark.parametrize("method", NOISE_METHODS)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("sigma", [0.5, 10, 400])
def test_noise_is_found_within_two_percent(method, pattern, sigma):
    """Gaussian noise comes out unbiased within 2 percent, on every plane of every pattern."""
    cfa, planes = PATTERNS[pattern]
    estimate = evaluate_noise(_noise((900, 1000), sigma), cfa, method)
    assert estimate.planes == planes
    assert estimate.sigma_dn == pytest.approx([sigma] * len(planes), rel=0.02)
    assert estimate.method == (method,) * len(planes)
    assert min(estimate.fraction) > 0.95


@pytest.mark.parametrize("method", NOISE_METHODS)
def test_stars_and_gradient_are_not_noise(method):
    """On a starry sky with a gradient the noise is that of the sky between the stars."""
    camera = Camera(size=1024, warm_fraction=0)
    estimate = evaluate_noise(camera.light(1).astype(np.float32), None, method)
    # Read noise, sky, dark current, and the fixed pattern of the bias.
    assert estimate.sigma_dn[0] == pytest.approx(np.sqrt(36 + 2000 + 8 + 9), rel=0.02)


def test_colours_have_their_own_noise():
    """Each plane of a CFA frame has its own noise, and differences of colour are none."""
    camera = Camera(size=1024, cfa=BAYER, warm_fraction=0, stars=50)
    estimate = evaluate_noise(camera.light(1).astype(np.float32), BAYER)
    sky = np.array([0.6, 1.0, 1.0, 0.75]) * 2000
    assert estimate.sigma_dn == pytest.approx(np.sqrt(36 + sky + 8 + 9), rel=0.02)


@pytest.mark.parametrize(("method", "twin"), [("mrs", _mrs_twin), ("k-sigma", _k_sigma_twin)])
@given(st.integers(1, 300), st.integers(150, 420), st.integers(0, 5))
@settings(max_examples=12, deadline=None)
def test_tiles_agree_with_the_whole_image_in_float64(method, twin, height, width, seed):
    """Cut into tiles and counted in histograms, the result is that of the plain formulas."""
    height += 150
    image = _noise((height, width), seed=seed)
    image[40:44, 50:55] += 500
    assert evaluate_noise(image, None, method).sigma_dn[0] == pytest.approx(twin(image), rel=2e-3)


def test_a_sample_of_tiles_is_enough():
    """Evenly spread tiles give the same within half a percent, for each pattern."""
    image = _noise((2000, 2400))
    for cfa, _ in PATTERNS.values():
        sampled = evaluate_noise(image, cfa, sample_pixels=1 << 20)
        assert sampled.sigma_dn == pytest.approx(evaluate_noise(image, cfa).sigma_dn, rel=0.01)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("shape", [(700, 1101), (1203, 640), (30, 40)])
@pytest.mark.parametrize("share", [0.1, 0.6])
def test_a_source_has_the_noise_of_its_image(pattern, shape, share):
    """Read tile by tile, all values are those of the image in memory, to the bit."""
    cfa, _ = PATTERNS[pattern]
    image = np.rint(_noise(shape) / 8)
    image[3:20, 5:9] = np.nan
    wanted = int(share * image.size)
    source = ArraySource(image)
    assert evaluate_noise(source, cfa, sample_pixels=wanted) == evaluate_noise(
        image, cfa, sample_pixels=wanted
    )


@pytest.mark.parametrize("rows", [600, 2000])
def test_a_narrow_source_has_the_noise_of_its_image(rows):
    """Rows without the grid of the others tell that there is none, however many bands follow."""
    image = 100 * np.rint(_noise((rows, 64), sigma=0.3))
    image[200:220] += _noise((20, 64))
    found = evaluate_noise(ArraySource(image))
    assert found == evaluate_noise(image)
    assert found.sigma_dn[0] < 100 / np.sqrt(12)


def test_missing_and_infinite_pixels_are_left_out():
    """NaN and inf, single or in areas, neither count nor disturb; zero and negative do count."""
    image = _noise((600, 600))
    image[100:300, 200:400] = np.nan
    image[400, ::7] = np.inf
    image[:, 500] = -np.inf
    assert evaluate_noise(image).sigma_dn[0] == pytest.approx(10, rel=0.02)
    assert evaluate_noise(image - 1000).sigma_dn[0] == pytest.approx(10, rel=0.02)


def test_channels_are_evaluated_one_by_one():
    """Three channels give three values, named by number."""
    image = np.stack([_noise((300, 400), sigma, seed) for seed, sigma in enumerate((5, 10, 20))])
    estimate = evaluate_noise(image)
    assert estimate.planes == ("0", "1", "2")
    assert estimate.sigma_dn == pytest.approx((5, 10, 20), rel=0.03)


def test_an_image_without_noise_has_none():
    """A constant image gives zero, by k-sigma since there is no support."""
    estimate = evaluate_noise(np.full((64, 64), 7, np.float32))
    assert estimate.sigma_dn == (0.0,)
    assert estimate.method == ("k-sigma",)


def test_k_sigma_stands_in_for_a_support_that_is_too_small(monkeypatch):
    """Where fewer pixels than needed are noise, the estimate is k-sigma's and says so."""
    monkeypatch.setattr(module, "_MRS_LEAST_FRACTION", 2.0)
    image = _noise((200, 200))
    estimate = evaluate_noise(image)
    assert estimate.method == ("k-sigma",)
    assert estimate.sigma_dn == evaluate_noise(image, None, "k-sigma").sigma_dn


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 40), (31, 7)])
def test_tiny_images_are_no_problem(shape):
    """Images smaller than the stencils give a finite number."""
    for cfa in (None, BAYER):
        assert np.all(np.isfinite(evaluate_noise(np.ones((6, 6), np.float32), cfa).sigma_dn))
    assert np.isfinite(evaluate_noise(_noise(shape)).sigma_dn[0])


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1)])
def test_a_mosaic_of_a_single_row_or_column_lacks_colours(shape):
    """The places of the cell that it does not reach have a noise of zero."""
    estimate = evaluate_noise(_noise(shape), BAYER)

    assert estimate.sigma_dn[-1] == 0
    assert len(estimate.sigma_dn) == 4


@pytest.mark.parametrize("method", sorted(NOISE_METHODS))
def test_a_plane_without_pixels_has_zero_and_leaves_the_others_alone(method):
    """One channel, or one colour, that is missing does not take the rest with it."""
    planes = _noise((3, 64, 64))
    planes[1] = np.nan
    mosaic = _noise((64, 64))
    mosaic[::2, ::2] = np.nan

    of_channels = evaluate_noise(planes, method=method).sigma_dn
    of_colours = evaluate_noise(mosaic, BAYER, method).sigma_dn

    assert [sigma == 0 for sigma in of_channels] == [False, True, False]
    assert np.count_nonzero(np.array(of_colours) == 0) == 1
    assert np.max(of_colours) == pytest.approx(10, rel=0.1)


def test_nothing_valid_and_unknown_methods_are_errors():
    """All missing is an input error, an unknown name a settings error."""
    with pytest.raises(InputError, match="no pixel is valid"):
        evaluate_noise(np.full((20, 20), np.nan, np.float32))
    with pytest.raises(SettingsError, match="unknown noise method"):
        evaluate_noise(np.ones((20, 20), np.float32), None, "best")
