"""The fixed pattern left in calibrated lights: what single pixels share from light to light."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32
from lightframe.frames._cfa import CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA

__all__ = ["PatternLeft", "pattern_left", "pattern_sample"]


_SAMPLES = 40_000
_CLIP_SIGMA = 4.0
_FEWEST_LIGHTS = 3
_FEWEST_SAMPLES = 5000


@dataclass(frozen=True, slots=True)
class PatternLeft:
    """What single pixels share.

    Attributes
    ----------
    share, sigma : float
        Share of the variance of a pixel that is the same in all lights, and its error.
    pattern_dn : float
        The pattern (rms), DN.
    """

    share: float
    sigma: float
    pattern_dn: float


def pattern_sample(plane: Float32, cfa: CfaPattern | None) -> Float32:
    """Return single pixels less the mean of their 4 next of the same colour, at fixed places.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
        Calibrated light, DN.
    cfa : CfaPattern or None
        Its colours.

    Returns
    -------
    ndarray of float32
        About 40,000 differences, in DN; places of stars and defects are NaN.
    """
    step = 1 if cfa is None else cfa.period
    height, width = plane.shape
    every = max(1, int(np.sqrt(plane.size / _SAMPLES)))
    every += (every % step == 0) and step > 1  # all colours take part
    y = np.arange(step, height - step, every)
    x = np.arange(step, width - step, every)
    rows, columns = y[:, None], x[None, :]
    centre = plane[rows, columns]
    around = plane[rows - step, columns] + plane[rows + step, columns]
    around += plane[rows, columns - step] + plane[rows, columns + step]
    found = (centre - np.float32(0.25) * around).reshape(-1)
    known = found[np.isfinite(found)]
    if known.size:
        middle = np.median(known)
        limit = _CLIP_SIGMA * MAD_TO_SIGMA * float(np.median(np.abs(known - middle)))
        found[~(np.abs(found - middle) <= limit)] = np.nan
    return np.asarray(found, np.float32)


def pattern_left(samples: Sequence[Float32]) -> PatternLeft | None:
    """Compare the samples of several lights, pair by pair.

    Parameters
    ----------
    samples : sequence of ndarray of float32
        From `pattern_sample`, of lights that show the field at different places.

    Returns
    -------
    PatternLeft or None
        Mean product of two lights over the mean square of one. None for fewer than three lights or
        too few places that all of them have.
    """
    if len(samples) < _FEWEST_LIGHTS or len({sample.size for sample in samples}) > 1:
        return None
    stack = np.stack(samples).astype(np.float64)
    known = np.isfinite(stack).all(axis=0)
    count = int(known.sum())
    if count < _FEWEST_SAMPLES:
        return None
    stack = stack[:, known]
    stack -= stack.mean(axis=1, keepdims=True)
    lights = len(stack)
    own = np.sum(stack * stack, axis=0)
    pairs = (np.sum(stack, axis=0) ** 2 - own) / (lights * (lights - 1))
    variance = float(own.mean()) / lights
    if variance <= 0:
        return None
    share = float(pairs.mean()) / variance
    error = float(pairs.std()) / np.sqrt(count) / variance
    # A pixel less the mean of four has 5/4 of the variance of a pixel.
    pattern = float(np.sqrt(max(share, 0.0) * variance / 1.25))
    return PatternLeft(share, float(error), pattern)
