"""To be described."""

from lightframe.processes._calibration import FrameLevels, PreparedCalibration, prepare_calibration
from lightframe.processes._calibration_masters import Masters
from lightframe.processes._calibration_settings import DARK_SCALINGS, CalibrationSettings
from lightframe.processes._dark_scaling import DARK_OBJECTIVES, DarkScale
from lightframe.processes._flat_scaling import FLAT_SCALINGS, FlatScale
from lightframe.processes._overscan import OverscanRegion, OverscanSettings, overscan_from_sections
from lightframe.processes._pedestal import (
    INPUT_PEDESTALS,
    OUTPUT_PEDESTALS,
    Clipping,
    InputPedestal,
    automatic_pedestal,
    clipped_fractions,
    resolve_input_pedestal,
)
from lightframe.processes._resampling import (
    INTERPOLATIONS,
    Interpolation,
    ResampleSettings,
    resample,
    source_window,
)

__all__ = [
    "DARK_OBJECTIVES",
    "DARK_SCALINGS",
    "FLAT_SCALINGS",
    "INPUT_PEDESTALS",
    "INTERPOLATIONS",
    "OUTPUT_PEDESTALS",
    "CalibrationSettings",
    "Clipping",
    "DarkScale",
    "FlatScale",
    "FrameLevels",
    "InputPedestal",
    "Interpolation",
    "Masters",
    "OverscanRegion",
    "OverscanSettings",
    "PreparedCalibration",
    "ResampleSettings",
    "automatic_pedestal",
    "clipped_fractions",
    "overscan_from_sections",
    "prepare_calibration",
    "resample",
    "resolve_input_pedestal",
    "source_window",
]
