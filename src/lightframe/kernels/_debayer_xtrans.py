"""Kernels of debayering X-Trans mosaics along the smoother direction."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["MARGIN", "REACH", "chroma", "green", "refine_green"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

REACH = 2
"""Half side of the box from which a pixel is interpolated."""

MARGIN = 3 * REACH + 1
"""Pixels around a pixel on which its result depends: green 2, colour 2, green again 1, colour 2."""

GREEN = 1

EPSILON = 1e-3
"""Keeps activities above zero, in DN."""


@kernel
def _nearest_green(
    mosaic: Float32, cell: UInt8, y: int, x: int, dy: int, dx: int
) -> tuple[float, int]:
    """Return the first green pixel in a direction and its distance, or 0 and 0."""
    height, width = mosaic.shape
    for distance in range(1, 4):
        v = y + distance * dy
        u = x + distance * dx
        if not (0 <= v < height and 0 <= u < width):
            break
        if cell[v % 6, u % 6] == GREEN and not np.isnan(mosaic[v, u]):
            return np.float64(mosaic[v, u]), distance
    return 0.0, 0


@kernel
def _along(mosaic: Float32, cell: UInt8, y: int, x: int, dy: int, dx: int) -> float:
    """Return green interpolated linearly along a line, from one side where the other has none."""
    before, distance_before = _nearest_green(mosaic, cell, y, x, -dy, -dx)
    behind, distance_behind = _nearest_green(mosaic, cell, y, x, dy, dx)
    if distance_before == 0:
        return behind if distance_behind else np.nan
    if distance_behind == 0:
        return before
    total = distance_before + distance_behind
    return (distance_behind * before + distance_before * behind) / total


@kernel
def _activity(mosaic: Float32, pairs: Int64, y: int, x: int) -> float:
    """Return the mean absolute slope over pairs of equal colour, DN per pixel."""
    height, width = mosaic.shape
    total = 0.0
    count = 0
    for k in range(pairs.shape[0]):
        distance = pairs[k, 4]
        y0, x0 = y + pairs[k, 0], x + pairs[k, 1]
        y1, x1 = y + pairs[k, 2], x + pairs[k, 3]
        if distance == 0 or min(y0, x0, y1, x1) < 0:
            continue
        if max(y0, y1) >= height or max(x0, x1) >= width:
            continue
        step = abs(np.float64(mosaic[y0, x0]) - np.float64(mosaic[y1, x1]))
        if not np.isnan(step):
            total += step / distance
            count += 1
    return total / count if count else 0.0


@kernel
def green(mosaic: Float32, cell: UInt8, pairs: Int64, first: int, last: int, out: Float32) -> None:
    """Write green for the rows `first` to `last`.

    At red and blue pixels the interpolations along row and column are averaged with the weights
    1 / activity^2, the activity of a direction being the mean absolute slope of equal colours.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (6, 6) uint8
    pairs : (6, 6, 2, n, 5) int64
        For each position and direction (row, column): dy, dx of two pixels of equal colour in a
        box around it, and their distance; 0 ends the list.
    out : (height, width) float32
    """
    for y in range(first, last):
        for x in range(mosaic.shape[1]):
            if cell[y % 6, x % 6] == GREEN:
                out[y, x] = mosaic[y, x]
                continue
            in_row = _along(mosaic, cell, y, x, 0, 1)
            in_column = _along(mosaic, cell, y, x, 1, 0)
            if np.isnan(in_row):
                out[y, x] = np.float32(in_column)
                continue
            if np.isnan(in_column):
                out[y, x] = np.float32(in_row)
                continue
            row_activity = EPSILON + _activity(mosaic, pairs[y % 6, x % 6, 0], y, x)
            column_activity = EPSILON + _activity(mosaic, pairs[y % 6, x % 6, 1], y, x)
            share = row_activity**2 / (row_activity**2 + column_activity**2)
            out[y, x] = np.float32(in_row + share * (in_column - in_row))


@kernel
def chroma(mosaic: Float32, cell: UInt8, first: int, last: int, out: Float32) -> None:
    """Write red and blue for the rows `first` to `last`, after all of green.

    A missing colour is green plus the weighted mean of the colour's differences from green in
    5 x 5 pixels; the weights fall linearly with the distances in rows and columns.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (6, 6) uint8
    out : (3, height, width) float32
        Holds green.
    """
    height, width = mosaic.shape
    for y in range(first, last):
        for x in range(width):
            own = cell[y % 6, x % 6]
            for colour in range(0, 3, 2):
                if colour == own:
                    out[colour, y, x] = mosaic[y, x]
                    continue
                total = 0.0
                weights = 0
                for v in range(max(0, y - REACH), min(height, y + REACH + 1)):
                    for u in range(max(0, x - REACH), min(width, x + REACH + 1)):
                        if cell[v % 6, u % 6] != colour:
                            continue
                        difference = np.float64(mosaic[v, u]) - np.float64(out[GREEN, v, u])
                        if np.isnan(difference):
                            continue
                        weight = (REACH + 1 - abs(v - y)) * (REACH + 1 - abs(u - x))
                        total += weight * difference
                        weights += weight
                base = np.float64(out[GREEN, y, x])
                out[colour, y, x] = np.float32(base + total / weights) if weights else np.nan


@kernel
def refine_green(mosaic: Float32, cell: UInt8, first: int, last: int, out: Float32) -> None:
    """Estimate green at red and blue pixels anew, from what `chroma` made of their surroundings.

    Green is the pixel's measured colour plus the weighted mean, over the green pixels of 3 x 3, of
    green's difference from that colour. So the curvature of a star's peak, which the measured
    colour has seen, is not lost. `chroma` then has to run again.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (6, 6) uint8
    out : (3, height, width) float32
        Holds all colours.
    """
    height, width = mosaic.shape
    for y in range(first, last):
        for x in range(width):
            own = cell[y % 6, x % 6]
            if own == GREEN or np.isnan(mosaic[y, x]):
                continue
            total = 0.0
            weights = 0
            for v in range(max(0, y - 1), min(height, y + 2)):
                for u in range(max(0, x - 1), min(width, x + 2)):
                    if cell[v % 6, u % 6] != GREEN:
                        continue
                    difference = np.float64(mosaic[v, u]) - np.float64(out[own, v, u])
                    if not np.isnan(difference):
                        weight = (2 - abs(v - y)) * (2 - abs(u - x))
                        total += weight * difference
                        weights += weight
            if weights:
                out[GREEN, y, x] = np.float32(np.float64(mosaic[y, x]) + total / weights)
