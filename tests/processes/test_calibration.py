"""Calibration against a plain NumPy twin in float64, for every combination of what can be given."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy

from lightframe.errors import SettingsError
from lightframe.frames._cfa import CfaPattern
from lightframe.frames._pixels import Window
from lightframe.processes._calibration_masters import Masters
from lightframe.processes._calibration_preparing import prepare_calibration
from lightframe.processes._calibration_settings import CalibrationSettings
from lightframe.processes._overscan import OverscanRegion, OverscanSettings

SIZE = (38, 54)
XTRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")
PATTERNS = {"mono": None, "bayer": CfaPattern.from_name("GRBG"), "xtrans": XTRANS}
OVERSCAN = OverscanSettings(
    image=(3, 35, 5, 49),
    regions=(
        OverscanRegion(source=(0, 38, 0, 4), target=(0, 20, 0, 54)),
        OverscanRegion(source=(36, 38, 0, 54), target=(0, 20, 0, 54)),
        OverscanRegion(source=(0, 38, 50, 54), target=(18, 38, 10, 54)),
    ),
)


def _frames(shape, seed=1):
    rng = np.random.default_rng(seed)
    bias = rng.normal(300, 4, shape).astype(np.float32)
    dark = (bias + rng.exponential(20, shape)).astype(np.float32)
    flat = rng.uniform(9000, 30000, shape).astype(np.float32)
    light = np.clip(dark + rng.normal(900, 40, shape), 0, 65535).round()
    return bias, dark, flat, light


def _trimmed(samples, fraction):
    ordered = np.sort(np.asarray(samples, np.float64), axis=None)
    cut = int(fraction * ordered.size)
    return ordered[cut : ordered.size - cut].mean()


def _twin_overscan(frame, overscan):
    frame = np.array(frame, np.float64)
    raw = frame.copy()
    for target in {region.target for region in overscan.regions}:
        medians = [
            np.median(raw[r.source[0] : r.source[1], r.source[2] : r.source[3]])
            for r in overscan.regions
            if r.target == target
        ]
        frame[target[0] : target[1], target[2] : target[3]] -= np.mean(medians)
    y0, y1, x0, x1 = overscan.image
    return frame[y0:y1, x0:x1]


def _twin_flat(flat, cfa, per_colour):
    scaled = np.empty_like(flat)
    if cfa is None or not per_colour:
        return flat / _trimmed(flat, 0.05)
    cell = cfa.planes()
    repeats = (flat.shape[0] // len(cell) + 1, flat.shape[1] // len(cell) + 1)
    colours = np.tile(cell, repeats)[: flat.shape[0], : flat.shape[1]]
    for colour in range(3):
        own = colours == colour
        scaled[own] = flat[own] / _trimmed(flat[own], 0.05)
    return scaled


GIVEN = list(itertools.product([False, True], repeat=3))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("with_overscan", [False, True])
@pytest.mark.parametrize("dark_contains_bias", [False, True])
@pytest.mark.parametrize("calibrate_dark", [None, False, True])
@pytest.mark.parametrize("calibrate_flat", [None, True])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_every_combination_agrees_with_float64(
    pattern, with_overscan, dark_contains_bias, calibrate_dark, calibrate_flat, dtype
):
    """Masters, flags, scaling, pedestals, colours and overscan give the formula's result."""
    cfa = PATTERNS[pattern]
    bias, dark, flat, light = _frames(SIZE)
    if with_overscan:  # unexposed pixels of a flat are at bias level
        for y0, y1, x0, x1 in (region.source for region in OVERSCAN.regions):
            flat[y0:y1, x0:x1] = 100 + bias[y0:y1, x0:x1] / 10
    light = light.astype(dtype)
    overscan = OVERSCAN if with_overscan else None

    def crop(frame):
        return np.float64(frame) if overscan is None else _twin_overscan(frame, overscan)

    inner_cfa = cfa.shifted(3, 5) if cfa and overscan else cfa
    combinations = itertools.product(GIVEN, ["none", "exposure"], [0.0, 100.0], [True, False])
    for given_masters, scaling, pedestal, per_colour in combinations:
        use_bias, use_dark, use_flat = given_masters
        if not any(given_masters):
            continue
        settings = CalibrationSettings(
            dark_scaling=scaling,
            calibrate_dark=calibrate_dark,
            calibrate_flat=calibrate_flat,
            overscan=overscan,
            flat_scale_per_colour=per_colour,
        )
        # A master that is not to be calibrated comes without its overscan.
        precropped = overscan is not None and calibrate_dark is False
        given_dark = crop(dark).astype(np.float32) if precropped else dark
        masters = Masters(
            bias=bias if use_bias else None,
            dark=given_dark if use_dark else None,
            flat=flat if use_flat else None,
            dark_contains_bias=dark_contains_bias,
            dark_exposure_s=100,
            flat_exposure_s=10,
            dark_cfa=inner_cfa if precropped else cfa,
            bias_pedestal_dn=2 * pedestal,
        )
        takes_bias = dark_contains_bias if calibrate_dark is None else calibrate_dark
        if use_dark and not use_bias and takes_bias and scaling != "none":
            with pytest.raises(SettingsError, match="cannot be scaled without a master bias"):
                prepare_calibration(masters, settings, height=SIZE[0], width=SIZE[1], cfa=cfa)
            continue
        prepared = prepare_calibration(masters, settings, height=SIZE[0], width=SIZE[1], cfa=cfa)

        k, k_flat = (0.4, 0.1) if scaling == "exposure" else (1.0, 1.0)
        b = crop(bias) - 2 * pedestal if use_bias else 0.0
        d = crop(dark) if use_dark else 0.0
        signal = d - b if use_dark and takes_bias else d
        expected = crop(light) - pedestal - b - k * signal
        if use_flat:
            f = crop(flat)
            if calibrate_flat:
                f = f - b - k_flat * signal
            expected = expected / _twin_flat(f, inner_cfa, per_colour)
        expected = expected + 50

        raw = light[None]
        if overscan is not None:
            y0, y1, x0, x1 = overscan.image
            raw = np.ascontiguousarray(raw[:, y0:y1, x0:x1])
        whole = Window(0, prepared.height, 0, prepared.width)
        out = np.empty((1, *whole.shape), np.float32)
        scale = prepared.dark_scale(light, exposure_s=40)
        prepared.apply(
            raw,
            whole,
            scale,
            out,
            levels=prepared.levels(light, pedestal_dn=pedestal),
            pedestal_dn=50,
        )
        np.testing.assert_allclose(out[0], expected, rtol=3e-6, atol=2e-3)


def _prepared(settings=None, cfa=None, seed=1, shape=SIZE, **given_masters):
    bias, dark, flat, light = _frames(shape, seed)
    masters = Masters(bias=bias, dark=dark, flat=flat, dark_exposure_s=100, **given_masters)
    settings = settings or CalibrationSettings(dark_scaling="exposure")
    prepared = prepare_calibration(masters, settings, height=shape[0], width=shape[1], cfa=cfa)
    return prepared, light.astype(np.uint16)


@given(
    st.integers(0, SIZE[0] - 1),
    st.integers(1, SIZE[0]),
    st.integers(0, SIZE[1] - 1),
    st.integers(1, SIZE[1]),
    st.sampled_from([*PATTERNS]),
)
def test_a_window_is_the_crop_of_the_whole_to_the_bit(y0, rows, x0, columns, pattern):
    """Any window of any frame gives the bits that the calibration of the whole frame gives."""
    prepared, light = _prepared(cfa=PATTERNS[pattern])
    k = 0.37 if pattern == "mono" else (0.3, 0.5, 0.7)
    whole = np.empty((1, *SIZE), np.float32)
    prepared.apply(light[None], Window(0, SIZE[0], 0, SIZE[1]), k, whole)
    window = Window(y0, min(SIZE[0], y0 + rows), x0, min(SIZE[1], x0 + columns))
    part = np.empty((1, *window.shape), np.float32)
    cut = np.ascontiguousarray(light[None, window.y0 : window.y1, window.x0 : window.x1])
    prepared.apply(cut, window, k, part)
    crop = whole[:, window.y0 : window.y1, window.x0 : window.x1]
    assert part.tobytes() == np.ascontiguousarray(crop).tobytes()


def test_dead_flat_pixels_are_missing_and_counted():
    """Zero, negative and missing flat pixels end as NaN in the result, and only they do."""
    _, dark, flat, light = _frames(SIZE)
    flat[2, 3], flat[4, 5], flat[6, 7] = 0, -20, np.nan
    prepared = prepare_calibration(
        Masters(dark=dark, flat=flat), CalibrationSettings(), height=SIZE[0], width=SIZE[1]
    )
    out = np.empty((1, *SIZE), np.float32)
    prepared.apply(light[None].astype(np.float32), Window(0, 38, 0, 54), None, out)
    assert [tuple(p) for p in np.argwhere(np.isnan(out[0]))] == [(2, 3), (4, 5), (6, 7)]
    assert prepared.flat_scale.missing_pixels == 3


FINITE = st.floats(-70000, 70000, width=32)


@given(
    hypothesis_numpy.arrays(
        np.float32, (4, 6, 9), elements=FINITE | st.just(np.float32("nan")), fill=st.nothing()
    ),
    hypothesis_numpy.arrays(np.float32, (6, 9), elements=st.floats(-2, 40000, width=32)),
    st.floats(0, 3),
    st.floats(0, 1000),
)
def test_any_pixel_values_agree_with_float64(terms, flat, k, pedestal):
    """Whatever stands in light and masters, the result is the formula's, missing where it must."""
    light, bias, signal, _ = terms
    flat[0] = 1000.0  # not empty
    masters = Masters(bias=bias, dark=signal, flat=flat, dark_contains_bias=False)
    settings = CalibrationSettings(dark_scaling="optimize", flat_scaling="mean", flat_least=0)
    prepared = prepare_calibration(masters, settings, height=6, width=9)
    out = np.empty((1, 6, 9), np.float32)
    prepared.apply(light[None], Window(0, 6, 0, 9), k, out, pedestal_dn=pedestal)
    s0 = np.mean(flat[flat > 0], dtype=np.float64)
    gain = np.divide(s0, flat, out=np.full((6, 9), np.nan), where=flat > 0)
    gain[gain > np.finfo(np.float32).max] = np.nan
    expected = (np.float64(light) - bias - k * np.float64(signal)) * gain + pedestal
    # Rounding is relative to the largest term, not to what is left of their difference.
    size = (np.abs(light) + np.abs(bias) + k * np.abs(signal)) * gain + pedestal
    np.testing.assert_array_equal(np.isnan(out[0]), np.isnan(expected))
    with np.errstate(over="ignore"):
        beyond = np.abs(expected) > np.finfo(np.float32).max / 4
    close = np.abs(out[0] - expected) <= 1e-6 * size + 1e-4
    assert np.all(close | beyond | np.isnan(expected))


def test_frames_that_cannot_be_written_to_are_read():
    """Memory-mapped frames are read-only; they give the same pixels and the same factor."""
    prepared, light = _prepared()
    frozen = light.copy()
    frozen.flags.writeable = False
    out = [np.empty((1, *SIZE), np.float32) for _ in range(2)]
    for raw, target in zip((light, frozen), out, strict=True):
        prepared.apply(raw[None], Window(0, SIZE[0], 0, SIZE[1]), 0.4, target)
    assert out[0].tobytes() == out[1].tobytes()
