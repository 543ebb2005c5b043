"""Amplifier glow: how much of it the dark holds, and how much is left in calibrated lights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float64
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._background_tiles import BackgroundTiles

__all__ = ["GlowLeft", "GlowShape", "glow_left", "glow_map", "glow_shape"]


_BLOCKS = 4
_LEAST_TILES = 60
_CLIP = 3.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class GlowShape:
    """How high the glow of a dark is, and where.

    Attributes
    ----------
    level : float
        99th percentile of the tiles less their median.
    area : float
        Part of the frame above half of that. Glow is bright in a corner or at an edge; a gradient
        of the dark current covers more.
    contrast : float
        The level in units of the spread of all tiles. Glow stands out; where the dark current is
        uneven all over the frame, the brightest tiles do not.
    place : tuple of float or None
        Column and row of the centre of the bright part, 0 to 1; None where there is none.
    """

    level: float
    area: float
    contrast: float
    place: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class GlowLeft:
    """What is left of the dark's glow in lights.

    Attributes
    ----------
    share, sigma : float
        Left over that of the dark: 0 is right, negative is too much subtracted; and its error.
    glow_dn : float
        The glow of the dark: 99th percentile of its tiles less their median.
    area : float
        Part of the frame where the dark's structure is above half of that. Glow is bright in a
        corner or at an edge; a gradient of the dark current covers more.
    """

    share: float
    sigma: float
    glow_dn: float
    area: float


def glow_map(
    dark: BackgroundTiles, bias: BackgroundTiles, gain: BackgroundTiles | None = None
) -> Float64:
    """Return the large-scale dark signal, mean of the colours, less its median.

    Parameters
    ----------
    dark, bias : BackgroundTiles
        Of the master dark, and of a bias or a dark of short exposure.
    gain : BackgroundTiles, optional
        Of what the lights are multiplied with after the dark is subtracted, the reciprocal of the
        flat: glow that is left is raised with the corners that it sits in.
    """
    signal = dark.values.astype(float) - bias.values
    if gain is not None:
        signal *= gain.values
    signal = np.mean(signal, axis=0)
    return np.asarray(signal - np.nanmedian(signal))


def glow_shape(glow: Float64) -> GlowShape:
    """Return height, extent and place of the glow in a map from `glow_map`."""
    known = glow[np.isfinite(glow)]
    if not known.size:
        return GlowShape(0.0, 0.0, 0.0, None)
    level = float(np.percentile(known, 99))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(known - np.median(known))))
    contrast = level / max(spread, 1e-9)
    bright = np.isfinite(glow) & (glow > 0.5 * level)
    if level <= 0 or not bright.any():
        return GlowShape(level, float(np.mean(known > 0.5 * level)), contrast, None)
    rows, columns = np.nonzero(bright)
    weight = glow[bright]
    height, width = glow.shape
    place = (
        float(np.average(columns, weights=weight)) / max(width - 1, 1),
        float(np.average(rows, weights=weight)) / max(height - 1, 1),
    )
    return GlowShape(level, float(np.mean(known > 0.5 * level)), contrast, place)


def glow_left(tiles: Sequence[BackgroundTiles], glow: Float64) -> GlowLeft | None:
    """Fit the lights' background with a sky of second order and the dark's glow.

    Parameters
    ----------
    tiles : sequence of BackgroundTiles
        Of lights; their median is taken.
    glow : ndarray of float64, shape (rows, columns)
        From `glow_map`.

    Returns
    -------
    GlowLeft or None
        None where too few tiles are known. The error comes from leaving out each of 16 blocks of
        the frame in turn, so that a nebula in one of them widens it.
    """
    if not tiles:
        return None
    light = np.median([np.mean(t.values.astype(float), axis=0) for t in tiles], axis=0)
    used = np.isfinite(light) & np.isfinite(glow)
    if used.sum() < _LEAST_TILES:
        return None
    x, y = tiles[0].x, tiles[0].y
    terms = np.stack([np.ones_like(light), x, y, x * x, x * y, y * y, glow], axis=-1)
    solution = np.zeros(terms.shape[-1])
    for _ in range(_ROUNDS):
        solution = np.linalg.lstsq(terms[used], light[used], rcond=None)[0]
        left = np.abs(light - terms @ solution)
        spread = MAD_TO_SIGMA * float(np.median(left[used]))
        again = np.isfinite(left) & (left <= _CLIP * spread)
        if again.sum() < _LEAST_TILES:
            break
        used = again
    shape = glow_shape(glow)
    return GlowLeft(float(solution[-1]), _error(terms, light, used), shape.level, shape.area)


def _error(terms: Float64, light: Float64, used: npt.NDArray[np.bool_]) -> float:
    rows, columns = light.shape
    block = (np.arange(rows) * _BLOCKS // rows)[:, None] * _BLOCKS
    block = block + (np.arange(columns) * _BLOCKS // columns)[None, :]
    without = [
        np.linalg.lstsq(terms[part], light[part], rcond=None)[0][-1]
        for index in range(_BLOCKS**2)
        if (part := used & (block != index)).sum() >= _LEAST_TILES
    ]
    if len(without) < _BLOCKS:
        return float("inf")
    count = len(without)
    return float(np.sqrt((count - 1) / count * np.sum((without - np.mean(without)) ** 2)))
