"""Fractions and times as people write them."""

import re
from pathlib import Path

import pytest

import lightframe
from lightframe.figures import duration, percent


@pytest.mark.parametrize(
    ("fraction", "digits", "text"),
    [(0.12, 0, "12 %"), (0.015, 1, "1.5 %"), (-0.5, 2, "-50.00 %"), (float("nan"), 1, "nan %")],
)
def test_a_space_stands_before_the_sign(fraction, digits, text):
    """As units do, whatever the number."""
    assert percent(fraction, digits) == text


def test_a_difference_shows_whether_it_is_positive():
    """Only where asked for."""
    assert percent(0.015, 1, signed=True) == "+1.5 %"


def test_percentages_are_written_in_one_way():
    """No module formats them by itself, without the space."""
    modules = Path(lightframe.__file__).parent.rglob("*.py")
    glued = re.compile(r"\.\d%[}'\"]|\d%(?!\w)")

    assert [path.name for path in modules if glued.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(12.5, "12.5 s"), (59.6, "1 min 00 s"), (7500, "2 h 05 min")]
)
def test_times_have_two_units_at_most(seconds, text):
    """Rounded before they are parted."""
    assert duration(seconds) == text
