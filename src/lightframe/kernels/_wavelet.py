"""Kernels around the first layer of the B3-spline wavelet transform."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["BINS", "clipped_slope", "noise_histograms", "wavelet_at"]

_F32 = npt.NDArray[np.float32]
_F64 = npt.NDArray[np.float64]
_I64 = npt.NDArray[np.int64]

BINS = 1 << 15
"""Bins of a histogram over non-negative float32: the upper 16 bits of their pattern, so that each
octave has 128 bins of equal width."""

_EXPONENT = np.uint32(0x7F800000)
"""All bits of the exponent are set in NaN and infinities alone."""


@kernel
def wavelet_at(
    image: npt.NDArray[np.uint16] | _F32,
    index: _I64,
    stencil: npt.NDArray[np.uint8],
    offsets: _I64,
    weights: _F32,
    layer: _F32,
    centre: _F32,
) -> None:
    """Write the first wavelet layer of `image` at single pixels.

    Parameters
    ----------
    image : ndarray of uint16 or float32, flat
        One plane.
    index : ndarray of int64, shape (n,)
        Pixels, far enough from the edges for the stencils.
    stencil : ndarray of uint8, shape (n,)
        Which row of `offsets` and `weights` belongs to each pixel.
    offsets, weights : ndarray, shape (stencils, taps)
        Same-colour neighbours as distances in the flat image, and their weights (sum 1).
    layer, centre : ndarray of float32, shape (n,)
        Receive the pixel minus the weighted mean, and the pixel itself.
    """
    taps = offsets.shape[1]
    for i in range(index.size):
        position = index[i]
        steps = offsets[stencil[i]]
        shares = weights[stencil[i]]
        mean = np.float32(0)
        for tap in range(taps):
            mean += shares[tap] * np.float32(image[position + steps[tap]])
        centre[i] = np.float32(image[position])
        layer[i] = centre[i] - mean


@kernel
def clipped_slope(
    dark: _F32, light: _F32, bins: _I64, scales: _F64, k: float, clip: float
) -> tuple[float, float, int]:
    """Fit ``light = m + k dark`` by least squares with iterated clipping.

    Parameters
    ----------
    dark, light : ndarray of float32, shape (n, 1 + controls)
        A sample and its controls, where `dark` is about zero: the mean clipped residual of the
        controls is ``m``. (Stars leave a small negative mean once the high residuals are clipped;
        here as there.) Missing values (NaN) are left out.
    bins : ndarray of int64, shape (number of bins + 1,)
        Bounds of the runs of samples that share a scale.
    scales : ndarray of float64, shape (number of bins,)
        Scale of the residuals in each bin: weights are its inverse squares. Updated in place.
    k : float
        Start.
    clip : float
        Residuals beyond this many scales are left out.

    Returns
    -------
    k, sigma_k : float
        Slope, and its standard error from the residuals themselves (no model of the noise),
        not yet corrected for the clipping.
    used : int
        Number of samples kept.
    """
    sigma = np.inf
    used = 0
    for _ in range(30):
        numerator = 0.0
        denominator = 0.0
        variance = 0.0
        used = 0
        for b in range(scales.size):
            limit = clip * scales[b]
            m = 0.0
            mm = 0.0
            controls = 0
            for i in range(bins[b], bins[b + 1]):
                for j in range(1, dark.shape[1]):
                    residual = np.float64(light[i, j]) - k * dark[i, j]
                    if abs(residual) <= limit:
                        m += residual
                        mm += residual * residual
                        controls += 1
            if controls > 0:
                m /= controls
                mm = mm / controls - m * m
            sx = 0.0
            xy = 0.0
            xx = 0.0
            xxrr = 0.0
            rr = 0.0
            n = 0
            for i in range(bins[b], bins[b + 1]):
                x = np.float64(dark[i, 0])
                y = np.float64(light[i, 0])
                residual = y - k * x
                if abs(residual) <= limit:
                    sx += x
                    xy += x * (y - m)
                    xx += x * x
                    xxrr += (x * (residual - m)) ** 2
                    rr += residual * residual
                    n += 1
            weight = 1.0 / (scales[b] * scales[b])
            numerator += weight * xy
            denominator += weight * xx
            variance += weight * weight * (xxrr + sx * sx * mm / max(controls, 1))
            used += n
            if n > 8:
                scales[b] = max(np.sqrt(rr / n / 0.97334), 1e-6)
        if denominator <= 0.0:
            return k, np.inf, used
        last = k
        k = numerator / denominator
        sigma = np.sqrt(variance) / denominator
        if abs(k - last) <= 0.01 * sigma:
            break
    return k, sigma, used


@kernel
def noise_histograms(
    image: _F32,
    phase: tuple[int, int],
    step: int,
    tiles: _I64,
    sigmas: _F64,
    work: _F32,
    histograms: _F64,
) -> None:
    """Add the wavelet coefficients of tiles of a decimated plane to histograms.

    The plane consists of the pixels ``image[phase[0]::step, phase[1]::step]``; it is continued by
    mirroring at the image's edges. Samples that are missing (NaN) or infinite are bridged by the
    last valid one of the row, and are not counted.

    Parameters
    ----------
    image : ndarray of float32, shape (height, width)
    phase : tuple of int
        First row and column of the plane.
    step : int
        Distance of its pixels.
    tiles : ndarray of int64, shape (tiles, 4)
        First row, end row, first column, end column in pixels of the plane.
    sigmas : ndarray of float64, shape (layers,)
        Standard deviation of each layer for unit noise.
    work : ndarray of float32, shape (5, side, side)
        Scratch; `side` is the tile's side plus ``4 (2**layers - 1)``.
    histograms : ndarray of float64, shape (2, 3, BINS)
        Number, sum and sum of squares: [0] of the first layer, over its absolute value; [1] of the
        plane less its residual layer, over the greatest ``|w_j| / sigma_j`` of all layers.
    """
    layers = sigmas.size
    margin = 2 * (2**layers - 1)
    values = work[0]
    peak = work[4]
    for t in range(tiles.shape[0]):
        y0, y1, x0, x1 = tiles[t, 0], tiles[t, 1], tiles[t, 2], tiles[t, 3]
        rows = y1 - y0 + 2 * margin
        columns = x1 - x0 + 2 * margin
        _load_tile(image, phase, step, (y0 - margin, x0 - margin), (rows, columns), work)
        current, rowwise, smooth = work[1], work[2], work[3]
        edge = 0
        for layer in range(layers):
            d = 2**layer
            inner = edge + 2 * d
            n = columns - 2 * inner
            for i in range(edge, rows - edge):
                a = current[i, inner - 2 * d : inner - 2 * d + n]
                b = current[i, inner - d : inner - d + n]
                c = current[i, inner : inner + n]
                e = current[i, inner + d : inner + d + n]
                f = current[i, inner + 2 * d : inner + 2 * d + n]
                target = rowwise[i, inner : inner + n]
                for j in range(n):
                    target[j] = (
                        np.float32(0.0625) * (a[j] + f[j])
                        + np.float32(0.25) * (b[j] + e[j])
                        + np.float32(0.375) * c[j]
                    )
            scale = np.float32(1.0 / sigmas[layer])
            for i in range(inner, rows - inner):
                a = rowwise[i - 2 * d, inner : inner + n]
                b = rowwise[i - d, inner : inner + n]
                c = rowwise[i, inner : inner + n]
                e = rowwise[i + d, inner : inner + n]
                f = rowwise[i + 2 * d, inner : inner + n]
                source = current[i, inner : inner + n]
                target = smooth[i, inner : inner + n]
                top = peak[i, inner : inner + n]
                for j in range(n):
                    target[j] = (
                        np.float32(0.0625) * (a[j] + f[j])
                        + np.float32(0.25) * (b[j] + e[j])
                        + np.float32(0.375) * c[j]
                    )
                    top[j] = max(top[j], abs(source[j] - target[j]) * scale)
            if layer == 0:
                # Only the part that all layers reach: the same pixels are counted in both.
                for i in range(margin, rows - margin):
                    for j in range(margin, columns - margin):
                        rowwise[i, j] = current[i, j] - smooth[i, j]
                _add(values, rowwise, rowwise, margin, rows, columns, histograms[0])
            current, smooth = smooth, current
            edge = inner
        for i in range(margin, rows - margin):
            for j in range(margin, columns - margin):
                rowwise[i, j] = values[i, j] - current[i, j]
        _add(values, peak, rowwise, margin, rows, columns, histograms[1])


@kernel
def _load_tile(
    image: _F32,
    phase: tuple[int, int],
    step: int,
    corner: tuple[int, int],
    shape: tuple[int, int],
    work: _F32,
) -> None:
    """Copy a tile of a plane: to work[0] as it is, to work[1] bridged; work[4] becomes zero."""
    rows, columns = shape
    height = (image.shape[0] - phase[0] + step - 1) // step
    width = (image.shape[1] - phase[1] + step - 1) // step
    left = min(max(0, -corner[1]), columns)
    right = max(left, min(columns, width - corner[1]))
    last = np.float32(0)
    for i in range(rows):
        source = image[phase[0] + step * _mirrored(corner[0] + i, height)]
        row = work[0, i, :columns]
        start = phase[1] + step * corner[1]
        if step == 1:
            for j in range(left, right):
                row[j] = source[start + j]
        else:
            for j in range(left, right):
                row[j] = source[start + step * j]
        for j in range(left):
            row[j] = source[phase[1] + step * _mirrored(corner[1] + j, width)]
        for j in range(right, columns):
            row[j] = source[phase[1] + step * _mirrored(corner[1] + j, width)]
        bits = row.view(np.uint32)
        missing = np.uint32(0)
        for j in range(columns):
            missing += np.uint32((bits[j] & _EXPONENT) == _EXPONENT)
        bridged = work[1, i, :columns]
        for j in range(columns):
            bridged[j] = row[j]
        if missing > 0:
            for j in range(columns):
                if np.isfinite(row[j]):
                    last = row[j]
                else:
                    row[j] = np.float32(np.nan)
                bridged[j] = last
        last = bridged[columns - 1]
        work[4, i, :columns] = np.float32(0)


@kernel
def _mirrored(place: int, size: int) -> int:
    """Return a place inside of 0..size - 1, mirrored at the edges as often as it takes."""
    while place < 0 or place >= size:
        place = -1 - place if place < 0 else 2 * size - 1 - place
    return place


@kernel
def _add(
    valid: _F32,
    place: _F32,
    weight: _F32,
    margin: int,
    rows: int,
    columns: int,
    histogram: _F64,
) -> None:
    """Add number, sum and squares of `weight` at the bins of `|place|`, where `valid` is no NaN."""
    bits = place.view(np.uint32)
    for i in range(margin, rows - margin):
        known = valid[i, margin : columns - margin]
        where = bits[i, margin : columns - margin]
        values = weight[i, margin : columns - margin]
        for j in range(known.size):
            if known[j] == known[j]:  # not NaN
                b = (where[j] >> np.uint32(16)) & np.uint32(BINS - 1)  # without the sign
                value = np.float64(values[j])
                histogram[0, b] += 1.0
                histogram[1, b] += value
                histogram[2, b] += value * value
