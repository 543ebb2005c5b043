"""Buffers for kernels."""

import numpy as np
import pytest

from lightframe.buffers import Buffers, aligned_empty


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("shape", [0, 1, 1000, (3, 0), (7, 5), (2, 3, 64)])
def test_aligned_array_begins_at_a_cache_line(shape, dtype):
    """Whatever its shape and type, it is writable and contiguous as one of NumPy's own."""
    array = aligned_empty(shape, dtype)

    assert array.shape == np.empty(shape).shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.size == 0 or array.ctypes.data % 64 == 0


def test_buffer_is_aligned_and_used_again():
    """A smaller array of the same name begins where the larger one did."""
    buffers = Buffers()

    large = buffers.floats("one", (100, 33))
    small = buffers.floats("one", (5, 7))

    assert large.ctypes.data % 64 == 0
    assert small.ctypes.data == large.ctypes.data


def test_buffer_of_another_type_is_another_array():
    """A name that is asked for with another type does not give the old bits."""
    buffers = Buffers()
    buffers.floats("one", (10,))

    assert buffers.get("one", (10,), np.uint16).dtype == np.uint16
