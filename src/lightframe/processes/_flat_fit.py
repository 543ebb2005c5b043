"""How much of a calibrated light follows its flat (T1): over- and under-correction in numbers.

Vignetting alone would not do to find it: the glow of a galaxy in the middle of the field follows it
as well. So it is measured twice. *Fine*: in each small tile, the pixels are compared with their own
sensitivity and with the dust shadows, which no nebula knows of. *Broad*: tiles of the background
against ``1 / V`` and a tilted plane, only where the background shows nothing else.

The noise of the flat, which is in ``1 / V`` and, with the opposite sign, in the light, would look
like over-correction; that of a bias that was subtracted from lights and flats alike would look like
under-correction. How much there is of both is known from differences of single frames and from what
their combination makes of noise, and is taken off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._background_tiles import BackgroundTiles, FlatProbe

__all__ = ["FlatFit", "flat_fit"]

_Mask = npt.NDArray[np.bool_]

_TERMS = 4
_ROUNDS = 6
_HIGH, _LOW = 2.5, 4.0
"""Tiles above the fit by this many sigma hold a nebula, tiles below it something else."""
_BLOCKS = 4
_LEAST_TILES = 60
_PLANE_TERMS = 3
"""A tilted plane, which is taken off in each tile, takes its share of the noise with it."""
_SHARED_ERROR = 0.5
"""Relative error of what a shared bias does: the scaled dark gives some of its noise back."""
_CLIPPED = 0.994
"""What is left of a covariance when one of two Gaussians is clipped at 3.5 sigma."""
_LEAST_SIGNAL = 0.15
"""Least share of the variance of the flat's pixels that is not the flat's noise."""
_NOISE_ERROR = 0.015
"""Relative error of the variance of the flat's noise."""
_GROUPS = (0.6, 0.9)
"""Where tiles are divided by the structure of the flat in them."""
_LEAST_GROUP = 12
_EVEN_SHARE = 0.9
_EVEN_SCATTER = 1.7
_LEAST_LEVERAGE = 0.003
_EVEN_SKY = 0.001
"""Curvature of a cloudless sky without nebulae, as a part of its brightness (rms)."""


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
    pixel_share : float
        Share of what q rests on that is the sensitivity of single pixels, which may depend on the
        colour of the light; the rest is dust and vignetting, which do not.
    """

    q_dn: float
    sigma_dn: float
    common_dn: float
    level_dn: float
    leverage: float
    pixel_share: float = 1.0


@dataclass(frozen=True, slots=True)
class _Term:
    """One measurement of q, in one colour."""

    q: float
    sigma: float
    common: float
    level: float
    pixel_share: float = 0.0


def flat_fit(
    tiles: BackgroundTiles,
    products: Float64,
    probe: FlatProbe,
    shared_dn: Sequence[float] | None = None,
) -> FlatFit | None:
    """Measure how much of a calibrated light follows the reciprocal of its flat.

    Parameters
    ----------
    tiles : BackgroundTiles
        Of the light, DN.
    products : ndarray of float64, shape (colours, n, 8)
        From `flat_products`.
    probe : FlatProbe
        The flat. Where its noise is unknown, single pixels are not asked.
    shared_dn : sequence of float, optional
        Variance of the bias that was subtracted from lights and flats alike, over the level of the
        flat, times the part of the bias that the light has lost: one a colour, DN.

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
            shared = 0.0 if shared_dn is None else shared_dn[min(colour, len(shared_dn) - 1)]
            reciprocal = probe.flat_levels[0][channel, :, plane]
            terms.append(_fine(products[colour], reciprocal, noise, shared))
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
        pixel_share=float(weights @ [term.pixel_share for term in found]) / total,
    )


def _fine(
    products: Float64, reciprocal: Float32, flat_noise: float, shared_dn: float
) -> _Term | None:
    """Regress pixels on the reciprocal of their flat, and on their dark, within small tiles.

    Least squares with weights of 1 / variance of the tile. The noise of the flat, of variance ``v``
    where the flat is 1 and growing as ``1 / V``, adds ``-S g^2 v`` to the products c g and
    ``g^3 v`` to g g, S being the level without the fault; both are taken off. The noise of a bias
    that both share adds ``-g^3 shared`` to c g. The dark takes part so that what is left of it, in
    light and flat, is not taken for the flat. The error is that of a sum over tiles.
    """
    used = np.isfinite(products[:, 1]) & (products[:, 1] > 0) & np.isfinite(reciprocal)
    if used.sum() < _LEAST_TILES:
        return None
    count, cc, cg, gg, cd, gd, dd, level = products[used].T
    g = reciprocal[used].astype(float)
    weight = count / cc
    structure = gg / count
    free = count - _PLANE_TERMS
    noise = weight * free * g * g * flat_noise**2
    cg, gg, cd, gd, dd = (weight * term for term in (cg, gg, cd, gd, dd))
    shared = weight * free * g**3 * shared_dn
    own, below = cg - _CLIPPED * (noise * level - shared), gg - noise * g
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
    common = float(np.hypot(common, _SHARED_ERROR * abs(float(shared.sum())) / total))
    statistical = float(np.sqrt(rest @ rest)) / total
    statistical *= _disagreement(own - through * cd, below - through * gd, rest, q, structure)
    sigma = float(np.hypot(statistical, common))
    return _Term(q, sigma, common, float(np.median(level)), _share_of_pixels(below))


def _share_of_pixels(signal: Float64) -> float:
    """Return how much of the flat's structure every tile has: what is more is dust."""
    usual = float(np.median(signal))
    return float(np.clip(np.minimum(signal, usual).sum() / signal.sum(), 0.0, 1.0))


def _disagreement(
    above: Float64, below: Float64, rest: Float64, q: float, structure: Float64
) -> float:
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


def _broad(tiles: BackgroundTiles, colour: int, inverse: Float64) -> _Term | None:
    """Fit the background with a tilted plane and the reciprocal of the flat.

    Only where that is all there is: few tiles are brighter than the fit, and the others scatter
    around it by little more than the noise of their medians.
    """
    values = tiles.values[colour].astype(float)
    known = np.isfinite(values) & np.isfinite(inverse)
    known[:1] = known[-1:] = False
    known[:, :1] = known[:, -1:] = False
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


def _solve(design: Float64, values: Float64) -> Float64:
    return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0])


def _without_objects(design: Float64, values: Float64, known: _Mask, noise: float) -> _Mask:
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
        spread = max(MAD_TO_SIGMA * float(np.median(-below)), noise)
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


def _block_error(design: Float64, values: Float64, used: _Mask) -> float:
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
