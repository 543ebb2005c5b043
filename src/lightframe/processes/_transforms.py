"""Plane transforms fitted to pairs of points: shift, similarity, affine, projective."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.processes._star_matching import apply
from lightframe.tables import Table

__all__ = ["MODELS", "Fit", "Model", "fit_transform"]


ITERATIONS = 12
"""Gauss-Newton steps for a projective transform at most; three are usual."""


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of transform.

    Parameters
    ----------
    parameters : int
        Degrees of freedom.
    fewest_pairs : int
        Fewest pairs of stars it is fitted to.
    simpler : str or None
        The model to fall back to.
    """

    parameters: int
    fewest_pairs: int
    simpler: str | None


MODELS: Table[Model] = Table("registration model")
"""The transforms by name, from the simplest."""

MODELS.enter("shift", "shift only", Model(2, 2, None))
MODELS.enter("similarity", "shift, rotation, and scale", Model(4, 3, "shift"))
MODELS.enter("affine", "shift, rotation, scale, and shear", Model(6, 6, "similarity"))
MODELS.enter(
    "projective",
    "8 parameters, right for two views of a plane; falls back to a simpler model where the stars "
    "are too few or badly spread",
    Model(8, 8, "affine"),
)


def _generators(model: str, *, mirrored: bool) -> Float64:
    """Return the (n, 3, 3) matrices whose multiples are added to a transform of this kind."""
    unit = np.eye(9).reshape(9, 3, 3)
    if model == "shift":
        return unit[[2, 5]]
    if model == "similarity":
        sign = -1.0 if mirrored else 1.0
        turn = unit[3] - sign * unit[1]
        return np.stack((unit[0] + sign * unit[4], turn, unit[2], unit[5]))
    return unit[: MODELS[model].parameters]


def _jacobian(
    generators: Float64, transform: Float64, points: Float64, factors: Float64 | float = 1.0
) -> Float64:
    """Return the derivatives (2, parameters, n) of the mapped points by the parameters.

    Those of each point are multiplied by its factor. Points come last, for NumPy's long loops, and
    what is computed stays in one array: fresh memory would take longer than the arithmetic.
    """
    homogeneous = np.vstack((points.T, np.ones(len(points))))
    mapped = transform @ homogeneous
    mapped[:2] /= mapped[2]
    homogeneous *= factors / mapped[2]
    columns = generators.transpose(1, 0, 2).reshape(-1, 3) @ homogeneous
    jacobian = columns.reshape(3, len(generators), -1)
    for moved, position in zip(jacobian[:2], mapped[:2], strict=True):
        for parameter in range(len(generators)):
            moved[parameter] -= position * jacobian[2, parameter]
    return jacobian[:2]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted transform and what it takes to say how certain it is."""

    model: str
    transform: Float64
    residuals: Float64
    """Reference minus mapped position, (n, 2), in pixels of the reference."""
    _normalised: Float64
    _generators: Float64
    _covariance: Float64
    _frame: tuple[Float64, float]

    def error_at(self, points: Float64, sigma: float) -> Float64:
        """Return the standard error of mapped points for stars whose positions err by `sigma`.

        Both in pixels of the reference; `sigma` is that of a star of weight 1.
        """
        centre, size = self._frame
        jacobian = _jacobian(self._generators, self._normalised, (points - centre) / size)
        variance = sum(np.sum(self._covariance @ part * part, axis=0) for part in jacobian)
        error: Float64 = sigma * np.sqrt(np.maximum(variance, 0.0))
        return error


def fit_transform(
    model: str, frame: Float64, reference: Float64, weights: Float64, *, mirrored: bool = False
) -> Fit:
    """Fit a transform to pairs of points by weighted least squares.

    Parameters
    ----------
    model : str
        Name in `MODELS`.
    frame, reference : (n, 2) float64
        Pairs of positions x, y.
    weights : (n,) float64
        Inverse variances, in any unit.
    mirrored : bool
        Whether a similarity includes a reflection.

    Returns
    -------
    Fit
        The transform frame -> reference.

    Raises
    ------
    ValueError
        With fewer pairs than the model needs.
    numpy.linalg.LinAlgError
        If the points do not determine the transform, e.g. all on one line.
    """
    if len(frame) < MODELS[model].fewest_pairs:
        raise ValueError(f"{len(frame)} pairs for a {model} transform")
    # Coordinates of order 1 about the centres keep the normal equations well conditioned.
    centre_p = np.average(frame, axis=0, weights=weights)
    centre_q = np.average(reference, axis=0, weights=weights)
    size = float(np.sqrt(np.mean((frame - centre_p) ** 2))) or 1.0
    p, q = (frame - centre_p) / size, (reference - centre_q) / size
    transform = np.eye(3) if model == "shift" else np.diag([0.0, 0.0, 1.0])
    kinds = ["affine", "projective"] if model == "projective" else [model]
    root = np.sqrt(weights / weights.mean())
    for kind in kinds:
        generators = _generators(kind, mirrored=mirrored)
        for _ in range(ITERATIONS if kind == "projective" else 1):
            jacobian = _jacobian(generators, transform, p, root)
            residuals = (q - apply(transform, p)).T * root
            normal = sum(part @ part.T for part in jacobian)
            gradient = sum(part @ left for part, left in zip(jacobian, residuals, strict=True))
            step = np.linalg.solve(normal, gradient)
            transform = transform + np.tensordot(step, generators, axes=1)
            if np.abs(step).max() < 1e-13:  # noqa: PLR2004  (coordinates are of order 1)
                break
    covariance = np.linalg.inv(normal)
    there = np.array([[1, 0, -centre_p[0]], [0, 1, -centre_p[1]], [0, 0, size]]) / size
    back = np.array([[size, 0, centre_q[0]], [0, size, centre_q[1]], [0, 0, 1]])
    whole = back @ transform @ there
    whole = whole / whole[2, 2]
    return Fit(
        model, whole, reference - apply(whole, frame), transform, generators, covariance,
        (centre_p, size),
    )  # fmt: skip
