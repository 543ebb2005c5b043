"""Kernels of debayering X-Trans mosaics along the smoother direction.

In X-Trans every pixel of the 6 x 6 cell has other neighbours. So that many pixels of a row can be
computed side by side all the same, each kernel takes all pixels of a box, with weights that repeat
along the row and are zero where the colour is not wanted. Pixels at the edge, and pixels with a
missing one in their box, are computed one by one from what is there.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["GREEN", "LANES", "MARGIN", "REACH", "SIDE", "chroma", "green", "refine_green"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

REACH = 2
"""Half side of the box from which a pixel is interpolated."""

MARGIN = 3 * REACH + 1
"""Pixels around a pixel on which its result depends: green 2, colour 2, green again 1, colour 2."""

GREEN = 1

SIDE = 6
"""Side of the cell."""

LANES = 96
"""Pixels of a row that are computed side by side, a multiple of the cell's side."""

EPSILON = np.float32(1e-3)
"""Keeps activities above zero, in DN."""


@kernel
def _nearest_green(
    mosaic: Float32, cell: UInt8, y: int, x: int, dy: int, dx: int
) -> tuple[float, int]:
    """Return the first green pixel in a direction and its distance, or 0 and 0."""
    height, width = mosaic.shape
    for distance in range(1, REACH + 1):
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
def _activity(mosaic: Float32, cell: UInt8, y: int, x: int, dy: int, dx: int) -> float:
    """Return the mean absolute slope over pairs of equal colour in the box, DN per pixel."""
    height, width = mosaic.shape
    total = 0.0
    count = 0
    for v in range(max(0, y - REACH), min(height, y + REACH + 1)):
        for u in range(max(0, x - REACH), min(width, x + REACH + 1)):
            for distance in range(1, 3):
                v1 = v + distance * dy
                u1 = u + distance * dx
                if v1 > y + REACH or u1 > x + REACH or v1 >= height or u1 >= width:
                    continue
                if cell[v % 6, u % 6] != cell[v1 % 6, u1 % 6]:
                    continue
                step = abs(np.float64(mosaic[v, u]) - np.float64(mosaic[v1, u1]))
                if not np.isnan(step):
                    total += step / distance
                    count += 1
    return total / count if count else 0.0


@kernel
def _green_of_pixel(mosaic: Float32, cell: UInt8, y: int, x: int) -> np.float32:
    in_row = _along(mosaic, cell, y, x, 0, 1)
    in_column = _along(mosaic, cell, y, x, 1, 0)
    if np.isnan(in_row):
        return np.float32(in_column)
    if np.isnan(in_column):
        return np.float32(in_row)
    row_activity = EPSILON + _activity(mosaic, cell, y, x, 0, 1)
    column_activity = EPSILON + _activity(mosaic, cell, y, x, 1, 0)
    share = row_activity**2 / (row_activity**2 + column_activity**2)
    return np.float32(in_row + share * (in_column - in_row))


@kernel
def green(
    mosaic: Float32,
    cell: UInt8,
    lines: Float32,
    slopes: Float32,
    first: int,
    last: int,
    out: Float32,
) -> None:
    """Write green for the rows `first` to `last`.

    At red and blue pixels the interpolations along row and column are averaged with the weights
    1 / activity^2, the activity of a direction being the mean absolute slope of equal colours in
    5 x 5 pixels.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (6, 6) uint8
    lines : (6, 2, 5, LANES) float32
        Weights of the pixels along row and column.
    slopes : (6, 2, 35, LANES) float32
        Weights of the absolute differences along row and column.
    out : (height, width) float32
    """
    height, width = mosaic.shape
    estimates = np.empty((4, LANES), np.float32)
    in_row, in_column, row_activity, column_activity = estimates
    for y in range(first, last):
        inside = REACH <= y < height - REACH
        for x0 in range(REACH, width - REACH, LANES):
            if not inside:
                break
            lanes = min(LANES, width - REACH - x0)
            estimates[:2] = 0.0
            estimates[2:] = EPSILON
            for n in range(2 * REACH + 1):
                row = mosaic[y][x0 - REACH + n :]
                column = mosaic[y - REACH + n][x0:]
                row_weight = lines[y % 6, 0, n]
                column_weight = lines[y % 6, 1, n]
                for i in range(lanes):
                    in_row[i] += row_weight[i] * row[i]
                    in_column[i] += column_weight[i] * column[i]
            k = 0
            for across in range(-REACH, REACH + 1):
                for distance in range(1, 3):
                    for along in range(-REACH, REACH + 1 - distance):
                        row = mosaic[y + across][x0 + along :]
                        row_next = mosaic[y + across][x0 + along + distance :]
                        column = mosaic[y + along][x0 + across :]
                        column_next = mosaic[y + along + distance][x0 + across :]
                        row_weight = slopes[y % 6, 0, k]
                        column_weight = slopes[y % 6, 1, k]
                        k += 1
                        for i in range(lanes):
                            row_activity[i] += row_weight[i] * abs(row[i] - row_next[i])
                        for i in range(lanes):
                            step = abs(column[i] - column_next[i])
                            column_activity[i] += column_weight[i] * step
            target = out[y][x0:]
            for i in range(lanes):
                across_row = row_activity[i] * row_activity[i]
                share = across_row / (across_row + column_activity[i] * column_activity[i])
                target[i] = in_row[i] + share * (in_column[i] - in_row[i])
        for x in range(width):
            if cell[y % 6, x % 6] == GREEN:
                out[y, x] = mosaic[y, x]
            elif not inside or x < REACH or x >= width - REACH or np.isnan(out[y, x]):
                out[y, x] = _green_of_pixel(mosaic, cell, y, x)


@kernel
def _mean_difference(
    mosaic: Float32, base: Float32, cell: UInt8, colour: int, reach: int, y: int, x: int
) -> float:
    """Return the weighted mean of a colour's measured values minus `base`, NaN where none is."""
    height, width = mosaic.shape
    total = 0.0
    weights = 0
    for v in range(max(0, y - reach), min(height, y + reach + 1)):
        for u in range(max(0, x - reach), min(width, x + reach + 1)):
            if cell[v % 6, u % 6] != colour:
                continue
            difference = np.float64(mosaic[v, u]) - np.float64(base[v, u])
            if not np.isnan(difference):
                weight = (reach + 1 - abs(v - y)) * (reach + 1 - abs(u - x))
                total += weight * difference
                weights += weight
    return total / weights if weights else np.nan


@kernel
def chroma(
    mosaic: Float32, cell: UInt8, weights: Float32, first: int, last: int, out: Float32
) -> None:
    """Write red and blue for the rows `first` to `last`, after all of green.

    A missing colour is green plus the weighted mean of the colour's differences from green in
    5 x 5 pixels; the weights fall linearly with the distances in rows and columns.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (6, 6) uint8
    weights : (6, 2, 25, LANES) float32
        For red and blue.
    out : (3, height, width) float32
        Holds green.
    """
    height, width = mosaic.shape
    red = np.empty(LANES, np.float32)
    blue = np.empty(LANES, np.float32)
    for y in range(first, last):
        inside = REACH <= y < height - REACH
        for x0 in range(REACH, width - REACH, LANES):
            if not inside:
                break
            lanes = min(LANES, width - REACH - x0)
            middle = out[GREEN, y][x0:]
            for i in range(lanes):
                red[i] = middle[i]
                blue[i] = middle[i]
            for k in range(25):
                values = mosaic[y - REACH + k // 5][x0 - REACH + k % 5 :]
                greens = out[GREEN, y - REACH + k // 5][x0 - REACH + k % 5 :]
                red_weight = weights[y % 6, 0, k]
                blue_weight = weights[y % 6, 1, k]
                for i in range(lanes):
                    difference = values[i] - greens[i]
                    red[i] += red_weight[i] * difference
                    blue[i] += blue_weight[i] * difference
            red_out = out[0, y][x0:]
            blue_out = out[2, y][x0:]
            for i in range(lanes):
                red_out[i] = red[i]
                blue_out[i] = blue[i]
        for x in range(width):
            own = cell[y % 6, x % 6]
            at_edge = not inside or x < REACH or x >= width - REACH
            for colour in range(0, 3, 2):
                if colour == own:
                    out[colour, y, x] = mosaic[y, x]
                elif at_edge or np.isnan(out[colour, y, x]):
                    mean = _mean_difference(mosaic, out[GREEN], cell, colour, REACH, y, x)
                    out[colour, y, x] = np.float32(np.float64(out[GREEN, y, x]) + mean)


@kernel
def refine_green(
    mosaic: Float32, cell: UInt8, weights: Float32, first: int, last: int, out: Float32
) -> None:
    """Estimate green at red and blue pixels anew, from what `chroma` made of their surroundings.

    Green is the pixel's measured colour plus the weighted mean, over the green pixels of 3 x 3, of
    green's difference from that colour. So the curvature of a star's peak, which the measured
    colour has seen, is not lost. `chroma` then has to run again.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (6, 6) uint8
    weights : (6, 9, LANES) float32
        For green.
    out : (3, height, width) float32
        Holds all colours.
    """
    height, width = mosaic.shape
    over_red = np.empty(LANES, np.float32)
    over_blue = np.empty(LANES, np.float32)
    for y in range(first, last):
        inside = REACH <= y < height - REACH
        for x0 in range(REACH, width - REACH, LANES):
            lanes = min(LANES, width - REACH - x0)
            if inside:
                over_red[:] = 0.0
                over_blue[:] = 0.0
                for k in range(9):
                    values = mosaic[y - 1 + k // 3][x0 - 1 + k % 3 :]
                    reds = out[0, y - 1 + k // 3][x0 - 1 + k % 3 :]
                    blues = out[2, y - 1 + k // 3][x0 - 1 + k % 3 :]
                    weight = weights[y % 6, k]
                    for i in range(lanes):
                        over_red[i] += weight[i] * (values[i] - reds[i])
                        over_blue[i] += weight[i] * (values[i] - blues[i])
            for i in range(lanes):
                x = x0 + i
                own = cell[y % 6, x % 6]
                if own != GREEN:
                    mean = float(over_red[i] if own == 0 else over_blue[i])
                    if not inside or np.isnan(mean):
                        mean = _mean_difference(mosaic, out[own], cell, GREEN, 1, y, x)
                    if not np.isnan(mean) and not np.isnan(mosaic[y, x]):
                        out[GREEN, y, x] = np.float32(np.float64(mosaic[y, x]) + mean)
