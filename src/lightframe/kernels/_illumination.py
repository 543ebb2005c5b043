"""Kernel that finds the dark pixels of a flat, tile by tile."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["dark_pixels"]


@kernel
def dark_pixels(
    plane: npt.NDArray[np.float32],
    cell: npt.NDArray[np.uint8],
    limits: npt.NDArray[np.float32],
    side: int,
    counts: npt.NDArray[np.int64],
) -> None:
    """Count the pixels of each tile and colour that are not above their colour's limit.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
        Missing pixels (NaN) count as dark.
    cell : ndarray of uint8, shape (period, period)
        Colour of each pixel of the cell.
    limits : ndarray of float32, shape (colours,)
        DN.
    side : int
        Side of a tile in pixels; those at the right and lower border may be smaller.
    counts : ndarray of int64, shape (rows of tiles, columns of tiles, colours)
        Added to.
    """
    period = cell.shape[0]
    for y in range(plane.shape[0]):
        row = plane[y]
        colours = cell[y % period]
        into = counts[y // side]
        for x in range(row.size):
            colour = colours[x % period]
            if not row[x] > limits[colour]:
                into[x // side, colour] += 1
