"""Values of cards as programs really write them."""

from datetime import UTC, datetime

import pytest

from lightframe.frames import Card
from lightframe.frames import _values as values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("6,4E-05", 6.4e-05),
        ("' 9,78E-03'", 9.78e-03),
        ("1.5D+02", 150.0),
        ("1/250", 0.004),
        ("44 C", 44.0),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        (".5", 0.5),
        (7, 7.0),
        ("120.00  ", 120.0),
        ("", None),
        ("Unknown", None),
        ("1/0", None),
        (float("nan"), None),
        ("1.2.3", None),
        (True, None),
        (None, None),
    ],
)
def test_numbers_are_understood_in_any_spelling(value, expected):
    """Decimal commas, fractions, units and quotes are understood; what is no number is None."""
    found = values.quantity(value)
    assert (None if found is None else found.value) == expected


@pytest.mark.parametrize("value", ["", "  ", "Unknown ", "N/A", "none", "'        '", None, True])
def test_texts_that_say_nothing_are_none(value):
    """Blank strings and words for unknown are None."""
    assert values.text(Card("OBJECT", value)) is None


@pytest.mark.parametrize(
    ("card", "factor", "expected"),
    [
        (Card("EXPTIME", 64, "Exposure time in us"), 1.0, 6.4e-05),
        (Card("EXPOINUS", 64), 1e-6, 6.4e-05),
        (Card("EXPTIME", 5, "exposure in ms"), 1.0, 0.005),
        (Card("EXPTIME", "50.0ms"), 1.0, 0.05),
        (Card("EXPTIME", 5, "[s] Exposure duration"), 1.0, 5.0),
        (Card("EXPTIME", 0), 1.0, 0.0),
        (Card("EXPTIME", -1), 1.0, None),
    ],
)
def test_times_heed_their_unit(card, factor, expected):
    """The unit of the value, else that of the comment, else that of the keyword counts."""
    assert values.time_s(card, factor) == expected


@pytest.mark.parametrize(
    ("card", "factor", "expected"),
    [
        (Card("FOCALLEN", 400, "Focal Length of the Telescope in mm"), 1.0, 400.0),
        (Card("FOCAL", 0.53), 1000.0, 530.0),
        (Card("FOCAL", 530, "[mm]"), 1000.0, 530.0),
        (Card("FOCAL", 530), 1000.0, 530.0),
        (Card("FOCALLEN", 2.5, "[m] focal length"), 1.0, 2500.0),
        (Card("FOCALLEN", 0.0), 1.0, None),
    ],
)
def test_lengths_heed_their_unit(card, factor, expected):
    """Metres and millimetres are told apart, and a length of 0 is unknown."""
    assert values.length_mm(card, factor) == expected


@pytest.mark.parametrize(
    ("value", "comment", "expected"),
    [(-10.0, "", -10.0), (163.15, "[K]", -110.0), (-273.15, "", None), (999, "", None)],
)
def test_temperatures_become_degrees_celsius(value, comment, expected):
    """Kelvin become degrees Celsius; values that no sensor has are unknown."""
    assert values.temperature_c(Card("CCD-TEMP", value, comment)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-96 27 12", -96.453333),
        ("+03 41 00.000", 3.683333),
        ("-0:30:00", -0.5),
        (3.69361, 3.69361),
        ("3.716667", 3.716667),
        ("north", None),
        ("NaN", None),
        ("inf", None),
    ],
)
def test_angles_may_be_decimal_or_sexagesimal(value, expected):
    """Decimal and sexagesimal angles, also those between 0 and -1 degree; a NaN says nothing."""
    assert values.angle_deg(Card("SITELONG", value)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-05-30T00:22:49.5000000", datetime(2020, 5, 30, 0, 22, 49, 500_000, UTC)),
        ("2020-05-30 00:22:49Z", datetime(2020, 5, 30, 0, 22, 49, 0, UTC)),
        ("2020-05-30T02:22:49+02:00", datetime(2020, 5, 30, 0, 22, 49, 0, UTC)),
        ("2016-12-31T23:59:60", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2005:08:25 13:09:05", datetime(2005, 8, 25, 13, 9, 5, 0, UTC)),
        ("2020-05-30", None),
        ("0001-01-01T00:00:00", None),
        ("2020-05-30T25:00:00", None),
        ("2020-13-30T00:00:00", None),
        ("yesterday", None),
    ],
)
def test_moments_need_a_date_and_a_time_of_day(value, expected):
    """ISO 8601 in its variants and EXIF's form; a date without time of day is no moment."""
    assert values.utc(Card("DATE-OBS", value)) == expected


@pytest.mark.parametrize(
    ("day", "time", "expected"),
    [
        ("04/07/98", "14:03:03", datetime(1998, 7, 4, 14, 3, 3, 0, UTC)),
        ("03/05/19", "09:03:11.5", datetime(2019, 5, 3, 9, 3, 11, 500_000, UTC)),
        ("2004-06-09", "16:02", datetime(2004, 6, 9, 16, 2, 0, 0, UTC)),
        ("31/02/98", "14:03:03", None),
        ("04/07/98", None, None),
    ],
)
def test_date_and_clock_in_two_cards_are_one_moment(day, time, expected):
    """Old files have 'dd/mm/yy' and the time of day in a card of its own."""
    assert values.clock(day, time) == expected
