"""Registration of many frames to one of them: the best, or the next best where that fails."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    threads: int = 1,
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
    threads : int, optional
        How many frames are registered at a time.

    Raises
    ------
    RegistrationError
        If no frame shows enough stars to be the reference.
    """
    if reference is not None:
        return _registered_to(reference, measurements, shapes, settings, threads)
    scores = reference_scores(measurements)
    order = [int(i) for i in np.argsort(-scores, kind="stable") if np.isfinite(scores[i])]
    if not order:
        raise RegistrationError(
            f"none of {len(measurements)} frames shows enough stars to be the registration"
            " reference",
            cause="the frames are no lights, out of focus, clouded, or too short",
            remedy="look at the frames; lower the detection threshold if there are stars",
        )
    best = _registered_to(order[0], measurements, shapes, settings, threads)
    for index in order[1:_ATTEMPTS]:
        if 2 * len(best.failed) < len(measurements):
            break
        attempt = _registered_to(index, measurements, shapes, settings, threads)
        best = min(best, attempt, key=lambda one: len(one.failed))
    return best


def _registered_to(
    reference: int,
    measurements: Sequence[Measurement],
    shapes: Sequence[tuple[int, int]],
    settings: RegistrationSettings,
    threads: int,
) -> Registered:
    """Register all frames to one, several at a time."""

    def work(index: int) -> Registration | RegistrationError:
        try:
            return register(
                measurements[index].stars,
                measurements[reference].stars,
                settings,
                shape=shapes[index],
                reference_shape=shapes[reference],
            )
        except RegistrationError as error:
            return error

    others = [index for index in range(len(measurements)) if index != reference]
    with ThreadPoolExecutor(threads, thread_name_prefix="registration") as pool:
        outcomes = dict(zip(others, pool.map(work, others), strict=True))
    found = {i: one for i, one in outcomes.items() if isinstance(one, Registration)}
    failed = {i: one for i, one in outcomes.items() if isinstance(one, RegistrationError)}
    return Registered(reference, found, failed)
