"""What an integration gained: noise and signal-to-noise ratio of the result beside its frames."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.processes._estimators import frame_statistics
from lightframe.processes._integration import Integration

__all__ = ["IntegrationQuality", "integration_quality"]


@dataclass(frozen=True, slots=True)
class IntegrationQuality:
    """Noise of a result; one value a channel.

    Attributes
    ----------
    noise : ndarray, shape (channels,), float64
        Standard deviation from pixel to pixel, DN; too small where interpolated frames were
        integrated, by the same factor as that of the frames.
    snr : ndarray, shape (channels,), float64
        Squared ratio of the image's scale (biweight, mean of both sides) to its noise.
    gain : ndarray or None
        Noise of the best frame, on the scale of the result, over that of the result; None where the
        frames were not measured. The square root of N for N equal frames.
    """

    noise: Float64
    snr: Float64
    gain: Float64 | None


def integration_quality(integration: Integration, *, rows: int = 128) -> IntegrationQuality:
    """Measure the result of an integration in at most `rows` evenly spaced rows.

    Raises
    ------
    ValueError
        If a channel has no pixel there.
    """
    step = -(-integration.image.shape[1] // rows)
    measured = frame_statistics(integration.image[:, step // 2 :: step])
    scale = 0.5 * (measured.scale_low + measured.scale_high)
    snr = np.divide(scale, measured.noise, out=np.zeros_like(scale), where=measured.noise > 0) ** 2
    gain = None
    if integration.statistics is not None:
        noise = np.array([frame.noise for frame in integration.statistics])
        best = (noise * np.abs(integration.factors)).min(axis=0)
        known = measured.noise > 0
        gain = np.divide(best, measured.noise, out=np.full_like(best, np.nan), where=known)
    return IntegrationQuality(measured.noise, snr, gain)
