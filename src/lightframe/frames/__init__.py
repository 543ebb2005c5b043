"""Frames: what headers say, and the pixels of FITS, XISF and camera-raw files."""

from lightframe.frames._array_source import ArraySource
from lightframe.frames._camera_raw import CameraRawFormat, CameraRawSettings
from lightframe.frames._cfa import COLOURS, CfaPattern, cfa_pattern
from lightframe.frames._describe import frame_info
from lightframe.frames._fits_write import WriteReport, write_fits
from lightframe.frames._formats import (
    FrameFormat,
    find_format,
    formats,
    has_image_suffix,
    open_pixels,
    read_header,
    read_image,
    read_info,
)
from lightframe.frames._header import Card, Header, Value
from lightframe.frames._info import FrameInfo, FrameKind
from lightframe.frames._kinds import FRAME_KINDS, kind_from_path, recognise_flat_darks
from lightframe.frames._pixels import PixelSource, Window
from lightframe.frames._sidecar import SETTINGS_SUFFIX, with_settings
from lightframe.frames._stored import FULL_SCALE
from lightframe.frames._text import write_text
from lightframe.frames._vocabulary import VOCABULARY
from lightframe.frames._xisf_write import XISF_COMPRESSIONS, XisfImage, write_xisf

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
    "cfa_pattern",
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
    "with_settings",
    "write_fits",
    "write_text",
    "write_xisf",
]
