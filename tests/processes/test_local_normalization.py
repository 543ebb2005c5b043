"""Local normalization: fields follow the sky, leave stars and nebulae alone, and know no tiles."""

import numpy as np
import pytest
from scipy.interpolate import BSpline
from star_fields import star_table
from test_integration import Planes

from lightframe.kernels._local import apply_fields, tile_differences
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration import integrate
from lightframe.processes._integration_recipe import sample_statistics
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_trace import trace_pixel
from lightframe.processes._local_normalization import (
    LocalNormalizationSettings,
    _smooth,
    local_fields,
)
from lightframe.processes._photometric_scale import photometric_scale

BOTH = {"normalization": "local", "rejection_normalization": "local"}
PAIRS = (
    BOTH,
    {"normalization": "local", "rejection_normalization": "scale"},
    {"normalization": "additive-scaling", "rejection_normalization": "local"},
)
SIGMA = 12.0
SKY = 800.0


def places(shape):
    """Return rows and columns, -0.5 to 0.5."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    return rows / shape[0] - 0.5, columns / shape[1] - 0.5


def spot(shape, y, x, sigma, peak):
    """Return a Gaussian around a pixel."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return peak * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))


def field(shape, count=14, seed=0, *, objects=0.0, noise=SIGMA, fwhm=(2.4, 2.4)):
    """Frames of one object through different transparency, each with its own gradient.

    Returns sources, what each adds to the sky, and the transparencies.
    """
    rng = np.random.default_rng(seed)
    y, x = places(shape)
    stars = np.zeros(shape)
    for _ in range(shape[0] * shape[1] // 1500):
        sy, sx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        stars += spot(shape, sy, sx, 1.3, rng.exponential(300))
    sources, skies, clear = [], [], np.linspace(1.0, 0.8, count)
    for k in range(count):
        slope = rng.uniform(-0.1, 0.1, 2) if k else (0.0, 0.0)
        sky = SKY * (1 + 0.01 * k + slope[0] * y + slope[1] * x)
        blur = fwhm[0] + (fwhm[1] - fwhm[0]) * (k % 3) / 2
        bright = spot(shape, shape[0] * 0.3, shape[1] * 0.7, blur / 2.355, 60000 / blur**2)
        pixels = sky + clear[k] * (stars + objects + bright * (fwhm[0] != fwhm[1]))
        pixels = rng.normal(pixels, noise)
        sources.append(Planes(pixels[None].astype(np.float32)))
        skies.append(sky)
    return sources, skies, clear


def known_scales(clear, noise=SIGMA):
    """Statistics with the scale that stars would give."""
    return [
        FrameStatistics(np.array([SKY]), np.array([c]), np.array([c]), np.array([noise]))
        for c in clear
    ]


def test_the_kernel_evaluates_b_splines():
    """Scale and offset at every pixel are those of SciPy's splines; limits mark samples."""
    rng = np.random.default_rng(1)
    nodes = rng.normal(1, 0.2, (3, 2, 9, 12)).astype(np.float32)
    geometry = np.array([-10.3, 7.7, -15.1, 9.9])
    stack = rng.normal(1000, 30, (3, 5 * 40)).astype(np.float32)
    stack[1, 17] = np.nan
    out = np.empty((3, 200), np.float32)
    limits = np.array([950, 1060], np.float32)
    apply_fields(stack, 0, 200, (20, 31, 0), 40, nodes, geometry, limits, out)
    rows, columns = np.arange(20, 25), np.arange(31, 71)

    def weights(at, origin, step, count):
        knots = np.arange(-2, count + 2)
        return BSpline(knots, np.eye(count), 3)((at - origin) / step)

    wy = weights(rows, geometry[0], geometry[1], 9)
    wx = weights(columns, geometry[2], geometry[3], 12)
    fields = np.einsum("yi,fwij,xj->fwyx", wy, nodes.astype(float), wx).reshape(3, 2, 200)
    expected = stack * fields[:, 0] + fields[:, 1]
    expected[stack <= 950] = -np.finfo(np.float32).max
    expected[stack >= 1060] = np.finfo(np.float32).max
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_tiles_measure_the_difference_beside_stars():
    """Median of the differences of calm pixels, as computed directly; too few pixels give NaN."""
    rng = np.random.default_rng(2)
    reference = rng.normal(500, 10, (12, 200)).astype(np.float32)
    frame = rng.normal(250, 5, (12, 200)).astype(np.float32)
    reference[:, 30:36] += 2000
    frame[3:6, 100:110] += 900
    frame[:, 150:] = np.nan
    edges = np.array([0, 70, 150, 200])
    offset, sigma = np.empty(3), np.empty(3)
    tile_differences(reference, frame, np.full(3, 1.5), edges, offset, sigma)
    for k in range(2):
        r = reference[:, edges[k] : edges[k + 1]].astype(float)
        t = frame[:, edges[k] : edges[k + 1]] * 1.5

        def calm(v):
            m = np.sort(v, axis=None)[v.size // 2]
            deviation = np.abs(v - m)
            return deviation <= 3 * 1.4826 * np.sort(deviation, axis=None)[v.size // 2]

        d = (r - t)[calm(r) & calm(t)]
        d = d[calm(d)]
        assert offset[k] == pytest.approx(np.sort(d)[d.size // 2], abs=1e-3)
        assert sigma[k] == pytest.approx(1.2533 * d.std() / np.sqrt(d.size), rel=0.1)
    assert np.isnan(offset[2])
    assert np.isnan(sigma[2])


def test_surfaces_keep_planes_and_do_not_follow_single_tiles():
    """A tilted plane comes back at all nodes, beyond the edges too, past outliers and gaps."""
    rows, columns = np.mgrid[:9, :14].astype(float)
    offset = 20 + 3 * rows - 2 * columns
    sigma = np.full(offset.shape, 0.01)
    wanted = 20 + 3 * np.arange(-2, 11.0)[:, None] - 2 * np.arange(-2, 16.0)
    np.testing.assert_allclose(_smooth(offset, sigma), wanted, atol=0.02)
    spoilt = offset.copy()
    spoilt[4, 5] += 500
    spoilt[0, 9:] = np.nan
    np.testing.assert_allclose(_smooth(spoilt, sigma), wanted, atol=0.05)
    single = _smooth(np.full((1, 1), 7.0), np.full((1, 1), 0.1))
    np.testing.assert_allclose(single, 7.0, rtol=1e-6)
    np.testing.assert_array_equal(_smooth(np.full((2, 3), np.nan), np.full((2, 3), np.nan)), 0.0)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("limits", [{}, {"low": 0, "high": 2000}])
def test_tiles_and_threads_change_no_bit(pair, dtype, limits):
    """Any memory and number of threads gives the same image and maps."""
    sources, _, clear = field((70, 150), 8)
    sources = [Planes(source.planes.round().astype(dtype)) for source in sources]
    for source in sources:
        source.planes[0, 20:22, 30:40] = 3000
    settings = IntegrationSettings(**pair, variance=True, range_limits=limits)
    statistics = known_scales(clear)
    once = integrate(sources, settings, statistics=statistics)
    for memory, threads in ((1 << 16, 1), (1 << 17, 3)):
        again = integrate(
            sources, settings, statistics=statistics, memory_bytes=memory, threads=threads
        )
        for name in ("image", "weight", "rejected_low", "rejected_high", "variance", "frames_high"):
            np.testing.assert_array_equal(getattr(once, name), getattr(again, name), err_msg=name)
    if limits:
        assert (once.rejected_high[0, 20:22, 30:40] == 1).all()
        assert (once.image[0, 20:22, 30:40] > 2000).all()


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("combination", ["average", "median"])
def test_integration_and_trace_agree_with_the_definition(pair, combination):
    """Samples are normalized by the fields where they ought to be, and nowhere else."""
    sources, _, clear = field((48, 96), 9)
    sources[4].planes[0, 7, 9] += 1000
    statistics = known_scales(clear)
    settings = IntegrationSettings(**pair, weight="none", combination=combination)
    result = integrate(sources, settings, statistics=statistics)
    scales = (1.0 / clear)[:, None]
    fields = local_fields(sources, (scales, np.zeros((9, 2))), 0, LocalNormalizationSettings())
    raw = np.stack([s.planes[0] for s in sources])
    local = np.empty((9, 48 * 96), np.float32)
    unlimited = np.array([-np.inf, np.inf], np.float32)
    flat = raw.reshape(9, -1)
    apply_fields(
        flat, 0, 48 * 96, (0, 0, 0), 96, fields.nodes[0], fields.geometry, unlimited, local
    )
    plain = IntegrationSettings.for_darks(rejection="winsorized", combination=combination)
    if pair == BOTH:
        planes = [Planes(p.reshape(1, 48, 96)) for p in local]
        expected = integrate(planes, plain)
        np.testing.assert_allclose(result.image, expected.image, rtol=1e-6)
        np.testing.assert_array_equal(result.rejected_high, expected.rejected_high)
    for x, y in ((9, 7), (95, 47), (40, 20)):
        (trace,) = trace_pixel(sources, settings, x, y, statistics=statistics)
        assert trace.result == pytest.approx(result.image[0, y, x], rel=1e-6)
        values = local[:, y * 96 + x]
        scaled = (raw[:, y, x] - SKY) / clear + SKY
        combined, compared = (
            values if pair[name] == "local" else scaled
            for name in ("normalization", "rejection_normalization")
        )
        np.testing.assert_allclose([s.combined for s in trace.samples], combined, rtol=1e-6)
        np.testing.assert_allclose([s.compared for s in trace.samples], compared, rtol=1e-6)
    assert result.rejected_high[0, 7, 9] > 0


@pytest.mark.parametrize("scale_px", [256, 512])
def test_gradients_go_and_the_nebula_stays(scale_px):
    """Gradients of ten percent of the sky leave less than one; the nebula has its flux."""
    shape = (420, 600)
    nebula = spot(shape, 200, 280, 45.0, 900.0)
    sources, skies, clear = field(shape, objects=nebula)
    settings = IntegrationSettings(**BOTH, local={"scale_px": scale_px})
    result = integrate(sources, settings, statistics=known_scales(clear))
    one = sources[0].planes[0].astype(float)
    residual = result.image[0] - one
    tiles = np.median(
        residual.reshape(14, 30, 20, 30).transpose(0, 2, 1, 3).reshape(14, 20, -1), axis=2
    )
    assert np.abs(tiles).max() < 0.01 * SKY
    assert tiles.std() < 0.002 * SKY
    without, _, _ = field(shape, objects=0.0, noise=SIGMA)
    same = integrate(without, settings, statistics=known_scales(clear))
    aperture = nebula > 30
    flux = (result.image[0] - same.image[0])[aperture].sum()
    assert flux == pytest.approx(nebula[aperture].sum(), rel=0.005)
    assert np.std([sky - sky.mean() for sky in skies]) > 0.02 * SKY  # there was something to do


def test_no_ring_round_a_bright_star():
    """A star of different width in each frame leaves the sky around it as it was."""
    shape = (420, 600)
    sources, _, clear = field(shape, 18, fwhm=(2.4, 4.0))
    settings = IntegrationSettings(**BOTH)
    result = integrate(sources, settings, statistics=known_scales(clear))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - shape[0] * 0.3, columns - shape[1] * 0.7)
    sigma = SIGMA / np.sqrt(len(sources))
    rings = [
        np.median(result.image[0][(distance >= r) & (distance < r + 10)])
        for r in range(12, 112, 10)
    ]
    assert np.abs(np.array(rings) - np.median(rings)).max() < 0.3 * sigma


def test_rejection_sees_through_gradients():
    """With crossing gradients only local normalization still finds a faint trail."""
    rng = np.random.default_rng(4)
    shape = (240, 360)
    y, x = places(shape)
    sources = []
    for k in range(15):
        sky = SKY + 200 * (y * np.cos(k) + x * np.sin(k))
        sources.append(Planes(rng.normal(sky, SIGMA)[None].astype(np.float32)))
    sources[6].planes[0, 100:104] += 8 * SIGMA
    statistics = known_scales(np.ones(15))
    left = {}
    for name, pair in (("local", BOTH), ("scale", {})):
        result = integrate(sources, IntegrationSettings(**pair), statistics=statistics)
        left[name] = np.mean(result.rejected_high[0, 100:104] > 0)
    assert left["local"] > 0.97
    assert left["scale"] < 0.5


def test_a_frame_that_covers_a_part_is_continued_as_a_plane():
    """Where a frame has no pixels its field goes on from where it has some; no overlap is zero."""
    sources, _, clear = field((240, 360), 3)
    sources[1].planes[:, :, 180:] = np.nan
    scales = (1 / clear)[:, None], np.zeros((3, 2))
    fields = local_fields(sources, scales, 0, LocalNormalizationSettings())
    assert np.isfinite(fields.nodes).all()
    assert (fields.nodes[0, 0, 0] == 1).all()
    assert (fields.nodes[0, 0, 1] == 0).all()
    result = integrate(sources, IntegrationSettings(**BOTH), statistics=known_scales(clear))
    assert np.isfinite(result.image).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_samples_that_are_not_finite_are_missing(value):
    """An infinite sample is no very bright one: the pixel is made of the other frame alone."""
    frames = np.random.default_rng(6).normal(1000, 20, (2, 1, 40, 50)).astype(np.float32)
    frames[0, 0, 5, 6] = value
    settings = IntegrationSettings(
        normalization="local", rejection_normalization="local", rejection="none", weight="none"
    )

    result = integrate([Planes(planes) for planes in frames], settings)

    assert result.image[0, 5, 6] == pytest.approx(frames[1, 0, 5, 6], abs=30)
    assert (result.weight[0, 5, 6], result.weight[0, 5, 7]) == (1, 2)


def test_statistics_are_measured_where_none_are_given():
    """Local normalization works on bare arrays, several channels, and both marks and maps."""
    rng = np.random.default_rng(9)
    sources = [
        Planes(rng.normal(300 + 50 * k, 10, (3, 64, 96)).astype(np.float32)) for k in range(9)
    ]
    sources[3].planes[:, 20:32, 20:50] += 400
    settings = IntegrationSettings(**BOTH, large_scale={"high": True})
    result = integrate(sources, settings)
    assert sample_statistics(sources)[0].location == pytest.approx(300, abs=1)
    assert np.median(result.image, axis=(1, 2)) == pytest.approx(300, abs=1)
    assert (result.rejected_high[:, 20:32, 20:50] > 0).all()
    assert result.frames_high[3] == pytest.approx(16 * 34 / (64 * 96), abs=0.01)


def test_transparency_may_change_across_the_field():
    """With the slope that stars show, a nebula and stars have their flux at every place."""
    rng = np.random.default_rng(11)
    shape = (400, 600)
    y, x = places(shape)
    things = sum(spot(shape, 80.0 + 80 * i, 100.0 + 200 * j, 25.0, 800.0) for i in range(4)
                 for j in range(3))  # fmt: skip
    sources, statistics = [], []
    for k in range(10):
        slope = (0.0, 0.0) if k == 0 else tuple(rng.uniform(-0.2, 0.2, 2))
        clear = 1.0 if k == 0 else rng.uniform(0.8, 1.0)
        sky = SKY * (1 + 0.05 * rng.uniform(-1, 1) * x)
        pixels = sky + clear * (1 + slope[0] * y + slope[1] * x) * things
        sources.append(Planes(rng.normal(pixels, SIGMA)[None].astype(np.float32)))
        c = np.array([clear])
        statistics.append(FrameStatistics(np.array([SKY]), c, c, np.array([SIGMA]), slope))
    settings = IntegrationSettings(**BOTH, rejection="none")
    result = integrate(sources, settings, statistics=statistics)
    sky = result.image[0] - things
    assert np.abs(sky[things > 50].mean() - sky[things < 1].mean()) < 0.005 * 800
    for column in (slice(50, 150), slice(450, 550)):
        peaks = sky[:, column][things[:, column] > 400]
        assert abs(peaks.mean() - sky[:, column][things[:, column] < 1].mean()) < 0.005 * 800


def test_the_slope_of_transparency_is_measured_from_stars():
    """A plane in the ratios of fluxes is found if it is significant, and is zero if not."""
    rng = np.random.default_rng(12)
    x, y = rng.uniform(0, 600, 300), rng.uniform(0, 400, 300)
    flux = 10 ** rng.uniform(4, 5, 300)
    change = 0.9 * (1 + 0.1 * ((y + 0.5) / 400 - 0.5) - 0.05 * ((x + 0.5) / 600 - 0.5))
    scatter = 1 + 0.01 * rng.standard_normal(300)
    reference = star_table(x, y, flux)
    sloped = photometric_scale(
        star_table(x, y, flux * change * scatter), np.eye(3), reference, shape=(400, 600)
    )
    assert sloped.ratio == pytest.approx(0.9, abs=0.005)
    assert sloped.slope == pytest.approx((0.1, -0.05), abs=0.01)
    even = photometric_scale(
        star_table(x, y, 0.9 * flux * scatter), np.eye(3), reference, shape=(400, 600)
    )
    assert even.slope == (0.0, 0.0)
