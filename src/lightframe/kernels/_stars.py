"""What the stars are like: centroids, moments, fluxes."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._background import mesh_value
from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START
from lightframe.kernels._peaks import peak_height
from lightframe.kernels._select import select

__all__ = ["measure_stars"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@kernel
def ring_level(
    image: Float32,
    y: float,
    x: float,
    inner: float,
    outer: float,
    sigma: float,
    samples: Float32,
) -> float:
    """Return the level of the pixels between two radii; NaN if fewer than 12.

    It is their median, clipped above, where they scatter like noise of `sigma`. Where they scatter
    more, other stars are among them, and the level is taken nearer to the lowest sixth.
    """
    height, width = image.shape
    # Of a ring with more pixels than there is room for, rows at even distances are taken.
    every = int(np.pi * (outer * outer - inner * inner)) // samples.size + 1
    n = START
    for j in range(max(int(y - outer), 0), min(int(y + outer) + 2, height), every):
        for i in range(max(int(x - outer), 0), min(int(x + outer) + 2, width)):
            square = (j - y) * (j - y) + (i - x) * (i - x)
            near = inner * inner <= square <= outer * outer
            if near and n < samples.size and not np.isnan(image[j, i]):
                samples[n] = image[j, i]
                n += 1
    if n < 12:
        return np.nan
    median = select(samples, n, n // 2)
    spread = median - select(samples, n, n // 6)
    if spread > 1.5 * sigma:
        return float(median - spread + 1.5 * sigma)
    kept = START
    for i in range(n):
        if samples[i] <= median + 2.5 * spread:
            samples[kept] = samples[i]
            kept += 1
    return float(select(samples, kept, kept // 2))


@kernel
def windowed_moments(
    image: Float32,
    level: float,
    y: float,
    x: float,
    window: float,
    along: Float64,
    moments: Float64,
) -> None:
    """Sum the residual under a round Gaussian window of standard deviation `window`.

    moments = (sum w, sum w^2, sum w r, then means of dx, dy, dx dx, dx dy, dy dy weighted by w r).
    `along` has room for the window's columns: the Gaussian is a product of one in x and one in y.
    """
    height, width = image.shape
    radius = 3.5 * window
    moments[:] = 0.0
    factor = -0.5 / (window * window)
    left, right = max(int(np.ceil(x - radius)), 0), min(int(x + radius) + 1, width)
    for i in range(left, right):
        along[i - left] = np.exp(factor * (i - x) * (i - x))
    for j in range(max(int(np.ceil(y - radius)), 0), min(int(y + radius) + 1, height)):
        dy = j - y
        wy = np.exp(factor * dy * dy)
        weight, square, total, first, second = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(left, right):
            value = image[j, i]
            if np.isnan(value):
                continue
            dx = i - x
            w = along[i - left]
            r = w * (value - level)
            weight += w
            square += w * w
            total += r
            first += r * dx
            second += r * dx * dx
        moments[0] += wy * weight
        moments[1] += wy * wy * square
        moments[2] += wy * total
        moments[3] += wy * first
        moments[4] += wy * total * dy
        moments[5] += wy * second
        moments[6] += wy * first * dy
        moments[7] += wy * total * dy * dy
    for k in range(3, 8):
        moments[k] /= moments[2]


@kernel
def windowed_centre(
    image: Float32, level: float, window: float, place: Float64, along: Float64, moments: Float64
) -> bool:
    """Move place = (y, x) to where the windowed first moments vanish; False if that fails.

    Under a Gaussian window as wide as the star the first moment is half the offset, hence the
    factor 2 (E. Bertin's windowed positions, SExtractor).
    """
    y0, x0 = place[0], place[1]
    for _ in range(12):
        windowed_moments(image, level, place[0], place[1], window, along, moments)
        if not moments[2] > 0.0:
            return False
        dx, dy = 2.0 * moments[3], 2.0 * moments[4]
        place[0] += dy
        place[1] += dx
        if not np.hypot(place[0] - y0, place[1] - x0) < 1.0 + window:
            return False
        if abs(dx) + abs(dy) < 2e-4:
            break
    windowed_moments(image, level, place[0], place[1], window, along, moments)
    return bool(moments[2] > 0.0)


@kernel
def aperture_sum(image: Float32, level: float, y: float, x: float, radius: float) -> float:
    """Sum the residual within a circle; pixels on its edge count by how far they are inside."""
    height, width = image.shape
    total = 0.0
    for j in range(max(int(y - radius) - 1, 0), min(int(y + radius) + 2, height)):
        for i in range(max(int(x - radius) - 1, 0), min(int(x + radius) + 2, width)):
            distance = np.sqrt((j - y) * (j - y) + (i - x) * (i - x))
            part = min(max(radius + 0.5 - distance, 0.0), 1.0)
            if part > 0.0 and not np.isnan(image[j, i]):
                total += part * (image[j, i] - level)
    return total


@kernel
def measure_stars(
    image: Float32,
    mesh: Float32,
    noise: Float32,
    cell: int,
    width_px: float,
    correlation: float,
    stars: Float64,
    out: Float64,
) -> None:
    """Measure position, shape and flux of stars.

    The covariance C of the star follows from that under the window, M, and the window's:
    1/C = 1/M - 1/window^2, exactly so for a Gaussian star.

    Parameters
    ----------
    image, mesh, noise, cell
        As in `find_peaks`.
    width_px : float
        Standard deviation of the stars of this frame in pixels; the window is a quarter wider, so
        that it does not alias with undersampled stars.
    correlation : float
        Noise of a sum of many pixels over that of uncorrelated pixels of the same noise.
    stars : (n, >= 3) float64
        y, x, radius of the saturated blob.
    out : (n, 10) float64
        y, x, flux, peak, background, snr, covariance xx, xy, yy, 1 if good else 0.
    """
    height, width = image.shape
    moments = np.empty(8)
    along = np.empty(width)
    place = np.empty(2)
    samples = np.empty(4096, np.float32)
    scratch = np.empty(noise.size, np.float32)
    for k in range(noise.size):
        scratch[k] = noise[k // noise.shape[1], k % noise.shape[1]]
    typical = float(select(scratch, scratch.size, scratch.size // 2))
    for k in range(stars.shape[0]):
        blob = stars[k, 2]
        place[0], place[1] = stars[k, 0], stars[k, 1]
        window = max(1.25 * width_px, 1.1)
        extent = 2.355 * width_px + blob
        sigma = mesh_value(noise, cell, place[0], place[1])
        level = ring_level(
            image, place[0], place[1], 2.0 * extent + 1.0, 3.0 * extent + 2.0, typical, samples
        )
        if np.isnan(level):
            level = mesh_value(mesh, cell, place[0], place[1])
        out[k] = 0.0
        if not windowed_centre(image, level, window + blob, place, along, moments):
            continue
        y, x = place[0], place[1]
        if not (-0.5 <= y <= height - 0.5 and -0.5 <= x <= width - 0.5):
            continue
        inner_x, cross, inner_y = moments[5], moments[6], moments[7]
        determinant = inner_x * inner_y - cross * cross
        grown = 1.0 / (window + blob) ** 2
        a, b, c = inner_y / determinant - grown, -cross / determinant, inner_x / determinant - grown
        determinant_c = a * c - b * b
        if not (determinant > 0.0 and determinant_c > 0.0 and a > 0.0):
            continue
        out[k, 0], out[k, 1] = y, x
        out[k, 2] = aperture_sum(image, level, y, x, 1.5 * 2.355 * width_px + blob)
        out[k, 3] = peak_height(image, int(y + 0.5), int(x + 0.5)) - level
        out[k, 4] = level
        out[k, 5] = moments[2] / (sigma * correlation * np.sqrt(moments[1]))
        out[k, 6], out[k, 7], out[k, 8] = c / determinant_c, -b / determinant_c, a / determinant_c
        out[k, 9] = 1.0
