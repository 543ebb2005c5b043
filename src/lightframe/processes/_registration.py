"""Registration: the transform that brings a frame onto the reference, from their stars.

1. Triangles of bright stars propose similarities (`_star_matching`).
2. Each of the best is verified with all stars: pairs within a shrinking tolerance, freed from wrong
   pairs by RANSAC, refitted until the pairs no longer change.
3. What chance could have brought about is refused.
4. The final transform is a weighted least-squares fit of the richest model that the number and the
   spread of the pairs support.
"""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy
from pydantic import Field

from lightframe.errors import RegistrationError
from lightframe.processes._star_matching import (
    Candidate,
    agreeing_pairs,
    apply,
    candidates,
    chance_logarithm,
    matched_pairs,
)
from lightframe.processes._stars import StarTable
from lightframe.processes._transforms import MODELS, Fit, fit_transform
from lightframe.settings import OneOf, Settings

__all__ = ["Registration", "RegistrationSettings", "register"]

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

CHANCE_LIMIT = -10.0
"""log10 of the probability of a chance match above which it is refused: of the up to 1e5 proposals
of a frame less than one in 1e5 frames has a wrong one that passes."""

OVER_CHANCE = 3.0
"""At least so many times the pairs expected by chance: the best of many proposals in a dense field
has more than the average one."""

ERROR_LIMIT_PX = 0.2
"""A model is supported if its standard error is below this wherever the frames overlap."""

SMALLEST_SIGMA_PX = 0.03
"""Positions are never better than this: pixel response, distortion, air."""


class RegistrationSettings(Settings):
    """How frames are brought onto the reference."""

    model: Annotated[str, OneOf(MODELS)] = "projective"
    """Kind of transform."""

    min_pairs: Annotated[int, Field(ge=4, le=1000)] = 6
    """Fewest stars that frame and reference must have in common."""

    max_stars: Annotated[int, Field(ge=10, le=100_000)] = 3000
    """Only the brightest so many stars of each frame are matched."""

    tolerance_px: Annotated[float, Field(gt=0.0, le=50.0)] = 2.0
    """Stars of a pair may be apart by this many pixels of the reference after the transform."""

    max_scale: Annotated[float, Field(ge=1.0, le=10.0)] = 2.2
    """Largest ratio of the image scales of frame and reference, either way."""

    allow_mirrored: bool = False
    """Whether a mirror-inverted frame is registered; else it is refused with that reason."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the random samples of RANSAC; the same seed gives the same result."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How a frame lies on the reference.

    Attributes
    ----------
    transform : (3, 3) float64
        Frame pixel (x, y, 1) -> reference pixel; element [2, 2] is 1.
    model : str
        The kind of transform fitted.
    model_reason : str
        Why it is not the one asked for; empty if it is.
    inliers : int
        Pairs of stars that it was fitted to.
    rms_px : float
        Root mean square distance of these pairs in pixels of the reference.
    scale : float
        Pixels of the reference per pixel of the frame, at the middle of the frame.
    rotation_deg : float
        Rotation from frame to reference, -180..180, positive from x towards y; of a mirrored frame
        after mirroring x.
    shift_px : (float, float)
        How far the middle of the frame is moved in x and y.
    flipped : bool
        Whether it is rotated by more than 90 degrees, as after a meridian flip.
    mirrored : bool
        Whether it is mirror-inverted.
    overlap : float
        Part of the reference's area that the frame covers, 0..1.
    pairs : (inliers, 2) int array
        Rows of the star tables: frame, reference.
    """

    transform: Float64
    model: str
    model_reason: str
    inliers: int
    rms_px: float
    scale: float
    rotation_deg: float
    shift_px: tuple[float, float]
    flipped: bool
    mirrored: bool
    overlap: float
    pairs: Index


class _Field(NamedTuple):
    """Both star lists, brightest first."""

    p: Float64  # frame, (n, 2)
    q: Float64  # reference, (m, 2)
    tree: "scipy.spatial.cKDTree"  # of q
    p_variance: Float64
    q_variance: Float64
    shape: tuple[int, int]
    reference_shape: tuple[int, int]


class _Match(NamedTuple):
    """Pairs that a proposal has come to."""

    fit: Fit
    rows: Index
    columns: Index
    mirrored: bool
    tries: int  # stars of the frame that lie on the reference
    chance: float  # log10 of the probability of a chance match
    expected: float  # pairs expected by chance


def register(
    stars: StarTable,
    reference: StarTable,
    settings: RegistrationSettings,
    *,
    shape: tuple[int, int],
    reference_shape: tuple[int, int],
) -> Registration:
    """Find the transform from a frame to the reference.

    Parameters
    ----------
    stars, reference : StarTable
        Stars of both, brightest first.
    settings : RegistrationSettings
        Model, tolerances and limits.
    shape, reference_shape : (rows, columns)
        Sizes of both frames.

    Returns
    -------
    Registration
        Transform frame -> reference, and how good it is.

    Raises
    ------
    RegistrationError
        If there are too few stars, no common pattern, or the frame is mirrored.
    """
    for name, table in (("the frame", stars), ("the reference", reference)):
        if len(table) < settings.min_pairs:
            raise RegistrationError(
                f"only {len(table)} star{'s' * (len(table) != 1)} in {name}, "
                f"{settings.min_pairs} needed",
                cause="clouds, fog, wrong focus, a closed cover, or a short exposure",
                remedy="look at the frame; lower the detection threshold if it shows stars",
            )
    field = _field(stars, reference, settings, shape, reference_shape)
    best: _Match | None = None
    for mirrored in (False, True):
        match, found = _search(field, settings, mirrored=mirrored)
        if found and match is not None:
            if mirrored and not settings.allow_mirrored:
                raise RegistrationError(
                    f"is mirrored: {len(match.rows)} stars agree with the mirror image of the "
                    "reference",
                    cause="another optical path, a diagonal mirror, or a flip by the software",
                    remedy="flip the frame, or allow mirrored frames (allow_mirrored)",
                )
            return _finish(field, match, settings)
        if match is not None and (best is None or len(match.rows) > len(best.rows)):
            best = match
    agree, tries = (len(best.rows), best.tries) if best else (0, len(field.p))
    raise RegistrationError(
        f"no common pattern: best {agree} of {tries} stars agree",
        cause="another field of the sky, clouds, trailed stars, or a scale outside the limits",
        remedy="look at the frame; choose another reference, or a larger max_scale",
    )


def _field(
    stars: StarTable,
    reference: StarTable,
    settings: RegistrationSettings,
    shape: tuple[int, int],
    reference_shape: tuple[int, int],
) -> _Field:
    p, q = (
        np.stack((table.x, table.y), axis=1)[: settings.max_stars] for table in (stars, reference)
    )
    return _Field(
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
    return variance + np.where(stars.saturated, 0.3**2, 0.0)


def _search(
    field: _Field, settings: RegistrationSettings, *, mirrored: bool
) -> tuple[_Match | None, bool]:
    """Return the first match that is no chance, or the one with most pairs, and whether it is."""
    best: _Match | None = None
    limits = 1 / settings.max_scale, settings.max_scale
    for proposals in candidates(field.p, field.q, mirrored=mirrored, scales=limits):
        for candidate in proposals:
            try:
                match = _verify(field, candidate, settings, mirrored=mirrored)
            except np.linalg.LinAlgError:  # its stars lie on a line: not a proposal after all
                continue
            if match is None:
                continue
            if _is_certain(match, settings):
                return match, True
            if best is None or len(match.rows) > len(best.rows):
                best = match
    return best, False


def _is_certain(match: _Match, settings: RegistrationSettings) -> bool:
    """Tell whether a match has enough pairs, and more than chance would give."""
    return (
        len(match.rows) >= settings.min_pairs
        and len(match.rows) >= OVER_CHANCE * match.expected
        and match.chance < CHANCE_LIMIT
    )


def _verify(
    field: _Field, candidate: Candidate, settings: RegistrationSettings, *, mirrored: bool
) -> _Match | None:
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
    field: _Field, fit: Fit, settings: RegistrationSettings, *, mirrored: bool
) -> _Match | None:
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
        fit = _fit(field, rows, columns, _affordable(settings.model, len(rows)), mirrored=mirrored)
    return _judge(field, fit, rows, columns, mirrored=mirrored)


def _affordable(model: str, pairs: int) -> str:
    """Return the richest model up to `model` with twice as many pairs as it needs at least."""
    while MODELS[model].fewest_pairs * 2 > pairs and MODELS[model].simpler not in (None, "shift"):
        model = MODELS[model].simpler or model
    return model


def _fit(field: _Field, rows: Index, columns: Index, model: str, *, mirrored: bool) -> Fit:
    """Fit with the weights of both positions, twice: the second time without outliers' weight."""
    weights = 1.0 / (field.p_variance[rows] + field.q_variance[columns])
    p, q = field.p[rows], field.q[columns]
    fit = fit_transform(model, p, q, weights, mirrored=mirrored)
    distance = np.hypot(*fit.residuals.T)
    scale = max(float(np.median(distance)) / 1.1774, 1e-6)
    robust = weights / np.maximum(1.0, distance / (2.5 * scale)) ** 2
    return fit_transform(model, p, q, robust, mirrored=mirrored)


def _judge(field: _Field, fit: Fit, rows: Index, columns: Index, *, mirrored: bool) -> _Match:
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
    return _Match(fit, rows, columns, mirrored, tries, chance, expected)


def _finish(field: _Field, match: _Match, settings: RegistrationSettings) -> Registration:
    """Fit the richest supported model and describe the result."""
    fit, reason = _supported(field, match, settings)
    height, width = field.shape
    centre = np.array([[(width - 1) / 2, (height - 1) / 2]])
    middle = apply(fit.transform, centre)[0]
    dx, dy = (apply(fit.transform, centre + step)[0] - middle for step in ([0.5, 0], [0, 0.5]))
    jacobian = 2 * np.stack((dx, dy), axis=1)
    if match.mirrored:
        jacobian = jacobian @ np.diag([-1.0, 1.0])
    rotation = np.degrees(
        np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])
    )
    distance = np.hypot(*fit.residuals.T)
    return Registration(
        transform=fit.transform,
        model=fit.model,
        model_reason=reason,
        inliers=len(match.rows),
        rms_px=float(np.sqrt(np.mean(distance**2))),
        scale=float(np.sqrt(abs(np.linalg.det(jacobian)))),
        rotation_deg=float(rotation),
        shift_px=(float(middle[0] - centre[0, 0]), float(middle[1] - centre[0, 1])),
        flipped=bool(abs(rotation) > 90),
        mirrored=match.mirrored,
        overlap=float(_overlap(field, fit.transform)[0].mean()),
        pairs=np.stack((match.rows, match.columns), axis=1),
    )


def _overlap(field: _Field, transform: Float64) -> tuple[npt.NDArray[np.bool_], Float64]:
    """Return which points of a grid on the reference the frame covers, and their frame pixels."""
    height, width = field.reference_shape
    x, y = np.meshgrid(np.linspace(0, width - 1, 33), np.linspace(0, height - 1, 33))
    grid = np.stack((x.ravel(), y.ravel()), axis=1)
    there = apply(np.linalg.inv(transform).astype(np.float64), grid)
    limit = np.array([field.shape[1] - 0.5, field.shape[0] - 0.5])
    return np.asarray(((there > -0.5) & (there < limit)).all(axis=1)), there


def _supported(field: _Field, match: _Match, settings: RegistrationSettings) -> tuple[Fit, str]:
    """Fit the model asked for, or a simpler one where the pairs do not determine it."""
    model: str = settings.model
    reason = ""
    while True:
        needed, simpler = MODELS[model].fewest_pairs, MODELS[model].simpler
        if len(match.rows) < needed and simpler is not None:
            reason = f"{len(match.rows)} pairs, a {model} transform needs {needed}"
            model = simpler
            continue
        fit = _fit(field, match.rows, match.columns, model, mirrored=match.mirrored)
        if simpler in (None, "shift"):
            return fit, reason
        covered, points = _overlap(field, fit.transform)
        sigma = max(float(np.median(np.hypot(*fit.residuals.T))) / 1.1774, SMALLEST_SIGMA_PX)
        error = float(fit.error_at(points[covered], sigma).max(initial=0.0))
        if error < ERROR_LIMIT_PX:
            return fit, reason
        reason = (
            f"{len(match.rows)} pairs leave a {model} transform uncertain by {error:.1f} px "
            "at the edge"
        )
        model = simpler or model
