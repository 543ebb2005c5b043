"""Numbers, sizes and times as pages write them."""

import pytest

from lightframe.report._environment import _duration, _percent, _size
from lightframe.report._facts import number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (999.7, 3, "1,000"), (9999.7, 4, "10,000"), (999.4, 3, "999"), (0.00002, 3, "0.00002"),
        (12345, 3, "12,345"), (-0.5, 3, "-0.5"), (None, 3, "-"), ([1.0, 2.5], 3, "1 / 2.5"),
    ],
)  # fmt: skip
def test_no_number_has_an_exponent(value, digits, text):
    """Not even where rounding makes it a digit longer."""
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "-"), (0.0, "0 %"), (6.6e-7, "< 0.001 %"), (1e-5, "0.001 %"), (0.00484, "0.484 %"),
        (1.0, "100 %"), (25.0, "2,500 %"),
    ],
)  # fmt: skip
def test_a_pixel_in_a_million_is_no_percentage_of_its_own(fraction, text):
    """None at all is told from few."""
    assert _percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"), (4.21, "4.21 s"), (119.7, "2 min 00 s"), (75.2, "1 min 15 s"),
        (3599.6, "1 h 00 min"),
    ],
)  # fmt: skip
def test_no_minute_has_sixty_seconds(seconds, text):
    """Rounded before it is divided."""
    assert _duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(12, "12 B"), (999.7e3, "1 MB"), (999.7e6, "1 GB"), (2.5e12, "2,500 GB")],
)
def test_sizes_have_no_exponent(count, text):
    """The next unit is taken where rounding needs it."""
    assert _size(count) == text
