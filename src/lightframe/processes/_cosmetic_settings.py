"""Settings of cosmetic correction, and the limits that make a pixel of the dark a defect."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from lightframe.arrays import Bool, Float32
from lightframe.processes._estimators import quantized_sigma
from lightframe.settings import OneOf, Settings
from lightframe.tables import Table

__all__ = ["DARK_LIMITS", "CosmeticSettings"]


DARK_LIMITS: Table[Callable[[Float32, "CosmeticSettings"], tuple[Bool, Bool]]] = Table(
    "limit for the master dark"
)


class CosmeticSettings(Settings):
    """How defective pixels are found and replaced."""

    use_dark: bool = True
    """Take the hot and cold pixels of the master dark."""

    detect: bool = True
    """Search each calibrated light for pixels that stand alone."""

    defect_list: Path | None = None
    """Text file of defective pixels, columns and rows."""

    dark_limit: Annotated[str, OneOf(DARK_LIMITS)] = "sigma"
    """How a pixel of the master dark is judged, after the local level is subtracted."""

    hot: bool = True
    """Correct hot pixels."""

    cold: bool = True
    """Correct cold pixels."""

    dark_hot_sigma: float = Field(10.0, gt=0)
    """Hot: above the local level of the dark by this many sigma of the same colour."""

    dark_cold_sigma: float = Field(5.0, gt=0)
    """Cold: below the local level of the dark by this many sigma of the same colour."""

    hot_level_dn: float | None = Field(None, gt=0)
    """Hot: above the local level of the dark by this many DN (limit 'level')."""

    cold_level_dn: float | None = Field(None, gt=0)
    """Cold: below the local level of the dark by this many DN (limit 'level')."""

    hot_count: int = Field(0, ge=0)
    """Hot: this many pixels, those highest above the local level (limit 'count')."""

    cold_count: int = Field(0, ge=0)
    """Cold: this many pixels, those lowest below the local level (limit 'count')."""

    hot_sigma: float = Field(5.0, gt=0)
    """Detection: a hot pixel exceeds its same-colour neighbours by this many sigma."""

    cold_sigma: float = Field(5.0, gt=0)
    """Detection: a cold pixel is below its same-colour neighbours by this many sigma."""

    sharpest_star_px: float = Field(1.2, ge=0.8, le=10)
    """Detection: FWHM of the sharpest star that must survive. A pixel whose neighbours rise as they
    would beside such a star is left alone. Weaker hot pixels are found with a larger value, up to
    two thirds of the FWHM measured in the frame."""

    radius: int = Field(1, ge=1, le=5)
    """Neighbours of the replacement: (2 radius + 1)^2 pixels of the colour, without the centre."""

    fill_missing: bool = False
    """Replace missing pixels (NaN) too."""


@DARK_LIMITS.add("sigma", "so many sigma of its colour above or below the local level")
def _by_sigma(excess: Float32, settings: CosmeticSettings) -> tuple[Bool, Bool]:
    # A million samples give both medians to 0.1 %.
    sample = excess[:: max(1, excess.size >> 20)]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        sample = excess[np.isfinite(excess)]
    if not sample.size:
        return np.zeros(excess.shape, bool), np.zeros(excess.shape, bool)
    centre = np.median(sample)
    sigma = quantized_sigma(np.abs(sample - centre))
    return (
        excess > centre + settings.dark_hot_sigma * sigma,
        excess < centre - settings.dark_cold_sigma * sigma,
    )


@DARK_LIMITS.add("level", "so many DN above or below the local level")
def _by_level(excess: Float32, settings: CosmeticSettings) -> tuple[Bool, Bool]:
    hot = np.inf if settings.hot_level_dn is None else settings.hot_level_dn
    cold = np.inf if settings.cold_level_dn is None else settings.cold_level_dn
    return excess >= hot, excess <= -cold


@DARK_LIMITS.add("count", "so many pixels: those that differ most from the local level")
def _by_count(excess: Float32, settings: CosmeticSettings) -> tuple[Bool, Bool]:
    marks = []
    for values, wanted in ((excess, settings.hot_count), (-excess, settings.cold_count)):
        mark = np.zeros(excess.shape, bool)
        usable = np.flatnonzero(values > 0)
        count = min(wanted, usable.size)
        if count:
            mark.flat[usable[np.argpartition(-values.flat[usable], count - 1)[:count]]] = True
        marks.append(mark)
    return marks[0], marks[1]
