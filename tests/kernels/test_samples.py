"""Stored samples <-> DN, against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightframe.kernels._samples import (
    dn_to_words,
    floats_to_float32,
    words_to_float32,
    words_to_uint16,
)

WORDS = np.arange(0x10000, dtype=np.uint16)


def frozen(array):
    """Return a read-only view, as the readers pass it."""
    view = array.view()
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("flip", [0, 0x8000])
def test_every_word_becomes_the_dn_that_numpy_finds(swap, flip):
    """All 65536 words, both byte orders, signed and unsigned, agree to the bit."""
    stored = frozen(WORDS.byteswap() if swap else WORDS)
    expected = WORDS ^ np.uint16(flip)
    integers = np.empty((1, WORDS.size), np.uint16)
    floats = np.empty((1, WORDS.size), np.float32)

    words_to_uint16(stored, 0, WORDS.size, swap, np.uint16(flip), integers)
    words_to_float32(stored, 0, WORDS.size, swap, np.uint16(flip), np.float32(-7), floats)

    assert np.array_equal(integers[0], expected)
    assert np.array_equal(floats[0], expected.astype(np.float64) - 7)


@given(
    st.integers(1, 9),
    st.integers(1, 40),
    st.integers(0, 20),
    st.integers(0, 30),
    st.booleans(),
)
def test_windows_are_cut_by_start_and_stride(rows, columns, margin, start, swap):
    """A window of a wider plane is what NumPy's slicing gives."""
    stride = columns + margin
    plane = np.arange(start + rows * stride, dtype=np.uint16) * np.uint16(257)
    stored = frozen(plane.byteswap() if swap else plane)
    out = np.empty((rows, columns), np.uint16)

    words_to_uint16(stored, start, stride, swap, np.uint16(0), out)

    assert np.array_equal(out, plane[start:].reshape(rows, stride)[:, :columns])


@given(
    hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(width=32)),
    st.booleans(),
    st.sampled_from([1.0, 65535.0]),
)
def test_floats_keep_their_bits_and_are_scaled(values, swap, factor):
    """Byte order is undone exactly, NaN and infinities included; scaling is one float32 product."""
    stored = frozen((values.byteswap() if swap else values).view(np.uint32))
    out = np.empty((1, values.size), np.float32)

    floats_to_float32(stored, 0, values.size, swap, np.float32(factor), out.view(np.uint32), out)

    with np.errstate(over="ignore"):
        expected = values if factor == 1 else values * np.float32(factor)
    assert np.array_equal(out[0], expected, equal_nan=True)


@given(
    hnp.arrays(
        np.float32,
        st.integers(1, 300),
        elements=st.one_of(
            st.floats(-10, 10, width=32), st.floats(65520, 65545, width=32), st.floats(width=32)
        ),
    ),
    st.sampled_from([0.0, 1.0]),
    st.booleans(),
)
def test_dn_are_rounded_truncated_and_counted(values, lowest, swap):
    """Rounding is to the nearest even integer; each truncated value counts once, NaN never."""
    out = np.empty(values.size, np.uint16)

    low, high = dn_to_words(values, np.float32(lowest), swap, out)

    rounded = np.rint(values.astype(np.float64))
    kept = np.nan_to_num(np.clip(rounded, lowest, 65535), nan=0.0)
    words = out.byteswap() if swap else out
    assert np.array_equal(words ^ np.uint16(0x8000), kept)
    assert low == np.count_nonzero(rounded < lowest)
    assert high == np.count_nonzero(rounded > 65535)
