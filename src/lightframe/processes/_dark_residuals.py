"""What a calibrated frame still shows of the dark: its fixed pattern, and its glow.

With both calibrations of a light, with and without dark scaling, these say which one is right
(guide, section 8.1).
"""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.frames._cfa import CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._cosmetic import local_excess
from lightframe.processes._dark_scaling import DarkScaler

__all__ = ["DarkResiduals", "dark_residuals"]


_GREEN = 1
_CLIP_SIGMA = 5.0
_WARM_SIGMA = 3.0
_TILES = 24
"""Tiles along the shorter side in which glow is measured."""
_LEAST_TILE = 8
_FIT_ROUNDS = 3
_FIT_CLIP = 3.0


@dataclass(frozen=True, slots=True)
class DarkResiduals:
    """What is left of the dark in a calibrated frame.

    Attributes
    ----------
    pattern, pattern_sigma : float
        Share of the dark's warm pixels that is left, and its standard error: 0 is right, positive
        is too little subtracted, negative too much. NaN if the dark has too few of them.
    correlation : float
        Correlation of frame and dark from pixel to pixel, after what is smooth is taken away.
    glow, glow_sigma : float
        Share of the dark's large-scale structure (amplifier glow) that is left.
    glow_dn : float
        The same in DN: where the dark's structure is at its 99th percentile.
    """

    pattern: float
    pattern_sigma: float
    correlation: float
    glow: float
    glow_sigma: float
    glow_dn: float


def dark_residuals(frame: Float32, signal: Float32, cfa: CfaPattern | None) -> DarkResiduals:
    """Look for the dark in a calibrated frame.

    Parameters
    ----------
    frame : ndarray of float32, shape (height, width)
        Calibrated, DN.
    signal : ndarray of float32, shape (height, width)
        Master dark without its bias, DN.
    cfa : CfaPattern or None
        Colours of both.

    Notes
    -----
    The pattern's share is the dark scaling factor of the calibrated frame. Glow is a term of a fit
    to the medians of tiles, beside a sky of second order; of a mosaic the green pixels are taken.
    """
    scaler = DarkScaler.prepare(
        signal[None], cfa, objective="wavelet-noise", threshold_sigma=_WARM_SIGMA
    )
    scale = scaler.scale(np.ascontiguousarray(frame)[None])
    glow, sigma, level = _glow(_tile_medians(frame, cfa), _tile_medians(signal, cfa))
    return DarkResiduals(
        pattern=scale.measured_k,
        pattern_sigma=scale.sigma_k,
        correlation=_correlation(local_excess(frame, cfa), local_excess(signal, cfa)),
        glow=glow,
        glow_sigma=sigma,
        glow_dn=glow * level,
    )


def _correlation(first: Float32, second: Float32) -> float:
    """Return Pearson's coefficient of the pixels that both have, outliers drawn in to 5 sigma."""
    both = np.isfinite(first) & np.isfinite(second)
    x, y = (_drawn_in(values[both].astype(np.float64)) for values in (first, second))
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 0 else float("nan")


def _drawn_in(x: Float64) -> Float64:
    if not x.size:
        return x
    x = x - np.median(x)
    limit = _CLIP_SIGMA * MAD_TO_SIGMA * float(np.median(np.abs(x)))
    return np.clip(x, -limit, limit)


def _tile_medians(plane: Float32, cfa: CfaPattern | None) -> Float64:
    """Return the medians of square tiles, shape (rows, columns); NaN where a tile is missing."""
    side = max(_LEAST_TILE, min(plane.shape) // _TILES)
    side -= (
        side % 2 if cfa is None else side % cfa.period - (cfa.period if side < cfa.period else 0)
    )
    rows, columns = (size // side for size in plane.shape)
    values = plane[: rows * side, : columns * side].astype(np.float64)
    if cfa is not None:
        green = cfa.planes() == _GREEN
        repeats = (rows * side // len(green), columns * side // len(green))
        values[~np.tile(green, repeats)] = np.nan
    tiles = values.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(rows, columns, -1)
    medians = np.full((rows, columns), np.nan)
    known = np.isfinite(tiles).any(axis=2)
    medians[known] = np.nanmedian(tiles[known], axis=1)
    return medians


def _glow(frame: Float64, signal: Float64) -> tuple[float, float, float]:
    """Return the share of the signal's structure in the frame, its error, and the structure in DN.

    Least squares of the frame's tiles on 1, x, y, x^2, x y, y^2 and the signal's tiles, without
    tiles that lie more than 3 sigma off.
    """
    nan = float("nan")
    y, x = (axis / max(axis.max(), 1) for axis in np.indices(frame.shape, dtype=np.float64))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, signal], axis=-1)
    known = np.isfinite(frame) & np.isfinite(signal)
    if known.sum() <= 2 * terms.shape[-1]:
        return nan, nan, nan
    level = float(np.percentile(signal[known], 99) - np.median(signal[known]))
    kept = known.copy()
    share, sigma = nan, nan
    for _ in range(_FIT_ROUNDS):
        design, values = terms[kept], frame[kept]
        solution, *_ = np.linalg.lstsq(design, values, rcond=None)
        residuals = frame - terms @ solution
        spread = MAD_TO_SIGMA * float(np.median(np.abs(residuals[kept])))
        inverse = np.linalg.pinv(design.T @ design)
        share, sigma = float(solution[-1]), spread * float(np.sqrt(max(inverse[-1, -1], 0.0)))
        kept = known & (np.abs(residuals) <= _FIT_CLIP * spread)
        if kept.sum() <= 2 * terms.shape[-1]:
            break
    return share, sigma, level
