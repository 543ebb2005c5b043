"""The traits of every pixel of a sensor, drawn once from its serial number."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lightframe.arrays import Float32, Float64, Int64
from lightframe.simulation._sensor import BiasPattern, Glow, Sensor

__all__ = ["Patterns", "make_patterns", "row_noise_e"]


_BIAS, _COLUMNS, _DARK, _PRNU, _DEFECTS = range(5)
"""Independent streams of random numbers of one sensor."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """The fixed patterns of a sensor.

    Attributes
    ----------
    bias_e : float32 (h, w)
        Deviation from the mean bias level in electrons.
    dark_e_s : float32 (h, w)
        Dark current at the reference temperature in electrons per second, without glow.
    glow : float32 (h, w) or None
        Amplifier glow relative to its peak.
    response : float32 (h, w)
        Sensitivity of each pixel relative to the mean; near 0 for dead pixels.
    hot, cold, telegraph : int64 (n,)
        Flat indices, sorted, of hot pixels, of pixels with little sensitivity, and of pixels that
        jump between two levels.
    """

    bias_e: Float32
    dark_e_s: Float32
    glow: Float32 | None
    response: Float32
    hot: Int64
    cold: Int64
    telegraph: Int64


def make_patterns(sensor: Sensor) -> Patterns:
    """Draw the fixed patterns of `sensor`; the same serial number gives the same patterns."""
    height, width = sensor.shape
    random = _generator(sensor, _DEFECTS)
    dark = sensor.dark
    hot = _choose(random, sensor, dark.hot_fraction)
    cold = _choose(random, sensor, sensor.cold_fraction)
    telegraph = _choose(random, sensor, dark.telegraph_fraction)

    response = _normal(sensor, _PRNU)
    response *= np.float32(sensor.prnu)
    response += np.float32(1.0)
    np.maximum(response, np.float32(0.0), out=response)
    response.reshape(-1)[cold] = random.uniform(0.0, 0.5, cold.size)

    rate = _normal(sensor, _DARK)
    rate *= np.float32(dark.spread)
    np.exp(rate, out=rate)
    rate *= np.float32(dark.rate_e_s)
    flat = rate.reshape(-1)
    warm = _choose(random, sensor, dark.warm_fraction)
    flat[warm] += dark.warm_e_s * np.exp(random.normal(0.0, 1.0, warm.size))
    flat[hot] += dark.hot_e_s * np.exp(random.normal(0.0, 0.9, hot.size))

    return Patterns(
        bias_e=_bias(sensor),
        dark_e_s=rate,
        glow=None if dark.glow is None else _glow(dark.glow, height, width),
        response=response,
        hot=hot,
        cold=cold,
        telegraph=telegraph,
    )


def row_noise_e(bias: BiasPattern, height: int, random: np.random.Generator) -> Float64:
    """Return what the rows of one frame add to all their pixels, in electrons."""
    rows = bias.row_e * random.normal(size=height)
    if bias.banding_e > 0.0:
        margin = int(4 * bias.banding_rows)
        bands = gaussian_filter1d(random.normal(size=height + 2 * margin), bias.banding_rows)
        # White noise smoothed by a Gaussian keeps the variance 1 / (2 sqrt(pi) sigma).
        bands *= np.sqrt(2.0 * np.sqrt(np.pi) * bias.banding_rows)
        rows = rows + bias.banding_e * bands[margin : margin + height]
    return rows


def _generator(sensor: Sensor, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([sensor.serial, stream])))


def _normal(sensor: Sensor, stream: int) -> Float32:
    """Return standard normal numbers, one a pixel."""
    return _generator(sensor, stream).standard_normal(sensor.shape, dtype=np.float32)


def _choose(random: np.random.Generator, sensor: Sensor, fraction: float) -> Int64:
    """Return sorted flat indices of a random `fraction` of the pixels."""
    count = round(fraction * sensor.width * sensor.height)
    drawn = random.integers(0, sensor.width * sensor.height, count, dtype=np.int64)
    return np.unique(drawn)


def _bias(sensor: Sensor) -> Float32:
    pattern = _normal(sensor, _BIAS)
    pattern *= np.float32(sensor.bias.pixel_e)
    columns = _generator(sensor, _COLUMNS).normal(size=sensor.width)
    pattern += (sensor.bias.column_e * columns).astype(np.float32)
    if sensor.bias.gradient_e > 0.0:
        x = np.linspace(-0.5, 0.5, sensor.width, dtype=np.float32)
        y = np.linspace(-0.5, 0.5, sensor.height, dtype=np.float32)
        pattern += np.float32(0.3 * sensor.bias.gradient_e) * x
        pattern += np.float32(0.7 * sensor.bias.gradient_e) * y[:, np.newaxis]
    return pattern


def _glow(glow: Glow, height: int, width: int) -> Float32:
    x = np.arange(width, dtype=np.float32) - np.float32(glow.corner[0] * (width - 1))
    y = np.arange(height, dtype=np.float32) - np.float32(glow.corner[1] * (height - 1))
    shape = np.hypot(x, y[:, np.newaxis])
    shape /= np.float32(-glow.extent * np.hypot(height, width))
    return np.asarray(np.exp(shape), np.float32)
