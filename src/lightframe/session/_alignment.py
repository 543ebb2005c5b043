"""Registration of the lights of one field, and the scale of each relative to its group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.errors import RegistrationError
from lightframe.processes import (
    FrameStatistics,
    PhotometricScale,
    Registration,
    by_brightness,
    photometric_scale,
)
from lightframe.session._context import Context
from lightframe.session._lights import MeasuredLight
from lightframe.session._registering import register_all

__all__ = [
    "AlignedLight",
    "align",
    "brightness",
    "comparable_statistics",
    "reference_of",
]


@dataclass(frozen=True, slots=True)
class AlignedLight:
    """A light that can be brought onto the reference's grid.

    Attributes
    ----------
    light : MeasuredLight
        The light.
    transform : ndarray of float64, shape (3, 3)
        Its pixels -> the reference's pixels.
    registration : Registration or None
        How it was found; None for the reference itself.
    """

    light: MeasuredLight
    transform: npt.NDArray[np.float64]
    registration: Registration | None

    @property
    def inverse(self) -> npt.NDArray[np.float64]:
        """The reference's pixels -> its pixels."""
        return np.asarray(np.linalg.inv(self.transform), np.float64)

    @property
    def is_reference(self) -> bool:
        """Whether its grid is that of the results."""
        return self.registration is None


def align(lights: Sequence[MeasuredLight], context: Context) -> list[AlignedLight]:
    """Register all lights of one field, whatever their filters, to the best of them.

    A light that cannot be registered is set aside with the reason; all of them are, if none shows
    enough stars to be the reference. See `register_all`.

    Returns
    -------
    list of AlignedLight
        The reference is among them, if there are any.
    """
    if not lights:
        return []
    with context.progress.step("Registering lights", len(lights)) as advance:
        try:
            registered = register_all(
                [light.measurement for light in lights],
                [_shape(light) for light in lights],
                context.settings.registration,
                threads=context.threads,
            )
        except RegistrationError as error:
            for light in lights:
                context.exclude(light.info.path, f"cannot be registered: {error.what}")
            return []
        advance(len(lights))
    for index, failure in registered.failed.items():
        context.exclude(lights[index].info.path, f"cannot be registered: {failure.what}")
    return [
        AlignedLight(light, np.eye(3), None)
        if index == registered.reference
        else AlignedLight(light, registered.found[index].transform, registered.found[index])
        for index, light in enumerate(lights)
        if index not in registered.failed
    ]


def _shape(light: MeasuredLight) -> tuple[int, int]:
    calibration = light.treatment.calibration
    return calibration.height, calibration.width


def reference_of(lights: Sequence[AlignedLight]) -> int:
    """Return which light of a group the others are normalized to.

    That which defines the grid, or where it is not of this group, the one with the least noise.
    """
    return next(
        (index for index, aligned in enumerate(lights) if aligned.is_reference),
        int(np.argmin([np.mean(aligned.light.statistics.noise) for aligned in lights])),
    )


def comparable_statistics(
    lights: Sequence[AlignedLight], context: Context
) -> tuple[int, list[FrameStatistics]]:
    """Return the group's reference for normalization, and statistics to normalize by.

    The reference is that of `reference_of`. The scale of a light is the brightness of its stars
    relative to the reference's, so that lights of different exposure or transparency agree on the
    stars; where too few stars are shared, the spread of the background of all lights is used.
    """
    statistics = [aligned.light.statistics for aligned in lights]
    reference = reference_of(lights)
    if not context.settings.photometric_scale:
        return reference, statistics
    ratios = brightness(lights, reference)
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < len(ratios):
        context.progress.message(
            "too few stars in common: scales are taken from the spread of the backgrounds"
        )
        return reference, statistics
    return reference, [by_brightness(s, r) for s, r in zip(statistics, known, strict=True)]


def brightness(lights: Sequence[AlignedLight], reference: int) -> list[PhotometricScale | None]:
    """Return each light's brightness relative to one of them; None where it is unknown."""
    chosen = lights[reference]
    ratios: list[PhotometricScale | None] = []
    for aligned in lights:
        if aligned is chosen:
            ratios.append(PhotometricScale(1.0, 0.0, 0))
            continue
        ratios.append(
            photometric_scale(
                aligned.light.measurement.stars,
                chosen.inverse @ aligned.transform,
                chosen.light.measurement.stars,
                shape=_shape(chosen.light),
            )
        )
    return ratios
