"""What the guide says goes wrong with wrong calibration, shown with figures on simulated frames."""

import numpy as np
import pytest
from calibration_frames import BAYER, Camera

from lightframe.frames import Window
from lightframe.processes import CalibrationSettings, Masters, calibrate_frame, prepare_calibration

CAMERA = Camera(size=512, stars=0, gradient=0, vignetting=0.4, sky=1000, warm_fraction=0.02)


def _calibrated(light, masters, *, k=None, **settings):
    settings = CalibrationSettings(evaluate_noise=False, **settings)
    prepared = prepare_calibration(masters, settings, height=512, width=512)
    return calibrate_frame(light, prepared, exposure_s=k).planes[0].astype(np.float64)


def _flat(camera, *, calibrated=True):
    flat = camera.expose(30000 * camera.transmission(), 55, 30).astype(np.float32)
    return flat - camera.master_bias() if calibrated else flat


def _corner_excess(image):
    """Median of the corners over that of the centre, less 1: what is left of the vignetting."""
    corners = np.concatenate(
        [
            image[y, x].ravel()
            for y in (slice(40), slice(-40, None))
            for x in (slice(40), slice(-40, None))
        ]
    )
    return np.median(corners) / np.median(image[226:286, 226:286]) - 1


def test_right_calibration_leaves_a_flat_field():
    """With dark and calibrated flat the vignetting of 40 percent is gone to half a percent."""
    light = CAMERA.light(1)
    masters = Masters(dark=CAMERA.master_dark(), flat=_flat(CAMERA))
    assert _corner_excess(light - CAMERA.fixed_bias()) < -0.3
    assert abs(_corner_excess(_calibrated(light, masters))) < 0.005


def test_both_cases_of_the_guide_are_one_at_k_1():
    """Equation 1 with k = 1 and equation 2 give the same pixels: the bias cancels out."""
    light = CAMERA.light(1)
    masters = Masters(
        bias=CAMERA.master_bias(),
        dark=CAMERA.master_dark(),
        flat=_flat(CAMERA),
        dark_exposure_s=1,
    )
    one = _calibrated(light, masters, dark_scaling="exposure", k=1)
    two = _calibrated(light, masters)
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=0.01)


def test_the_bias_subtracted_twice_under_corrects():
    """A bias of half the sky subtracted twice leaves 30 percent of vignetting and more."""
    light = CAMERA.light(1)
    masters = Masters(bias=CAMERA.master_bias(), dark=CAMERA.master_dark(), flat=_flat(CAMERA))
    assert abs(_corner_excess(_calibrated(light, masters))) < 0.005  # not by itself
    wrong = _calibrated(light, masters, calibrate_dark=False)  # only if told so
    assert _corner_excess(wrong) < -0.3


def test_a_missing_dark_over_corrects():
    """The bias that is left in the light is divided by the flat: the corners come out bright."""
    light = CAMERA.light(1)
    assert _corner_excess(_calibrated(light, Masters(flat=_flat(CAMERA)))) > 0.15


def test_an_uncalibrated_flat_under_corrects():
    """The bias that is left in the flat makes it too even."""
    light = CAMERA.light(1)
    flat = CAMERA.expose(1500 * CAMERA.transmission(), 55, 30).astype(np.float32)
    masters = Masters(bias=CAMERA.master_bias(), dark=CAMERA.master_dark(), flat=flat)
    assert _corner_excess(_calibrated(light, masters)) < -0.08
    # Told to calibrate it, with the bias alone as the guide advises, the field is even again.
    masters = Masters(flat=flat, bias=CAMERA.master_bias())
    without_dark = CAMERA.light(0)
    assert abs(_corner_excess(_calibrated(without_dark, masters, calibrate_flat=True))) < 0.01


def test_a_flat_calibrated_with_a_scaled_dark_takes_its_own_factor():
    """The dark in a flat is scaled by the flat's own k, and by 0 where that is not determined."""
    camera = Camera(size=512, stars=0, gradient=0, vignetting=0.4, warm_fraction=0.02)
    bias, dark = camera.master_bias(), camera.master_dark()
    signal = 0.3 * camera.dark_signal() + 3000 * camera.transmission()
    settings = CalibrationSettings(dark_scaling="optimize", calibrate_flat=True)
    masters = Masters(bias=bias, dark=dark, flat=camera.expose(signal, 5, 20).astype(np.float32))
    prepared = prepare_calibration(masters, settings, height=512, width=512)
    assert prepared.flat_dark_scale.k == pytest.approx(0.3, rel=0.02)

    clean = camera.expose(3000 * camera.transmission(), 5, 20).astype(np.float32)
    masters = Masters(bias=bias, dark=dark, flat=clean)
    prepared = prepare_calibration(masters, settings, height=512, width=512)
    assert not prepared.flat_dark_scale.determined
    assert prepared.flat_dark_scale.k == 0
    expected = np.median(clean - bias)
    assert prepared.flat_scale.factors[0] == pytest.approx(expected, rel=0.05)


def test_a_flat_is_calibrated_with_one_factor_per_colour():
    """With a factor for each colour, the dark in the flat is scaled colour by colour."""
    camera = Camera(size=512, cfa=BAYER, stars=0, gradient=0, warm_fraction=0.02)
    colours = np.tile(BAYER.planes(), (256, 256))
    factors = np.array([0.2, 0.4, 0.6])
    signal = factors[colours] * camera.dark_signal()
    light = np.array([3000, 6000, 4000])[colours]
    masters = Masters(
        bias=camera.master_bias(),
        dark=camera.master_dark(),
        flat=camera.expose(signal + light, 5, 20).astype(np.float32),
    )
    settings = CalibrationSettings(
        dark_scaling="optimize", dark_scale_per_colour=True, calibrate_flat=True
    )
    prepared = prepare_calibration(masters, settings, height=512, width=512, cfa=BAYER)
    assert prepared.flat_dark_scale.factors == pytest.approx(factors, rel=0.03)
    assert prepared.flat_scale.factors == pytest.approx((3000, 6000, 4000), rel=0.002)
    # The gain is even where the dark's warm pixels are.
    gain = 1 / calibrated_gain(prepared)
    assert np.std(gain[camera.dark_signal() > 500]) < 0.05


def calibrated_gain(prepared):
    """Return what a frame of 1 DN, dark and bias added, is multiplied with."""
    size = (1, prepared.height, prepared.width)
    window = Window(0, prepared.height, 0, prepared.width)
    out = [np.empty(size, np.float32) for _ in range(2)]
    for level, target in zip((0, 1000), out, strict=True):
        prepared.apply(np.full(size, level, np.float32), window, 1, target)
    return (out[1] - out[0])[0] / 1000


def test_a_clipped_precalibrated_dark_loses_half_of_its_pixels():
    """With dark current suppression, clipping the calibrated dark leaves pattern in the light.

    Half of the pixels of dark minus bias are negative; cut to zero they correct nothing. The
    pattern that stays is measured as the slope of the light on the true pattern, over the pixels
    that lie below zero: 0 where the dark is right, 1 where it does nothing.
    """
    rng = np.random.default_rng(9)
    size = 512
    pattern = rng.gamma(2, 20, (size, size))  # dark current of each pixel
    pattern -= np.median(pattern)  # the camera takes its level off
    bias = 500 + rng.normal(0, 3, (size, size))
    master_bias = (bias + rng.normal(0, 1, bias.shape)).astype(np.float32)
    dark = (bias + pattern + rng.normal(0, 1, bias.shape)).astype(np.float32)
    light = (bias + pattern + 800 + rng.normal(0, 30, bias.shape)).round().astype(np.uint16)
    calibrated_dark = dark - master_bias
    clipped = np.maximum(calibrated_dark, 0)
    assert np.mean(clipped == 0) == pytest.approx(0.5, abs=0.02)

    negative = calibrated_dark < 0

    def residual(image):
        x = pattern[negative] - pattern[negative].mean()
        return float(x @ (image[negative] - image[negative].mean()) / (x @ x))

    kept = Masters(bias=master_bias, dark=calibrated_dark, dark_contains_bias=False)
    cut = Masters(bias=master_bias, dark=clipped, dark_contains_bias=False)
    plain = Masters(bias=master_bias, dark=dark)
    assert abs(residual(_calibrated(light, kept))) < 0.03
    assert abs(residual(_calibrated(light, plain))) < 0.03
    assert residual(_calibrated(light, cut)) == pytest.approx(1, abs=0.05)
    spread = [np.std(_calibrated(light, masters)[negative]) for masters in (plain, cut)]
    assert spread[1] > 1.03 * spread[0]


def test_optimization_helps_where_dark_and_light_differ():
    """A dark of another temperature leaves warm pixels; the right factor takes them out."""
    camera = Camera(size=512, warm_fraction=0.02, stars=0)
    light = camera.light(0.45)
    masters = Masters(bias=camera.master_bias(), dark=camera.master_dark())
    warm = camera.dark_signal() > 500

    def rms(**settings):
        image = _calibrated(light, masters, **settings)
        return np.sqrt(np.mean((image[warm] - np.median(image)) ** 2))

    # What is left is shot noise of sky and dark current.
    assert rms() > 600
    assert rms(dark_scaling="optimize") < 120
