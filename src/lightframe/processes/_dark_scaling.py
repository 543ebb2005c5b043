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
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from lightframe.errors import SettingsError
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._wavelet import clipped_slope, wavelet_at
from lightframe.tables import Table

__all__ = ["DARK_OBJECTIVES", "DarkScale", "DarkScaler", "WarmSamples", "exposure_scale"]

_F32 = npt.NDArray[np.float32]
_I64 = npt.NDArray[np.int64]

_MAD_TO_SIGMA = 1.4826
_MAX_PIXELS = 1 << 16
"""Warm pixels looked at in a light: enough for an uncertainty far below one percent."""
_MIN_PIXELS = 32
"""Fewer warm pixels than this do not determine a factor."""
_LEAST_CONTRAST = 6.0
"""Warm pixels stand out of their neighbours by this many sigma of the dark's own noise: below,
noise of the dark would be taken for signal, and the factor would come out too small."""
_CLIP = 3.0
_CLIP_LOSS = 1.027
"""Ratio of the true standard error to that of the kept samples, for normal noise cut at 3 sigma."""
_LEAST_K = 0.005
_GREATEST_K = 10.0
_FLAT_MINIMUM = 0.1
"""Uncertainty of k from which the minimum counts as flat."""
_SIGNIFICANT = 3.0
"""A k of fewer standard errors is no correlation."""
_CEILING_REPEATS = 3
_TOP = 0.9
"""Warm pixels above this share of the hottest may be saturated in the dark and are left out."""
_SAMPLE = 1 << 20
_MAX_TRANSFORMED = 1 << 20
"""Pixels above the threshold that are transformed at most; a dark with more is looked at in part."""


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


def exposure_scale(ratio: float | None) -> DarkScale:
    """Return the factor that the exposures give.

    Parameters
    ----------
    ratio : float or None
        Exposure of the frame over that of the dark.

    Raises
    ------
    SettingsError
        If an exposure is unknown.
    """
    if ratio is None:
        raise SettingsError(
            "the dark cannot be scaled by exposure: an exposure is unknown",
            where="dark_scaling",
            remedy='use dark_scaling = "optimize" or "none", or frames that state their exposure',
        )
    nan = float("nan")
    return DarkScale(ratio, 0.0, nan, nan, determined=True, reason="ratio of exposures")


@dataclass(frozen=True, slots=True)
class WarmSamples:
    """What an objective sees: warm pixels of the dark, and the same pixels of a light.

    Attributes
    ----------
    dark : ndarray of float32, shape (n,)
        Dark signal.
    dark_excess, light_excess : ndarray of float32, shape (n,)
        Thresholded dark signal and light, less the mean of their colour over the frame.
    dark_layer, light_layer : ndarray of float32, shape (n,)
        First wavelet layers; the samples are in ascending order of `dark_layer`.
    """

    dark: _F32
    dark_excess: _F32
    light_excess: _F32
    dark_layer: _F32
    light_layer: _F32

    def chosen(self, mask: npt.NDArray[np.bool_]) -> "WarmSamples":
        """Return the samples under `mask`."""
        if mask.all():
            return self
        return WarmSamples(*(getattr(self, item.name)[mask] for item in fields(self)))


@dataclass(frozen=True, slots=True)
class Objective:
    """How k is found from warm pixels.

    Attributes
    ----------
    fit : callable
        Takes `WarmSamples`, returns k and its standard error.
    contrast_sigma : float
        Pixels take part whose wavelet layer in the dark exceeds this many sigma of the dark's
        noise. Below, noise of the dark would be taken for signal, and k come out too small.
    """

    fit: Callable[[WarmSamples], tuple[float, float]]
    contrast_sigma: float


DARK_OBJECTIVES: Table[Objective] = Table("dark scaling objective")


def _wavelet_noise(samples: WarmSamples) -> tuple[float, float]:
    """Minimise the k-sigma noise of w(T - k S) over the warm pixels."""
    return _robust_slope(samples.dark_layer, samples.light_layer, 1)


def _regression(samples: WarmSamples) -> tuple[float, float]:
    """Fit w(T) = k w(S) with weights from the scatter found at each level of w(S)."""
    bins = min(16, max(1, samples.dark.size // 128))
    return _robust_slope(samples.dark_layer, samples.light_layer, bins)


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
    Objective(_wavelet_noise, _LEAST_CONTRAST),
)
DARK_OBJECTIVES.enter(
    "regression",
    "regression of the light's warm pixels on the dark's, each level weighted by its scatter",
    Objective(_regression, _LEAST_CONTRAST),
)
DARK_OBJECTIVES.enter(
    "standard-deviation",
    "standard deviation of the frame; gradients, stars and amplifier glow bias it",
    Objective(_standard_deviation, -np.inf),
)


def _robust_slope(x: _F32, y: _F32, bin_count: int) -> tuple[float, float]:
    """Fit ``y = k x``; the samples, ascending in x, weigh by their scatter in `bin_count` runs."""
    step = max(1, x.size // 4096)
    k = _weighted_median(y[::step] / x[::step], np.abs(x[::step]))
    bins = np.linspace(0, x.size, bin_count + 1).astype(np.int64)
    residuals = np.abs(y - np.float32(k) * x)
    runs = zip(bins[:-1], bins[1:], strict=True)
    scales = np.array([_MAD_TO_SIGMA * float(np.median(residuals[a:b])) for a, b in runs])
    k, sigma, used = clipped_slope(x, y, bins, np.maximum(scales, 1e-6), k, _CLIP)
    return k, sigma * _CLIP_LOSS if used >= _MIN_PIXELS else float("inf")


def _weighted_median(values: _F32, weights: _F32) -> float:
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order], dtype=np.float64)
    return float(values[order[np.searchsorted(cumulated, 0.5 * cumulated[-1])]])


@dataclass(frozen=True, slots=True)
class _Stencils:
    """Same-colour neighbours for every pixel of a colour cell (one cell of one pixel for mono)."""

    period: int
    margin: int
    offsets: _I64
    weights: _F32

    @classmethod
    def of(cls, cfa: CfaPattern | None, width: int) -> "_Stencils":
        """Build the B3-spline stencils of a colour pattern for images of `width` columns.

        Mono: the 5 x 5 spline. Bayer: the same with a step of two pixels. Other patterns: the
        pixels of the same colour no further than three pixels away, with the spline's weights at
        a step of 1.5 pixels.
        """
        if cfa is None or cfa.period == 2:  # noqa: PLR2004 - Bayer
            step = 1 if cfa is None else 2
            margin, scale = 2 * step, float(step)
            cell = np.zeros((step, step), np.uint8)
            reach = range(-margin, margin + 1, step)
        else:
            margin, scale, cell = 3, 1.5, cfa.planes()
            reach = range(-margin, margin + 1)
        period = len(cell)
        rows = []
        for y, x in np.ndindex(period, period):
            taps = {
                (dy, dx): _b3(dy / scale) * _b3(dx / scale)
                for dy in reach
                for dx in reach
                if cell[(y + dy) % period, (x + dx) % period] == cell[y, x]
            }
            rows.append({tap: weight for tap, weight in taps.items() if weight > 0})
        longest = max(len(row) for row in rows)
        offsets = np.zeros((len(rows), longest), np.int64)
        weights = np.zeros((len(rows), longest), np.float32)
        for i, row in enumerate(rows):
            total = sum(row.values())
            for tap, ((dy, dx), weight) in enumerate(row.items()):
                offsets[i, tap] = dy * width + dx
                weights[i, tap] = weight / total
        return cls(period, margin, offsets, weights)

    def layer(
        self, plane: npt.NDArray[np.uint16] | _F32, index: _I64, width: int
    ) -> tuple[_F32, _F32]:
        """Return first wavelet layer and value of a plane's pixels `index`."""
        layer = np.empty(index.size, np.float32)
        centre = np.empty(index.size, np.float32)
        y, x = np.divmod(index, width)
        kind = ((y % self.period) * self.period + x % self.period).astype(np.uint8)
        wavelet_at(plane.reshape(-1), index, kind, self.offsets, self.weights, layer, centre)
        return layer, centre


def _b3(distance: float) -> float:
    """Return the tap of the B3-spline filter (6, 4, 1 at 0, 1, 2), interpolated in between."""
    return float(np.interp(abs(distance), (0, 1, 2, 3), (6, 4, 1, 0)))


@dataclass(frozen=True, slots=True)
class _WarmPixels:
    """The warm pixels of one plane of the dark: all that is kept of it for the lights.

    Attributes
    ----------
    index : ndarray of int64, shape (n,)
        Pixels in the order of the file.
    order : ndarray of int64, shape (n,)
        What brings them into ascending order of `layer`.
    colour : ndarray of uint8, shape (n,)
        Plane index of their colour, ascending in `layer` like the rest.
    dark, excess, layer : ndarray of float32, shape (n,)
        Dark signal, the same less its colour's mean after thresholding, and first wavelet layer.
    """

    threshold_dn: float
    fraction: float
    index: _I64
    order: _I64
    colour: npt.NDArray[np.uint8]
    dark: _F32
    excess: _F32
    layer: _F32


@dataclass(frozen=True, slots=True)
class DarkScaler:
    """Warm pixels of a master dark, prepared for finding k in any number of lights."""

    _planes: tuple[_WarmPixels, ...]
    _stencils: _Stencils
    _cfa: CfaPattern | None
    _objective: Objective
    _per_colour: bool

    @classmethod
    def prepare(
        cls,
        signal: _F32,
        cfa: CfaPattern | None,
        *,
        objective: str,
        threshold_sigma: float,
        per_colour: bool = False,
    ) -> "DarkScaler":
        """Select the warm pixels of the dark signal.

        Parameters
        ----------
        signal : ndarray of float32, shape (1 or channels, height, width)
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
        width = signal.shape[2]
        stencils = _Stencils.of(cfa, width)
        rule = DARK_OBJECTIVES[objective]
        planes = tuple(
            _warm_pixels(plane, cfa, stencils, threshold_sigma, rule.contrast_sigma)
            for plane in signal
        )
        return cls(planes, stencils, cfa, rule, per_colour and cfa is not None)

    def scale(
        self, frame: npt.NDArray[np.uint16] | _F32, *, fallback: float | None = None
    ) -> DarkScale:
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
        parts = [self._scale_plane(plane, channel, fallback) for channel, plane in enumerate(frame)]
        return parts[0] if len(parts) == 1 else _joined(tuple(parts))

    def _scale_plane(
        self, plane: npt.NDArray[np.uint16] | _F32, channel: int, fallback: float | None
    ) -> DarkScale:
        warm = self._planes[min(channel, len(self._planes) - 1)]
        plane = np.ascontiguousarray(plane)
        light_layer, light = self._stencils.layer(plane, warm.index, plane.shape[1])
        # Whatever repeats at the very top is the ceiling: those pixels say nothing.
        top = light.max(initial=0.0)
        if np.count_nonzero(light == top) >= _CEILING_REPEATS:
            light_layer[light == top] = np.nan
        light_layer, light = light_layer[warm.order], light[warm.order]
        excess = light - _colour_means(plane, self._cfa)[warm.colour]
        samples = WarmSamples(warm.dark, warm.excess, excess, warm.layer, light_layer)
        whole = self._fit(samples, warm, np.isfinite(light_layer), fallback)
        if not self._per_colour or self._cfa is None:
            return whole
        reserve = whole.k if whole.determined else fallback
        parts = tuple(
            self._fit(samples, warm, np.isfinite(light_layer) & (warm.colour == colour), reserve)
            for colour in range(len(COLOURS))
        )
        return replace(whole, parts=parts)

    def _fit(
        self,
        samples: WarmSamples,
        warm: _WarmPixels,
        chosen: npt.NDArray[np.bool_],
        fallback: float | None,
    ) -> DarkScale:
        """Fit k to the chosen samples and judge it."""
        count = int(np.count_nonzero(chosen))
        k, sigma = float("nan"), float("inf")
        if count >= _MIN_PIXELS:
            k, sigma = self._objective.fit(samples.chosen(chosen))
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
    if k <= _LEAST_K or k < _SIGNIFICANT * sigma:
        return f"no correlation between dark and frame: k = {k:.4f} +- {sigma:.4f}"
    if k >= _GREATEST_K:
        return f"k = {k:.3f} is beyond the bound of {_GREATEST_K:g}"
    if sigma > _FLAT_MINIMUM:
        return f"flat minimum: k = {k:.3f} +- {sigma:.3f}"
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


def _warm_pixels(
    plane: _F32, cfa: CfaPattern | None, stencils: _Stencils, sigmas: float, contrast: float
) -> _WarmPixels:
    """Select warm pixels and transform the dark at them."""
    height, width = plane.shape
    sample = plane.reshape(-1)[:: max(1, plane.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    median = float(np.median(sample)) if sample.size else float("nan")
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(sample - median))) if sample.size else 0.0
    threshold = median + sigmas * sigma
    above = np.flatnonzero(plane > np.float32(threshold))
    means = _thresholded_means(plane, above, cfa)
    index = _inside(above, height, width, stencils.margin)
    if index.size > _MAX_TRANSFORMED:
        index = index[:: -(-index.size // _MAX_TRANSFORMED)]
    layer, dark = stencils.layer(plane, index, width)
    keep = np.isfinite(layer)
    if np.isfinite(contrast):
        noise = _layer_noise(plane, threshold, stencils)
        keep &= layer > contrast * noise
        layer -= _noise_excess(layer[keep], contrast * noise, noise)
        below_top = dark < _TOP * dark.max(initial=0.0)
        if np.count_nonzero(keep & below_top) > np.count_nonzero(keep) // 2:
            keep &= below_top
    chosen = np.flatnonzero(keep)
    if chosen.size > _MAX_PIXELS:
        chosen = chosen[:: -(-chosen.size // _MAX_PIXELS)]
    order = np.argsort(layer[chosen], kind="stable")
    ascending = chosen[order]
    colour = _colours(index[ascending], width, cfa)
    return _WarmPixels(
        threshold,
        above.size / plane.size,
        index[chosen],
        order,
        colour,
        dark[ascending],
        dark[ascending] - means[colour],
        layer[ascending],
    )


def _noise_excess(layer: _F32, limit: float, noise: float) -> np.float32:
    """Return by how much noise lifts the wavelet layer of pixels selected for being high.

    Among pixels above `limit` more have come up than gone down, as there are fewer the higher one
    looks. With a density falling as exp(-w / A) the mean true value is the observed one less
    noise^2 / A (Tweedie's formula); A is the mean excess over the limit.
    """
    if not layer.size:
        return np.float32(0)
    scale = float(np.mean(layer, dtype=np.float64)) - limit
    return np.float32(noise * noise / scale) if scale > 0 else np.float32(0)


def _layer_noise(plane: _F32, threshold: float, stencils: _Stencils) -> float:
    """Return the sigma of the wavelet layer at pixels that are not warm."""
    height, width = plane.shape
    index = np.arange(0, plane.size, max(1, plane.size // _MAX_PIXELS) | 1, dtype=np.int64)
    index = _inside(index, height, width, stencils.margin)
    layer, centre = stencils.layer(plane, index, width)
    layer = layer[np.isfinite(layer) & (centre <= threshold)]
    return _MAD_TO_SIGMA * float(np.median(np.abs(layer))) if layer.size else 0.0


def _inside(index: _I64, height: int, width: int, margin: int) -> _I64:
    """Return those pixels that are at least `margin` away from all edges."""
    y, x = np.divmod(index, width)
    inside = (y >= margin) & (y < height - margin) & (x >= margin) & (x < width - margin)
    return index[inside]


def _colours(index: _I64, width: int, cfa: CfaPattern | None) -> npt.NDArray[np.uint8]:
    """Return the plane index of the colour of each pixel; 0 without a colour pattern."""
    if cfa is None:
        return np.zeros(index.size, np.uint8)
    y, x = np.divmod(index, width)
    return cfa.planes()[y % cfa.period, x % cfa.period]


def _thresholded_means(plane: _F32, above: _I64, cfa: CfaPattern | None) -> _F32:
    """Return the mean of each colour of the dark whose pixels not `above` are set to zero."""
    colour = _colours(above, plane.shape[1], cfa)
    sums = np.bincount(colour, plane.reshape(-1)[above], minlength=len(COLOURS))
    shares = [1.0, 0.0, 0.0] if cfa is None else [np.mean(cfa.planes() == c) for c in range(3)]
    counts = np.array(shares) * plane.size
    return np.divide(sums, counts, out=np.zeros(3), where=counts > 0).astype(np.float32)


def _colour_means(plane: npt.NDArray[np.uint16] | _F32, cfa: CfaPattern | None) -> _F32:
    """Return the mean of each colour of a light, from about a million of its pixels."""
    cell = np.zeros((1, 1), np.uint8) if cfa is None else cfa.planes()
    step = len(cell) * max(1, int(np.sqrt(plane.size / _SAMPLE) / len(cell)))
    sums, counts = np.zeros(len(COLOURS)), np.zeros(len(COLOURS))
    for (y, x), colour in np.ndenumerate(cell):
        part = plane[y::step, x::step]
        sums[colour] += np.nansum(part, dtype=np.float64)
        counts[colour] += np.count_nonzero(~np.isnan(part))
    return np.divide(sums, counts, out=np.zeros(3), where=counts > 0).astype(np.float32)
