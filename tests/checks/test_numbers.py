"""Numbers in messages."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.checks._numbers import measured, number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 3, "0"), (3.14159, 3, "3.14"), (31415.9, 3, "31400"), (0.0012345, 2, "0.0012"),
        (9.996, 3, "10"), (-42.0, 1, "-40"), (99.6, 2, "100"), (2.5, 4, "2.5"),
        (float("nan"), 3, "unknown"),
    ],
)  # fmt: skip
def test_numbers_are_rounded_to_significant_digits(value, digits, text):
    """Without zeros after the last digit that says something."""
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (218.02, 8.81, "218 ± 9"), (0.6213, 0.0118, "0.621 ± 0.012"), (23.4, 2.2, "23 ± 2"),
        (-63.1, 42.0, "-60 ± 40"), (1234.5, 19.6, "1230 ± 20"), (5.0, 0.0, "5"),
        (7.25, 0.97, "7.2 ± 1.0"), (33.0, float("inf"), "33"),
    ],
)  # fmt: skip
def test_errors_have_one_digit_and_values_end_where_they_do(value, error, text):
    """Two digits if the error begins with 1."""
    assert measured(value, error) == text


@given(st.floats(-1e9, 1e9), st.integers(1, 5))
def test_no_number_has_an_exponent(value, digits):
    """And it is the number, to the digits asked for."""
    text = number(value, digits)

    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert float(text) == pytest.approx(value, rel=0.5001 * 10.0 ** (1 - digits), abs=1e-300)
