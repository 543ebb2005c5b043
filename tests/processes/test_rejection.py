"""Rejection algorithms against their plain float64 twins, and what they are for."""

import numpy as np
import pytest
import stack_twins
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.errors import SettingsError
from lightframe.kernels._stack import LANES, order_samples, sorting_network
from lightframe.processes._rejection import REJECTIONS, RejectionWork, esd_critical_values
from lightframe.processes._rejection_limits import LinearFitLimits, RejectionLimits, SigmaLimits

TWINS = {
    "min-max": stack_twins.min_max,
    "percentile": stack_twins.percentile,
    "sigma": stack_twins.sigma,
    "mad": stack_twins.mad,
    "averaged-sigma": stack_twins.averaged_sigma,
    "ccd-noise": stack_twins.ccd_noise,
    "winsorized": stack_twins.winsorized,
    "linear-fit": stack_twins.linear_fit,
    "esd": stack_twins.esd,
    "chauvenet": stack_twins.chauvenet,
}


def reject(name, samples, limits=None, *, integers=False):
    """Sort and reject stacks ``samples[frame, pixel]``; return sorted rows and ranges."""
    frames, pixels = samples.shape
    blocks = -(-pixels // LANES)
    ordered = np.empty((blocks, frames, LANES), np.float32)
    high = np.empty(blocks * LANES, np.int32)
    low = np.zeros_like(high)
    plain = np.tile(np.array([0, 1, 1, 0], np.float32), (frames, 1))
    everything = np.array([-np.inf, np.inf], np.float32)
    stack = np.ascontiguousarray(samples, np.float32)
    order_samples(stack, 0, pixels, plain, everything, sorting_network(frames), ordered, high)
    work = RejectionWork.for_chunks(frames, low.size)
    if integers:
        work = work.for_integers(frames)
    REJECTIONS[name](ordered, low, high, limits or RejectionLimits(), work)
    rows = ordered.transpose(1, 0, 2).reshape(frames, -1)[:, :pixels]
    return rows, low[:pixels], high[:pixels], work


def near_tie(name, column, limits, count=9):
    """Whether a hair's breadth in the limits changes what the twin rejects."""
    twin = TWINS[name]
    options = {"sides": limits.sides, "minimum": limits.minimum_survivors}
    hair = 3e-5
    scales = np.linspace(1 - hair, 1 + hair, count)
    if name == "min-max":
        return False
    if name == "esd":
        outcomes = {twin(column, alpha=0.05 * s**20, **options) for s in scales}
    elif name == "chauvenet":
        outcomes = {twin(column, limit=0.1 * s**20, **options) for s in scales}
    else:
        low, high = {"percentile": (0.2, 0.1), "linear-fit": (5.0, 4.0)}.get(name, (4.0, 3.0))
        outcomes = {twin(column, low=low * s, high=high * s, **options) for s in scales}
        if name == "winsorized":
            outcomes |= {twin(column, cutoff=5.0 * s, **options) for s in scales}
    return len(outcomes) > 1


def assert_agrees(name, samples, limits=None):
    """Reject the same samples as the twin, up to ties at the limits; return how many ties."""
    limits = limits or RejectionLimits()
    rows, low, high, _ = reject(name, samples, limits)
    ties = 0
    for k in range(samples.shape[1]):
        column = np.sort(np.float32(samples[:, k])[np.isfinite(samples[:, k])]).astype(float)
        np.testing.assert_array_equal(rows[: len(column), k], column)
        expected = TWINS[name](column, sides=limits.sides, minimum=limits.minimum_survivors)
        if expected != (low[k], high[k]):
            assert near_tie(name, column, limits), (name, k, expected, (low[k], high[k]), column)
            ties += 1
    return ties


def noise(frames, pixels=96, *, seed=0, outliers=0.02, one_sided=True):
    """Gaussian stacks with outliers and missing samples."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1000, 20, (frames, pixels))
    hit = rng.random(x.shape) < outliers
    x[hit] += rng.exponential(500, hit.sum()) * (1 if one_sided else rng.choice([-1, 1], hit.sum()))
    x[rng.random(x.shape) < 0.01] = np.nan
    return x.astype(np.float32)


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("frames", [3, 4, 5, 8, 13, 20, 33, 64, 100])
def test_same_samples_are_rejected_as_by_the_definition(name, frames):
    """On noise with outliers and missing samples, kernel and twin agree; ties are very rare."""
    ties = assert_agrees(name, noise(frames, seed=frames))
    assert ties <= 2


@pytest.mark.parametrize("name", TWINS)
def test_two_hundred_frames_are_rejected_as_by_the_definition(name):
    """Long stacks are rejected like short ones."""
    assert_agrees(name, noise(200, 24, seed=1, one_sided=False))


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize(
    "limits",
    [
        RejectionLimits(reject_low=False),
        RejectionLimits(reject_high=False),
        RejectionLimits(minimum_survivors=10),
    ],
)
def test_one_side_alone_and_a_minimum_of_survivors_are_heeded(name, limits):
    """One side alone, and a minimum of survivors, hold for each algorithm."""
    samples = noise(12, seed=7, outliers=0.1, one_sided=False)
    assert_agrees(name, samples, limits)
    _, low, high, _ = reject(name, samples, limits)
    there = np.isfinite(samples).sum(axis=0)
    if not limits.reject_low:
        assert not low.any()
    if not limits.reject_high:
        np.testing.assert_array_equal(high, there)
    assert ((high - low >= limits.minimum_survivors) | (high - low == there)).all()


values = st.one_of(
    st.integers(-3, 3).map(float),
    st.integers(-10_000_000, 70_000_000).map(lambda i: i / 1000),
    st.just(float("nan")),
)


@pytest.mark.parametrize("name", TWINS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_stack_is_rejected_as_by_the_definition(name, data):
    """Ties, zeros, negatives, missing samples and far outliers: kernel and twin agree."""
    frames = data.draw(st.integers(3, 14))
    stacks = data.draw(
        st.lists(st.lists(values, min_size=frames, max_size=frames), min_size=1, max_size=4)
    )
    assert_agrees(name, np.array(stacks, np.float32).T)


@given(
    frames=st.integers(3, 60),
    seed=st.integers(0, 2**32 - 1),
    level=st.sampled_from([0, 1, 300, 32767, 65000, 65535]),
    sigma=st.sampled_from([0.0, 0.4, 3.0, 200.0, 40000.0]),
)
@settings(max_examples=60, deadline=None)
def test_integers_lose_the_same_samples_as_floats(frames, seed, level, sigma):
    """Sn of 16-bit integers is taken as integers, to the last bit, from one end to the other."""
    rng = np.random.default_rng(seed)
    samples = level + sigma * rng.standard_normal((frames, 3 * LANES - 7))
    samples[rng.random(samples.shape) < 0.02] = rng.choice([0, 65535])
    samples = np.clip(np.rint(samples), 0, 65535)
    floats = reject("winsorized", samples)
    integers = reject("winsorized", samples, integers=True)
    for expected, got in zip(floats[:3], integers[:3], strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", [n for n in TWINS if n != "min-max"])
@pytest.mark.parametrize("level", [0.0, -5.0, 1000.0, 65535.0])
def test_constant_stacks_lose_nothing(name, level):
    """Equal samples are never outliers."""
    _, low, high, _ = reject(name, np.full((9, 70), level))
    assert not low.any()
    assert (high == 9).all()


@pytest.mark.parametrize("name", [n for n in TWINS if n not in {"min-max", "percentile"}])
def test_one_cosmic_ray_among_twenty_frames_is_rejected(name):
    """A sample 50 sigma high is rejected by each algorithm, with few others."""
    rng = np.random.default_rng(11)
    x = rng.normal(400, 20, (20, 640))
    x[7] += 1000
    _, low, high, _ = reject(name, x)
    assert (high < 20).all()
    assert (high - low).mean() > 18


def test_a_pixel_between_those_of_a_block_is_not_lost():
    """Survivors fall to 7 by other rounds: one of the block is done, and one of the next between.

    The queue then holds the block's first and last pixel 63 places apart, but not all between.
    """
    by_8 = [-2.4, -1.2, -0.5, -0.2, -0.1, 0.7, 0.8, 19.4, 237.6, 299.3, 302.3, 354.0]
    by_9 = [-1.2, -0.7, -0.4, -0.2, -0.2, 0.1, 0.3, 1.3, 2.1, 94.7, 106.3, 144.7]
    at_once = [-1.1, -0.2, 0.5, 0.6, 0.6, 1.0, 1.6, 71.4, 85.3, 88.8, 121.0, 135.1]
    by_8_to_6 = [-1.3, -0.3, -0.2, 0.2, 0.2, 0.3, 3.1, 68.7, 232.7, 258.1, 439.0, 466.8]
    quiet = [-1.6, -1.0, -0.2, 0.0, 0.1, 0.7, 0.8, 0.8, 0.8, 0.9, 1.0, 1.7]
    columns = [by_8] * 5 + [at_once] + [by_8] * 35 + [by_9] * 23
    columns += [quiet] * 6 + [by_8_to_6] + [quiet] * 57
    limits = RejectionLimits(reject_low=False, sigma=SigmaLimits(high=1.2))
    _, low, high, _ = reject("sigma", np.array(columns).T, limits)
    assert not low.any()
    assert high[:64].tolist() == [7] * 64
    assert high[70] == 6
    assert np.delete(high[64:], 6).tolist() == [12] * 63


def test_linear_fit_slope_is_that_of_the_survivors():
    """Exact data y = 100 + 2 i have the slope 2 with 20, with 19 and with 15 samples."""
    x = np.tile(100.0 + 2.0 * np.arange(20)[:, None], (1, 3))
    x[19, 1] = np.nan
    x[15:, 2] = np.nan
    _, low, high, work = reject("linear-fit", x)
    np.testing.assert_allclose(work.per_pixel[:3], 2.0, rtol=1e-5)
    np.testing.assert_array_equal(high[:3] - low[:3], [20, 19, 15])
    x[19, 0] = 5000.0
    _, low, high, work = reject("linear-fit", x)
    assert high[0] == 19
    assert work.per_pixel[0] == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize("n", [5, 8, 20, 25])
def test_linear_fit_is_the_best_of_all_lines_where_many_integers_lie_on_one(n):
    """The best of the lines through two samples each has no smaller mean deviation."""
    x = np.sort(np.rint(np.random.default_rng(n).normal(100.0, 4.0, (n, 640))), axis=0)
    limits = RejectionLimits(linear_fit=LinearFitLimits(low=9.0, high=9.0))
    _, low, high, work = reject("linear-fit", x, limits)
    assert ((low == 0) & (high == n)).all()
    ranks = np.arange(n)[:, None]

    def deviations(slopes):
        residuals = x - ranks * slopes
        return np.abs(residuals - np.median(residuals, axis=0)).sum(axis=0)

    pairs = [(x[j] - x[i]) / (j - i) for i in range(n) for j in range(i + 1, n)]
    best = np.min([deviations(slopes) for slopes in pairs], axis=0)
    found = deviations(work.per_pixel[:640].astype(np.float64))
    np.testing.assert_allclose(found, best, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("sides", [1, 2, 3])
def test_linear_fit_rejects_nothing_of_samples_exactly_on_a_line(sides):
    """Their deviation is rounding alone; the end of -3 to 2 would be 1.5 sigma of that off."""
    x = np.array([[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]]).T * np.array([1.0, 0.1, 3.7, 1e4])
    limits = RejectionLimits(
        linear_fit=LinearFitLimits(low=1.0, high=1.0),
        reject_low=bool(sides & 1),
        reject_high=bool(sides & 2),
    )
    _, low, high, _ = reject("linear-fit", 1000 + x, limits)
    assert ((low == 0) & (high == 6)).all()


@pytest.mark.parametrize("size", [1e-45, 1e-40, 1e-30, 1e30, 3e38])
def test_linear_fit_ends_with_samples_of_any_size(size):
    """The mean slope of five samples near 1e-45 is zero in float32: doubled, it would stay so."""
    x = np.array([0, 0, 0, 0, 1] * 3, np.float32)[:, None] * np.float32(size)
    _, low, high, _ = reject("linear-fit", np.hstack([x, -x]))
    assert ((low >= 0) & (low <= high) & (high <= 15)).all()


def test_esd_finds_the_outliers_of_rosners_example():
    """The published example has three outliers: the test succeeds at the third, not before."""
    x = np.array([
        -0.25, 0.68, 0.94, 1.15, 1.2, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58,
        1.65, 1.69, 1.7, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.1, 2.14, 2.15,
        2.23, 2.24, 2.26, 2.35, 2.37, 2.4, 2.47, 2.54, 2.62, 2.64, 2.9, 2.92, 2.92, 2.93, 3.21,
        3.26, 3.3, 3.59, 3.68, 4.3, 4.64, 5.34, 5.42, 6.01,
    ])  # fmt: skip
    limits = RejectionLimits(esd={"outliers_fraction": 10.5 / 54})
    _, low, high, _ = reject("esd", x[:, None], limits)
    assert (low[0], high[0]) == (0, 51)
    np.testing.assert_allclose(
        esd_critical_values(54, 10.5 / 54, 0.05)[54, :3], [3.158, 3.151, 3.143], atol=1e-3
    )


def test_an_unknown_algorithm_is_an_error():
    """The message lists the known ones."""
    with pytest.raises(SettingsError, match="winsorised"):
        REJECTIONS["winsorised"]
