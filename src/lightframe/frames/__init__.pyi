from ._access import access_error
from ._array_source import ArraySource
from ._camera_raw import CameraRawFormat, CameraRawSettings
from ._cfa import COLOURS, CfaPattern, cfa_pattern
from ._describe import frame_info
from ._fits_write import WriteReport, write_fits
from ._formats import (
    FrameFormat,
    find_format,
    formats,
    has_image_suffix,
    open_pixels,
    read_header,
    read_image,
    read_info,
)
from ._header import Card, Header, Value
from ._info import FrameInfo, FrameKind
from ._kinds import FRAME_KINDS, kind_from_path, recognise_flat_darks
from ._pixels import PixelSource, Window, every_row
from ._png import write_png
from ._scratch import storage_error
from ._sidecar import SETTINGS_SUFFIX, with_settings
from ._stored import FULL_SCALE
from ._text import write_text
from ._vocabulary import VOCABULARY
from ._xisf_write import XISF_COMPRESSIONS, XisfImage, write_xisf

__all__ = [
    "COLOURS",
    "FRAME_KINDS",
    "FULL_SCALE",
    "SETTINGS_SUFFIX",
    "VOCABULARY",
    "XISF_COMPRESSIONS",
    "ArraySource",
    "CameraRawFormat",
    "CameraRawSettings",
    "Card",
    "CfaPattern",
    "FrameFormat",
    "FrameInfo",
    "FrameKind",
    "Header",
    "PixelSource",
    "Value",
    "Window",
    "WriteReport",
    "XisfImage",
    "access_error",
    "cfa_pattern",
    "every_row",
    "find_format",
    "formats",
    "frame_info",
    "has_image_suffix",
    "kind_from_path",
    "open_pixels",
    "read_header",
    "read_image",
    "read_info",
    "recognise_flat_darks",
    "storage_error",
    "with_settings",
    "write_fits",
    "write_png",
    "write_text",
    "write_xisf",
]
