"""The test whether flats need flat-darks, on simulated frames."""

import numpy as np
import pytest
from calibration_frames import BAYER, XTRANS

from lightframe.errors import IncompatibleFramesError, InputError
from lightframe.processes import dark_signal, flat_dark_test

SHAPE = (384, 512)


def _flat(level=20_000.0, *, cfa=None, frames=20, seed=1):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    field = level * (1 - 0.2 * (x**2 + y**2))
    if cfa is not None:
        cell = cfa.planes()
        tiled = np.tile(cell, (400, 600))[: SHAPE[0], : SHAPE[1]]
        field = field * np.array([0.5, 1.0, 0.7])[tiled]
    return (field + rng.normal(0, np.sqrt(field / frames))).astype(np.float32)


def _signal(level, *, warm=0.0, warm_dn=500.0, glow=0.0, noise=1.0, seed=2):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    signal = level + glow * np.exp(-((SHAPE[1] - x) ** 2 + y**2) / 100**2)
    signal = signal + rng.normal(0, noise, SHAPE)
    signal[rng.random(SHAPE) < warm] += warm_dn
    return signal.astype(np.float32)


def test_short_flats_do_with_a_bias():
    """A dark signal of a thousandth of a DN in 20000: no, and the size is told."""
    test = flat_dark_test(_flat(), _signal(0.001))
    assert not test.needed
    assert test.reason.startswith("a bias does")
    assert test.level_dn[0] == pytest.approx(18_000, rel=0.05)
    assert abs(test.worst_share[0]) < 1e-4


@pytest.mark.parametrize("cfa", [None, BAYER, XTRANS])
def test_dark_signal_above_a_thousandth_of_the_level_is_too_much(cfa):
    """30 DN in 17000: needed, the size right; on a mosaic it is the weakest colour that decides."""
    test = flat_dark_test(_flat(cfa=cfa), _signal(30), cfa)
    assert test.needed
    assert test.signal_dn == pytest.approx([30] * len(test.colours), rel=0.01)
    # The faintest corner has two thirds of the light of the centre.
    faint = 20_000 * 0.67 * (1.0 if cfa is None else 0.5)
    assert max(test.worst_share) == pytest.approx(30 / faint, rel=0.1)
    assert cfa is None or "in R" in test.reason


def test_glow_counts_where_it_is():
    """Glow of 60 DN in a corner, nothing elsewhere: the worst region tells, not the median."""
    test = flat_dark_test(_flat(), _signal(0, glow=60))
    assert test.needed
    assert abs(test.signal_dn[0]) < 1
    assert test.worst_dn[0] > 20


def test_warm_pixels_count_one_by_one():
    """Half a percent of warm pixels of 500 DN are 2.5 % of the level each; regions are clean."""
    noise = [float(np.sqrt(20_000 / 20))]
    test = flat_dark_test(_flat(), _signal(0, warm=0.005), noise_dn=noise)
    assert test.needed
    assert test.pixels[0] == pytest.approx(0.005, rel=0.1)
    assert "of the pixels" in test.reason
    assert not flat_dark_test(_flat(), _signal(0, warm=0.0003), noise_dn=noise).needed
    hidden = flat_dark_test(_flat(), _signal(0, warm=0.005, warm_dn=60), noise_dn=noise)
    assert not hidden.needed  # below three times the noise of the flat


def test_noise_is_no_dark_signal():
    """A dark signal known to 900 DN a pixel: its error is told, and decides nothing."""
    test = flat_dark_test(_flat(), _signal(0, noise=900), noise_dn=[1200.0])
    assert test.worst_share[0] > 0.001
    assert test.error[0] > 0.0007
    assert not test.needed


def test_the_signal_is_that_of_the_flats_exposure():
    """From a dark of 300 s for flats of 30 s: a tenth of dark less bias."""
    bias = np.full(SHAPE, 500, np.float32)
    dark = bias + _signal(400, noise=0)
    np.testing.assert_allclose(dark_signal(dark, bias, ratio=0.1), 40, rtol=1e-6)
    with pytest.raises(IncompatibleFramesError, match="master dark has"):
        dark_signal(dark[1:], bias)


def test_what_does_not_fit_is_an_error():
    """Another size, or a flat without light: both are named."""
    with pytest.raises(IncompatibleFramesError, match="the flat has"):
        flat_dark_test(_flat(), _signal(0)[1:])
    with pytest.raises(InputError, match="no light"):
        flat_dark_test(np.zeros(SHAPE, np.float32), _signal(0))
