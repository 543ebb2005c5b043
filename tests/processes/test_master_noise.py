"""The noise that masters add: measured from pairs of frames, and worked out for a stack."""

import numpy as np
import pytest
from calibration_frames import BAYER, XTRANS
from hypothesis import given
from hypothesis import strategies as st

from lightframe.frames import ArraySource
from lightframe.processes import LightStack, added_noise, own_noise, temporal_noise


def _frames(pattern, sigma, count, *, seed=1, whole=True):
    rng = np.random.default_rng(seed)
    frames = [pattern + rng.normal(0, sigma, pattern.shape) for _ in range(count)]
    return [
        ArraySource((f.round().astype(np.uint16)) if whole else f.astype(np.float32))
        for f in frames
    ]


@pytest.mark.parametrize("sigma", [0.6, 1.3, 8.0])
def test_noise_is_told_from_the_pattern(sigma):
    """Integer darks with a pattern ten times their noise: sigma to 2 %, rounding included."""
    pattern = np.random.default_rng(2).normal(1000, 10 * sigma, (300, 400))
    frames = _frames(pattern, sigma, 4)
    for frame in frames:  # cosmic rays, other ones in each frame
        frame.planes[0, ::31, 7::29] = 60_000
    found = temporal_noise(frames)
    assert found.sigma_dn == pytest.approx([np.hypot(sigma, 12**-0.5)], rel=0.02)
    assert found.level_dn == pytest.approx([1000], rel=0.01)


@pytest.mark.parametrize("cfa", [BAYER, XTRANS])
def test_colours_are_measured_apart(cfa):
    """Flats with a gradient, another level in each frame: the relative noise of each colour."""
    cell = np.tile(cfa.planes(), (150, 200))[:300, :400]
    level = np.array([4000.0, 9000.0, 6000.0])[cell] * np.linspace(0.8, 1.2, 400)
    rng = np.random.default_rng(3)
    frames = [
        ArraySource((factor * (level + rng.normal(0, np.sqrt(level / 2)))).astype(np.float32))
        for factor in (1.0, 0.7, 1.2)
    ]
    found = temporal_noise(frames, cfa, scaled=True)
    expected = [1 / np.sqrt(2 * value) for value in (4000, 9000, 6000)]
    assert found.relative == pytest.approx(expected, rel=0.03)


def test_channels_are_measured_apart_and_missing_pixels_left_out():
    """Each channel by itself; missing pixels are left out; one frame tells nothing."""
    pattern = np.full((2, 100, 120), 500.0)
    pattern[1] += 100
    frames = _frames(pattern, 3.0, 2, whole=False)
    frames[0].planes[:, ::5] = np.nan
    found = temporal_noise(frames)
    assert found.sigma_dn == pytest.approx([3, 3], rel=0.03)
    assert found.level_dn == pytest.approx([500, 600], rel=0.001)
    assert temporal_noise(frames[:1]) is None
    frames[0].planes[...] = np.nan
    assert temporal_noise(frames) is None


def _stack(shifts, *, noise=10.0, extent=1.0):
    shifts = np.atleast_2d(np.asarray(shifts, float))
    count = len(shifts)
    return LightStack(np.ones(count), np.full(count, noise), shifts[None], extent)


def test_without_dithering_the_masters_noise_stays():
    """Readout noise alone, n lights, N darks: sqrt(1 + n / N) - 1; 5 % take N = n / 0.1025."""
    stack = _stack(np.zeros((30, 2)))
    assert stack.independent() == pytest.approx(1)
    added = added_noise(stack, 10 / np.sqrt(20), np.ones(30), frames=20)
    assert added.fraction == pytest.approx(np.sqrt(1 + 30 / 20) - 1)
    assert added.frames_needed == int(np.ceil(30 / 0.1025))


def test_with_dithering_it_averages_as_the_lights_noise_does():
    """All lights apart: sqrt(1 + 1 / N) - 1, whatever their number."""
    stack = _stack([(3 * i, 0) for i in range(30)])
    assert stack.independent() == pytest.approx(30)
    added = added_noise(stack, 10 / np.sqrt(20), np.ones(30), frames=20)
    assert added.fraction == pytest.approx(np.sqrt(1 + 1 / 20) - 1)
    assert added.frames_needed == 10


def test_frames_dithered_together_count_as_fewer():
    """Groups of three count as one; half a pixel apart, two lights count as one and a third."""
    assert _stack([(5 * (i // 3), 0) for i in range(30)]).independent() == pytest.approx(10)
    assert _stack([(0, 0), (0.5, 0)]).independent() == pytest.approx(4 / 3)
    assert _stack([(0, 0), (1, 0)], extent=2).independent() == pytest.approx(4 / 3)


def test_rotation_is_seen_away_from_the_centre():
    """The centre of a rotating field does not move, its corners do: the mean over the points."""
    positions = np.zeros((2, 10, 2))
    positions[1, :, 0] = 4 * np.arange(10)
    stack = LightStack(np.ones(10), np.ones(10), positions)
    assert stack.common(np.ones(10)) == pytest.approx((100 + 10) / 2)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_formula_holds_for_any_weights_costs_and_positions(count, seed):
    """As the double sum, written out."""
    rng = np.random.default_rng(seed)
    weights, noise = rng.uniform(0.1, 2, count), rng.uniform(1, 20, count)
    costs, places = rng.uniform(-1, 2, count), rng.uniform(0, 3, (2, count, 2))
    sigma, extent = rng.uniform(0.1, 5), rng.uniform(1, 2)
    total = 0.0
    for point in places:
        for i in range(count):
            for j in range(count):
                dx, dy = abs(point[i] - point[j]) / extent
                rho = max(0, 1 - dx) * max(0, 1 - dy)
                total += weights[i] * costs[i] * weights[j] * costs[j] * rho / 2
    own = sum((w * s) ** 2 for w, s in zip(weights, noise, strict=True))
    added = added_noise(LightStack(weights, noise, places, extent), sigma, costs, frames=7)
    assert added.fraction == pytest.approx(
        np.sqrt(1 + max(0, sigma**2 * total / own)) - 1, rel=1e-9, abs=1e-12
    )
    again = added_noise(
        LightStack(weights, noise, places, extent),
        sigma * np.sqrt(7 / added.frames_needed), costs, frames=added.frames_needed,
    )  # fmt: skip
    assert again.fraction <= 0.05 + 1e-9


def test_a_stack_has_the_noise_that_is_predicted():
    """Simulated: 12 lights, 6 of them dithered, 4 darks: the formula within 3 %."""
    rng = np.random.default_rng(5)
    size, read, sky, frames = 400, 4.0, 6.0, 4
    shifts = [(2 * (i // 2), 3 * (i // 4)) for i in range(12)]
    dark = rng.normal(0, read / np.sqrt(frames), (size, size))
    total, alone = np.zeros((size, size)), np.zeros((size, size))
    for dx, dy in shifts:
        light = rng.normal(0, np.hypot(read, sky), (size, size))
        total += np.roll(light - dark, (-dy, -dx), (0, 1))
        alone += np.roll(light, (-dy, -dx), (0, 1))
    stack = _stack(shifts, noise=np.hypot(read, sky))
    added = added_noise(stack, read / np.sqrt(frames), np.ones(12), frames=frames)
    assert total.std() / alone.std() - 1 == pytest.approx(added.fraction, rel=0.06)


def test_the_noise_of_masters_is_taken_out_of_that_of_the_light():
    """In quadrature; never less than a hundredth of the variance is the light's own."""
    assert own_noise(13, [(5, 1)]) == pytest.approx(12)
    assert own_noise(13, [(10, 0.5)]) == pytest.approx(12)
    assert own_noise(5, [(6, 1)]) == pytest.approx(0.5)
