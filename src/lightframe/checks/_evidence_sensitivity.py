"""Whether lights show the pixels' sensitivities that their flats have: sensor and orientation.

Pixels differ in sensitivity by about a percent, each sensor in its own way. In the mean of some
lights that is hardly seen, but the same tens of thousands of pixels of flats and lights, each less
its neighbours, go together with a slope of 1 if the flats are of this sensor and lie as the lights
do, and with a slope of 0 if not.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float64, Int64
from lightframe.checks._evidence_frame import PATCH, patch_corners
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes import SYMMETRIES

__all__ = ["SensitivityMatch", "sensitivity_match"]


_STEP = 2
"""Neighbours of the same phase."""
_INNER = slice(_STEP, PATCH - _STEP)
_MOST_FRAMES = 16
_CLIP = 4.0
_OF_DIFFERENCE = 1.25
"""Variance of a pixel less the mean of four others, in units of that of a pixel."""
_LEAST_LEVEL = 3.0
"""Light of a phase in units of its noise from which on it is used."""
_SURE = 0.7


@dataclass(frozen=True, slots=True)
class SensitivityMatch:
    """How lights go with the sensitivities in their flats.

    Attributes
    ----------
    slopes : mapping of str to float
        For each symmetry of the frame: 1 where the flats, so laid on the lights, are theirs. Only
        ``as stored`` where that is.
    errors : mapping of str to float
        Standard errors of the slopes.
    """

    slopes: dict[str, float]
    errors: dict[str, float]

    @property
    def best(self) -> str:
        """The symmetry with which they go best, by slope over error."""
        return max(self.slopes, key=lambda name: self.slopes[name] / self.errors[name])


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """Relative deviations of pixels from their neighbours, and their variances by noise alone.

    `dark` holds those of the dark: what is left of it in lights and flats goes together as well.
    """

    places: Int64
    values: Float64
    noise: Float64
    dark: Float64


def sensitivity_match(
    flats: SetEvidence, lights: SetEvidence, dark_flats: SetEvidence, dark_lights: SetEvidence
) -> SensitivityMatch | None:
    """Compare the pixels of flats and lights in the patches of the evidence.

    Parameters
    ----------
    flats, lights : SetEvidence
        The two sets, of one shape.
    dark_flats, dark_lights : SetEvidence
        Frames without light for each.

    Returns
    -------
    SensitivityMatch or None
        None where shapes differ or the lights have too little light.

    Notes
    -----
    Slope ``sum w l f / sum w (f^2 - v)`` with the deviations l of lights and f of flats, both
    without what goes with the deviations of the dark, weights of 1 over the variance of l, and the
    variance v that the noise of the flats gives f. Lights are clipped at 4 sigma frame by frame, so
    that stars take no part.
    """
    first, second = _pattern(flats, dark_flats), _pattern(lights, dark_lights)
    if first is None or second is None:
        return None
    height, width = lights.shape
    slopes: dict[str, float] = {}
    errors: dict[str, float] = {}
    for name, laid in SYMMETRIES.items():
        if slopes.get("as stored", 0.0) > _SURE:
            break  # nothing else can be as good
        y, x = laid(first.places // flats.shape[1], first.places % flats.shape[1], *flats.shape)
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        if not inside.all():
            continue  # a turn by 90 degrees of a frame that is not square
        found = _slope(first, y * width + x, second)
        if found is not None:
            slopes[name], errors[name] = found
    return SensitivityMatch(slopes, errors) if "as stored" in slopes else None


def _pattern(frames: SetEvidence, dark: SetEvidence) -> _Pattern | None:
    """Return the mean deviations of a set, without those of its dark, over the light."""
    light = frames.level - dark.level
    noise = np.where(np.isfinite(frames.temporal), frames.temporal, frames.noise)
    bright = (light > _LEAST_LEVEL * noise) & (noise > 0)  # what is saturated has no noise
    patches = frames.frames[0].patches
    if not bright.any() or patches.shape != dark.frames[0].patches.shape:
        return None
    alike = [f for f in frames.frames if f.patches.shape == patches.shape][:_MOST_FRAMES]
    mean = np.mean([_deviations(f.patches, clip=True) for f in alike], axis=0)
    without = np.median([_deviations(f.patches) for f in dark.frames[:_MOST_FRAMES]], axis=0)
    mean -= without
    corners = patch_corners(frames.shape)
    inside = np.arange(PATCH)[_INNER]
    y = corners[:, 0, None, None] + inside[None, :, None]
    x = corners[:, 1, None, None] + inside[None, None, :]
    phase = np.broadcast_to(y % 2 * 2 + x % 2, mean.shape)
    places = np.broadcast_to(y * frames.shape[1] + x, mean.shape)
    relative = np.where(bright, noise / np.where(bright, light, 1.0), 0.0)
    variance = _OF_DIFFERENCE * (relative**2)[phase] / len(alike)
    # Patches may overlap in small frames: each pixel counts once.
    unique, index = np.unique(places, return_index=True)
    values = (mean / np.where(bright, light, 1.0)[phase]).reshape(-1)[index]
    used = bright[phase].reshape(-1)[index]
    # Defects and the edges of dust are no sensitivities that a slope could rest on.
    spread = MAD_TO_SIGMA * float(np.median(np.abs(values[used])))
    used &= np.abs(values) < _CLIP * spread
    return _Pattern(
        unique[used],
        values[used],
        variance.reshape(-1)[index][used],
        without.reshape(-1)[index][used],
    )


def _deviations(patches: npt.NDArray[np.generic], *, clip: bool = False) -> Float64:
    """Return pixels less the mean of the four next of their phase."""
    values = patches.astype(np.float64)
    low, high = slice(None, -2 * _STEP), slice(2 * _STEP, None)
    around = values[:, low, _INNER] + values[:, high, _INNER]
    around += values[:, _INNER, low] + values[:, _INNER, high]
    deviation = values[:, _INNER, _INNER] - around / 4.0
    if clip:
        limit = _CLIP * MAD_TO_SIGMA * float(np.median(np.abs(deviation)))
        np.clip(deviation, -limit, limit, out=deviation)
    return np.asarray(deviation)


def _slope(flats: _Pattern, places: Int64, lights: _Pattern) -> tuple[float, float] | None:
    """Return the slope of the lights on the flats, laid at `places`, and its error."""
    _, ours, theirs = np.intersect1d(places, lights.places, assume_unique=True, return_indices=True)
    if ours.size < PATCH**2:
        return None
    weight = 1.0 / np.maximum(lights.noise[theirs], 1e-12)
    dark = lights.dark[theirs]
    of_flats = _without(flats.values[ours], dark, weight)
    of_lights = _without(lights.values[theirs], dark, weight)
    signal = float(np.sum(weight * (of_flats**2 - flats.noise[ours])))
    if signal <= 0:
        return None
    product = weight * of_lights * of_flats
    return float(np.sum(product)) / signal, float(np.sqrt(np.sum(product**2))) / signal


def _without(values: Float64, other: Float64, weight: Float64) -> Float64:
    """Return values less what goes with others."""
    power = float(np.sum(weight * other**2))
    return values - (float(np.sum(weight * values * other)) / power if power > 0 else 0.0) * other
