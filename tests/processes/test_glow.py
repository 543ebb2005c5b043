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


def test_the_flat_raises_what_is_left_of_the_glow():
    """Lights that were divided by a flat of 60 percent in the corners show the same share."""
    dark, bias, *lights = frames(0.2)
    y, x = np.indices(SHAPE)
    radius = np.hypot((y - 200) / 200, (x - 250) / 250)
    gain = (1 / (1 - 0.2 * radius**2)).astype(np.float32)[None]
    flattened = [background_tiles(300 + (p - 300) * gain, None) for p in lights]
    tiles = [background_tiles(p, None) for p in (dark, bias, gain)]

    left = glow_left(flattened, glow_map(*tiles))
    blind = glow_left(flattened, glow_map(*tiles[:2]))

    assert left.share == pytest.approx(0.2, abs=0.02)
    assert abs(blind.share - 0.2) > 0.04


def test_no_lights_say_nothing():
    """An empty set has no glow left."""
    dark, bias, *_ = (background_tiles(p, None) for p in frames(0.0))

    assert glow_left([], glow_map(dark, bias)) is None
