"""Proposals of a registration verified: pairs of stars, refitted until they no longer change."""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.arrays import Float64
from lightframe.processes._registration_settings import RegistrationSettings
from lightframe.processes._star_matching import (
    Candidate,
    agreeing_pairs,
    apply,
    chance_logarithm,
    matched_pairs,
)
from lightframe.processes._star_table import StarTable
from lightframe.processes._transforms import MODELS, Fit, fit_transform

__all__ = ["SMALLEST_SIGMA_PX", "Match", "StarLists", "fit_pairs", "star_lists", "verify"]

Index = npt.NDArray[np.intp]

SMALLEST_SIGMA_PX = 0.03
"""Positions are never better than this: pixel response, distortion, air."""

SATURATED_SIGMA_PX = 0.3
"""What saturation adds to the error of a position, whatever the radius r of the saturated core.

Simulated symmetric stars of FWHM 2 to 5 px have errors below 0.05 px rms. Real stars are not
symmetric: of frames clipped at 1/2 to 1/33 of their bright stars, two disagree per star and axis by
0.05 px at r = 1.6 px and 0.3 to 0.5 px at 5 px (M 13, FWHM 3.6 px), and by 0.1 to 0.2 px at 2 to
4 px (a Bayer sensor, FWHM 2.2 px). Errors of 0.03 r or 0.02 r^2 / sigma instead bring simulated
transforms 7 % (at most 0.002 px) nearer to the truth, but stars of M 13 kept out of the fit agree
less, by up to 5 %; 0.06 r changes 4 % and 1 %. Anything from 0.2 to 0.5 px serves as well.
"""


class StarLists(NamedTuple):
    """Both star lists, brightest first."""

    p: Float64  # frame, (n, 2)
    q: Float64  # reference, (m, 2)
    tree: "scipy.spatial.cKDTree"  # of q
    p_variance: Float64
    q_variance: Float64
    shape: tuple[int, int]
    reference_shape: tuple[int, int]


class Match(NamedTuple):
    """Pairs that a proposal has come to."""

    fit: Fit
    rows: Index
    columns: Index
    mirrored: bool
    tries: int  # stars of the frame that lie on the reference
    chance: float  # log10 of the probability of a chance match
    expected: float  # pairs expected by chance


def star_lists(
    stars: StarTable,
    reference: StarTable,
    settings: RegistrationSettings,
    shape: tuple[int, int],
    reference_shape: tuple[int, int],
) -> StarLists:
    p, q = (
        np.stack((table.x, table.y), axis=1)[: settings.max_stars] for table in (stars, reference)
    )
    return StarLists(
        p,
        q,
        scipy.spatial.cKDTree(q),
        _variance(stars)[: settings.max_stars],
        _variance(reference)[: settings.max_stars],
        shape,
        reference_shape,
    )


def _variance(stars: StarTable) -> Float64:
    """Return the variance of positions in px^2, per axis: (sigma / snr)^2 and a floor."""
    sigma = np.nan_to_num(stars.fwhm_px, nan=4.0) / 2.3548
    variance: Float64 = SMALLEST_SIGMA_PX**2 + (sigma / np.maximum(stars.snr, 1.0)) ** 2
    return variance + np.where(stars.saturated, SATURATED_SIGMA_PX**2, 0.0)


def verify(
    field: StarLists, candidate: Candidate, settings: RegistrationSettings, *, mirrored: bool
) -> Match | None:
    """Pair and refit until nothing changes; first the stars of the triangles, then all."""
    rng = np.random.default_rng(settings.seed)
    transform = candidate.transform
    short = min(candidate.stars[0], 150), min(candidate.stars[1], 150)
    tolerance = settings.tolerance_px
    tree = scipy.spatial.cKDTree(field.q[: short[1]])
    start = "similarity" if settings.model != "shift" else "shift"
    for wide in (5.0, 2.5):
        rows, columns, _ = matched_pairs(
            apply(transform, field.p[: short[0]]), tree, wide * tolerance
        )
        if len(rows) < MODELS["similarity"].fewest_pairs + 1:
            return None
        keep = agreeing_pairs(
            field.p[rows], field.q[columns], wide / 2 * tolerance, rng, mirrored=mirrored
        )
        if keep.sum() < MODELS["similarity"].fewest_pairs:
            return None
        fit = fit_transform(
            start, field.p[rows[keep]], field.q[columns[keep]], np.ones(keep.sum()),
            mirrored=mirrored,
        )  # fmt: skip
        transform = fit.transform
    return _refine(field, fit, settings, mirrored=mirrored)


def _refine(
    field: StarLists, fit: Fit, settings: RegistrationSettings, *, mirrored: bool
) -> Match | None:
    """Pair all stars and refit with richer models until the pairs no longer change."""
    tolerance = settings.tolerance_px
    rows = columns = np.empty(0, np.intp)
    for step in range(12):
        found, partners, distance = matched_pairs(
            apply(fit.transform, field.p), field.tree, tolerance * (1.5 if step < 2 else 1.0)
        )
        if step >= 2 and len(found):
            # Right pairs scatter about zero, chance pairs fill the tolerance.
            limit = max(5.0 * float(np.median(distance)), 0.4)
            found, partners = found[distance < limit], partners[distance < limit]
        if len(found) < MODELS["similarity"].fewest_pairs:
            return None
        same = len(found) == len(rows) and np.array_equal(found, rows)
        if step > 3 and same and np.array_equal(partners, columns):
            break
        rows, columns = found, partners
        fit = fit_pairs(
            field, rows, columns, _affordable(settings.model, len(rows)), mirrored=mirrored
        )
    return _judge(field, fit, rows, columns, mirrored=mirrored)


def _affordable(model: str, pairs: int) -> str:
    """Return the richest model up to `model` with twice as many pairs as it needs at least."""
    while MODELS[model].fewest_pairs * 2 > pairs and MODELS[model].simpler not in (None, "shift"):
        model = MODELS[model].simpler or model
    return model


def fit_pairs(field: StarLists, rows: Index, columns: Index, model: str, *, mirrored: bool) -> Fit:
    """Fit with the weights of both positions, twice: the second time without outliers' weight."""
    weights = 1.0 / (field.p_variance[rows] + field.q_variance[columns])
    p, q = field.p[rows], field.q[columns]
    fit = fit_transform(model, p, q, weights, mirrored=mirrored)
    distance = np.hypot(*fit.residuals.T)
    scale = max(float(np.median(distance)) / 1.1774, 1e-6)
    robust = weights / np.maximum(1.0, distance / (2.5 * scale)) ** 2
    return fit_transform(model, p, q, robust, mirrored=mirrored)


def _judge(field: StarLists, fit: Fit, rows: Index, columns: Index, *, mirrored: bool) -> Match:
    """Compare the number of pairs with what chance would give."""
    mapped = apply(fit.transform, field.p)
    height, width = field.reference_shape
    on = (
        (mapped[:, 0] > -0.5)
        & (mapped[:, 0] < width - 0.5)
        & (mapped[:, 1] > -0.5)
        & (mapped[:, 1] < height - 0.5)
    )
    tries = max(int(on.sum()), len(rows))
    reach = max(float(np.hypot(*fit.residuals.T).max(initial=0.0)), 0.1)
    # Decoys: the same stars moved aside by more than the tolerance, where only chance pairs them.
    counts = []
    for angle in np.arange(8) * np.pi / 4:
        aside = 6 * reach * np.array([np.cos(angle), np.sin(angle)])
        counts.append(len(matched_pairs(mapped + aside, field.tree, reach)[0]))
    uniform = len(field.q) * np.pi * reach**2 / (height * width)
    expected = max(float(np.mean(counts)), uniform * tries)
    free = max(MODELS[fit.model].parameters // 2, 3)
    chance = chance_logarithm(len(rows), free, tries, min(expected / tries, 1.0))
    return Match(fit, rows, columns, mirrored, tries, chance, expected)
