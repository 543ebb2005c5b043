"""What a calibrated frame still shows of the dark."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.processes import dark_residuals

HEIGHT, WIDTH = 384, 512


def dark_signal():
    """Return warm pixels, and a glow of 60 DN in a corner."""
    random = np.random.default_rng(3)
    signal = random.normal(20, 2, (HEIGHT, WIDTH))
    warm = random.random((HEIGHT, WIDTH)) < 0.03
    signal[warm] += random.exponential(150, warm.sum())
    y, x = np.indices(signal.shape)
    glow = 60 * np.exp(-((x - WIDTH) ** 2 + (y - HEIGHT / 2) ** 2) / (2 * 70**2))
    return signal, glow


@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")])
@pytest.mark.parametrize(("pattern", "glow"), [(0.0, 0.0), (0.3, 0.3), (-0.2, 0.1), (0.0, 0.5)])
def test_shares_of_pattern_and_glow_are_found_apart(cfa, pattern, glow):
    """Under a sky with a gradient both shares are found to a few hundredths."""
    signal, shape = dark_signal()
    y, x = np.indices(signal.shape)
    sky = 500 + 0.1 * x + 0.05 * y + np.random.default_rng(5).normal(0, 6, signal.shape)
    if cfa is not None:
        sky *= np.array([0.7, 1.0, 0.8])[np.tile(cfa.planes(), (HEIGHT // 2, WIDTH // 2))]
    frame = (sky + pattern * signal + glow * shape).astype(np.float32)
    found = dark_residuals(frame, (signal + shape).astype(np.float32), cfa)
    assert found.pattern == pytest.approx(pattern, abs=0.02)
    assert found.glow == pytest.approx(glow, abs=0.06)
    assert abs(found.glow - glow) < 5 * found.glow_sigma + 0.02
    assert np.sign(np.round(found.correlation, 1)) == np.sign(np.round(pattern, 1))


def test_a_dark_without_pattern_and_glow_says_nothing():
    """No warm pixel, no structure: the pattern is unknown and the glow has no level."""
    random = np.random.default_rng(1)
    signal = random.normal(20, 2, (HEIGHT, WIDTH)).astype(np.float32)
    frame = random.normal(500, 6, (HEIGHT, WIDTH)).astype(np.float32)
    found = dark_residuals(frame, signal, None)
    assert not abs(found.pattern) > 5 * found.pattern_sigma
    assert abs(found.glow_dn) < 1
