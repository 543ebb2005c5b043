"""Registration of many frames to one of them: the best, or the next best where that fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lightframe.errors import RegistrationError
from lightframe.processes import (
    Measurement,
    Registration,
    RegistrationSettings,
    reference_scores,
    register,
)

__all__ = ["Registered", "register_all"]

_ATTEMPTS = 3
"""References that are tried where more than half of the frames cannot be registered."""


@dataclass(frozen=True, slots=True)
class Registered:
    """How frames lie on one of them; frames are told by their index.

    Attributes
    ----------
    reference : int
        The frame whose grid is kept.
    found : dict of int to Registration
        Those that could be registered, the reference apart.
    failed : dict of int to RegistrationError
        The others.
    """

    reference: int
    found: Mapping[int, Registration] = field(default_factory=dict)
    failed: Mapping[int, RegistrationError] = field(default_factory=dict)


def register_all(
    measurements: Sequence[Measurement],
    shapes: Sequence[tuple[int, int]],
    settings: RegistrationSettings,
    *,
    reference: int | None = None,
) -> Registered:
    """Register frames to one of them.

    Where more than half of the frames fail, the next best reference is tried; the one that brings
    the most frames is kept.

    Parameters
    ----------
    measurements : sequence of Measurement
        Stars of each frame.
    shapes : sequence of tuple of int
        Rows and columns of each frame.
    settings : RegistrationSettings
        How stars are matched, and what is fitted.
    reference : int, optional
        The frame to register to, whatever comes of it.

    Raises
    ------
    RegistrationError
        If no frame shows enough stars to be the reference.
    """
    if reference is not None:
        return _registered_to(reference, measurements, shapes, settings)
    scores = reference_scores(measurements)
    order = [int(i) for i in np.argsort(-scores, kind="stable") if np.isfinite(scores[i])]
    if not order:
        raise RegistrationError(
            f"none of {len(measurements)} frames shows enough stars to be the registration"
            " reference",
            cause="the frames are no lights, out of focus, clouded, or too short",
            remedy="look at the frames; lower the detection threshold if there are stars",
        )
    best = _registered_to(order[0], measurements, shapes, settings)
    for index in order[1:_ATTEMPTS]:
        if 2 * len(best.failed) < len(measurements):
            break
        attempt = _registered_to(index, measurements, shapes, settings)
        best = min(best, attempt, key=lambda one: len(one.failed))
    return best


def _registered_to(
    reference: int,
    measurements: Sequence[Measurement],
    shapes: Sequence[tuple[int, int]],
    settings: RegistrationSettings,
) -> Registered:
    found: dict[int, Registration] = {}
    failed: dict[int, RegistrationError] = {}
    for index, measurement in enumerate(measurements):
        if index == reference:
            continue
        try:
            found[index] = register(
                measurement.stars,
                measurements[reference].stars,
                settings,
                shape=shapes[index],
                reference_shape=shapes[reference],
            )
        except RegistrationError as error:
            failed[index] = error
    return Registered(reference, found, failed)
