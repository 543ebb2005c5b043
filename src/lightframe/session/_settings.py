"""All settings of a run, in one frozen object: library, command line and TOML file share it."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from lightframe.checks import CheckSettings
from lightframe.processes import (
    DEBAYER_METHODS,
    CalibrationSettings,
    CosmeticSettings,
    DetectionSettings,
    IntegrationSettings,
    RegistrationSettings,
    ResampleSettings,
    StretchSettings,
    SuperbiasSettings,
)
from lightframe.session._match_settings import MatchSettings
from lightframe.settings import OneOf, Settings, listed

__all__ = ["RunSettings"]


class RunSettings(Settings):
    """Settings of ``lightframe run``; each group is a table of the TOML file."""

    match: MatchSettings = MatchSettings()
    """Which calibration frames serve which lights, and how the dark is used."""

    check: CheckSettings = CheckSettings()
    """Thresholds of the checks."""

    check_pixels: bool = True
    """Whether the checks look at the raw pixels of all frames before the work begins."""

    force: bool = False
    """Whether to go on although the settings would subtract the bias twice."""

    calibration: CalibrationSettings = CalibrationSettings()
    """Calibration of lights and flats. The plan chooses the dark scaling; see `match`."""

    darks: IntegrationSettings = IntegrationSettings.for_darks(maps=False)
    """Integration of bias, dark and flat-dark frames."""

    superbias: bool = False
    """Whether master bias frames are replaced by a model of their columns, rows and large scales.
    It has hardly any noise, but lacks the offsets of single pixels: for CCD, not for CMOS."""

    superbias_model: SuperbiasSettings = SuperbiasSettings()
    """What that model consists of."""

    flats: IntegrationSettings = IntegrationSettings.for_flats(maps=False)
    """Integration of calibrated flats."""

    cosmetic: CosmeticSettings = CosmeticSettings()
    """Correction of hot and cold pixels."""

    correct_defects: bool = True
    """Whether hot and cold pixels are corrected at all."""

    debayer: Annotated[str, OneOf(DEBAYER_METHODS)] = "bilinear"
    """Interpolation of the colours of mosaic frames."""

    detection: DetectionSettings = DetectionSettings()
    """Star detection."""

    registration: RegistrationSettings = RegistrationSettings()
    """Bringing frames onto the reference."""

    resampling: ResampleSettings = ResampleSettings()
    """Interpolation on the reference's grid."""

    lights: IntegrationSettings = IntegrationSettings()
    """Integration of the registered lights."""

    photometric_scale: bool = True
    """Whether the scale between lights is measured on their stars. Without it, or with too few
    stars, the spread of the background is used, which follows the noise, not the transparency."""

    stretch: StretchSettings = StretchSettings()
    """Stretch of the previews."""

    keep: Annotated[
        tuple[Literal["calibrated", "debayered", "registered"], ...], BeforeValidator(listed)
    ] = ()
    """Intermediate files to write beside the result."""

    units: Literal["unit", "dn"] = "unit"
    """Scale of written results: DN / 65535, or DN."""

    workers: int | None = Field(default=None, ge=1)
    """Threads; all cores if not set."""

    memory_gb: float | None = Field(default=None, gt=0)
    """Memory for tiles in GB, the results apart; half of what is free, at most 0.5, if not set."""
