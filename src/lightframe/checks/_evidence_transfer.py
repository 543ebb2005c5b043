"""Photon transfer: the conversion gain, and the level without light, from noise against level.

Light arrives in single electrons: its variance in electrons is its number. A frame whose variance
grows by 1 DN² where its level grows by ``g`` DN converts g electrons to one DN, squared away:
``variance = read_noise² + (level - level_without_light) / g``. Neither needs a header.
Source: J. Janesick, Photon Transfer (2007).
"""

import itertools
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import (
    X_TRANS_NOISE,
    FrameEvidence,
    clipped_deviation,
)
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes import Measured, conversion_gain, pair_noise

__all__ = ["Transfer", "flat_transfer", "phase_blocks", "sky_transfer"]


_FEWEST_PATCHES = 40
_MOST_PAIRS = 6
_NOISE_ERROR = 0.05
"""Relative error of the variance without light."""
_MOST_SCATTER = 1.4
"""Scatter in units of the statistical error above which something else than light adds noise."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What noise tells of the conversion of electrons to DN.

    Attributes
    ----------
    e_per_dn : float
        Conversion gain on the scale of the file.
    error : float
        Its statistical error.
    dark_level : float
        Level at which the noise would be that of a frame without light, in DN.
    dark_level_error : float
        Its statistical error.
    """

    e_per_dn: float
    error: float
    dark_level: float
    dark_level_error: float


def phase_blocks(frame: FrameEvidence) -> Float64:
    """Return the patches of a frame by phases, shape (4 x patches, 16, 16)."""
    values = frame.patches.astype(np.float64)
    return np.concatenate([values[:, phase // 2 :: 2, phase % 2 :: 2] for phase in range(4)])


def flat_transfer(flats: SetEvidence, level: Float64, noise: Float64) -> Transfer | None:
    """Measure the conversion gain on pairs of flats.

    Parameters
    ----------
    flats : SetEvidence
        At least two flats.
    level, noise : float64 (4,)
        Level and temporal noise without light.

    Returns
    -------
    Transfer or None
        None where the flats are too dim, or saturated. `dark_level` is the one given.
    """
    pairs = [
        (a, b)
        for a, b in itertools.pairwise(flats.frames)
        if a.patches.shape == b.patches.shape and a.patches.shape[1] > 1
    ][:_MOST_PAIRS]
    if not pairs:
        return None
    step = float(max(flats.step, 0))
    blocks = {id(frame): phase_blocks(frame) for pair in pairs for frame in pair}
    black = np.repeat(level, pairs[0][0].patches.shape[0])
    noises = [
        pair_noise(blocks[id(a)], blocks[id(b)], black=black, step=step)
        for a, b in pairs
        if blocks[id(a)].shape == blocks[id(pairs[0][0])].shape
    ]
    variance = float(np.mean(noise**2))
    found = conversion_gain(noises, Measured(variance, _NOISE_ERROR * variance))
    if found is None:
        return None
    return Transfer(found.value, found.error, float(np.mean(level)), 0.0)


def sky_transfer(
    lights: SetEvidence, dark_noise: Float64, unevenness: float, e_per_dn: float | None = None
) -> Transfer | None:
    """Measure the level without light, and the gain, on the sky of lights: noise over brightness.

    Parameters
    ----------
    lights : SetEvidence
        Lights of any pointing.
    dark_noise : float64 (4,)
        Spatial noise of a frame without light.
    unevenness : float
        Relative deviation of the pixels' sensitivity, which adds to the noise of bright sky.
    e_per_dn : float or None
        The gain, if it is known and only the level is to be measured.

    Returns
    -------
    Transfer or None
        None where the noise scatters by more than its statistics: faint stars and nebulae add to
        it; for an unknown gain, where the sky does not vary enough to tell; and for X-Trans
        mosaics, of which a phase of the 2x2 cell holds three colours.
    """
    if _is_x_trans(lights.frames[0]):
        return None
    points = np.concatenate([_sky_points(frame) for frame in lights.frames])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < _FEWEST_PATCHES:
        return None
    level, variance = points[:, 0], points[:, 1]
    quiet = float(np.mean(dark_noise**2))
    floor = float(np.quantile(level, 0.01))
    variance = variance - (unevenness * np.maximum(level - floor, 0.0)) ** 2
    statistical = _variance_error(lights.frames[0])
    if e_per_dn is not None:
        return _level_at_gain(level, variance - quiet, variance, e_per_dn, statistical)
    fit = _line(level, variance)
    if fit is None or fit[3] > _MOST_SCATTER * statistical:
        return None
    offset, slope, covariance, _ = fit
    if slope <= 10.0 * np.sqrt(covariance[1, 1]):
        return None
    dark_level = (quiet - offset) / slope
    # d(level)/d(offset) = -1/slope, d(level)/d(slope) = -level/slope
    jacobian = np.array([-1.0, -dark_level]) / slope
    return Transfer(
        e_per_dn=float(1.0 / slope),
        error=float(np.sqrt(covariance[1, 1]) / slope**2),
        dark_level=float(dark_level),
        dark_level_error=float(np.sqrt(jacobian @ covariance @ jacobian)),
    )


def _is_x_trans(frame: FrameEvidence) -> bool:
    """Whether pixels are more like those six apart than like the next of their 2x2 phase."""
    values = frame.patches.astype(np.float64)[:, ::2, ::2]
    noise = [clipped_deviation((values[..., n:] - values[..., :-n]).ravel()) for n in (1, 3)]
    return bool(noise[1] < X_TRANS_NOISE * noise[0])


def _level_at_gain(
    level: Float64, surplus: Float64, variance: Float64, e_per_dn: float, statistical: float
) -> Transfer | None:
    """Return the level without light that each patch points to, if they agree."""
    levels = level - e_per_dn * surplus
    error = e_per_dn * statistical * np.maximum(variance, 1e-9)
    middle = float(np.median(levels))
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(levels - middle) / error))
    if scatter > _MOST_SCATTER:
        return None
    spread = float(np.median(error)) * scatter
    return Transfer(e_per_dn, 0.0, middle, 1.2533 * spread / np.sqrt(levels.size))


def _variance_error(frame: FrameEvidence) -> float:
    """Return the relative error of the variance of one patch and phase.

    Neighbouring differences share a pixel, which makes it 1.5 times that of independent ones.
    """
    side = frame.patches.shape[1] // 2
    return float(np.sqrt(3.0 / max(side * (side - 1), 1)))


def _sky_points(frame: FrameEvidence) -> Float64:
    """Return level and variance of each patch and phase, shape (n, 2)."""
    values = frame.patches.astype(np.float64)
    points = []
    for phase in range(4):
        cells = values[:, phase // 2 :: 2, phase % 2 :: 2]
        level = np.median(cells, axis=(1, 2))
        steps = np.diff(cells, axis=2).reshape(cells.shape[0], -1)
        variance = 0.5 * clipped_deviation(steps, float(frame.levels.step[phase])) ** 2
        points.append(np.stack([level, variance], axis=1))
    return np.concatenate(points)


def _line(x: Float64, y: Float64) -> tuple[float, float, Float64, float] | None:
    """Fit y = a + b x with outliers left out; the last value is the relative scatter about it."""
    kept = np.ones(x.size, bool)
    coefficients = np.zeros(2)
    covariance: Float64 = np.eye(2)
    scale = 0.0
    for _ in range(8):
        if np.count_nonzero(kept) < _FEWEST_PATCHES:
            return None
        typical = float(np.median(y[kept]))
        if typical <= 0:
            return None
        # The error of a variance is proportional to it.
        weight = 1.0 / np.maximum(typical**2, y[kept] ** 2)
        design = np.stack([np.ones(np.count_nonzero(kept)), x[kept]], axis=1)
        normal = design.T @ (design * weight[:, np.newaxis])
        if np.linalg.cond(normal) > 1e14:  # noqa: PLR2004 - all levels alike
            return None
        inverse = np.linalg.inv(normal)
        coefficients = inverse @ (design.T @ (weight * y[kept]))
        residual = y - coefficients[0] - coefficients[1] * x
        scale = MAD_TO_SIGMA * float(np.median(np.abs(residual[kept]) * np.sqrt(weight)))
        covariance = np.asarray(inverse * scale**2, np.float64)
        limit = 3.0 * scale * np.maximum(typical, np.abs(y))
        again = (residual < 0.7 * limit) & (residual > -limit)
        if np.array_equal(again, kept):
            break
        kept = again
    return float(coefficients[0]), float(coefficients[1]), covariance, scale
