"""Numbers in the messages of findings: as many digits as mean something, and never an exponent."""

from math import floor, isfinite, log10

__all__ = ["counted", "measured", "number"]

_LEADING_ONE = 1.95
"""Up to this an error is given with two digits, for one would round it by up to a third."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a number rounded to some significant digits, without an exponent.

    Digits before the decimal point are all shown: 31416 to three digits is 31400.
    """
    if value is None or not isfinite(value):
        return "unknown"
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    # 9.996 becomes 10.0, which has one digit more than asked for.
    places = digits - 1 - floor(log10(abs(rounded)))
    text = f"{rounded:.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(count: int, one: str, several: str) -> str:
    """Return how many there are, in words that go with one or with several: ``1 light has``."""
    return f"{count} {one if count == 1 else several}"


def measured(value: float, error: float) -> str:
    """Return ``value ± error``: the error with one digit, two if it begins with 1.

    The value is rounded to the place of the error's last digit.
    """
    if not isfinite(error) or error <= 0:
        return number(value)
    exponent = floor(log10(error))
    digits = 2 if error / 10.0**exponent < _LEADING_ONE else 1
    places = digits - 1 - exponent
    shown = max(places, 0)
    return f"{round(value, places):.{shown}f} ± {round(error, places):.{shown}f}"
