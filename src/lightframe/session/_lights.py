"""Pass 1: each light is calibrated in memory and measured; nothing is written.

What pass 2 needs to calibrate any window of the light again is kept: the dark scaling factor, the
frame's own levels, and its defective pixels with what takes their place.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.buffers import Buffers
from lightframe.errors import InputError
from lightframe.figures import percent
from lightframe.frames import CfaPattern, FrameInfo, PixelSource, Window
from lightframe.processes import (
    CosmeticSettings,
    DarkScale,
    Defects,
    EstimatorSettings,
    FrameLevels,
    FrameStatistics,
    Measurement,
    PreparedCalibration,
    Repairs,
    calibrated_saturation,
    clipped_fractions,
    correct_defects,
    defects_from_dark,
    detect_defects,
    frame_pedestal,
    frame_statistics,
    measure,
    saturation,
)
from lightframe.session._calibrating import Master, prepare
from lightframe.session._context import Context
from lightframe.session._defect_list import read_defect_list
from lightframe.session._noise import colour_noise
from lightframe.session._plan_types import Assignment, LightGroup
from lightframe.session._probing import Glimpse, Probe, examine, prepare_probe
from lightframe.session._sources import CalibratedSource, CorrectedSource, DebayeredSource

__all__ = ["MeasuredLight", "Treatment", "light_record", "measure_lights", "treatments"]

_buffers = Buffers()
_SAMPLED_PIXELS = 1 << 19
"""Pixels of a plane from which its statistics are taken: the median is good to sigma / 500."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How the lights of one assignment are calibrated and corrected.

    Attributes
    ----------
    assignment : Assignment
        What the plan says.
    calibration : PreparedCalibration
        Masters, ready to be applied.
    defects : Defects or None
        Defective pixels that the master dark knows; None if defects are not corrected.
    probe : Probe
        What the calibrated lights are held against.
    """

    assignment: Assignment
    calibration: PreparedCalibration
    defects: Defects | None
    probe: Probe


@dataclass(frozen=True, slots=True)
class MeasuredLight:
    """A light after pass 1.

    Attributes
    ----------
    info : FrameInfo
        Its header.
    treatment : Treatment
        How it is calibrated.
    raw : PixelSource
        Its pixels.
    dark_scale : DarkScale or None
        Factor of the dark, where it is scaled.
    levels : FrameLevels
        Its own pedestal and overscan.
    defects : Defects or None
        Pixels that were replaced; None if defects are not corrected.
    repairs : Repairs or None
        By what they were replaced.
    clipped_fraction : float
        Fraction of calibrated pixels that would be truncated if they were written as integers.
    noise_dn : tuple of float
        Noise of each colour.
    measurement : Measurement
        Stars and background.
    statistics : FrameStatistics
        Location, scale and noise of each colour.
    glimpse : Glimpse
        What the checks look at.
    saturation_dn : float or None
        Level from which on calibrated pixels are saturated; None if no raw pixel is.
    """

    info: FrameInfo
    treatment: Treatment
    raw: PixelSource
    dark_scale: DarkScale | None
    levels: FrameLevels
    defects: Defects | None
    repairs: Repairs | None
    clipped_fraction: float
    noise_dn: tuple[float, ...]
    measurement: Measurement
    statistics: FrameStatistics
    glimpse: Glimpse
    saturation_dn: float | None

    @property
    def cfa(self) -> CfaPattern | None:
        """Colours of the calibrated frame."""
        return self.treatment.calibration.cfa

    def calibrated(self, context: Context) -> PixelSource:
        """Return the frame as it is after calibration."""
        return CalibratedSource(
            self.raw, self.treatment.calibration, self.dark_scale, self.levels, context.meter
        )

    def source(self, context: Context) -> PixelSource:
        """Return the calibrated, corrected and, for mosaics, debayered frame."""
        source = self.calibrated(context)
        if self.repairs is not None:
            source = CorrectedSource(source, self.repairs)
        if self.cfa is not None:
            source = DebayeredSource(source, self.cfa, context.settings.debayer)
        return source


def treatments(
    group: LightGroup,
    infos: Mapping[Path, FrameInfo],
    masters: Mapping[str, Master],
    known: dict[str | None, Defects],
    context: Context,
) -> dict[Path, Treatment]:
    """Prepare the calibration of all lights of a group.

    Parameters
    ----------
    group : LightGroup
        The group.
    infos : mapping of Path to FrameInfo
        All frames.
    masters : mapping of str to Master
        All masters by name.
    known : dict
        Defective pixels by name of the master dark, looked up here and added to: finding them
        takes as long as several lights.
    context : Context
        Settings and threads.

    Raises
    ------
    IncompatibleFramesError
        If masters and lights do not fit together.
    """
    prepared: dict[Path, Treatment] = {}
    for assignment in group.assignments:
        target = infos[assignment.frames[0]]
        calibration = prepare(assignment, target, masters, context.settings.calibration)
        with ThreadPoolExecutor(1, thread_name_prefix="probe") as beside:
            probe = beside.submit(prepare_probe, assignment, calibration, masters, infos)
            defects = None
            if context.settings.correct_defects:
                if assignment.dark not in known:
                    dark = None if assignment.dark is None else masters[assignment.dark]
                    known[assignment.dark] = _known_defects(dark, calibration, context)
                defects = known[assignment.dark]
            treatment = Treatment(assignment, calibration, defects, probe.result())
        prepared |= dict.fromkeys(assignment.frames, treatment)
    return prepared


def _known_defects(
    dark: Master | None, calibration: PreparedCalibration, context: Context
) -> Defects:
    """Return the defective pixels that the master dark and the user's list know."""
    cosmetic = context.settings.cosmetic
    found = Defects.none()
    if cosmetic.defect_list is not None:
        found = read_defect_list(
            cosmetic.defect_list, height=calibration.height, width=calibration.width
        )
    if dark is None:
        return found
    pixels = dark.pixels[0]
    if pixels.shape != (calibration.height, calibration.width):  # it still has its overscan
        whole = Window(0, calibration.height, 0, calibration.width)
        inner = calibration.raw_window(whole)
        pixels = pixels[inner.y0 : inner.y1, inner.x0 : inner.x1]
    return found.merged(
        defects_from_dark(pixels, calibration.cfa, cosmetic, threads=context.threads)
    )


def measure_lights(
    name: str,
    paths: Sequence[Path],
    infos: Mapping[Path, FrameInfo],
    prepared: Mapping[Path, Treatment],
    context: Context,
) -> list[MeasuredLight]:
    """Calibrate and measure the lights of the group `name`, several at a time.

    Unreadable ones are set aside by name.
    """

    def work(path: Path) -> MeasuredLight | None:
        raw = context.open(path)
        if raw is None:
            return None
        try:
            return _measured(infos[path], raw, prepared[path], context)
        except InputError as error:
            raw.close()
            context.exclude(path, error.what)
            return None

    with context.progress.step(f"Calibrating and measuring {name}", len(paths)) as advance:
        lights = _in_threads(work, paths, context.threads, advance)
    return [light for light in lights if light is not None]


def _in_threads(
    work: Callable[[Path], MeasuredLight | None],
    paths: Sequence[Path],
    threads: int,
    advance: Callable[[int], None],
) -> list[MeasuredLight | None]:
    """Return the results in the order of `paths`."""
    with ThreadPoolExecutor(threads, thread_name_prefix="lights") as pool:
        futures = [pool.submit(work, path) for path in paths]
        for future in futures:
            future.add_done_callback(lambda _future: advance(1))
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _measured(
    info: FrameInfo, raw: PixelSource, treatment: Treatment, context: Context
) -> MeasuredLight:
    """Calibrate a whole light in this thread's buffers, and measure it."""
    settings, calibration = context.settings, treatment.calibration
    frame = context.read_whole(raw)
    full = saturation(frame, info.white_dn)
    if full is not None and full.fraction > settings.check.saturated_light:
        raise InputError(
            f"{percent(full.fraction, 0)} of its pixels are saturated, at {full.level_dn:.0f} DN",
            where=info.path,
        )
    scale = calibration.dark_scale(frame, exposure_s=info.exposure_s)
    levels = calibration.levels(frame, pedestal_dn=frame_pedestal(info, calibration.settings).dn)
    saturated_dn = None
    if full is not None:
        saturated_dn = calibrated_saturation(full.level_dn, calibration, scale, levels)
    pixels = _calibrated(frame, calibration, scale, levels)
    clipped = clipped_fractions(pixels)
    if clipped.missing == clipped.samples:
        raise InputError("no pixel holds a number once it is calibrated", where=info.path)
    glimpse = examine(pixels, clipped, calibration, treatment.probe, scale)
    defects, repairs = _corrected(pixels, treatment, settings.cosmetic)
    noise = colour_noise(pixels, calibration.cfa)
    return MeasuredLight(
        info=info,
        treatment=treatment,
        raw=raw,
        dark_scale=scale,
        levels=levels,
        defects=defects,
        repairs=repairs,
        clipped_fraction=clipped.low_fraction + clipped.high_fraction,
        noise_dn=noise,
        measurement=measure(
            pixels,
            calibration.cfa,
            settings.detection,
            saturation_dn=saturated_dn,
            noise_dn=noise,
        ),
        statistics=_statistics(pixels, calibration.cfa, noise, settings.lights.estimators),
        glimpse=glimpse,
        saturation_dn=saturated_dn,
    )


def _calibrated(
    frame: npt.NDArray[np.generic],
    calibration: PreparedCalibration,
    scale: DarkScale | None,
    levels: FrameLevels,
) -> npt.NDArray[np.float32]:
    """Return the calibrated pixels of a whole raw frame, in this thread's buffer."""
    window = Window(0, calibration.height, 0, calibration.width)
    pixels = _buffers.floats("calibrated", (calibration.channels, *window.shape))
    inner = calibration.raw_window(window)
    part = np.ascontiguousarray(frame[:, inner.y0 : inner.y1, inner.x0 : inner.x1])
    calibration.apply(part, window, scale, pixels, levels=levels)
    return pixels


def _corrected(
    pixels: npt.NDArray[np.float32], treatment: Treatment, settings: CosmeticSettings
) -> tuple[Defects, Repairs] | tuple[None, None]:
    """Replace defective pixels in place, if they are to be; return which, and by what."""
    if treatment.defects is None:
        return None, None
    cfa = treatment.calibration.cfa
    defects = treatment.defects.merged(detect_defects(pixels, cfa, settings))
    repairs = correct_defects(
        pixels, defects, cfa=cfa, radius=settings.radius, fill_missing=settings.fill_missing
    )
    return defects, repairs


def _statistics(
    pixels: npt.NDArray[np.float32],
    cfa: CfaPattern | None,
    noise: tuple[float, ...],
    estimators: EstimatorSettings,
) -> FrameStatistics:
    """Return location and scale of each channel of the result, that is each colour of a mosaic."""
    samples = _colour_samples(pixels, cfa)
    shortest = min(sample.size for sample in samples)
    step = max(1, shortest // _SAMPLED_PIXELS)
    planes = np.stack([sample[:shortest:step] for sample in samples])
    found = frame_statistics(planes[:, None, :], estimators=estimators)
    return FrameStatistics(found.location, found.scale_low, found.scale_high, np.array(noise))


def _colour_samples(
    pixels: npt.NDArray[np.float32], cfa: CfaPattern | None
) -> list[npt.NDArray[np.float32]]:
    """Return the samples of each colour as one-dimensional arrays."""
    if cfa is None:
        return [plane.reshape(-1) for plane in pixels]
    period = cfa.period
    return [
        np.concatenate([pixels[0, y::period, x::period].reshape(-1) for y, x in np.argwhere(cell)])
        for cell in (cfa.planes() == colour for colour in range(3))
    ]


def light_record(light: MeasuredLight) -> dict[str, Any]:
    """Return what run.json says of a light after pass 1."""
    scale, measured = light.dark_scale, light.measurement
    flat = light.treatment.calibration.flat_scale
    assignment = light.treatment.assignment
    return {
        "path": str(light.info.path),
        "exposure_s": light.info.exposure_s,
        "masters": {
            "bias": assignment.bias,
            "dark": assignment.dark,
            "flat": assignment.flat,
        },
        "k": None if scale is None else scale.k,
        "k_sigma": None if scale is None else scale.sigma_k,
        "k_reason": None if scale is None else scale.reason,
        "s": None if flat is None else list(flat.factors),
        "flat_illuminated": None if flat is None else flat.illuminated,
        "pedestal_dn": light.levels.pedestal_dn,
        "clipped_fraction": light.clipped_fraction,
        "noise_dn": list(light.noise_dn),
        "background_dn": [float(value) for value in light.statistics.location],
        "fwhm_px": measured.fwhm_px,
        "eccentricity": measured.eccentricity,
        "stars": measured.star_count,
        "defects": None if light.defects is None else light.defects.counts(),
    }
