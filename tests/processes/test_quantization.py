"""Noise that is smaller than the step between integers."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.processes import DetectionSettings, detect_defects, detect_stars, evaluate_noise
from lightframe.processes._background_mesh import background_mesh
from lightframe.processes._cosmetic import local_noise
from lightframe.processes._quantization import value_step

SHAPE = (512, 512)
STEPS = [1, 16]


def rounded(sigma, step=1, *, offset=0.0, slope=0.0, shape=SHAPE, seed=1):
    """Return noise of `sigma` steps on a level of 500 steps, rounded to steps, and some hot pixels.

    A slope of several steps over the frame makes all errors of rounding equally frequent.
    """
    rng = np.random.default_rng(seed)
    level = 500 + offset + slope * np.arange(shape[1]) / shape[1]
    image = np.round(level + rng.normal(0, sigma, shape))
    image[7::97, 11::89] += 40
    return (step * image).astype(np.float32)


def truth(sigma):
    """Return the noise of rounded values in steps, averaged over levels."""
    return np.hypot(sigma, 12**-0.5)


@pytest.mark.parametrize(
    ("image", "step"),
    [
        (rounded(0.2), 1),
        (rounded(3.0, 16), 16),
        (rounded(3.0, 4) + np.float32(0.25), 4),
        (rounded(20.0, 16) / np.float32(65535) * np.float32(65535), 16),
        (np.where(np.arange(512) % 50 == 0, np.nan, rounded(0.5)), 1),
    ],
)
def test_the_step_is_found_from_the_values(image, step):
    """Offsets, scales, missing pixels and rare values do not matter."""
    assert value_step(image) == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float64])
def test_the_step_is_found_in_any_type_of_number(dtype):
    """Where all noise lies below the most frequent value, too."""
    image = np.full(SHAPE, 250)
    below = np.random.default_rng(1).random(SHAPE)
    image[below < 0.01] = 249
    image[below < 0.0001] = 248
    assert value_step(image.astype(dtype)) == 1


def test_values_without_a_grid_have_no_step():
    """Divided by a flat; one value; two; few that are no noise; nothing at all."""
    rng = np.random.default_rng(2)
    flat = rng.normal(1, 0.01, SHAPE).astype(np.float32)
    defects = np.full(SHAPE, 1000, np.float32)
    defects[::200, ::200], defects[5::200, ::200] = 0, 2000
    for image in (
        rounded(3.0) / flat,
        rng.normal(1000, 5, SHAPE).astype(np.float32),
        np.full(SHAPE, 7, np.float32),
        np.where(np.arange(512) % 2, 7, 9)[None].repeat(512, 0),
        defects,
        np.full(SHAPE, np.nan, np.float32),
        np.empty((0, 5), np.float32),
    ):
        assert value_step(image) == 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", ["mrs", "k-sigma"])
@pytest.mark.parametrize("cfa", [None, CfaPattern(("RG", "GB"))])
def test_noise_is_never_less_than_that_of_rounding(step, method, cfa):
    """To 8 % from 0.4 steps on, to a quarter below, where clipping would leave nothing."""
    for sigma in (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0):
        found = evaluate_noise(rounded(sigma, step, slope=3.0), cfa, method).sigma_dn
        rel = 0.08 if sigma >= 0.4 else 0.25
        assert found == pytest.approx([step * truth(sigma)] * len(found), rel=rel)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.3, 0.4, 0.5, 0.7])
def test_background_and_noise_of_a_mesh_are_not_whole_steps(sigma, step):
    """MAD gives 0 or 1.48 steps, and the median is right to half a step."""
    image = rounded(sigma, step, slope=3.0)
    mesh = background_mesh(image, 64)
    assert mesh.coarse
    assert np.median(mesh.noise) / step == pytest.approx(truth(sigma), rel=0.1)
    centres = 500 + 3.0 * (np.arange(8) + 0.5) / 8
    least = 0.5 if sigma < 0.3 else 0.12
    inner = slice(1, -1)  # a median over cells bends a slope at the edges
    np.testing.assert_allclose(
        (mesh.background / step)[:, inner], centres[None, inner].repeat(8, 0), atol=least
    )


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 5.0])
def test_what_is_measured_above_one_step_is_as_without_steps(sigma, step, monkeypatch):
    """To the bit: background, noise and defects."""
    image = rounded(sigma, step, slope=3.0)
    mesh, noise = background_mesh(image, 64), evaluate_noise(image)
    local, defects = local_noise(image, None), detect_defects(image, None)
    for module in ("_background_mesh", "_noise", "_cosmetic"):
        monkeypatch.setattr(f"lightframe.processes.{module}.value_step", lambda _: 0.0)
    plain = background_mesh(image, 64)
    np.testing.assert_array_equal(mesh.background, plain.background)
    np.testing.assert_array_equal(mesh.noise, plain.noise)
    assert not mesh.coarse
    assert noise == evaluate_noise(image)
    np.testing.assert_array_equal(local, local_noise(image, None))
    np.testing.assert_array_equal(defects.hot, detect_defects(image, None).hot)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("offset", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.3, 0.5])
def test_a_single_step_is_no_defect(sigma, offset, step):
    """Where noise is hidden, pixels that differ by a step are rare, and as good as others."""
    image = rounded(sigma, step, offset=offset)
    found = detect_defects(image, None)
    y, x = np.mgrid[7 : SHAPE[0] : 97, 11 : SHAPE[1] : 89]
    assert sorted(found.hot) == sorted((y * SHAPE[1] + x).ravel())
    assert found.cold.size == 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("sigma", [0.2, 0.4, 0.6])
def test_faint_stars_are_found_in_frames_of_little_noise(sigma, step):
    """Stars of eight steps, which 1.48 steps of noise would hide; and next to nothing else."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    stars = np.zeros(SHAPE)
    places = [(r, c) for r in range(40, 500, 60) for c in range(40, 500, 60)]
    for row, column in places:
        stars += 8 * np.exp(-((y - row - 0.3) ** 2 + (x - column - 0.2) ** 2) / (2 * 1.5**2))
    noise = np.random.default_rng(3).normal(0, sigma, SHAPE)
    image = (step * np.round(500 + 3.0 * x / SHAPE[1] + stars + noise)).astype(np.float32)
    found = detect_stars(image, DetectionSettings())
    away = [np.hypot(found.x - c - 0.2, found.y - r - 0.3).min() for r, c in places]
    assert max(away) < 0.3
    assert len(found) <= 1.05 * len(places)
