"""Thresholds of the checks of calibrated lights and results."""

from pydantic import Field

from lightframe.settings import Settings

__all__ = ["ResultThresholds"]


class ResultThresholds(Settings):
    """Thresholds of what ``lightframe run`` checks in calibrated lights and results."""

    flat_residual_sigma: float = Field(4.0, gt=0)
    """Errors by which lights must follow their flat to be over- or under-corrected."""

    flat_residual_effect: float = Field(0.007, gt=0)
    """Unevenness that it must leave in the background, from the brightest part of the flat to the
    darkest, as a part of the background."""

    flat_explained_sigma: float = Field(3.0, gt=0)
    """The same number of errors where another finding says why already."""

    flat_explained_effect: float = Field(0.003, gt=0)
    """The same unevenness where another finding says why already."""

    flat_colour_error: float = Field(0.02, ge=0)
    """Difference of the pixels' sensitivities to the light of the flat and to that of the sky, as a
    part of their spread: so much may follow the flat without a fault. It does not count for dust
    shadows and vignetting, which have no colour."""

    below_zero: float = Field(0.001, ge=0, lt=1)
    """Fraction of the calibrated pixels below zero from which on it is said."""

    below_zero_unexplained: float = Field(0.02, ge=0, lt=1)
    """Fraction of the pixels below zero, beyond what background and noise explain, from which on it
    is a warning."""

    background_below_zero: float = Field(0.5, gt=0)
    """Background below zero, in units of the noise of a pixel, that is an error."""

    dither_px: float = Field(2.0, gt=0)
    """Movement of the field, beyond a steady drift, that dithers a monochrome camera."""

    dither_cfa_px: float = Field(3.0, gt=0)
    """The same for a camera with a colour filter array."""

    dither_every: float = Field(6.0, ge=1)
    """Lights after which the field must have been moved."""

    dither_lights: int = Field(5, ge=4)
    """Lights from which on dithering is asked for."""

    set_lights: int = Field(6, ge=3)
    """Lights of a filter from which on their median alone says what is usual; with fewer, from
    three on, a bad light must also stand apart from the next good one."""

    bad_brightness: float = Field(0.6, gt=0, lt=1)
    """Brightness of the stars, relative to the set, below which a light is clouded."""

    bad_fwhm: float = Field(1.5, gt=1)
    """Width of the stars, relative to the set, above which a light is out of focus."""

    bad_eccentricity: float = Field(0.7, gt=0, lt=1)
    """Eccentricity of the stars above which a light is trailed, if it is 0.15 above the set's."""

    bad_star_count: float = Field(0.4, gt=0, lt=1)
    """Number of stars, relative to the set, below which a light is bad whatever the reason."""

    bad_weight: float = Field(0.25, gt=0, lt=1)
    """Weight, (brightness / noise)^2 relative to the set, below which a light is bad."""

    dark_scale_ratio: float = Field(0.25, gt=0)
    """Relative difference of dark scaling factor and ratio of exposures at equal temperature."""

    pattern_share: float = Field(0.1, gt=0, lt=1)
    """Share of the variance of a pixel that may be fixed pattern, beside the noise of the
    masters."""

    ledger_sigma: float = Field(5.0, gt=0)
    """Errors by which what is left of hot pixels must differ from nothing."""

    dust_shift_px: float = Field(1.5, gt=0)
    """Movement of the dust shadows between flat and lights in pixels."""

    glow_visible: float = Field(1.0, gt=0)
    """Glow of the dark in units of the noise of a light from which on it counts as glow."""

    glow_left: float = Field(0.1, gt=0)
    """Share of the dark's glow that may be left in the lights."""
