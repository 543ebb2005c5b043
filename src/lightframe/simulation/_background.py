"""Measure what is left in the background of a result when the truth is taken away."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.simulation._result_grid import ResultGrid

__all__ = ["Background", "judge_background", "mean_flat"]


_TILES = 10
"""Background tiles along the shorter side."""

_SMALLEST_TILE = 16
"""Pixels along the side of the smallest tile."""

_FILLED = 0.4
"""Fraction of a tile that must be background."""

_FEWEST = 12
"""Fewest tiles on which shapes can be fitted."""


@dataclass(frozen=True, slots=True)
class Background:
    """What is left in the background, in DN; see `ChannelComparison`."""

    level_dn: float
    tilt_dn: float
    vignetting_dn: float
    unevenness_dn: float


def judge_background(
    residual: Float32, place: ResultGrid, filter_name: str | None, sky_dn: float
) -> Background:
    """Judge the background of one channel.

    Parameters
    ----------
    residual : float32 (h, w)
        The result without stars and diffuse light in DN, NaN where stars were.
    place : ResultGrid
        Where its pixels lie.
    filter_name : str or None
        The filter.
    sky_dn : float
        Brightness of the sky as the settings state it, at the result's scale: that to which the
        lights' gradients are relative.

    Raises
    ------
    ValueError
        If too little background is free of stars and seen by all lights.
    """
    x, y, values = _tiles(residual, place)
    if values.size < _FEWEST:
        raise ValueError(f"only {values.size} tiles of background can be compared")
    a, b, c = place.gradient() * sky_dn
    values = values - (a * x + b * y + c)
    height, width = place.shape
    u, v = x / (width - 1) - 0.5, y / (height - 1) - 0.5
    one = np.ones_like(u)
    plane = np.column_stack([one, u, v])
    fitted = np.linalg.lstsq(plane, values)[0]
    around = values - plane @ fitted
    # Light that was left in before the division by the flat goes as 1 / flat.
    inverse = 1.0 / mean_flat(place, filter_name, x, y)
    with_flat = np.column_stack([plane, inverse - inverse.min()])
    vignetting = np.linalg.lstsq(with_flat, values)[0][3] * float(np.ptp(inverse))
    low, high = np.percentile(around, [2.5, 97.5])
    return Background(
        level_dn=float(np.median(values)),
        tilt_dn=float(np.hypot(fitted[1], fitted[2])),
        vignetting_dn=float(vignetting),
        unevenness_dn=float(high - low),
    )


def _tiles(residual: Float32, place: ResultGrid) -> tuple[Float64, Float64, Float64]:
    """Return centre x, y and median of the tiles that are mostly background."""
    height, width = residual.shape
    side = max(min(height, width) // _TILES, _SMALLEST_TILE)
    rows, columns = height // side, width // side
    blocks = residual[: rows * side, : columns * side].reshape(rows, side, columns, side)
    cut = blocks.swapaxes(1, 2).reshape(rows, columns, side * side)
    filled = np.isfinite(cut).mean(axis=2) >= _FILLED
    x = np.broadcast_to(np.arange(columns) * side + 0.5 * (side - 1), filled.shape)
    y = np.broadcast_to((np.arange(rows) * side + 0.5 * (side - 1))[:, np.newaxis], filled.shape)
    good = filled & place.covered(x, y)
    return x[good], y[good], np.nanmedian(cut[good], axis=1).astype(np.float64)


def mean_flat(place: ResultGrid, filter_name: str | None, x: Float64, y: Float64) -> Float64:
    """Return vignetting (without the pixels' own response) at places of the result.

    It is the harmonic mean over the lights, since each light was divided by its own flat.
    """
    illumination = place.truth.illumination[place.truth.filter_index(filter_name)]
    height, width = illumination.shape
    inverse = np.zeros_like(x)
    for shot in place.lights:
        to_frame = place.in_frame(shot)
        column = to_frame[0, 0] * x + to_frame[0, 1] * y + to_frame[0, 2]
        row = to_frame[1, 0] * x + to_frame[1, 1] * y + to_frame[1, 2]
        at = (
            np.clip(np.rint(row), 0, height - 1).astype(np.int64),
            np.clip(np.rint(column), 0, width - 1).astype(np.int64),
        )
        inverse += 1.0 / illumination[at]
    return len(place.lights) / inverse
