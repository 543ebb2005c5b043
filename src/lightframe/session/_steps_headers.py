"""Headers of what single steps write: what is no longer true goes, what was done is added."""

from collections.abc import Sequence

from lightframe.frames import Card, FrameInfo, Header
from lightframe.session._provenance import cfa_cards, history, noise_cards
from lightframe.session._steps_output import OutputSettings

__all__ = ["as_colour", "as_mosaic", "done", "noise_in_pixel_units", "without_astrometry"]

_CFA = (
    *("BAYERPAT", "CFAIMAGE", "COLORTYP", "XISF:CFAPATTERN", "XISF:CFAWIDTH"),
    *("PCL:CFASOURCEPATTERN", "XBAYROFF", "BAYOFFX", "YBAYROFF", "BAYOFFY"),
)
"""Keywords of the colour filter array."""

_ASTROMETRY = (
    *("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CDELT1", "CDELT2", "CROTA1"),
    *("CROTA2", "CD1_1", "CD1_2", "CD2_1", "CD2_2", "PC1_1", "PC1_2", "PC2_1", "PC2_2"),
    *("WCSAXES", "CUNIT1", "CUNIT2", "LONPOLE", "LATPOLE", "RADESYS", "EQUINOX", "PLTSOLVD"),
    *("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER", "PA", "REFIMAGE"),
)
"""Keywords of an astrometric solution: which pixel lies where on the sky."""
_DISTORTION = ("A_", "B_", "AP_", "BP_", "TR1_", "TR2_", "PV1_", "PV2_")


def done(header: Header, *lines: str) -> Header:
    """Return the header with HISTORY lines of what was done."""
    return header.adding(*history(*lines))


def as_mosaic(header: Header, info: FrameInfo) -> Header:
    """Return the header of a frame whose colour pattern is kept, stated in FITS keywords."""
    if info.cfa is None or header.get("BAYERPAT") is not None:
        return header
    return header.adding(*cfa_cards(info))


def as_colour(header: Header) -> Header:
    """Return the header of a frame that is no mosaic any more: pattern and its noise are gone."""
    noise = [card.keyword for card in header if card.keyword.upper().startswith("NOISE")]
    return header.without(*_CFA, *noise)


def without_astrometry(header: Header) -> Header:
    """Return the header of a frame whose pixels lie elsewhere on the sky now."""
    moved = [
        card.keyword
        for card in header
        if card.keyword.upper().startswith(_DISTORTION)
        and card.keyword.upper().rpartition("_")[2].isdigit()
    ]
    return header.without(*_ASTROMETRY, *moved)


def astrometry_of(header: Header) -> list[Card]:
    """Return the astrometric solution of a header."""
    kept = {card.keyword.upper() for card in without_astrometry(header)}
    return [card for card in header if card.keyword.upper() not in kept]


def noise_in_pixel_units(noise_dn: Sequence[float], output: OutputSettings) -> list[Card]:
    """Return NOISExx cards in units of the written pixels, as PixInsight has them."""
    in_dn = output.units == "dn" or output.sample_format == "uint16"
    return noise_cards(noise_dn, "dn" if in_dn else "unit")
