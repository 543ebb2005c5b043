"""One exposure: what really happened, and what its header will claim."""

from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydantic import Field

from lightframe.frames import FrameKind
from lightframe.settings import Settings
from lightframe.simulation._sky import Psf

__all__ = ["FOLDERS", "Claim", "Pointing", "Shot", "Trail"]

FOLDERS = {
    FrameKind.LIGHT: "lights",
    FrameKind.DARK: "darks",
    FrameKind.FLAT: "flats",
    FrameKind.FLAT_DARK: "flat-darks",
    FrameKind.BIAS: "bias",
}
"""Where frames of each kind are written."""

_KIND_CODES = {kind: code for code, kind in enumerate(FrameKind)}


class Claim(Settings):
    """What the capture program believes, and writes into the header."""

    kind: FrameKind
    """Frame type."""

    exposure_s: float
    """Exposure in seconds."""

    gain: float
    """Gain setting."""

    offset: float
    """Offset setting."""

    temperature_c: float
    """Measured temperature."""

    filter: str | None = None
    """Filter name."""


class Pointing(Settings):
    """Where a light looks, relative to the reference frame."""

    dx: float = 0.0
    """Shift of the frame's centre in reference pixels."""

    dy: float = 0.0
    """The same in y."""

    rotation_deg: float = 0.0
    """Rotation from frame to reference, from +x towards +y."""

    scale: float = 1.0
    """Reference pixels per frame pixel."""

    def matrix(self, height: int, width: int) -> npt.NDArray[np.float64]:
        """Return the 3x3 matrix frame pixel (x, y, 1) -> reference pixel."""
        sine = self.scale * np.sin(np.radians(self.rotation_deg))
        cosine = self.scale * np.cos(np.radians(self.rotation_deg))
        x, y = 0.5 * (width - 1), 0.5 * (height - 1)
        return np.array(
            [
                [cosine, -sine, x - cosine * x + sine * y + self.dx],
                [sine, cosine, y - sine * x - cosine * y + self.dy],
                [0.0, 0.0, 1.0],
            ]
        )


class Trail(Settings):
    """A satellite's trail in frame pixels."""

    x: float
    """A point of the trail."""

    y: float
    """The same in y."""

    angle_deg: float
    """Direction from +x towards +y."""

    sigma_px: float = 1.6
    """Width of its Gaussian profile."""

    peak_e: float = 900.0
    """Electrons on the crest in a fully sensitive pixel."""


class Shot(Settings):
    """One exposure as it really happened."""

    kind: FrameKind
    """What was really exposed."""

    number: int = Field(ge=0)
    """Place in its set: frames of one kind and one filter."""

    filter_index: int = 0
    """Index of the filter in the session."""

    exposure_s: float
    """Exposure in seconds."""

    gain: float
    """Gain setting in effect."""

    offset: float
    """Offset setting in effect."""

    temperature_c: float
    """Temperature of the sensor."""

    time: datetime
    """Start of the exposure."""

    claim: Claim
    """What the header says."""

    level: float = 0.0
    """Level of a flat as a fraction of the full scale."""

    pointing: Pointing = Pointing()
    """Where a light looks."""

    fwhm_px: float = 3.0
    """Full width at half maximum of the stars."""

    eccentricity: float = 0.0
    """Eccentricity of the stars."""

    angle_deg: float = 0.0
    """Direction in which they are drawn out."""

    beta: float = 3.5
    """Moffat exponent of the stars; 0 for Gaussian stars."""

    transparency: float = 1.0
    """Factor on the light of the scene."""

    sky_factor: float = 1.0
    """Factor on the sky's background."""

    gradient: tuple[float, float] = (0.0, 0.0)
    """Relative change of the background from the centre to the right and the lower edge."""

    trails: tuple[Trail, ...] = ()
    """Satellites that cross."""

    cosmic_rays: float = 0.0
    """Expected number of cosmic ray hits."""

    shadow_shift_px: tuple[float, float] = (0.0, 0.0)
    """By how much vignetting and dust are displaced against the other frames."""

    shadow_turn_deg: float = 0.0
    """By how much they are turned about the frame's centre, from +x towards +y."""

    pier_side: str | None = None
    """Side of the pier: east or west."""

    path: str = ""
    """Where the frame is written, relative to the session's folder."""

    serial: int | None = None
    """Serial number of the sensor, where it is not the session's."""

    copy_of: int | None = None
    """Number of the frame of which this one is a copy."""

    glow_factor: float = 1.0
    """Factor on the amplifier's glow."""

    container: str = "fits"
    """Format of the file: fits, or dng where the camera itself has saved it."""

    faults: tuple[int, ...] = ()
    """Which of the session's faults touched this frame, by their places."""

    @property
    def name(self) -> str:
        """File name."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def psf(self) -> Psf:
        """Image of a star."""
        return Psf(self.fwhm_px, self.eccentricity, self.angle_deg, self.beta)

    def seed(self, session_seed: int) -> np.random.SeedSequence:
        """Return the seed of this frame's own randomness, whatever the order of making frames."""
        number = self.number if self.copy_of is None else self.copy_of
        return np.random.SeedSequence(
            [session_seed, _KIND_CODES[self.kind], self.filter_index, number]
        )
