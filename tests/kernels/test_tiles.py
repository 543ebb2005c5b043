"""Statistics of tiles against plain NumPy."""

import numpy as np
import pytest

from lightframe.frames import CfaPattern
from lightframe.kernels._tiles import tile_products, tile_statistics

MAD_TO_SIGMA = 1.4826


def clipped(values):
    """Return median and scale after clipping at 3 sigma, three times."""
    values = values[np.isfinite(values)].astype(np.float32)
    for _ in range(3):
        middle = np.sort(values)[values.size // 2]
        deviations = np.abs(values - middle)
        scale = np.float32(MAD_TO_SIGMA) * np.sort(deviations)[values.size // 2]
        values = values[deviations <= 3 * scale]
    return middle, scale


@pytest.mark.parametrize("name", [None, "GRBG"])
@pytest.mark.parametrize("every", [1, 2])
def test_statistics_are_those_of_each_colour_in_each_tile(name, every):
    """Median and spread of the sampled cells, stars clipped away, missing pixels left out."""
    rng = np.random.default_rng(3)
    plane = rng.normal(500, 20, (70, 90)).astype(np.float32)
    plane[rng.random(plane.shape) < 0.03] = 5000
    plane[rng.random(plane.shape) < 0.02] = np.nan
    cell = np.zeros((1, 1), np.uint8) if name is None else CfaPattern.from_name(name).planes()
    period, colours, tile = len(cell), int(cell.max()) + 1, 24
    location, scale = np.empty((2, colours, 2, 3), np.float32)

    tile_statistics(plane, cell, tile, every, location, scale)

    i, j = np.indices((tile, tile)) // period
    taken = (i % every == 0) & (j % every == (i // every) % every)
    for colour, row, column in np.ndindex(location.shape):
        part = plane[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile]
        own = np.tile(cell, (tile // period,) * 2) == colour
        expected = clipped(part[own & taken])
        assert location[colour, row, column] == expected[0]
        assert scale[colour, row, column] == pytest.approx(expected[1], rel=1e-6)


def test_a_tile_without_pixels_is_missing():
    """Fewer than 16 samples give NaN."""
    plane = np.full((20, 20), np.nan, np.float32)
    plane[0, :15] = 1
    location, scale = np.empty((2, 1, 1, 1), np.float32)

    tile_statistics(plane, np.zeros((1, 1), np.uint8), 20, 1, location, scale)

    assert np.isnan(location).all()
    assert np.isnan(scale).all()


def plain_products(parts):
    """Return the products of frame, flat and dark less their planes, by least squares."""
    v, u = np.indices(parts[0].shape) / parts[0].shape[0]
    known = np.isfinite(parts).all(axis=0)
    design = np.stack([np.ones(known.sum()), u[known], v[known]], axis=1)
    left = [p[known] - design @ np.linalg.lstsq(design, p[known])[0] for p in parts]
    c, g, d = left
    return known.sum(), c @ c, c @ g, g @ g, c @ d, g @ d, d @ d


@pytest.mark.parametrize("name", [None, "RGGB"])
def test_products_are_those_of_least_squares(name):
    """Sums of products after taking tilted planes off agree with a plain fit to 1e-5."""
    rng = np.random.default_rng(5)
    shape, tile = (48, 60), 24
    plane = rng.normal(500, 2, shape).astype(np.float32)
    gain = rng.normal(1, 0.01, shape).astype(np.float32)
    dark = rng.normal(50, 3, shape).astype(np.float32)
    plane[::7, ::5] = np.nan
    cell = np.zeros((1, 1), np.uint8) if name is None else CfaPattern.from_name(name).planes()
    period, colours = len(cell), int(cell.max()) + 1
    corners = np.array([[0, period], [24, 24 + period]], np.int64)
    levels = tuple(np.full((2, colours), v, np.float32) for v in (1, 1, 50, 10))
    products = np.empty((2, colours, 8))

    tile_products(plane, gain, dark, cell, (corners, tile), levels[:2], levels[2:], 50.0, products)

    for index, (y, x) in enumerate(corners):
        for colour in range(colours):
            own = np.tile(cell, (tile // period,) * 2) == colour
            parts = [
                np.where(own, a[y : y + tile, x : x + tile], np.nan).astype(np.float64)
                for a in (plane, gain, dark)
            ]
            expected = plain_products(parts)
            assert products[index, colour, :7] == pytest.approx(expected, rel=1e-5, abs=1e-6)
            assert products[index, colour, 7] == pytest.approx(np.nanmedian(parts[0]), abs=0.3)


def test_stars_defects_and_hot_pixels_take_no_part():
    """A star, a spike in the flat and a hot dark are each left out."""
    rng = np.random.default_rng(6)
    shape = (24, 30)
    plane = rng.normal(500, 2, shape).astype(np.float32)
    gain = rng.normal(1, 0.01, shape).astype(np.float32)
    dark = rng.normal(50, 3, shape).astype(np.float32)
    plane[5, 5], gain[9, 9], dark[12, 12] = 900, 3, 5000
    levels = tuple(np.full((1, 1), v, np.float32) for v in (1, 0.01, 50, 3))
    products = np.empty((1, 1, 8))

    tile_products(
        plane, gain, dark, np.zeros((1, 1), np.uint8), (np.array([[0, 1]]), 24),
        levels[:2], levels[2:], 5.0, products,
    )  # fmt: skip

    # The spike takes its two neighbours along, which are compared with it.
    assert products[0, 0, 0] == 24 * 24 - 5
