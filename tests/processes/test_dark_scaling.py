"""Dark frame optimization on frames whose dark scaling factor is known."""

import numpy as np
import pytest
from calibration_frames import BAYER, XTRANS, Camera
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve1d

from lightframe.errors import InputError
from lightframe.processes import DARK_OBJECTIVES, DarkScale
from lightframe.processes._dark_scaling import DarkScaler, exposure_scale
from lightframe.processes._dark_scaling_pixels import Selection, Stencils, select_warm_pixels

PATTERNS = {"mono": None, "bayer": BAYER, "xtrans": XTRANS}


def _scaler(camera, objective="wavelet-noise", *, per_colour=False):
    return DarkScaler.prepare(
        (camera.master_dark() - camera.master_bias())[None],
        camera.cfa,
        objective=objective,
        threshold_sigma=3,
        per_colour=per_colour,
    )


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("warm_fraction", "warm_level"), [(0.005, 1500), (0.05, 400)])
@pytest.mark.parametrize(("glow", "tolerance"), [(0, 0.01), (400, 0.02)])
def test_the_factor_is_right_within_a_percent(pattern, warm_fraction, warm_level, glow, tolerance):
    """Bright sky, gradient, stars and a glow that does not scale leave k within 1 (2) percent."""
    camera = Camera(
        size=768,
        cfa=PATTERNS[pattern],
        warm_fraction=warm_fraction,
        warm_level=warm_level,
        glow=glow,
    )
    for objective in ("wavelet-noise", "regression"):
        scaler = _scaler(camera, objective)
        for seed, k in enumerate((0.2, 0.6, 1.0)):
            scale = scaler.scale(camera.light(k, seed)[None])
            assert scale.determined
            assert scale.k == pytest.approx(k, rel=tolerance)
            assert scale.sigma_k < tolerance * k


@pytest.mark.parametrize("objective", ["wavelet-noise", "regression"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_stated_uncertainty_is_true(objective, pattern):
    """Deviations over stated uncertainties have a mean near 0 and a spread near 1."""
    pulls = []
    for warm_fraction, stars in ((0.005, 300), (0.05, 300), (0.02, 3000)):
        camera = Camera(
            size=320,
            cfa=PATTERNS[pattern],
            warm_fraction=warm_fraction,
            warm_level=200,
            stars=stars,
        )
        scaler = _scaler(camera, objective)
        for seed, k in enumerate(np.linspace(0.2, 1, 14)):
            scale = scaler.scale(camera.light(k, 10 + seed)[None])
            assert np.isfinite(scale.measured_k)
            pulls.append((scale.measured_k - k) / scale.sigma_k)
    assert abs(np.mean(pulls)) < 0.5
    assert 0.75 < np.std(pulls) < 1.3


def test_glow_misleads_the_standard_deviation_and_not_the_wavelets():
    """With amplifier glow, the deviation of the whole frame is off by far more than the layer's."""
    camera = Camera(glow=400)
    errors = {
        objective: abs(_scaler(camera, objective).scale(camera.light(0.5)[None]).measured_k - 0.5)
        for objective in DARK_OBJECTIVES
    }
    assert errors["standard-deviation"] > 0.05
    assert errors["wavelet-noise"] < 0.01
    assert errors["regression"] < 0.01


def test_the_standard_deviation_has_its_closed_form():
    """The deviation of the frame is least at cov(T, S) / var(S), S the thresholded dark."""
    camera = Camera(size=256, warm_fraction=0.01)
    dark, light = camera.master_dark() - camera.master_bias(), camera.light(0.4)
    scale = _scaler(camera, "standard-deviation").scale(light[None])
    thresholded = np.where(dark > scale.threshold_dn, dark, 0)
    inner = (slice(7, -7), slice(7, -7))  # the stencils' margin
    covariance = np.cov(light[inner].ravel(), thresholded[inner].ravel())
    assert scale.k == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=2e-3)


def test_threshold_and_pixel_share_are_those_of_the_dark():
    """The threshold is median + 3 x 1.4826 MAD of the dark signal; the share lies above it."""
    camera = Camera(size=256)
    dark = camera.master_dark() - camera.master_bias()
    scale = _scaler(camera).scale(camera.light(0.4)[None])
    median = np.median(dark)
    threshold = median + 3 * 1.4826 * np.median(np.abs(dark - median))
    assert scale.threshold_dn == pytest.approx(threshold, abs=1e-4)
    assert scale.pixel_fraction == np.mean(dark > threshold)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_layer_is_the_pixel_less_its_colours_mean(pattern, dtype):
    """The stencils are the B3 spline for mono and Bayer, and keep to one colour for X-Trans."""
    cfa = PATTERNS[pattern]
    rng = np.random.default_rng(3)
    image = rng.integers(0, 60000, (40, 50)).astype(dtype)
    stencils = Stencils.of(cfa, 50)
    index = np.array([20 * 50 + 22, 21 * 50 + 23, 18 * 50 + 27, 19 * 50 + 25])
    layer, centre = stencils.layer(image, *stencils.places(index))
    np.testing.assert_array_equal(centre[:, 0], image.ravel()[index])
    if pattern == "xtrans":
        colours = np.tile(cfa.planes(), (7, 9))[:40, :50]
        flat = np.array([100, 5000, 30000])[colours].astype(dtype)
        np.testing.assert_allclose(stencils.layer(flat, *stencils.places(index))[0], 0, atol=0.01)
        return
    taps = np.array([1, 4, 6, 4, 1]) / 16
    if pattern == "bayer":
        taps = np.array([1, 0, 4, 0, 6, 0, 4, 0, 1]) / 16
    smooth = convolve1d(convolve1d(image.astype(np.float64), taps, axis=0), taps, axis=1)
    expected = (image - smooth).ravel()
    np.testing.assert_allclose(layer[:, 0], expected[index], rtol=1e-5, atol=0.02)
    np.testing.assert_allclose(
        layer[:, 1], expected[index - stencils.control], rtol=1e-5, atol=0.02
    )


@given(st.floats(-400, 400), st.floats(0.25, 4))
@settings(max_examples=15, deadline=None)
def test_constants_do_not_matter_and_scales_do(constant, factor):
    """A pedestal in the light leaves k alone; a dark that is c times larger gives k / c."""
    camera = Camera(size=128, warm_fraction=0.02, stars=0)
    dark, light = camera.master_dark() - camera.master_bias(), camera.light(0.5).astype(np.float32)
    plain = {"objective": "wavelet-noise", "threshold_sigma": 3}
    first = DarkScaler.prepare(dark[None], None, **plain).scale(light[None])
    other = DarkScaler.prepare(dark[None] * np.float32(factor), None, **plain).scale(
        light[None] + np.float32(constant)
    )
    # Both pass the threshold by their own rounding: a sample more or less is below sigma / 10.
    assert other.k * factor == pytest.approx(first.k, abs=0.1 * first.sigma_k)


def test_colours_get_factors_of_their_own_where_asked_for():
    """Colours whose dark signals scale differently get their own factors, each within 2 percent."""
    camera = Camera(size=768, cfa=BAYER, warm_fraction=0.02, stars=100)
    factors = (0.4, 0.6, 0.9)
    colours = np.tile(BAYER.planes(), (384, 384))
    lights = [camera.light(k).astype(np.float32) for k in factors]
    light = np.select([colours == c for c in range(3)], lights)
    scale = _scaler(camera, per_colour=True).scale(light[None])
    assert scale.factors == pytest.approx(factors, rel=0.02)
    assert all(part.determined for part in scale.parts)


def test_channels_of_a_colour_frame_have_their_own_factors():
    """A mono dark serves three channels, and each channel is fitted for itself."""
    camera = Camera(warm_fraction=0.02)
    light = np.stack([camera.light(k) for k in (0.3, 0.5, 0.8)])
    scale = _scaler(camera).scale(light)
    assert scale.factors == pytest.approx((0.3, 0.5, 0.8), rel=0.02)
    assert scale.k == pytest.approx(np.mean(scale.factors))


def test_saturated_and_missing_pixels_do_not_count():
    """Warm pixels at the light's ceiling and missing ones leave k where it was."""
    camera = Camera(warm_fraction=0.02, warm_level=2000)
    light = camera.light(0.7).astype(np.float32)
    scaler = _scaler(camera)
    before = scaler.scale(light[None])
    ceiling = np.minimum(light, 5000)  # a third of the warm pixels is cut
    ceiling[::5, ::7] = np.nan
    after = scaler.scale(ceiling[None])
    assert after.k == pytest.approx(before.k, rel=0.02)
    assert after.determined


def test_missing_pixels_do_not_hide_the_ceiling():
    """One missing warm pixel leaves the saturated ones recognized."""
    camera = Camera(warm_fraction=0.02, warm_level=2000)
    signal = camera.master_dark() - camera.master_bias()
    warm = select_warm_pixels(signal, None, Stencils.of(None, signal.shape[1]), Selection(3, 6))
    light = np.minimum(camera.light(0.7).astype(np.float32), 5000)
    light.reshape(-1)[warm.places[0, 0]] = np.nan

    samples = warm.look_at(light, means=False)

    layer = np.empty(len(warm.order), np.float32)
    layer[warm.order] = samples.light_layer[:, 0]
    seen = light.reshape(-1)[warm.places[:, 0]]
    assert np.count_nonzero(seen == 5000) > 3
    assert np.isnan(layer[seen == 5000]).all()


def test_a_dark_saturated_at_its_hottest_pixels_gives_the_same_factor():
    """Pixels that are saturated in the long dark but not in the light are left out."""
    camera = Camera(size=768, warm_fraction=0.02, warm_level=1500)
    dark = np.minimum(camera.master_dark(), 6000)
    scaler = DarkScaler.prepare(
        (dark - camera.master_bias())[None], None, objective="wavelet-noise", threshold_sigma=3
    )
    assert scaler.scale(camera.light(0.5)[None]).k == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("camera", "dark_camera", "k", "reason"),
    [
        (Camera(size=128), Camera(size=128, warm_fraction=0), 0.5, "too few warm pixels"),
        (Camera(size=512, warm_fraction=0), Camera(size=512), 0.5, "no correlation"),
        (Camera(size=128, sky=60000, stars=0), Camera(size=128, warm_level=60), 0.5, "flat"),
        (Camera(size=256, sky=300), Camera(size=256), 20, "beyond the bound"),
    ],
    ids=["no warm pixels", "another sensor", "too noisy", "at the bound"],
)
def test_a_factor_that_is_not_determined_is_not_used(camera, dark_camera, k, reason):
    """The reason is told, and the fallback is used: what the caller gives, or 1."""
    scaler = _scaler(dark_camera)
    light = np.clip(camera.light(k), 0, 64000)[None].astype(np.float32)
    assert reason in scaler.scale(light).reason
    for fallback, used in ((None, 1.0), (0.25, 0.25)):
        scale = scaler.scale(light, fallback=fallback)
        assert not scale.determined
        assert scale.k == used


def test_a_dark_without_any_valid_pixel_determines_nothing():
    """All missing is too few warm pixels, not an exception."""
    scaler = DarkScaler.prepare(
        np.full((1, 64, 64), np.nan, np.float32), None, objective="regression", threshold_sigma=3
    )
    assert "too few warm pixels" in scaler.scale(np.ones((1, 64, 64), np.uint16)).reason


def test_scaling_by_exposure_needs_the_exposures():
    """The ratio is the factor; without it there is an error and no silent 1."""
    assert exposure_scale(0.4).factors == (0.4,)
    assert exposure_scale(0.4).determined
    with pytest.raises(InputError, match="exposure of frame or dark is unknown"):
        exposure_scale(None)


def test_many_warm_pixels_are_looked_at_in_part():
    """Of more candidates than needed the warmest and an even sample are kept, in file order."""
    rng = np.random.default_rng(2)
    dark = rng.normal(0, 1, (700, 700)).astype(np.float32)
    dark[::3, ::3] += rng.exponential(300, (234, 234)).astype(np.float32)
    warm = select_warm_pixels(dark, None, Stencils.of(None, 700), Selection(3, 6))
    assert 12000 < len(warm.places) <= 16384
    assert np.all(np.diff(warm.places[:, 0]) > 0)
    assert np.all(np.diff(warm.layer[:, 0]) >= 0)
    np.testing.assert_array_equal(warm.dark, dark.ravel()[warm.places[warm.order, 0]])


def test_a_scale_prints_its_factors():
    """The factors are the parts' where there are parts."""
    part = DarkScale(0.5, 0.01, 10, 0.01, determined=True)
    assert DarkScale(0.5, 0.01, 10, 0.01, determined=True, parts=(part, part)).factors == (0.5, 0.5)
