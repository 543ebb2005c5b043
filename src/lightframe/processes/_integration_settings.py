"""Settings of integration, with the pairs that masters and lights need."""

from typing import Annotated, Self

from pydantic import Field

from lightframe.processes._combination import COMBINATIONS, WEIGHTS
from lightframe.processes._estimators import EstimatorSettings
from lightframe.processes._large_scale import LargeScaleSettings
from lightframe.processes._local_normalization import LocalNormalizationSettings
from lightframe.processes._normalization import OUTPUT_NORMALIZATIONS, REJECTION_NORMALIZATIONS
from lightframe.processes._rejection import REJECTIONS
from lightframe.processes._rejection_limits import RejectionLimits
from lightframe.settings import OneOf, Settings

__all__ = ["IntegrationSettings", "RangeLimits"]


class RangeLimits(Settings):
    """Raw samples that are rejected before anything else."""

    low: float | None = None
    """Samples at or below this level (DN) are rejected; none if not set."""

    high: float | None = None
    """Samples at or above this level (DN) are rejected; none if not set."""


class IntegrationSettings(Settings):
    """How a stack of frames becomes one image."""

    combination: Annotated[str, OneOf(COMBINATIONS)] = "average"
    """How the survivors of a pixel become one value."""

    weight: Annotated[str, OneOf(WEIGHTS)] = "noise"
    """What a frame's weight is; frames weigh alike in other combinations than the average."""

    normalization: Annotated[str, OneOf(OUTPUT_NORMALIZATIONS)] = "additive-scaling"
    """What brings the samples to the reference's level before they are combined."""

    rejection_normalization: Annotated[str, OneOf(REJECTION_NORMALIZATIONS)] = "scale"
    """What makes the samples comparable before outliers are looked for."""

    rejection: Annotated[str, OneOf(REJECTIONS)] = "auto"
    """The algorithm that rejects outliers."""

    limits: RejectionLimits = RejectionLimits()
    """Parameters of the rejection algorithms."""

    range_limits: RangeLimits = RangeLimits()
    """Raw levels outside which samples are rejected."""

    large_scale: LargeScaleSettings = LargeScaleSettings()
    """Growing of large rejected structures, such as satellite trails; reads the frames twice."""

    estimators: EstimatorSettings = EstimatorSettings()
    """What the levels of frames are measured with, for normalization and the weight ``snr``."""

    local: LocalNormalizationSettings = LocalNormalizationSettings()
    """Fineness of the normalization ``local``."""

    maps: bool = True
    """Whether to keep the maps of weights and of rejected samples; each takes as much memory as the
    image."""

    variance: bool = False
    """Whether to predict the variance of each pixel of the result."""

    photon_gain: float | None = Field(default=None, gt=0.0)
    """Gain of the frames in e-/DN, for the photon noise in the variance; if not set, that of their
    headers (EGAIN)."""

    @classmethod
    def for_darks(cls, **changes: object) -> Self:
        """Return the settings for bias, dark and flat-dark frames: nothing is normalized."""
        return cls.parse(
            {"weight": "none", "normalization": "none", "rejection_normalization": "none"} | changes
        )

    @classmethod
    def for_flats(cls, **changes: object) -> Self:
        """Return the settings for flats: equal fluxes, multiplicative."""
        return cls.parse(
            {
                "weight": "none",
                "normalization": "multiplicative",
                "rejection_normalization": "equalize-fluxes",
            }
            | changes
        )
