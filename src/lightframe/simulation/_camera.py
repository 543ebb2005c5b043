"""Make one raw frame from what is known of the exposure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64, Int64, UInt8, UInt16
from lightframe.frames import FrameKind
from lightframe.kernels._exposure import read_out
from lightframe.kernels._scene import add_trail
from lightframe.simulation._optics import Filter, displaced, illumination
from lightframe.simulation._patterns import Patterns, make_patterns, row_noise_e
from lightframe.simulation._sensor import Sensor
from lightframe.simulation._session import Session
from lightframe.simulation._shots import Shot
from lightframe.simulation._sky import Air, Scene, make_scene, paint

__all__ = ["Camera", "Exposed", "build_camera", "channel_response", "flat_levels_e"]


_LONGEST_TRACK = 12
"""Pixels of the longest cosmic ray track."""

_TRACK_E = 900.0
"""Electrons that a cosmic ray leaves in a pixel, in the mean."""


def channel_response(sensor: Sensor, filter_: Filter) -> Float64:
    """Return how each channel answers to red, green and blue light, float64 (channels, 3)."""
    passes = np.array(filter_.passes)
    if sensor.cfa is None:
        return passes[np.newaxis]
    return np.diag(np.array(sensor.sensitivity) * passes)


def flat_levels_e(session: Session, shot: Shot) -> Float64:
    """Return the electrons of a flat at the brightest point, float64 (channels,)."""
    sensor = session.sensor
    light = channel_response(sensor, session.filters[shot.filter_index])
    light = light @ np.array(session.flats.panel)
    ceiling = (1 << sensor.adc_bits) - 1
    brightest = shot.level * ceiling - session.offset * sensor.offset_adu_per_unit
    e_per_adu = sensor.at_gain(session.gain).e_per_adu
    return np.asarray(light / light.max() * max(brightest, 0.0) * e_per_adu)


@dataclass(frozen=True, slots=True)
class Exposed:
    """One raw frame.

    Attributes
    ----------
    raw : uint16 (h, w)
        What the file holds.
    struck : int64 (n,)
        Flat indices of the pixels that cosmic rays hit.
    """

    raw: UInt16
    struck: Int64


@dataclass(frozen=True, slots=True)
class Camera:
    """The instrument of a session, and the sky above it: all that is the same for all frames.

    Attributes
    ----------
    session : Session
        The settings.
    patterns : mapping of int to Patterns
        Fixed patterns by serial number.
    illumination : tuple of float32 (h, w)
        Vignetting and dust for each filter.
    scene : Scene
        The sky in red, green and blue.
    scenes : tuple of Scene
        What each filter shows of it, in the channels of the sensor.
    cell : uint8 (p, p)
        Channel of each pixel.
    """

    session: Session
    patterns: Mapping[int, Patterns]
    illumination: tuple[Float32, ...]
    scene: Scene
    scenes: tuple[Scene, ...]
    cell: UInt8

    def expose(self, shot: Shot) -> Exposed:
        """Return the raw frame of an exposure.

        It depends on the session and on the exposure alone, not on what was exposed before.
        """
        session, sensor = self.session, self.session.sensor
        patterns = self.patterns[sensor.serial if shot.serial is None else shot.serial]
        mode = sensor.at_gain(shot.gain)
        seed = shot.seed(session.seed)
        key = seed.generate_state(2, np.uint32)
        random = np.random.Generator(np.random.Philox(seed.spawn(1)[0]))
        faults = [session.faults[place] for place in shot.faults]

        mean_e = self._light(shot)
        if mean_e is None:
            mean_e = np.zeros(sensor.shape, np.float32)
        else:
            mean_e *= self.shadow(shot)
            mean_e *= patterns.response
        self._add_dark_extras(mean_e, shot, patterns, random)
        rows = row_noise_e(sensor.bias, sensor.height, random).astype(np.float32)
        struck = _strike(mean_e, shot.cosmic_rays, random)
        for fault in faults:
            fault.change_electrons(mean_e, shot, random)

        dark_time = shot.exposure_s * sensor.dark.factor(shot.temperature_c)
        level_adu = shot.offset * sensor.offset_adu_per_unit
        if sensor.dark.suppressed:
            typical = sensor.dark.rate_e_s * np.exp(0.5 * sensor.dark.spread**2)
            level_adu -= typical * dark_time / mode.e_per_adu
        raw = np.empty(sensor.shape, np.uint16)
        read_out(
            mean_e,
            patterns.dark_e_s,
            dark_time,
            patterns.bias_e,
            rows,
            level_adu,
            mode.read_noise_e,
            mode.e_per_adu,
            mode.full_well_e,
            sensor.linear_to,
            (1 << sensor.adc_bits) - 1,
            sensor.shift,
            np.uint64(key[0]),
            np.uint64(key[1]),
            raw,
        )
        for fault in faults:
            raw = fault.change_raw(raw, shot, sensor)
        return Exposed(raw, struck)

    def shadow(self, shot: Shot) -> Float32:
        """Return vignetting and dust as a frame sees them, float32 (h, w)."""
        session = self.session
        if shot.shadow_shift_px == (0.0, 0.0) and shot.shadow_turn_deg == 0.0:
            return self.illumination[shot.filter_index]
        optics, filter_ = displaced(
            session.optics,
            session.filters[shot.filter_index],
            session.sensor.shape,
            shot.shadow_shift_px,
            shot.shadow_turn_deg,
        )
        return illumination(optics, filter_, *session.sensor.shape)

    def _light(self, shot: Shot) -> Float32 | None:
        """Return the electrons of light before vignetting, dust and the pixels' response."""
        sensor = self.session.sensor
        if shot.kind is FrameKind.FLAT:
            levels = flat_levels_e(self.session, shot).astype(np.float32)
            period = self.cell.shape[0]
            flat = np.empty(sensor.shape, np.float32)
            for y in range(period):
                for x in range(period):
                    flat[y::period, x::period] = levels[self.cell[y, x]]
            return flat
        if shot.kind is not FrameKind.LIGHT:
            return None
        light = paint(
            self.scenes[shot.filter_index],
            shot.pointing.matrix(*sensor.shape),
            shot.psf,
            self.cell,
            np.zeros(sensor.shape, np.float32),
            Air(shot.transparency, shot.sky_factor, shot.gradient),
        )
        light *= np.float32(shot.exposure_s)
        white = channel_response(sensor, self.session.filters[shot.filter_index]).sum(axis=1)
        for trail in shot.trails:
            add_trail(
                light,
                trail.x,
                trail.y,
                np.radians(trail.angle_deg),
                trail.sigma_px,
                trail.peak_e * white / white.max(),
                self.cell,
            )
        return light

    def _add_dark_extras(
        self, mean_e: Float32, shot: Shot, patterns: Patterns, random: np.random.Generator
    ) -> None:
        """Add amplifier glow and the jumps of telegraph pixels."""
        dark = self.session.sensor.dark
        if dark.glow is not None and patterns.glow is not None:
            growth = (shot.exposure_s / 300.0) ** dark.glow.time_exponent
            warmth = 2.0 ** ((shot.temperature_c - dark.reference_c) / dark.glow.doubling_c)
            peak_e = dark.glow.peak_e * growth * warmth * shot.glow_factor
            mean_e += patterns.glow * np.float32(peak_e)
        if patterns.telegraph.size:
            high = random.integers(0, 2, patterns.telegraph.size, dtype=bool)
            mean_e.reshape(-1)[patterns.telegraph[high]] += np.float32(dark.telegraph_e)


def build_camera(session: Session, shots: Iterable[Shot] = ()) -> Camera:
    """Make the maps that all frames of a session share.

    Parameters
    ----------
    session : Session
        The settings.
    shots : iterable of Shot
        The frames to be made: some faults bring in frames of another sensor.
    """
    sensor = session.sensor
    height, width = sensor.shape
    serials = {sensor.serial, *(shot.serial for shot in shots if shot.serial is not None)}
    scene = make_scene(session.sky, height, width, _margin(session))
    shadows: dict[str, Float32] = {}
    for filter_ in session.filters:
        key = _traits(filter_)
        if key not in shadows:
            shadows[key] = illumination(session.optics, filter_, height, width)
    return Camera(
        session=session,
        patterns={
            serial: make_patterns(sensor.model_copy(update={"serial": serial}))
            for serial in sorted(serials)
        },
        illumination=tuple(shadows[_traits(filter_)] for filter_ in session.filters),
        scene=scene,
        scenes=tuple(
            scene.through(channel_response(sensor, filter_)) for filter_ in session.filters
        ),
        cell=np.zeros((1, 1), np.uint8) if sensor.pattern is None else sensor.pattern.planes(),
    )


def _traits(filter_: Filter) -> str:
    """Return what of a filter decides over its shadows."""
    return filter_.model_dump_json(include={"dust", "extra_vignetting"})


def _margin(session: Session) -> int:
    """Return by how much the scene must be larger than the frame."""
    night = session.night
    height, width = session.sensor.shape
    frames = session.lights.count * len(session.filters)
    drift = frames * float(np.hypot(*night.drift_px))
    turn = 0.5 * np.hypot(height, width) * abs(np.radians(night.rotation_deg))
    scale = max(abs(filter_.scale - 1.0) for filter_ in session.filters)
    return int(np.ceil(night.dither_px + drift + turn + 0.5 * scale * width + 32.0))


def _strike(mean_e: Float32, expected: float, random: np.random.Generator) -> Int64:
    """Add cosmic rays to a frame; return the pixels that were hit."""
    height, width = mean_e.shape
    struck: list[Int64] = []
    for _ in range(random.poisson(expected)):
        length = min(1 + random.geometric(0.35), _LONGEST_TRACK)
        angle = random.uniform(0.0, 2.0 * np.pi)
        along = np.arange(length)
        x = np.rint(random.uniform(0, width - 1) + along * np.cos(angle)).astype(np.int64)
        y = np.rint(random.uniform(0, height - 1) + along * np.sin(angle)).astype(np.int64)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        track = np.unique(y[inside] * width + x[inside])
        mean_e.reshape(-1)[track] += random.exponential(_TRACK_E, track.size).astype(np.float32)
        struck.append(track)
    return np.unique(np.concatenate(struck)) if struck else np.empty(0, np.int64)
