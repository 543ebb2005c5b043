"""Masters checked and combined for frames of one geometry."""

import numpy as np

from lightframe.arrays import Float32
from lightframe.errors import IncompatibleFramesError, SettingsError
from lightframe.frames._cfa import CfaPattern
from lightframe.processes._calibration import PreparedCalibration
from lightframe.processes._calibration_flat import prepare_flat
from lightframe.processes._calibration_masters import (
    Masters,
    Target,
    combine_bias_and_dark,
    load_masters,
)
from lightframe.processes._calibration_settings import CalibrationSettings
from lightframe.processes._dark_scaling import DarkScaler

__all__ = ["prepare_calibration"]


def prepare_calibration(  # noqa: PLR0913 - the geometry is four of them, by keyword
    masters: Masters,
    settings: CalibrationSettings,
    *,
    height: int,
    width: int,
    channels: int = 1,
    cfa: CfaPattern | None = None,
    allow_nothing: bool = False,
) -> PreparedCalibration:
    """Check and combine the masters for frames of one geometry.

    Parameters
    ----------
    masters : Masters
        Master frames; absent ones drop their term.
    settings : CalibrationSettings
        How to calibrate.
    height, width, channels : int
        Geometry of the raw frames, overscan included.
    cfa : CfaPattern or None
        Their colours at the first stored pixel.
    allow_nothing : bool
        Accept that there is nothing to do, and turn raw frames into float32 only.

    Raises
    ------
    SettingsError
        If nothing is enabled, or a dark that contains its bias is to be scaled without a bias, or
        an overscan rectangle lies outside the frame.
    IncompatibleFramesError
        If sizes, channels or CFA patterns do not agree.
    InputError
        If the flat is empty.
    """
    if not allow_nothing and settings.overscan is None and not any(masters.present()):
        raise SettingsError(
            "nothing to calibrate with: no bias, no dark, no flat, no overscan",
            where="calibration",
            remedy="give at least one master frame or overscan region",
        )
    target = _target(settings, height, width, channels, cfa)
    loaded = load_masters(masters, settings, target)
    terms = combine_bias_and_dark(loaded, settings)
    scaler = None
    if terms.signal is not None and settings.dark_scaling == "optimize":
        scaler = DarkScaler.prepare(
            terms.signal,
            target.cfa,
            objective=settings.dark_objective,
            threshold_sigma=settings.dark_threshold_sigma,
            per_colour=settings.dark_scale_per_colour,
        )
    flat = prepare_flat(loaded, settings, target, terms, scaler)
    return PreparedCalibration(
        target=target,
        settings=settings,
        names={role: name for role, name, *_ in loaded.present() if role not in terms.unused},
        removes_bias=terms.removes_bias,
        scales_dark=terms.signal is not None,
        flat_scale=flat.scale,
        flat_dark_scale=flat.dark_scale,
        notes=terms.notes,
        _subtrahend=_or_row(terms.subtrahend, target, 0.0),
        _signal=_or_row(terms.signal, target, 0.0),
        _gain=_or_row(flat.gain, target, 1.0),
        _scaler=scaler,
        _dark_exposure_s=masters.dark_exposure_s,
    )


def _target(
    settings: CalibrationSettings, height: int, width: int, channels: int, cfa: CfaPattern | None
) -> Target:
    if cfa is not None and channels != 1:
        raise IncompatibleFramesError(
            "kind of image",
            ("the frame", f"{channels} channels"),
            (f"the CFA pattern {cfa.name}", "1 channel"),
            cause="a colour (debayered) image stands where a CFA frame is expected",
            remedy="calibrate the raw CFA frames, and debayer afterwards",
        )
    if settings.overscan is None:
        return Target(height, width, height, width, (0, 0), channels, cfa)
    settings.overscan.check(height, width)
    y0, y1, x0, x1 = settings.overscan.image
    shifted = None if cfa is None else cfa.shifted(y0, x0)
    return Target(height, width, y1 - y0, x1 - x0, (y0, x0), channels, shifted)


def _or_row(planes: Float32 | None, target: Target, value: float) -> Float32:
    """Return `planes`, or one row of `value` in their place."""
    return np.full((1, 1, target.width), value, np.float32) if planes is None else planes
