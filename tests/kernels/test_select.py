"""Selection of the k-th smallest, against a sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.kernels._select import select

floats = st.floats(width=32, allow_nan=False)


@given(st.lists(floats, min_size=1, max_size=80), st.data())
def test_it_is_the_element_that_a_sort_would_put_there(
    values: list[float], data: st.DataObject
) -> None:
    """Any floats, infinities, zeros of both signs and ties among them; nothing is moved."""
    array = np.array([*values, np.nan], np.float32)
    before = array.copy()
    rank = data.draw(st.integers(0, len(values) - 1))
    assert select(array, len(values), rank) == np.sort(before[:-1])[rank]
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 255, 4096])
def test_all_ranks_of_noise_are_right(size: int) -> None:
    """Sizes around the width of SIMD registers, and more than one of them."""
    values = np.random.default_rng(size).normal(1000, 20, size).astype(np.float32)
    ranks = range(0, size, max(1, size // 64))
    assert [select(values, size, k) for k in ranks] == list(np.sort(values)[list(ranks)])
