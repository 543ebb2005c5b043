"""A camera, a telescope and a sky that are not there: sessions of raw frames with a known truth."""

from lightframe.simulation._camera import Camera, Exposed, build_camera
from lightframe.simulation._capture import CAPTURE_PROGRAMS, CaptureProgram
from lightframe.simulation._compare import compare_with_truth
from lightframe.simulation._comparison import ChannelComparison, Comparison
from lightframe.simulation._fault import Fault
from lightframe.simulation._faults_exposure import (
    Clouds,
    FlatLevel,
    Flicker,
    LightLeak,
    NewHotPixels,
    OtherCamera,
    PoorStars,
    ShadowShift,
    ShutterPattern,
    StarsInFlat,
    WrongSetting,
)
from lightframe.simulation._faults_file import (
    AlreadyCalibrated,
    BiasDrift,
    Binned,
    BzeroLost,
    Cropped,
    Duplicate,
    Flipped,
    HeaderValue,
    HotPixelFilter,
    Mislabelled,
    TruncatedFile,
    Unshifted,
    WhiteBalance,
)
from lightframe.simulation._faults_format import (
    CameraRawFile,
    CorruptFile,
    FewerBits,
    FloatFile,
    TornReadout,
)
from lightframe.simulation._faults_session import ChangedGlow, GivenMaster, Missing
from lightframe.simulation._ideal import ideal_noise_dn
from lightframe.simulation._optics import Dust, Filter, Optics
from lightframe.simulation._patterns import Patterns, make_patterns
from lightframe.simulation._presets import PRESETS, preset
from lightframe.simulation._schedule import schedule
from lightframe.simulation._sensor import BiasPattern, DarkCurrent, GainMode, Glow, Sensor
from lightframe.simulation._session import BiasSet, DarkSet, FlatSet, LightSet, Night, Session
from lightframe.simulation._shots import Claim, Pointing, Shot, Trail
from lightframe.simulation._simulate import simulate_session
from lightframe.simulation._sky import Galaxy, Nebula, Psf, Scene, Sky, Stars
from lightframe.simulation._truth import Truth
from lightframe.simulation._truth_files import TRUTH_FOLDER, load_truth, save_truth

__all__ = [
    "CAPTURE_PROGRAMS",
    "PRESETS",
    "TRUTH_FOLDER",
    "AlreadyCalibrated",
    "BiasDrift",
    "BiasPattern",
    "BiasSet",
    "Binned",
    "BzeroLost",
    "Camera",
    "CameraRawFile",
    "CaptureProgram",
    "ChangedGlow",
    "ChannelComparison",
    "Claim",
    "Clouds",
    "Comparison",
    "CorruptFile",
    "Cropped",
    "DarkCurrent",
    "DarkSet",
    "Duplicate",
    "Dust",
    "Exposed",
    "Fault",
    "FewerBits",
    "Filter",
    "FlatLevel",
    "FlatSet",
    "Flicker",
    "Flipped",
    "FloatFile",
    "GainMode",
    "Galaxy",
    "GivenMaster",
    "Glow",
    "HeaderValue",
    "HotPixelFilter",
    "LightLeak",
    "LightSet",
    "Mislabelled",
    "Missing",
    "Nebula",
    "NewHotPixels",
    "Night",
    "Optics",
    "OtherCamera",
    "Patterns",
    "Pointing",
    "PoorStars",
    "Psf",
    "Scene",
    "Sensor",
    "Session",
    "ShadowShift",
    "Shot",
    "ShutterPattern",
    "Sky",
    "Stars",
    "StarsInFlat",
    "TornReadout",
    "Trail",
    "TruncatedFile",
    "Truth",
    "Unshifted",
    "WhiteBalance",
    "WrongSetting",
    "build_camera",
    "compare_with_truth",
    "ideal_noise_dn",
    "load_truth",
    "make_patterns",
    "preset",
    "save_truth",
    "schedule",
    "simulate_session",
]
