"""What is known of a frame from its header alone."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from lightframe.frames._cfa import CfaPattern
from lightframe.frames._header import Header
from lightframe.kernels._constants import FULL_SCALE

__all__ = ["FrameInfo", "FrameKind"]

_WHITE_DN = {"uint8": 255.0, "uint16": FULL_SCALE}


class FrameKind(StrEnum):
    """What a frame is for; the value is the word used in files, tables and messages."""

    BIAS = "bias"
    DARK = "dark"
    FLAT_DARK = "flat-dark"
    FLAT = "flat"
    LIGHT = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInfo:
    """One frame as its header describes it. None means unknown, and unknown stays unknown.

    Attributes
    ----------
    path : Path
        The file.
    format : str
        ``"fits"``, ``"xisf"`` or ``"raw"`` (camera raw).
    height, width, channels : int
        Geometry of the first image.
    sample_format : str
        Stored sample type, e.g. ``"uint16"``, ``"float32"``.
    kind : FrameKind or None
        What the frame is for.
    kind_from : str
        What said so: a keyword, ``"path"``, ``"exposure"``, or ``""``.
    is_master : bool
        Whether it is an integration of several frames.
    exposure_s : float or None
        Exposure of one sub-exposure in seconds.
    total_exposure_s : float or None
        Sum over the combined frames in seconds.
    gain : float or None
        Gain setting in driver units, or ISO.
    egain : float or None
        Conversion gain in e-/DN on the scale of the file.
    offset : float or None
        Offset setting in driver units.
    readout_mode : str or None
        Readout mode.
    temperature_c, set_temperature_c : float or None
        Sensor temperature, measured and set, in degrees Celsius.
    binning : tuple of int or None
        Horizontal and vertical binning.
    filter : str or None
        Filter name as written.
    camera, telescope, object, software : str or None
        Identities as written.
    focal_length_mm, aperture_mm, pixel_size_um : float or None
        Optics; the pixel size is that of the stored (binned) pixels.
    rotation_deg : float or None
        Rotator or camera angle.
    pier_side : str or None
        ``"east"`` or ``"west"``.
    time : datetime or None
        Start of the exposure, UTC.
    night : date or None
        Date of the evening before: the local start of the exposure minus 12 hours.
    cfa : CfaPattern or None
        Colours at the array's origin as stored; None for mono, RGB and unknown.
    row_order : str or None
        ``"TOP-DOWN"`` or ``"BOTTOM-UP"`` if stated.
    frames_combined : int or None
        Number of frames in a master or stack.
    calibration : frozenset of FrameKind
        Calibration already applied according to CALSTAT, HISTORY and the like.
    pedestal_dn : float or None
        Pedestal still contained in the pixels, positive, DN on the 16-bit scale.
    saturation_dn, black_dn : float or None
        Stated saturation and black level in DN on the scale of the file.
    notes : tuple of str
        Assumptions that were made and contradictions that were seen, in the user's words.
    header : Header
        All cards as read.
    """

    path: Path
    format: str
    height: int
    width: int
    channels: int
    sample_format: str
    kind: FrameKind | None = None
    kind_from: str = ""
    is_master: bool = False
    exposure_s: float | None = None
    total_exposure_s: float | None = None
    gain: float | None = None
    egain: float | None = None
    offset: float | None = None
    readout_mode: str | None = None
    temperature_c: float | None = None
    set_temperature_c: float | None = None
    binning: tuple[int, int] | None = None
    filter: str | None = None
    camera: str | None = None
    telescope: str | None = None
    object: str | None = None
    software: str | None = None
    focal_length_mm: float | None = None
    aperture_mm: float | None = None
    pixel_size_um: float | None = None
    rotation_deg: float | None = None
    pier_side: str | None = None
    time: datetime | None = None
    night: date | None = None
    cfa: CfaPattern | None = None
    row_order: str | None = None
    frames_combined: int | None = None
    calibration: frozenset[FrameKind] = frozenset()
    pedestal_dn: float | None = None
    saturation_dn: float | None = None
    black_dn: float | None = None
    notes: tuple[str, ...] = ()
    header: Header = field(default_factory=Header, repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def white_dn(self) -> float | None:
        """Highest value of a pixel in DN: the smaller of the stated one and that of the integers.

        None where neither is known.
        """
        known = (self.saturation_dn, _WHITE_DN.get(self.sample_format))
        return min((value for value in known if value is not None), default=None)
