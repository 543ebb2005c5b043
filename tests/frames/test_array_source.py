"""Arrays in memory as sources of pixels."""

import numpy as np
import pytest

from lightframe.frames import ArraySource, Window, every_row
from lightframe.processes import IntegrationSettings, integrate


def read(source, window=None, dtype=None):
    """Return a window of a source, or all of it."""
    window = window or Window(0, source.height, 0, source.width)
    out = np.empty((source.channels, *window.shape), dtype or source.dtype)
    source.read(window, out)
    return out


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        *(("uint8", "uint16"), ("uint16", "uint16"), (">u2", "uint16")),
        *(("int16", "float32"), ("int32", "float32"), ("float32", "float32")),
        *(("float64", "float32"), (">f4", "float32")),
    ],
)
def test_numbers_of_all_types_are_dn(stored, given):
    """Unsigned integers stay integers; values are those of the array."""
    planes = np.arange(3 * 5 * 7).reshape(3, 5, 7).astype(stored)
    source = ArraySource(planes)
    assert (source.channels, source.height, source.width) == (3, 5, 7)
    assert source.dtype == given
    np.testing.assert_array_equal(read(source, dtype=np.float32), planes)
    window = Window(1, 4, 2, 7)
    np.testing.assert_array_equal(read(source, window), planes[:, 1:4, 2:7])


@pytest.mark.parametrize("step", [1, 3, 9])
def test_evenly_spaced_rows_are_read(step):
    """Every n-th row of all channels."""
    planes = np.arange(3 * 5 * 7).reshape(3, 5, 7)
    rows = every_row(ArraySource(planes), step)
    np.testing.assert_array_equal(rows, planes[:, ::step])


def test_a_plane_is_one_channel_and_any_layout_will_do():
    """Height and width alone; a view of other strides."""
    plane = np.arange(35, dtype=np.float32).reshape(5, 7)
    plane[2, 3] = np.nan
    np.testing.assert_array_equal(read(ArraySource(plane))[0], plane)
    np.testing.assert_array_equal(read(ArraySource(plane.T))[0], plane.T)
    np.testing.assert_array_equal(read(ArraySource(plane[::-1, ::2]))[0], plane[::-1, ::2])


def test_the_array_is_not_copied():
    """What is written into it is read, before and after closing."""
    plane = np.zeros((4, 4), np.uint16)
    source = ArraySource(plane)
    plane[1, 1] = 7
    source.close()
    assert read(source)[0, 1, 1] == 7
    assert np.shares_memory(source.planes, plane)


def test_what_is_no_image_is_refused():
    """A row, a stack of stacks, numbers that are no DN, windows outside, integers of floats."""
    for shape in ((5,), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match="axes"):
            ArraySource(np.zeros(shape))
    for dtype in (bool, complex, object):
        with pytest.raises(TypeError, match="real numbers"):
            ArraySource(np.zeros((2, 2), dtype))
    source = ArraySource(np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="outside"):
        read(source, Window(0, 3, 0, 2))
    with pytest.raises(TypeError, match="cannot be read"):
        read(source, dtype=np.uint16)


def test_arrays_can_be_integrated():
    """As the example of the documentation has it."""
    frames = [np.full((2, 3), level, np.uint16) for level in (100, 101, 105)]
    settings = IntegrationSettings(rejection="none", combination="median", normalization="none")
    result = integrate([ArraySource(frame) for frame in frames], settings)
    np.testing.assert_array_equal(result.image, np.full((1, 2, 3), 101))
