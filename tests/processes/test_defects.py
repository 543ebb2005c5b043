"""Defects: sorted, merged, counted, mapped, and read from lists."""

import numpy as np
import pytest

from lightframe.errors import InputError
from lightframe.processes import Defects, parse_defect_list


def marked(text, height=6, width=8):
    """Return the pixels a list names, as (y, x)."""
    listed = parse_defect_list(text, height=height, width=width).listed
    return {divmod(int(index), width) for index in listed}


def test_indices_are_sorted_and_each_kept_once():
    """Whatever order they come in."""
    defects = Defects([5, 3, 3], [9, 5])

    np.testing.assert_array_equal(defects.hot, [3, 5])
    np.testing.assert_array_equal(defects.pixels, [3, 5, 9])
    assert defects.pixels.dtype == np.int64
    assert len(defects) == 3


def test_merging_unites_each_kind():
    """Hot with hot, cold with cold, listed with listed."""
    merged = Defects([1], [2], [3]).merged(Defects([4, 1], [], [8]))

    assert merged.counts() == {"hot": 2, "cold": 1, "listed": 2}
    assert repr(merged) == "Defects(2 hot, 1 cold, 2 listed)"


def test_the_map_shows_each_kind_as_a_bit():
    """1 hot, 2 cold, 4 listed, added up."""
    np.testing.assert_array_equal(Defects([0], [1], [1, 2]).map(2, 2), [[1, 6], [4, 0]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pixel 3 1", {(1, 3)}),
        ("P 3 1 H  # as other programs write it", {(1, 3)}),
        ("pixel 3 1 4 2", {(1, 3), (1, 4), (2, 3), (2, 4)}),
        ("column 7", {(y, 7) for y in range(6)}),
        ("Col 7 2 3", {(2, 7), (3, 7)}),
        ("row 5", {(5, x) for x in range(8)}),
        ("L 5 0 1", {(5, 0), (5, 1)}),
        ("true, false, 2, true, 4, 5", {(4, 2), (5, 2)}),
        ("[true, true, 4, false, 0, 0],", {(4, x) for x in range(8)}),
        ("false, true, 4, false, 0, 0", set()),
        ("# nothing\n\n   \npixel 0 0\npixel 1 0", {(0, 0), (0, 1)}),
    ],
)
def test_a_list_names_pixels_columns_rows_and_ranges(text, expected):
    """All forms of a line, x before y, ranges with both ends."""
    assert marked(text) == expected


def test_rows_of_the_reference_are_read_on_wide_frames_in_full():
    """A defective row reaches the last column of a frame that is wider than high."""
    defects = parse_defect_list([(True, True, 2, False, 0, 0)], height=6, width=40)

    np.testing.assert_array_equal(defects.listed, 80 + np.arange(40))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pixel 0 0\ncircle 3 4", r"line 2 .*circle 3 4.*no pixel, column or row"),
        ("pixel 8 0", r"x = 8, but the frame ends at 7"),
        ("row 6", r"y = 6, but the frame ends at 5"),
        ("column 1 4 2", r"runs backwards, from 4 to 2"),
        ("column 1 4", r"column takes 1 or 3 numbers"),
        ("pixel 4", r"pixel takes 2 or 4 numbers"),
        ("row 4 H", r"row takes"),
        ("pixel -1 3", r"no pixel"),
    ],
)
def test_a_line_that_makes_no_sense_is_an_error_that_names_it(text, message):
    """The message tells the line and what is wrong with it."""
    with pytest.raises(InputError, match=message):
        marked(text)
