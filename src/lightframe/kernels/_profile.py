"""Least-squares fit of an elliptical profile to stars."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["fit_profiles"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
UInt8 = npt.NDArray[np.uint8]

SHARPEST = 0.02  # smallest shape: a Moffat profile of exponent 50, as good as a Gaussian
N = 8  # parameters: amplitude, level, y, x, three of the ellipse, shape


@kernel
def solve(matrix: Float64, vector: Float64, n: int) -> bool:
    """Solve a symmetric positive definite system in place by Cholesky's method."""
    for j in range(n):
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        if not matrix[j, j] > 0.0:
            return False
        matrix[j, j] = np.sqrt(matrix[j, j])
        for i in range(j + 1, n):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= matrix[j, j]
    for i in range(n):
        for k in range(i):
            vector[i] -= matrix[i, k] * vector[k]
        vector[i] /= matrix[i, i]
    for q in range(n):
        i = n - 1 - q
        for k in range(i + 1, n):
            vector[i] -= matrix[k, i] * vector[k]
        vector[i] /= matrix[i, i]
    return True


@kernel
def normal_equations(
    image: Float32, used: UInt8, y: int, x: int, radius: int, p: Float64, matrix: Float64,
    vector: Float64, derivative: Float64,
) -> float:  # fmt: skip
    """Sum the squares of the residuals of the profile; fill the normal equations."""
    height, width = image.shape
    matrix[:] = 0.0
    vector[:] = 0.0
    total = 0.0
    g = p[7]
    period = used.shape[0]
    power = 2.0**g
    k = power - 1.0
    for j in range(max(y - radius, 0), min(y + radius + 1, height)):
        for i in range(max(x - radius, 0), min(x + radius + 1, width)):
            if (
                used[j % period, i % period] == 0
                or np.isnan(image[j, i])
                or (j - y) ** 2 + (i - x) ** 2 > radius * radius
            ):
                continue
            dy, dx = j - p[2], i - p[3]
            u = p[4] * dx * dx + 2.0 * p[5] * dx * dy + p[6] * dy * dy
            base = 1.0 + k * u
            logarithm = np.log(base)
            profile = np.exp(-logarithm / g)
            slope = -p[0] * k / g * profile / base
            derivative[0] = profile
            derivative[1] = 1.0
            derivative[2] = -slope * 2.0 * (p[5] * dx + p[6] * dy)
            derivative[3] = -slope * 2.0 * (p[4] * dx + p[5] * dy)
            derivative[4] = slope * dx * dx
            derivative[5] = slope * 2.0 * dx * dy
            derivative[6] = slope * dy * dy
            derivative[7] = (
                p[0] * profile * (logarithm / (g * g) - u * power * np.log(2.0) / (g * base))
            )
            difference = image[j, i] - p[1] - p[0] * profile
            total += difference * difference
            for a in range(N):
                vector[a] += derivative[a] * difference
                for b in range(a + 1):
                    matrix[a, b] += derivative[a] * derivative[b]
    return total


@kernel
def fit_profiles(image: Float32, used: UInt8, starts: Float64, out: Float64) -> None:
    """Fit A (1 + (2^g - 1) u)^(-1/g) + B to stars by the method of Levenberg and Marquardt.

    u = a dx^2 + 2 b dx dy + c dy^2 is 1 on the ellipse of half maximum, whatever g: a Moffat
    profile of exponent 1/g, a Gaussian in the limit g = 0, with a width that hardly depends on g.

    Parameters
    ----------
    image : (h, w) float32
        NaN is missing.
    used : (period, period) uint8
        Which pixels to use, repeated over the image: of a CFA frame those of one colour.
    starts : (n, 6) float64
        y, x, peak, background, half width at half maximum, radius of the pixels used.
    out : (n, 9) float64
        A, B, y, x, a, b, c, g, and the rms residual (NaN where the fit failed).
    """
    p, trial = np.empty(N), np.empty(N)
    matrix, damped = np.empty((N, N)), np.empty((N, N))
    vector, step, derivative = np.empty(N), np.empty(N), np.empty(N)
    new_matrix, new_vector = np.empty((N, N)), np.empty(N)
    for s in range(starts.shape[0]):
        y, x, radius = int(starts[s, 0] + 0.5), int(starts[s, 1] + 0.5), int(starts[s, 5])
        half_width = starts[s, 4]
        p[0], p[1], p[2], p[3] = starts[s, 2], starts[s, 3], starts[s, 0], starts[s, 1]
        p[4], p[5], p[6], p[7] = 1.0 / half_width**2, 0.0, 1.0 / half_width**2, 0.25
        total = normal_equations(image, used, y, x, radius, p, matrix, vector, derivative)
        damping = 1e-3
        good = False
        for _ in range(40):
            for a in range(N):
                step[a] = vector[a]
                for b in range(a + 1):
                    damped[a, b] = matrix[a, b]
                damped[a, a] *= 1.0 + damping
            # A shape at its bound that would go beyond stays there: the others are solved alone.
            n = N - 1 if (p[7] <= SHARPEST and vector[7] < 0.0) else N
            step[7] = 0.0
            if n == N:
                step[7] = vector[7]
            if not solve(damped, step, n):
                break
            for a in range(N):
                trial[a] = p[a] + step[a]
            trial[7] = min(max(trial[7], SHARPEST), 1.0)
            sane = (
                trial[4] > 0.0
                and trial[6] > 0.0
                and trial[4] * trial[6] > trial[5] ** 2
                and np.hypot(trial[2] - starts[s, 0], trial[3] - starts[s, 1]) < 1.0 + half_width
            )
            new_total = np.inf
            if sane:
                new_total = normal_equations(
                    image, used, y, x, radius, trial, new_matrix, new_vector, derivative
                )
            if new_total < total:
                gain = (total - new_total) / total
                # Element by element: assigning whole arrays takes seconds to compile.
                for a in range(N):
                    p[a] = trial[a]
                    vector[a] = new_vector[a]
                    for b in range(a + 1):
                        matrix[a, b] = new_matrix[a, b]
                total = new_total
                damping *= 0.2
                if gain < 1e-5:
                    good = True
                    break
            else:
                damping *= 6.0
                if damping > 1e6:
                    good = sane
                    break
        for a in range(N):
            out[s, a] = p[a]
        out[s, 8] = np.sqrt(total / (np.pi * radius * radius)) if good else np.nan
