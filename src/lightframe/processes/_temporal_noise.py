"""The noise of a frame that is not its pattern: from the differences of frames that show the same.

The scatter of the pixels of a dark or a flat is mostly fixed pattern, which calibration removes. In
the difference of two frames the pattern is gone, and so are gradients in the difference of its
neighbours of one colour; what is left has four times the variance of a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.frames._cfa import CfaPattern
from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._estimators import finite, median

__all__ = ["TemporalNoise", "temporal_noise"]


_STRIP_ROWS = 36
"""Whole cells of any pattern."""
_MOST_PAIRS = 3
_CLIP = 4.0
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class TemporalNoise:
    """Noise of a pixel of one frame.

    Attributes
    ----------
    sigma_dn : tuple of float
        Standard deviation, one a channel or colour (red, green, blue), DN.
    level_dn : tuple of float
        Median of the frames, likewise.
    """

    sigma_dn: tuple[float, ...]
    level_dn: tuple[float, ...]

    @property
    def relative(self) -> tuple[float, ...]:
        """Noise as a part of the level, for flats; inf where there is no light."""
        return tuple(
            sigma / level if level > 0 else float("inf")
            for sigma, level in zip(self.sigma_dn, self.level_dn, strict=True)
        )


def temporal_noise(
    frames: Sequence[PixelSource],
    cfa: CfaPattern | None = None,
    *,
    scaled: bool = False,
    sample_pixels: int = 1 << 19,
) -> TemporalNoise | None:
    """Measure the noise of frames that show the same: bias, dark, or calibrated flat frames.

    Parameters
    ----------
    frames : sequence of PixelSource
        At least two of equal geometry; up to three pairs of neighbours are looked at.
    cfa : CfaPattern or None
        Colours at their origin.
    scaled : bool
        Bring the second frame of each pair to the level of the first, colour by colour: for flats
        under a light that changes.
    sample_pixels : int
        About as many pixels of each frame are read, in evenly spread strips of rows.

    Returns
    -------
    TemporalNoise or None
        None for fewer than two frames, or where the frames share no valid pixels. Bands that change
        from frame to frame count as noise as far as neighbouring columns differ.
    """
    pairs = list(pairwise(frames))
    pairs = pairs[:: max(1, -(-len(pairs) // _MOST_PAIRS))]
    found = [_pair_noise(first, second, cfa, scaled, sample_pixels) for first, second in pairs]
    known = [part for part in found if part is not None]
    if not known:
        return None
    variance = np.mean([np.square(sigma) for sigma, _ in known], axis=0)
    level = np.mean([level for _, level in known], axis=0)
    return TemporalNoise(tuple(np.sqrt(variance).tolist()), tuple(level.tolist()))


def _pair_noise(
    first: PixelSource,
    second: PixelSource,
    cfa: CfaPattern | None,
    scaled: bool,
    sample_pixels: int,
) -> tuple[Float64, Float64] | None:
    """Return noise and level of a pair, one value a colour; None if a colour has no pixels."""
    windows = _windows(first.height, first.width, sample_pixels)
    parts = [(_read(first, window), _read(second, window)) for window in windows]
    a, b = (np.concatenate([part[i] for part in parts], axis=1) for i in range(2))
    sigmas, levels = [], []
    for planes in _colours(cfa, first.channels):
        pixels = [(a[place], b[place]) for place in planes]
        level = _median([p for p, _ in pixels])
        other = _median([q for _, q in pixels])
        factor = np.float64(level / other if scaled and other > 0 else 1.0)
        # In float64, as the factor is.
        steps = finite(
            np.concatenate([np.diff(p - factor * q, axis=-1).ravel() for p, q in pixels])
        )
        if not steps.size or not np.isfinite(level):
            return None
        # Both frames are noisy: a scaled one by its factor.
        sigmas.append(_clipped_spread(steps) / np.sqrt(2 * (1 + factor**2)))
        levels.append(level)
    return np.array(sigmas), np.array(levels)


def _windows(height: int, width: int, sample_pixels: int) -> list[Window]:
    """Return evenly spread strips of rows; they begin at whole cells."""
    strips = -(-height // _STRIP_ROWS)
    wanted = min(strips, max(1, round(sample_pixels / (width * _STRIP_ROWS))))
    starts = {int((i + 0.5) * strips / wanted) * _STRIP_ROWS for i in range(wanted)}
    return [Window(y, min(y + _STRIP_ROWS, height), 0, width) for y in sorted(starts)]


def _read(source: PixelSource, window: Window) -> Float32:
    pixels = np.empty((source.channels, *window.shape), np.float32)
    source.read(window, pixels)
    return pixels


def _colours(cfa: CfaPattern | None, channels: int) -> list[list[tuple[int | slice, ...]]]:
    """Return, for each channel or colour, where its pixels are in an array of planes."""
    if cfa is None:
        return [[(channel,)] for channel in range(channels)]
    cell, step = cfa.planes(), cfa.period
    return [
        [(0, slice(y, None, step), slice(x, None, step)) for y, x in np.argwhere(cell == colour)]
        for colour in range(int(cell.max()) + 1)
    ]


def _median(parts: Sequence[Float32]) -> float:
    values = finite(np.concatenate([part.ravel() for part in parts]))
    return median(values) if values.size else float("nan")


def _clipped_spread(steps: Float64) -> float:
    """Return the standard deviation of what lies within four of it: cosmic rays are left out.

    A median alone would do no better than whole steps of integer frames of little noise.
    """
    size = np.abs(steps)
    sigma = MAD_TO_SIGMA * median(size) or float(steps.std())
    sigma = max(sigma, float(np.sqrt(np.mean(np.square(np.minimum(size, 1.0))))))
    for _ in range(_ROUNDS):
        kept = steps[size <= _CLIP * sigma]
        last, sigma = sigma, float(np.sqrt(np.mean(np.square(kept)))) if kept.size else sigma
        if abs(sigma - last) <= 1e-4 * sigma:
            break
    return sigma
