"""Kernel of debayering by ratio corrected demosaicing (RCD)."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["MARGIN", "rcd"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

MARGIN = 10
"""Pixels around a pixel on which its result depends."""

WIDTH = 256
"""Columns of a tile with its margins."""

HEIGHT = 100
"""Rows of a tile with its margins."""

AREA = WIDTH * HEIGHT
CORE_WIDTH = WIDTH - 2 * MARGIN
CORE_HEIGHT = HEIGHT - 2 * MARGIN

GREEN = 1

MOSAIC = 0
"""The planes of the scratch array are AREA samples each; this one holds the measured values."""
UPRIGHT = 1 * AREA
"""Square of the vertical high-pass, later the share of vertical detail."""
LEVEL = 2 * AREA
"""Square of the horizontal high-pass."""
FALLING = 3 * AREA
"""Square of the high-pass from top left to bottom right, later its share of diagonal detail."""
RISING = 4 * AREA
"""Square of the high-pass from bottom left to top right."""
SMOOTH = 5 * AREA
"""Low-pass of the mosaic, the same mixture of colours everywhere."""
GREENS = 6 * AREA
"""Green, measured or estimated."""
OPPOSITE = 7 * AREA
"""Blue at red pixels and red at blue ones, as estimated."""
SHARES = 8 * AREA
"""The shares of vertical detail."""
DIAGONALS = 9 * AREA
"""The shares of falling diagonal detail."""
PLANES = 10

EPSILON = np.float32(0.65535)
"""Keeps gradients above zero: 1e-5 of the 16-bit range, in DN."""


@kernel
def _mirrored(position: int, size: int) -> int:
    """Reflect a position at the edges without repeating them, which keeps the Bayer phase."""
    last = size - 1
    while position < 0 or position > last:
        position = -position if position < 0 else 2 * last - position
    return position


@kernel
def _high_pass_squared(t: Float32, i: int, step: int) -> np.float32:
    """Return the square of a line's detail, in which both of its colours cancel."""
    outer = t[i - 3 * step] - t[i - step] - t[i + step] + t[i + 3 * step]
    value = outer - np.float32(3) * (t[i - 2 * step] + t[i + 2 * step]) + np.float32(6) * t[i]
    return np.float32(value * value)


@kernel
def _share(first: np.float32, second: np.float32) -> np.float32:
    tiny = np.float32(0.43)
    first = max(first, tiny)
    return first / (first + max(second, tiny))


@kernel
def _decided(t: Float32, shares: int, i: int) -> np.float32:
    """Return the share at a pixel or the mean of its diagonal neighbours, whichever is clearer."""
    here = t[shares + i]
    around = np.float32(0.25) * (
        t[shares + i - WIDTH - 1]
        + t[shares + i - WIDTH + 1]
        + t[shares + i + WIDTH - 1]
        + t[shares + i + WIDTH + 1]
    )
    half = np.float32(0.5)
    return np.float32(around if abs(half - here) < abs(half - around) else here)


@kernel
def _green_from(t: Float32, i: int, step: int) -> np.float32:
    """Estimate green from the next pixel: its green, times the ratio of the low-passes.

    g (1 + (l0 - l2) / (l0 + l2)) is written with a slope g / (l0 + l2), which lies in 0..1 for any
    mixture of non-negative colours; it is held there, so that a sky near zero does no harm.
    """
    green = t[i + step]
    here = t[SMOOTH + i]
    there = t[SMOOTH + i + 2 * step]
    slope = green / (EPSILON + here + there)
    slope = min(max(slope, np.float32(0.0)), np.float32(1.0))
    return np.float32(green + slope * (here - there))


@kernel
def _gradient(t: Float32, i: int, step: int) -> np.float32:
    return np.float32(
        EPSILON
        + abs(t[i + step] - t[i - step])
        + abs(t[i] - t[i + 2 * step])
        + abs(t[i + step] - t[i + 3 * step])
        + abs(t[i + 2 * step] - t[i + 4 * step])
    )


@kernel
def _green_along(t: Float32, i: int, step: int) -> np.float32:
    """Estimate green along a line from both of its sides, the smoother side counting more."""
    before = _gradient(t, i, -step)
    behind = _gradient(t, i, step)
    total = before + behind
    weighted = behind * _green_from(t, i, -step) + before * _green_from(t, i, step)
    return np.float32(weighted / total)


@kernel
def _difference_along(t: Float32, plane: int, i: int, step: int) -> np.float32:
    """Estimate a colour's difference from green along a line, the smoother side counting more."""
    across = EPSILON + abs(t[plane + i - step] - t[plane + i + step])
    before = across + abs(t[plane + i - step] - t[plane + i - 3 * step])
    before += abs(t[GREENS + i] - t[GREENS + i - 2 * step])
    behind = across + abs(t[plane + i + step] - t[plane + i + 3 * step])
    behind += abs(t[GREENS + i] - t[GREENS + i + 2 * step])
    weighted = behind * (t[plane + i - step] - t[GREENS + i - step])
    weighted += before * (t[plane + i + step] - t[GREENS + i + step])
    return np.float32(weighted / (before + behind))


@kernel
def _load(mosaic: Float32, top: int, left: int, t: Float32) -> None:
    """Copy a tile with its margins, which are mirrored at the edges of the image."""
    height, width = mosaic.shape
    for y in range(HEIGHT):
        row = mosaic[_mirrored(top - MARGIN + y, height)]
        start = left - MARGIN
        if start >= 0 and start + WIDTH <= width:
            for x in range(WIDTH):
                t[y * WIDTH + x] = row[start + x]
        else:
            for x in range(WIDTH):
                t[y * WIDTH + x] = row[_mirrored(start + x, width)]


@kernel
def _analyse(t: Float32) -> None:
    """Fill the low-pass and the shares of detail."""
    half = np.float32(0.5)
    quarter = np.float32(0.25)
    inside = 3 * WIDTH + 3
    for i in range(inside, AREA - inside):
        t[UPRIGHT + i] = _high_pass_squared(t, i, WIDTH)
        t[LEVEL + i] = _high_pass_squared(t, i, 1)
        t[FALLING + i] = _high_pass_squared(t, i, WIDTH + 1)
        t[RISING + i] = _high_pass_squared(t, i, WIDTH - 1)
        sides = t[i - WIDTH] + t[i + WIDTH] + t[i - 1] + t[i + 1]
        corners = t[i - WIDTH - 1] + t[i - WIDTH + 1] + t[i + WIDTH - 1] + t[i + WIDTH + 1]
        t[SMOOTH + i] = t[i] + half * sides + quarter * corners
    inside = 4 * WIDTH + 4
    for i in range(inside, AREA - inside):
        u = UPRIGHT + i
        v = LEVEL + i
        t[SHARES + i] = _share(t[u - WIDTH] + t[u] + t[u + WIDTH], t[v - 1] + t[v] + t[v + 1])
        u = FALLING + i
        v = RISING + i
        t[DIAGONALS + i] = _share(
            t[u - WIDTH - 1] + t[u] + t[u + WIDTH + 1], t[v - WIDTH + 1] + t[v] + t[v + WIDTH - 1]
        )


@kernel
def rcd(mosaic: Float32, cell: UInt8, top: int, left: int, t: Float32, out: Float32) -> None:
    """Interpolate one tile of a Bayer mosaic by ratio corrected demosaicing.

    Green follows from the ratio of low-passes along the direction with less detail; red and blue
    from their differences to green, first diagonally at each other's pixels, then at green ones.
    L. Sanz Rodriguez, "Ratio Corrected Demosaicing" (2014-2017).

    Parameters
    ----------
    mosaic : (height, width) float32
    cell : (2, 2) uint8
        Plane of each position in the cell, green on one diagonal.
    top, left : int
        First pixel of the tile of `CORE_HEIGHT` x `CORE_WIDTH`, even.
    t : (PLANES * AREA,) float32
        Scratch.
    out : (3, height, width) float32
        A pixel near a missing one is missing.
    """
    height, width = mosaic.shape
    _load(mosaic, top, left, t)
    _analyse(t)
    for y in range(4, HEIGHT - 4):
        green_at = 0 if cell[y % 2, 0] == GREEN else 1
        for x in range(4, WIDTH - 4):
            i = y * WIDTH + x
            share = _decided(t, SHARES, i)
            along_row = _green_along(t, i, 1)
            along_column = _green_along(t, i, WIDTH)
            estimate = along_column + share * (along_row - along_column)
            is_green = x % 2 == green_at
            t[GREENS + i] = t[i] if is_green else estimate
    # MOSAIC holds a row's own red or blue; OPPOSITE receives the other one beside it.
    for y in range(7, HEIGHT - 7):
        for x in range(7, WIDTH - 7):
            i = y * WIDTH + x
            share = _decided(t, DIAGONALS, i)
            falling = _difference_along(t, MOSAIC, i, WIDTH + 1)
            rising = _difference_along(t, MOSAIC, i, WIDTH - 1)
            t[OPPOSITE + i] = t[GREENS + i] + falling + share * (rising - falling)
    for y in range(MARGIN, min(HEIGHT - MARGIN, height - top + MARGIN)):
        green_at = 0 if cell[y % 2, 0] == GREEN else 1
        beside = cell[y % 2, 1 - green_at]
        lanes = min(CORE_WIDTH, width - left)
        for x in range(lanes):
            i = y * WIDTH + MARGIN + x
            share = _decided(t, SHARES, i)
            green = t[GREENS + i]
            # In the row the own colour is measured, above and below it is estimated.
            row_own = _difference_along(t, MOSAIC, i, 1)
            row_other = _difference_along(t, OPPOSITE, i, 1)
            column_own = _difference_along(t, OPPOSITE, i, WIDTH)
            column_other = _difference_along(t, MOSAIC, i, WIDTH)
            own = green + column_own + share * (row_own - column_own)
            other = green + column_other + share * (row_other - column_other)
            is_green = x % 2 == green_at
            t[LEVEL + x] = own if is_green else t[i]
            t[RISING + x] = other if is_green else t[OPPOSITE + i]
        for x in range(lanes):
            out[GREEN, top - MARGIN + y, left + x] = t[GREENS + y * WIDTH + MARGIN + x]
            out[beside, top - MARGIN + y, left + x] = t[LEVEL + x]
            out[2 - beside, top - MARGIN + y, left + x] = t[RISING + x]
