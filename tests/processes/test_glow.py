"""Amplifier glow left in lights."""

import numpy as np
import pytest

from lightframe.processes import background_tiles, glow_left, glow_map

SHAPE = (400, 500)


def frames(share, *, seed=1):
    """Return master dark, bias and calibrated lights with a share of the glow left."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(SHAPE)
    glow = 400 * np.exp(-np.hypot(y - 400, x - 500) / 90)
    noise = lambda sigma: rng.normal(0, sigma, SHAPE)  # noqa: E731 - a shorthand
    dark, bias = 500 + glow + noise(3), 500 + noise(2)
    sky = 300 * (1 + 0.1 * x / 500 - 0.05 * y / 400)
    lights = [sky + share * glow + noise(15) for _ in range(4)]
    return [np.asarray(p, np.float32)[None] for p in (dark, bias, *lights)]


@pytest.mark.parametrize("share", [-0.3, 0.0, 0.2])
def test_the_share_of_the_glow_is_found(share):
    """Within 3 percent and four errors, beside the gradient of the sky."""
    dark, bias, *lights = (background_tiles(p, None) for p in frames(share))

    left = glow_left(lights, glow_map(dark, bias))

    assert left.share == pytest.approx(share, abs=0.03)
    assert abs(left.share - share) < 4 * left.sigma + 0.01
    assert left.area < 0.15
    assert left.glow_dn == pytest.approx(250, rel=0.3)


def test_no_lights_say_nothing():
    """An empty set has no glow left."""
    dark, bias, *_ = (background_tiles(p, None) for p in frames(0.0))

    assert glow_left([], glow_map(dark, bias)) is None
