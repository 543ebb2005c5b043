from ._area_noise import area_noise, block_means, is_white
from ._background_tiles import (
    BackgroundTiles,
    FlatProbe,
    background_tiles,
    flat_probe,
    flat_products,
)
from ._calibration import FrameLevels, PreparedCalibration
from ._calibration_cards import calibrated_header, calibration_cards, with_saturation
from ._calibration_frame import (
    CalibratedFrame,
    CalibrationRecord,
    calibrate_frame,
    frame_pedestal,
)
from ._calibration_masters import Masters
from ._calibration_preparing import prepare_calibration
from ._calibration_settings import DARK_SCALINGS, CalibrationSettings
from ._combination import COMBINATIONS, WEIGHTS
from ._combined_noise import combined_noise
from ._cosmetic import (
    correct_defects,
    defects_from_dark,
    detect_defects,
)
from ._cosmetic_settings import DARK_LIMITS, CosmeticSettings
from ._dark_residuals import DarkResiduals, dark_residuals
from ._dark_scaling import DARK_OBJECTIVES, DarkScale
from ._debayer import (
    DEBAYER_METHODS,
    DebayerMethod,
    debayer,
    debayer_area_variance,
    debayer_margin,
    debayer_scale,
    merge_cfa,
    split_cfa,
    superpixel,
)
from ._defects import Defects, parse_defect_list
from ._detection_image import detection_image
from ._dust import (
    DustMoved,
    DustProbe,
    dust_moved,
    dust_probe,
    dust_stamps,
)
from ._estimators import (
    LOCATION_ESTIMATORS,
    SCALE_ESTIMATORS,
    EstimatorSettings,
    FrameStatistics,
    frame_statistics,
)
from ._flat_dark_test import FlatDarkTest, dark_signal, flat_dark_test
from ._flat_fit import FlatFit, flat_fit
from ._flat_scaling import FLAT_SCALINGS, FlatScale
from ._flat_verdict import FlatVerdict, flat_verdict
from ._glow import GlowLeft, GlowShape, glow_left, glow_map, glow_shape
from ._hot_pixel_ledger import (
    SYMMETRIES,
    HotPixels,
    HotSlope,
    hot_pixels,
    hot_slope,
    mean_slope,
)
from ._integration import Integration, integrate
from ._integration_quality import IntegrationQuality, integration_quality
from ._integration_recipe import sample_statistics
from ._integration_settings import IntegrationSettings, RangeLimits
from ._integration_trace import PixelTrace, trace_pixel
from ._integration_variance import NoiseModel
from ._large_scale import LargeScaleSettings
from ._local_normalization import LocalNormalizationSettings
from ._master_noise import AddedNoise, LightStack, added_noise, own_noise
from ._measure import Measurement, choose_reference, measure, reference_scores
from ._noise import NOISE_METHODS, NoiseEstimate, evaluate_noise
from ._normalization import OUTPUT_NORMALIZATIONS, REJECTION_NORMALIZATIONS
from ._overscan import OverscanRegion, OverscanSettings, overscan_from_sections
from ._pedestal import (
    INPUT_PEDESTALS,
    OUTPUT_PEDESTALS,
    Clipping,
    InputPedestal,
    automatic_pedestal,
    clipped_fractions,
    resolve_input_pedestal,
)
from ._photometric_scale import (
    Coincidence,
    PhotometricScale,
    by_brightness,
    coincidence,
    photometric_scale,
    psf_signal_weights,
)
from ._photon_transfer import (
    Measured,
    PairNoise,
    conversion_gain,
    noise_without_light,
    pair_noise,
)
from ._registration import Registration, register
from ._registration_settings import RegistrationSettings
from ._rejection import REJECTIONS, choose_rejection
from ._rejection_limits import RejectionLimits, SigmaLimits
from ._rejection_reach import rejection_reach
from ._repairs import Repairs
from ._resampling import (
    INTERPOLATIONS,
    Interpolation,
    ResampleSettings,
    resample,
    source_window,
)
from ._residual_pattern import PatternLeft, pattern_left, pattern_sample
from ._saturation import (
    LEAST_CEILING_DN,
    MOST_ABOVE,
    Saturation,
    calibrated_saturation,
    is_end_of_adc,
    saturation,
)
from ._star_table import StarTable
from ._stars import DetectionSettings, detect_stars
from ._statistics import PlaneStatistics, colour_samples, image_statistics
from ._stretch import (
    PREVIEW_SIDE,
    StretchSettings,
    Transfer,
    autostretch,
    midtones_transfer,
    preview,
    reduced,
    screen_transfer,
)
from ._superbias import Superbias, SuperbiasSettings, superbias
from ._temporal_noise import TemporalNoise, temporal_noise
from ._transforms import MODELS

__all__ = [
    "COMBINATIONS",
    "DARK_LIMITS",
    "DARK_OBJECTIVES",
    "DARK_SCALINGS",
    "DEBAYER_METHODS",
    "FLAT_SCALINGS",
    "INPUT_PEDESTALS",
    "INTERPOLATIONS",
    "LEAST_CEILING_DN",
    "LOCATION_ESTIMATORS",
    "MODELS",
    "MOST_ABOVE",
    "NOISE_METHODS",
    "OUTPUT_NORMALIZATIONS",
    "OUTPUT_PEDESTALS",
    "PREVIEW_SIDE",
    "REJECTIONS",
    "REJECTION_NORMALIZATIONS",
    "SCALE_ESTIMATORS",
    "SYMMETRIES",
    "WEIGHTS",
    "AddedNoise",
    "BackgroundTiles",
    "CalibratedFrame",
    "CalibrationRecord",
    "CalibrationSettings",
    "Clipping",
    "Coincidence",
    "CosmeticSettings",
    "DarkResiduals",
    "DarkScale",
    "DebayerMethod",
    "Defects",
    "DetectionSettings",
    "DustMoved",
    "DustProbe",
    "EstimatorSettings",
    "FlatDarkTest",
    "FlatFit",
    "FlatProbe",
    "FlatScale",
    "FlatVerdict",
    "FrameLevels",
    "FrameStatistics",
    "GlowLeft",
    "GlowShape",
    "HotPixels",
    "HotSlope",
    "InputPedestal",
    "Integration",
    "IntegrationQuality",
    "IntegrationSettings",
    "Interpolation",
    "LargeScaleSettings",
    "LightStack",
    "LocalNormalizationSettings",
    "Masters",
    "Measured",
    "Measurement",
    "NoiseEstimate",
    "NoiseModel",
    "OverscanRegion",
    "OverscanSettings",
    "PairNoise",
    "PatternLeft",
    "PhotometricScale",
    "PixelTrace",
    "PlaneStatistics",
    "PreparedCalibration",
    "RangeLimits",
    "Registration",
    "RegistrationSettings",
    "RejectionLimits",
    "Repairs",
    "ResampleSettings",
    "Saturation",
    "SigmaLimits",
    "StarTable",
    "StretchSettings",
    "Superbias",
    "SuperbiasSettings",
    "TemporalNoise",
    "Transfer",
    "added_noise",
    "area_noise",
    "automatic_pedestal",
    "autostretch",
    "background_tiles",
    "block_means",
    "by_brightness",
    "calibrate_frame",
    "calibrated_header",
    "calibrated_saturation",
    "calibration_cards",
    "choose_reference",
    "choose_rejection",
    "clipped_fractions",
    "coincidence",
    "colour_samples",
    "combined_noise",
    "conversion_gain",
    "correct_defects",
    "dark_residuals",
    "dark_signal",
    "debayer",
    "debayer_area_variance",
    "debayer_margin",
    "debayer_scale",
    "defects_from_dark",
    "detect_defects",
    "detect_stars",
    "detection_image",
    "dust_moved",
    "dust_probe",
    "dust_stamps",
    "evaluate_noise",
    "flat_dark_test",
    "flat_fit",
    "flat_probe",
    "flat_products",
    "flat_verdict",
    "frame_pedestal",
    "frame_statistics",
    "glow_left",
    "glow_map",
    "glow_shape",
    "hot_pixels",
    "hot_slope",
    "image_statistics",
    "integrate",
    "integration_quality",
    "is_end_of_adc",
    "is_white",
    "mean_slope",
    "measure",
    "merge_cfa",
    "midtones_transfer",
    "noise_without_light",
    "overscan_from_sections",
    "own_noise",
    "pair_noise",
    "parse_defect_list",
    "pattern_left",
    "pattern_sample",
    "photometric_scale",
    "prepare_calibration",
    "preview",
    "psf_signal_weights",
    "reduced",
    "reference_scores",
    "register",
    "rejection_reach",
    "resample",
    "resolve_input_pedestal",
    "sample_statistics",
    "saturation",
    "screen_transfer",
    "source_window",
    "split_cfa",
    "superbias",
    "superpixel",
    "temporal_noise",
    "trace_pixel",
    "with_saturation",
]
