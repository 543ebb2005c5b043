"""Resampling of planes through a projective mapping, by separable interpolation weights.

A row of the output is done in three steps, each a loop that vectorises: where its pixels lie in the
source (float64), the weights of the taps (polynomials of the fractional position), and their sums.
The sums run over *runs*: stretches in which the source column moves on by one with every pixel and
the source row stays, so that neighbouring pixels read neighbouring samples. Pixels at the frame's
edge, near missing samples, or in runs too short to pay are done one by one with the same arithmetic
in the same order: a pixel's value does not depend on the window it was computed in.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START
from lightframe.kernels._resample_places import OUTSIDE, run_end, source_positions, tap_weights

__all__ = ["copy_shifted", "resample_planes"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

SHORTEST_RUN = 24  # pixels; below this the vector loops cost more than they save
CHUNK = 512  # pixels of a row done at once: their weights stay in the first-level cache


@kernel
def resample_run(
    plane: Float32,
    row: int,
    column: int,
    i0: int,
    n: int,
    wx: Float32,
    wy: Float32,
    part: Float32,
    out: Float32,
) -> None:
    """Interpolate `n` pixels of one row whose first taps are at column, column + 1, ..."""
    # Views are indexed by the loop variable alone: an index that might be negative would have to be
    # wrapped, and that keeps a loop from being vectorised.
    taps = wx.shape[0]
    zero = np.float32(0.0)
    if taps == 1:
        source = plane[row, column : column + n]
        for i in range(n):
            out[i] = source[i]
        return
    for i in range(n):
        out[i] = zero
    for kx in range(taps):
        first = column + kx
        for i in range(n):
            part[i] = zero
        for ky in range(0, taps, 2):
            upper = plane[row + ky, first : first + n]
            lower = plane[row + ky + 1, first : first + n]
            w0, w1 = wy[ky, i0 : i0 + n], wy[ky + 1, i0 : i0 + n]
            for i in range(n):
                part[i] = part[i] + w0[i] * upper[i] + w1[i] * lower[i]
        w0 = wx[kx, i0 : i0 + n]
        for i in range(n):
            out[i] += w0[i] * part[i]


@kernel
def resample_inside(
    plane: Float32, row: int, column: int, i: int, wx: Float32, wy: Float32
) -> np.float32:
    """Interpolate one pixel whose samples are all inside `plane`; sums as in `resample_run`."""
    taps = wx.shape[0]
    total = np.float32(0.0)
    for kx in range(taps):
        samples = plane[row : row + taps, column + kx]
        part = np.float32(0.0)
        for ky in range(taps):
            part += wy[ky, i] * samples[ky]
        total += wx[kx, i] * part
    return total


@kernel
def resample_six(
    plane: Float32, row: int, column: int, i: int, wx: Float32, wy: Float32
) -> np.float32:
    """Do what `resample_inside` does for the usual 6x6 samples, a quarter faster."""
    w0, w1, w2, w3, w4, w5 = wy[0, i], wy[1, i], wy[2, i], wy[3, i], wy[4, i], wy[5, i]
    r0, r1 = plane[row, column : column + 6], plane[row + 1, column : column + 6]
    r2, r3 = plane[row + 2, column : column + 6], plane[row + 3, column : column + 6]
    r4, r5 = plane[row + 4, column : column + 6], plane[row + 5, column : column + 6]
    total = np.float32(0.0)
    for k in range(6):
        part = w0 * r0[k] + w1 * r1[k]
        part = part + w2 * r2[k] + w3 * r3[k]
        part = part + w4 * r4[k] + w5 * r5[k]
        total += wx[k, i] * part
    return total


@kernel
def resample_run_of_six(plane: Float32, row: int, column: int, n: int, work: Float32) -> None:
    """Do what `resample_run` does for the usual 6x6 samples, in two fifths of the time.

    `work` holds six rows of weights for columns, six for rows, and one that receives the result,
    each CHUNK long. Constant offsets in one array let the compiler see that they do not overlap: it
    gives up vectorising where more than eight arrays might.
    """
    n = min(n, CHUNK)
    stop = column + n + 5
    r0, r1, r2 = plane[row, column:stop], plane[row + 1, column:stop], plane[row + 2, column:stop]
    row += 3
    r3, r4, r5 = plane[row, column:stop], plane[row + 1, column:stop], plane[row + 2, column:stop]
    for i in range(n):
        w0, w1, w2 = work[6 * CHUNK + i], work[7 * CHUNK + i], work[8 * CHUNK + i]
        w3, w4, w5 = work[9 * CHUNK + i], work[10 * CHUNK + i], work[11 * CHUNK + i]
        total = np.float32(0.0)
        for k in range(6):
            part = w0 * r0[i + k] + w1 * r1[i + k]
            part = part + w2 * r2[i + k] + w3 * r3[i + k]
            part = part + w4 * r4[i + k] + w5 * r5[i + k]
            total += work[k * CHUNK + i] * part
        work[12 * CHUNK + i] = total


@kernel
def resample_pixel(
    plane: Float32,
    row: int,
    column: int,
    i: int,
    wx: Float32,
    wy: Float32,
    missing_share: np.float32,
) -> np.float32:
    """Interpolate one pixel of which samples may be NaN or outside `plane`.

    The missing samples are left out and the other weights rescaled to sum 1, as long as the missing
    hold no more than `missing_share` of the absolute weight; else the result is NaN.
    """
    taps = wx.shape[0]
    height, width = plane.shape
    zero = np.float32(0.0)
    total, weight, seen, lost = zero, zero, zero, zero
    for kx in range(taps):
        x = column + kx
        part, part_weight, part_seen, part_lost = zero, zero, zero, zero
        for ky in range(taps):
            y = row + ky
            w = wy[ky, i]
            value = np.float32(np.nan)
            if 0 <= y < height and 0 <= x < width:
                value = plane[y, x]
            if not np.isnan(value):
                part += w * value
                part_weight += w
                part_seen += abs(w)
            else:
                part_lost += abs(w)
        w = wx[kx, i]
        total += w * part
        weight += w * part_weight
        seen += abs(w) * part_seen
        lost += abs(w) * part_lost
    if lost == zero:
        return total
    if lost > missing_share * (seen + lost):
        return np.float32(np.nan)
    return total / weight


@kernel
def limit_undershoot(
    plane: Float32,
    row: int,
    column: int,
    i0: int,
    n: int,
    fx: Float32,
    fy: Float32,
    clamp: np.float32,
    out: Float32,
) -> None:
    """Take pixels that undershoot their four nearest samples over to linear interpolation.

    The samples of pixel i are at (row, column + i) and one row and one column on. A pixel may
    lie below the lowest of them by `clamp` times their range, and reaches the linear value at twice
    that depth. Measured by the samples themselves, noise is left alone whatever its level, and a
    pedestal changes nothing.
    """
    one, zero, tiny = np.float32(1.0), np.float32(0.0), np.float32(1e-30)
    fx, fy = fx[i0 : i0 + n], fy[i0 : i0 + n]
    upper_left, upper_right = plane[row, column:], plane[row, column + 1 :]
    lower_left, lower_right = plane[row + 1, column:], plane[row + 1, column + 1 :]
    for i in range(n):
        v00, v01, v10, v11 = upper_left[i], upper_right[i], lower_left[i], lower_right[i]
        low = min(v00, v01, v10, v11)
        high = max(v00, v01, v10, v11)
        allowed = clamp * (high - low)
        excess = (low - out[i] - allowed) / (allowed + tiny)
        blend = min(max(excess, zero), one)
        left = v00 + fy[i] * (v10 - v00)
        right = v01 + fy[i] * (v11 - v01)
        linear = left + fx[i] * (right - left)
        out[i] += blend * (linear - out[i])


@kernel
def resample_planes(
    planes: Float32,
    y_origin: int,
    x_origin: int,
    height: int,
    width: int,
    inverse: Float64,
    y0: int,
    x0: int,
    polynomials: Float32,
    clamp: np.float32,
    missing_share: np.float32,
    out: Float32,
) -> None:
    """Fill `out`, the window with origin (y0, x0) of the reference, from `planes`.

    Parameters
    ----------
    planes : (c, h, w) float32
        A rectangle of the frame that holds every sample the window needs; NaN is missing.
    y_origin, x_origin : int
        Where that rectangle begins in the frame.
    height, width : int
        Size of the whole frame.
    inverse : (3, 3) float64
        Reference pixel (x, y, 1) -> frame pixel, element [2, 2] equal to 1.
    y0, x0 : int
        First row and column of the window in the reference.
    polynomials : (taps, 8) float32
        Coefficients of `tap_weights`.
    clamp : float32
        Undershoot allowed in units of the range of the four nearest samples; negative: any.
    missing_share : float32
        Largest share of absolute weight that missing samples may have.
    out : (c, rows, columns) float32
        Result; NaN outside the frame.
    """
    channels, n_rows, n_columns = out.shape
    taps = polynomials.shape[0]
    h, w = planes.shape[1], planes.shape[2]
    before = (taps - 1) // 2
    columns = np.empty(CHUNK, np.int32)
    rows = np.empty(CHUNK, np.int32)
    fx = np.empty(CHUNK, np.float32)
    fy = np.empty(CHUNK, np.float32)
    work = np.empty((2 * taps + 1) * CHUNK, np.float32)
    table = work.reshape((2 * taps + 1, CHUNK))
    wx, wy, line = table[:taps], table[taps : 2 * taps], table[2 * taps]
    part = np.empty(CHUNK, np.float32)
    # Where the frame is upside down a chunk is done from right to left: runs then run forwards.
    step = 1 if inverse[0, 0] >= 0.0 else -1
    for r in range(n_rows):
        for start in range(0, n_columns, CHUNK):
            n = min(CHUNK, n_columns - start)
            x = x0 + start if step == 1 else x0 + start + n - 1
            source_positions(
                inverse, y0 + r, x, step, n, height, width, taps, columns, rows, fx, fy
            )
            tap_weights(fx, n, polynomials, wx)
            tap_weights(fy, n, polynomials, wy)
            i = START
            while i < n:
                row, column = rows[i] - y_origin, columns[i] - x_origin
                j = i + 1
                if rows[i] == OUTSIDE:
                    while j < n and rows[j] == OUTSIDE:
                        j += 1
                inside = 0 <= row <= h - taps and 0 <= column <= w - taps
                if inside:
                    j = run_end(rows, columns, i, min(n, i + w - taps - column + 1))
                # Where the pixels of the run come to lie in the row of the result.
                first = start + i if step == 1 else start + n - j
                for c in range(channels):
                    target = out[c, r, first : first + j - i]
                    if rows[i] == OUTSIDE:
                        target[:] = np.nan
                        continue
                    plane = planes[c]
                    result = line[i:j]
                    if inside and j - i >= SHORTEST_RUN and taps == 6:
                        resample_run_of_six(plane, row, column, j - i, work[i:])
                    elif inside and j - i >= SHORTEST_RUN:
                        resample_run(plane, row, column, i, j - i, wx, wy, part, result)
                    elif inside and taps == 6:
                        for k in range(j - i):
                            result[k] = resample_six(plane, row, column + k, i + k, wx, wy)
                    elif inside:
                        for k in range(j - i):
                            result[k] = resample_inside(plane, row, column + k, i + k, wx, wy)
                    else:
                        for k in range(j - i):
                            result[k] = resample_pixel(
                                plane, row, column + k, i + k, wx, wy, missing_share
                            )
                    if clamp >= 0.0 and inside:
                        limit_undershoot(
                            plane, row + before, column + before, i, j - i, fx, fy, clamp, result
                        )
                    missing = 0
                    for k in range(j - i):
                        missing += np.isnan(result[k])
                    if missing:
                        for k in range(j - i):
                            if np.isnan(result[k]):
                                result[k] = resample_pixel(
                                    plane, row, column + k, i + k, wx, wy, missing_share
                                )
                    if step == 1:
                        for k in range(j - i):
                            target[k] = result[k]
                    else:
                        for k in range(j - i):
                            target[k] = result[j - i - 1 - k]
                i = j


@kernel
def copy_shifted(planes: Float32, dy: int, dx: int, out: Float32) -> None:
    """Copy: out[c, y, x] = planes[c, y + dy, x + dx], NaN where that is outside `planes`."""
    channels, rows, columns = out.shape
    height, width = planes.shape[1], planes.shape[2]
    for c in range(channels):
        for y in range(rows):
            inside = 0 <= y + dy < height
            for x in range(columns):
                out[c, y, x] = (
                    planes[c, y + dy, x + dx] if inside and 0 <= x + dx < width else np.nan
                )
