"""Noise evaluation: the standard deviation of the Gaussian noise of each colour plane.

Both methods work on the B3-spline wavelet transform, where stars and nebulae are few and large
coefficients, and noise is everywhere and small:

k-sigma
    Standard deviation of the first layer, iterated over what lies within three of it, over that of
    the layer for unit noise.
MRS (multiresolution support; Starck and Murtagh 1998, PASP 110, 193)
    Noise pixels are those where no layer is significant (3 sigma); sigma is the standard deviation
    of image less residual layer over them, iterated. Tried with four, three and two layers; where
    less than one percent of the pixels are noise, k-sigma stands in.

Where integers hide the noise, clipping leaves next to nothing: noise is at least what rounding to
the step between the values adds, see `lightframe.processes._quantization`.

A CFA frame is evaluated on planes of pixels at the same place of the colour cell, never across
colours and without binning: the result is the noise of a pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from lightframe.arrays import Float32, Float64, Int64, as_planes
from lightframe.buffers import Buffers
from lightframe.errors import InputError
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.frames._pixels import PixelSource
from lightframe.kernels._wavelet import BINS, noise_histograms
from lightframe.processes._noise_pixels import ImagePixels, NoisePixels, SourcePixels
from lightframe.processes._quantization import ROUNDING, grid_step, value_step
from lightframe.tables import Table

__all__ = ["NOISE_METHODS", "NoiseEstimate", "evaluate_noise"]


_LAYER_SIGMAS = (0.8907, 0.2007, 0.0856, 0.0413)
"""Standard deviation of the layers of the B3-spline transform for unit noise."""
_MRS_EFFICIENCY = 0.974
_MRS_LEAST_FRACTION = 0.01
_MRS_ROUNDS = 16
_MRS_TOLERANCE = 1e-4
_CLIP = 3.0
_CLIPPED_SPREAD = 0.98485
"""Fixed point of the standard deviation of unit noise clipped at three times itself."""
_TILE = 192
"""Side of the tiles in pixels of the plane: five of them with their margins fit into the cache."""

_buffers = Buffers()


@dataclass(frozen=True, slots=True)
class NoiseEstimate:
    """Noise of an image, plane by plane.

    Attributes
    ----------
    sigma_dn : tuple of float
        Standard deviation of the noise of a pixel in DN.
    fraction : tuple of float
        Share of the pixels that was taken for noise.
    method : tuple of str
        The method that gave each value: "mrs", or "k-sigma" where that had to stand in.
    planes : tuple of str
        What each value belongs to: ``("",)``; R, G1, G2, B for Bayer; R, G, B for X-Trans; the
        number of the channel for several channels.
    """

    sigma_dn: tuple[float, ...]
    fraction: tuple[float, ...]
    method: tuple[str, ...]
    planes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Coefficients:
    """Histograms of one plane, see `noise_histograms`, and pixels that show their steps."""

    first: Float64
    support: Float64
    values: Float32

    def spread_below(self, histogram: Float64, limit: float) -> tuple[float, float]:
        """Return the standard deviation of what lies below `limit`, and its share of all."""
        number, total, squares = (_below(row, limit) for row in histogram)
        if number <= 1:
            return 0.0, 0.0
        mean = total / number
        variance = max(0.0, squares / number - mean * mean)
        return float(np.sqrt(variance)), number / float(histogram[0].sum())


_EDGES = (np.arange(BINS + 1, dtype=np.uint32) << np.uint32(16)).view(np.float32)
"""Lower bounds of the bins; beyond the largest float they are inf and NaN."""


def _below(row: Float64, limit: float) -> float:
    """Return the sum of a histogram's row below `limit`, interpolated within the bin."""
    last = int(np.array(limit, np.float32).view(np.uint32)) >> 16
    low, high = float(_EDGES[last]), float(_EDGES[last + 1])
    inside = (limit - low) / (high - low) if np.isfinite(high) else 1.0
    return float(row[:last].sum() + inside * row[last])


def _k_sigma(coefficients: _Coefficients) -> tuple[float, float]:
    first = coefficients.first
    sigma, fraction = coefficients.spread_below(first, np.inf)
    for _ in range(50):
        last = sigma
        sigma, fraction = coefficients.spread_below(first, _CLIP * sigma)
        if last - sigma <= _MRS_TOLERANCE * sigma:
            break
    return sigma / (_LAYER_SIGMAS[0] * _CLIPPED_SPREAD), fraction


def _mrs(coefficients: _Coefficients) -> tuple[float, float]:
    sigma, _ = _k_sigma(coefficients)
    for _ in range(_MRS_ROUNDS):
        last = sigma
        sigma, fraction = coefficients.spread_below(coefficients.support, _CLIP * sigma)
        if sigma <= 0 or abs(sigma - last) < _MRS_TOLERANCE * sigma:
            return sigma / _MRS_EFFICIENCY, fraction
    return 0.0, 0.0


NOISE_METHODS: Table[Callable[[_Coefficients], tuple[float, float]]] = Table("noise method")
NOISE_METHODS.enter("mrs", "multiresolution support, k-sigma where it does not converge", _mrs)
NOISE_METHODS.enter("k-sigma", "iterated 3-sigma clipping of the first wavelet layer", _k_sigma)


def evaluate_noise(
    image: Float32 | PixelSource,
    cfa: CfaPattern | None = None,
    method: str = "mrs",
    *,
    sample_pixels: int | None = None,
) -> NoiseEstimate:
    """Measure the noise of an image.

    Parameters
    ----------
    image : ndarray of float32, shape (height, width) or (channels, height, width), or PixelSource
        Pixels in DN; NaN is missing. Not truncated: pixels heaped up at zero would count as noise.
        Of a source, only what is looked at is read.
    cfa : CfaPattern or None
        Colours of a CFA frame. Bayer: four planes, the two greens apart. X-Trans: the planes of
        one colour share one value.
    method : str
        A name of `NOISE_METHODS`.
    sample_pixels : int, optional
        Look only at evenly spread tiles with about this many pixels (2**20 give 0.1 percent).

    Returns
    -------
    NoiseEstimate
        Zero for a plane without noise or without pixels. Not less than the step between integers
        over sqrt(12); good to a tenth from a noise of 0.4 steps on.

    Raises
    ------
    InputError
        If no pixel of any plane is valid.
    """
    pixels = _pixels(image)
    channels = pixels.shape[0]
    estimate = NOISE_METHODS[method]
    share = 1.0 if sample_pixels is None else min(1.0, sample_pixels / prod(pixels.shape))
    sigmas, fractions, methods, labels = [], [], [], []
    seen = False
    for channel in range(channels):
        for label, phases, step in _colour_planes(cfa):
            plane = _Plane(pixels, channel, phases, step, share)
            found = _evaluate(plane, estimate)
            seen = seen or found is not None
            sigma, fraction, used = found or (0.0, 0.0, estimate)
            sigmas.append(sigma)
            fractions.append(fraction)
            methods.append(method if used is estimate else "k-sigma")
            labels.append(label if channels == 1 else str(channel))
    if not seen:
        raise InputError("the noise cannot be evaluated: no pixel is valid")
    return NoiseEstimate(tuple(sigmas), tuple(fractions), tuple(methods), tuple(labels))


def _pixels(image: Float32 | PixelSource) -> NoisePixels:
    if not isinstance(image, np.ndarray):
        return SourcePixels(image)
    return ImagePixels(as_planes(np.ascontiguousarray(image, np.float32)))


@dataclass(frozen=True, slots=True)
class _Plane:
    """The pixels that are evaluated together, and the share of them that is looked at."""

    pixels: NoisePixels
    channel: int
    phases: list[tuple[int, int]]
    step: int
    share: float


def _evaluate(
    plane: _Plane, estimate: Callable[[_Coefficients], tuple[float, float]]
) -> tuple[float, float, Callable[[_Coefficients], tuple[float, float]]] | None:
    """Return sigma and noise fraction of a plane, and what found them.

    None where no pixel is valid.
    """
    coefficients = reserve = _coefficients(plane, len(_LAYER_SIGMAS))
    if not coefficients.first[0].sum():
        return None
    least = ROUNDING * value_step(coefficients.values)
    if estimate is not _mrs:
        sigma, fraction = estimate(coefficients)
        return max(sigma, least), fraction, estimate
    for layers in range(len(_LAYER_SIGMAS), 1, -1):
        if layers < len(_LAYER_SIGMAS):
            coefficients = _coefficients(plane, layers)
        sigma, fraction = _mrs(coefficients)
        if sigma > 0 and fraction >= _MRS_LEAST_FRACTION:
            return max(sigma, least), fraction, _mrs
    sigma, fraction = _k_sigma(reserve)
    return max(sigma, least), fraction, _k_sigma


def _colour_planes(cfa: CfaPattern | None) -> list[tuple[str, list[tuple[int, int]], int]]:
    """Return label, phases and step of the planes that are evaluated together."""
    if cfa is None:
        return [("", [(0, 0)], 1)]
    cell = cfa.planes()
    places: dict[int, list[tuple[int, int]]] = {}
    for (y, x), colour in np.ndenumerate(cell):
        places.setdefault(int(colour), []).append((y, x))
    if cfa.period > 2:  # noqa: PLR2004 - Bayer
        return [(COLOURS[colour], places[colour], cfa.period) for colour in sorted(places)]
    return [
        (COLOURS[colour] + (str(i + 1) if len(places[colour]) > 1 else ""), [place], cfa.period)
        for colour in sorted(places)
        for i, place in enumerate(places[colour])
    ]


def _coefficients(plane: _Plane, layers: int) -> _Coefficients:
    """Transform the tiles of a plane and collect their coefficients."""
    margin = 2 * (2**layers - 1)
    side = _TILE + 2 * margin
    work = _buffers.floats("work", (5, side, side))
    histograms = np.zeros((2, 3, BINS))
    sigmas = np.array(_LAYER_SIGMAS[:layers])
    step = plane.step
    values = [np.empty(0, np.float32)]  # of a single row, some places of a colour cell have none
    for phase in plane.phases:
        shape = plane.pixels.shape[1:]
        height, width = (-(-(size - p) // step) for size, p in zip(shape, phase, strict=True))
        if height > 0 and width > 0:
            tiles = _tiles(height, width, plane.share)
            every = step * grid_step(int(np.prod(tiles[:, 1::2] - tiles[:, ::2], axis=1).sum()))
            for part in plane.pixels.tiles(plane.channel, phase, step, tiles, margin):
                image, place, within = part
                noise_histograms(image, place, step, within, sigmas, work, histograms)
                for tile in within:
                    y0, y1, x0, x1 = np.repeat(place, 2) + step * tile
                    # A copy, even where these are all rows: the next band comes to the same place.
                    values.append(image[y0:y1:every, x0:x1:every].flatten())
    return _Coefficients(histograms[0], histograms[1], np.concatenate(values)[:, None])


def _tiles(height: int, width: int, share: float) -> Int64:
    """Cut a plane into tiles and return an evenly spread `share` of them (at least one).

    They stand in few rows, which are read at once.
    """
    rows, columns = -(-height // _TILE), -(-width // _TILE)
    y = np.linspace(0, height, rows + 1).astype(np.int64)
    x = np.linspace(0, width, columns + 1).astype(np.int64)
    wanted = share * rows * columns
    some_rows = max(1, round(np.sqrt(share) * rows))
    some_columns = min(columns, max(1, round(wanted / some_rows)))
    return np.array(
        [
            (y[i], y[i + 1], x[j], x[j + 1])
            for i in _spread(some_rows, rows)
            for j in _spread(some_columns, columns)
        ],
        np.int64,
    )


def _spread(number: int, places: int) -> Int64:
    """Return evenly spread places."""
    return ((np.arange(number) + 0.5) * places / number).astype(np.int64)
