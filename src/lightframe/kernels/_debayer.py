"""Kernels of debayering by bilinear interpolation and by variable numbers of gradients (VNG).

All of them keep the measured value of a pixel's own colour. Pixels beside the image's edge, and
pixels with a missing neighbour, get the mean of what is there (`_interpolate`).
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["bilinear", "interpolate_pixels", "vng"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

LANES = 128
"""Pixels of one row that are computed side by side."""

STRIDE = LANES + 16
"""Room for one row of a block, with its neighbours."""

GREEN = 1


@kernel
def _interpolate(mosaic: Float32, cell: UInt8, y: int, x: int, reach: int, out: Float32) -> None:
    """Write all colours of one pixel: its own, and weighted means of its neighbours.

    The weights fall linearly with the distance in rows times the distance in columns: within
    3 x 3 (`reach` 1) these are 4, 2, 1, which in a Bayer array is bilinear interpolation. Pixels
    that are missing or outside do not count; a colour without any is missing.
    """
    height, width = mosaic.shape
    period = cell.shape[0]
    own = cell[y % period, x % period]
    for colour in range(3):
        total = 0.0
        weights = 0.0
        if colour == own:
            out[colour, y, x] = mosaic[y, x]
            continue
        for v in range(max(0, y - reach), min(height, y + reach + 1)):
            for u in range(max(0, x - reach), min(width, x + reach + 1)):
                if cell[v % period, u % period] != colour or np.isnan(mosaic[v, u]):
                    continue
                weight = (reach + 1 - abs(v - y)) * (reach + 1 - abs(u - x))
                total += weight * np.float64(mosaic[v, u])
                weights += weight
        out[colour, y, x] = np.float32(total / weights) if weights else np.nan


@kernel
def interpolate_pixels(
    mosaic: Float32,
    cell: UInt8,
    reach: int,
    only_missing: bool,
    first: int,
    last: int,
    out: Float32,
) -> None:
    """Interpolate the pixels of some rows: all of them, or those that miss a colour."""
    for y in range(first, last):
        for x in range(mosaic.shape[1]):
            missing = np.isnan(out[0, y, x]) or np.isnan(out[1, y, x]) or np.isnan(out[2, y, x])
            if missing or not only_missing:
                _interpolate(mosaic, cell, y, x, reach, out)


@kernel
def _finish_row(mosaic: Float32, cell: UInt8, y: int, edge: int, out: Float32) -> None:
    """Interpolate the pixels of a row that lie at the edge or miss a colour."""
    height, width = mosaic.shape
    if y < edge or y >= height - edge or width <= 2 * edge:
        for x in range(width):
            _interpolate(mosaic, cell, y, x, 1, out)
        return
    for x in range(edge):
        _interpolate(mosaic, cell, y, x, 1, out)
        _interpolate(mosaic, cell, y, width - 1 - x, 1, out)
    # Counting vectorises, searching does not.
    missing = 0
    for x in range(edge, width - edge):
        missing += np.isnan(out[0, y, x]) | np.isnan(out[1, y, x]) | np.isnan(out[2, y, x])
    if missing:
        for x in range(edge, width - edge):
            if np.isnan(out[0, y, x]) or np.isnan(out[1, y, x]) or np.isnan(out[2, y, x]):
                _interpolate(mosaic, cell, y, x, 1, out)


@kernel
def bilinear(mosaic: Float32, cell: UInt8, first: int, last: int, out: Float32) -> None:
    """Interpolate a Bayer mosaic bilinearly for the rows `first` to `last`.

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (2, 2) uint8
        Plane of each position in the cell, green on one diagonal.
    out : (3, height, width) float32
    """
    height, width = mosaic.shape
    half = np.float32(0.5)
    quarter = np.float32(0.25)
    for y in range(first, last):
        if 0 < y < height - 1:
            above, row, below = mosaic[y - 1], mosaic[y], mosaic[y + 1]
            green_at = 0 if cell[y % 2, 0] == GREEN else 1
            beside = cell[y % 2, 1 - green_at]
            green = out[GREEN, y]
            in_row = out[beside, y]
            in_column = out[2 - beside, y]
            for x in range(1, width - 1):
                sides = row[x - 1] + row[x + 1]
                ends = above[x] + below[x]
                corners = (above[x - 1] + above[x + 1]) + (below[x - 1] + below[x + 1])
                is_green = x % 2 == green_at
                green[x] = row[x] if is_green else quarter * (sides + ends)
                in_row[x] = half * sides if is_green else row[x]
                in_column[x] = half * ends if is_green else quarter * corners
        _finish_row(mosaic, cell, y, 1, out)


@kernel
def _chosen(gradient: np.float32, limit: np.float32) -> np.float32:
    return np.float32(1.0) if gradient <= limit else np.float32(0.0)


@kernel
def _vng_block(buffer: Float32, at_green: bool) -> None:
    """Interpolate `LANES` pixels of one row and one colour; see `vng`.

    Parameters
    ----------
    buffer : (12, STRIDE) float32
        Flat. Rows 0 to 4: the pixels in the columns of the interpolated ones, beginning two columns
        before the first, rows -2 to 2. Rows 5 to 9: the columns between them, beginning one before.
        Rows 10 and 11 receive the two missing colours: green and the opposite one at a red or blue
        pixel, the colour in the row and the one in the column at a green pixel.
    """
    half = np.float32(0.5)
    quarter = np.float32(0.25)
    for i in range(LANES):
        # Letters are rows -2 to 2, numbers are columns -2 to 2.
        a1, a3, a5 = buffer[i], buffer[i + 1], buffer[i + 2]
        b1, b3, b5 = buffer[STRIDE + i], buffer[STRIDE + i + 1], buffer[STRIDE + i + 2]
        c1, c3, c5 = buffer[2 * STRIDE + i], buffer[2 * STRIDE + i + 1], buffer[2 * STRIDE + i + 2]
        d1, d3, d5 = buffer[3 * STRIDE + i], buffer[3 * STRIDE + i + 1], buffer[3 * STRIDE + i + 2]
        e1, e3, e5 = buffer[4 * STRIDE + i], buffer[4 * STRIDE + i + 1], buffer[4 * STRIDE + i + 2]
        a2, a4 = buffer[5 * STRIDE + i], buffer[5 * STRIDE + i + 1]
        b2, b4 = buffer[6 * STRIDE + i], buffer[6 * STRIDE + i + 1]
        c2, c4 = buffer[7 * STRIDE + i], buffer[7 * STRIDE + i + 1]
        d2, d4 = buffer[8 * STRIDE + i], buffer[8 * STRIDE + i + 1]
        e2, e4 = buffer[9 * STRIDE + i], buffer[9 * STRIDE + i + 1]

        upright = abs(b3 - d3) + half * (abs(b2 - d2) + abs(b4 - d4))
        level = abs(c2 - c4) + half * (abs(b2 - b4) + abs(d2 - d4))
        north = upright + abs(a3 - c3) + half * (abs(a2 - c2) + abs(a4 - c4))
        south = upright + abs(e3 - c3) + half * (abs(e2 - c2) + abs(e4 - c4))
        west = level + abs(c1 - c3) + half * (abs(b1 - b3) + abs(d1 - d3))
        east = level + abs(c5 - c3) + half * (abs(b5 - b3) + abs(d5 - d3))
        rising = abs(b4 - d2)
        falling = abs(b2 - d4)
        if at_green:
            northeast = rising + abs(a5 - c3) + abs(a4 - c2) + abs(b5 - d3)
            southwest = rising + abs(e1 - c3) + abs(e2 - c4) + abs(d1 - b3)
            northwest = falling + abs(a1 - c3) + abs(a2 - c4) + abs(b1 - d3)
            southeast = falling + abs(e5 - c3) + abs(e4 - c2) + abs(d5 - b3)
        else:
            rising += half * (abs(b3 - c2) + abs(c4 - d3))
            falling += half * (abs(c2 - d3) + abs(b3 - c4))
            northeast = rising + abs(a5 - c3) + half * (abs(a4 - b3) + abs(b5 - c4))
            southwest = rising + abs(e1 - c3) + half * (abs(d1 - c2) + abs(e2 - d3))
            northwest = falling + abs(a1 - c3) + half * (abs(a2 - b3) + abs(b1 - c2))
            southeast = falling + abs(e5 - c3) + half * (abs(e4 - d3) + abs(d5 - c4))

        least = min(north, south, west, east, northeast, southwest, northwest, southeast)
        most = max(north, south, west, east, northeast, southwest, northwest, southeast)
        limit = least + half * most
        n = _chosen(north, limit)
        s = _chosen(south, limit)
        w = _chosen(west, limit)
        e = _chosen(east, limit)
        ne = _chosen(northeast, limit)
        sw = _chosen(southwest, limit)
        nw = _chosen(northwest, limit)
        se = _chosen(southeast, limit)
        count = n + s + w + e + ne + sw + nw + se
        # Any missing pixel makes all gradients' sum missing, and with it the result.
        count += np.float32(0.0) * (
            north + south + west + east + northeast + southwest + northwest + southeast
        )
        cross = half * (n * (a3 + c3) + s * (e3 + c3) + w * (c1 + c3) + e * (c5 + c3))
        if at_green:
            own = cross + ne * b4 + sw * d2 + nw * b2 + se * d4
            first = (
                quarter * (n * (a2 + a4 + c2 + c4) + s * (e2 + e4 + c2 + c4))
                + w * c2
                + e * c4
                + half * (ne * (a4 + c4) + sw * (e2 + c2) + nw * (a2 + c2) + se * (e4 + c4))
            )
            second = (
                n * b3
                + s * d3
                + quarter * (w * (b1 + b3 + d1 + d3) + e * (b5 + b3 + d5 + d3))
                + half * (ne * (b3 + b5) + sw * (d1 + d3) + nw * (b1 + b3) + se * (d3 + d5))
            )
        else:
            own = cross + half * (ne * (a5 + c3) + sw * (e1 + c3) + nw * (a1 + c3) + se * (e5 + c3))
            first = (
                n * b3
                + s * d3
                + w * c2
                + e * c4
                + quarter
                * (
                    ne * (a4 + b3 + b5 + c4)
                    + sw * (e2 + d3 + d1 + c2)
                    + nw * (a2 + b3 + b1 + c2)
                    + se * (e4 + d3 + d5 + c4)
                )
            )
            second = (
                half * (n * (b2 + b4) + s * (d2 + d4) + w * (b2 + d2) + e * (b4 + d4))
                + ne * b4
                + sw * d2
                + nw * b2
                + se * d4
            )
        buffer[10 * STRIDE + i] = c3 + (first - own) / count
        buffer[11 * STRIDE + i] = c3 + (second - own) / count


@kernel
def vng(mosaic: Float32, cell: UInt8, first: int, last: int, out: Float32) -> None:
    """Interpolate a Bayer mosaic by a variable number of gradients for some rows.

    For each of eight directions a gradient is the sum of absolute differences of equal colours in
    5 x 5 pixels; directions with a gradient of at most 1.5 min + 0.5 (max - min) are averaged, and
    a missing colour is the pixel plus the difference of the two colours' averages. Chang, Cheung
    and Pang, "Color filter array recovery using a threshold-based variable number of gradients"
    (1999).

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (2, 2) uint8
        Plane of each position in the cell, green on one diagonal.
    out : (3, height, width) float32
    """
    height, width = mosaic.shape
    buffer = np.zeros(12 * STRIDE, np.float32)
    for y in range(first, last):
        if 2 <= y < height - 2:
            for parity in range(2):
                own = cell[y % 2, parity]
                beside = cell[y % 2, 1 - parity]
                at_green = own == GREEN
                plane_0 = beside if at_green else GREEN
                plane_1 = 2 - beside if at_green else 2 - own
                for x0 in range(2 + parity, width - 2, 2 * LANES):
                    lanes = min(LANES, (width - 2 - x0 + 1) // 2)
                    for r in range(5):
                        row = mosaic[y + r - 2]
                        for i in range(lanes + 1):
                            buffer[r * STRIDE + i] = row[x0 - 2 + 2 * i]
                            buffer[(5 + r) * STRIDE + i] = row[x0 - 1 + 2 * i]
                        buffer[r * STRIDE + lanes + 1] = row[x0 + 2 * lanes]
                    _vng_block(buffer, at_green)
                    for i in range(lanes):
                        out[own, y, x0 + 2 * i] = buffer[2 * STRIDE + 1 + i]
                        out[plane_0, y, x0 + 2 * i] = buffer[10 * STRIDE + i]
                        out[plane_1, y, x0 + 2 * i] = buffer[11 * STRIDE + i]
        _finish_row(mosaic, cell, y, 2, out)
