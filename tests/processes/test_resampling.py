"""Resampling against a plain float64 twin, analytic fields and its own windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.errors import SettingsError
from lightframe.frames._pixels import Window
from lightframe.processes._resampling import (
    INTERPOLATIONS,
    MISSING_SHARE,
    ResampleSettings,
    resample,
    source_window,
)

UNCLAMPED = ResampleSettings(clamping=False)
SMOOTH_NAMES = ("bilinear", "bicubic", "lanczos3", "lanczos4", "lanczos5")


def mapping(angle=0.0, shift=(0.0, 0.0), scale=1.0, tilt=(0.0, 0.0), centre=(48.0, 40.0)):
    """Return reference -> frame: rotation about `centre`, shift, scale, perspective."""
    c, s = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    there = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]], float)
    turn = np.array([[c, -s, 0], [s, c, 0], [*tilt, 1]], float)
    back = np.array([[1, 0, centre[0] + shift[0]], [0, 1, centre[1] + shift[1]], [0, 0, 1]], float)
    return back @ turn @ there


def warp(image, inverse, options=UNCLAMPED, window=None):
    """Resample a whole 2-D image."""
    height, width = image.shape
    window = window or Window(0, height, 0, width)
    out = np.full((1, *window.shape), -1, np.float32)
    planes = np.ascontiguousarray(image, np.float32)[None]
    resample(planes, (0, 0), inverse, window, options, out, height=height, width=width)
    return out[0]


def positions(inverse, shape):
    """Frame x, y of each reference pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    px, py, pw = np.einsum("ij,jyx->iyx", inverse, np.stack((x, y, np.ones_like(x))))
    return px / pw, py / pw


def exact_weights(name, f):
    """Weights of all taps at one fraction, from the definition of the kernel."""
    taps = INTERPOLATIONS[name].taps
    d = np.abs(f - (np.arange(taps) - (taps - 1) // 2))
    if name == "bilinear":
        w = np.maximum(0, 1 - d)
    elif name == "bicubic":
        near = 1.5 * d**3 - 2.5 * d**2 + 1
        far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
        w = np.where(d < 1, near, np.where(d < 2, far, 0))
    else:
        lobes = taps // 2
        w = np.where(d < lobes, np.sinc(d) * np.sinc(d / lobes), 0)
    return w / w.sum()


def twin(image, inverse, name):
    """Sum weights times samples in float64, pixel by pixel, with the rule for missing samples."""
    taps = INTERPOLATIONS[name].taps
    px, py = positions(inverse, image.shape)
    height, width = image.shape
    pad = taps
    padded = np.pad(image.astype(float), pad, constant_values=np.nan)
    out = np.full(image.shape, np.nan)
    for y, x in np.ndindex(image.shape):
        u, v = px[y, x], py[y, x]
        if not (-0.5 <= u <= width - 0.5 and -0.5 <= v <= height - 0.5):
            continue
        i, j = int(np.floor(u)), int(np.floor(v))
        w = np.outer(exact_weights(name, v - j), exact_weights(name, u - i))
        first_y, first_x = j - (taps - 1) // 2 + pad, i - (taps - 1) // 2 + pad
        samples = padded[first_y : first_y + taps, first_x : first_x + taps]
        there = np.isfinite(samples)
        share = np.abs(w[~there]).sum() / np.abs(w).sum()
        if share <= MISSING_SHARE:
            out[y, x] = (w[there] * samples[there]).sum() / w[there].sum()
    return out


def band_limited(x, y):
    """Evaluate a field of periods between 3 and 7 pixels, of rms about 1."""
    rng = np.random.default_rng(3)
    field = np.zeros_like(x)
    for _ in range(24):
        period = rng.uniform(3, 7)
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        k = 2 * np.pi / period
        field += np.sin(k * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return field / np.sqrt(12)


@pytest.mark.parametrize("name", SMOOTH_NAMES)
@given(
    angle=st.floats(-180, 180),
    shift=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
    scale=st.floats(0.6, 1.6),
    tilt=st.floats(-1e-4, 1e-4),
    seed=st.integers(0, 5),
)
@settings(max_examples=8, deadline=None)
def test_agrees_with_the_float64_twin(name, angle, shift, scale, tilt, seed):
    """Every kernel gives the weighted mean of its definition, to float32 rounding."""
    image = np.random.default_rng(seed).normal(1000, 100, (30, 36)).astype(np.float32)
    image[np.random.default_rng(seed).random(image.shape) < 0.002] = np.nan
    inverse = mapping(angle, shift, scale, (tilt, -tilt), (18, 15))
    result = warp(image, inverse, ResampleSettings(interpolation=name, clamping=False))
    expected = twin(image, inverse, name)
    # The share of missing weight may fall on the other side of the limit by rounding.
    both = np.isfinite(result) & np.isfinite(expected)
    assert np.sum(np.isfinite(result) != np.isfinite(expected)) <= 2
    assert np.abs(result - expected)[both].max(initial=0) < 0.02


@pytest.mark.parametrize("angle", [0.37, 7.0, 45.0, 90.2, 180.4])
@pytest.mark.parametrize(("period", "error"), [(250, 4e-4), (100, 1e-3), (17, 4.5e-3)])
def test_lanczos3_reproduces_a_wave_as_well_as_lanczos3_can(angle, period, error):
    """The error is that of the Lanczos-3 response; rounding of positions would add to it."""
    y, x = np.mgrid[:200, :220].astype(float)
    k = 2 * np.pi / period
    inverse = mapping(angle, (3.3, -2.6), centre=(110, 100))
    px, py = positions(inverse, x.shape)
    result = warp(np.sin(k * (0.8 * x + 0.6 * y)), inverse)
    truth = np.sin(k * (0.8 * px + 0.6 * py))
    inside = (px > 4) & (px < 215) & (py > 4) & (py < 195)
    assert inside.sum() > 15000
    assert np.std((result - truth)[inside]) < error


def test_kernels_rank_as_expected_on_a_band_limited_field():
    """The error falls from bilinear over bicubic to the Lanczos kernels."""
    y, x = np.mgrid[:160, :160].astype(float)
    inverse = mapping(1.3, (0.4, 0.7), centre=(80, 80))
    px, py = positions(inverse, x.shape)
    inside = (px > 6) & (px < 153) & (py > 6) & (py < 153)
    truth = band_limited(px, py)
    errors = [
        np.std(
            (warp(band_limited(x, y), inverse, ResampleSettings(interpolation=n)) - truth)[inside]
        )
        for n in ("nearest", "bilinear", "bicubic", "lanczos3")
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.03


@pytest.mark.parametrize("name", list(INTERPOLATIONS))
@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (5, -3), (-40, 2)])
def test_a_whole_shift_returns_the_samples_to_the_bit(name, dx, dy):
    """Identity and whole shifts copy, missing samples included, and are NaN outside."""
    image = np.random.default_rng(1).normal(0, 1e4, (50, 70)).astype(np.float32)
    image[10, 20] = np.nan
    result = warp(image, mapping(0, (dx, dy)), ResampleSettings(interpolation=name))
    expected = np.full_like(image, np.nan)
    target_y, target_x = slice(max(0, -dy), min(50, 50 - dy)), slice(max(0, -dx), min(70, 70 - dx))
    source_y, source_x = slice(max(0, dy), min(50, 50 + dy)), slice(max(0, dx), min(70, 70 + dx))
    expected[target_y, target_x] = image[source_y, source_x]
    assert np.array_equal(result, expected, equal_nan=True)


def test_a_half_turn_returns_the_samples_to_the_bit():
    """At whole positions one weight is exactly 1, whatever the mapping."""
    image = np.random.default_rng(2).normal(0, 1e4, (40, 600)).astype(np.float32)
    half_turn = np.array([[-1, 0, 599], [0, -1, 39], [0, 0, 1]], float)
    assert np.array_equal(warp(image, half_turn, ResampleSettings()), image[::-1, ::-1])


@pytest.mark.parametrize("name", list(INTERPOLATIONS))
def test_a_constant_field_stays_constant(name):
    """The weights sum to 1 at every position, to float32 rounding."""
    image = np.full((60, 80), 30000, np.float32)
    result = warp(image, mapping(13, (0.3, 0.4)), ResampleSettings(interpolation=name))
    inside = np.isfinite(result)
    assert inside.mean() > 0.5
    assert np.abs(result[inside] / 30000 - 1).max() < 1e-6


@pytest.mark.parametrize("fwhm", [2.0, 2.5, 4.0])
@pytest.mark.parametrize("clamping", [False, True])
def test_the_flux_of_a_star_is_kept(fwhm, clamping):
    """A star has the same flux after rotation and shift, within 0.1 %."""
    y, x = np.mgrid[:64, :64].astype(float)
    sigma = fwhm / 2.35482
    for dx in (0.0, 0.27, 0.5):
        image = 1e4 * np.exp(-((x - 30.3 - dx) ** 2 + (y - 33.6) ** 2) / (2 * sigma**2)) + 500
        options = ResampleSettings(clamping=clamping)
        result = warp(image, mapping(17, (0.21, 0.46), centre=(30, 33)), options)
        flux = np.nansum(result[10:54, 10:54] - 500.0)
        assert flux == pytest.approx(np.sum(image - 500), rel=1e-3)


def test_clamping_removes_the_ring_of_a_hot_pixel_without_touching_the_noise():
    """Beside a hot pixel no dark ring is left; far from it mean and scatter are unchanged."""
    rng = np.random.default_rng(5)
    rings, clamped_rings = [], []
    means, scatters = [], []
    for _ in range(40):
        image = rng.normal(1000, 10, (41, 41)).astype(np.float32)
        image[20, 20] = 20000
        inverse = mapping(0, (0.5, 0.5), centre=(20, 20))
        free, clamped = (warp(image, inverse, o) for o in (UNCLAMPED, ResampleSettings()))
        ring = (slice(19, 21), 21)
        rings.append(free[ring])
        clamped_rings.append(clamped[ring])
        far = (slice(3, 15), slice(3, 38))
        means.append(clamped[far].mean() - free[far].mean())
        scatters.append(clamped[far].std() / free[far].std())
    assert np.mean(rings) < 0
    assert np.mean(clamped_rings) == pytest.approx(1000, abs=4)
    assert abs(np.mean(means)) < 0.03  # 0.003 of the noise
    assert np.mean(scatters) == pytest.approx(1, abs=0.01)


def test_clamping_does_not_depend_on_a_pedestal():
    """Adding a constant to the frame adds it to the result."""
    rng = np.random.default_rng(6)
    image = rng.normal(0, 8, (60, 60)).astype(np.float32)
    image[30, 30] = 4096
    inverse = mapping(3, (0.4, 0.3), centre=(30, 30))
    low, high = (warp(image + p, inverse, ResampleSettings()) for p in (0, 1024))
    assert np.nanmax(np.abs(high - low - 1024)) < 0.01


@pytest.mark.parametrize("name", list(INTERPOLATIONS))
@pytest.mark.parametrize(
    "inverse",
    [
        mapping(0.4, (3.3, -1.2), centre=(350, 60)),
        mapping(180.3, (-2.2, 4.1), centre=(350, 60)),
        mapping(31, (3, 2), 0.8, (1e-5, -2e-5), centre=(350, 60)),
    ],
)
def test_a_window_equals_that_window_of_the_whole_to_the_bit(name, inverse):
    """Tiles computed from their own rectangles have no seams."""
    rng = np.random.default_rng(7)
    image = rng.normal(500, 10, (2, 120, 700)).astype(np.float32)
    image[0, rng.integers(0, 120, 60), rng.integers(0, 700, 60)] = np.nan
    image[1, rng.integers(0, 120, 60), rng.integers(0, 700, 60)] = 30000
    options = ResampleSettings(interpolation=name)
    size = {"height": 120, "width": 700}
    whole = np.empty_like(image)
    resample(image, (0, 0), inverse, Window(0, 120, 0, 700), options, whole, **size)
    assert np.isfinite(whole).mean() > 0.2
    for window in (Window(0, 37, 0, 700), Window(37, 120, 13, 600), Window(50, 51, 333, 334)):
        needed = source_window(inverse, window, interpolation=name, **size)
        tile = np.empty((2, *window.shape), np.float32)
        part = np.ascontiguousarray(image[:, needed.y0 : needed.y1, needed.x0 : needed.x1])
        resample(part, (needed.y0, needed.x0), inverse, window, options, tile, **size)
        crop = whole[:, window.y0 : window.y1, window.x0 : window.x1]
        assert np.array_equal(tile, crop, equal_nan=True)


def test_a_missing_sample_spoils_only_what_leans_on_it():
    """A NaN makes the pixels around it NaN where it has much weight, and no others."""
    image = np.full((40, 40), 100, np.float32)
    image[20, 20] = np.nan
    result = warp(image, mapping(0, (0.5, 0.5)))
    missing = np.argwhere(~np.isfinite(result[3:36, 3:36])) + 3
    assert len(missing) == 4
    assert np.abs(missing - 19.5).max() < 1
    assert np.nanmax(np.abs(result[3:36, 3:36] - 100)) < 1e-3


def test_pixels_outside_the_frame_are_missing():
    """Where the frame does not reach there is NaN, never zero."""
    image = np.full((30, 30), 7, np.float32)
    result = warp(image, mapping(0, (20.25, 0.0)))
    assert np.isfinite(result[:, :9]).all()
    assert np.isnan(result[:, 10:]).all()


def test_source_window_is_none_where_the_frame_does_not_reach():
    """A tile off the frame needs nothing and comes out as NaN."""
    inverse = mapping(0, (1000.5, 0))
    window = Window(0, 10, 0, 10)
    assert source_window(inverse, window, height=30, width=30, interpolation="lanczos3") is None
    out = np.zeros((1, 10, 10), np.float32)
    image = np.zeros((1, 30, 30), np.float32)
    resample(image, (0, 0), inverse, window, UNCLAMPED, out, height=30, width=30)
    assert np.isnan(out).all()


def test_a_mapping_through_the_horizon_is_bounded():
    """Pixels behind the projection's horizon are missing, and the source window stays finite."""
    inverse = np.array([[1, 0, 0], [0, 1, 0], [-0.02, 0, 1]], float)
    window = Window(0, 100, 0, 100)
    needed = source_window(inverse, window, height=100, width=100, interpolation="lanczos3")
    assert needed == Window(0, 100, 0, 100)
    result = warp(np.ones((100, 100), np.float32), inverse)
    assert np.isnan(result[:, 50:]).all()
    assert np.isfinite(result[:10, :10]).all()


def test_too_small_a_rectangle_is_refused():
    """Samples that the window needs and that were not handed over are an error, not an edge."""
    planes = np.zeros((1, 10, 10), np.float32)
    out = np.empty((1, 10, 10), np.float32)
    with pytest.raises(ValueError, match="needs the frame's pixels"):
        resample(
            planes, (0, 0), mapping(2), Window(0, 10, 0, 10), UNCLAMPED, out, height=99, width=99
        )


def test_an_unknown_interpolation_is_an_error_that_lists_the_known():
    """A typing error in the settings says what may be chosen."""
    with pytest.raises(SettingsError, match="lanczos3"):
        ResampleSettings.parse({"interpolation": "lancsoz3"})
