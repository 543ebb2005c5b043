"""A figure of a sensor: what was measured and how, or why it could not be."""

from dataclasses import dataclass
from typing import Any

from lightframe.processes import Measured

__all__ = ["Figure", "derived", "measured", "unknown"]

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a sensor.

    Attributes
    ----------
    value : float or bool or None
        What was measured; None is unknown.
    error : float or None
        Its standard error; None where it is unknown, or the figure is exact.
    unit : str
        Its unit.
    how : str
        What it was measured on.
    reason : str
        Why it is unknown, and what it needs.
    """

    value: float | bool | None = None
    error: float | None = None
    unit: str = ""
    how: str = ""
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def number(self) -> float:
        """The value as a number.

        Raises
        ------
        ValueError
            If it is unknown.
        """
        if self.value is None:
            raise ValueError(f"unknown: {self.reason}")
        return float(self.value)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, with the same keys whether it is known or not."""
        return {
            "value": _rounded(self.value),
            "error": _rounded(self.error),
            "unit": self.unit,
            "how": self.how,
            "reason": self.reason,
        }


def _rounded(value: float | bool | None) -> float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    return float(f"{value:.{_DIGITS}g}")


def measured(found: Measured, unit: str, how: str) -> Figure:
    """Return a figure from a measurement."""
    return Figure(found.value, found.error, unit, how)


def unknown(unit: str, reason: str) -> Figure:
    """Return a figure that could not be measured."""
    return Figure(unit=unit, reason=reason)


def derived(value: float, unit: str, how: str, *parts: Figure) -> Figure:
    """Return a figure that is a product or ratio of others, with the error that follows."""
    relative = [
        (part.error or 0.0) / abs(part.number) for part in parts if part.known and part.number
    ]
    error = abs(value) * sum(r * r for r in relative) ** 0.5
    known = all(part.error is not None for part in parts)
    return Figure(value, error if known else None, unit, how)
