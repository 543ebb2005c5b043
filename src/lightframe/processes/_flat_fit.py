"""How much of a calibrated light follows its flat (T1): over- and under-correction in numbers.

Vignetting alone would not do to find it: the glow of a galaxy in the middle of the field follows it
as well. So it is measured twice. *Fine*: in each small tile, the pixels are compared with their own
sensitivity and with the dust shadows, which no nebula knows of. The noise of the flat, which is in
``1 / V`` and, with the opposite sign, in the light, would look like over-correction; how much there
is of it is known from the difference of two flats, and taken off. *Broad*: tiles of the background
against ``1 / V`` and a tilted plane, only where the background shows nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.frames._cfa import CfaPattern
from lightframe.processes._background_tiles import BackgroundTiles, FlatProbe

__all__ = ["FlatFit", "flat_fit", "flat_noise"]

_F32 = npt.NDArray[np.float32]
_F64 = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]

_TERMS = 4
_ROUNDS = 6
_HIGH, _LOW = 2.5, 4.0
"""Tiles above the fit by this many sigma hold a nebula, tiles below it something else."""
_BLOCKS = 4
_LEAST_TILES = 60
_LEAST_SIGNAL = 0.15
"""Least share of the variance of the flat's pixels that is not the flat's noise."""
_NOISE_ERROR = 0.02
"""Relative error of the variance of the flat's noise."""
_GROUPS = (0.6, 0.9)
"""Where tiles are divided by the structure of the flat in them."""
_LEAST_GROUP = 12
_EVEN_SHARE = 0.9
_EVEN_SCATTER = 1.7
_LEAST_LEVERAGE = 0.003
_EVEN_SKY = 0.001
"""Curvature of a cloudless sky without nebulae, as a part of its brightness (rms)."""
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class FlatFit:
    """What is left of the flat in the background of one light (T1).

    Attributes
    ----------
    q_dn, sigma_dn : float
        The part that follows the reciprocal of the flat, DN, and its error.
    common_dn : float
        The part of the error that all lights of this flat share.
    level_dn : float
        Background, mean of the colours with the weights of q.
    leverage : float
        Spread (1st to 99th percentile of the tiles) of the reciprocal of the flat.
    """

    q_dn: float
    sigma_dn: float
    common_dn: float
    level_dn: float
    leverage: float


@dataclass(frozen=True, slots=True)
class _Term:
    """One measurement of q, in one colour."""

    q: float
    sigma: float
    common: float
    level: float


def flat_fit(tiles: BackgroundTiles, products: _F64, probe: FlatProbe) -> FlatFit | None:
    """Measure how much of a calibrated light follows the reciprocal of its flat.

    Parameters
    ----------
    tiles : BackgroundTiles
        Of the light, DN.
    products : ndarray of float64, shape (colours, n, 8)
        From `flat_products`.
    probe : FlatProbe
        The flat. Where its noise is unknown, single pixels are not asked.

    Returns
    -------
    FlatFit or None
        All colours together, weighted by their errors. None where nothing can be said: the flat has
        no structure, its noise is unknown and the background is not even, or too little is left.
    """
    terms = []
    inverses = []
    for colour in range(len(tiles.values)):
        channel, plane = divmod(colour, probe.colours)
        channel = min(channel, len(probe.reciprocal) - 1)
        inverse = probe.tiles.values[channel * probe.colours + plane].astype(float)
        inverses.append(inverse[np.isfinite(inverse)])
        if probe.noise is not None:
            noise = probe.noise[min(colour, len(probe.noise) - 1)]
            if noise <= 0:
                continue  # a saturated flat
            terms.append(_fine(products[colour], probe.flat_levels[0][channel, :, plane], noise))
        terms.append(_broad(tiles, colour, inverse))
    found = [term for term in terms if term is not None and np.isfinite(term.sigma)]
    if not found:
        return None
    weights = np.array([term.sigma**-2 for term in found])
    total = float(weights.sum())
    q = float(weights @ [term.q for term in found]) / total
    # Terms that disagree have seen something other than the flat.
    chi2 = sum(((term.q - q) / term.sigma) ** 2 for term in found) / max(1, len(found) - 1)
    widening = float(np.sqrt(max(1.0, chi2)))
    return FlatFit(
        q_dn=q,
        sigma_dn=widening / float(np.sqrt(total)),
        common_dn=float(np.sqrt(weights**2 @ [term.common**2 for term in found])) / total,
        level_dn=float(weights @ [term.level for term in found]) / total,
        leverage=float(np.mean([np.subtract(*np.percentile(i, [99, 1])) for i in inverses])),
    )


def _fine(products: _F64, reciprocal: _F32, flat_noise: float) -> _Term | None:
    """Regress pixels on the reciprocal of their flat, and on their dark, within small tiles.

    Least squares with weights of 1 / variance of the tile. The noise of the flat, of variance ``v``
    where the flat is 1 and growing as ``1 / V``, adds ``-S g^2 v`` to the products c g and
    ``g^3 v`` to g g, S being the level without the fault; both are taken off. The dark takes part
    so that what is left of it, in light and flat, is not taken for the flat. The error comes from
    leaving out each tile in turn.
    """
    used = np.isfinite(products[:, 1]) & (products[:, 1] > 0) & np.isfinite(reciprocal)
    if used.sum() < _LEAST_TILES:
        return None
    count, cc, cg, gg, cd, gd, dd, level = products[used].T
    g = reciprocal[used].astype(float)
    weight = count / cc
    structure = gg / count
    noise = weight * count * g * g * flat_noise**2
    cg, gg, cd, gd, dd = (weight * term for term in (cg, gg, cd, gd, dd))
    own, below = cg - noise * level, gg - noise * g
    if below.sum() < _LEAST_SIGNAL * gg.sum():
        return None  # the flat's pixels differ by their noise alone
    through = float(gd.sum() / dd.sum()) if dd.sum() > 0 else 0.0
    total = float(below.sum() - through * gd.sum())
    q = float(own.sum() - through * cd.sum()) / total
    left = float((cd - q * gd).sum() / dd.sum()) if dd.sum() > 0 else 0.0
    rest = own - q * below - left * gd - through * (cd - q * gd - left * dd)
    # The variance of the flat's noise is known so well only, and the noise is that of all lights.
    share = float(np.sqrt(noise.sum() / gg.sum()))
    sky = abs(float(np.median(level)) - q)
    common = float(
        np.hypot(
            _NOISE_ERROR * abs(float((noise * (level - q * g)).sum())) / total,
            sky * share / np.sqrt(float(count.sum())),
        )
    )
    statistical = float(np.sqrt(rest @ rest)) / total
    statistical *= _disagreement(own - through * cd, below - through * gd, rest, q, structure)
    return _Term(q, float(np.hypot(statistical, common)), common, float(np.median(level)))


def _disagreement(above: _F64, below: _F64, rest: _F64, q: float, structure: _F64) -> float:
    """Return by what factor tiles of much and of little structure disagree beyond their errors.

    What is left of the flat follows dust shadows and single pixels alike. Dust that has moved, or
    pixels of another sensor, follow one of them only.
    """
    order = np.argsort(structure)
    chi2, groups = 0.0, 0
    for part in np.split(order, [int(share * len(order)) for share in _GROUPS]):
        total = float(below[part].sum())
        if len(part) >= _LEAST_GROUP and total > 0:
            error = float(np.sqrt(rest[part] @ rest[part])) / total
            chi2 += ((float(above[part].sum()) / total - q) / error) ** 2
            groups += 1
    return float(np.sqrt(max(1.0, chi2 / (groups - 1)))) if groups > 1 else 1.0


def _broad(tiles: BackgroundTiles, colour: int, inverse: _F64) -> _Term | None:
    """Fit the background with a tilted plane and the reciprocal of the flat.

    Only where that is all there is: few tiles are brighter than the fit, and the others scatter
    around it by little more than the noise of their medians.
    """
    values = tiles.values[colour].astype(float)
    known = np.isfinite(values) & np.isfinite(inverse)
    known[[0, -1]] = False
    known[:, [0, -1]] = False
    if known.sum() < _LEAST_TILES:
        return None
    middle = float(np.median(inverse[known]))
    design = np.stack([np.ones_like(values), tiles.x, tiles.y, inverse - middle], axis=-1)
    noise = float(np.median(tiles.noise[colour][known])) * 1.2533 / np.sqrt(tiles.samples)
    used = _without_objects(design, values, known, noise)
    if used.sum() < _EVEN_SHARE * known.sum():
        return None
    solution = _solve(design[used], values[used])
    if float(np.std(values[used] - design[used] @ solution)) > _EVEN_SCATTER * noise:
        return None
    beyond = inverse[used] - design[used][:, :3] @ _solve(design[used][:, :3], inverse[used])
    spread = float(np.std(beyond))
    if spread < _LEAST_LEVERAGE:
        return None
    level = float(np.median(values[used]))
    common = _EVEN_SKY * abs(level - float(solution[3])) / spread
    statistical = _block_error(design, values, used)
    return _Term(float(solution[3]), float(np.hypot(statistical, common)), common, level)


def _solve(design: _F64, values: _F64) -> _F64:
    return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0])


def _without_objects(design: _F64, values: _F64, known: _Mask, noise: float) -> _Mask:
    """Return the tiles that hold background alone.

    Nebulae and galaxies only add light: tiles far above the fit go, and their neighbours with them.
    The spread is taken from the tiles below the fit, and is at least that of the noise.
    """
    used = known.copy()
    for _ in range(_ROUNDS):
        residuals = values - design @ _solve(design[used], values[used])
        below = residuals[used & (residuals <= 0)]
        if below.size < _TERMS:
            break
        spread = max(_MAD_TO_SIGMA * float(np.median(-below)), noise)
        bright = known & (residuals > _HIGH * spread)
        far = bright & (residuals > 2 * _HIGH * spread)
        again = known & ~bright & ~_grown(far) & (residuals > -_LOW * spread)
        if again.sum() < _LEAST_TILES or np.array_equal(again, used):
            break
        used = again
    return used


def _grown(mask: _Mask) -> _Mask:
    """Return a mask with the eight neighbours of all its tiles."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    grown = np.zeros_like(mask)
    for dy in range(3):
        for dx in range(3):
            grown |= padded[dy : dy + height, dx : dx + width]
    return grown


def _block_error(design: _F64, values: _F64, used: _Mask) -> float:
    """Return the error of the last term by the jackknife over 4 x 4 blocks of the frame."""
    height, width = values.shape
    rows = np.arange(height) * _BLOCKS // height
    columns = np.arange(width) * _BLOCKS // width
    block = rows[:, None] * _BLOCKS + columns[None, :]
    normal = np.einsum("tk,tl->kl", design[used], design[used])
    right = design[used].T @ values[used]
    without = []
    for index in range(_BLOCKS**2):
        part = used & (block == index)
        if not part.any():
            continue
        rest = normal - design[part].T @ design[part]
        try:
            without.append(np.linalg.solve(rest, right - design[part].T @ values[part])[-1])
        except np.linalg.LinAlgError:
            return float("nan")
    count = len(without)
    if count < _BLOCKS:
        return float("nan")
    return float(np.sqrt((count - 1) / count * np.sum((without - np.mean(without)) ** 2)))


def flat_noise(
    first: _F32, second: _F32, cfa: CfaPattern | None, scale: Sequence[float], frames: int
) -> tuple[float, ...]:
    """Return the noise of a pixel of a master flat as a part of its level.

    Parameters
    ----------
    first, second : ndarray of float32, shape (rows, columns)
        The same part of two of the raw flats, DN.
    cfa : CfaPattern or None
        Colours at its origin.
    scale : sequence of float
        Level of the calibrated master flat (s0), one number or one a colour, DN.
    frames : int
        Flats in the master.

    Returns
    -------
    tuple of float
        One a colour: 1.4826 MAD of the flats' difference, and of that between neighbours, so that
        neither fixed pattern nor bands take part; ``/ (2 s0 sqrt(N))``.
    """
    cell = np.zeros((1, 1), np.uint8) if cfa is None else cfa.planes()
    period = len(cell)
    noise = []
    for colour in range(int(cell.max()) + 1):
        steps = []
        for y, x in np.argwhere(cell == colour):
            a = first[y::period, x::period].astype(np.float64)
            b = second[y::period, x::period].astype(np.float64)
            difference = a - b * (np.median(a) / max(float(np.median(b)), 1.0))
            steps.append(np.diff(difference, axis=1).ravel())
        sigma = _MAD_TO_SIGMA * float(np.median(np.abs(np.concatenate(steps))))
        level = scale[min(colour, len(scale) - 1)]
        noise.append(sigma / (2.0 * level * float(np.sqrt(frames))))
    return tuple(noise)
