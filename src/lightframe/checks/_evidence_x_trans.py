"""Colours of X-Trans mosaics: the 36 phases of the 6x6 cell in flats, and the pattern they show."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import PATCH, patch_corners
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.frames import CfaPattern

__all__ = ["ColourFit", "colour_fit", "light_by_six", "shown_x_trans"]


_X_TRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")
_PERIOD = 6
_EXCHANGED = str.maketrans("RB", "BR")


@dataclass(frozen=True, slots=True)
class ColourFit:
    """How well a pattern divides the phases of a flat into colours.

    Attributes
    ----------
    within : float
        Spread (rms) of the phases about the mean of their colour, as a part of the light.
    between : float
        Distance of green from the nearer of red and blue, as a part of the light.
    """

    within: float
    between: float


def light_by_six(flats: SetEvidence, dark: SetEvidence | None) -> Float64:
    """Return the light of each phase of the 6x6 cell over the mean of all, shape (6, 6).

    Vignetting is taken out patch by patch; a patch of 32 x 32 pixels has 25 to 36 of each phase.
    """
    level = float(dark.level.mean()) if dark is not None else 0.0
    mean = np.mean([f.patches.astype(np.float64) for f in flats.frames], axis=0) - level
    mean /= np.median(mean, axis=(1, 2), keepdims=True)
    corners = patch_corners(flats.shape)
    inside = np.arange(PATCH)
    y = (corners[:, 0, None, None] + inside[None, :, None]) % _PERIOD
    x = (corners[:, 1, None, None] + inside[None, None, :]) % _PERIOD
    phase = np.broadcast_to(y * _PERIOD + x, mean.shape).ravel()
    light = np.bincount(phase, mean.ravel(), _PERIOD**2) / np.bincount(phase, minlength=_PERIOD**2)
    return np.asarray((light / light.mean()).reshape(_PERIOD, _PERIOD))


def colour_fit(light: Float64, pattern: CfaPattern) -> ColourFit:
    """Return how well a pattern of period 2 or 6 goes with the light of the phases."""
    repeats = _PERIOD // pattern.period
    colours = np.tile(pattern.planes(), (repeats, repeats))
    means = np.array([light[colours == colour].mean() for colour in range(3)])
    within = float(np.sqrt(np.mean((light - means[colours]) ** 2)))
    return ColourFit(within, float(np.min(np.abs(means[[0, 2]] - means[1]))))


def shown_x_trans(light: Float64, *, equal: float, different: float) -> tuple[CfaPattern, ...]:
    """Return the two X-Trans patterns that a flat may show; none if it shows no such pattern.

    They differ in red and blue, which a flat cannot tell apart.

    Parameters
    ----------
    light : ndarray of float64, shape (6, 6)
        From `light_by_six`.
    equal : float
        Largest spread (rms) of phases of one colour.
    different : float
        Least difference of green from the others.
    """
    shifts = [_X_TRANS.shifted(y, x) for y in range(_PERIOD // 2) for x in range(_PERIOD)]
    best = min(shifts, key=lambda pattern: colour_fit(light, pattern).within)
    fit = colour_fit(light, best)
    if fit.within > equal or fit.between < different:
        return ()
    return best, CfaPattern(tuple(row.translate(_EXCHANGED) for row in best.rows))
