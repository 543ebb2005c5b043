"""Photon transfer: electrons per DN and read noise, from the differences of pairs of frames.

Light arrives in single electrons, so its variance in electrons is its number. In DN, at g e-/DN::

    variance = read_noise² + light / g

Two flats of the same thing differ by noise alone: dust, vignetting and the unevenness of pixels are
in both. A lamp that changes its brightness multiplies all of a patch by one factor r, the ratio of
the lights; the difference first - r second has the variance read_noise² (1 + r²) + light (1 + r) /
g, with the light of the first. It is taken between neighbours of one colour, so that bands of a
flickering lamp, and rows that share noise, drop out. Source: J. Janesick, Photon Transfer (2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float64
from lightframe.kernels._constants import MAD_TO_SIGMA

__all__ = ["Measured", "PairNoise", "conversion_gain", "noise_without_light", "pair_noise"]


_CLIP = 5.0
"""Standard deviations beyond which a difference is a cosmic ray: costs a Gaussian 0.002 %."""
_ROUNDS = 10
_FEWEST_STEPS = 3.0
"""Whole steps of integers up to which a difference is no outlier, however small the noise is."""
_QUIET_SIGMA = 2.0
_FEWEST_PATCHES = 8
_LEAST_LIGHT = 20.0
"""Light in units of the read noise from which on its own noise shows."""
_PATCH_CLIP = 4.0


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured number.

    Attributes
    ----------
    value : float
        The number.
    error : float
        Its standard error.
    """

    value: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class PairNoise:
    """Two frames, patch by patch.

    Attributes
    ----------
    first, second : float64 (patches,)
        Light of the two frames in DN: level less the level without light.
    ratio : float64 (patches,)
        By what the second was multiplied to look like the first; 1 without light.
    variance : float64 (patches,)
        Variance of first - ratio x second in DN²; NaN where no pixel is known.
    """

    first: Float64
    second: Float64
    ratio: Float64
    variance: Float64


def pair_noise(
    first: npt.NDArray[np.generic],
    second: npt.NDArray[np.generic],
    *,
    black: float | Float64 = 0.0,
    step: float = 0.0,
    lit: bool = True,
) -> PairNoise:
    """Measure light and noise of patches of two frames.

    Parameters
    ----------
    first, second : ndarray, shape (patches, rows, columns)
        The same pixels of two frames; neighbours in the last axis have one colour. NaN is missing.
    black : float or float64 (patches,)
        Level without light in DN.
    step : float
        Step of the integers; 0 for floating point.
    lit : bool
        Whether light fell on the frames: the second is then scaled to the first, patch by patch.
        Otherwise pixels that stand out of their patch in both frames, hot and warm ones, are left
        out: what is asked for is the noise of the typical pixel.

    Returns
    -------
    PairNoise
        One value a patch.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    light_a, light_b = _level(a, step) - black, _level(b, step) - black
    ratio = np.ones_like(light_a)
    if lit:
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(light_b > 0, light_a / light_b, np.nan)
        dark = np.broadcast_to(np.asarray(black, np.float64), ratio.shape)[:, None, None]
        difference = (a - dark) - ratio[:, None, None] * (b - dark)
    else:
        difference = np.where(_typical(a + b, 2.0 * step), a - b, np.nan)
    steps = np.diff(difference, axis=2).reshape(len(a), -1)
    return PairNoise(light_a, light_b, ratio, 0.5 * _clipped_variance(steps, step))


def _level(patches: Float64, step: float) -> Float64:
    """Return the mean of each patch, cosmic rays left out.

    The mean it must be: the variance of a patch that the edge of a shadow crosses is that of its
    mean light, not of its median.
    """
    flat = patches.reshape(len(patches), -1)
    known: npt.NDArray[np.bool_] = np.isfinite(flat)
    some = np.asarray(known.any(axis=1)).reshape(-1, 1)
    safe = np.where(some, flat, 0.0)
    middle = np.nanmedian(safe, axis=1)[:, None]
    distance = np.abs(safe - middle)
    spread = MAD_TO_SIGMA * np.nanmedian(distance, axis=1)[:, None]
    kept = known & (distance <= np.maximum(_CLIP * spread, _FEWEST_STEPS * step))
    total = np.where(kept, safe, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / kept.sum(axis=1))


def _typical(sums: Float64, step: float) -> npt.NDArray[np.bool_]:
    """Return which pixels lie among the many of their patch; sums say nothing of differences."""
    flat = sums.reshape(len(sums), -1)
    missing = np.asarray(np.isnan(flat).all(axis=1))[:, None, None]
    known = np.where(missing, 0.0, sums)
    middle = np.nanmedian(known.reshape(flat.shape), axis=1)[:, None, None]
    distance = np.abs(known - middle)
    spread = MAD_TO_SIGMA * np.nanmedian(distance.reshape(flat.shape), axis=1)[:, None, None]
    return np.asarray(distance <= np.maximum(_QUIET_SIGMA * spread, step))


def _clipped_variance(differences: Float64, step: float) -> Float64:
    """Return the mean square of each row, outliers left out."""
    size = np.abs(differences)
    known: npt.NDArray[np.bool_] = np.isfinite(size)
    empty = np.asarray(~known.any(axis=1))
    sigma = MAD_TO_SIGMA * np.nanmedian(np.where(empty[:, None], 0.0, size), axis=1)
    variance = np.zeros(len(size))
    for _ in range(_ROUNDS):
        limit = np.maximum(_CLIP * sigma, _FEWEST_STEPS * step)[:, None]
        kept = known & ((size <= limit) | (limit == 0.0))
        squares = np.where(kept, differences * differences, 0.0).sum(axis=1)
        last, variance = variance, squares / np.maximum(kept.sum(axis=1), 1)
        sigma = np.sqrt(variance)
        if np.allclose(variance, last, rtol=1e-6, atol=0.0):
            break
    return np.where(empty, np.nan, variance)


def noise_without_light(pairs: Sequence[PairNoise]) -> Measured | None:
    """Return the variance of a pixel of frames that no light reached, in DN².

    Parameters
    ----------
    pairs : sequence of PairNoise
        Pairs of bias frames or darks, measured with ``lit=False``, all of the same patches.

    Returns
    -------
    Measured or None
        Mean over the patches; the error is that of their scatter. It includes the rounding to
        integers, step² / 12. None without pairs.
    """
    if not pairs:
        return None
    values = np.array([pair.variance / (1.0 + pair.ratio**2) for pair in pairs])
    return _mean(values, np.ones_like(values))


def conversion_gain(
    pairs: Sequence[PairNoise],
    noise: Measured,
    *,
    black_error: float = 0.0,
    ceiling: float = float("inf"),
) -> Measured | None:
    """Return the conversion gain in e-/DN.

    Parameters
    ----------
    pairs : sequence of PairNoise
        Pairs of flats, all of the same patches.
    noise : Measured
        Variance of a pixel without light, from `noise_without_light`.
    black_error : float
        Error of the level without light that was used for the pairs, in DN.
    ceiling : float
        Light from which on the sensor is no longer linear, in DN; brighter patches are left out.

    Returns
    -------
    Measured or None
        None where no light is strong enough, or all of it too strong. The error holds the scatter
        of the patches and the errors of the noise and of the level without light.
    """
    if not pairs:
        return None
    first = np.array([pair.first for pair in pairs])
    second = np.array([pair.second for pair in pairs])
    ratio = np.array([pair.ratio for pair in pairs])
    variance = np.array([pair.variance for pair in pairs])
    with np.errstate(invalid="ignore", divide="ignore"):
        own = noise.value * (1.0 + ratio**2)
        # The light of both as it is in the difference: second x ratio² = first x ratio.
        light = first * (1.0 + ratio)
        slope = (variance - own) / light
        bright = np.minimum(first, second) > _LEAST_LIGHT * np.sqrt(noise.value)
        usable = bright & (np.maximum(first, second) < ceiling) & np.isfinite(slope)
    typical = float(np.median(slope[usable])) if usable.any() else 0.0
    if typical <= 0:
        return None
    # The error of a variance is proportional to it: to what is expected, for weights that go by
    # what was found would favour what is low by chance.
    usual = np.where(usable, light, 1.0)
    weight = np.where(
        usable, np.square(usual / (np.where(usable, own, 0.0) + typical * usual)), 0.0
    )
    found = _mean(np.where(usable, slope, 0.0), weight)
    if found is None or found.value <= 0:
        return None
    total = weight.sum()
    by_noise = noise.error * float((weight * np.where(usable, own / light, 0.0)).sum() / total)
    by_noise /= noise.value or 1.0
    inverse = float((weight * np.where(usable, 1.0 / first, 0.0)).sum() / total)
    by_black = found.value * black_error * inverse
    error = float(np.sqrt(found.error**2 + by_noise**2 + by_black**2))
    return Measured(1.0 / found.value, error / found.value**2)


def _mean(values: Float64, weight: Float64) -> Measured | None:
    """Return the weighted mean of [pair, patch], outliers among patches left out, and its error.

    Pairs may share frames, patches share nothing: the scatter of the patches tells the error.
    """
    weight = np.where(np.isfinite(values), weight, 0.0)
    values = np.where(np.isfinite(values), values, 0.0)
    total = weight.sum(axis=0)
    seen = total > 0
    if np.count_nonzero(seen) < _FEWEST_PATCHES:
        return None
    x = (values * weight).sum(axis=0)[seen] / total[seen]
    w = total[seen] / total[seen].max()
    kept = np.ones(x.size, bool)
    for _ in range(_ROUNDS):
        middle = float(np.median(x[kept]))
        spread = MAD_TO_SIGMA * float(np.median(np.abs(x[kept] - middle)))
        again = np.abs(x - middle) <= _PATCH_CLIP * spread
        if spread == 0 or np.array_equal(again, kept):
            break
        kept = again
    x, w = x[kept], w[kept]
    mean = float((w * x).sum() / w.sum())
    error = float(np.sqrt((w**2 * (x - mean) ** 2).sum()) / w.sum())
    return Measured(mean, error * float(np.sqrt(x.size / max(x.size - 1, 1))))
