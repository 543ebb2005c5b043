"""Measure the noise of a result, whatever interpolation has done to neighbouring pixels."""

from collections.abc import Callable

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.simulation._result_grid import ResultGrid

__all__ = ["noise_ratio"]


_BLOCK = 8
"""Pixels along the side of the smaller blocks; the larger ones have twice as many."""

_CLIP = 4.5
"""Standard deviations beyond which a difference is not noise."""

_FEWEST = 40
"""Fewest differences of which a standard deviation is taken."""

_FILLED = 0.5
"""Fraction of a block that must be background."""

_MISFIT = 0.02
"""Error of brightness of the diffuse light that must not show, as a fraction."""

_HIDDEN = 0.15
"""... in standard deviations of a difference."""


def noise_ratio(
    residual: Float32,
    diffuse: Float32,
    place: ResultGrid,
    ideal: Callable[[Float64, Float64], Float64],
) -> float:
    """Return the noise relative to `ideal`, per pixel of a raw frame.

    Interpolation and debayering spread the noise of a pixel over its neighbours: the scatter of
    single pixels tells little. The mean of a block of B x B pixels is touched at its rim only, so
    its variance times B^2 is that of independent pixels up to a term in 1 / B, which blocks of two
    sizes eliminate. From each block the mean of its left and right neighbours is subtracted, so
    that smooth residues do not count; places where the diffuse light is so structured that a small
    error of brightness would look like noise are left out.

    Parameters
    ----------
    residual : float32 (h, w)
        The result without stars and diffuse light, NaN where stars were.
    diffuse : float32 (h, w)
        The diffuse light that was subtracted, in the same unit.
    place : ResultGrid
        Where its pixels lie.
    ideal : callable
        (x, y) -> ideal noise per raw pixel at places of the result, in the unit of `residual`.

    Raises
    ------
    ValueError
        If too little background is free of stars and seen by all lights.
    """
    small, large = (
        _relative_variance(residual, diffuse, side, place, ideal) for side in (_BLOCK, 2 * _BLOCK)
    )
    return float(np.sqrt(max(2.0 * large - small, 0.0) * place.area))


def _relative_variance(
    residual: Float32,
    diffuse: Float32,
    side: int,
    place: ResultGrid,
    ideal: Callable[[Float64, Float64], Float64],
) -> float:
    """Return variance of block means times pixels in a block, relative to the ideal variance."""
    blocks = _blocks(residual, side)
    pixels = np.isfinite(blocks).sum(axis=2)
    means = np.nansum(blocks, axis=2, dtype=np.float64) / np.maximum(pixels, 1)
    rows, columns = np.indices(means.shape)
    x, y = columns * side + 0.5 * (side - 1), rows * side + 0.5 * (side - 1)
    usable = (pixels >= _FILLED * side * side) & place.covered(x, y)
    means[~usable] = np.nan
    variance = ideal(x, y) ** 2 / np.maximum(pixels, 1)
    variance = variance[:, 1:-1] + 0.25 * (variance[:, :-2] + variance[:, 2:])
    unit = np.sqrt(variance)
    relative = _second_difference(means) / unit
    shape = _second_difference(_blocks(diffuse, side).mean(axis=2, dtype=np.float64))
    values = relative[np.isfinite(relative) & (np.abs(shape) * _MISFIT < _HIDDEN * unit)]
    if values.size < _FEWEST:
        raise ValueError("too little background is free of stars to measure noise")
    limit = _CLIP * MAD_TO_SIGMA * float(np.median(np.abs(values)))
    return float(np.mean(values[np.abs(values) <= limit] ** 2))


def _blocks(plane: Float32, side: int) -> Float32:
    """Return the pixels of square blocks, float32 (rows, columns, side * side)."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    cut = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(rows, columns, side * side)


def _second_difference(means: Float64) -> Float64:
    return np.asarray(means[:, 1:-1] - 0.5 * (means[:, :-2] + means[:, 2:]))
