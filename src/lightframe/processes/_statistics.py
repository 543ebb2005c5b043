"""Statistics of an image, one line for each channel or colour of a mosaic (guide, section 8.3)."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._constants import FULL_SCALE, MAD_TO_SIGMA
from lightframe.processes._estimators import biweight
from lightframe.processes._noise import evaluate_noise

__all__ = ["PlaneStatistics", "colour_samples", "image_statistics"]

_RGB = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneStatistics:
    """Statistics of one channel, or of one colour of a mosaic. Levels are DN.

    Attributes
    ----------
    name : str
        ``R``, ``G``, ``B``, or the number of the channel; empty for a mono image.
    samples : int
        All samples.
    valid : int
        Samples that the statistics are taken from.
    missing : int
        Samples that are NaN.
    low, high : int
        Samples at or below zero, and at or above the white level.
    mean, median, sigma : float
        Of the valid samples; sigma is the standard deviation (n - 1).
    mad_sigma : float
        1.4826 times the median absolute deviation from the median.
    bwmv_sigma : float
        Square root of the biweight midvariance.
    minimum, maximum : float
        Extremes of the valid samples.
    noise : float
        Standard deviation of the noise of a pixel, see `evaluate_noise`.
    """

    name: str
    samples: int
    valid: int
    missing: int
    low: int
    high: int
    mean: float
    median: float
    sigma: float
    mad_sigma: float
    bwmv_sigma: float
    minimum: float
    maximum: float
    noise: float

    @property
    def count_fraction(self) -> float:
        """Share of the samples that are neither missing nor at an end of the scale."""
        return (self.samples - self.missing - self.low - self.high) / self.samples


def colour_samples(planes: Float32, cfa: CfaPattern | None) -> list[tuple[str, Float32]]:
    """Return the samples of each channel, or of each colour of a mosaic, as flat arrays.

    Parameters
    ----------
    planes : ndarray of float32, shape (channels, height, width)
        Pixels in DN.
    cfa : CfaPattern or None
        Colours of a one-plane frame.
    """
    if cfa is None or len(planes) > 1:
        names = _channel_names(len(planes))
        return [(name, plane.reshape(-1)) for name, plane in zip(names, planes, strict=True)]
    period, cell = cfa.period, cfa.planes()
    return [
        (
            COLOURS[colour],
            np.concatenate(
                [
                    planes[0, y::period, x::period].reshape(-1)
                    for y, x in np.argwhere(cell == colour)
                ]
            ),
        )
        for colour in np.unique(cell).tolist()
    ]


def image_statistics(
    planes: Float32,
    cfa: CfaPattern | None = None,
    *,
    white_dn: float = FULL_SCALE,
    within_scale: bool = False,
) -> tuple[PlaneStatistics, ...]:
    """Measure an image.

    Parameters
    ----------
    planes : ndarray of float32, shape (channels, height, width)
        Pixels in DN; NaN is missing. Zero and negative values are values.
    cfa : CfaPattern or None
        Colours of a mosaic: each is measured apart.
    white_dn : float
        Upper end of the scale, DN.
    within_scale : bool
        Leave out samples at or below zero and at or above the white level, as PixInsight does
        unless *unclipped* is set.

    Returns
    -------
    tuple of PlaneStatistics
        One for each channel, or each colour of a mosaic. Where no sample is valid the values are
        NaN.
    """
    mosaic = cfa if len(planes) == 1 else None
    noise = _noise(planes, mosaic)
    return tuple(
        _plane(name, samples, noise.get(name, float("nan")), (white_dn, within_scale))
        for name, samples in colour_samples(planes, mosaic)
    )


def _noise(planes: Float32, mosaic: CfaPattern | None) -> dict[str, float]:
    """Return the noise by name of channel or colour; equal colours are averaged in quadrature."""
    found: dict[str, float] = {}
    for channel, plane in enumerate(planes):
        if not np.isfinite(plane).any():
            continue
        estimate = evaluate_noise(plane, mosaic)
        name = _channel_names(len(planes))[channel]
        squares = defaultdict(list)
        for place, sigma in zip(estimate.planes, estimate.sigma_dn, strict=True):
            squares[name if mosaic is None else place[:1]].append(sigma**2)
        found |= {name: float(np.sqrt(np.mean(values))) for name, values in squares.items()}
    return found


def _channel_names(count: int) -> list[str]:
    if count == 1:
        return [""]
    return list(COLOURS) if count == _RGB else [str(channel) for channel in range(count)]


def _plane(name: str, samples: Float32, noise: float, scale: tuple[float, bool]) -> PlaneStatistics:
    white_dn, within_scale = scale
    finite = samples[np.isfinite(samples)]
    low = int(np.count_nonzero(finite <= 0))
    high = int(np.count_nonzero(finite >= white_dn))
    values = finite[(finite > 0) & (finite < white_dn)] if within_scale else finite
    x = values.astype(np.float64)
    nan = float("nan")
    measured = dict.fromkeys(
        ("mean", "median", "sigma", "mad_sigma", "bwmv_sigma", "minimum", "maximum"), nan
    )
    if x.size:
        median = float(np.median(x))
        measured = {
            "mean": float(x.mean()),
            "median": median,
            "sigma": float(x.std(ddof=1)) if x.size > 1 else 0.0,
            "mad_sigma": MAD_TO_SIGMA * float(np.median(np.abs(x - median))),
            "bwmv_sigma": biweight(x),
            "minimum": float(x.min()),
            "maximum": float(x.max()),
        }
    return PlaneStatistics(
        name=name,
        samples=samples.size,
        valid=x.size,
        missing=samples.size - finite.size,
        low=low,
        high=high,
        noise=noise if finite.size else nan,
        **measured,
    )
