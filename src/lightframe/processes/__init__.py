"""To be described."""

from lightframe.processes._calibration import FrameLevels, PreparedCalibration, prepare_calibration
from lightframe.processes._calibration_cards import calibrated_header, calibration_cards
from lightframe.processes._calibration_frame import (
    CalibratedFrame,
    CalibrationRecord,
    calibrate_frame,
)
from lightframe.processes._calibration_masters import Masters
from lightframe.processes._calibration_settings import DARK_SCALINGS, CalibrationSettings
from lightframe.processes._combination import COMBINATIONS, WEIGHTS
from lightframe.processes._cosmetic import (
    COSMETIC_MARGIN,
    DARK_LIMITS,
    CosmeticSettings,
    correct_defects,
    defects_from_dark,
    detect_defects,
)
from lightframe.processes._dark_scaling import DARK_OBJECTIVES, DarkScale
from lightframe.processes._defects import Defects, parse_defect_list, read_defect_list
from lightframe.processes._estimators import (
    LOCATION_ESTIMATORS,
    SCALE_ESTIMATORS,
    FrameStatistics,
    frame_statistics,
)
from lightframe.processes._flat_scaling import FLAT_SCALINGS, FlatScale
from lightframe.processes._integration import Integration, integrate, sample_statistics
from lightframe.processes._integration_settings import IntegrationSettings, RangeLimits
from lightframe.processes._noise import NOISE_METHODS, NoiseEstimate, evaluate_noise
from lightframe.processes._normalization import OUTPUT_NORMALIZATIONS, REJECTION_NORMALIZATIONS
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
from lightframe.processes._rejection import REJECTIONS, choose_rejection
from lightframe.processes._rejection_limits import RejectionLimits, SigmaLimits
from lightframe.processes._resampling import (
    INTERPOLATIONS,
    Interpolation,
    ResampleSettings,
    resample,
    source_window,
)

__all__ = [
    "COMBINATIONS",
    "COSMETIC_MARGIN",
    "DARK_LIMITS",
    "DARK_OBJECTIVES",
    "DARK_SCALINGS",
    "FLAT_SCALINGS",
    "INPUT_PEDESTALS",
    "INTERPOLATIONS",
    "LOCATION_ESTIMATORS",
    "NOISE_METHODS",
    "OUTPUT_NORMALIZATIONS",
    "OUTPUT_PEDESTALS",
    "REJECTIONS",
    "REJECTION_NORMALIZATIONS",
    "SCALE_ESTIMATORS",
    "WEIGHTS",
    "CalibratedFrame",
    "CalibrationRecord",
    "CalibrationSettings",
    "Clipping",
    "CosmeticSettings",
    "DarkScale",
    "Defects",
    "FlatScale",
    "FrameLevels",
    "FrameStatistics",
    "InputPedestal",
    "Integration",
    "IntegrationSettings",
    "Interpolation",
    "Masters",
    "NoiseEstimate",
    "OverscanRegion",
    "OverscanSettings",
    "PreparedCalibration",
    "RangeLimits",
    "RejectionLimits",
    "ResampleSettings",
    "SigmaLimits",
    "automatic_pedestal",
    "calibrate_frame",
    "calibrated_header",
    "calibration_cards",
    "choose_rejection",
    "clipped_fractions",
    "correct_defects",
    "defects_from_dark",
    "detect_defects",
    "evaluate_noise",
    "frame_statistics",
    "integrate",
    "overscan_from_sections",
    "parse_defect_list",
    "prepare_calibration",
    "read_defect_list",
    "resample",
    "resolve_input_pedestal",
    "sample_statistics",
    "source_window",
]
