"""The illuminated area of a flat: what its scaling factor is measured on.

Masked columns, an overscan that was left in the frame, or the border outside the image circle are
no part of the flat field. They would pull a mean over the whole frame, and so the scale of every
calibrated light, by their share of the frame.
"""

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.arrays import Float32, Float64, Int64, UInt8
from lightframe.kernels._illumination import dark_pixels

__all__ = ["illuminated_area"]

_Mask = npt.NDArray[np.bool_]

_LEAST_SIDE = 16
"""Side of a tile in pixels, or the next multiple of the colour cell above it."""
_DARK_SHARE = 3 / 16
"""A tile with more dark pixels of one colour than this is not illuminated: two dead columns and
some dead pixels are defects, four columns are masked."""
_LEAST_PART = 0.25
"""Parts at least this large, relative to the largest, count: amplifiers with their overscan between
them divide a frame, and leaks of light in a masked border do not make it a part of the field."""


def illuminated_area(plane: Float32, cell: UInt8, high: Float64, *, share: float) -> _Mask | None:
    """Find the part of a flat that light fell on.

    A pixel is lit if it is above `share` of the high level of its colour; a tile of 16 x 16 pixels
    (18 x 18 for X-Trans) is, if at most 3 in 16 of each colour's pixels are not. Of the
    connected groups of lit tiles the largest counts, and any that has a quarter of its size.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
        Calibrated flat in DN; a bias left in it counts as light.
    cell : ndarray of uint8, shape (period, period)
        Colour of each pixel of the cell.
    high : ndarray of float64, shape (colours,)
        High level of each colour, e.g. the 99th percentile, DN.
    share : float
        Part of the high level from which on a pixel is lit. Vignetting to less than this would be
        taken for the border of the image circle.

    Returns
    -------
    ndarray of bool, shape (height, width), or None
        None where the whole frame counts: all of it is lit, or nothing, so that noise cannot choose
        the pixels of an empty flat.
    """
    period = len(cell)
    side = -(-_LEAST_SIDE // period) * period
    rows, columns = (-(-size // side) for size in plane.shape)
    dark = np.zeros((rows, columns, len(high)), np.int64)
    dark_pixels(plane, cell, (share * high).astype(np.float32), side, dark)
    all_of = np.stack(
        [_pixels_per_tile(plane.shape, cell == colour, side) for colour in range(len(high))], axis=2
    )
    lit = np.all(dark <= _DARK_SHARE * all_of, axis=2)
    if lit.all() or not lit.any():
        return None
    parts, _ = scipy.ndimage.label(lit)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    counts = sizes >= _LEAST_PART * sizes.max()
    counts[0] = False
    area = counts[parts].repeat(side, axis=0).repeat(side, axis=1)
    return np.asarray(area[: plane.shape[0], : plane.shape[1]])


def _pixels_per_tile(shape: tuple[int, ...], places: _Mask, side: int) -> Int64:
    """Return how many pixels of the colour at `places` of the cell each tile holds."""
    period = len(places)
    total = np.zeros([-(-size // side) for size in shape], np.int64)
    for y, x in np.argwhere(places):
        starts = [np.arange(0, size, side) for size in shape]
        ends = [np.minimum(s + side, size) for s, size in zip(starts, shape, strict=True)]
        # Tiles begin at whole cells; a place of the cell is in every period-th row and column.
        inside = [
            np.maximum(0, -((place - (end - start)) // period))
            for start, end, place in zip(starts, ends, (y, x), strict=True)
        ]
        total += inside[0][:, None] * inside[1][None, :]
    return total
