"""Shift and turn of dust shadows between flat and lights."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.processes import _dust, dust_moved, dust_probe, dust_stamps

SHAPE = (600, 800)
SPECKS = ((150, 200), (140, 620), (430, 180), (440, 590), (300, 400))


def shadows(dx=0.0, dy=0.0, turn_deg=0.0, depth=0.08):
    """Return the transmission of five rings, turned about the centre, then shifted."""
    y, x = np.indices(SHAPE, dtype=float)
    out = 1 - 0.2 * (((x - 400) / 800) ** 2 + ((y - 300) / 800) ** 2)
    sine, cosine = np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg))
    for cy, cx in SPECKS:
        u, v = cx - 400, cy - 300
        distance = np.hypot(
            x - (400 + cosine * u - sine * v + dx), y - (300 + sine * u + cosine * v + dy)
        )
        ring = 0.5 * (1 + np.tanh((25 - distance) / 3)) * 0.5 * (1 + np.tanh((distance - 9) / 3))
        out *= 1 - depth * ring
    return out


def lights(flat, shadow, count=6, noise=12.0, seed=1):
    """Return lights under `shadow`, with stars, divided by `flat`."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        light = 400 * shadow + rng.normal(0, noise, SHAPE)
        light.flat[rng.choice(light.size, 400)] += 3000
        yield (light / flat).astype(np.float32)


def moved(flat, shadow, cfa=None, **changes):
    """Return what is found of the shadows."""
    probe = dust_probe((1 / flat).astype(np.float32), cfa)
    return dust_moved([dust_stamps(p, probe) for p in lights(flat, shadow, **changes)], probe)


@pytest.mark.parametrize("band", [1, 400, 1 << 20])
@pytest.mark.parametrize("missing", [0, 0.2])
def test_bins_of_a_flat_are_means_of_what_is_known(monkeypatch, band, missing):
    """Whatever the height of the bands; the rows and columns that fill no bin are left out."""
    random = np.random.default_rng(1)
    reciprocal = random.uniform(0.5, 2, (43, 61)).astype(np.float32)
    reciprocal[random.random(reciprocal.shape) < missing] = np.nan
    reciprocal[:4, :4] = np.nan if missing else 2
    monkeypatch.setattr(_dust, "_BAND_PIXELS", band)
    bins = _dust._binned_flat(reciprocal, 4)
    blocks = (1 / reciprocal[:40, :60]).reshape(10, 4, 15, 4).swapaxes(1, 2).reshape(10, 15, 16)
    known = np.isfinite(blocks)
    counts = known.sum(axis=2)
    sums = np.where(known, blocks, 0).sum(axis=2, dtype=np.float64)
    expected = np.divide(sums, counts, where=counts > 0, out=np.full(counts.shape, np.nan))
    np.testing.assert_allclose(bins, expected, rtol=1e-12)
    assert np.isnan(bins[0, 0]) == bool(missing)


@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (5.0, -3.0), (-11.5, 6.25)])
def test_a_shift_is_found_to_half_a_pixel(shift, cfa):
    """In both directions, and no turn is claimed."""
    found = moved(shadows(), shadows(*shift), cfa)

    assert (found.dx_px, found.dy_px) == pytest.approx(shift, abs=0.5)
    assert found.turn_deg == 0
    assert found.shadows >= 4
    assert found.moved_px == pytest.approx(np.hypot(*shift), abs=0.5)


def test_the_correlation_is_kept_and_highest_at_the_shift():
    """Within a bin, in y and in x; a coefficient nowhere exceeds 1."""
    found = moved(shadows(), shadows(-9.0, 6.0))
    middle = len(found.alike) // 2
    y, x = (np.array(np.unravel_index(np.argmax(found.alike), found.alike.shape)) - middle) * 4.0

    assert found.step_px == 4.0
    assert (x, y) == pytest.approx((-9.0, 6.0), abs=found.step_px)
    assert 0.5 < found.alike.max() <= 1.0


def test_a_turn_is_found_to_a_tenth_of_a_degree():
    """About the middle of the frame, from +x towards +y, beside a shift."""
    found = moved(shadows(), shadows(2.0, 1.0, 1.5))

    assert found.turn_deg == pytest.approx(1.5, abs=0.1)
    assert (found.dx_px, found.dy_px) == pytest.approx((2.0, 1.0), abs=0.5)


def test_shadows_that_are_not_in_the_lights_say_nothing():
    """Dust that has been wiped off is not found anywhere."""
    assert moved(shadows(), shadows(depth=0.0)) is None


def test_a_flat_without_dust_has_no_probe():
    """Neither has one that is too small."""
    rng = np.random.default_rng(2)
    even = (shadows(depth=0.0) * rng.normal(1, 0.005, SHAPE)).astype(np.float32)

    assert dust_probe(1 / even, None) is None
    assert dust_probe(np.ones((80, 80), np.float32), None) is None


def test_a_flat_without_any_structure_has_no_shadows():
    """Nothing stands out of nothing."""
    assert dust_probe(np.ones(SHAPE, np.float32), None) is None
