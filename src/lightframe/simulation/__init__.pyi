from ._camera import Camera, Exposed, build_camera
from ._capture import CAPTURE_PROGRAMS, CaptureProgram
from ._compare import compare_with_truth
from ._comparison import ChannelComparison, Comparison
from ._fault import Fault
from ._faults_exposure import (
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
from ._faults_file import (
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
from ._faults_format import (
    CameraRawFile,
    CorruptFile,
    FewerBits,
    FloatFile,
    TornReadout,
)
from ._faults_session import ChangedGlow, GivenMaster, Missing
from ._ideal import ideal_noise_dn
from ._optics import Dust, Filter, Optics
from ._patterns import Patterns, make_patterns
from ._presets import PRESETS, preset
from ._schedule import schedule
from ._sensor import BiasPattern, DarkCurrent, GainMode, Glow, Sensor
from ._session import BiasSet, DarkSet, FlatSet, LightSet, Night, Session
from ._shots import Claim, Pointing, Shot, Trail
from ._simulate import simulate_session
from ._sky import Galaxy, Nebula, Psf, Scene, Sky, Stars
from ._truth import Truth
from ._truth_files import TRUTH_FOLDER, load_truth, save_truth

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
