"""The noise of combined frames over that of one of them.

Not ``1 / sqrt(N)``: where outliers are looked for in pure noise, good samples are rejected too, and
not at random. Of eight frames with Winsorized sigma clipping the variance is 8 % above that of the
mean. Instead of a table for each algorithm, frames of Gaussian noise go through the integration.
"""

from functools import lru_cache

import numpy as np

from lightframe.frames._array_source import ArraySource
from lightframe.processes._integration import integrate
from lightframe.processes._integration_settings import IntegrationSettings, RangeLimits
from lightframe.processes._large_scale import LargeScaleSettings

__all__ = ["combined_noise"]

_SEED = 1729
_LEVEL_DN, _NOISE_DN = 10000.0, 100.0
_MOST_STACKS = 1 << 16
"""Their variance is good to 0.6 percent."""
_FEWEST_STACKS = 1 << 13
_MOST_SAMPLES = 1 << 21
_ROWS = 64


@lru_cache(maxsize=64)
def combined_noise(settings: IntegrationSettings, frames: int) -> float:
    """Return the noise of the combination of frames of equal noise over that of one frame.

    Parameters
    ----------
    settings : IntegrationSettings
        How they are combined; limits of range and growing of large structures are left out, for
        noise has neither.
    frames : int
        How many there are.
    """
    if frames == 1:
        return 1.0
    plain = settings.model_copy(
        update={
            "range_limits": RangeLimits(),
            "large_scale": LargeScaleSettings(),
            "variance": False,
            "weight": "none",
            "normalization": "none",
            "rejection_normalization": "none",
        }
    )
    stacks = min(_MOST_STACKS, max(_FEWEST_STACKS, _MOST_SAMPLES // frames))
    rng = np.random.default_rng(_SEED)
    sources = [
        ArraySource(
            np.float32(_LEVEL_DN)
            + np.float32(_NOISE_DN) * rng.standard_normal((_ROWS, stacks // _ROWS), np.float32)
        )
        for _ in range(frames)
    ]
    return float(np.std(integrate(sources, plain).image)) / _NOISE_DN
