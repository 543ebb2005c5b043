"""Noise that areas show and single pixels hide: frames that were interpolated by anyone.

Interpolation, by debayering or resampling, averages neighbours: a pixel's noise becomes smaller,
that of sums over areas does not. Where nothing tells what was done to frames, their differences do:
stars and nebulae cancel, and means over blocks of pixels have the variance sigma^2 / n only where
the noise is white.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64
from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._estimators import biweight, finite

__all__ = ["area_noise", "block_means", "is_white"]

_BLOCK = 16
"""Side of a block in pixels: wider than interpolation reaches."""
_FEWEST_BLOCKS = 200
_WHITE = 0.02
_CONTRAST = 1.25
"""Variance of a block less the mean of its four neighbours, for blocks of unit variance."""

_EMPTY_SIGMAS = 2.5


def block_means(source: PixelSource) -> Float64:
    """Return the means of blocks of 16 x 16 pixels; NaN where a pixel is missing.

    Parameters
    ----------
    source : PixelSource
        The frame, read block row by block row; rows and columns that fill no block are left out.

    Returns
    -------
    ndarray, shape (channels, rows, columns), float64
    """
    channels, width = source.channels, source.width // _BLOCK * _BLOCK
    means = np.empty((channels, source.height // _BLOCK, width // _BLOCK))
    strip = np.empty((channels, _BLOCK, width), np.float32)
    for row in range(means.shape[1]):
        source.read(Window(row * _BLOCK, (row + 1) * _BLOCK, 0, width), strip)
        sums = strip.sum(axis=1, dtype=np.float64)
        means[:, row] = sums.reshape(channels, -1, _BLOCK).sum(axis=2) / _BLOCK**2
    return means


def is_white(plane: Float32) -> bool:
    """Tell whether neighbouring pixels have independent noise.

    Differences of neighbours in a row are as wide as those of pixels two apart, within 2 percent.

    Parameters
    ----------
    plane : ndarray, shape (height, width), float32
        Pixels of one colour; a sample of whole rows will do. NaN is missing.
    """
    widths = [biweight(finite(plane[:, lag:] - plane[:, :-lag])) for lag in (1, 2)]
    return abs(widths[0] - widths[1]) <= _WHITE * widths[1]


def area_noise(
    blocks: Sequence[Float64], scales: Float64, noise: Float64
) -> tuple[float | None, ...]:
    """Return by what the noise of areas exceeds that of as many independent pixels.

    The differences of successive frames, in units of what their noise predicts, are compared with
    the mean of the four neighbouring blocks, which takes away gradients. The square of the biweight
    scale of that is S. What interpolation carries across the edges of a block falls with its side
    L as 1 / L: blocks of 16 and of 32 pixels give S = 2 S(32) - S(16).

    Parameters
    ----------
    blocks : sequence of ndarray, shape (channels, rows, columns)
        From `block_means`, of registered frames.
    scales : ndarray, shape (frames, channels)
        What brings the frames to one scale.
    noise : ndarray, shape (frames, channels)
        Noise of their pixels.

    Returns
    -------
    tuple of float or None
        sqrt(S) for each channel; None where there are fewer than two frames or 200 blocks.
    """
    found = []
    for channel in range(noise.shape[1]):
        spreads = [_spread(blocks, scales, noise, channel, coarse) for coarse in (1, 2)]
        known = [spread for spread in spreads if spread is not None]
        square = 2 * known[1] - known[0] if len(known) == len(spreads) else 0.0
        found.append(float(np.sqrt(square)) if square > 0 else None)
    return tuple(found)


def _spread(
    blocks: Sequence[Float64], scales: Float64, noise: Float64, channel: int, coarse: int
) -> float | None:
    """Return S of blocks `coarse` times as large in each direction."""
    contrasts = []
    for i in range(len(blocks) - 1):
        s, t = scales[i, channel], scales[i + 1, channel]
        first, second = s * blocks[i][channel], t * blocks[i + 1][channel]
        predicted = np.hypot(s * noise[i, channel], t * noise[i + 1, channel]) / (_BLOCK * coarse)
        contrast = _contrast(first - second, coarse) / (predicted * np.sqrt(_CONTRAST))
        contrasts.append(contrast[_empty(_contrast(first + second, coarse))])
    values = np.concatenate(contrasts) if contrasts else np.empty(0)
    values = values[np.isfinite(values)]
    return None if values.size < _FEWEST_BLOCKS else biweight(values) ** 2


def _contrast(means: Float64, coarse: int) -> Float64:
    """Return what blocks, `coarse` times as large, differ from the mean of their neighbours."""
    rows, columns = (size // coarse for size in means.shape)
    whole = means[: rows * coarse, : columns * coarse]
    d = whole.reshape(rows, coarse, columns, coarse).mean(axis=(1, 3))
    around = 0.25 * (d[:-2, 1:-1] + d[2:, 1:-1] + d[1:-1, :-2] + d[1:-1, 2:])
    return np.asarray(d[1:-1, 1:-1] - around, np.float64)


def _empty(structure: Float64) -> npt.NDArray[np.bool_]:
    """Tell which blocks and neighbours hold no bright star, whose photons are noise, too."""
    known = structure[np.isfinite(structure)]
    if known.size == 0:
        return np.isfinite(structure)
    middle = np.median(known)
    spread = MAD_TO_SIGMA * np.median(np.abs(known - middle))
    return np.asarray(np.abs(structure - middle) <= _EMPTY_SIGMAS * spread, np.bool_)
