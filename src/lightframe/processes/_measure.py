"""Measurement of a frame: background, noise, stars, their width and roundness; the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64, as_planes
from lightframe.errors import RegistrationError
from lightframe.frames._cfa import CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._detection_image import (
    detection_image,
    sample_colours,
    smoothing_variance,
)
from lightframe.processes._estimators import quantized_sigma
from lightframe.processes._star_profiles import ProfilePixels
from lightframe.processes._star_table import StarTable
from lightframe.processes._stars import DetectionSettings, detect_stars

__all__ = ["Measurement", "choose_reference", "measure", "reference_scores"]


GREEN = 1
"""Index of green among the colours."""

SHAPE_SNR = 10.0
"""Stars fainter than this say too little about the width."""

SHAPE_STARS = 300
"""The brightest so many stars speak for the frame."""

FEWEST_SHAPES = 3
"""With fewer stars the width is unknown."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the pixels of one calibrated frame say.

    Attributes
    ----------
    stars : StarTable
        The stars, brightest first.
    background_dn : tuple of float
        Background of each colour (R, G, B), or of the one plane: clipped mode.
    noise_dn : tuple of float
        Standard deviation of a pixel of each colour, from differences of neighbours.
    fwhm_px : float or None
        Median FWHM of the bright unsaturated stars, of a CFA frame in green light; None with fewer
        than three.
    eccentricity : float or None
        Median eccentricity of the same stars.
    """

    stars: StarTable
    background_dn: tuple[float, ...]
    noise_dn: tuple[float, ...]
    fwhm_px: float | None
    eccentricity: float | None

    @property
    def star_count(self) -> int:
        """Number of stars."""
        return len(self.stars)


def measure(
    planes: Float32,
    cfa: CfaPattern | None,
    settings: DetectionSettings,
    *,
    saturation_dn: float | None = None,
    noise_dn: Sequence[float] | None = None,
) -> Measurement:
    """Measure a calibrated frame.

    Parameters
    ----------
    planes : (c, h, w) or (h, w) float32
        Pixels in DN; NaN is missing.
    cfa : CfaPattern or None
        Colours of a one-plane frame, phased at its origin.
    settings : DetectionSettings
        How stars are found.
    saturation_dn : float, optional
        Pixels at or above are saturated.
    noise_dn : sequence of float, optional
        Noise of each colour if it is already known.

    Returns
    -------
    Measurement
        Background and noise are NaN for a colour without pixels.
    """
    planes = as_planes(planes)
    samples = sample_colours(planes, cfa)
    background = tuple(clipped_mode(values) for values, _ in samples)
    noise = tuple(noise_dn) if noise_dn is not None else tuple(_noise(d) for _, d in samples)
    stars = detect_stars(
        detection_image(planes, cfa),
        settings,
        saturation_dn=saturation_dn,
        smoothing_variance=smoothing_variance(cfa),
        # Green has half of the pixels or more, and nothing has smoothed them.
        profile_pixels=None
        if cfa is None
        else ProfilePixels(planes[0], (cfa.planes() == GREEN).astype(np.uint8)),
    )
    usable = np.flatnonzero(~stars.saturated & (stars.snr > SHAPE_SNR))
    usable = usable[np.argsort(-stars.snr[usable], kind="stable")][:SHAPE_STARS]
    known = usable.size >= FEWEST_SHAPES
    return Measurement(
        stars=stars,
        background_dn=background,
        noise_dn=noise,
        fwhm_px=float(np.median(stars.fwhm_px[usable])) if known else None,
        eccentricity=float(np.median(stars.eccentricity[usable])) if known else None,
    )


def clipped_mode(values: Float32) -> float:
    """Return 2.5 median - 1.5 mean of the values within 3 sigma of their median, or the median.

    The mode estimate of DAOPHOT and SExtractor holds while stars only make the tail a little
    heavier; where mean and median part by more than 0.3 sigma the median is the safer one.
    """
    if values.size == 0:
        return float("nan")
    kept = values
    for _ in range(3):
        median = float(np.median(kept))
        sigma = MAD_TO_SIGMA * float(np.median(np.abs(kept - median)))
        if sigma == 0:
            return median
        kept = kept[np.abs(kept - median) <= 3 * sigma]
    median, mean = float(np.median(kept)), float(np.mean(kept, dtype=np.float64))
    return 2.5 * median - 1.5 * mean if abs(mean - median) < 0.3 * sigma else median


def _noise(differences: Float32) -> float:
    """Return the noise of a pixel from differences of two: their MAD is blind to stars."""
    if differences.size == 0:
        return float("nan")
    return quantized_sigma(np.abs(differences)) / float(np.sqrt(2))


def reference_scores(measurements: Sequence[Measurement]) -> Float64:
    """Return how well each frame would serve as the registration reference; the higher the better.

    With every quantity relative to its median over the frames (marked '),

        score = -2 ln FWHM' + ln q' + 1/2 ln N' - 1/4 ln B'

    where q = sqrt(1 - eccentricity^2) is the ratio of the axes, N the number of stars, and B the
    background above that of the darkest frame, plus one sigma of noise. Width counts as the square,
    as it does in the signal-to-noise ratio of stars; background counts least, for its noise already
    lowers the number of stars. A frame whose width is unknown scores minus infinity.
    """
    known = np.array([m.fwhm_px is not None for m in measurements])
    scores = np.full(len(measurements), -np.inf)
    if not known.any():
        return scores
    chosen = [m for m in measurements if m.fwhm_px is not None]
    fwhm = np.array([m.fwhm_px for m in chosen], np.float64)
    axes = np.sqrt(1 - np.minimum([m.eccentricity or 0.0 for m in chosen], 0.999) ** 2)
    count = np.array([m.star_count for m in chosen], np.float64)
    level = np.array([np.mean(m.background_dn) for m in chosen])
    noise = np.median([np.mean(m.noise_dn) for m in chosen])
    level = level - level.min() + max(float(noise), np.finfo(np.float64).tiny)

    def relative(values: Float64) -> Float64:
        logarithm: Float64 = np.log(values / np.median(values))
        return logarithm

    scores[known] = (
        -2 * relative(fwhm) + relative(axes) + 0.5 * relative(count) - 0.25 * relative(level)
    )
    return scores


def choose_reference(measurements: Sequence[Measurement]) -> int:
    """Return the index of the frame that serves best as the registration reference.

    See `reference_scores`; of equal scores the first wins.

    Raises
    ------
    RegistrationError
        If no frame has stars of known width.
    """
    scores = reference_scores(measurements)
    if not np.isfinite(scores).any():
        raise RegistrationError(
            f"none of {len(scores)} frames shows enough stars to be the registration reference",
            cause="the frames are no lights, out of focus, clouded, or too short",
            remedy="look at the frames; lower the detection threshold if there are stars",
        )
    return int(np.argmax(scores))
