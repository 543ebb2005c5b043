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
        row = stencil[i]
        mean = np.float32(0)
        for tap in range(taps):
            mean += weights[row, tap] * np.float32(image[position + offsets[row, tap]])
        centre[i] = np.float32(image[position])
        layer[i] = centre[i] - mean


@kernel
def clipped_slope(
    x: _F32, y: _F32, bins: _I64, scales: _F64, k: float, clip: float
) -> tuple[float, float, int]:
    """Fit ``y = k x`` by least squares with iterated clipping of the residuals.

    Parameters
    ----------
    x, y : ndarray of float32, shape (n,)
        Samples; those with a missing `y` are left out.
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
        spread = 0.0
        used = 0
        for b in range(scales.size):
            limit = clip * scales[b]
            xy = 0.0
            xx = 0.0
            xxrr = 0.0
            rr = 0.0
            n = 0
            for i in range(bins[b], bins[b + 1]):
                residual = y[i] - k * x[i]
                if abs(residual) <= limit:
                    xy += np.float64(x[i]) * y[i]
                    xx += np.float64(x[i]) * x[i]
                    xxrr += (x[i] * residual) ** 2
                    rr += residual * residual
                    n += 1
            weight = 1.0 / (scales[b] * scales[b])
            numerator += weight * xy
            denominator += weight * xx
            spread += weight * weight * xxrr
            used += n
            if n > 8:
                scales[b] = max(np.sqrt(rr / n / 0.97334), 1e-6)
        if denominator <= 0.0:
            return k, np.inf, used
        last = k
        k = numerator / denominator
        sigma = np.sqrt(spread) / denominator
        if abs(k - last) <= 1e-3 * sigma:
            break
    return k, sigma, used
