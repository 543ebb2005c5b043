"""What is known of cameras by name: figures and oddities, from the table ``cameras.toml``."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, field_validator, model_validator
from pydantic.dataclasses import dataclass

from lightframe.checks._anomalies import ANOMALIES

__all__ = ["GainPoint", "KnownCamera", "Sensor", "camera_of", "known_cameras", "sensor_of"]

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Bits = Annotated[int, Field(ge=8, le=16)]

_STRICT = ConfigDict(extra="forbid")
_GAIN_UNITS_PER_DECADE = 200.0
"""ZWO counts the gain in tenths of a decibel of voltage."""
_SHIFTED_BITS = 16


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor as far as the camera's name gives it away.

    Attributes
    ----------
    technology : str or None
        ``"ccd"``, ``"cmos"``, or None where the name does not tell.
    glows : bool
        Known for strong amplifier glow, which dark scaling does not remove (guide 6.2.1).
    unstable_bias : bool
        Known for bias frames whose level and gradient vary below 0.2 s (guide 4.1).
    subtracts_dark : bool
        Known for subtracting a dark before it writes its frames.
    """

    technology: str | None = None
    glows: bool = False
    unstable_bias: bool = False
    subtracts_dark: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class GainPoint:
    """What is typical at one gain setting.

    Attributes
    ----------
    gain : float
        The setting.
    e_per_adu, read_noise_e, full_well_e : float or None
        Electrons per unit of the ADC, read noise, and full well; None where not known.
    """

    gain: float
    e_per_adu: Positive | None = None
    read_noise_e: Positive | None = None
    full_well_e: Positive | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class KnownCamera:
    """A row of ``cameras.toml``: a sensor and the cameras that hold it, or a family of cameras.

    Attributes
    ----------
    name : str
        Name of the sensor or family.
    pattern : str
        Regular expression that finds the cameras by name.
    technology : str
        ``"ccd"`` or ``"cmos"``.
    source : str
        Where the figures come from.
    pixel_um : float or None
        Side of a pixel in micrometres.
    adc_bits : int or None
        Bits of the ADC; `scale_bits` where the figures are stated on another scale.
    black_adu, white_adu : float or None
        Level without light, and of saturation, in units of the ADC.
    linear_to : float or None
        Part of saturation up to which the sensor is linear.
    dark_e_s, dark_c : float or None
        Dark current of a pixel in e-/s, at this temperature in degrees Celsius.
    offset_adu_per_unit : float or None
        Units of the ADC by which one unit of the offset setting raises the level.
    gain_of : str or None
        Regular expression for the names of the cameras that count the gain as `modes` do.
    modes : tuple of GainPoint
        Figures by gain setting, in ascending order.
    anomalies : tuple of str
        Names from `ANOMALIES`.
    """

    name: str
    pattern: str
    technology: str = Field(pattern="^(ccd|cmos)$")
    source: str = Field(min_length=1)
    pixel_um: Positive | None = None
    adc_bits: Bits | None = None
    scale_bits: Bits | None = None
    black_adu: NotNegative | None = None
    white_adu: Positive | None = None
    linear_to: Share | None = None
    dark_e_s: Positive | None = None
    dark_c: float | None = None
    offset_adu_per_unit: Positive | None = None
    gain_of: str | None = None
    modes: tuple[GainPoint, ...] = ()
    anomalies: tuple[str, ...] = ()

    @field_validator("pattern", "gain_of")
    @classmethod
    def _compiles(cls, text: str | None) -> str | None:
        try:
            re.compile(text or "")
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return text

    @field_validator("anomalies")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in ANOMALIES]
        if unknown:
            raise ValueError(f"unknown anomalies: {', '.join(unknown)}")
        return names

    @model_validator(mode="after")
    def _is_whole(self) -> "KnownCamera":
        gains = [point.gain for point in self.modes]
        if gains != sorted(set(gains)):
            raise ValueError("modes must be in ascending order of their gain")
        if self.modes and self.gain_of is None:
            raise ValueError("modes need gain_of: makers count the gain differently")
        if (self.dark_e_s is None) != (self.dark_c is None):
            raise ValueError("dark_e_s and dark_c belong together")
        return self

    @property
    def sensor(self) -> Sensor:
        """What the plan needs to know."""
        return Sensor(
            self.technology,
            glows="amplifier-glow" in self.anomalies,
            unstable_bias="unstable-bias" in self.anomalies,
            subtracts_dark="dark-subtracted" in self.anomalies,
        )

    def at_gain(self, camera: str | None, gain: float | None) -> GainPoint | None:
        """Return what is typical at a gain setting; None where it is not known.

        Between two points of the table only the conversion gain is told, by the definition of the
        setting; it starts anew at each point, where the sensor may switch its readout.
        """
        if gain is None or self.gain_of is None or not re.search(self.gain_of, _plain(camera)):
            return None
        below = [point for point in self.modes if point.gain <= gain]
        if not below:
            return None
        nearest = below[-1]
        if nearest.gain == gain:
            return nearest
        factor = 10.0 ** ((nearest.gain - gain) / _GAIN_UNITS_PER_DECADE)
        known = nearest.e_per_adu
        return GainPoint(gain, None if known is None else known * factor)

    def e_per_dn(self, point: GainPoint, file_bits: int) -> float | None:
        """Return the typical conversion gain in a file whose values fill `file_bits` bits."""
        bits = self.scale_bits or self.adc_bits
        if point.e_per_adu is None or bits is None:
            return None
        return point.e_per_adu * 2.0 ** (bits - file_bits)

    def white_dn(self, step: int) -> float | None:
        """Return the level of saturation in a file with this step of its integers, in DN."""
        if self.white_adu is None or self.adc_bits is None or step < 1:
            return None
        shifted = step == 1 << (_SHIFTED_BITS - self.adc_bits)
        return self.white_adu * step if shifted else self.white_adu if step == 1 else None


@lru_cache(maxsize=1)
def known_cameras() -> tuple[KnownCamera, ...]:
    """Return the rows of ``cameras.toml``.

    Raises
    ------
    pydantic.ValidationError
        If the table holds an unknown key or a value out of range.
    """
    text = files("lightframe.checks").joinpath("cameras.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["camera"]
    return tuple(TypeAdapter(list[KnownCamera]).validate_python(rows))


@lru_cache(maxsize=256)
def camera_of(camera: str | None) -> KnownCamera | None:
    """Return what is known of a camera by its name as written in a header; None if nothing is."""
    name = _plain(camera)
    return next((known for known in known_cameras() if re.search(known.pattern, name)), None)


def sensor_of(camera: str | None) -> Sensor:
    """Return what the name of a camera, as written in a header, tells about its sensor."""
    known = camera_of(camera)
    return Sensor() if known is None else known.sensor


def _plain(name: str | None) -> str:
    """Return a name in lower case, with one space for spaces, hyphens and underscores."""
    return re.sub(r"[\s_\-]+", " ", name or "").lower()
