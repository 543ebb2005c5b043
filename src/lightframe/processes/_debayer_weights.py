"""Weights of the X-Trans kernels: those of each position in the cell, repeated along a row."""

from functools import lru_cache

import numpy as np

from lightframe.arrays import Float32, UInt8
from lightframe.kernels._debayer_xtrans import GREEN, LANES, REACH, SIDE

__all__ = ["xtrans_weights"]


BOX = range(-REACH, REACH + 1)


def _line(cell: UInt8, y: int, x: int, dy: int, dx: int) -> list[float]:
    """Weights of a line's five pixels: linear interpolation of the nearest green on each side."""
    greens = [n for n in BOX if cell[(y + n * dy) % SIDE, (x + n * dx) % SIDE] == GREEN]
    before = max(n for n in greens if n <= 0)
    behind = min(n for n in greens if n >= 0)
    weights = dict.fromkeys(BOX, 0.0)
    weights[before] += 0.5 if before == behind else behind / (behind - before)
    weights[behind] += 0.5 if before == behind else -before / (behind - before)
    return list(weights.values())


def _slopes(cell: UInt8, y: int, x: int, dy: int, dx: int) -> list[float]:
    """Weights of the absolute differences along a direction: pairs of equal colour count."""
    weights = []
    for across in BOX:
        for distance in (1, 2):
            for along in range(-REACH, REACH + 1 - distance):
                v, u = (across, along) if dx else (along, across)
                here = cell[(y + v) % SIDE, (x + u) % SIDE]
                there = cell[(y + v + distance * dy) % SIDE, (x + u + distance * dx) % SIDE]
                weights.append((here == there) / distance)
    count = np.count_nonzero(weights)
    return [weight / count for weight in weights]


def _box(cell: UInt8, y: int, x: int, colour: int, reach: int) -> list[float]:
    """Weights of a box for one colour, falling linearly with the distances; they add up to 1."""
    span = range(-reach, reach + 1)
    weights = [
        (reach + 1 - abs(v)) * (reach + 1 - abs(u))
        if cell[(y + v) % SIDE, (x + u) % SIDE] == colour
        else 0
        for v in span
        for u in span
    ]
    return [weight / sum(weights) for weight in weights]


@lru_cache(maxsize=36)
def xtrans_weights(cell_bytes: bytes) -> tuple[Float32, Float32, Float32, Float32]:
    """Return the weights that the kernels of `kernels._debayer_xtrans` take.

    Parameters
    ----------
    cell_bytes : bytes
        The 6 x 6 plane indices, uint8.

    Returns
    -------
    lines : (6, 2, 5, LANES) float32
        Of green along row and column, for each row of the cell.
    slopes : (6, 2, 35, LANES) float32
        Of absolute differences along row and column.
    chroma : (6, 2, 25, LANES) float32
        Of red and blue differences from green in 5 x 5 pixels.
    greens : (6, 9, LANES) float32
        Of green pixels in 3 x 3.
    """
    cell = np.frombuffer(cell_bytes, np.uint8).reshape(SIDE, SIDE)
    # Blocks of lanes begin REACH columns from the edge, and LANES is a multiple of the cell.
    columns = (np.arange(LANES) + REACH) % SIDE
    rows = range(SIDE)
    directions = ((0, 1), (1, 0))

    def repeated(lists: list[list[list[float]]]) -> Float32:
        # (rows, columns of the cell, weights) -> (rows, weights, lanes)
        return np.ascontiguousarray(np.swapaxes(np.array(lists, np.float32)[:, columns], 1, 2))

    lines = [repeated([[_line(cell, y, x, *d) for x in rows] for y in rows]) for d in directions]
    slopes = [repeated([[_slopes(cell, y, x, *d) for x in rows] for y in rows]) for d in directions]
    chroma = [repeated([[_box(cell, y, x, c, REACH) for x in rows] for y in rows]) for c in (0, 2)]
    greens = repeated([[_box(cell, y, x, GREEN, 1) for x in rows] for y in rows])
    return np.stack(lines, 1), np.stack(slopes, 1), np.stack(chroma, 1), greens
