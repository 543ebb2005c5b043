"""Paint a scene onto a frame: smooth nebulosity and sky, stars, trails.

A scene has three planes of light, red, green and blue; a frame has channels, each with its own
answer to the light: three behind a colour filter array, one behind a single filter. ``cell`` is the
repeating cell of channel indices, ``[[0]]`` for a monochrome sensor.
"""

import math

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["add_background", "add_stars", "add_trail"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Cell = npt.NDArray[np.uint8]

_NODES = np.array([-math.sqrt(0.15), 0.0, math.sqrt(0.15)])
_WEIGHTS = np.array([5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0])
"""Gauss-Legendre nodes and weights over a pixel that reaches from -1/2 to +1/2."""

_FINE_RADII = 4.0
"""Within this many PSF scale lengths a pixel is integrated with 3 x 3 nodes, outside with one."""


@kernel
def add_background(
    out: Float32,
    coefficients: Float32,
    matrix: Float64,
    grid: Float64,
    cell: Cell,
    sky: Float64,
    gradient_x: float,
    gradient_y: float,
    transparency: float,
) -> None:
    """Add the sky and a smooth scene, given as a bicubic B-spline on a coarse grid.

    Parameters
    ----------
    out : float32 (h, w)
        Electrons per second; added to.
    coefficients : float32 (channels, rows, columns)
        B-spline coefficients; node (j, i) lies at reference pixel (x0 + i step, y0 + j step).
    matrix : float64 (3, 3)
        Frame pixel -> reference pixel, affine.
    grid : float64 (3,)
        x0, y0, step.
    cell : uint8 (p, p)
        Channel of each pixel.
    sky : float64 (channels,)
        Brightness of the sky at the centre of the frame.
    gradient_x, gradient_y : float
        Relative change of the sky from the centre to the right and to the lower edge.
    transparency : float
        Factor on the scene (not on the sky).
    """
    height, width = out.shape
    last_row = coefficients.shape[1] - 3
    last_column = coefficients.shape[2] - 3
    period = cell.shape[0]
    half_width = 0.5 * (width - 1)
    half_height = 0.5 * (height - 1)
    wx = np.empty(4)
    wy = np.empty(4)
    for y in range(height):
        for x in range(width):
            u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] - grid[0]) / grid[2]
            v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] - grid[1]) / grid[2]
            i = min(max(math.floor(u), 1), last_column)
            j = min(max(math.floor(v), 1), last_row)
            s = min(max(u - i, 0.0), 1.0)
            t = min(max(v - j, 0.0), 1.0)
            wx[0] = (1.0 - s) ** 3 / 6.0
            wx[1] = (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0
            wx[3] = s * s * s / 6.0
            wx[2] = 1.0 - wx[0] - wx[1] - wx[3]
            wy[0] = (1.0 - t) ** 3 / 6.0
            wy[1] = (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0
            wy[3] = t * t * t / 6.0
            wy[2] = 1.0 - wy[0] - wy[1] - wy[3]
            channel = cell[y % period, x % period]
            total = 0.0
            for b in range(4):
                line = 0.0
                for a in range(4):
                    line += wx[a] * coefficients[channel, j - 1 + b, i - 1 + a]
                total += wy[b] * line
            slope = gradient_x * (x - half_width) / half_width
            slope += gradient_y * (y - half_height) / half_height
            out[y, x] += np.float32(sky[channel] * (1.0 + slope) + transparency * total)


@kernel
def add_stars(
    out: Float32,
    positions: Float64,
    flux: Float64,
    reach: Float64,
    scale: Float64,
    cell: Cell,
    shape: Float64,
    beta: float,
) -> None:
    """Add stars whose light is integrated over each pixel.

    Parameters
    ----------
    out : float32 (h, w)
        Electrons per second; added to.
    positions : float64 (n, 2)
        x, y in the frame.
    flux : float64 (n, channels)
        Electrons per second of the whole star in each channel, were all pixels of that channel.
    reach : float64 (n,)
        Radius in PSF scale lengths at which the star is cut off.
    scale : float64 (n,)
        Factor that makes the cut-off PSF hold unit flux, per square pixel.
    cell : uint8 (p, p)
        Channel of each pixel.
    shape : float64 (3,)
        a, b, c of the squared elliptical radius ``q = a dx^2 + 2 b dx dy + c dy^2`` in squared
        scale lengths.
    beta : float
        Moffat exponent, ``(1 + q)^-beta``; 0 stands for a Gaussian, ``exp(-q)``.
    """
    height, width = out.shape
    period = cell.shape[0]
    a, b, c = shape[0], shape[1], shape[2]
    determinant = a * c - b * b
    for n in range(positions.shape[0]):
        x0, y0 = positions[n, 0], positions[n, 1]
        limit = reach[n] * reach[n]
        span_x = reach[n] * math.sqrt(c / determinant)
        span_y = reach[n] * math.sqrt(a / determinant)
        first_x = max(0, math.ceil(x0 - span_x))
        last_x = min(width - 1, math.floor(x0 + span_x))
        first_y = max(0, math.ceil(y0 - span_y))
        last_y = min(height - 1, math.floor(y0 + span_y))
        for y in range(first_y, last_y + 1):
            for x in range(first_x, last_x + 1):
                dx, dy = x - x0, y - y0
                q = a * dx * dx + 2.0 * b * dx * dy + c * dy * dy
                if q > limit:
                    continue
                value = 0.0
                if q < _FINE_RADII * _FINE_RADII:
                    for row in range(3):
                        ey = dy + _NODES[row]
                        for column in range(3):
                            ex = dx + _NODES[column]
                            q = a * ex * ex + 2.0 * b * ex * ey + c * ey * ey
                            weight = _WEIGHTS[row] * _WEIGHTS[column]
                            if beta > 0.0:
                                value += weight * math.exp(-beta * math.log(1.0 + q))
                            else:
                                value += weight * math.exp(-q)
                elif beta > 0.0:
                    value = math.exp(-beta * math.log(1.0 + q))
                else:
                    value = math.exp(-q)
                channel = cell[y % period, x % period]
                out[y, x] += np.float32(flux[n, channel] * scale[n] * value)


@kernel
def add_trail(
    out: Float32, x0: float, y0: float, angle: float, sigma: float, peak: Float64, cell: Cell
) -> None:
    """Add a straight trail across the frame with a Gaussian profile.

    Parameters
    ----------
    out : float32 (h, w)
        Electrons; added to.
    x0, y0 : float
        A point of the trail.
    angle : float
        Direction in radians from +x towards +y.
    sigma : float
        Width of the profile in pixels.
    peak : float64 (channels,)
        Electrons on the crest.
    cell : uint8 (p, p)
        Channel of each pixel.
    """
    height, width = out.shape
    period = cell.shape[0]
    sine, cosine = math.sin(angle), math.cos(angle)
    for y in range(height):
        # Distance from the line: -sine (x - x0) + cosine (y - y0); below 4 sigma it counts.
        first, last = 0, width - 1
        if abs(sine) > 1e-9:
            middle = x0 + cosine * (y - y0) / sine
            span = 4.0 * sigma / abs(sine)
            first = max(first, math.ceil(max(middle - span, -1.0)))
            last = min(last, math.floor(min(middle + span, float(width))))
        for x in range(first, last + 1):
            distance = -sine * (x - x0) + cosine * (y - y0)
            if abs(distance) < 4.0 * sigma:
                profile = math.exp(-0.5 * (distance / sigma) ** 2)
                out[y, x] += np.float32(peak[cell[y % period, x % period]] * profile)
