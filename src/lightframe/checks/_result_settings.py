"""Thresholds of the checks of calibrated lights and results."""

from pydantic import Field

from lightframe.settings import Settings

__all__ = ["ResultThresholds"]


class ResultThresholds(Settings):
    """Thresholds of what ``lightframe run`` checks in calibrated lights and results."""

    flat_residual_sigma: float = Field(5.0, gt=0)
    """Errors by which lights must follow their flat to be over- or under-corrected."""

    flat_residual_effect: float = Field(0.01, gt=0)
    """Unevenness that it must leave in the background, from the brightest part of the flat to the
    darkest, as a part of the background."""

    flat_explained_sigma: float = Field(3.0, gt=0)
    """The same number of errors where another finding says why already."""

    flat_explained_effect: float = Field(0.003, gt=0)
    """The same unevenness where another finding says why already."""

    flat_colour_error: float = Field(0.02, ge=0)
    """Difference of the pixels' sensitivities to the light of the flat and to that of the sky, as a
    part of their spread; it is added to the error."""
