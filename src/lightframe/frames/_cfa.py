"""The colour filter array: which colour each pixel sees, as stored."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["COLOURS", "CfaPattern"]

COLOURS = "RGB"
"""Plane index -> letter: 0 is red, 1 is green, 2 is blue."""


@dataclass(frozen=True, slots=True)
class CfaPattern:
    """The repeating cell of a colour filter array, phased at row 0, column 0 of the array.

    Parameters
    ----------
    rows : tuple of str
        The cell row by row in letters of R, G, B: ``("RG", "GB")``, or six rows of six for X-Trans.
    """

    rows: tuple[str, ...]

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.rows}
        if len(widths) != 1 or not set("".join(self.rows)) <= set(COLOURS):
            raise ValueError(f"not a CFA cell: {self.rows!r}")

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Build from the letters of a square cell read row by row, e.g. ``"GRBG"``."""
        side = {4: 2, 36: 6}.get(len(name))
        if side is None:
            raise ValueError(f"a CFA cell has 4 or 36 letters, not {len(name)}: {name!r}")
        return cls(tuple(name[i : i + side] for i in range(0, len(name), side)))

    @property
    def name(self) -> str:
        """The letters of the cell row by row."""
        return "".join(self.rows)

    @property
    def period(self) -> int:
        """Side of the cell: 2 for Bayer, 6 for X-Trans."""
        return len(self.rows)

    def shifted(self, y: int, x: int) -> "CfaPattern":
        """Return the pattern as seen from row `y`, column `x` of the array."""
        height, width = len(self.rows), len(self.rows[0])
        return CfaPattern(
            tuple(
                "".join(
                    self.rows[(row + y) % height][(column + x) % width] for column in range(width)
                )
                for row in range(height)
            )
        )

    def flipped_rows(self, height: int) -> "CfaPattern":
        """Return the pattern of an array of `height` rows stored in the opposite row order."""
        period = len(self.rows)
        return CfaPattern(tuple(self.rows[(height - 1 - row) % period] for row in range(period)))

    def planes(self) -> npt.NDArray[np.uint8]:
        """Return the cell as plane indices (0 R, 1 G, 2 B), shape (period, period)."""
        return np.array([[COLOURS.index(letter) for letter in row] for row in self.rows], np.uint8)
