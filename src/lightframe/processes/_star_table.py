"""The stars of a frame."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float64

__all__ = ["StarTable"]


@dataclass(frozen=True, slots=True)
class StarTable:
    """Stars of one frame, brightest first: equally long float64 arrays.

    Attributes
    ----------
    x, y : array
        Windowed centroid in pixels; (0, 0) is the centre of the first stored pixel.
    flux_dn : array
        Sum above the local background within a radius of 1.5 FWHM of the frame.
    peak_dn : array
        Highest pixel above the local background.
    background_dn : array
        Local background: clipped median of a ring around the star.
    snr : array
        Signal over noise of the background under a window as wide as the star; the star's own
        photon noise is not in it, since the gain may be unknown.
    fwhm_px : array
        Full width at half maximum as recorded, i.e. including the width of a pixel; geometric mean
        of both axes.
    eccentricity : array
        sqrt(1 - (minor/major)^2) of the ellipse at half maximum.
    saturated : array of bool
        The star is saturated or flat-topped: the position is good, flux and shape are not.
    """

    x: Float64
    y: Float64
    flux_dn: Float64
    peak_dn: Float64
    background_dn: Float64
    snr: Float64
    fwhm_px: Float64
    eccentricity: Float64
    saturated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return self.x.size

    def select(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> "StarTable":
        """Return the stars chosen by indices, a mask, or a slice."""
        return StarTable(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def empty(cls) -> "StarTable":
        """Return a table without stars."""
        numbers = {field.name: np.empty(0) for field in fields(cls) if field.name != "saturated"}
        return cls(**numbers, saturated=np.empty(0, np.bool_))
