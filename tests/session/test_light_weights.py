"""Weights of a run that are numbers of the lights: exposure, and the signal of stars."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lightframe.processes import FrameStatistics, StarTable
from lightframe.session._alignment import AlignedLight
from lightframe.session._light_weights import light_weights, weighable


def stars(brightness, count=40):
    """Return stars at the same places in each light."""
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0, 400, (2, count))
    flux = brightness * rng.uniform(1e3, 1e5, count)
    ones = np.ones(count)
    return StarTable(
        x=x, y=y, flux_dn=flux, peak_dn=flux / 10, background_dn=100 * ones, snr=200 * ones,
        fwhm_px=3 * ones, eccentricity=0.3 * ones, saturated=np.zeros(count, np.bool_),
    )  # fmt: skip


def light(name, *, brightness=1.0, fwhm=3.0, noise=10.0, exposure=60.0, count=40):
    """Return a light of the reference's grid."""
    one = np.ones(1)
    return AlignedLight(
        SimpleNamespace(
            info=SimpleNamespace(path=Path(name), exposure_s=exposure),
            measurement=SimpleNamespace(fwhm_px=fwhm, stars=stars(brightness, count)),
            statistics=FrameStatistics(100 * one, one, one, noise * one),
            treatment=SimpleNamespace(calibration=SimpleNamespace(height=400, width=400)),
        ),
        np.eye(3),
        None if name == "first" else SimpleNamespace(),
    )


def context(weight):
    """Return a context with one setting, that notes what is set aside."""
    aside = {}
    lights = SimpleNamespace(weight=weight)
    return SimpleNamespace(
        settings=SimpleNamespace(lights=lights), exclude=aside.__setitem__, aside=aside
    )


def test_the_signal_of_stars_weighs():
    """Twice as bright weighs four times, twice as wide or noisy a quarter."""
    lights = [
        light("first"),
        light("bright", brightness=2.0),
        light("wide", fwhm=6.0),
        light("noisy", noise=20.0),
    ]
    weights = light_weights(lights, context("psf-signal"))
    assert np.divide(weights, weights[0]) == pytest.approx([1, 4, 0.25, 0.25])


def test_exposures_weigh():
    """As the headers have them; weights of levels and noise need no numbers."""
    lights = [light("first"), light("long", exposure=120.0)]
    assert light_weights(lights, context("exposure")) == [60, 120]
    assert light_weights(lights, context("noise")) is None


@pytest.mark.parametrize(
    ("weight", "reason"),
    [("psf-signal", "too few stars in common"), ("exposure", "its exposure is not known")],
)
def test_a_light_whose_weight_is_unknown_is_set_aside(weight, reason):
    """The others go on, and the reason names the weight."""
    bad = light("bad", exposure=None, count=3)
    seen = context(weight)
    kept = weighable([light("first"), bad, light("good")], seen)
    assert [aligned.light.info.path.name for aligned in kept] == ["first", "good"]
    ((path, text),) = seen.aside.items()
    assert path.name == "bad"
    assert weight in text
    assert reason in text
    assert weighable([], seen) == []
    assert weighable([bad], context("noise")) == [bad]
