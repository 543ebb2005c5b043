"""The settings of a whole session: equipment, night, frames, capture program, faults."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from lightframe.settings import OneOf, Settings
from lightframe.simulation._capture import CAPTURE_PROGRAMS
from lightframe.simulation._faults import AnyFault
from lightframe.simulation._optics import Filter, Optics
from lightframe.simulation._sensor import Sensor
from lightframe.simulation._sky import Sky

__all__ = ["BiasSet", "DarkSet", "FlatSet", "LightSet", "Night", "Session"]


class LightSet(Settings):
    """The lights of each filter."""

    count: int = Field(16, ge=0)
    """Number of frames per filter."""

    exposure_s: float = Field(120.0, gt=0)
    """Exposure in seconds."""


class DarkSet(Settings):
    """Darks, or flat-darks."""

    count: int = Field(12, ge=0)
    """Number of frames."""

    exposure_s: float | None = Field(None, gt=0)
    """Exposure in seconds; where absent, that of the frames they are for."""


class FlatSet(Settings):
    """The flats of each filter."""

    count: int = Field(12, ge=0)
    """Number of frames per filter."""

    exposure_s: float = Field(2.5, gt=0)
    """Exposure in seconds."""

    level: float = Field(0.45, gt=0)
    """Level of the brightest colour in the brightest place, as a fraction of the full scale."""

    level_spread: float = Field(0.004, ge=0)
    """Relative scatter of the level from frame to frame (rms)."""

    panel: tuple[float, float, float] = (1.0, 1.0, 1.1)
    """Red, green and blue light of the panel, relative."""


class BiasSet(Settings):
    """Bias frames."""

    count: int = Field(0, ge=0)
    """Number of frames."""

    exposure_s: float = Field(0.001, ge=0)
    """Exposure in seconds."""


class Night(Settings):
    """What changes from light to light."""

    start: datetime = datetime(2026, 10, 9, 19, 40, tzinfo=UTC)
    """When the first light begins."""

    fwhm_px: float = Field(3.0, gt=0.5)
    """Full width at half maximum of the stars in pixels."""

    fwhm_spread: float = Field(0.05, ge=0)
    """Its relative scatter (rms)."""

    beta: float = Field(3.5, ge=0)
    """Moffat exponent of the stars; 0 for Gaussian stars."""

    eccentricity: float = Field(0.3, ge=0, lt=1)
    """Mean eccentricity of the stars."""

    transparency_spread: float = Field(0.02, ge=0)
    """Relative scatter of the transparency (rms)."""

    sky_drift: float = 0.3
    """Relative change of the sky's brightness from the first light to the last."""

    gradient: float = Field(0.08, ge=0)
    """Relative change of the sky's brightness from the centre to the edge of the frame."""

    gradient_turn_deg: float = 50.0
    """By how much the direction of the gradient turns from the first light to the last."""

    dither_px: float = Field(12.0, ge=0)
    """Radius of the disk over which pointings are scattered."""

    drift_px: tuple[float, float] = (0.0, 0.0)
    """Movement of the field from each light to the next."""

    rotation_deg: float = 0.25
    """Rotation of the field from the first light to the last."""

    flip: bool = False
    """Whether the mount flips across the meridian in the middle of the night."""

    trails: int = Field(0, ge=0)
    """Number of lights per filter that a satellite crosses."""

    trail_e: float = Field(900.0, ge=0)
    """Electrons on the crest of a trail."""

    cosmic_rays: float = Field(0.005, ge=0)
    """Hits per million pixels and second, in frames of any kind."""

    ambient_c: float = 18.0
    """Temperature of an uncooled sensor at the first light."""

    ambient_drift_c: float = -2.0
    """Its change from the first light to the last."""


class Session(Settings):
    """One session: all frames that are taken of one target with one instrument."""

    seed: int = Field(1, ge=0)
    """Seed of all that differs from frame to frame."""

    sensor: Sensor = Sensor()
    """The camera."""

    optics: Optics = Optics()
    """The telescope."""

    sky: Sky = Sky()
    """The sky."""

    night: Night = Night()
    """The night."""

    filters: tuple[Filter, ...] = Field((Filter(),), min_length=1)
    """The filters, in the order in which they are used."""

    lights: LightSet = LightSet()
    """Lights."""

    darks: DarkSet = DarkSet()
    """Darks."""

    flats: FlatSet = FlatSet()
    """Flats."""

    flat_darks: DarkSet = DarkSet()
    """Flat-darks."""

    bias: BiasSet = BiasSet()
    """Bias frames."""

    gain: float = 100.0
    """Gain setting in driver units, or ISO."""

    offset: float = Field(70.0, ge=0)
    """Offset setting in driver units."""

    temperature_c: float = -10.0
    """Set temperature of a cooled sensor."""

    capture: Annotated[str, OneOf(CAPTURE_PROGRAMS)] = "nina"
    """The capture program whose headers and file names are imitated."""

    faults: tuple[AnyFault, ...] = ()
    """What goes wrong, in this order."""

    @model_validator(mode="after")
    def _check_filters(self) -> Self:
        names = [filter_.name for filter_ in self.filters]
        if len(set(names)) != len(names):
            raise ValueError(f"two filters have the same name: {names}")
        return self

    def changed(self, **settings: object) -> Self:
        """Return the session with other settings, checked like new ones."""
        return type(self).model_validate(dict(self) | settings)

    def resized(self, height: int, width: int, frames: int | None = None) -> Self:
        """Return the session with a smaller or larger sensor, and at most `frames` of each kind.

        Densities (stars, hot pixels) stay what they are; dust keeps its size in pixels.
        """
        updates: dict[str, object] = {
            "sensor": self.sensor.model_copy(update={"height": height, "width": width})
        }
        if frames is not None:
            for name in ("lights", "darks", "flats", "flat_darks", "bias"):
                group = getattr(self, name)
                updates[name] = group.model_copy(update={"count": min(group.count, frames)})
        return self.changed(**updates)
