"""What the header of a calibrated frame tells (reference, 1.13)."""

from collections.abc import Iterator, Mapping
from math import floor

from lightframe.frames._cfa import CfaPattern
from lightframe.frames._header import Card, Header
from lightframe.frames._vocabulary import SATURATION
from lightframe.kernels._constants import FULL_SCALE
from lightframe.processes._calibration import PreparedCalibration
from lightframe.processes._calibration_frame import CalibrationRecord
from lightframe.processes._flat_scaling import FlatScale
from lightframe.processes._overscan import OverscanSettings

__all__ = ["calibrated_header", "calibration_cards", "with_saturation"]

_METHOD_NAMES = {"mrs": "MRS", "k-sigma": "K-Sigma"}
_ROLES = {"bias": "masterBias", "dark": "masterDark", "flat": "masterFlat"}
_CFA_PLACE = (
    *("CFAIMAGE", "COLORTYP", "XISF:CFAPATTERN", "XISF:CFAWIDTH", "PCL:CFASOURCEPATTERN"),
    *("XBAYROFF", "BAYOFFX", "YBAYROFF", "BAYOFFY"),
    *("XORGSUBF", "XOFFSET", "SUBX", "YORGSUBF", "YOFFSET", "SUBY"),
)
"""Keywords that place the colour pattern, or a sub-frame, on the sensor."""


def calibration_cards(
    record: CalibrationRecord,
    prepared: PreparedCalibration,
    *,
    unit_dn: float = FULL_SCALE,
    digests: Mapping[str, str] | None = None,
) -> tuple[Card, ...]:
    """Return the cards that describe a calibration.

    Parameters
    ----------
    record : CalibrationRecord
        Of the frame.
    prepared : PreparedCalibration
        What it was calibrated with.
    unit_dn : float
        DN of one unit of the written pixels: 65535 for pixels in 0..1, 1 for pixels in DN.
    digests : mapping of str to str, optional
        Hash of each master's file, by role ("bias", "dark", "flat").

    Returns
    -------
    tuple of Card
        CALSTAT, PEDESTAL (if one was added), for each plane NOISExx (in units of the pixels),
        NOISEFxx (share of noise pixels) and NOISEAxx (method), and HISTORY lines
        ``ImageCalibration.<item>: <value>``.
    """
    cards = (
        [Card("CALSTAT", _calstat(prepared), "calibration applied")] if _calstat(prepared) else []
    )
    if record.output_pedestal_dn:
        cards.append(Card("PEDESTAL", record.output_pedestal_dn, "DN added to all pixels"))
    if record.noise is not None:
        noise = record.noise
        rows = zip(noise.planes, noise.sigma_dn, noise.fraction, noise.method, strict=True)
        for i, (plane, sigma, fraction, method) in enumerate(rows):
            of = f" of plane {plane}" if plane else ""
            cards += [
                Card(f"NOISE{i:02d}", float(f"{sigma / unit_dn:.4e}"), f"noise{of}"),
                Card(f"NOISEF{i:02d}", round(fraction, 3), "share of noise pixels"),
                Card(f"NOISEA{i:02d}", _METHOD_NAMES[method], "noise evaluation"),
            ]
    lines = (f"ImageCalibration.{item}: {value}" for item, value in _items(record, prepared))
    hashes = (
        f"ImageCalibration.{_ROLES[role]}.digest: {digest}"
        for role, digest in (digests or {}).items()
        if role in record.masters
    )
    return (*cards, *(Card("HISTORY", line) for line in (*lines, *hashes)))


def _calstat(prepared: PreparedCalibration) -> str:
    """Return the letters of MaxIm DL's CALSTAT: what is gone from the pixels."""
    bias = "B" if prepared.removes_bias else ""
    return bias + "".join(role[0].upper() for role in ("dark", "flat") if role in prepared.names)


def _items(record: CalibrationRecord, prepared: PreparedCalibration) -> Iterator[tuple[str, str]]:
    """Yield item and value of the HISTORY lines."""
    settings = prepared.settings
    if record.input_pedestal.dn:
        yield "inputPedestal", f"{record.input_pedestal.dn:g} DN"
    if settings.overscan is not None:
        yield from _overscan_items(record, settings.overscan)
    flags = {"dark": settings.calibrate_dark, "flat": settings.calibrate_flat}
    for role, name in record.masters.items():
        yield f"{_ROLES[role]}.fileName", name
        if flags.get(role) is not None:
            yield f"{_ROLES[role]}.calibrate", str(flags[role]).lower()
    scale = record.dark_scale
    if scale is not None:
        yield "masterDark.scaling", settings.dark_scaling
        yield "masterDark.scalingFactors", " ".join(f"{k:.4f}" for k in scale.factors)
        if not scale.determined:
            yield "masterDark.scalingFactors.reason", scale.reason
    if record.flat_scale is not None:
        yield from _flat_items(record.flat_scale)
    if record.noise is not None:
        yield "noiseEstimates", " ".join(f"{sigma:.4g}" for sigma in record.noise.sigma_dn) + " DN"
    if record.output_pedestal_dn:
        yield "outputPedestal", f"{record.output_pedestal_dn} DN"


def _flat_items(scale: FlatScale) -> Iterator[tuple[str, str]]:
    factors = " ".join(f"{factor:.6f}" for factor in scale.factors)
    yield "masterFlat.scalingFactors", f"{factors} DN"
    if scale.illuminated < 1:
        yield "masterFlat.illuminated", f"{scale.illuminated:.4f}"


def _overscan_items(
    record: CalibrationRecord, overscan: OverscanSettings
) -> Iterator[tuple[str, str]]:
    yield "overscan.imageRect", _rectangle(overscan.image)
    for i, region in enumerate(overscan.regions):
        yield f"overscan[{i}].sourceRect", _rectangle(region.source)
        yield f"overscan[{i}].targetRect", _rectangle(region.target)
    for i, levels in enumerate(record.overscan_dn):
        yield f"overscan.level[{i}]", " ".join(f"{level:.3f}" for level in levels) + " DN"


def _rectangle(rectangle: tuple[int, int, int, int]) -> str:
    y0, y1, x0, x1 = rectangle
    return f"{{{x0},{y0},{x1},{y1}}}"


def calibrated_header(
    header: Header,
    record: CalibrationRecord,
    prepared: PreparedCalibration,
    *,
    unit_dn: float = FULL_SCALE,
    digests: Mapping[str, str] | None = None,
) -> Header:
    """Return the header of a calibrated frame.

    All cards of the raw frame are kept but those that are no longer true: its pedestal, its noise,
    its saturation, overscan sections, and, after a crop, the place of colour pattern and sub-frame.
    The cards of `calibration_cards` are added.

    Parameters
    ----------
    header : Header
        Of the raw frame.
    record, prepared, unit_dn, digests
        As in `calibration_cards`.
    """
    noise = [card.keyword for card in header if card.keyword.upper().startswith("NOISE")]
    header = header.without(prepared.settings.input_pedestal_keyword, "PEDESTAL", "CALSTAT", *noise)
    header = with_saturation(header, record.saturation_dn)
    if prepared.settings.overscan is not None:
        header = header.without("BIASSEC", "TRIMSEC", "DATASEC")
    target = prepared.target
    cropped = (target.raw_height, target.raw_width) != (target.height, target.width)
    if prepared.cfa is not None and cropped:
        header = _with_pattern(header, prepared.cfa, prepared.height)
    return header.adding(*calibration_cards(record, prepared, unit_dn=unit_dn, digests=digests))


def with_saturation(header: Header, level_dn: float | None) -> Header:
    """Return the header of a calibrated frame that is saturated from this level on, or nowhere.

    Whole DN, rounded down: what later steps compute of such pixels is rounded.
    """
    header = header.without(*(keyword.name for keyword in SATURATION.keywords))
    if level_dn is None:
        return header
    return header.adding(Card("SATURATE", floor(level_dn), "[DN] saturated from here on"))


def _with_pattern(header: Header, cfa: CfaPattern, height: int) -> Header:
    """Return the header with `cfa` as the pattern at the first stored pixel, as it will be read."""
    upwards = str(header.get("ROWORDER") or "").strip().upper() == "BOTTOM-UP"
    as_picture = cfa.flipped_rows(height) if upwards else cfa
    return header.without(*_CFA_PLACE).replacing(
        Card("BAYERPAT", as_picture.name, "colours of the cropped frame")
    )
