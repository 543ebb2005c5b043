"""How far the same star may differ between frames, and keeping such differences from rejection."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._stack import F32, I32, LANES

__all__ = ["BETA", "draw_tolerance", "restore_tolerated"]

BETA = 3.0
"""Exponent of the Moffat profile that stands for a star."""


@kernel
def draw_tolerance(
    stars: npt.NDArray[np.float64],
    alphas: tuple[float, float],
    share: float,
    least: float,
    out: npt.NDArray[np.float32],
) -> None:
    """Add, for every star, how much its profile differs between the sharpest and widest frame.

    Parameters
    ----------
    stars : ndarray of float64, shape (n, 3)
        x, y and flux.
    alphas : tuple of float
        Moffat radius of the sharpest and of the widest frame, px.
    share : float
        What is added of the profile itself, for the shape.
    least : float
        Differences below this many DN are not drawn.
    out : ndarray of float32, shape (height, width)
        Added to.
    """
    height, width = out.shape
    sharp, wide = alphas[0] ** 2, alphas[1] ** 2
    norm = (BETA - 1.0) / np.pi
    for i in range(stars.shape[0]):
        x0, y0, flux = stars[i, 0], stars[i, 1], stars[i, 2]
        # Far out both profiles fall as r^(-2 beta): there the wider one decides.
        peak = flux * norm / wide * (wide / sharp + share)
        if not peak > least:
            continue
        reach = int(np.ceil(alphas[1] * np.sqrt((peak / least) ** (1.0 / BETA)))) + 1
        top, bottom = max(0, int(y0) - reach), min(height, int(y0) + reach + 2)
        left, right = max(0, int(x0) - reach), min(width, int(x0) + reach + 2)
        for y in range(top, bottom):
            for x in range(left, right):
                r2 = (x - x0) ** 2 + (y - y0) ** 2
                a = norm / sharp * (1.0 + r2 / sharp) ** -BETA
                b = norm / wide * (1.0 + r2 / wide) ** -BETA
                out[y, x] += np.float32(flux * (abs(a - b) + share * 0.5 * (a + b)))


@kernel
def restore_tolerated(ordered: F32, low: I32, high: I32, tolerance: F32) -> None:
    """Take rejected samples back that lie within the tolerance of the survivors' median.

    Parameters
    ----------
    ordered : ndarray of float32, shape (blocks, frames, 64)
        Sorted stacks of 64 neighbouring pixels.
    low, high : ndarray of int32, shape (blocks * 64,)
        First survivor, and one past the last, of each pixel; widened here.
    tolerance : ndarray of float32, shape (blocks * 64,)
        DN; 0 takes nothing back.
    """
    half = np.float32(0.5)
    for i in range(low.shape[0]):
        first, last = low[i], high[i]
        if last <= first or not tolerance[i] > 0:
            continue
        block, lane = i // LANES, i % LANES
        a = ordered[block, first + (last - first - 1) // 2, lane]
        b = ordered[block, first + (last - first) // 2, lane]
        centre = half * (a + b)
        while first > 0 and centre - ordered[block, first - 1, lane] <= tolerance[i]:
            first -= 1
        while last < ordered.shape[1] and ordered[block, last, lane] - centre <= tolerance[i]:
            last += 1
        low[i], high[i] = first, last
