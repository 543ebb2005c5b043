"""Estimators of location and scale, and the statistics of a frame that integration needs.

Definitions: guide, section on integration; P. J. Rousseeuw and C. Croux, "Alternatives to the
median absolute deviation", JASA 88 (1993) 1273 (Sn, Qn); T. C. Beers, K. Flynn and K. Gebhardt,
AJ 100 (1990) 32 (biweight). All take finite samples, in any order, and work in float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.arrays import Float64
from lightframe.kernels._estimators import biweight_sums, sn_of_sorted
from lightframe.settings import OneOf, Settings
from lightframe.tables import Table

__all__ = [
    "LOCATION_ESTIMATORS",
    "SCALE_ESTIMATORS",
    "EstimatorSettings",
    "FrameStatistics",
    "biweight",
    "finite",
    "frame_statistics",
    "median",
    "quantized_sigma",
    "two_sided_biweight",
]

S = TypeVar("S", bound=np.floating)
Estimator = Callable[[Float64], float]

LOCATION_ESTIMATORS: Table[Estimator] = Table("estimator of location")
SCALE_ESTIMATORS: Table[Estimator] = Table("estimator of scale")

_TUNING = 9.0
"""Beyond this many (raw) MADs a sample has no weight in the biweight midvariance."""

_TWO_SIDED = "biweight-two-sided"

_MOST_PAIRED = 3000
"""Samples that Qn is made of: it compares all pairs."""

_SETTLED = 1e-6
"""The iteration of IKSS ends when the scale changes by less than this part."""

_SIGMAS_AT = {
    0.5: 0.6744897501960817,
    0.9: 1.6448536269514722,
    0.99: 2.5758293035489004,
    0.999: 3.2905267314919255,
}
"""Quantiles of the absolute deviations of the normal distribution, in sigma."""

_Q_SMALL = (0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872)


def median(x: npt.NDArray[np.floating]) -> float:
    """Return the median, by one partition: `numpy.median` takes six times as long."""
    middle = x.size // 2
    parted = np.partition(x, middle)
    high = float(parted[middle])
    return high if x.size % 2 else 0.5 * (float(parted[:middle].max()) + high)


LOCATION_ESTIMATORS.enter("median", "the middle sample, or the mean of the two middle ones", median)


@LOCATION_ESTIMATORS.add("mean", "the arithmetic mean")
def mean(x: Float64) -> float:
    """Return the mean."""
    return float(np.mean(x))


@LOCATION_ESTIMATORS.add("ikss", "the median of the samples that k-sigma iteration keeps")
def ikss_location(x: Float64) -> float:
    """Return the location of `ikss`."""
    return _ikss(x)[0]


@SCALE_ESTIMATORS.add("mad", "median absolute deviation from the median (not scaled to sigma)")
def mad(x: Float64) -> float:
    """Return the raw median of ``|x - median|``."""
    return median(np.abs(x - median(x)))


@SCALE_ESTIMATORS.add("average-deviation", "mean absolute deviation from the median")
def average_deviation(x: Float64) -> float:
    """Return the mean of ``|x - median|``."""
    return float(np.mean(np.abs(x - median(x))))


def biweight(x: npt.NDArray[np.floating]) -> float:
    """Return the square root of the biweight midvariance, about the median, 9 raw MADs wide.

    n sum((x - m)^2 (1 - y^2)^4) / (sum((1 - y^2)(1 - 5 y^2)))^2, y = (x - m) / (9 MAD), |y| < 1.
    NaN without samples.
    """
    if x.size == 0:
        return float("nan")
    ordered = np.sort(x)
    m = _median_of_sorted(ordered)
    return _biweight_about(x, m, _mad_of_sorted(ordered, np.float64(m)))


SCALE_ESTIMATORS.enter("biweight", "square root of the biweight midvariance", biweight)


@SCALE_ESTIMATORS.add(
    _TWO_SIDED,
    "mean of the biweight scales of the samples below and above the median",
)
def biweight_mean(x: Float64) -> float:
    """Return the mean of `two_sided_biweight`."""
    low, high = two_sided_biweight(x)
    return 0.5 * (low + high)


@SCALE_ESTIMATORS.add("sn", "Sn of Rousseeuw and Croux, consistent for Gaussian noise")
def sn(x: Float64) -> float:
    """Return c_n 1.1926 lomed_i himed_j |x_i - x_j|, in O(n log n)."""
    return float(sn_of_sorted(np.sort(np.asarray(x, np.float64))))


@SCALE_ESTIMATORS.add("qn", "Qn of Rousseeuw and Croux, consistent for Gaussian noise")
def qn(x: Float64) -> float:
    """Return d_n 2.2191 times the k-th smallest ``|x_i - x_j|``, k = h (h - 1) / 2, h = n/2 + 1.

    Needs n^2 / 2 differences; of more than 2,000 samples every k-th of the sorted ones is taken,
    so that at most 2,000 are left.
    """
    ordered = np.sort(np.asarray(x, np.float64))
    ordered = ordered[:: -(-ordered.size // 2000)]
    n = ordered.size
    if n <= 1:
        return 0.0
    h = n // 2 + 1
    k = h * (h - 1) // 2
    differences = scipy.spatial.distance.pdist(ordered[:, None], "cityblock")
    difference = np.partition(differences, k - 1)[k - 1]
    large = n / (n + 1.4) if n % 2 else n / (n + 3.8)
    factor = _Q_SMALL[n - 2] if n - 2 < len(_Q_SMALL) else large
    return float(2.2191 * factor * difference)


@SCALE_ESTIMATORS.add(
    "ikss", "iterative k-sigma: biweight scale of the samples within 4 sigma, until it settles"
)
def ikss(x: Float64) -> float:
    """Return 0.991 times the biweight scale of the samples that the iteration keeps."""
    return _ikss(x)[1]


def quantized_sigma(deviations: npt.NDArray[np.floating]) -> float:
    """Return sigma from absolute deviations of which most may be zero; hot pixels do not matter.

    1.4826 times their median, or what the first higher quantile says that is not zero: where frames
    have less noise than their integers have steps, most pixels do not deviate at all. Of one pixel
    in a thousand that does, noise is not the cause: sigma is 0.
    """
    for share, sigmas in _SIGMAS_AT.items():
        quantile = float(np.quantile(deviations, share))
        if quantile > 0:
            return quantile / sigmas
    return 0.0


def finite(values: npt.NDArray[S]) -> npt.NDArray[S]:
    """Return the samples that are not missing, as a flat array: a view where none is."""
    known = np.isfinite(values)
    return values.reshape(-1) if known.all() else values[known]


def two_sided_biweight(x: Float64) -> tuple[float, float]:
    """Return biweight scales of the samples ``<= median`` and ``> median``, each with its own MAD.

    A side without samples or without spread has the scale 0.
    """
    return _two_sided_of_sorted(np.sort(np.asarray(x, np.float64)))


def _two_sided_of_sorted(x: npt.NDArray[np.floating]) -> tuple[float, float]:
    m = _median_of_sorted(x)
    middle = int(np.searchsorted(x, x[(x.size - 1) // 2], "right"))
    sides = x[:middle], x[middle:]
    low, high = (
        _biweight_about(side, m, abs(_median_of_sorted(side) - m)) if side.size else 0.0
        for side in sides
    )
    return low, high


def _median_of_sorted(x: npt.NDArray[np.floating]) -> float:
    """Look up the median; sorting costs less than one `numpy.median`."""
    return 0.5 * (float(x[(x.size - 1) // 2]) + float(x[x.size // 2]))


def _mad_of_sorted(x: npt.NDArray[np.floating], m: np.floating) -> float:
    """Return the raw median of ``|x - m|``, made in the precision of the two.

    The samples nearest to m are neighbours: of all that many neighbours, those whose farther end is
    the nearest.
    """

    def smallest(k: int) -> float:
        return float(np.maximum(m - x[: x.size - k], x[k:] - m).min())

    low, high = (x.size - 1) // 2, x.size // 2
    return 0.5 * (smallest(low) + smallest(high)) if low < high else smallest(high)


def _biweight_about(x: npt.NDArray[np.floating], centre: float, spread: float) -> float:
    if spread <= 0.0:
        return 0.0
    numerator, denominator = biweight_sums(x, centre, _TUNING * spread)
    return float(np.sqrt(x.size * numerator) / abs(denominator))


def _ikss(x: Float64) -> tuple[float, float]:
    ordered = np.sort(np.asarray(x, np.float64))
    before = np.inf
    while True:
        centre = _median_of_sorted(ordered)
        scale = biweight(ordered)
        if scale == 0.0:
            return centre, 0.0
        if before - scale < _SETTLED * scale:
            return centre, 0.991 * scale
        before = scale
        low, high = np.searchsorted(ordered, (centre - 4 * scale, centre + 4 * scale))
        ordered = ordered[low:high]


class EstimatorSettings(Settings):
    """What the levels of frames are measured with."""

    location: Annotated[str, OneOf(LOCATION_ESTIMATORS)] = "median"
    """Estimator of a frame's background."""

    scale: Annotated[str, OneOf(SCALE_ESTIMATORS)] = _TWO_SIDED
    """Estimator of a frame's spread; lights have the brightness of their stars instead, where
    enough are shared."""


@dataclass(frozen=True, slots=True)
class FrameStatistics:
    """What normalization and weighting need to know of a frame; one value a channel, in DN.

    Attributes
    ----------
    location : ndarray, shape (channels,), float64
        Median, or what `EstimatorSettings` name.
    scale_low, scale_high : ndarray, shape (channels,), float64
        Square root of the biweight midvariance of the samples below and above the median, or twice
        what `EstimatorSettings` name.
    noise : ndarray, shape (channels,), float64
        Standard deviation of the noise from pixel to pixel.
    slope : tuple of float
        Relative change of the scale from the first row to the last and from the first column to the
        last, about the centre, against the reference; for local normalization.
    """

    location: Float64
    scale_low: Float64
    scale_high: Float64
    noise: Float64
    slope: tuple[float, float] = (0.0, 0.0)


def frame_statistics(
    planes: npt.NDArray[np.generic],
    *,
    noise: npt.ArrayLike | None = None,
    estimators: EstimatorSettings = EstimatorSettings(),
) -> FrameStatistics:
    """Measure a frame, or a sample of its rows; missing pixels are left out.

    Parameters
    ----------
    planes : ndarray, shape (channels, rows, columns) or (rows, columns)
        uint16 or float32, DN; NaN is missing.
    noise : array_like, shape (channels,), optional
        The noise, where it is known better; otherwise the biweight scale of the differences of
        pixels two columns apart (the same colour of a CFA frame), over sqrt(2). It is too small for
        interpolated images.
    estimators : EstimatorSettings
        How location and scale are measured.

    Raises
    ------
    ValueError
        If a channel has no pixel at all.
    """
    planes = planes.reshape(-1, *planes.shape[-2:])
    rows = [_channel_statistics(plane, estimators) for plane in planes]
    location, low, high, sigma = np.array(rows, np.float64).T
    if noise is not None:
        sigma = np.broadcast_to(np.asarray(noise, np.float64), location.shape).copy()
    return FrameStatistics(location, low, high, sigma)


def _channel_statistics(
    plane: npt.NDArray[np.generic], estimators: EstimatorSettings
) -> tuple[float, float, float, float]:
    values = np.asarray(plane, np.float32)
    x = finite(values)
    if x.size == 0:
        raise ValueError("a frame without any pixel has no statistics")
    ordered = np.sort(x)
    location = _median_of_sorted(ordered)
    if estimators.location != "median":
        location = LOCATION_ESTIMATORS[estimators.location](ordered.astype(np.float64))
    if estimators.scale == _TWO_SIDED:
        low, high = _two_sided_of_sorted(ordered)
    else:
        step = max(1, ordered.size // _MOST_PAIRED) if estimators.scale == "qn" else 1
        low = high = SCALE_ESTIMATORS[estimators.scale](ordered[::step].astype(np.float64))
    with np.errstate(invalid="ignore"):  # inf - inf is missing, too
        steps = finite(values[:, 2:] - values[:, :-2])
    noise = 0.0
    if steps.size:
        steps.sort()
        m = _median_of_sorted(steps)
        noise = _biweight_about(steps, m, _mad_of_sorted(steps, np.float32(m)))
        noise = noise or float(np.std(steps, dtype=np.float64))  # most steps are equal
    return location, low, high, noise / float(np.sqrt(2.0))
