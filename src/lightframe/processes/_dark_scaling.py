"""Dark frame optimization: the factor k that the dark signal is multiplied with (guide 8.1).

What decides k are the warm pixels of the master dark: in a light they stand out of their
neighbours by k times what they stand out by in the dark. Everything about the dark is prepared
once; a light costs a look at some ten thousand pixels and their neighbours of the same colour.

With ``w(.)``, the first layer of the B3-spline wavelet transform on the pixels of one colour,
linear and blind to anything smooth (sky, gradients, amplifier glow), ``w(T - k S) = w(T) - k w(S)``
for a raw frame ``T`` and the dark signal ``S``. The transform is made once; what remains is a
one-dimensional fit, robust against stars and cosmic rays. Constants in ``T`` do not matter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from lightframe.arrays import Float32, UInt16
from lightframe.errors import InputError
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._wavelet import clipped_slope
from lightframe.processes._dark_scaling_pixels import (
    Selection,
    Stencils,
    WarmPixels,
    WarmSamples,
    select_warm_pixels,
)
from lightframe.tables import Table

__all__ = [
    "DARK_OBJECTIVES",
    "DarkScale",
    "DarkScaler",
    "Objective",
    "exposure_ratio",
    "exposure_scale",
]


_MIN_PIXELS = 32
"""Fewer warm pixels than this do not determine a factor."""
_LEAST_CONTRAST = 6.0
_CLIP = 3.0
_CLIP_LOSS = 1.027
"""Ratio of the true standard error to that of the kept samples, for normal noise cut at 3 sigma."""
_LEAST_K = 0.005
_GREATEST_K = 10.0
_FLAT_MINIMUM = 0.1
"""Uncertainty of k from which the minimum counts as flat."""
_SIGNIFICANT = 3.0
"""A k of fewer standard errors is no correlation."""
_START_SAMPLES = 2048
_SAMPLES_PER_BIN = 128
_MOST_BINS = 16


@dataclass(frozen=True, slots=True)
class DarkScale:
    """The dark scaling factor of one frame.

    Attributes
    ----------
    k : float
        Factor to use. Where the pixels do not determine one, what the caller gave to fall back on
        (the ratio of exposures), or 1.
    sigma_k : float
        Its standard error (0 for a factor that was not measured).
    threshold_dn : float
        Pixels of the dark signal above this level decided, DN; NaN if none was used.
    pixel_fraction : float
        Share of all pixels that lie above it.
    determined : bool
        Whether `k` comes from the pixels of the frame (or, by wish, from the exposures).
    reason : str
        Why not, or where `k` comes from.
    measured_k : float
        What the pixels said, trustworthy or not; NaN if they were not asked.
    parts : tuple of DarkScale
        One for each channel or CFA colour, if there is more than one factor.
    """

    k: float
    sigma_k: float
    threshold_dn: float
    pixel_fraction: float
    determined: bool
    reason: str = ""
    measured_k: float = float("nan")
    parts: tuple["DarkScale", ...] = field(default=(), repr=False)

    @property
    def factors(self) -> tuple[float, ...]:
        """The factor, or one for each channel or CFA colour (R, G, B)."""
        return tuple(part.k for part in self.parts) or (self.k,)


def exposure_ratio(exposure_s: float | None, dark_exposure_s: float | None) -> float | None:
    """Return the exposure of a frame over that of the dark; None if either is unknown."""
    if exposure_s is None or not dark_exposure_s:
        return None
    return exposure_s / dark_exposure_s


def exposure_scale(ratio: float | None) -> DarkScale:
    """Return the factor that the exposures give.

    Parameters
    ----------
    ratio : float or None
        Exposure of the frame over that of the dark.

    Raises
    ------
    InputError
        If an exposure is unknown.
    """
    if ratio is None:
        raise InputError(
            "the dark cannot be scaled by exposure: the exposure of frame or dark is unknown",
            remedy='use dark_scaling = "optimize" or "none", or frames that state their exposure',
        )
    nan = float("nan")
    return DarkScale(ratio, 0.0, nan, nan, determined=True, reason="ratio of exposures")


@dataclass(frozen=True, slots=True)
class Objective:
    """How k is found from warm pixels.

    Attributes
    ----------
    fit : callable
        Takes `WarmSamples`, returns k and its standard error.
    contrast_sigma : float
        Least contrast of the warm pixels, see `Selection`.
    means : bool
        Whether it wants the means of the light.
    """

    fit: Callable[[WarmSamples], tuple[float, float]]
    contrast_sigma: float
    means: bool


DARK_OBJECTIVES: Table[Objective] = Table("dark scaling objective")


def _wavelet_noise(samples: WarmSamples) -> tuple[float, float]:
    """Minimise the k-sigma noise of w(T - k S) over the warm pixels."""
    return _robust_slope(samples, 1)


def _regression(samples: WarmSamples) -> tuple[float, float]:
    """Fit w(T) = k w(S) with weights from the scatter found at each level of w(S)."""
    return _robust_slope(samples, min(_MOST_BINS, max(1, samples.dark.size // _SAMPLES_PER_BIN)))


def _standard_deviation(samples: WarmSamples) -> tuple[float, float]:
    """Minimise the standard deviation of T - k S' in closed form: k = cov(T, S') / var(S')."""
    dark = samples.dark.astype(np.float64)
    variance = float(dark @ samples.dark_excess)
    if variance <= 0:
        return 0.0, float("inf")
    k = float(dark @ samples.light_excess) / variance
    residual = dark * (samples.light_excess - k * samples.dark_excess)
    return k, float(np.sqrt(residual @ residual)) / variance


DARK_OBJECTIVES.enter(
    "wavelet-noise",
    "k-sigma noise of the first wavelet layer at the warm pixels, same-colour neighbours only",
    Objective(_wavelet_noise, _LEAST_CONTRAST, means=False),
)
DARK_OBJECTIVES.enter(
    "regression",
    "regression of the light's warm pixels on the dark's, each level weighted by its scatter",
    Objective(_regression, _LEAST_CONTRAST, means=False),
)
DARK_OBJECTIVES.enter(
    "standard-deviation",
    "standard deviation of the frame; gradients, stars and amplifier glow bias it",
    Objective(_standard_deviation, -np.inf, means=True),
)


def _robust_slope(samples: WarmSamples, bin_count: int) -> tuple[float, float]:
    """Fit ``w(T) = k w(S)``; `bin_count` runs of ascending w(S) weigh by their scatter."""
    x = np.ascontiguousarray(samples.dark_layer[:, 0])
    y = np.ascontiguousarray(samples.light_layer[:, 0])
    step = max(1, x.size // _START_SAMPLES)
    k = _weighted_median(y[::step] / x[::step], np.abs(x[::step]))
    bins = np.linspace(0, x.size, bin_count + 1).astype(np.int64)
    scales = np.empty(bin_count)
    for b in range(bin_count):
        run = slice(bins[b], bins[b + 1], max(1, (bins[b + 1] - bins[b]) // _START_SAMPLES))
        scales[b] = MAD_TO_SIGMA * float(np.median(np.abs(y[run] - np.float32(k) * x[run])))
    k, sigma, used = clipped_slope(
        samples.dark_layer, samples.light_layer, bins, np.maximum(scales, 1e-6), k, _CLIP
    )
    return k, sigma * _CLIP_LOSS if used >= _MIN_PIXELS else float("inf")


def _weighted_median(values: Float32, weights: Float32) -> float:
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order], dtype=np.float64)
    return float(values[order[np.searchsorted(cumulated, 0.5 * cumulated[-1])]])


@dataclass(frozen=True, slots=True)
class DarkScaler:
    """Warm pixels of a master dark, prepared for finding k in any number of lights."""

    _planes: tuple[WarmPixels, ...]
    _objective: Objective
    _per_colour: bool

    @classmethod
    def prepare(
        cls,
        signal: Float32,
        cfa: CfaPattern | None,
        *,
        objective: str,
        threshold_sigma: float,
        per_colour: bool = False,
    ) -> "DarkScaler":
        """Select the warm pixels of the dark signal.

        Parameters
        ----------
        signal : ndarray of float32, shape (1 or channels, height, width), C order
            Dark free of bias, DN. It is not kept.
        cfa : CfaPattern or None
            Colours of its pixels.
        objective : str
            A name of `DARK_OBJECTIVES`.
        threshold_sigma : float
            Warm pixels lie above median + this many sigma (1.4826 MAD) of the signal.
        per_colour : bool
            Determine one factor per CFA colour.
        """
        chosen = DARK_OBJECTIVES[objective]
        stencils = Stencils.of(cfa, signal.shape[2])
        rule = Selection(threshold_sigma, chosen.contrast_sigma)
        planes = tuple(select_warm_pixels(plane, cfa, stencils, rule) for plane in signal)
        return cls(planes, chosen, per_colour and cfa is not None)

    def scale(self, frame: UInt16 | Float32, *, fallback: float | None = None) -> DarkScale:
        """Find k for one frame.

        Parameters
        ----------
        frame : ndarray of uint16 or float32, shape (channels, height, width)
            Frame in DN, bias not subtracted.
        fallback : float, optional
            Factor to use where the pixels determine none; 1 if not given.

        Returns
        -------
        DarkScale
            With one part for each channel (or colour, if asked for).
        """
        parts = tuple(
            self._scale_plane(
                np.ascontiguousarray(plane),
                self._planes[min(channel, len(self._planes) - 1)],
                fallback,
            )
            for channel, plane in enumerate(frame)
        )
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _scale_plane(
        self,
        plane: UInt16 | Float32,
        warm: WarmPixels,
        fallback: float | None,
    ) -> DarkScale:
        samples = warm.look_at(plane, means=self._objective.means)
        valid = np.isfinite(samples.light_layer[:, 0])
        whole = self._fit(samples.chosen(valid), warm, fallback)
        if not self._per_colour:
            return whole
        reserve = whole.k if whole.determined else fallback
        parts = tuple(
            self._fit(samples.chosen(valid & (warm.colour == colour)), warm, reserve)
            for colour in range(len(COLOURS))
        )
        return replace(whole, parts=parts)

    def _fit(self, samples: WarmSamples, warm: WarmPixels, fallback: float | None) -> DarkScale:
        """Fit k to the samples and judge it."""
        count = samples.dark.size
        k, sigma = float("nan"), float("inf")
        if count >= _MIN_PIXELS:
            k, sigma = self._objective.fit(samples)
        reason = _doubt(k, sigma, count)
        used = k if not reason else 1.0 if fallback is None else fallback
        return DarkScale(
            used,
            sigma,
            warm.threshold_dn,
            warm.fraction,
            determined=not reason,
            reason=reason,
            measured_k=k,
        )


def _doubt(k: float, sigma: float, count: int) -> str:
    """Return why k must not be used, or nothing."""
    if count < _MIN_PIXELS:
        return f"too few warm pixels: {count}, at least {_MIN_PIXELS} are needed"
    if not np.isfinite(sigma):
        return "no fit: the pixels of the frame scatter too much"
    if sigma > _FLAT_MINIMUM:
        return f"flat minimum: k = {k:.3f} +- {sigma:.3f}"
    if k <= _LEAST_K or k < _SIGNIFICANT * sigma:
        return f"no correlation between dark and frame: k = {k:.4f} +- {sigma:.4f}"
    if k >= _GREATEST_K:
        return f"k = {k:.3f} is beyond the bound of {_GREATEST_K:g}"
    return ""


def _joined(parts: tuple[DarkScale, ...]) -> DarkScale:
    """Sum up the factors of several channels."""
    reasons = dict.fromkeys(part.reason for part in parts if part.reason)
    return DarkScale(
        float(np.mean([part.k for part in parts])),
        float(np.sqrt(np.mean([part.sigma_k**2 for part in parts]))),
        float(np.mean([part.threshold_dn for part in parts])),
        float(np.mean([part.pixel_fraction for part in parts])),
        determined=all(part.determined for part in parts),
        reason="; ".join(reasons),
        measured_k=float(np.mean([part.measured_k for part in parts])),
        parts=parts,
    )
