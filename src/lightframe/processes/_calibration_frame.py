"""Calibration of one whole frame, and the record of what was done to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, as_planes
from lightframe.errors import InputError
from lightframe.figures import percent
from lightframe.frames._info import FrameInfo
from lightframe.frames._pixels import Window
from lightframe.processes._calibration import PreparedCalibration
from lightframe.processes._calibration_settings import CalibrationSettings
from lightframe.processes._dark_scaling import DarkScale
from lightframe.processes._flat_scaling import FlatScale
from lightframe.processes._noise import NoiseEstimate, evaluate_noise
from lightframe.processes._pedestal import (
    MAX_PEDESTAL_DN,
    Clipping,
    InputPedestal,
    automatic_pedestal,
    clipped_fractions,
    resolve_input_pedestal,
)
from lightframe.processes._saturation import calibrated_saturation, saturation
from lightframe.processes._strips import in_strips

__all__ = ["CalibratedFrame", "CalibrationRecord", "calibrate_frame", "frame_pedestal"]

_STRIP_ROWS = 256
_NO_PEDESTAL = InputPedestal(0.0)


def frame_pedestal(info: FrameInfo, settings: CalibrationSettings) -> InputPedestal:
    """Return the pedestal to subtract from a frame, as settings and header say.

    Parameters
    ----------
    info : FrameInfo
        The frame. Its ``pedestal_dn`` counts for the keyword PEDESTAL; another keyword is looked up
        in its header.
    settings : CalibrationSettings
        The fields that begin with ``input_pedestal``.

    Raises
    ------
    InputError
        If the keyword's value is not a number.
    """
    keyword = settings.input_pedestal_keyword.upper()
    stated = info.pedestal_dn if keyword == "PEDESTAL" else info.header.get(keyword)
    try:
        value = None if stated is None else float(stated)
    except ValueError as error:
        raise InputError(
            f"{keyword} = {stated!r} is not a number of DN",
            where=info.path,
            remedy='name another keyword, or set input_pedestal = "none" or "literal"',
        ) from error
    return resolve_input_pedestal(
        value, source=settings.input_pedestal, literal_dn=settings.input_pedestal_dn
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRecord:
    """What was done to one frame. Printed, it is the account that the guide (8.2) asks for.

    Attributes
    ----------
    name : str
        The frame.
    masters : mapping of str to str
        Name of each master used, by role ("bias", "dark", "flat").
    pixels : int
        Pixels of one plane.
    input_pedestal : InputPedestal
        What was subtracted first.
    overscan_dn : tuple of tuple of float
        Overscan levels, ``[target][channel]``, DN.
    dark_scale : DarkScale or None
        Dark scaling factor; None if the dark was not scaled.
    flat_scale : FlatScale or None
        Master flat scaling factors.
    output_pedestal_dn : int
        What was added last.
    range_dn : tuple of float
        Lowest and highest value, pedestal included, not truncated, DN.
    saturation_dn : float or None
        Level from which on calibrated pixels are saturated, pedestal included, DN; None if no pixel
        of the raw frame is.
    clipping : Clipping
        Samples that truncation to the 16-bit scale changes (or would change: float files are not
        truncated), and missing samples.
    noise : NoiseEstimate or None
        Noise of the calibrated frame; None if not evaluated.
    notes : tuple of str
        Remarks.
    """

    name: str
    masters: Mapping[str, str]
    pixels: int
    input_pedestal: InputPedestal
    overscan_dn: tuple[tuple[float, ...], ...]
    dark_scale: DarkScale | None
    flat_scale: FlatScale | None
    output_pedestal_dn: int
    range_dn: tuple[float, float]
    saturation_dn: float | None
    clipping: Clipping
    noise: NoiseEstimate | None
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.name, *(f"  {label:<15}{text}" for label, text in self._lines())])

    def _lines(self) -> list[tuple[str, str]]:
        lines = [(f"master {role}", name) for role, name in self.masters.items()]
        if self.input_pedestal.dn:
            lines.append(("pedestal in", f"{self.input_pedestal.dn:g} DN subtracted"))
        lines += [
            ("overscan", ", ".join(f"{level:.2f} DN" for level in levels))
            for levels in self.overscan_dn
        ]
        lines += _dark_lines(self.dark_scale, self.pixels)
        if self.flat_scale is not None:
            lines.append(("flat scaling", _factors(self.flat_scale)))
            if self.flat_scale.illuminated < 1:
                share = self.flat_scale.illuminated
                lines.append(("", f"measured on the illuminated {percent(share, 2)} of the frame"))
            if self.flat_scale.missing_pixels:
                count = self.flat_scale.missing_pixels
                lines.append(("", f"{count} px without a usable flat: missing in the result"))
        if self.output_pedestal_dn:
            lines.append(("pedestal out", f"{self.output_pedestal_dn} DN added"))
        lines.append(("range", f"{self.range_dn[0]:.2f} to {self.range_dn[1]:.2f} DN"))
        lines.append(("outside", str(self.clipping)))
        if self.noise is not None:
            lines += _noise_lines(self.noise)
        return [*lines, *(("note", note) for note in self.notes)]

    def as_dict(self) -> dict[str, Any]:
        """Return the entries of run.json that describe the calibration of a light."""
        scale, flat, noise = self.dark_scale, self.flat_scale, self.noise
        return {
            "masters": dict(self.masters),
            "k": None if scale is None else list(scale.factors),
            "k_sigma": None if scale is None or np.isinf(scale.sigma_k) else scale.sigma_k,
            "k_determined": None if scale is None else scale.determined,
            "k_reason": None if scale is None else scale.reason,
            "s": None if flat is None else list(flat.factors),
            "flat_illuminated": None if flat is None else flat.illuminated,
            "pedestal_dn": self.output_pedestal_dn,
            "clipped_fraction": self.clipping.low_fraction + self.clipping.high_fraction,
            "noise_dn": None if noise is None else list(noise.sigma_dn),
            "notes": list(self.notes),
        }


def _dark_lines(scale: DarkScale | None, pixels: int) -> list[tuple[str, str]]:
    if scale is None:
        return []
    lines = []
    if np.isfinite(scale.threshold_dn):
        count = round(scale.pixel_fraction * pixels)
        warm = f"{scale.threshold_dn:.2f} DN ({count} px = {percent(scale.pixel_fraction, 3)})"
        lines.append(("warm above", warm))
    factors = ", ".join(f"{k:.3f}" for k in scale.factors)
    uncertainty = f" +- {scale.sigma_k:.3f}" if 0 < scale.sigma_k < np.inf else ""
    trust = "" if scale.determined else "not determined, a stand-in"
    remark = ": ".join(part for part in (trust, scale.reason) if part)
    lines.append(
        ("dark scaling", f"k = {factors}{uncertainty}" + (f" ({remark})" if remark else ""))
    )
    return lines


def _factors(scale: FlatScale) -> str:
    return "s = " + ", ".join(
        f"{factor:.3f} DN" + (f" ({colour})" if colour else "")
        for colour, factor in zip(scale.colours, scale.factors, strict=True)
    )


def _noise_lines(noise: NoiseEstimate) -> list[tuple[str, str]]:
    rows = zip(noise.planes, noise.sigma_dn, noise.fraction, noise.method, strict=True)
    return [
        (
            f"noise {plane}".strip(),
            f"{sigma:.3f} DN, {percent(fraction, 1)} of the pixels ({method})",
        )
        for plane, sigma, fraction, method in rows
    ]


@dataclass(frozen=True, slots=True)
class CalibratedFrame:
    """A calibrated frame.

    Attributes
    ----------
    planes : ndarray of float32, shape (channels, height, width)
        DN, output pedestal included, not truncated; NaN is missing.
    record : CalibrationRecord
        What was done.
    """

    planes: Float32 = field(repr=False)
    record: CalibrationRecord


def calibrate_frame(  # noqa: PLR0913 - what a frame brings with it, by keyword
    raw: npt.NDArray[np.generic],
    prepared: PreparedCalibration,
    *,
    name: str = "light",
    exposure_s: float | None = None,
    white_dn: float | None = None,
    pedestal: InputPedestal = _NO_PEDESTAL,
    threads: int = 1,
) -> CalibratedFrame:
    """Calibrate one whole frame.

    Parameters
    ----------
    raw : ndarray of uint16 or float32, shape (raw height, raw width) or (channels, ...)
        Raw frame in DN, overscan included.
    prepared : PreparedCalibration
        From `prepare_calibration`.
    name : str
        For the record.
    exposure_s : float, optional
        Exposure in seconds, see `PreparedCalibration.dark_scale`.
    white_dn : float, optional
        Highest value that is possible in the raw frame, see `FrameInfo.white_dn`.
    pedestal : InputPedestal
        Pedestal contained in the frame, from `resolve_input_pedestal`.
    threads : int
        Number of threads for the pixels.
    """
    settings = prepared.settings
    planes = as_planes(raw)
    scale = prepared.dark_scale(planes, exposure_s=exposure_s)
    levels = prepared.levels(planes, pedestal_dn=pedestal.dn)
    literal = settings.output_pedestal == "literal"
    added = settings.output_pedestal_dn if literal else 0
    out = np.empty((prepared.channels, prepared.height, prepared.width), np.float32)

    def calibrate_strip(first: int, last: int) -> None:
        window = Window(first, last, 0, prepared.width)
        source = prepared.raw_window(window)
        strip = np.ascontiguousarray(planes[:, source.y0 : source.y1, source.x0 : source.x1])
        target = np.empty((prepared.channels, *window.shape), np.float32)
        prepared.apply(strip, window, scale, target, levels=levels, pedestal_dn=added)
        out[:, first:last] = target

    in_strips(calibrate_strip, prepared.height, threads, height=_STRIP_ROWS)
    full = saturation(planes, white_dn)
    notes = [*prepared.notes, *([pedestal.note] if pedestal.note else [])]
    if not literal:
        added = automatic_pedestal(out, settings.output_pedestal_limit)
        out += np.float32(added)
        if added == MAX_PEDESTAL_DN:
            notes.append(f"the automatic pedestal is at its maximum of {added} DN")
    record = CalibrationRecord(
        name=name,
        masters=prepared.names,
        pixels=prepared.height * prepared.width,
        input_pedestal=pedestal,
        overscan_dn=levels.overscan_dn,
        dark_scale=scale,
        flat_scale=prepared.flat_scale,
        output_pedestal_dn=added,
        range_dn=_range(out),
        saturation_dn=None
        if full is None
        else calibrated_saturation(full.level_dn, prepared, scale, levels, added),
        clipping=clipped_fractions(out),
        noise=evaluate_noise(out, prepared.cfa, settings.noise_method)
        if settings.evaluate_noise
        else None,
        notes=tuple(notes),
    )
    return CalibratedFrame(out, record)


def _range(planes: Float32) -> tuple[float, float]:
    """Return the lowest and the highest valid value; NaN if there is none."""
    return float(np.fmin.reduce(planes, axis=None)), float(np.fmax.reduce(planes, axis=None))
