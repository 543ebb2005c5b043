"""The settings of a sensor: conversion, noise, bias, dark current, colour filters."""

import math
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from lightframe.frames import CfaPattern
from lightframe.settings import Settings

__all__ = ["BiasPattern", "DarkCurrent", "GainMode", "Glow", "Sensor"]


def _check_pattern(name: str) -> str:
    CfaPattern.from_name(name)
    return name


class GainMode(Settings):
    """What the sensor does at one gain setting. Electrons are those in the pixel."""

    setting: float = 100.0
    """Gain in driver units, or ISO."""

    e_per_adu: float = Field(0.8, gt=0)
    """Conversion gain in electrons per ADC unit (before any shift to 16 bits)."""

    read_noise_e: float = Field(1.5, ge=0)
    """Read noise of a pixel in electrons."""

    full_well_e: float = Field(13000.0, gt=0)
    """Electrons at which the pixel saturates."""


class BiasPattern(Settings):
    """The structure of a frame without light or dark current, in electrons (rms)."""

    column_e: float = Field(0.3, ge=0)
    """Fixed column pattern."""

    pixel_e: float = Field(0.4, ge=0)
    """Fixed offset of each pixel."""

    gradient_e: float = Field(0.0, ge=0)
    """Fixed smooth gradient, from corner to corner."""

    row_e: float = Field(0.15, ge=0)
    """Noise that all pixels of a row share; new in each frame."""

    banding_e: float = Field(0.0, ge=0)
    """Slow bands across the rows; new in each frame."""

    banding_rows: float = Field(40.0, gt=0)
    """Width of the bands in rows."""


class Glow(Settings):
    """Amplifier glow: light of the sensor's own electronics from a corner."""

    peak_e: float = Field(120.0, ge=0)
    """Electrons in the corner after 300 s at the reference temperature."""

    extent: float = Field(0.25, gt=0)
    """Distance at which it has fallen to 1/e, as a fraction of the frame's diagonal."""

    corner: tuple[float, float] = (1.0, 1.0)
    """Where it sits: (0, 0) is the first pixel, (1, 1) the last."""

    time_exponent: float = Field(0.85, gt=0)
    """It grows with the exposure to this power."""

    doubling_c: float = Field(40.0, gt=0)
    """Degrees by which the sensor must warm up for twice the glow; much more than dark current."""


class DarkCurrent(Settings):
    """Dark current: a base, a log-normal spread with a tail of warm pixels, and hot pixels."""

    rate_e_s: float = Field(0.0008, ge=0)
    """Median dark current in electrons per pixel and second at the reference temperature."""

    reference_c: float = -10.0
    """The reference temperature."""

    doubling_c: float = Field(6.0, gt=0)
    """Degrees in which dark current doubles."""

    spread: float = Field(0.35, ge=0)
    """Standard deviation of the natural logarithm of the dark current."""

    warm_fraction: float = Field(0.01, ge=0, le=1)
    """Fraction of warm pixels, with a wide log-normal distribution above the base."""

    warm_e_s: float = Field(0.05, ge=0)
    """Median dark current of the warm pixels."""

    hot_fraction: float = Field(0.0004, ge=0, le=1)
    """Fraction of hot pixels."""

    hot_e_s: float = Field(4.0, ge=0)
    """Median dark current of the hot pixels; they spread over more than a factor of 10."""

    telegraph_fraction: float = Field(0.0, ge=0, le=1)
    """Fraction of pixels that jump between two levels from frame to frame."""

    telegraph_e: float = Field(25.0, ge=0)
    """Height of the jump in electrons."""

    suppressed: bool = False
    """Whether the hardware subtracts the mean dark current, so that darks do not rise."""

    glow: Glow | None = None
    """Amplifier glow, if any."""

    def factor(self, temperature_c: float) -> float:
        """Return dark current at a temperature relative to that at the reference temperature."""
        return float(2.0 ** ((temperature_c - self.reference_c) / self.doubling_c))


class Sensor(Settings):
    """An image sensor with its ADC. The serial number fixes every pixel's individual traits."""

    camera: str = "ZWO ASI533MC Pro"
    """Name as it stands in headers."""

    serial: int = Field(1, ge=0)
    """Serial number: seed of all fixed patterns."""

    width: int = Field(1504, ge=16)
    """Columns."""

    height: int = Field(1008, ge=16)
    """Rows."""

    pixel_size_um: float = Field(3.76, gt=0)
    """Size of a pixel in micrometres."""

    gains: tuple[GainMode, ...] = Field((GainMode(),), min_length=1)
    """Gain modes; between two settings the values are interpolated."""

    adc_bits: int = Field(14, ge=8, le=16)
    """Bits of the ADC."""

    shifted: bool = True
    """Whether values are shifted left to fill 16 bits, as most astronomical cameras do."""

    offset_adu_per_unit: float = Field(2.5, gt=0)
    """ADC units by which one unit of the offset setting raises the bias level."""

    egain_on_adc_scale: bool = False
    """Whether the driver reports electrons per ADC unit although it shifts to 16 bits."""

    linear_to: float = Field(1.0, gt=0, le=1)
    """Fraction of full well up to which the response is linear."""

    bias: BiasPattern = BiasPattern()
    """Structure of the bias."""

    dark: DarkCurrent = DarkCurrent()
    """Dark current."""

    cooled: bool = True
    """Whether the sensor is cooled to a set temperature."""

    prnu: float = Field(0.008, ge=0)
    """Spread of the pixels' sensitivity (rms)."""

    cold_fraction: float = Field(0.00005, ge=0, le=1)
    """Fraction of pixels with little or no sensitivity."""

    cfa: Annotated[str, AfterValidator(_check_pattern)] | None = "RGGB"
    """Colour filter array row by row, 4 or 36 letters; absent for a monochrome sensor."""

    sensitivity: tuple[float, float, float] = (0.75, 1.0, 0.62)
    """Sensitivity behind the red, green and blue filters; monochrome sensors have no filters."""

    @model_validator(mode="after")
    def _check_gains(self) -> Self:
        settings = [mode.setting for mode in self.gains]
        if settings != sorted(set(settings)):
            raise ValueError("gains must be in ascending order of their setting")
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def shift(self) -> int:
        """Bits by which ADC values are shifted left in the file."""
        return 16 - self.adc_bits if self.shifted else 0

    @property
    def ceiling_dn(self) -> int:
        """Highest value in the file."""
        return ((1 << self.adc_bits) - 1) << self.shift

    @property
    def pattern(self) -> CfaPattern | None:
        """The colour filter array, phased at the first pixel."""
        return None if self.cfa is None else CfaPattern.from_name(self.cfa)

    def at_gain(self, setting: float) -> GainMode:
        """Return the sensor's mode at a gain setting, interpolated (logarithmically) if need be."""
        if setting <= self.gains[0].setting:
            return self.gains[0].model_copy(update={"setting": setting})
        for low, high in zip(self.gains, self.gains[1:], strict=False):
            if setting < high.setting:
                share = (setting - low.setting) / (high.setting - low.setting)
                return GainMode(
                    setting=setting,
                    e_per_adu=_between(low.e_per_adu, high.e_per_adu, share),
                    read_noise_e=_between(low.read_noise_e, high.read_noise_e, share),
                    full_well_e=_between(low.full_well_e, high.full_well_e, share),
                )
        return self.gains[-1].model_copy(update={"setting": setting})

    def e_per_dn(self, setting: float) -> float:
        """Return electrons per DN on the scale of the file."""
        return self.at_gain(setting).e_per_adu / (1 << self.shift)

    def bias_level_dn(self, offset: float) -> float:
        """Return the mean bias level in DN on the scale of the file."""
        return offset * self.offset_adu_per_unit * (1 << self.shift)


def _between(low: float, high: float, share: float) -> float:
    if low <= 0.0 or high <= 0.0:
        return low + share * (high - low)
    return math.exp((1.0 - share) * math.log(low) + share * math.log(high))
