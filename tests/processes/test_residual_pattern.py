"""Fixed pattern that lights share."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.processes import pattern_left, pattern_sample

SHAPE = (500, 700)


@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")])
@pytest.mark.parametrize("pattern_dn", [0.0, 3.0, 8.0])
def test_the_pattern_is_measured_in_dn_and_as_a_share(pattern_dn, cfa):
    """To 5 percent, beside noise of 10 DN, stars and a gradient."""
    rng = np.random.default_rng(2)
    pattern = rng.normal(0, pattern_dn, SHAPE)
    samples = []
    for _ in range(6):
        light = 300 + np.linspace(0, 200, SHAPE[1]) + pattern + rng.normal(0, 10, SHAPE)
        light.flat[rng.choice(light.size, 2000)] += 500
        samples.append(pattern_sample(light.astype(np.float32), cfa))

    left = pattern_left(samples)

    assert left.share == pytest.approx(pattern_dn**2 / (100 + pattern_dn**2), abs=0.015)
    assert left.pattern_dn == pytest.approx(pattern_dn, rel=0.05, abs=0.8)
    assert left.sigma < 0.01


def test_two_lights_say_nothing():
    """Three are needed, of one size."""
    plane = np.random.default_rng(1).normal(0, 1, SHAPE).astype(np.float32)
    sample = pattern_sample(plane, None)

    assert pattern_left([sample, sample]) is None
    assert pattern_left([sample, sample, sample[:-1]]) is None


def test_a_light_without_pixels_has_no_sample():
    """Nothing is known of it, and no warning is made of that."""
    assert not np.isfinite(pattern_sample(np.full(SHAPE, np.nan, np.float32), None)).any()
