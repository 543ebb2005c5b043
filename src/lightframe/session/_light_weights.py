"""Weights of the lights of a run that are not made of their levels and noise."""

from collections.abc import Sequence

import numpy as np

from lightframe.processes import psf_signal_weights
from lightframe.session._alignment import AlignedLight, brightness, reference_of
from lightframe.session._context import Context

__all__ = ["light_weights", "weighable"]


def light_weights(lights: Sequence[AlignedLight], context: Context) -> list[float] | None:
    """Return one number a light, NaN where it is unknown; None if the weight needs none."""
    weight = context.settings.lights.weight
    if weight == "exposure":
        return [aligned.light.info.exposure_s or float("nan") for aligned in lights]
    if weight != "psf-signal":
        return None
    ratios = brightness(lights, reference_of(lights))
    widths = [aligned.light.measurement.fwhm_px for aligned in lights]
    weights = psf_signal_weights(
        [float("nan") if ratio is None else ratio.ratio for ratio in ratios],
        [width or float("nan") for width in widths],
        [float(np.mean(aligned.light.statistics.noise)) for aligned in lights],
    )
    return [float(weight) for weight in weights]


def weighable(lights: Sequence[AlignedLight], context: Context) -> list[AlignedLight]:
    """Keep the lights that have the weight of the settings; the others are set aside."""
    weights = light_weights(lights, context) if lights else None
    if weights is None:
        return list(lights)
    kept = []
    for aligned, weight in zip(lights, weights, strict=True):
        if np.isfinite(weight):
            kept.append(aligned)
            continue
        name = context.settings.lights.weight
        cause = (
            "its exposure is not known"
            if name == "exposure"
            else "it has too few stars in common with the reference"
        )
        context.exclude(aligned.light.info.path, f"the weight {name} is unknown: {cause}")
    return kept
