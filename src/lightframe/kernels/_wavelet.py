"""Kernels around the first layer of the B3-spline wavelet transform."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["clipped_slope", "wavelet_at"]

_F32 = npt.NDArray[np.float32]
_F64 = npt.NDArray[np.float64]
_I64 = npt.NDArray[np.int64]


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
