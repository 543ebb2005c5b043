"""Pedestals: a constant that lifts pixel values above zero, removed at input, added at output.

A pedestal is a positive number of DN on the 16-bit scale. Reading it from a header, sign and all,
is `resolve_input_pedestal`; the least one that keeps pixels from truncation is
`automatic_pedestal`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError
from lightframe.figures import percent
from lightframe.kernels._calibrate import count_outside
from lightframe.kernels._constants import FULL_SCALE
from lightframe.tables import Table

__all__ = [
    "INPUT_PEDESTALS",
    "MAX_PEDESTAL_DN",
    "OUTPUT_PEDESTALS",
    "Clipping",
    "InputPedestal",
    "automatic_pedestal",
    "clipped_fractions",
    "resolve_input_pedestal",
]

MAX_PEDESTAL_DN = 1000
"""Largest pedestal that is added, DN."""

INPUT_PEDESTALS: Table[str] = Table("input pedestal")
INPUT_PEDESTALS.enter("keyword", "subtract what the header's keyword says, whatever its sign", "")
INPUT_PEDESTALS.enter("literal", "subtract the given number of DN from every light", "")
INPUT_PEDESTALS.enter("none", "subtract nothing, even if the header names a pedestal", "")

OUTPUT_PEDESTALS: Table[str] = Table("output pedestal")
OUTPUT_PEDESTALS.enter("literal", "add the given number of DN (0 adds nothing)", "")
OUTPUT_PEDESTALS.enter(
    "auto", "add the least number of DN that leaves no more than the given fraction truncated", ""
)


@dataclass(frozen=True, slots=True)
class InputPedestal:
    """The pedestal to subtract from a frame as it is read.

    Attributes
    ----------
    dn : float
        Its size in DN on the scale of the file.
    note : str
        What was assumed, in the user's words; empty where nothing was.
    """

    dn: float
    note: str = ""


def resolve_input_pedestal(
    keyword_value: float | None, *, source: str = "keyword", literal_dn: float = 0.0
) -> InputPedestal:
    """Decide what is subtracted from a frame before anything else.

    Parameters
    ----------
    keyword_value : float or None
        Value of PEDESTAL (or of the keyword the user named) as written; None where absent.
    source : str
        A name of `INPUT_PEDESTALS`.
    literal_dn : float
        The number for ``"literal"``.

    Returns
    -------
    InputPedestal
        The magnitude. Two conventions are in use: the value that *was added* (positive; PixInsight)
        and the value that *is to be added* to get rid of it (negative; MaxIm DL, SBIG). Both mean
        that the magnitude is subtracted; a negative value is reported in the note.

    Raises
    ------
    InputError
        If the keyword's value is not a finite number.
    """
    INPUT_PEDESTALS[source]  # an unknown name is an error
    if source == "none" or (source == "keyword" and keyword_value is None):
        return InputPedestal(0.0)
    value = literal_dn if source == "literal" else float(keyword_value or 0.0)
    if not np.isfinite(value):
        raise InputError(f"the pedestal is {value}", cause="a damaged header")
    if value < 0:
        return InputPedestal(
            -value,
            f"pedestal {value:g} is negative: taken as the value to add (MaxIm DL, SBIG),"
            f" so {-value:g} DN are subtracted",
        )
    return InputPedestal(value)


@dataclass(frozen=True, slots=True)
class Clipping:
    """Samples that truncation to the writable range changes, and missing ones.

    Attributes
    ----------
    low, high : int
        Samples below and above the range.
    missing : int
        Samples that are NaN.
    samples : int
        All samples.
    low_dn, high_dn : float
        The range.
    """

    low: int
    high: int
    missing: int
    samples: int
    low_dn: float = 0.0
    high_dn: float = FULL_SCALE

    def __str__(self) -> str:
        return (
            f"{self.low} px ({percent(self.low_fraction, 4)}) below {self.low_dn:g},"
            f" {self.high} px ({percent(self.high_fraction, 4)}) above {self.high_dn:g},"
            f" {self.missing} px missing"
        )

    @property
    def low_fraction(self) -> float:
        """Share of all samples below the range."""
        return self.low / self.samples if self.samples else 0.0

    @property
    def high_fraction(self) -> float:
        """Share of all samples above the range."""
        return self.high / self.samples if self.samples else 0.0


def clipped_fractions(
    planes: npt.NDArray[np.float32], *, low_dn: float = 0.0, high_dn: float = FULL_SCALE
) -> Clipping:
    """Count what truncation to ``low_dn <= value <= high_dn`` would change; nothing is changed.

    Parameters
    ----------
    planes : ndarray of float32, any shape
        Pixels in DN.
    low_dn, high_dn : float
        The range that can be written.
    """
    flat = np.ascontiguousarray(planes).reshape(-1)
    low, high, missing = count_outside(flat, np.float32(low_dn), np.float32(high_dn))
    return Clipping(low, high, missing, flat.size, low_dn, high_dn)


def automatic_pedestal(planes: npt.NDArray[np.float32], limit: float) -> int:
    """Return the least pedestal that leaves at most the fraction `limit` of pixels below zero.

    Parameters
    ----------
    planes : ndarray of float32, any shape
        Calibrated pixels in DN, not truncated.
    limit : float
        Fraction of the (not missing) samples that may stay negative.

    Returns
    -------
    int
        Whole DN, from 0 to `MAX_PEDESTAL_DN`; at the maximum more than `limit` may stay negative.
    """
    clipping = clipped_fractions(planes)
    allowed = int(limit * (clipping.samples - clipping.missing))
    if clipping.low <= allowed:
        return 0
    values = planes.reshape(-1)
    negative = values[values < 0]
    negative.partition(allowed)
    return int(min(MAX_PEDESTAL_DN, np.ceil(-float(negative[allowed]))))
