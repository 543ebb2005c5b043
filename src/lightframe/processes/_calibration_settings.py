"""Settings of calibration (guide, sections 7 and 8)."""

from typing import Annotated

from pydantic import Field

from lightframe.processes._dark_scaling import DARK_OBJECTIVES
from lightframe.processes._flat_scaling import FLAT_SCALINGS
from lightframe.processes._noise import NOISE_METHODS
from lightframe.processes._overscan import OverscanSettings
from lightframe.processes._pedestal import INPUT_PEDESTALS, MAX_PEDESTAL_DN, OUTPUT_PEDESTALS
from lightframe.settings import OneOf, Settings
from lightframe.tables import Table

__all__ = ["DARK_SCALINGS", "CalibrationSettings"]

DARK_SCALINGS: Table[str] = Table("dark scaling")
DARK_SCALINGS.enter(
    "none", "subtract the master dark as it is: (L - MD) / MF s0; needs no bias", ""
)
DARK_SCALINGS.enter(
    "exposure",
    "scale the dark signal by the ratio of exposures: ((L - MB) - k (MD - MB)) / MF s0",
    "",
)
DARK_SCALINGS.enter(
    "optimize",
    "scale the dark signal by the factor k that fits the pixels of each light best, same formula",
    "",
)


class CalibrationSettings(Settings):
    """How lights (and flats) are calibrated.

    The order is: input pedestal, overscan and crop, bias, scaled dark, flat, output pedestal,
    truncation. Truncation happens at writing only, and is counted.
    """

    dark_scaling: Annotated[str, OneOf(DARK_SCALINGS)] = "none"
    """What the dark is multiplied with before it is subtracted."""
    dark_objective: Annotated[str, OneOf(DARK_OBJECTIVES)] = "wavelet-noise"
    """What the optimised dark scaling factor minimises."""
    dark_threshold_sigma: float = Field(default=3.0, ge=0, le=10)
    """Pixels of the dark signal above its median plus this many sigma decide the factor."""
    dark_scale_per_colour: bool = False
    """One factor per CFA colour instead of one per frame. RGB frames always have one a channel."""
    calibrate_bias: bool | None = None
    """Subtract the overscan of the master bias and crop it. Unset: if it has the raw frame's
    size."""
    calibrate_dark: bool | None = None
    """Subtract the overscan, then the master bias, from the master dark. Unset: as the dark says of
    itself, so that the bias is subtracted exactly once. Set to no while the dark still contains its
    bias and a master bias is given, the bias is subtracted twice: that is what the words say."""
    calibrate_flat: bool | None = None
    """Subtract the overscan, then bias and scaled dark, from the master flat. Unset: no; master
    flats are made of calibrated flats."""
    flat_scaling: Annotated[str, OneOf(FLAT_SCALINGS)] = "trimmed-mean"
    """How the master flat scaling factor s0 is measured."""
    flat_trim: float = Field(default=0.05, ge=0, le=0.25)
    """Fraction of the flat's pixels left out at each end by the trimmed mean."""
    flat_illuminated: float = Field(default=0.1, ge=0, lt=1)
    """Pixels of the flat above this share of their colour's high level count as illuminated; s0 is
    measured on the largest connected area of them, so that masked columns or the border outside the
    image circle do not pull it. 0: on the whole frame."""
    flat_least: float = Field(default=0.01, ge=0, lt=1)
    """Pixels whose flat is below this share of s0 are missing in the result: they are dead or
    covered, and would come out as huge numbers. Zero and negative ones always are."""
    flat_scale_per_colour: bool = True
    """One s0 per CFA colour, so that the flat does not shift the colours of the light."""
    input_pedestal: Annotated[str, OneOf(INPUT_PEDESTALS)] = "keyword"
    """Where the constant that is subtracted first comes from."""
    input_pedestal_keyword: str = "PEDESTAL"
    """The keyword that names it."""
    input_pedestal_dn: float = Field(default=0.0, ge=-1000, le=1000)
    """The constant for `input_pedestal = "literal"`, DN."""
    overscan: OverscanSettings | None = None
    """Overscan regions and the image rectangle."""
    output_pedestal: Annotated[str, OneOf(OUTPUT_PEDESTALS)] = "literal"
    """How the pedestal of written calibrated frames is chosen."""
    output_pedestal_dn: int = Field(default=0, ge=0, le=MAX_PEDESTAL_DN)
    """The pedestal for `output_pedestal = "literal"`, DN."""
    output_pedestal_limit: float = Field(default=0.0001, ge=0, le=0.01)
    """Fraction of pixels that may stay below zero with `output_pedestal = "auto"`."""
    evaluate_noise: bool = True
    """Measure the noise of each calibrated frame, plane by plane."""
    noise_method: Annotated[str, OneOf(NOISE_METHODS)] = "mrs"
    """How it is measured."""
