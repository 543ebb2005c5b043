"""Robust scale of samples."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel
from lightframe.kernels._rejection_winsorized import sn_constant

__all__ = ["biweight_sums", "sn_of_sorted"]


@kernel
def sn_of_sorted(x: npt.NDArray[np.float64]) -> float:
    """Return Sn of sorted samples: c_n 1.1926 lomed_i himed_j |x_i - x_j|.

    The h = n // 2 + 1 samples nearest to sample i are a window of h neighbours; the best window
    moves only upwards with i, so that all of them are found in one walk.
    """
    n = x.shape[0]
    if n < 2:
        return 0.0
    h = n // 2 + 1
    nearest = np.empty(n, np.float64)
    a = 0
    for i in range(n):
        while a < n - h and x[a + h] - x[i] < x[i] - x[a]:
            a += 1
        nearest[i] = max(x[i] - x[a], x[a + h - 1] - x[i])
    nearest.sort()
    return float(sn_constant(n) * nearest[(n + 1) // 2 - 1])


@kernel
def biweight_sums(x: npt.NDArray[np.floating], centre: float, width: float) -> tuple[float, float]:
    """Return the two sums of the biweight midvariance, in float64.

    With ``y = (x - centre) / width``, over the samples with ``|y| < 1``:
    ``sum((x - centre)^2 (1 - y^2)^4)`` and ``sum((1 - y^2) (1 - 5 y^2))``.
    """
    numerator = 0.0
    denominator = 0.0
    for i in range(x.shape[0]):
        d = np.float64(x[i]) - centre
        square = d * d
        y2 = square / (width * width)
        if y2 < 1.0:
            rest = 1.0 - y2
            numerator += square * rest * rest * rest * rest
            denominator += rest * (1.0 - 5.0 * y2)
    return numerator, denominator
