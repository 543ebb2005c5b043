"""Calibration of frames (guide, section 8): prepared once, then applied to any window of any frame.

Without dark scaling a light ``L`` becomes ``(L - MD) / MF s0``; with it,
``((L - MB) - k (MD - MB)) / MF s0``. Sections and order follow the guide: input pedestal, overscan
and crop, bias, scaled dark, flat, output pedestal. Nothing is truncated here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, as_planes
from lightframe.errors import IncompatibleFramesError
from lightframe.frames._cfa import CfaPattern
from lightframe.frames._pixels import Window
from lightframe.kernels._calibrate import calibrate_block
from lightframe.processes._calibration_masters import (
    Target,
)
from lightframe.processes._calibration_settings import CalibrationSettings
from lightframe.processes._dark_scaling import (
    DarkScale,
    DarkScaler,
    exposure_ratio,
    exposure_scale,
)
from lightframe.processes._flat_scaling import FlatScale
from lightframe.processes._overscan import level_cells, overscan_levels

__all__ = ["FrameLevels", "PreparedCalibration"]

Raw = npt.NDArray[np.generic]
"""A raw frame or window: uint16 or float32."""


@dataclass(frozen=True, slots=True)
class FrameLevels:
    """Constants that belong to one frame and are subtracted first.

    Attributes
    ----------
    pedestal_dn : float
        Pedestal contained in the frame, DN.
    overscan_dn : tuple of tuple of float
        ``[target][channel]``, the overscan level of each target rectangle, DN.
    """

    pedestal_dn: float = 0.0
    overscan_dn: tuple[tuple[float, ...], ...] = ()


_NO_LEVELS = FrameLevels()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCalibration:
    """Masters turned into what one pass over a frame needs; shared by all threads.

    Attributes
    ----------
    target : Target
        What the frames look like, raw and calibrated.
    height, width, channels : int
        Geometry of calibrated frames (the image rectangle, if there is an overscan).
    cfa : CfaPattern or None
        Colours at their origin.
    settings : CalibrationSettings
        As given.
    names : mapping of str to str
        Name of each master that is used, by role ("bias", "dark", "flat"). A bias that cancels out
        is not used.
    removes_bias : bool
        Whether the bias level is gone afterwards, be it with the bias or with the dark.
    scales_dark : bool
        Whether a dark scaling factor is used at all.
    flat_scale : FlatScale or None
        s0 and the number of pixels without a usable flat.
    flat_dark_scale : DarkScale or None
        The factor used for the master flat itself, if it was calibrated here with a scaled dark.
    notes : tuple of str
        Remarks on what was combined how, in the user's words.
    """

    target: Target = field(repr=False)
    settings: CalibrationSettings
    names: Mapping[str, str]
    removes_bias: bool
    scales_dark: bool
    flat_scale: FlatScale | None
    flat_dark_scale: DarkScale | None
    notes: tuple[str, ...]
    _subtrahend: Float32 = field(repr=False)
    _signal: Float32 = field(repr=False)
    _gain: Float32 = field(repr=False)
    _scaler: DarkScaler | None = field(repr=False)
    _dark_exposure_s: float | None = field(repr=False)

    @property
    def height(self) -> int:
        """Rows of a calibrated frame."""
        return self.target.height

    @property
    def width(self) -> int:
        """Columns of a calibrated frame."""
        return self.target.width

    @property
    def channels(self) -> int:
        """Planes of a calibrated frame."""
        return self.target.channels

    @property
    def cfa(self) -> CfaPattern | None:
        """Colours at the origin of a calibrated frame."""
        return self.target.cfa

    @property
    def flat_reciprocal(self) -> Float32 | None:
        """What frames are multiplied with: ``s0 / flat``, NaN where it is of no use; or None."""
        return None if self.flat_scale is None else self._gain

    def raw_window(self, window: Window) -> Window:
        """Return the window of the raw frame that `window` of the calibrated frame comes from."""
        y, x = self.target.origin
        return Window(window.y0 + y, window.y1 + y, window.x0 + x, window.x1 + x)

    def levels(self, frame: Raw | None = None, *, pedestal_dn: float = 0.0) -> FrameLevels:
        """Measure what is subtracted from a frame first.

        Parameters
        ----------
        frame : ndarray of uint16 or float32, shape (channels, raw height, raw width), optional
            The whole raw frame; needed only with an overscan.
        pedestal_dn : float
            Pedestal contained in it, DN.
        """
        overscan = self.settings.overscan
        if overscan is None or not overscan.regions:
            return FrameLevels(pedestal_dn)
        if frame is None:
            raise ValueError("the overscan of a frame is measured on the whole raw frame")
        return FrameLevels(pedestal_dn, overscan_levels(self._whole(frame), overscan))

    def dark_scale(self, light: Raw, *, exposure_s: float | None = None) -> DarkScale | None:
        """Determine the dark scaling factor of one frame.

        Parameters
        ----------
        light : ndarray of uint16 or float32, shape (raw height, raw width) or (channels, ...)
            The whole raw frame in DN. Constants in it (pedestal, overscan level) do not matter.
        exposure_s : float, optional
            Exposure of the frame, for scaling by exposure, and as the factor to fall back on where
            the pixels do not determine one.

        Returns
        -------
        DarkScale or None
            None if the dark is not scaled.

        Raises
        ------
        InputError
            If the dark is to be scaled by exposure and an exposure is unknown.
        """
        if not self.scales_dark:
            return None
        frame = self._whole(light)
        ratio = exposure_ratio(exposure_s, self._dark_exposure_s)
        if self._scaler is None:
            return exposure_scale(ratio)
        y, x = self.target.origin
        return self._scaler.scale(frame[:, y : y + self.height, x : x + self.width], fallback=ratio)

    def apply(
        self,
        raw: Raw,
        window: Window,
        k: float | Sequence[float] | DarkScale | None,
        out: Float32,
        *,
        levels: FrameLevels = _NO_LEVELS,
        pedestal_dn: float = 0.0,
    ) -> None:
        """Calibrate one window of one frame.

        Parameters
        ----------
        raw : ndarray of uint16 or float32, shape (channels, rows, columns), C order
            The pixels of ``raw_window(window)``.
        window : Window
            Where they lie in the calibrated frame.
        k : float, sequence of float, DarkScale or None
            Dark scaling factor, or one per channel or CFA colour (R, G, B). None: 1.
        out : ndarray of float32, shape (channels, rows, columns), C order
            Receives the calibrated pixels in DN, not truncated; NaN where raw, dark or flat is
            missing. May be `raw` itself.
        levels : FrameLevels
            The frame's own constants, see `levels`.
        pedestal_dn : float
            Output pedestal to add.

        Raises
        ------
        ValueError
            If shapes, types or the number of factors do not fit, or a factor other than 1 is given
            although the dark is not scaled.
        """
        self._check_buffers(raw, window, out)
        tables = self._k_tables(k)
        for cell, constants in self._cells(window, levels):
            bounds = (
                cell.y0 - window.y0,
                cell.y1 - window.y0,
                cell.x0 - window.x0,
                cell.x1 - window.x0,
            )
            for channel in range(self.channels):
                calibrate_block(
                    cast("Float32", raw[channel]),
                    bounds,
                    (window.y0, window.x0),
                    np.float32(constants[channel]),
                    _plane(self._subtrahend, channel),
                    _plane(self._signal, channel),
                    _plane(tables, channel),
                    _plane(self._gain, channel),
                    np.float32(pedestal_dn),
                    out[channel],
                )

    def _check_buffers(self, raw: Raw, window: Window, out: Float32) -> None:
        shape = (self.channels, *window.shape)
        for name, array in (("raw", raw), ("out", out)):
            if array.shape != shape or not array.flags.c_contiguous:
                msg = f"{name} must be C ordered of shape {shape}, not {array.shape}"
                raise ValueError(msg)
        if raw.dtype not in (np.uint16, np.float32) or out.dtype != np.float32:
            msg = f"raw must be uint16 or float32 and out float32, not {raw.dtype}, {out.dtype}"
            raise ValueError(msg)
        if min(window.y0, window.x0) < 0 or window.y1 > self.height or window.x1 > self.width:
            msg = f"{window} reaches beyond {self.height} rows and {self.width} columns"
            raise ValueError(msg)

    def _cells(self, window: Window, levels: FrameLevels) -> list[tuple[Window, tuple[float, ...]]]:
        """Return parts of the window, and the constant to subtract in each for each channel."""
        overscan = self.settings.overscan
        if overscan is None or not overscan.regions:
            return [(window, (levels.pedestal_dn,) * self.channels)]
        if len(levels.overscan_dn) != len(overscan.targets):
            raise ValueError("the frame's overscan levels are missing: see levels()")
        y, x = self.target.origin
        return [
            (
                Window(cell.y0 - y, cell.y1 - y, cell.x0 - x, cell.x1 - x),
                tuple(
                    levels.pedestal_dn + sum(levels.overscan_dn[t][channel] for t in targets)
                    for channel in range(self.channels)
                ),
            )
            for cell, targets in level_cells(overscan, self.raw_window(window))
        ]

    def _k_tables(self, k: float | Sequence[float] | DarkScale | None) -> Float32:
        """Return the factor of each column, shape (1 or channels, period, width)."""
        if k is None:
            factors: tuple[float, ...] = (1.0,)
        elif isinstance(k, DarkScale):
            factors = k.factors
        else:
            factors = tuple(np.atleast_1d(k).astype(float).tolist())
        if not all(np.isfinite(factors)):
            msg = f"dark scaling factor {factors} is not finite"
            raise ValueError(msg)
        if not self.scales_dark and any(factor != 1 for factor in factors):
            msg = f"dark scaling factor {factors} given, but the dark was prepared unscaled"
            raise ValueError(msg)
        if len(factors) == 1:
            return np.full((1, 1, self.width), factors[0], np.float32)
        if len(factors) == self.channels:
            return np.repeat(np.array(factors, np.float32)[:, None, None], self.width, axis=2)
        if self.cfa is None or len(factors) != 3:  # noqa: PLR2004 - red, green, blue
            msg = f"{len(factors)} dark scaling factors for {self.channels} channels"
            raise ValueError(msg)
        rows = np.array(factors, np.float32)[self.cfa.planes()]
        return np.tile(rows, -(-self.width // self.cfa.period))[None, :, : self.width].copy()

    def _whole(self, frame: Raw) -> Float32:
        """Return a whole raw frame as planes, after a look at its size."""
        planes = as_planes(frame)
        expected = (self.channels, self.target.raw_height, self.target.raw_width)
        if planes.shape != expected:
            raise IncompatibleFramesError(
                "geometry (channels, rows, columns)",
                ("the frame", planes.shape),
                ("the calibration", expected),
            )
        if planes.dtype not in (np.uint16, np.float32):
            msg = f"a raw frame is uint16 or float32, not {planes.dtype}"
            raise ValueError(msg)
        return cast("Float32", planes)


def _plane(planes: Float32, channel: int) -> Float32:
    """Return a channel; a mono array serves all channels."""
    return cast("Float32", planes[min(channel, len(planes) - 1)])
