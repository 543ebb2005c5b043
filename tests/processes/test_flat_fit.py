"""What follows the flat in calibrated lights (T1), and whose fault it is (T2)."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.processes import (
    FlatFit,
    background_tiles,
    flat_fit,
    flat_probe,
    flat_products,
    flat_verdict,
)

SHAPE = (360, 480)
NOISE_DN = 15.0


class Bench:
    """A flat with vignetting, dust and unequal pixels, and lights that were divided by it."""

    def __init__(self, *, seed=1, flat_noise=0.002, excess=0.0, structure=1.0, cfa=None):
        self.rng = np.random.default_rng(seed)
        self.cfa = cfa
        y, x = np.indices(SHAPE)
        radius = ((x - 250) / 480) ** 2 + ((y - 170) / 480) ** 2
        self.true = 1 - structure * 0.5 * radius
        for cy, cx in ((90, 120), (260, 380), (200, 60)):
            self.true -= structure * 0.06 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 300)
        self.true *= 1 + structure * self.rng.normal(0, 0.008, SHAPE)
        self.true /= self.true.mean()
        self.excess = excess
        self.noise = flat_noise
        used = (self.true + excess) / (1 + excess)
        used = used * (1 + self.rng.normal(0, flat_noise, SHAPE) / np.sqrt(self.true))
        self.reciprocal = (1 / used).astype(np.float32)[None]

    def probe(self, dark=None, *, known=True):
        """Return what lights are held against."""
        return flat_probe(self.reciprocal, dark, self.cfa, (self.noise,) * 3 if known else None)

    def light(self, sky=400.0, additive=0.0, extra=0.0):
        """Return a calibrated light."""
        light = (sky + extra) * self.true + additive + self.rng.normal(0, NOISE_DN, SHAPE)
        return (light * self.reciprocal[0]).astype(np.float32)[None]

    def fit(self, light, probe=None):
        """Return how much of a light follows the flat."""
        probe = probe or self.probe()
        tiles = background_tiles(light, self.cfa)
        return flat_fit(tiles, flat_products(light, probe), probe)


def nebula(height=300.0):
    """Return a large nebula near the middle, as vignetting would have it."""
    y, x = np.indices(SHAPE)
    return height * np.exp(-((x - 230) ** 2 + (y - 190) ** 2) / (2 * 110**2))


@pytest.mark.parametrize("additive", [-200.0, 120.0, 500.0])
@pytest.mark.parametrize("extra", [0.0, nebula()])
def test_a_known_additive_error_is_found_within_ten_percent(additive, extra):
    """Whatever its sign, and with a nebula in the middle of the field."""
    bench = Bench()

    fit = bench.fit(bench.light(additive=additive, extra=extra))

    assert fit.q_dn == pytest.approx(additive, abs=max(3 * fit.sigma_dn, 1e-9))
    assert fit.q_dn == pytest.approx(additive, rel=0.1)


@pytest.mark.parametrize("extra", [0.0, nebula(), nebula(2000.0)])
@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")])
def test_a_clean_light_is_clean(extra, cfa):
    """Nothing follows the flat beyond four errors, and the errors are small."""
    bench = Bench(cfa=cfa)

    fit = bench.fit(bench.light(extra=extra))

    assert abs(fit.q_dn) < 4 * fit.sigma_dn
    assert fit.sigma_dn < 0.06 * (400 + np.max(extra))


def test_the_noise_of_the_flat_is_not_taken_for_over_correction():
    """With noise as large as the pixels' differences, a blind fit would find half the sky."""
    bench = Bench(flat_noise=0.008)
    light = bench.light()

    blind = flat_probe(bench.reciprocal, None, None, (1e-9,))
    assert bench.fit(light, blind).q_dn > 50
    fit = bench.fit(light)
    assert abs(fit.q_dn) < 4 * fit.sigma_dn


def test_what_is_left_of_the_dark_is_not_taken_for_the_flat():
    """Dark signal left in the light and taken too much from the flat go together otherwise."""
    bench = Bench()
    dark = bench.rng.normal(50, 20, (1, *SHAPE)).astype(np.float32)
    bench.reciprocal *= 1 + 2e-4 * (dark - 50)
    light = bench.light() + (dark - 50)

    without, fit = bench.fit(light), bench.fit(light, bench.probe(dark))

    assert without.q_dn > 70
    assert abs(fit.q_dn) < min(4 * fit.sigma_dn, 60)


def test_pixels_of_another_sensor_widen_the_error():
    """Where dust fits and single pixels do not, no amount can be named with confidence."""
    bench, other = Bench(seed=1), Bench(seed=2)
    light = bench.light() / bench.reciprocal * other.reciprocal

    fit = other.fit(light.astype(np.float32))

    assert fit.sigma_dn > 2 * bench.fit(bench.light()).sigma_dn


def test_a_flat_without_structure_says_nothing():
    """An even flat leaves nothing to compare with."""
    bench = Bench(structure=0.0)

    assert bench.fit(bench.light(additive=200)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (23, 40), (40, 3)])
@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")], ids=["mono", "RGGB"])
def test_a_frame_smaller_than_a_tile_says_nothing(shape, cfa):
    """There is nothing to look at, and no error."""
    planes = np.ones((1, *shape), np.float32)
    probe = flat_probe(planes, planes, cfa, (0.01,) * 3)

    assert flat_fit(background_tiles(planes, cfa), flat_products(planes, probe), probe) is None


def test_a_flat_of_unknown_noise_is_judged_by_its_vignetting_alone():
    """On an even sky that does; with a nebula in the field nothing is said."""
    bench = Bench()
    probe = bench.probe(known=False)

    fit = bench.fit(bench.light(additive=300), probe)

    assert fit.q_dn == pytest.approx(300, rel=0.1)
    assert bench.fit(bench.light(extra=nebula(2000.0)), probe) is None


@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")])
@pytest.mark.parametrize("additive", [0.0, 100.0])
def test_the_stated_errors_are_those_that_are_made(cfa, additive):
    """Errors over stated errors have an rms of about 1 and no bias, with a nebula in the field."""
    pulls = []
    for seed in range(12):
        bench = Bench(seed=seed, cfa=cfa, flat_noise=0.004)
        probe = bench.probe()
        for sky in (350.0, 420.0, 480.0):
            fit = bench.fit(bench.light(sky, additive, nebula()), probe)
            pulls.append((fit.q_dn - additive) / fit.sigma_dn)

    assert 0.7 < np.sqrt(np.mean(np.square(pulls))) < 1.3
    assert abs(np.mean(pulls)) < 0.6


def test_a_bias_that_lights_and_flats_share_is_not_taken_for_under_correction():
    """Its noise makes pixels of the flat too low where it makes those of the lights too low."""
    blind, knowing = [], []
    for seed in range(6):
        bench = Bench(seed=seed)
        noise = bench.rng.normal(0, 12.0, SHAPE)
        bench.reciprocal = (bench.reciprocal / (1 - noise / 20000)).astype(np.float32)
        probe = bench.probe()
        light = bench.light(extra=nebula()) - noise.astype(np.float32)
        tiles, products = background_tiles(light, None), flat_products(light, probe)
        blind.append(flat_fit(tiles, products, probe).q_dn)
        knowing.append(flat_fit(tiles, products, probe, (12.0**2 / 20000,)).q_dn)

    assert np.mean(knowing) - np.mean(blind) > 30
    assert abs(np.mean(knowing)) < 15


def test_dust_tells_more_than_pixels_where_there_is_much_of_it():
    """Only the share of single pixels may depend on the colour of the light."""
    alike, dusty = Bench(), Bench()
    dusty.true *= 1 - 0.3 * (np.indices(SHAPE)[1] // 12 % 8 == 0)
    dusty.reciprocal = (1 / dusty.true).astype(np.float32)[None]
    light = (400 * dusty.true + dusty.rng.normal(0, NOISE_DN, SHAPE)) * dusty.reciprocal[0]

    assert alike.fit(alike.light(extra=nebula())).pixel_share > 0.8
    assert dusty.fit(light.astype(np.float32)[None]).pixel_share < 0.5


def test_tiles_are_chosen_by_dust_and_not_by_the_noise_of_the_flat():
    """Of 3000 tiles those at a shadow are taken; in the others the noise is as it is everywhere."""
    rng = np.random.default_rng(5)
    shape = (24 * 50, 24 * 60 + 2)
    flat = 1 + rng.normal(0, 0.01, shape)
    flat[480:600, 480:600] *= 0.9
    reciprocal = (1 / flat).astype(np.float32)[None]

    probe = flat_probe(reciprocal, None, None, (0.01,))

    chosen = {tuple(corner // 24) for corner in probe.corners}
    assert {(20, 20), (24, 20), (20, 24), (24, 24)} <= chosen
    assert len(chosen) < 2600
    even = np.array([not (430 < y < 620 and 430 < x < 620) for y, x in probe.corners])
    spread = probe.flat_levels[1][0, even, 0]
    assert np.mean(spread**2) == pytest.approx(0.01**2, rel=0.01)


def fits(levels, q, sigma=1.0):
    """Return lights with these levels and terms."""
    return [FlatFit(b, sigma, 0.1, a, 0.4) for a, b in zip(levels, q, strict=True)]


def test_the_sides_are_told_apart_by_the_sky_level():
    """T2 is exact: q = p (1 + b) - b m gives back p and b."""
    levels = np.linspace(200, 900, 8)
    for p, b in ((40.0, 0.0), (0.0, 0.06), (-55.0, -0.03), (40.0, 0.06)):
        verdict = flat_verdict(fits(levels, p * (1 + b) - b * levels))

        assert verdict.additive_dn == pytest.approx(p, abs=1e-6)
        assert verdict.flat_error == pytest.approx(b, abs=1e-9)


def test_one_sky_level_tells_no_side():
    """With two lights, or lights of one level, both parts are unknown."""
    assert np.isnan(flat_verdict(fits([200, 900], [1, 2])).additive_dn)
    assert np.isnan(flat_verdict(fits([300] * 5, [1] * 5)).flat_error)
    assert flat_verdict([]) is None


def test_a_known_error_of_the_flat_is_found_within_ten_percent():
    """A flat that keeps 12 percent of bias, seen by lights under a rising sky."""
    bench = Bench(excess=0.12)
    probe = bench.probe()

    verdict = flat_verdict(
        [bench.fit(bench.light(sky), probe) for sky in np.geomspace(150, 3000, 8)]
    )

    assert verdict.flat_error == pytest.approx(0.12, rel=0.1)
    assert abs(verdict.additive_dn) < 4 * verdict.additive_sigma_dn
    assert verdict.q_dn < 0
