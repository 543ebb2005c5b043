"""Settings of the matching of calibration frames with lights."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from lightframe.settings import OneOf, Settings, listed
from lightframe.tables import Table

__all__ = [
    "CALIBRATED_FRAMES",
    "COMPARED",
    "DARK_CHOICES",
    "FLAT_CALIBRATIONS",
    "UNNAMED_OBJECTS",
    "USES_OF_BIAS",
    "MatchSettings",
]


def _names(title: str, **meanings: str) -> Table[str]:
    table: Table[str] = Table(title)
    for name, meaning in meanings.items():
        table.enter(name.replace("_", "-"), meaning, meaning)
    return table


DARK_CHOICES = _names(
    "dark scaling",
    auto="as it is where exposure and temperature agree, else optimised where a bias allows it",
    none="as it is, always",
    exposure="the dark signal times the ratio of the exposures; needs a bias",
    optimize="the dark signal times the factor that fits the pixels of each light; needs a bias",
)
USES_OF_BIAS = _names(
    "use of the bias",
    auto="where it is needed: no dark, a scaled dark, or a dark that is free of bias",
    always="always",
    never="never",
)
FLAT_CALIBRATIONS = _names(
    "calibration of flats",
    auto="flat-darks of their exposure, else bias; for long flats of a CCD bias and optimised dark",
    flat_dark="flat-darks only",
    bias="bias only",
    dark="bias and optimised dark",
    none="nothing",
)
CALIBRATED_FRAMES = _names(
    "use of calibrated frames",
    set_aside="leave out frames that have been calibrated before",
    use="use them as they are, without calibrating them again",
)
UNNAMED_OBJECTS = _names(
    "grouping of lights without an object",
    folder="one result for each folder",
    together="one result for all",
)
COMPARED = _names(
    "compared quantity",
    camera="name of the camera",
    format="camera raw, or FITS and XISF",
    geometry="planes, rows and columns",
    binning="binning",
    readout_mode="readout mode",
    gain="gain setting or ISO",
    offset="offset setting",
    filter="filter",
    colours="colour filter array, as stored",
    row_order="order of the rows, as stated",
    exposure="exposure of one frame",
    temperature="temperature of the sensor",
    rotation="rotation of the camera; half a turn, as by a meridian flip, is no difference",
    focal_length="focal length",
    telescope="name of the telescope",
    night="evening date",
    software="capture program",
)


_NameList = Annotated[tuple[str, ...], BeforeValidator(listed)]
_QuantityList = Annotated[tuple[Annotated[str, OneOf(COMPARED)], ...], BeforeValidator(listed)]


class MatchSettings(Settings):
    """Which calibration frames serve which lights, and how far they may differ."""

    dark_scaling: Annotated[str, OneOf(DARK_CHOICES)] = "auto"
    """How darks are subtracted."""
    allow_dark_scale_up: bool = False
    """Scale darks up for lights of longer exposure, which adds noise to the result."""
    use_bias: Annotated[str, OneOf(USES_OF_BIAS)] = "auto"
    """Where the bias is subtracted from lights. A dark that is not scaled takes it away already."""
    flat_calibration: Annotated[str, OneOf(FLAT_CALIBRATIONS)] = "auto"
    """What flats are calibrated with."""
    sensor: str = Field(default="auto", pattern="^(auto|ccd|cmos)$")
    """auto, ccd or cmos: whether long flats may be calibrated with a scaled dark. Auto: by the
    name of the camera; a camera that is not known counts as CMOS."""
    long_flat_s: float = Field(default=5.0, ge=0)
    """Exposure in seconds from which flats hold dark signal worth removing."""
    exposure_tolerance_s: float = Field(default=0.05, ge=0)
    """Exposures that differ by less, in seconds, or by less than the fraction below are equal."""
    exposure_tolerance_fraction: float = Field(default=0.005, ge=0, lt=1)
    """The same as a fraction of the exposure."""
    flat_dark_tolerance_s: float = Field(default=0.5, ge=0)
    """Flat-darks whose exposure differs by less, in seconds, or by less than the fraction below
    serve."""
    flat_dark_tolerance_fraction: float = Field(default=0.05, ge=0, lt=1)
    """The same as a fraction of the flat's exposure."""
    temperature_tolerance_c: float = Field(default=1.0, ge=0)
    """Temperatures of cooled sensors that differ by less, in degrees Celsius, are equal."""
    temperature_error_c: float = Field(default=3.0, ge=0)
    """A cooled dark that differs by more, in degrees Celsius, is an error."""
    uncooled_tolerance_c: float = Field(default=3.0, ge=0)
    """The same as the temperature tolerance, for sensors without a set point."""
    rotation_tolerance_deg: float = Field(default=2.0, ge=0)
    """Rotation between flats and lights in degrees that does not matter."""
    focal_length_tolerance_fraction: float = Field(default=0.15, ge=0, lt=1)
    """Difference of focal length between flats and lights that does not matter, as a fraction. Some
    programs write the nominal value, others the measured one; a reducer changes it by 20 % and
    more."""
    flat_age_days: float = Field(default=30.0, ge=0)
    """Days between flats and lights from which it is said."""
    few_frames: int = Field(default=10, ge=1)
    """Fewer calibration frames in a set are reported, with the noise they add."""
    master_noise_percent: float = Field(default=5.0, gt=0)
    """Noise that a master may add to a result, in percent of what it has without; more is warned
    of, with the number of frames that would do."""
    fewest_frames: int = Field(default=3, ge=1)
    """Fewer frames in a set are warned of: outliers cannot be told from signal."""
    calibrated_frames: Annotated[str, OneOf(CALIBRATED_FRAMES)] = "set-aside"
    """What becomes of lights and flats that have been calibrated before."""
    unnamed_objects: Annotated[str, OneOf(UNNAMED_OBJECTS)] = "folder"
    """How lights whose headers name no object are grouped."""
    filter_aliases: _NameList = ()
    """Filters that are the same under two names, e.g. ``G0=G, Lum-2=L``."""
    ignored_quantities: _QuantityList = ()
    """Quantities that are not compared, for headers known to be wrong, e.g. ``gain, offset``."""
