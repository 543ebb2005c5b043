"""Faults of the exposure: the camera, the light path or the sky is not as it should be."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from lightframe.arrays import Float32
from lightframe.frames import FrameKind
from lightframe.kernels._scene import add_stars
from lightframe.simulation._fault import Fault
from lightframe.simulation._shots import Shot
from lightframe.simulation._sky import Psf

__all__ = [
    "Clouds",
    "FlatLevel",
    "Flicker",
    "LightLeak",
    "NewHotPixels",
    "OtherCamera",
    "PoorStars",
    "ShadowShift",
    "ShutterPattern",
    "StarsInFlat",
    "WrongSetting",
]


class WrongSetting(Fault):
    """The camera did not do what the header claims: gain, offset, temperature or exposure."""

    fault: Literal["wrong-setting"] = "wrong-setting"
    gain: float | None = None
    """Gain setting that was really in effect."""
    offset: float | None = None
    """Offset setting that was really in effect."""
    temperature_c: float | None = None
    """Temperature that the sensor really had."""
    exposure_s: float | None = None
    """Exposure that really took place."""
    honest: bool = False
    """Whether the header tells the true value (a mismatch that can be seen without pixels)."""

    def change_shot(self, shot: Shot) -> Shot:
        names = ("gain", "offset", "temperature_c", "exposure_s")
        real = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.honest:
            real["claim"] = shot.claim.model_copy(update=dict(real))
        return shot.model_copy(update=real)


class LightLeak(Fault):
    """Light reaches the sensor from the side: through a cap, a focuser, a filter wheel."""

    fault: Literal["light-leak"] = "light-leak"
    kinds: tuple[FrameKind, ...] = (FrameKind.DARK,)
    e_s: float = Field(1.0, ge=0)
    """Electrons per pixel and second at the brightest edge."""
    angle_deg: float = 20.0
    """Side from which it comes, from +x towards +y."""
    change: float = 0.15
    """Relative change from each frame to the next."""

    def change_electrons(self, mean_e: Float32, shot: Shot, random: np.random.Generator) -> None:
        del random
        height, width = mean_e.shape
        x = np.linspace(-0.5, 0.5, width, dtype=np.float32)
        y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, np.newaxis]
        angle = np.radians(self.angle_deg)
        along = (np.cos(angle) * x + np.sin(angle) * y + 0.71) / 1.42
        strength = self.e_s * shot.exposure_s * max(0.0, 1.0 + self.change * shot.number)
        mean_e += (strength * along**2).astype(np.float32)


class FlatLevel(Fault):
    """Flats are over- or under-exposed."""

    fault: Literal["flat-level"] = "flat-level"
    kinds: tuple[FrameKind, ...] = (FrameKind.FLAT,)
    level: float = Field(1.3, ge=0)
    """Level of the brightest colour as a fraction of the full scale; above 1 it is clipped."""

    def change_shot(self, shot: Shot) -> Shot:
        return shot.model_copy(update={"level": self.level})


class ShadowShift(Fault):
    """Dust and vignetting lie elsewhere than in the other frames."""

    fault: Literal["shadow-shift"] = "shadow-shift"
    kinds: tuple[FrameKind, ...] = (FrameKind.FLAT,)
    dx_px: float = 6.0
    """Shift in x in pixels."""
    dy_px: float = -4.0
    """Shift in y in pixels."""
    turn_deg: float = 0.0
    """Turn about the centre of the frame, as when the camera was rotated."""

    def change_shot(self, shot: Shot) -> Shot:
        x, y = shot.shadow_shift_px
        return shot.model_copy(
            update={
                "shadow_shift_px": (x + self.dx_px, y + self.dy_px),
                "shadow_turn_deg": shot.shadow_turn_deg + self.turn_deg,
            }
        )


class ShutterPattern(Fault):
    """A mechanical shutter gives the centre more time than the edges."""

    fault: Literal["shutter-pattern"] = "shutter-pattern"
    kinds: tuple[FrameKind, ...] = (FrameKind.FLAT,)
    lag_s: float = Field(0.02, ge=0)
    """Time by which the corners are exposed less."""

    def change_electrons(self, mean_e: Float32, shot: Shot, random: np.random.Generator) -> None:
        del random
        height, width = mean_e.shape
        x = np.linspace(-1.0, 1.0, width, dtype=np.float32)
        y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, np.newaxis]
        lag = np.float32(self.lag_s / max(shot.exposure_s, self.lag_s))
        mean_e *= 1.0 - lag * np.hypot(x, y) / np.float32(np.sqrt(2.0))


class Flicker(Fault):
    """A pulsed panel and a rolling shutter make bands that move from frame to frame."""

    fault: Literal["flicker"] = "flicker"
    kinds: tuple[FrameKind, ...] = (FrameKind.FLAT,)
    amplitude: float = Field(0.02, ge=0)
    """Relative amplitude of the bands."""
    period_rows: float = Field(90.0, gt=0)
    """Distance of two bands in rows."""

    def change_electrons(self, mean_e: Float32, shot: Shot, random: np.random.Generator) -> None:
        del shot
        rows = np.arange(mean_e.shape[0]) / self.period_rows + random.uniform()
        bands = 1.0 + self.amplitude * np.sin(2.0 * np.pi * rows)
        mean_e *= bands.astype(np.float32)[:, np.newaxis]


class StarsInFlat(Fault):
    """Sky flats show stars that drift from frame to frame."""

    fault: Literal["stars-in-flat"] = "stars-in-flat"
    kinds: tuple[FrameKind, ...] = (FrameKind.FLAT,)
    per_megapixel: float = Field(15.0, ge=0)
    """Stars per million pixels."""
    contrast: float = Field(8.0, ge=0)
    """Flux of a star in units of the light of a single pixel."""
    drift_px: float = 7.0
    """Drift from frame to frame in x."""

    def change_electrons(self, mean_e: Float32, shot: Shot, random: np.random.Generator) -> None:
        del random
        height, width = mean_e.shape
        field = np.random.default_rng(83)
        count = round(self.per_megapixel * height * width * 1e-6)
        positions = field.uniform(0.0, [width, height], (count, 2))
        positions[:, 0] += self.drift_px * shot.number
        psf = Psf(3.0)
        flux = field.exponential(self.contrast * float(mean_e.mean()), (count, 1))
        reach, within = psf.reach(flux[:, 0])
        single = np.zeros((1, 1), np.uint8)
        add_stars(mean_e, positions, flux, reach, psf.peak / within, single, psf.shape(), psf.beta)


class NewHotPixels(Fault):
    """Pixels have become hot since the other frames were taken."""

    fault: Literal["new-hot-pixels"] = "new-hot-pixels"
    kinds: tuple[FrameKind, ...] = (FrameKind.LIGHT,)
    per_megapixel: float = Field(400.0, ge=0)
    """Their number per million pixels."""
    e_s: float = Field(5.0, ge=0)
    """Mean dark current of these pixels in electrons per second."""

    def change_electrons(self, mean_e: Float32, shot: Shot, random: np.random.Generator) -> None:
        del random
        always = np.random.default_rng(97)
        count = round(self.per_megapixel * mean_e.size * 1e-6)
        where = always.integers(0, mean_e.size, count)
        mean_e.reshape(-1)[where] += always.exponential(self.e_s * shot.exposure_s, count)


class Clouds(Fault):
    """Clouds dim the stars and brighten the sky."""

    fault: Literal["clouds"] = "clouds"
    kinds: tuple[FrameKind, ...] = (FrameKind.LIGHT,)
    transparency: float = Field(0.3, ge=0)
    """Factor on the light of the scene."""
    sky_factor: float = Field(1.6, ge=0)
    """Factor on the background."""

    def change_shot(self, shot: Shot) -> Shot:
        return shot.model_copy(
            update={
                "transparency": shot.transparency * self.transparency,
                "sky_factor": shot.sky_factor * self.sky_factor,
            }
        )


class PoorStars(Fault):
    """Stars are trailed or out of focus."""

    fault: Literal["poor-stars"] = "poor-stars"
    kinds: tuple[FrameKind, ...] = (FrameKind.LIGHT,)
    fwhm_factor: float = Field(1.0, gt=0)
    """Factor on their width."""
    eccentricity: float | None = Field(None, ge=0, lt=1)
    """Their eccentricity, if it changes."""

    def change_shot(self, shot: Shot) -> Shot:
        update: dict[str, Any] = {"fwhm_px": shot.fwhm_px * self.fwhm_factor}
        if self.eccentricity is not None:
            update["eccentricity"] = self.eccentricity
        return shot.model_copy(update=update)


class OtherCamera(Fault):
    """The frames come from another sensor of the same make."""

    fault: Literal["other-camera"] = "other-camera"
    kinds: tuple[FrameKind, ...] = (FrameKind.DARK,)
    serial: int = Field(1001, ge=0)
    """Its serial number."""

    def change_shot(self, shot: Shot) -> Shot:
        return shot.model_copy(update={"serial": self.serial})
