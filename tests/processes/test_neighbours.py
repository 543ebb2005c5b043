"""Neighbours have the same colour, and sorting networks find the wanted rank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.frames import CfaPattern
from lightframe.processes._neighbours import classes, nearest, rings, selecting_network

XTRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")


@given(st.integers(1, 33), st.data())
def test_a_network_brings_the_wanted_rank_to_its_place(size, data):
    """Any rank of any number of values, ties included."""
    rank = data.draw(st.integers(0, size - 1))
    values = data.draw(st.lists(st.integers(0, 20), min_size=size, max_size=size))
    expected = sorted(values)[rank]

    for low, high in selecting_network(size, rank).tolist():
        values[low], values[high] = sorted((values[low], values[high]))

    assert values[rank] == expected


@pytest.mark.parametrize("shift", range(6))
def test_xtrans_neighbours_have_the_pixels_colour(shift):
    """At all phases, for the nearest and for the rings, the nearest coming first."""
    cfa = XTRANS.shifted(shift, 2 * shift)
    cell = cfa.planes()
    near = nearest(cfa, 8, centre=False)
    offsets, ends = rings(cfa, 1, 12)
    for y, x in np.ndindex(6, 6):
        for dy, dx in (*near[y, x], *offsets[y, x, : ends[y, x, -1]]):
            assert cell[(y + dy) % 6, (x + dx) % 6] == cell[y, x]
            assert (dy, dx) != (0, 0)
        distances = np.hypot(*near[y, x].T)
        assert (np.diff(distances) >= 0).all()
        assert ends[y, x, 0] >= 8


def test_the_first_ring_is_the_box_at_the_arrays_step():
    """3 x 3 for mono, 5 x 5 stepped by two for Bayer, one list for all positions."""
    mono, ends = rings(None, 1, 12)
    assert mono.shape[:2] == (1, 1)
    assert np.abs(mono[0, 0, : ends[0, 0, 0]]).max() == 1
    bayer, ends = rings(CfaPattern.from_name("RGGB"), 1, 12)
    assert bayer.shape[:2] == (1, 1)
    first = bayer[0, 0, : ends[0, 0, 0]]
    assert sorted(map(tuple, first)) == sorted(
        (y, x) for y in (-2, 0, 2) for x in (-2, 0, 2) if y or x
    )


def test_the_two_greens_of_a_bayer_cell_are_classes_of_their_own():
    """They may differ in gain; in X-Trans the colours are the classes."""
    assert classes(None).tolist() == [[0]]
    assert classes(CfaPattern.from_name("GRBG")).tolist() == [[0, 1], [2, 3]]
    np.testing.assert_array_equal(classes(XTRANS), XTRANS.planes())
