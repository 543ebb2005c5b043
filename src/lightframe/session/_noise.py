"""Noise by colour, as the records of a run have it."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from lightframe.frames import CfaPattern
from lightframe.processes import evaluate_noise

__all__ = ["colour_noise"]

_SAMPLED_PIXELS = 1 << 20
"""Enough for 0.1 percent."""


def colour_noise(planes: npt.NDArray[np.float32], cfa: CfaPattern | None) -> tuple[float, ...]:
    """Return the noise in DN of each channel, or of red, green and blue of a mosaic.

    The two greens of a Bayer mosaic are averaged in quadrature.
    """
    estimate = evaluate_noise(planes, cfa, sample_pixels=_SAMPLED_PIXELS)
    squares: dict[str, list[float]] = defaultdict(list)
    for name, sigma in zip(estimate.planes, estimate.sigma_dn, strict=True):
        squares[name[:1] if cfa is not None else name].append(sigma**2)
    return tuple(float(np.sqrt(np.mean(values))) for values in squares.values())
