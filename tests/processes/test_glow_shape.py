"""Where the glow of a dark is, and what is only an uneven dark current."""

import numpy as np
import pytest

from lightframe.processes import GlowShape, glow_shape

ROWS, COLUMNS = 12, 16


def tiles(formula):
    """Return a map of tiles less its median; `formula` takes row and column from 0 to 1."""
    y, x = np.mgrid[0 : 1 : 1j * ROWS, 0 : 1 : 1j * COLUMNS]
    values = formula(y, x)
    return values - np.median(values)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_glow_in_a_corner_is_placed_there(corner):
    """Small, high above the rest, and within a tenth of the frame from its corner."""
    shape = glow_shape(
        tiles(lambda y, x: 100.0 * np.exp(-np.hypot(x - corner[1], y - corner[0]) / 0.15))
    )

    assert shape.area < 0.1
    assert shape.contrast > 10.0
    assert np.allclose(shape.place, corner[::-1], atol=0.1)


def test_a_gradient_covers_more_and_stands_out_less():
    """Near miss: half of the frame, hardly above its spread."""
    shape = glow_shape(tiles(lambda y, x: 100.0 * x + 0.0 * y))

    assert shape.area > 0.2
    assert shape.contrast < 2.0


def test_a_patchy_dark_current_stands_out_less():
    """Random patches: the brightest lie within three spreads of the rest."""
    random = np.random.default_rng(3)
    patches = random.normal(30.0, 8.0, (ROWS, COLUMNS))
    shape = glow_shape(patches - np.median(patches))

    assert shape.contrast < 3.5


def test_nothing_has_no_place():
    """A map of zeros, and one without a known tile."""
    assert glow_shape(np.zeros((ROWS, COLUMNS))) == GlowShape(0.0, 0.0, 0.0, None)
    assert glow_shape(np.full((ROWS, COLUMNS), np.nan)) == GlowShape(0.0, 0.0, 0.0, None)


def test_missing_tiles_are_left_out():
    """NaN in the middle changes neither height nor place."""
    glow = tiles(lambda y, x: 100.0 * np.exp(-np.hypot(x, y) / 0.15))
    whole = glow_shape(glow)
    glow[5, 8] = np.nan
    shape = glow_shape(glow)

    assert shape.level == pytest.approx(whole.level, rel=0.05)
    assert shape.place == whole.place
