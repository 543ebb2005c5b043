"""The master flat as the calibration uses it: calibrated if asked for, scaled, and inverted."""

from dataclasses import dataclass, replace

import numpy as np

from lightframe.arrays import Float32
from lightframe.frames._cfa import COLOURS
from lightframe.processes._calibration_masters import DarkTerms, Masters, Target
from lightframe.processes._calibration_settings import CalibrationSettings
from lightframe.processes._dark_scaling import (
    DarkScale,
    DarkScaler,
    exposure_ratio,
    exposure_scale,
)
from lightframe.processes._flat_scaling import FlatScale, flat_reciprocal, flat_scale

__all__ = ["PreparedFlat", "prepare_flat"]


@dataclass(frozen=True, slots=True)
class PreparedFlat:
    """Gain, scaling factors, and the factor of the dark in the flat; all None without a flat."""

    gain: Float32 | None = None
    scale: FlatScale | None = None
    dark_scale: DarkScale | None = None


def prepare_flat(
    masters: Masters,
    settings: CalibrationSettings,
    target: Target,
    terms: DarkTerms,
    scaler: DarkScaler | None,
) -> PreparedFlat:
    """Calibrate the master flat where the settings say so, measure s0, and invert it.

    Raises
    ------
    InputError
        If the flat is empty, or its dark is to be scaled by exposure and an exposure is unknown.
    """
    flat = masters.flat
    if flat is None:
        return PreparedFlat()
    dark_scale = None
    if settings.calibrate_flat:
        flat, dark_scale = _calibrated(flat, masters, target, terms, scaler)
    colours = target.cfa if settings.flat_scale_per_colour and len(flat) == 1 else None
    scale = flat_scale(
        flat,
        colours,
        scaling=settings.flat_scaling,
        trim=settings.flat_trim,
        illuminated=settings.flat_illuminated,
        name=masters.flat_name,
    )
    gain, missing = flat_reciprocal(flat, scale, colours, least=settings.flat_least)
    return PreparedFlat(gain, replace(scale, missing=missing), dark_scale)


def _calibrated(
    flat: Float32,
    masters: Masters,
    target: Target,
    terms: DarkTerms,
    scaler: DarkScaler | None,
) -> tuple[Float32, DarkScale | None]:
    """Return the flat free of bias and scaled dark, and the factor of its dark.

    Where the pixels of the flat do not determine the factor and the exposures are unknown, it is 0:
    a flat is short, and a dark subtracted in full would do more harm than none.
    """
    signal = terms.signal
    if signal is None:
        return (flat if terms.subtrahend is None else flat - terms.subtrahend), None
    ratio = exposure_ratio(masters.flat_exposure_s, masters.dark_exposure_s)
    if scaler is None:
        scale = exposure_scale(ratio)
    else:
        scale = scaler.scale(flat, fallback=0.0 if ratio is None else ratio)
    if terms.subtrahend is not None:
        flat = flat - terms.subtrahend
    k = np.array(scale.factors, np.float32)[:, None, None]
    if len(k) == len(COLOURS) and target.cfa is not None:
        cell = k[target.cfa.planes(), 0, 0]
        repeats = (-(-target.height // len(cell)), -(-target.width // len(cell)))
        k = np.tile(cell, repeats)[None, : target.height, : target.width]
    return flat - k * signal, scale
