"""Where the pixels of a row lie in the source, the weights of their taps, and runs of them."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["OUTSIDE", "run_end", "source_positions", "tap_weights"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]

OUTSIDE = -(1 << 30)  # source row of an output pixel that lies outside the frame
BLOCK = 32  # pixels that are compared at once where a run is sought


@kernel
def source_positions(
    inverse: Float64,
    y: int,
    x0: int,
    step: int,
    n: int,
    height: int,
    width: int,
    taps: int,
    columns: Int32,
    rows: Int32,
    fx: Float32,
    fy: Float32,
) -> None:
    """Find first tap and fraction for the `n` pixels x0, x0 + step, ... of row y, in place."""
    shift = 0.5 * (taps & 1)
    before = (taps - 1) // 2
    ax, ay, aw = inverse[0, 0], inverse[1, 0], inverse[2, 0]
    bx = inverse[0, 1] * y + inverse[0, 2]
    by = inverse[1, 1] * y + inverse[1, 2]
    bw = inverse[2, 1] * y + inverse[2, 2]
    affine = aw == 0.0 and bw == 1.0
    right, bottom = width - 0.5, height - 0.5
    for i in range(n):
        x = x0 + step * i
        px = ax * x + bx
        py = ay * x + by
        if not affine:
            w = aw * x + bw
            scale = 1.0 / w if w > 0.0 else np.nan
            px *= scale
            py *= scale
        inside = (px >= -0.5) & (px <= right) & (py >= -0.5) & (py <= bottom)
        px = px + shift if inside else 0.0
        py = py + shift if inside else 0.0
        qx, qy = np.floor(px), np.floor(py)
        columns[i] = np.int32(qx) - before
        rows[i] = np.int32(qy) - before if inside else OUTSIDE
        fx[i] = np.float32(px - qx) if taps > 1 else np.float32(0.0)
        fy[i] = np.float32(py - qy) if taps > 1 else np.float32(0.0)


@kernel
def tap_weights(fraction: Float32, n: int, polynomials: Float32, weights: Float32) -> None:
    """Evaluate the weights of all taps at the first n fractions f in 0..1, into (taps, >= n).

    The weight of tap k is e(f) + f (1 - f) Q_k(f - 1/2), where e is the linear interpolation
    between the two central taps: at f = 0 exactly one weight is 1 and all others are 0. Kernels are
    symmetric, Q_k(t) = Q_m(-t) for the tap m on the other side: the even and the odd powers of one
    polynomial make both weights.
    """
    taps = polynomials.shape[0]
    one, half, zero = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    if taps == 1:
        weights[0, :n] = one
    for k in range(taps // 2):
        c0, c1, c2, c3 = polynomials[k, 0], polynomials[k, 1], polynomials[k, 2], polynomials[k, 3]
        c4, c5, c6, c7 = polynomials[k, 4], polynomials[k, 5], polynomials[k, 6], polynomials[k, 7]
        central = one if k == taps // 2 - 1 else zero
        before = weights[k]
        after = weights[taps - 1 - k]
        for i in range(n):
            f = fraction[i]
            t = f - half
            u = t * t
            even = ((c6 * u + c4) * u + c2) * u + c0
            odd = (((c7 * u + c5) * u + c3) * u + c1) * t
            bow = f * (one - f)
            before[i] = central * (one - f) + bow * (even + odd)
            after[i] = central * f + bow * (even - odd)


@kernel
def run_end(rows: Int32, columns: Int32, i: int, end: int) -> int:
    """Return where the run that begins at pixel i ends, at `end` at the latest."""
    row, offset = rows[i], columns[i] - i
    j = i
    while j + BLOCK <= end:
        r, c = rows[j : j + BLOCK], columns[j : j + BLOCK]
        apart = 0
        for k in range(BLOCK):
            apart += (r[k] != row) | (c[k] - k != offset + j)
        if apart:
            break
        j += BLOCK
    while j < end and rows[j] == row and columns[j] - j == offset:
        j += 1
    return j
