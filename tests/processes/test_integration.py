"""Integration: tiles, normalization, weights, missing samples, maps."""

import threading
import tracemalloc

import numpy as np
import pytest
import stack_twins

from lightframe.errors import IncompatibleFramesError, InputError, SettingsError
from lightframe.frames import ArraySource
from lightframe.processes._estimators import (
    LOCATION_ESTIMATORS,
    SCALE_ESTIMATORS,
    FrameStatistics,
    frame_statistics,
)
from lightframe.processes._integration import integrate
from lightframe.processes._integration_quality import integration_quality
from lightframe.processes._integration_recipe import sample_statistics
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._normalization import (
    LOCAL,
    OUTPUT_NORMALIZATIONS,
    REJECTION_NORMALIZATIONS,
)
from lightframe.processes._rejection import choose_rejection


class Planes(ArraySource):
    """A source in memory that counts what is read."""

    by_rows = True
    extra_rows = 0

    def __init__(self, planes):
        super().__init__(planes)
        self.reads = []

    def read(self, window, out):
        """Copy the window."""
        self.reads.append(window)
        super().read(window, out)


def stack_of(frames, shape=(1, 40, 70), *, dtype=np.float32, seed=0, missing=0.0):
    """Frames of different level and noise, with outliers and missing pixels."""
    rng = np.random.default_rng(seed)
    planes = rng.normal(1000, 10, (frames, *shape))
    planes += rng.normal(0, 5, (frames, 1, 1, 1))
    planes[rng.random(planes.shape) < 0.01] += 500
    planes[rng.random(planes.shape) < 0.002] = 0
    if dtype == np.float32:
        planes[rng.random(planes.shape) < missing] = np.nan
    return [
        Planes(p.round().astype(dtype) if dtype == np.uint16 else p.astype(dtype)) for p in planes
    ]


NONE = IntegrationSettings.for_darks(rejection="winsorized")


def expected(sources, settings, statistics=None, weights=None):
    """Integrate pixel by pixel in float64, from the definitions."""
    x = np.stack([s.planes for s in sources]).astype(np.float64)
    n, channels = x.shape[:2]
    image = np.full(x.shape[1:], np.nan)
    weight = np.zeros(x.shape[1:])
    counts = np.zeros((2, *x.shape[1:]))
    for c in range(channels):
        y, v = x[:, c].copy(), x[:, c].copy()
        if statistics is not None:
            m = np.array([s.location[c] for s in statistics])[:, None, None]
            low = np.array([statistics[0].scale_low[c] / s.scale_low[c] for s in statistics])
            high = np.array([statistics[0].scale_high[c] / s.scale_high[c] for s in statistics])
            low, high = low[:, None, None], high[:, None, None]
            mean = (low + high) / 2
            y = {
                "none": y,
                "scale": (y - m) * np.where(y <= m, low, high) + m[0],
                "equalize-fluxes": y * m[0] / m,
            }[settings.rejection_normalization]
            v = {
                "none": v,
                "additive": v + (m[0] - m),
                "multiplicative": v * m[0] / m,
                "additive-scaling": (v - m) * mean + m[0],
                "multiplicative-scaling": (v / m) * mean * m[0],
            }[settings.normalization]
        w = np.ones(n) if weights is None else weights[:, c]
        for r, k in np.ndindex(x.shape[2:]):
            stack = y[:, r, k]
            there = np.isfinite(stack)
            if not there.any():
                continue
            order = np.sort(stack[there])
            if settings.rejection == "winsorized":
                a, b = stack_twins.winsorized(order)
            else:
                a, b = 0, len(order)
            keep = there & (stack >= order[a]) & (stack <= order[b - 1])
            image[c, r, k] = np.sum(w[keep] * v[keep, r, k]) / w[keep].sum()
            weight[c, r, k] = w[keep].sum()
            counts[:, c, r, k] = a, len(order) - b
    return image, weight, counts / n


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("frames", [3, 8, 21])
def test_winsorized_mean_agrees_with_the_definition(dtype, frames):
    """Image, weights and maps are those of the plain float64 computation."""
    sources = stack_of(frames, (1, 12, 70), dtype=dtype, missing=0.05)
    result = integrate(sources, NONE)
    image, weight, counts = expected(sources, NONE)
    np.testing.assert_allclose(result.image, image, rtol=1e-6)
    np.testing.assert_array_equal(result.weight, weight)
    np.testing.assert_allclose(result.rejected_low, counts[0], rtol=1e-6)
    np.testing.assert_allclose(result.rejected_high, counts[1], rtol=1e-6)


@pytest.mark.parametrize("rejection", sorted({*REJECTION_NORMALIZATIONS} - {LOCAL}))
@pytest.mark.parametrize("output", sorted({*OUTPUT_NORMALIZATIONS} - {LOCAL}))
def test_each_normalization_agrees_with_its_formula(output, rejection):
    """Every pair gives the image of its formulas; test_local_normalization.py has the rest."""
    sources = stack_of(9, (1, 9, 66), seed=3)
    statistics = [frame_statistics(s.planes) for s in sources]
    settings = IntegrationSettings(
        weight="none",
        normalization=output,
        rejection_normalization=rejection,
        rejection="winsorized",
    )
    result = integrate(sources, settings, statistics=statistics)
    image, weight, _ = expected(sources, settings, statistics)
    np.testing.assert_allclose(result.image, image, rtol=2e-6)
    np.testing.assert_array_equal(result.weight, weight)


def test_rgb_channels_are_integrated_on_their_own():
    """Each channel has its own statistics, weights and rejections."""
    sources = stack_of(8, (3, 10, 70), seed=5)
    for source in sources:
        source.planes[1] *= 2
        source.planes[2] += 300
    settings = IntegrationSettings(rejection="winsorized")
    result = integrate(sources, settings)
    statistics = sample_statistics(sources)
    noise = np.array([s.noise for s in statistics])
    ratio = np.array(
        [
            (statistics[0].scale_low / s.scale_low + statistics[0].scale_high / s.scale_high) / 2
            for s in statistics
        ]
    )
    weights = 1 / (noise * ratio) ** 2
    weights /= weights.mean(axis=0)
    np.testing.assert_allclose(result.weights, weights, rtol=1e-12)
    image, weight, _ = expected(sources, settings, statistics, weights)
    np.testing.assert_allclose(result.image, image, rtol=2e-6)
    np.testing.assert_allclose(result.weight, weight, rtol=1e-6)
    alone = integrate([Planes(s.planes[1:2].copy()) for s in sources], settings)
    np.testing.assert_array_equal(alone.image[0], result.image[1])


@pytest.mark.parametrize("memory", [1 << 16, 1 << 20, 1 << 30])
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(("by_rows", "extra_rows"), [(True, 0), (True, 3), (False, 0)])
def test_result_does_not_depend_on_memory_and_threads(memory, threads, by_rows, extra_rows):
    """Any tile size and number of threads gives the same bits."""
    sources = stack_of(20, (2, 37, 150), missing=0.01)
    settings = IntegrationSettings(variance=True)
    statistics = sample_statistics(sources)
    once = integrate(sources, settings, statistics=statistics)
    for source in sources:
        source.by_rows, source.extra_rows = by_rows, extra_rows
    again = integrate(
        sources, settings, statistics=statistics, memory_bytes=memory, threads=threads
    )
    for name in ("image", "weight", "rejected_low", "rejected_high", "variance", "frames_high"):
        np.testing.assert_array_equal(getattr(once, name), getattr(again, name), err_msg=name)


def test_each_pixel_is_read_once():
    """The tiles cover the image without overlap and are read whole."""
    sources = stack_of(5, (1, 37, 150))
    integrate(sources, NONE, memory_bytes=1 << 16, threads=2)
    for source in sources:
        covered = np.zeros((37, 150), int)
        for window in source.reads:
            covered[window.y0 : window.y1, window.x0 : window.x1] += 1
        assert (covered == 1).all()


def test_missing_is_missing_and_zero_is_a_value():
    """NaN takes no part; zeros are averaged; a pixel without any sample is NaN."""
    values = np.array([[0, 0, 10, 10, 20, 0], [np.nan] * 6, [4, np.nan, np.nan, 8, np.nan, 6]])
    sources = [Planes(v.reshape(1, 1, 3).astype(np.float32)) for v in values.T]
    result = integrate(sources, NONE)
    np.testing.assert_allclose(result.image[0, 0], [40 / 6, np.nan, 6.0], rtol=1e-7)
    np.testing.assert_array_equal(result.weight[0, 0], [6, 0, 3])


def test_negative_pixels_are_not_clamped():
    """Frames around zero keep their negative half."""
    rng = np.random.default_rng(1)
    sources = [Planes(rng.normal(0, 3, (1, 30, 64)).astype(np.float32)) for _ in range(10)]
    result = integrate(sources, NONE)
    assert (result.image < 0).mean() > 0.4
    assert abs(result.image.mean()) < 0.1


def test_weights_given_with_the_frames_are_used():
    """The mean is weighted by the numbers given, which are brought to mean 1."""
    sources = [Planes(np.full((1, 4, 5), v, np.float32)) for v in (10, 20, 40)]
    settings = IntegrationSettings.for_darks(weight="exposure", rejection="none")
    result = integrate(sources, settings, weights=[60, 120, 180])
    np.testing.assert_allclose(result.image, (10 + 2 * 20 + 3 * 40) / 6, rtol=1e-7)
    np.testing.assert_allclose(result.weight, 3, rtol=1e-7)


def test_a_survivor_of_little_weight_makes_the_pixel_exactly():
    """Where the frame that weighs most is missing the others decide; weight zero makes nothing."""
    planes = [np.full((1, 1, 3), v, np.float32) for v in (10, 20, 40)]
    planes[0][0, 0, 1:] = np.nan
    planes[1][0, 0, 2] = np.nan
    settings = IntegrationSettings.for_darks(weight="given", rejection="none")
    result = integrate([Planes(p) for p in planes], settings, weights=[3e15, 1, 0])
    np.testing.assert_allclose(result.image[0, 0], [10, 20, np.nan], rtol=1e-7)
    np.testing.assert_allclose(result.weight[0, 0], [3, 1e-15, 0], rtol=1e-7)


def test_weights_that_need_numbers_ask_for_them():
    """A weight from exposures without exposures is an error that says so."""
    with pytest.raises(SettingsError, match="number for each frame"):
        integrate(stack_of(3), IntegrationSettings.for_darks(weight="exposure"))


@pytest.mark.parametrize(
    ("combination", "function"),
    [
        ("median", lambda x: np.nanmedian(x, axis=0)),
        ("minimum", lambda x: np.nanmin(x, axis=0)),
        ("maximum", lambda x: np.nanmax(x, axis=0)),
        ("sum", lambda x: np.nanmean(x, axis=0) * len(x)),
    ],
)
@pytest.mark.parametrize("frames", [6, 7])
def test_each_combination_is_the_numpy_function_of_its_name(combination, function, frames):
    """Each combination is the NumPy function of that name, missing samples left out."""
    sources = stack_of(frames, missing=0.05)
    settings = IntegrationSettings.for_darks(combination=combination, rejection="none")
    result = integrate(sources, settings)
    values = function(np.stack([s.planes for s in sources]).astype(np.float64))
    np.testing.assert_allclose(result.image, values, rtol=1e-6)


def test_the_median_is_taken_of_the_survivors():
    """Rejection comes before the median, and output normalization is applied to what it takes."""
    sources = [Planes(np.full((1, 2, 64), v, np.float32)) for v in (1, 2, 3, 4, 5, 6, 500)]
    settings = IntegrationSettings.for_darks(combination="median", rejection="winsorized")
    np.testing.assert_allclose(integrate(sources, settings).image, 3.5)
    settings = IntegrationSettings.for_darks(combination="maximum", rejection="winsorized")
    np.testing.assert_allclose(integrate(sources, settings).image, 6)


def test_range_limits_act_on_raw_values():
    """Samples at or beyond the limits are rejected; a stack of nothing else has its median."""
    values = np.array([[0, 5, 6, 7, 9], [0, 0, 9, 9, 9]])
    sources = [Planes(v.reshape(1, 1, 2).astype(np.uint16)) for v in values.T]
    settings = IntegrationSettings.for_darks(range_limits={"low": 0, "high": 9})
    result = integrate(sources, settings)
    np.testing.assert_allclose(result.image[0, 0], [6, 9])
    np.testing.assert_allclose(result.weight[0, 0], [3, 0])
    np.testing.assert_allclose(result.rejected_low[0, 0], [0.2, 0.4])
    np.testing.assert_allclose(result.rejected_high[0, 0], [0.2, 0.6])


def test_rejected_fractions_are_of_the_samples_a_frame_has():
    """A frame's fractions count its own rejected samples over those it has."""
    rng = np.random.default_rng(2)
    sources = [Planes(rng.normal(100, 1, (1, 50, 64)).astype(np.float32)) for _ in range(12)]
    sources[3].planes[0, :10] += 100
    sources[5].planes[0, :5] = np.nan
    sources[5].planes[0, 5:14] -= 100
    result = integrate(sources, NONE)
    assert result.frames_high[3, 0] == pytest.approx(0.2, abs=0.01)
    assert result.frames_low[5, 0] == pytest.approx(0.2, abs=0.01)
    assert result.frames_high[[0, 1, 2, 4]].max() < 0.02


def test_unequal_frames_are_refused():
    """Frames of different size are named with their sizes."""
    sources = [*stack_of(2), *stack_of(1, (1, 40, 71))]
    with pytest.raises(IncompatibleFramesError, match=r"frame 2 has \(1, 40, 71\)"):
        integrate(sources, NONE)


def test_no_frame_is_an_error():
    """An empty stack is refused."""
    with pytest.raises(InputError, match="no frame"):
        integrate([], NONE)


def test_a_failing_frame_stops_the_integration():
    """The error of a source comes out, from whichever thread."""
    sources = stack_of(4)

    class Broken(Planes):
        def read(self, window, out):
            """Fail."""
            raise InputError("cannot be read", where="broken.fits")

    sources[2] = Broken(sources[2].planes)
    with pytest.raises(InputError, match=r"broken\.fits"):
        integrate(sources, NONE, threads=2, memory_bytes=1 << 16)
    assert not [t for t in threading.enumerate() if t.name.startswith("integrate")]


def test_what_fails_in_one_thread_is_not_finished_by_the_others():
    """The other threads stop after the tile they are at."""
    failed = threading.Event()

    class Broken(Planes):
        def read(self, window, out):
            """Fail in all threads but the first, which waits for it."""
            if not threading.current_thread().name.endswith("_0"):
                failed.set()
                raise InputError("cannot be read", where="broken.fits")
            assert failed.wait(30)
            super().read(window, out)

    sources = stack_of(4, (1, 400, 70))
    sources[0] = Broken(sources[0].planes)
    with pytest.raises(InputError, match=r"broken\.fits"):
        integrate(sources, NONE, threads=2, memory_bytes=1 << 16)

    assert len(sources[0].reads) <= 2


def test_progress_adds_up():
    """`advance` is called with all pixels of all channels."""
    done = []
    integrate(stack_of(4, (3, 37, 20)), NONE, threads=2, memory_bytes=1 << 16, advance=done.append)
    assert sum(done) == 3 * 37 * 20


def test_level_zero_cannot_be_multiplied():
    """A flat without light is an error, not an infinite image."""
    sources = [Planes(np.full((1, 8, 64), v, np.float32)) for v in (100, 0, 100)]
    with pytest.raises(InputError, match="frame 1"):
        integrate(sources, IntegrationSettings.for_flats())


def test_star_drifting_through_falling_flats_is_gone():
    """Flats that fall in level do not hide a star that drifts through them."""
    rng = np.random.default_rng(4)
    rows, columns = np.mgrid[0:60, 0:64]
    sources = []
    for k in range(12):
        level = 30000 * 0.9**k
        flat = level * (1 - 0.00005 * ((rows - 30) ** 2 + (columns - 32) ** 2))
        star = 0.5 * level * np.exp(-((rows - 5 - 4 * k) ** 2 + (columns - 32) ** 2) / 4)
        sources.append(Planes(rng.normal(flat + star, np.sqrt(flat))[None].astype(np.float32)))
    result = integrate(sources, IntegrationSettings.for_flats())
    shape = (
        result.image[0]
        / np.median(result.image)
        / (1 - 0.00005 * ((rows - 30) ** 2 + (columns - 32) ** 2))
    )
    along = shape[5:50, 30:35] / np.median(shape)
    assert np.abs(along - 1).max() < 0.02


def test_variance_map_is_calibrated():
    """Residuals over the predicted sigma have a width of 1 within 3 percent."""
    rng = np.random.default_rng(6)
    noise = np.linspace(5, 20, 16)
    sources = [Planes(rng.normal(500, s, (1, 200, 300)).astype(np.float32)) for s in noise]
    statistics = [
        FrameStatistics(np.array([500.0]), np.array([10.0]), np.array([10.0]), np.array([s]))
        for s in noise
    ]
    settings = IntegrationSettings(variance=True, normalization="none", rejection="none")
    result = integrate(sources, settings, statistics=statistics)
    residual = (result.image - 500) / np.sqrt(result.variance)
    assert residual.std() == pytest.approx(1, abs=0.01)


def test_stated_memory_is_not_exceeded():
    """Measured buffers stay within the memory given, apart from the result itself."""
    sources = stack_of(60, (1, 64, 512))
    integrate(sources, NONE)
    tracemalloc.start()
    try:
        result = integrate(sources, NONE, memory_bytes=2 << 20, threads=2)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    images = 4 * result.image.nbytes
    assert peak < images + (2 << 20) + (1 << 19)


def test_two_thousand_frames_fit_into_little_memory():
    """Any number of frames fits; the tiles become small, and the mean is right."""
    rng = np.random.default_rng(8)
    sources = [
        Planes(rng.normal(300, 10, (1, 3, 200)).round().astype(np.uint16)) for _ in range(2000)
    ]
    result = integrate(sources, NONE, memory_bytes=5 << 20, threads=2)
    assert max(w.x1 - w.x0 for w in sources[0].reads) < 200
    np.testing.assert_allclose(result.image, 300, atol=5 * 10 / np.sqrt(2000))


@pytest.mark.parametrize(
    ("frames", "name"),
    [(1, "none"), (2, "none"), (3, "winsorized"), (24, "winsorized"), (25, "esd")],
)
def test_the_automatic_choice_is_by_number_of_frames(frames, name):
    """The automatic choice is by number of frames, is recorded, and does what its name does."""
    assert choose_rejection(frames) == name
    sources = stack_of(frames, (1, 4, 64))
    result = integrate(sources, IntegrationSettings.for_darks())
    named = integrate(sources, IntegrationSettings.for_darks(rejection=name))
    assert result.rejection == name
    np.testing.assert_array_equal(result.image, named.image)


def test_the_slope_map_has_the_drift_of_the_frames():
    """Frames that rise by 3 DN each have that slope; other algorithms have no map."""
    sources = [Planes(np.full((1, 3, 70), 100 + 3 * k, np.float32)) for k in range(9)]
    settings = IntegrationSettings.for_darks(rejection="linear-fit")
    np.testing.assert_allclose(integrate(sources, settings).slope, 3, rtol=1e-4)
    assert integrate(sources, NONE).slope is None


def test_sixteen_equal_frames_have_a_quarter_of_the_noise():
    """Sixteen equal frames have a quarter of the noise of one."""
    rng = np.random.default_rng(9)
    sources = [Planes(rng.normal(500, 12, (1, 200, 400)).astype(np.float32)) for _ in range(16)]
    quality = integration_quality(integrate(sources, IntegrationSettings(rejection="none")))
    assert quality.noise[0] == pytest.approx(3, rel=0.02)
    assert quality.gain[0] == pytest.approx(4, rel=0.03)


def test_samples_equal_to_a_rejected_one_can_survive():
    """Min/max takes one of two equal samples, and all figures agree on that."""
    sources = [Planes(np.full((1, 2, 64), v, np.float32)) for v in (5, 1, 1, 9, 9, 7)]
    settings = IntegrationSettings.for_darks(rejection="min-max")
    result = integrate(sources, settings)
    np.testing.assert_allclose(result.image, (5 + 1 + 9 + 7) / 4)
    np.testing.assert_array_equal(result.weight, 4)
    np.testing.assert_allclose(result.frames_low[:, 0], [0, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(result.frames_high[:, 0], [0, 0, 0, 1, 0, 0])
    median = integrate(
        sources, IntegrationSettings(**settings.model_dump() | {"combination": "median"})
    )
    np.testing.assert_allclose(median.image, 6)


@pytest.mark.parametrize("scale", list(SCALE_ESTIMATORS))
@pytest.mark.parametrize("location", list(LOCATION_ESTIMATORS))
def test_estimators_of_level_and_scale_can_be_chosen(location, scale):
    """Frames that differ by level and scale are brought together by any of them."""
    rng = np.random.default_rng(11)
    sources = [
        Planes((500 + 40 * k + (1 + 0.2 * k) * rng.normal(0, 10, (1, 64, 200))).astype(np.float32))
        for k in range(5)
    ]
    settings = IntegrationSettings(
        estimators={"location": location, "scale": scale}, weight="none", rejection="none"
    )
    result = integrate(sources, settings)
    assert result.factors[:, 0] == pytest.approx(1 / (1 + 0.2 * np.arange(5)), rel=0.06)
    assert result.image.mean() == pytest.approx(500, abs=1)


@pytest.mark.parametrize("sides", [(), ("low", "high")])
def test_without_maps_the_image_is_the_same_and_the_share_of_rejected_samples_is_known(sides):
    """Masters need no maps, which take three times the memory of the image."""
    rng = np.random.default_rng(41)
    frames = rng.normal(1000, 10, (12, 1, 60, 70)).astype(np.float32)
    frames[3, 0, 20:30] += 400
    large = {"low": "low" in sides, "high": "high" in sides}
    with_maps = IntegrationSettings.for_darks(rejection="sigma", large_scale=large)
    without = with_maps.model_copy(update={"maps": False})

    sources = [Planes(frame) for frame in frames]
    whole = integrate(sources, with_maps, threads=2)
    bare = integrate(sources, without, threads=2)

    np.testing.assert_array_equal(bare.image, whole.image)
    assert bare.weight is None
    assert bare.rejected_low is None
    assert bare.rejected_high is None
    assert bare.rejected == whole.rejected
    means = [np.mean(m, dtype=np.float64) for m in (whole.rejected_low, whole.rejected_high)]
    assert whole.rejected == pytest.approx(means, rel=1e-5)
    assert whole.rejected[1] > 10 / 60 / 12
