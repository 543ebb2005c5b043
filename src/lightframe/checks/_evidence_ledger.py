"""The ledger of hot pixels: those of a dark, looked up in the lights that it serves.

Hot pixels are the fingerprint of a sensor. Where they are tells whether dark and lights come from
one sensor and lie the same way round; how bright they are tells exposure and temperature.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float64, Int64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes import SYMMETRIES

__all__ = [
    "Ledger",
    "excess_at",
    "hot_pixels_of",
    "hot_ratios",
    "make_ledger",
    "unknown_hot_pixels",
]


_MOST = 1500
_FEWEST = 20
_SIGNIFICANT = 8.0
"""Expected excess in units of the light's noise from which a hot pixel can be looked for."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ledger:
    """Hot pixels of a dark in the lights it serves.

    Attributes
    ----------
    dark, lights : SetEvidence
        The two sets.
    looked_for : int
        Hot pixels bright enough to be seen in the lights.
    found : mapping of str to float
        Fraction of them found in the lights, for each symmetry.
    slope, slope_error : float or None
        Excess in the lights over that in the dark, and its error; of the pixels as stored, None
        where the lights have another shape.
    unknown_per_megapixel : float or None
        Pixels that are hot in the lights, always at the same place, but not in the dark.
    unknown : tuple of (int, int)
        Row and column of some of these.
    points : float64 (n, 2)
        Excess in the dark and in the lights, for a picture.
    """

    dark: SetEvidence
    lights: SetEvidence
    looked_for: int
    found: dict[str, float]
    slope: float | None
    slope_error: float | None
    unknown_per_megapixel: float | None
    unknown: tuple[tuple[int, int], ...]
    points: Float64

    @property
    def best(self) -> str:
        """The symmetry that finds most."""
        return max(self.found, key=lambda name: self.found[name]) if self.found else "as stored"


def excess_at(pixels: npt.NDArray[Any], y: Int64, x: Int64) -> Float64:
    """Return by how much pixels exceed the median of their 8 next of the same phase."""
    height, width = pixels.shape
    around = [
        pixels[np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)]
        for dy in (-2, 0, 2)
        for dx in (-2, 0, 2)
        if (dy, dx) != (0, 0)
    ]
    surroundings = np.median(np.array(around, np.float64), axis=0)
    return np.asarray(pixels[y, x].astype(np.float64) - surroundings)


def hot_pixels_of(darks: SetEvidence) -> tuple[Int64, Int64, Float64]:
    """Return row, column and median excess of the pixels that are hot in most frames of a set."""
    width = darks.shape[1]
    places = np.concatenate([frame.hot.y * width + frame.hot.x for frame in darks.frames])
    excess = np.concatenate([frame.hot.excess for frame in darks.frames])
    order = np.lexsort((excess, places))
    places, excess = places[order], excess[order]
    places, first, counts = np.unique(places, return_index=True, return_counts=True)
    medians = 0.5 * (excess[first + (counts - 1) // 2] + excess[first + counts // 2])
    always = 2 * counts > len(darks.frames)
    places, medians = places[always], medians[always]
    order = np.argsort(-medians, kind="stable")
    places, medians = places[order], medians[order]
    return places // width, places % width, medians


def hot_ratios(darks: SetEvidence) -> list[float | None]:
    """Return the hot pixels of each frame relative to those of the set; None if too few."""
    fewest, most = 20, 500
    width = darks.shape[1]
    y, x, usual = (values[:most] for values in hot_pixels_of(darks))
    if usual.size < fewest:
        return [None] * len(darks.frames)
    ratios: list[float | None] = []
    for frame in darks.frames:
        _, ours, theirs = np.intersect1d(
            y * width + x, frame.hot.y * width + frame.hot.x, return_indices=True
        )
        own = np.zeros(usual.size)
        own[ours] = frame.hot.excess[theirs]
        ratios.append(float(np.median(own / usual)))
    return ratios


def make_ledger(
    dark: SetEvidence,
    lights: SetEvidence,
    pixels: Sequence[npt.NDArray[Any]],
    *,
    ratio: float,
    ceiling: float,
) -> Ledger | None:
    """Look up the hot pixels of a dark in some of the lights.

    Parameters
    ----------
    dark, lights : SetEvidence
        The two sets.
    pixels : sequence of ndarray (height, width)
        Some of the lights.
    ratio : float
        Expected excess in the lights over that in the dark: ratio of the exposures, 1 if unknown.
    ceiling : float
        Level above which pixels are no longer linear.

    Returns
    -------
    Ledger or None
        None where too few hot pixels are bright enough to tell.
    """
    y, x, excess = hot_pixels_of(dark)
    noise = float(np.sqrt(np.mean(lights.noise**2)))
    level = float(np.mean(dark.level))
    visible = (excess * ratio > _SIGNIFICANT * noise) & (
        excess * max(ratio, 1.0) + max(level, float(np.mean(lights.level))) < ceiling
    )
    y, x, excess = y[visible][:_MOST], x[visible][:_MOST], excess[visible][:_MOST]
    if excess.size < _FEWEST:
        return None
    unknown = unknown_hot_pixels(dark, lights, ratio)
    found: dict[str, float] = {}
    height, width = dark.shape
    values = np.zeros((0, excess.size))
    for name, move in SYMMETRIES.items():
        ty, tx = move(y, x, height, width)
        if max(int(ty.max()), 0) >= pixels[0].shape[0] or int(tx.max()) >= pixels[0].shape[1]:
            continue
        seen = np.array([excess_at(plane, ty, tx) for plane in pixels])
        middle = np.median(seen, axis=0)
        found[name] = float(np.mean(middle > np.maximum(4.0 * noise, 0.15 * ratio * excess)))
        if name == "as stored":
            values = seen
    middle = np.median(values, axis=0) if values.size else np.zeros(excess.size)
    slope, error = _slope(excess, middle) if values.size else (None, None)
    return Ledger(
        dark=dark,
        lights=lights,
        looked_for=int(excess.size),
        found=found,
        slope=slope,
        slope_error=error,
        unknown_per_megapixel=None if unknown is None else unknown[0],
        unknown=() if unknown is None else unknown[1],
        points=np.stack([excess, middle], axis=1),
    )


def _slope(dark: Float64, light: Float64) -> tuple[float, float]:
    """Return the median ratio, and its error: stars on single pixels do not move it."""
    ratio = light / dark
    slope = float(np.median(ratio))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(ratio - slope)))
    return slope, float(1.2533 * spread / np.sqrt(ratio.size))


def unknown_hot_pixels(
    dark: SetEvidence, lights: SetEvidence, ratio: float
) -> tuple[float, tuple[tuple[int, int], ...]] | None:
    """Count pixels that are hot in nearly all lights, but stand out in no frame of the dark.

    Parameters
    ----------
    dark, lights : SetEvidence
        The two sets.
    ratio : float
        Expected excess in the lights over that in the dark. Where only the strongest hot pixels of
        the dark are kept, only pixels that would have to be among them are counted.

    Returns
    -------
    tuple or None
        Number per megapixel, and some of the places; None for fewer than three lights.
    """
    fewest = 3
    if len(lights.frames) < fewest:
        return None
    width = lights.shape[1]
    known: set[int] = set()
    for frame in dark.frames:
        known.update(_flat(frame, width).tolist())
    kept_above = max(_listed_above(frame) for frame in dark.frames)
    counts: Counter[int] = Counter()
    for frame in lights.frames:
        strong = frame.hot.excess > 2.0 * kept_above * ratio
        counts.update(_flat(frame, width)[strong].tolist())
    always = {place for place, n in counts.items() if n >= 0.8 * len(lights.frames)}
    missing = sorted(always - known)
    per_megapixel = len(missing) / lights.frames[0].megapixels
    return per_megapixel, tuple((place // width, place % width) for place in missing[:100])


def _listed_above(frame: FrameEvidence) -> float:
    """Return the excess above which all hot pixels of a frame are known by place; 0 for any."""
    if frame.hot.total > frame.hot.y.size:
        return float(frame.hot.excess.min())
    # Where there are very many the limit is raised until they can be listed.
    raised = frame.hot_limit > 2.0 * max(_SIGNIFICANT * float(frame.noise.mean()), 2.0)
    return frame.hot_limit if raised else 0.0


def _flat(frame: FrameEvidence, width: int) -> Int64:
    return np.asarray(frame.hot.y * width + frame.hot.x)
