"""The masters a calibration works with: what they are, whether they fit, how they are combined.

The frame to be calibrated is ``L``; bias ``B``, dark ``D``, flat ``F``. Whatever the settings, the
calibration is ``(L - A - k S) G`` with a subtrahend ``A``, a dark signal ``S`` and a gain ``G``:

===========================  ===============  =========  ==========
dark scaling                 ``A``            ``S``      ``G``
===========================  ===============  =========  ==========
none, dark contains bias     ``D``            absent     ``s0 / F``
none, dark free of bias      ``B + D``        absent     ``s0 / F``
scaled, dark contains bias   ``B``            ``D - B``  ``s0 / F``
scaled, dark free of bias    ``B``            ``D``      ``s0 / F``
===========================  ===============  =========  ==========
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lightframe.arrays import Float32, as_planes
from lightframe.errors import IncompatibleFramesError, SettingsError
from lightframe.frames._cfa import CfaPattern
from lightframe.processes._calibration_settings import CalibrationSettings
from lightframe.processes._overscan import correct_overscan

__all__ = ["DarkTerms", "Masters", "Target", "combine_bias_and_dark", "load_masters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Masters:
    """The master frames of one calibration; an absent master drops its term.

    Attributes
    ----------
    bias, dark, flat : ndarray of float32 or None
        Pixels in DN, shape (height, width) or (channels, height, width). They are not copied where
        nothing has to be changed: do not write to them.
    bias_name, dark_name, flat_name : str
        For messages and HISTORY, usually the file name.
    bias_pedestal_dn, dark_pedestal_dn, flat_pedestal_dn : float
        Pedestal contained in the pixels, positive DN; it is subtracted first.
    dark_contains_bias : bool
        Whether the dark is a plain integration of dark frames (True), or the bias was subtracted
        from it or from its frames (False; guide 7.1).
    dark_cfa, flat_cfa : CfaPattern or None
        Their colour patterns as far as known; they must not contradict the light's.
    dark_exposure_s, flat_exposure_s : float or None
        Exposure of one dark and one flat frame in seconds, for scaling by exposure.
    """

    bias: Float32 | None = None
    dark: Float32 | None = None
    flat: Float32 | None = None
    bias_name: str = "master bias"
    dark_name: str = "master dark"
    flat_name: str = "master flat"
    bias_pedestal_dn: float = 0.0
    dark_pedestal_dn: float = 0.0
    flat_pedestal_dn: float = 0.0
    dark_contains_bias: bool = True
    dark_cfa: CfaPattern | None = None
    flat_cfa: CfaPattern | None = None
    dark_exposure_s: float | None = None
    flat_exposure_s: float | None = None

    def present(self) -> Iterator[tuple[str, str, Float32, float]]:
        """Yield role, name, pixels and pedestal of each master there is."""
        if self.bias is not None:
            yield "bias", self.bias_name, self.bias, self.bias_pedestal_dn
        if self.dark is not None:
            yield "dark", self.dark_name, self.dark, self.dark_pedestal_dn
        if self.flat is not None:
            yield "flat", self.flat_name, self.flat, self.flat_pedestal_dn


@dataclass(frozen=True, slots=True)
class Target:
    """What the frames to be calibrated look like.

    Attributes
    ----------
    raw_height, raw_width : int
        Size as read, overscan included.
    height, width : int
        Size of the result, that is of the image rectangle.
    origin : tuple of int
        Row and column of the result's first pixel in the raw frame.
    channels : int
        Planes.
    cfa : CfaPattern or None
        Colours at the origin of the *result*.
    """

    raw_height: int
    raw_width: int
    height: int
    width: int
    origin: tuple[int, int]
    channels: int
    cfa: CfaPattern | None


def load_masters(masters: Masters, settings: CalibrationSettings, target: Target) -> Masters:
    """Check the masters and bring them to the target's geometry, free of pedestal and overscan.

    Returns
    -------
    Masters
        With pixels of shape (1 or channels, height, width), contiguous float32.

    Raises
    ------
    IncompatibleFramesError
        If a master has another size, number of channels or CFA pattern than the frames, or dark
        and flat have different patterns.
    """
    _check_patterns(masters, target)
    flags = {
        "bias": settings.calibrate_bias,
        "dark": settings.calibrate_dark,
        "flat": settings.calibrate_flat,
    }
    loaded: dict[str, Float32 | float] = {}
    for role, name, pixels, pedestal in masters.present():
        planes = as_planes(np.ascontiguousarray(pixels, np.float32))
        if len(planes) not in {1, target.channels}:
            raise IncompatibleFramesError(
                "number of channels", (name, len(planes)), ("the frame", target.channels)
            )
        planes = _cropped(planes, name, target, settings, flag=flags[role])
        if planes.shape[1:] != (target.height, target.width):
            raise IncompatibleFramesError(
                "size (rows x columns)",
                (name, f"{planes.shape[1]} x {planes.shape[2]}"),
                ("the frame", f"{target.height} x {target.width}"),
                cause="another camera, binning or sub-frame",
            )
        loaded[role] = planes - np.float32(pedestal) if pedestal else planes
        loaded[f"{role}_pedestal_dn"] = 0.0
    return replace(masters, **loaded)  # type: ignore[arg-type]  # one dict for arrays and numbers


def _cropped(
    planes: Float32, name: str, target: Target, settings: CalibrationSettings, *, flag: bool | None
) -> Float32:
    """Apply the overscan to a master that still has it."""
    raw_size = (target.raw_height, target.raw_width)
    if settings.overscan is None or flag is False:
        return planes
    if planes.shape[1:] == raw_size:
        return correct_overscan(planes, settings.overscan)
    if flag and planes.shape[1:] != (target.height, target.width):
        raise IncompatibleFramesError(
            "size (rows x columns)",
            (name, f"{planes.shape[1]} x {planes.shape[2]}"),
            ("the raw frame with its overscan", f"{raw_size[0]} x {raw_size[1]}"),
        )
    return planes


def _check_patterns(masters: Masters, target: Target) -> None:
    """Raise unless all known CFA patterns agree."""
    dark = (masters.dark_name, _pattern(masters.dark_cfa, masters.dark, target))
    flat = (masters.flat_name, _pattern(masters.flat_cfa, masters.flat, target))
    _agree(dark, flat)
    if target.channels == 1:
        _agree(dark, ("the frame", target.cfa))
        _agree(flat, ("the frame", target.cfa))


def _pattern(cfa: CfaPattern | None, pixels: Float32 | None, target: Target) -> CfaPattern | None:
    """Return a pattern at the origin of the image rectangle; None if there is no master."""
    if pixels is None or cfa is None:
        return None
    has_overscan = pixels.shape[-2:] == (target.raw_height, target.raw_width)
    return cfa.shifted(*target.origin) if has_overscan else cfa


def _agree(first: tuple[str, CfaPattern | None], second: tuple[str, CfaPattern | None]) -> None:
    if first[1] is None or second[1] is None or first[1] == second[1]:
        return
    raise IncompatibleFramesError(
        "CFA pattern",
        (first[0], first[1].name),
        (second[0], second[1].name),
        cause="one of them was flipped, cropped by an odd number of pixels, or is another camera's",
    )


_FLAG_NOTES = {
    True: "calibrate_dark takes the bias out of a dark that is free of it: as much of it, times the"
    " dark scaling factor, is added to the light",
    False: "the bias is subtracted twice: as the master bias, and within the dark, which"
    " calibrate_dark leaves as it is",
}


@dataclass(frozen=True, slots=True)
class DarkTerms:
    """What is subtracted: ``A + k S`` (see the module's table), and remarks for the user."""

    subtrahend: Float32 | None
    signal: Float32 | None
    notes: tuple[str, ...]
    removes_bias: bool
    unused: frozenset[str] = frozenset()


def combine_bias_and_dark(masters: Masters, settings: CalibrationSettings) -> DarkTerms:
    """Combine bias and dark so that the bias is subtracted once (or as explicit flags demand).

    Raises
    ------
    SettingsError
        If a dark that contains its bias is to be scaled and there is no bias to take out.
    """
    bias, dark = masters.bias, masters.dark
    if dark is None:
        return DarkTerms(bias, None, (), removes_bias=bias is not None)
    scaled = settings.dark_scaling != "none"
    subtract_bias = settings.calibrate_dark
    if subtract_bias is None:
        subtract_bias = masters.dark_contains_bias
    if bias is None:
        if scaled and subtract_bias:
            raise SettingsError(
                f"{masters.dark_name} contains its bias and cannot be scaled without a master bias",
                cause="the bias must not be multiplied by the dark scaling factor",
                remedy="give a master bias, or do not scale the dark",
            )
        removes_bias = masters.dark_contains_bias
        notes = () if removes_bias else ("no bias is subtracted: the dark is free of it",)
        if scaled:
            return DarkTerms(None, dark, notes, removes_bias)
        return DarkTerms(dark, None, notes, removes_bias)
    contradicts = subtract_bias != masters.dark_contains_bias
    notes = (_FLAG_NOTES[subtract_bias],) if contradicts else ()
    if scaled:
        signal = dark - bias if subtract_bias else dark
        return DarkTerms(bias, signal, notes, removes_bias=True)
    if subtract_bias:
        cancels = f"{masters.bias_name} is not used: it cancels out when the dark is not scaled"
        unused = frozenset({"bias"})
        return DarkTerms(dark, None, (*notes, cancels), masters.dark_contains_bias, unused)
    return DarkTerms(bias + dark, None, notes, removes_bias=True)
