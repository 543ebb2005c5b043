"""The master flat scaling factor s0, and the reciprocal of the scaled flat."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64, Int64, UInt8
from lightframe.errors import InputError
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._calibrate import BINS, colour_histograms, colour_samples
from lightframe.processes._illumination import illuminated_area
from lightframe.tables import Table

__all__ = ["FLAT_SCALINGS", "FlatScale", "flat_reciprocal", "flat_scale"]

_LEAST_FACTOR_DN = 1e-3
"""A flat scaled to 1 is the faintest in use; anything a thousand times fainter is empty."""
_HIGH = 0.99
"""Quantile that is a colour's high level: above donuts and vignetting, below hot pixels."""
_STRIP_PIXELS = 1 << 16
"""Pixels divided at a time: they stay in the cache while they are judged."""
_BIN_EDGES = (np.arange(BINS, dtype=np.uint32) << np.uint32(16)).view(np.float32)


@dataclass(frozen=True, slots=True)
class _Samples:
    """The lit pixels of one colour or channel of a flat, as a histogram."""

    plane: Float32
    cell: UInt8
    colour: int
    counts: Int64
    sums: Float64

    def sorted_bin(self, wanted: int) -> Float32:
        """Return the pixels of one bin in ascending order."""
        samples = np.empty(self.counts[wanted], np.float32)
        colour_samples(self.plane, self.cell, self.colour, wanted, samples)
        samples.sort()
        return samples


FLAT_SCALINGS: Table[Callable[[_Samples, float], float]] = Table("flat scaling")


@FLAT_SCALINGS.add("trimmed-mean", "mean without the given fraction of pixels at each end")
def _trimmed_mean(samples: _Samples, fraction: float) -> float:
    """Return the mean of the ``N - 2 t`` samples in the middle, ``t = floor(fraction N)``.

    Samples are counted by rank: values that repeat at the bounds (integer flats) do no harm. All
    bins between the two that hold the bounds are summed as they are; only those two are sorted.
    """
    count = int(samples.counts.sum())
    first = int(fraction * count)
    last = count - first - 1
    ends = np.cumsum(samples.counts)
    low, high = (int(np.searchsorted(ends, rank, side="right")) for rank in (first, last))
    starts = ends - samples.counts
    part = samples.sorted_bin(low)
    if low == high:
        return float(part[first - starts[low] : last + 1 - starts[low]].mean(dtype=np.float64))
    total = float(samples.sums[low + 1 : high].sum())
    total += float(part[first - starts[low] :].sum(dtype=np.float64))
    total += float(samples.sorted_bin(high)[: last + 1 - starts[high]].sum(dtype=np.float64))
    return total / (count - 2 * first)


@FLAT_SCALINGS.add("mean", "mean of all pixels of the illuminated area")
def _mean(samples: _Samples, fraction: float) -> float:
    del fraction
    return float(samples.sums.sum()) / int(samples.counts.sum())


@dataclass(frozen=True, slots=True)
class FlatScale:
    """The scaling factors of a master flat.

    Attributes
    ----------
    factors : tuple of float
        s0 in DN: one, one per channel, or one per CFA colour (red, green, blue).
    colours : tuple of str
        What each factor belongs to: ``("",)``, ``("0", "1", "2")`` or ``("R", "G", "B")``.
    missing : tuple of int
        Pixels without a usable flat, one number a factor; they end as missing.
    illuminated : float
        Share of the frame that the factors were measured on: 1 unless it has an unlit border.
    """

    factors: tuple[float, ...]
    colours: tuple[str, ...]
    missing: tuple[int, ...]
    illuminated: float = 1.0

    @property
    def missing_pixels(self) -> int:
        """Number of samples without a usable flat."""
        return sum(self.missing)


def flat_scale(
    flat: Float32,
    cfa: CfaPattern | None,
    *,
    scaling: str,
    trim: float,
    illuminated: float = 0.1,
    name: str = "master flat",
) -> FlatScale:
    """Measure s0 of a calibrated master flat over its illuminated area (guide 8.1, 8.4).

    Parameters
    ----------
    flat : ndarray of float32, shape (channels, height, width)
        Calibrated master flat in DN.
    cfa : CfaPattern or None
        If given, one factor per colour, both greens together: the division by the flat then leaves
        the colour balance of the light alone. If None, one factor per channel.
    scaling : str
        A name of `FLAT_SCALINGS`.
    trim : float
        Fraction left out at each end by the trimmed mean.
    illuminated : float
        Pixels above this share of their colour's high level (99th percentile) are lit, see
        `illuminated_area`; 0 takes the whole frame.
    name : str
        For messages.

    Raises
    ------
    InputError
        If a factor is zero, negative or not a number: the flat is empty.
    """
    measure = FLAT_SCALINGS[scaling]
    labels: list[str] = []
    factors: list[float] = []
    missing: list[int] = []
    areas: list[float] = []
    for channel, plane in enumerate(flat):
        for label, samples, total, useless, area in _colours(plane, cfa, illuminated):
            factor = measure(samples, trim) if samples.counts.any() else 0.0
            if factor < _LEAST_FACTOR_DN:
                raise InputError(
                    f"the flat is empty: scaling factor {f'of {label} ' if label else ''}is"
                    f" {factor:.6g} DN, {useless} of {total} pixels are not above zero",
                    where=name,
                    cause="the flats were not illuminated, or more than their bias was subtracted",
                    remedy="look at the flats and at what they were calibrated with",
                )
            labels.append(label if len(flat) == 1 else str(channel))
            factors.append(factor)
            missing.append(useless)
            areas.append(area)
    return FlatScale(tuple(factors), tuple(labels), tuple(missing), float(np.mean(areas)))


def _colours(
    plane: Float32, cfa: CfaPattern | None, illuminated: float
) -> Iterator[tuple[str, _Samples, int, int, float]]:
    """Yield, for each colour of a plane, its label, its samples, and three numbers.

    These are the number of all its pixels, of those not above zero, and the share of the frame that
    the samples come from.
    """
    cell = np.zeros((1, 1), np.uint8) if cfa is None else cfa.planes()
    counts, sums = _histograms(plane, cell)
    above_zero = counts.sum(axis=1)
    area = 1.0
    if illuminated > 0:
        high = np.array([_quantile(row, _HIGH) for row in counts[: int(cell.max()) + 1]])
        lit = illuminated_area(plane, cell, high, share=illuminated)
        if lit is not None:
            area = float(lit.mean())
            plane = np.where(lit, plane, np.float32(np.nan))
            counts, sums = _histograms(plane, cell)
    period = len(cell)
    for colour in np.unique(cell).tolist():
        total = sum(
            plane[y::period, x::period].size for y, x in np.argwhere(cell == colour).tolist()
        )
        label = "" if cfa is None else COLOURS[colour]
        samples = _Samples(plane, cell, colour, counts[colour], sums[colour])
        yield label, samples, total, total - int(above_zero[colour]), area


def _histograms(plane: Float32, cell: UInt8) -> tuple[Int64, Float64]:
    """Return number and sum of the lit pixels of each colour and bin."""
    counts = np.zeros((len(COLOURS), BINS), np.int64)
    sums = np.zeros((len(COLOURS), BINS))
    colour_histograms(plane, cell, counts, sums)
    return counts, sums


def _quantile(counts: Int64, level: float) -> float:
    """Return a quantile of a histogram, as the lower edge of its bin (to 0.8 percent)."""
    ends = np.cumsum(counts)
    return float(_BIN_EDGES[min(int(np.searchsorted(ends, level * ends[-1])), BINS - 1)])


def flat_reciprocal(
    flat: Float32, scale: FlatScale, cfa: CfaPattern | None, *, least: float = 0.0
) -> tuple[Float32, tuple[int, ...]]:
    """Return ``s0 / flat``, NaN where the flat is of no use.

    Parameters
    ----------
    flat : ndarray of float32, shape (channels, height, width)
        Calibrated master flat in DN.
    scale : FlatScale
        Its factors.
    cfa : CfaPattern or None
        The pattern the factors were measured with.
    least : float
        Pixels below this share of s0 are of no use; zero, negative and missing ones never are.

    Returns
    -------
    gain : ndarray of float32, shape (channels, height, width)
    missing : tuple of int
        Pixels of no use, one number a factor.
    """
    width = flat.shape[2]
    gain = np.empty_like(flat)
    if cfa is None:
        cells = np.arange(len(flat))[:, None, None]
    else:
        labels = [scale.colours.index(letter) for letter in cfa.name]
        cells = np.array(labels).reshape(1, cfa.period, cfa.period)
    factors = np.array(scale.factors, np.float32)
    period = cells.shape[1]
    most = float(np.finfo(np.float32).max)
    limit = np.float32(min(1 / least, most) if least > 0 else most)
    missing = np.zeros(len(factors), int)
    strip = period * max(1, _STRIP_PIXELS // (period * width))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for (channel, y), _ in np.ndenumerate(cells[:, :, 0]):
            numerator = factors[np.resize(cells[channel, y], width)]
            for top in range(y, flat.shape[1], strip):
                taken = slice(top, top - y + strip, period)
                rows = np.divide(numerator, flat[channel, taken], out=gain[channel, taken])
                # A flat of zero gives inf, a negative one a negative gain: neither is one.
                useful = (rows > 0) & (rows <= limit)
                if useful.all():
                    continue
                rows[~useful] = np.nan
                for x in range(period):
                    missing[cells[channel, y, x]] += np.count_nonzero(~useful[:, x::period])
    return gain, tuple(missing.tolist())
