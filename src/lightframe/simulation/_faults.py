"""What can go wrong: each fault is a frozen object that changes some frames in one respect.

A fault may change the exposure before it is made, the electrons before they are read, the raw
pixels, the header, or the finished file. Several faults act one after the other.
"""

from typing import Annotated

from pydantic import Field

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

__all__ = ["AnyFault"]

AnyFault = Annotated[
    AlreadyCalibrated
    | BiasDrift
    | Binned
    | BzeroLost
    | CameraRawFile
    | ChangedGlow
    | Clouds
    | CorruptFile
    | Cropped
    | Duplicate
    | FewerBits
    | FlatLevel
    | Flicker
    | Flipped
    | FloatFile
    | GivenMaster
    | HeaderValue
    | HotPixelFilter
    | LightLeak
    | Mislabelled
    | Missing
    | NewHotPixels
    | OtherCamera
    | PoorStars
    | ShadowShift
    | ShutterPattern
    | StarsInFlat
    | TornReadout
    | TruncatedFile
    | Unshifted
    | WhiteBalance
    | WrongSetting,
    Field(discriminator="fault"),
]
"""Any fault, told apart by its name."""
