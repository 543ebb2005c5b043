"""Thresholds of the checks."""

from pydantic import Field

from lightframe.checks._result_settings import ResultThresholds

__all__ = ["CheckSettings"]


class CheckSettings(ResultThresholds):
    """Thresholds of ``lightframe check``; each is printed with the findings that it decides."""

    flat_limit: float = Field(0.9, gt=0, le=1)
    """Part of the saturation level above which a flat is no longer linear."""

    flat_saturated_fraction: float = Field(0.001, ge=0, le=1)
    """Fraction of the pixels of one colour of a flat that may lie above that limit."""

    flat_lowest: float = Field(0.10, ge=0, le=1)
    """Signal of a flat as a part of the range below which its noise is looked at."""

    flat_snr: float = Field(200.0, gt=0)
    """Signal-to-noise ratio of a pixel of the master flat below which a dim flat is reported."""

    flat_single_snr: float = Field(50.0, gt=0)
    """The same for a single flat, where the range is not known."""

    flat_colour_ratio: float = Field(2.0, gt=1)
    """Ratio of the strongest to the weakest colour of a flat above which it is looked at."""

    flat_shape: float = Field(0.004, gt=0)
    """Relative deviation of the shape of a flat from that of its set (peak to peak, by tiles)."""

    flat_banding: float = Field(0.001, gt=0)
    """Relative amplitude (rms) of bands that move from flat to flat."""

    flat_shutter: float = Field(0.003, gt=0)
    """Relative difference, centre to edge, of flats of different exposures."""

    flat_dark_signal: float = Field(0.001, gt=0)
    """Dark signal in flats as a part of their level above which a bias does not do."""

    stars_in_flat: int = Field(5, ge=1)
    """Stars per megapixel of a flat, elsewhere in each frame."""

    stars_in_light: int = Field(10, ge=1)
    """Stars in a frame that is said to be dark, from which on it is a light."""

    illuminated: float = Field(0.15, gt=0, lt=1)
    """Level above the bias, as a part of the range, from which on a frame is illuminated."""

    saturated_light: float = Field(0.5, gt=0, le=1)
    """Part of the pixels of a light that may be saturated before it is set aside."""

    clipped_fraction: float = Field(0.001, gt=0)
    """Fraction of the pixels of a bias or dark that may be zero."""

    calibrated_fraction: float = Field(0.02, gt=0, le=1)
    """Fraction of pixels that are not whole numbers in a raw frame."""

    bias_unstable_sigma: float = Field(1.0, gt=0)
    """Deviation of the level, or change of the gradient, of bias frames in units of their noise."""

    bias_unstable_steps: float = Field(4.0, gt=0)
    """The same in steps of the integers; both must be exceeded."""

    leak_sigma: float = Field(0.75, gt=0)
    """Change of the structure of darks from frame to frame in units of their noise."""

    dark_level_sigma: float = Field(1.0, gt=0)
    """Deviation of the level of a dark from its set in units of the noise."""

    dark_noise_ratio: float = Field(1.2, gt=1)
    """Ratio of the noise of a dark to that of its set."""

    dark_hot_ratio: float = Field(1.3, gt=1)
    """Ratio of the hot pixels of a dark to those of its set."""

    offset_sigma: float = Field(2.0, gt=0)
    """Difference of two levels that should agree, in units of the noise of a pixel."""

    offset_steps: float = Field(4.0, gt=0)
    """The same in steps of the integers; both must be exceeded."""

    gain_ratio: float = Field(1.3, gt=1)
    """Ratio of two measured conversion gains, or read noises, that should agree."""

    white_balance: float = Field(0.015, gt=0)
    """Deviation of the spacing of the values of a colour from that of green."""

    cfa_equal: float = Field(0.005, gt=0)
    """Relative difference up to which two phases of a flat are one colour."""

    cfa_different: float = Field(0.03, gt=0)
    """Relative difference from which on two phases of a flat are two colours."""

    hot_slope: float = Field(1.3, gt=1)
    """Factor by which hot pixels of lights may deviate from those of the dark."""

    hot_slope_error: float = Field(2.5, gt=1)
    """Factor from which on it is an error."""

    hot_found: float = Field(0.5, gt=0, lt=1)
    """Part of the hot pixels of a dark that must be found in the lights."""

    hot_unknown: float = Field(100.0, gt=0)
    """Hot pixels of the lights per megapixel that the dark does not know."""

    sensitivity_found: float = Field(0.4, gt=0, lt=1)
    """Part of the pixels' different sensitivities in the flats that the lights must show."""

    filtered_maxima: float = Field(0.005, gt=0)
    """Fraction of pixels above all their neighbours below which a frame has been filtered."""
