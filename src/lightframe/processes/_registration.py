"""Registration: the transform that brings a frame onto the reference, from their stars.

1. Triangles of bright stars propose similarities (`_star_matching`).
2. Each of the best is verified with all stars (`_registration_pairs`): pairs within a shrinking
   tolerance, freed from wrong pairs by RANSAC, refitted until the pairs no longer change.
3. What chance could have brought about is refused.
4. The final transform is a weighted least-squares fit of the richest model that the number and the
   spread of the pairs support.
"""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float64
from lightframe.errors import RegistrationError
from lightframe.processes._registration_pairs import (
    SMALLEST_SIGMA_PX,
    Match,
    StarLists,
    fit_pairs,
    star_lists,
    verify,
)
from lightframe.processes._registration_settings import RegistrationSettings
from lightframe.processes._star_matching import apply, candidates
from lightframe.processes._star_table import StarTable
from lightframe.processes._transforms import MODELS, Fit

__all__ = ["Registration", "register"]

Index = npt.NDArray[np.intp]

CHANCE_LIMIT = -10.0
"""log10 of the probability of a chance match above which it is refused: of the up to 1e5 proposals
of a frame less than one in 1e5 frames has a wrong one that passes."""

OVER_CHANCE = 3.0
"""At least so many times the pairs expected by chance: the best of many proposals in a dense field
has more than the average one."""

ERROR_LIMIT_PX = 0.2
"""A model is supported if its standard error is below this wherever the frames overlap."""


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
    field = star_lists(stars, reference, settings, shape, reference_shape)
    best: Match | None = None
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


def _search(
    field: StarLists, settings: RegistrationSettings, *, mirrored: bool
) -> tuple[Match | None, bool]:
    """Return the first match that is no chance, or the one with most pairs, and whether it is."""
    best: Match | None = None
    limits = 1 / settings.max_scale, settings.max_scale
    for proposals in candidates(field.p, field.q, mirrored=mirrored, scales=limits):
        for candidate in proposals:
            try:
                match = verify(field, candidate, settings, mirrored=mirrored)
            except np.linalg.LinAlgError:  # its stars lie on a line: not a proposal after all
                continue
            if match is None:
                continue
            if _is_certain(match, settings):
                return match, True
            if best is None or len(match.rows) > len(best.rows):
                best = match
    return best, False


def _is_certain(match: Match, settings: RegistrationSettings) -> bool:
    """Tell whether a match has enough pairs, and more than chance would give."""
    return (
        len(match.rows) >= settings.min_pairs
        and len(match.rows) >= OVER_CHANCE * match.expected
        and match.chance < CHANCE_LIMIT
    )


def _finish(field: StarLists, match: Match, settings: RegistrationSettings) -> Registration:
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
        overlap=_covered_part(field, fit.transform),
        pairs=np.stack((match.rows, match.columns), axis=1),
    )


def _overlap(field: StarLists, transform: Float64) -> tuple[npt.NDArray[np.bool_], Float64]:
    """Return which points of a grid on the reference the frame covers, and their frame pixels."""
    height, width = field.reference_shape
    x, y = np.meshgrid(np.linspace(0, width - 1, 33), np.linspace(0, height - 1, 33))
    grid = np.stack((x.ravel(), y.ravel()), axis=1)
    there = apply(np.linalg.inv(transform).astype(np.float64), grid)
    limit = np.array([field.shape[1] - 0.5, field.shape[0] - 0.5])
    return np.asarray(((there > -0.5) & (there < limit)).all(axis=1)), there


def _covered_part(field: StarLists, transform: Float64) -> float:
    """Return the part of the reference's area that lies within the frame's outline."""
    height, width = field.shape
    rows, columns = field.reference_shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    outline = apply(transform, corners)
    for axis, size in ((0, columns), (1, rows)):
        outline = _beyond(outline[:, axis] + 0.5, outline)
        outline = _beyond(size - 0.5 - outline[:, axis], outline)
    x, y = outline.T
    area = 0.5 * abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)))
    return area / (columns * rows)


def _beyond(distance: Float64, outline: Float64) -> Float64:
    """Cut a convex outline along the line on which the signed distance of its corners is zero."""
    kept = []
    for index, corner in enumerate(outline):
        here, there = distance[index - 1], distance[index]
        if here * there < 0:
            before = outline[index - 1]
            kept.append(before + (corner - before) * here / (here - there))
        if there >= 0:
            kept.append(corner)
    return np.array(kept, dtype=np.float64).reshape(-1, 2)


def _supported(field: StarLists, match: Match, settings: RegistrationSettings) -> tuple[Fit, str]:
    """Fit the model asked for, or a simpler one where the pairs do not determine it."""
    model: str = settings.model
    reason = ""
    while True:
        needed, simpler = MODELS[model].fewest_pairs, MODELS[model].simpler
        if len(match.rows) < needed and simpler is not None:
            reason = f"{len(match.rows)} pairs, a {model} transform needs {needed}"
            model = simpler
            continue
        fit = fit_pairs(field, match.rows, match.columns, model, mirrored=match.mirrored)
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
