"""Where a file comes from: the header of everything a run writes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean

import numpy as np
import numpy.typing as npt

from lightframe._version import __version__
from lightframe.frames import FULL_SCALE, Card, FrameInfo, FrameKind, Header, Value
from lightframe.processes import Integration, IntegrationSettings

__all__ = [
    "cfa_cards",
    "combined_header",
    "history",
    "integration_lines",
    "noise_cards",
    "transform_text",
    "xisf_image_type",
]

_IMAGE_TYPES = {
    FrameKind.BIAS: "Master Bias",
    FrameKind.DARK: "Master Dark",
    FrameKind.FLAT_DARK: "Master Flat-Dark",
    FrameKind.FLAT: "Master Flat",
    FrameKind.LIGHT: "Master Light",
}

_AGREED = (
    ("INSTRUME", "camera", "camera"),
    ("TELESCOP", "telescope", "telescope"),
    ("OBJECT", "object", "target"),
    ("FILTER", "filter", "filter"),
    ("GAIN", "gain", "gain setting of the driver, or ISO"),
    ("EGAIN", "egain", "[e-/DN] conversion gain"),
    ("OFFSET", "offset", "offset setting of the driver"),
    ("READOUTM", "readout_mode", "readout mode"),
    ("SET-TEMP", "set_temperature_c", "[C] sensor temperature, set point"),
    ("FOCALLEN", "focal_length_mm", "[mm] focal length"),
    ("XPIXSZ", "pixel_size_um", "[um] pixel size, binned"),
    ("YPIXSZ", "pixel_size_um", "[um] pixel size, binned"),
    ("ROWORDER", "row_order", "order of the rows as stored"),
)
"""Keyword, attribute of FrameInfo, comment: written where all frames that state it agree."""


def xisf_image_type(kind: FrameKind) -> str:
    """Return XISF's ``imageType`` of an integration of frames of `kind`: IMAGETYP in one word."""
    return _IMAGE_TYPES[kind].replace(" ", "").replace("-", "")


def combined_header(frames: Sequence[FrameInfo], kind: FrameKind) -> Header:
    """Return the cards an integration of `frames` shares with them.

    A fact is written only where every frame that states it agrees; exposures and temperatures are
    the mean of one frame's, the total is the sum.
    """
    cards = [Card("IMAGETYP", _IMAGE_TYPES[kind], "type of image")]
    for keyword, attribute, comment in _AGREED:
        value = _agreed(frames, attribute)
        if value is not None:
            cards.append(Card(keyword, value, comment))
    cards += _exposure_cards(frames)
    temperatures = [f.temperature_c for f in frames if f.temperature_c is not None]
    if temperatures:
        cards.append(Card("CCD-TEMP", round(fmean(temperatures), 3), "[C] mean temperature"))
    binning = {frame.binning for frame in frames if frame.binning is not None}
    if len(binning) == 1:
        x, y = binning.pop()
        cards += [Card("XBINNING", x, "binning"), Card("YBINNING", y, "binning")]
    cards += _time_cards(frames)
    cards.append(Card("NCOMBINE", len(frames), "number of frames combined"))
    cards.append(Card("SWCREATE", f"Lightframe {__version__}", "program that wrote this file"))
    cards.append(Card("DATE", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "[UTC] written"))
    return Header(cards)


def _agreed(frames: Sequence[FrameInfo], attribute: str) -> Value:
    """Return the value all frames that know it agree on, else None."""
    values = {value for frame in frames if (value := getattr(frame, attribute)) is not None}
    return values.pop() if len(values) == 1 else None


def _exposure_cards(frames: Sequence[FrameInfo]) -> list[Card]:
    exposures = [frame.exposure_s for frame in frames if frame.exposure_s is not None]
    if not exposures:
        return []
    cards = [
        Card("EXPTIME", round(fmean(exposures), 6), "[s] exposure of one frame, mean"),
    ]
    if len(exposures) == len(frames):
        cards.append(Card("TOTALEXP", round(sum(exposures), 6), "[s] sum of the exposures"))
    return cards


def _time_cards(frames: Sequence[FrameInfo]) -> list[Card]:
    times = sorted(frame.time for frame in frames if frame.time is not None)
    if not times:
        return []
    return [
        Card("DATE-OBS", times[0].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3], "[UTC] first frame"),
        Card("DATE-END", times[-1].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3], "[UTC] last frame"),
    ]


def history(*lines: str) -> list[Card]:
    """Return one HISTORY card for each line."""
    return [Card("HISTORY", line) for line in lines]


def integration_lines(
    settings: IntegrationSettings, result: Integration, reference: str
) -> list[str]:
    """Return the HISTORY of an integration: its settings, and what was rejected.

    Parameters
    ----------
    settings : IntegrationSettings
        Settings; those that are not named here are written where they differ from the default.
    result : Integration
        What came out.
    reference : str
        Name of the file that the others were normalized to.
    """
    lines = [
        f"ImageIntegration.pixelCombination: {settings.combination}",
        f"ImageIntegration.outputNormalization: {settings.normalization}",
        f"ImageIntegration.weightMode: {settings.weight}",
        f"ImageIntegration.pixelRejection: {result.rejection}",
        f"ImageIntegration.rejectionNormalization: {settings.rejection_normalization}",
        f"ImageIntegration.referenceImage: {reference}",
        f"ImageIntegration.numberOfImages: {len(result.weights)}",
        f"ImageIntegration.totalRejectedLow: {result.rejected[0]:.6f}",
        f"ImageIntegration.totalRejectedHigh: {result.rejected[1]:.6f}",
    ]
    named = {"combination", "normalization", "weight", "rejection", "rejection_normalization"}
    changed = settings.model_dump(exclude_defaults=True, exclude=named)
    return lines + [f"ImageIntegration.{name}: {value}" for name, value in _flat(changed)]


def _flat(values: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Yield the entries of nested tables by their dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def transform_text(transform: npt.NDArray[np.float64]) -> str:
    """Return a transform, shape (3, 3), as HISTORY has it: rows apart by semicolons."""
    return "; ".join(" ".join(f"{value:.9g}" for value in row) for row in transform)


def noise_cards(noise_dn: Sequence[float], units: str) -> list[Card]:
    """Return one NOISE card for each channel, in the units of the written pixels."""
    unit_dn = FULL_SCALE if units == "unit" else 1.0
    return [
        Card(f"NOISE{channel:02d}", float(f"{sigma / unit_dn:.4e}"), "noise of the channel")
        for channel, sigma in enumerate(noise_dn)
    ]


def cfa_cards(info: FrameInfo) -> list[Card]:
    """Return the CFA pattern of an array that is stored as `info` is, offsets taken in.

    BAYERPAT names the cell of the picture seen from its top; with ROWORDER = BOTTOM-UP, which is
    kept, that is the last stored row.
    """
    if info.cfa is None:
        return []
    bottom_up = (info.row_order or "").upper() == "BOTTOM-UP"
    pattern = info.cfa.flipped_rows(info.height) if bottom_up else info.cfa
    return [
        Card("BAYERPAT", pattern.name, "CFA pattern of the picture"),
        Card("XBAYROFF", 0, "offset of the pattern"),
        Card("YBAYROFF", 0, "offset of the pattern"),
    ]
