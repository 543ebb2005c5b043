"""Parameters of the rejection algorithms, as settings."""

from pydantic import Field

from lightframe.settings import Settings

__all__ = [
    "CcdNoiseModel",
    "ChauvenetLimits",
    "EsdLimits",
    "ExtremesLimits",
    "LinearFitLimits",
    "PercentileLimits",
    "RejectionLimits",
    "SigmaLimits",
]


class SigmaLimits(Settings):
    """Limits in units of sigma."""

    low: float = Field(default=4.0, gt=0.0, le=10.0)
    """Samples this many sigmas below the centre are rejected."""

    high: float = Field(default=3.0, gt=0.0, le=10.0)
    """Samples this many sigmas above the centre are rejected."""

    winsorization_cutoff: float = Field(default=5.0, ge=3.0, le=10.0)
    """In the first round of winsorization, samples further away than this count as the mean."""


class PercentileLimits(Settings):
    """Limits of percentile clipping."""

    low: float = Field(default=0.2, ge=0.0, le=1.0)
    """Samples below the median by more than this part of the median are rejected."""

    high: float = Field(default=0.1, ge=0.0)
    """Samples above the median by more than this part of the median are rejected."""


class ExtremesLimits(Settings):
    """Numbers of samples that min/max rejection takes."""

    low: int = Field(default=1, ge=0)
    """How many of the lowest samples of a pixel are rejected."""

    high: int = Field(default=1, ge=0)
    """How many of the highest samples of a pixel are rejected."""


class LinearFitLimits(Settings):
    """Limits of linear fit clipping, in units of twice the mean absolute deviation."""

    low: float = Field(default=5.0, gt=0.0, le=10.0)
    """Samples this far below the line are rejected."""

    high: float = Field(default=4.0, gt=0.0, le=10.0)
    """Samples this far above the line are rejected."""


class EsdLimits(Settings):
    """Parameters of the generalized extreme studentized deviate test."""

    outliers_fraction: float = Field(default=0.3, gt=0.0, lt=1.0)
    """Greatest part of a pixel's samples that may be outliers."""

    alpha: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Probability of finding outliers in a stack that has none."""

    low_relaxation: float = Field(default=1.0, ge=1.0, le=5.0)
    """Deviations below the mean are divided by this before they are tested."""


class CcdNoiseModel(Settings):
    """Noise expected of a sensor; for frames as they left the camera."""

    gain: float = Field(default=1.0, gt=0.0)
    """Gain, e-/DN."""

    read_noise: float = Field(default=10.0, ge=0.0)
    """Read noise, e-."""

    scale_noise: float = Field(default=0.0, ge=0.0, le=1.0)
    """Noise in proportion to the signal, such as flickering light; a fraction of it."""


class ChauvenetLimits(Settings):
    """Parameter of robust Chauvenet rejection."""

    limit: float = Field(default=0.1, gt=0.0, le=1.0)
    """A sample is rejected where fewer than this number are expected as far away."""


class RejectionLimits(Settings):
    """Parameters of the rejection algorithms."""

    reject_low: bool = True
    """Whether samples that are too low are rejected."""

    reject_high: bool = True
    """Whether samples that are too high are rejected."""

    minimum_survivors: int = Field(default=1, ge=1)
    """A round of rejection that would leave fewer samples of a pixel is not carried out."""

    sigma: SigmaLimits = SigmaLimits()
    """Limits of sigma, winsorized, averaged-sigma, mad and ccd-noise clipping."""

    percentile: PercentileLimits = PercentileLimits()
    """Limits of percentile clipping."""

    extremes: ExtremesLimits = ExtremesLimits()
    """Numbers of samples for min-max."""

    linear_fit: LinearFitLimits = LinearFitLimits()
    """Limits of linear-fit clipping."""

    esd: EsdLimits = EsdLimits()
    """Parameters of esd."""

    ccd: CcdNoiseModel = CcdNoiseModel()
    """Noise model of ccd-noise."""

    chauvenet: ChauvenetLimits = ChauvenetLimits()
    """Parameter of chauvenet."""

    @property
    def sides(self) -> int:
        """1 low, 2 high, 3 both."""
        return self.reject_low + 2 * self.reject_high
