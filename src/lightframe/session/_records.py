"""Entries of ``lights`` in run.json, and of what single steps report: the same names everywhere."""

from pathlib import Path
from typing import Any

__all__ = ["unknown_light"]

_MEASURED = (
    "k", "k_sigma", "k_reason", "s", "flat_illuminated", "pedestal_dn", "clipped_fraction",
    "noise_dn", "background_dn", "fwhm_px", "eccentricity", "stars", "defects",
    "transform", "weight", "rejected_fraction",
)  # fmt: skip


def unknown_light(path: Path, exposure_s: float | None) -> dict[str, Any]:
    """Return the entry of a light of which nothing but its exposure, if that, is known."""
    masters = dict.fromkeys(("bias", "dark", "flat"))
    known = {"path": str(path), "exposure_s": exposure_s, "masters": masters}
    return known | dict.fromkeys(_MEASURED)
