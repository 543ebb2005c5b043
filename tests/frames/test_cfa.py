"""The colour phase: the one function against a twin that paints the picture and cuts it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.frames import COLOURS, Card, CfaPattern, Header, cfa_pattern
from lightframe.frames._cfa import read_cfa

BAYER = ("RGGB", "BGGR", "GBRG", "GRBG")
X_TRANS = "GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG"
SENSOR = 48


def painted(name, offset, origin, size, bottom_up):
    """Return the colours of a sub-frame as stored: paint the sensor, cut the picture, flip it."""
    side = {4: 2, 36: 6}[len(name)]
    cell = np.array(list(name)).reshape(side, side)
    reach = SENSOR // side + 1
    sensor = np.tile(cell, (reach, reach))[offset[0] % side :, offset[1] % side :]
    picture = sensor[origin[0] : origin[0] + size[0], origin[1] : origin[1] + size[1]]
    return picture[::-1] if bottom_up else picture


def colours_of(pattern, height, width):
    """Return the colour letter of each pixel of an array with `pattern` at its origin."""
    planes = pattern.planes()
    rows, columns = np.indices((height, width))
    return np.array(list(COLOURS))[planes[rows % pattern.period, columns % pattern.period]]


@given(
    name=st.sampled_from((*BAYER, X_TRANS)),
    offset=st.tuples(st.integers(-6, 7), st.integers(-6, 7)),
    origin=st.tuples(st.integers(0, 13), st.integers(0, 13)),
    size=st.tuples(st.integers(6, 20), st.integers(6, 20)),
    order=st.sampled_from((None, "TOP-DOWN", "BOTTOM-UP")),
)
def test_phase_is_that_of_the_painted_picture(name, offset, origin, size, order):
    """All patterns, offsets, sub-frames, sizes and row orders give the colours of the twin."""
    cards = [
        Card("BAYERPAT", name),
        Card("XBAYROFF", offset[1]),
        Card("YBAYROFF", offset[0]),
        Card("XORGSUBF", origin[1]),
        Card("YORGSUBF", origin[0]),
    ]
    if order is not None:
        cards.append(Card("ROWORDER", order))
    pattern = cfa_pattern(Header(cards), *size)
    expected = painted(name, offset, origin, size, order == "BOTTOM-UP")
    np.testing.assert_array_equal(colours_of(pattern, *size), expected)


@pytest.mark.parametrize("name", BAYER)
@pytest.mark.parametrize("height", [1080, 1081])
def test_bottom_up_swaps_rows_of_even_heights_only(name, height):
    """BOTTOM-UP moves the cell by one row where the height is even and not where it is odd."""
    header = Header([Card("BAYERPAT", name), Card("ROWORDER", "BOTTOM-UP")])
    expected = name[2:] + name[:2] if height % 2 == 0 else name
    assert cfa_pattern(header, height, 1920).name == expected


@pytest.mark.parametrize("order", ["bottom_up", "Bottom Up ", "BOTTOM-UP", "BOTTOMUP"])
def test_row_order_is_read_in_any_spelling(order):
    """Case, blanks and underscores of ROWORDER do not matter."""
    header = Header([Card("BAYERPAT", "RGGB"), Card("ROWORDER", order)])
    assert cfa_pattern(header, 4, 4).name == "GBRG"


def test_binning_multiplies_the_origin():
    """In a frame binned twice any sub-frame starts at an even sensor pixel: no shift."""
    header = Header([Card("BAYERPAT", "RGGB"), Card("XORGSUBF", 3), Card("XBINNING", 2)])
    reading = read_cfa(header, 10, 10)
    assert reading.pattern.name == "RGGB"
    assert any("binned 2x2" in note for note in reading.notes)


def test_a_shifting_sub_frame_is_told():
    """An odd origin of a sub-frame shifts the cell and leaves a note."""
    header = Header([Card("BAYERPAT", "RGGB"), Card("XORGSUBF", 3), Card("ROWORDER", "TOP-DOWN")])
    reading = read_cfa(header, 10, 10)
    assert reading.pattern.name == "GRBG"
    assert "(3, 0)" in reading.notes[0]


def test_absent_row_order_is_told():
    """Without ROWORDER the picture is taken as TOP-DOWN, and the user reads so."""
    reading = read_cfa(Header([Card("BAYERPAT", "rggb ")]), 10, 10)
    assert reading.pattern.name == "RGGB"
    assert "TOP-DOWN" in reading.notes[0]


def test_nina_unset_offset_is_no_shift():
    """Older N.I.N.A. writes -1 for an offset that the driver does not state."""
    cards = [Card("BAYERPAT", "RGGB"), Card("XBAYROFF", -1), Card("YBAYROFF", -1)]
    assert cfa_pattern(Header(cards), 10, 10).name == "BGGR"
    assert cfa_pattern(Header([*cards, Card("SWCREATE", "N.I.N.A. 1.9")]), 10, 10).name == "RGGB"


@pytest.mark.parametrize("value", ["NONE", "INVALID", "", "   ", None, False, "Mono"])
def test_words_for_no_pattern_mean_none(value):
    """NONE, INVALID and blanks mean that there is no pattern, and nothing is noted."""
    assert read_cfa(Header([Card("BAYERPAT", value)]), 10, 10) == (None, ())


@pytest.mark.parametrize("value", ["TRUE", True, "CMYG", "RGB", "RGGBRGGB", "RGGR"])
def test_patterns_that_are_not_understood_are_told(value):
    """A pattern that is not of R, G and B is never guessed: the frame has none, with a note."""
    reading = read_cfa(Header([Card("BAYERPAT", value)]), 10, 10)
    assert reading.pattern is None
    assert "BAYERPAT" in reading.notes[0]


def test_colour_type_of_pixels_is_no_pattern():
    """ZWO's COLORTYP names a pixel format; MaxIm's names the pattern."""
    assert cfa_pattern(Header([Card("COLORTYP", "RAW16")]), 10, 10) is None
    assert cfa_pattern(Header([Card("COLORTYP", 2)]), 10, 10) is None
    assert cfa_pattern(Header([Card("COLORTYP", "GBRG")]), 10, 10).name == "GBRG"


def test_offsets_without_pattern_are_told():
    """A header with XBAYROFF = 1 and no pattern is of a colour camera: that is said."""
    assert "no pattern" in read_cfa(Header([Card("XBAYROFF", 1)]), 10, 10).notes[0]


def test_colour_images_have_no_pattern():
    """A stack of three planes that kept BAYERPAT has no colour filter array."""
    assert cfa_pattern(Header([Card("BAYERPAT", "GRBG"), Card("NAXIS3", 3)]), 10, 10) is None


def test_images_smaller_than_the_cell_have_no_pattern():
    """One row of pixels cannot show a cell of two rows."""
    assert cfa_pattern(Header([Card("BAYERPAT", "GRBG")]), 1, 10) is None


def test_xisf_pattern_is_that_of_the_stored_array():
    """XISF's ColorFilterArray comes first and is neither shifted nor flipped."""
    header = Header(
        [
            Card("BAYERPAT", "RGGB"),
            Card("XBAYROFF", 1),
            Card("ROWORDER", "BOTTOM-UP"),
            Card("XISF:CFAPATTERN", "GRBG"),
            Card("XISF:CFAWIDTH", 2),
        ]
    )
    assert cfa_pattern(header, 10, 10) == CfaPattern(("GR", "BG"))


def test_x_trans_patterns_of_xisf_are_understood():
    """36 letters in rows of six are an X-Trans cell; another width is not understood."""
    cards = [Card("XISF:CFAPATTERN", X_TRANS), Card("XISF:CFAWIDTH", 6)]
    assert cfa_pattern(Header(cards), 60, 60).name == X_TRANS
    assert cfa_pattern(Header([cards[0], Card("XISF:CFAWIDTH", 4)]), 60, 60) is None


def test_source_pattern_of_pixinsight_is_the_last_resort():
    """PCL:CFASourcePattern is used where nothing else states a pattern."""
    assert cfa_pattern(Header([Card("PCL:CFASOURCEPATTERN", "BGGR")]), 8, 8).name == "BGGR"
    header = Header([Card("PCL:CFASOURCEPATTERN", "BGGR"), Card("BAYERPAT", "RGGB")])
    assert cfa_pattern(header, 8, 8).name == "RGGB"
