"""The histogram of each phase of a frame in numbers: quantiles, extremes, steps and gaps."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64, Int64, UInt16
from lightframe.kernels._constants import FULL_SCALE
from lightframe.kernels._evidence import phase_histograms

__all__ = ["QUANTILES", "Levels", "levels_of_floats", "levels_of_integers"]


QUANTILES = (
    0.0001, 0.001, 0.01, 0.05, 0.16, 0.25, 0.5, 0.75, 0.84, 0.95, 0.99, 0.999, 0.9999,
)  # fmt: skip
"""Fractions of the pixels of a phase that lie below the stored quantiles."""

_SAMPLES = 6_000_000
"""Most pixels that are counted."""
_FLOAT_SAMPLES = 1_000_000
_MOST = 0.999
"""Fraction of the pixels that must share a step: a few odd ones, as time stamps, do not count."""
_DENSE = 20
"""Counts per value from which on a value that does not occur is a gap, not bad luck."""
_FEWEST_VALUES = 8
_GRID_SAMPLES = 20_000
_GRID_TOLERANCE = 0.02
"""Distance from a multiple, in spacings: rounding to 32 bits at the upper end of 16 bits."""
_GRIDS = tuple(
    spacing
    for bits in range(8, 17)
    for spacing in (FULL_SCALE / (2**bits - 1), FULL_SCALE / 2**bits, float(2 ** (16 - bits)))
)
"""What becomes of a step of an ADC of some bits whose highest number, or range, is made 1."""
_WHOLE_BINS, _LOW_BINS = 128, 64
_AROUND = 64
"""Single values that are counted on either side of the median."""
_BEYOND_MEDIAN = 3.0
"""Spreads above the median up to which the low end is counted."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Levels:
    """Histograms of the four phases in numbers.

    Attributes
    ----------
    quantiles : float64 (4, len(QUANTILES))
        Levels in DN.
    minimum, maximum : float64 (4,)
        Extremes.
    at_minimum, above_minimum : float64 (4,)
        Fraction of the pixels at the lowest value, and at the next value that occurs.
    at_maximum : float64 (4,)
        Fraction at the highest value.
    near_maximum : float64 (4,)
        Mean fraction at each of the values next below the highest (64 steps).
    zeros, negative, fractional, missing : float64 (4,)
        Fractions of pixels that are exactly zero, below zero, not integer, not a number.
    step : int64 (4,)
        Power of two by which the values are spaced; 0 if unknown.
    grid : float64 (4,)
        Distance of which nearly all values are whole multiples: the step, or where an ADC's numbers
        were stored as fractions of a full scale, what became of it; 0 if unknown.
    spacing : float64 (4,)
        Mean distance of the values that occur where the histogram is dense; NaN if it nowhere is.
    values : int64 (4,)
        How many different values `spacing` was measured on.
    whole, low : int64 (4, 128), (4, 64)
        Counts in bins: of all pixels, and of those from the lowest value up to beyond the median.
    whole_start, whole_width, low_start, low_width : float64 (4,)
        Lower edge of the first bin, and width of the bins; widths of `whole` are powers of two, and
        edges their multiples.
    around : int64 (4, 129)
        Counts of single values, from 64 below the median to 64 above it; zero for fractions.
    """

    quantiles: Float64
    minimum: Float64
    maximum: Float64
    at_minimum: Float64
    above_minimum: Float64
    at_maximum: Float64
    near_maximum: Float64
    zeros: Float64
    negative: Float64
    fractional: Float64
    missing: Float64
    step: Int64
    grid: Float64
    spacing: Float64
    values: Int64
    whole: Int64
    whole_start: Float64
    whole_width: Float64
    low: Int64
    low_start: Float64
    low_width: Float64
    around: Int64

    def quantile(self, fraction: float) -> Float64:
        """Return a stored quantile of each phase."""
        return np.ascontiguousarray(self.quantiles[:, QUANTILES.index(fraction)])

    @property
    def median(self) -> Float64:
        """Median of each phase."""
        return self.quantile(0.5)

    @property
    def spread(self) -> Float64:
        """Half the distance of the quantiles that enclose 68 %."""
        return 0.5 * (self.quantile(0.84) - self.quantile(0.16))

    @property
    def frame_step(self) -> int:
        """The step of the frame: the widest of the phases, since a driver may spoil some."""
        return int(self.step.max())


def levels_of_integers(pixels: UInt16) -> Levels:
    """Return the levels of unsigned 16-bit pixels, shape (height, width)."""
    counts = np.zeros((4, 65536), np.int64)
    phase_histograms(pixels, max(1, pixels.size // _SAMPLES), counts)
    rows = [_of_histogram(row) for row in counts]
    return Levels(**{name: np.array([row[name] for row in rows]) for name in rows[0]})


def _of_histogram(counts: Int64) -> dict[str, object]:
    total = max(int(counts.sum()), 1)
    occupied = np.flatnonzero(counts)
    if occupied.size == 0:
        occupied = np.zeros(1, np.int64)
    below = np.cumsum(counts)
    first, last = int(occupied[0]), int(occupied[-1])
    step = _step(counts, total)
    reach = range(max(last - 64 * max(step, 1), 0), last, max(step, 1))
    spacing, values = _spacing(counts, below, total)
    second = int(occupied[1]) if occupied.size > 1 else first
    return {
        "quantiles": _quantiles(below, total, max(step, 1)),
        "minimum": float(first),
        "maximum": float(last),
        "at_minimum": counts[first] / total,
        "above_minimum": counts[second] / total if second != first else 0.0,
        "at_maximum": counts[last] / total,
        "near_maximum": float(np.mean(counts[reach])) / total if reach else 0.0,
        "zeros": counts[0] / total,
        "negative": 0.0,
        "fractional": 0.0,
        "missing": 0.0,
        "step": step,
        "grid": float(step),
        "spacing": spacing,
        "values": values,
    } | _windows(counts, occupied, max(step, 1))


def _windows(counts: Int64, occupied: Int64, step: int) -> dict[str, object]:
    """Return the histogram as a whole, at its low end, and around its median."""
    first, last = int(occupied[0]), int(occupied[-1])
    below = np.cumsum(counts)
    lower, median, upper = np.searchsorted(below, np.array([0.16, 0.5, 0.84]) * below[-1])
    width = 2 ** int(np.ceil(np.log2(max(last + 1, _WHOLE_BINS) / _WHOLE_BINS)))
    reach = median + _BEYOND_MEDIAN * max(0.5 * (upper - lower), step) - first
    low_width = step * int(np.ceil(max(reach, 1.0) / (_LOW_BINS * step)))
    padded = np.pad(counts, (_AROUND, max(_AROUND, _LOW_BINS * low_width)))
    return {
        "whole": counts[: _WHOLE_BINS * width].reshape(_WHOLE_BINS, width).sum(axis=1),
        "whole_start": 0.0,
        "whole_width": float(width),
        "low": padded[_AROUND + first :][: _LOW_BINS * low_width]
        .reshape(_LOW_BINS, low_width)
        .sum(axis=1),
        "low_start": float(first),
        "low_width": float(low_width),
        "around": padded[median : median + 2 * _AROUND + 1],
    }


def _quantiles(below: Int64, total: int, step: int) -> Float64:
    """Return quantiles, shared out evenly within a value as if it were one step wide."""
    wanted = np.array(QUANTILES) * total
    index = np.minimum(np.searchsorted(below, wanted), below.size - 1)
    before = np.where(index > 0, below[np.maximum(index - 1, 0)], 0)
    inside = (wanted - before) / np.maximum(below[index] - before, 1)
    return np.asarray(index + (np.clip(inside, 0.0, 1.0) - 0.5) * step)


def _step(counts: Int64, total: int) -> int:
    """Return the power of two that divides the distances of nearly all values; 0 if unknown."""
    if np.count_nonzero(counts > 1) < _FEWEST_VALUES:
        return 0
    step = 1
    while step < 256:  # noqa: PLR2004 - 8 bits shifted by 8
        residues = counts.reshape(-1, 2 * step).sum(axis=0)
        if residues.max() < _MOST * total:
            break
        step *= 2
    return step


def _spacing(counts: Int64, below: Int64, total: int) -> tuple[float, int]:
    """Return the mean distance of the values between the quantiles 5 % and 95 %."""
    first, last = np.searchsorted(below, [0.05 * total, 0.95 * total])
    inside = counts[first : last + 1]
    occupied = np.flatnonzero(inside)
    # Only between values that both occur often: elsewhere a gap may be bad luck.
    often = inside[occupied] >= _DENSE
    pairs = often[1:] & often[:-1]
    if np.count_nonzero(pairs) < max(_FEWEST_VALUES, 0.5 * occupied.size):
        return float("nan"), 0
    return float(np.diff(occupied)[pairs].mean()), int(np.count_nonzero(pairs)) + 1


def _grid(known: Float64) -> float:
    """Return the widest spacing, of those that conversions make, that fits the sorted values."""
    sample = known[:: max(1, known.size // _GRID_SAMPLES)]
    if np.unique(sample).size < _FEWEST_VALUES:
        return 0.0
    for spacing in _GRIDS:
        places = sample / spacing
        on_grid = np.abs(places - np.rint(places)) < _GRID_TOLERANCE
        if np.mean(on_grid) >= _MOST and np.unique(np.rint(places)).size >= _FEWEST_VALUES:
            return spacing
    return 0.0


def levels_of_floats(pixels: Float32) -> Levels:
    """Return the levels of float32 pixels, shape (height, width), from a sample of pairs of rows.

    Whole numbers between 0 and 65535 are counted like unsigned integers.
    """
    pairs = max(1, pixels.shape[0] // 2)
    chosen = np.linspace(0, pairs - 1, max(1, min(pairs, _FLOAT_SAMPLES // pixels.shape[1] // 2)))
    rows = (chosen.astype(np.int64)[:, np.newaxis] * 2 + np.arange(2)).ravel()
    sample = pixels[rows[rows < pixels.shape[0]]]
    finite = np.isfinite(sample)
    whole = bool(np.all(finite)) and bool(np.all(sample == np.rint(sample)))
    if whole and sample.min() >= 0 and sample.max() <= np.iinfo(np.uint16).max:
        return levels_of_integers(np.ascontiguousarray(sample).astype(np.uint16))
    result = [_of_sample(sample[phase // 2 :: 2, phase % 2 :: 2].ravel()) for phase in range(4)]
    return Levels(**{name: np.array([row[name] for row in result]) for name in result[0]})


def _of_sample(values: Float32) -> dict[str, object]:
    total = max(values.size, 1)
    known = np.sort(values[np.isfinite(values)].astype(np.float64))
    missing = 1.0 - known.size / total
    if known.size == 0:
        known = np.full(1, np.nan)
    first, last = known[0], known[-1]
    low, high = int(np.searchsorted(known, first, "right")), int(np.searchsorted(known, last))
    second = int(np.searchsorted(known, known[low], "right")) - low if low < known.size else 0
    return {
        "quantiles": np.quantile(known, QUANTILES),
        "minimum": first,
        "maximum": last,
        "at_minimum": low / total,
        "above_minimum": second / total,
        "at_maximum": (known.size - high) / total,
        "near_maximum": 0.0,
        "zeros": float(np.count_nonzero(known == 0.0)) / total,
        "negative": float(np.count_nonzero(known < 0.0)) / total,
        "fractional": float(np.count_nonzero(np.abs(known - np.rint(known)) > 0.0)) / total,
        "missing": missing,
        "step": 0,
        "grid": _grid(known),
        "spacing": float("nan"),
        "values": 0,
    } | _float_windows(known)


def _float_windows(known: Float64) -> dict[str, object]:
    """Return the same of sorted values that are not whole numbers."""
    low, lower, median, upper, high = np.quantile(known, [1e-4, 0.16, 0.5, 0.84, 0.9999])
    span = max(float(high - low), 1e-6)
    width = 2.0 ** np.ceil(np.log2(span / (_WHOLE_BINS - 1)))
    start = np.floor(low / width) * width
    reach = float(median + _BEYOND_MEDIAN * max(0.5 * (upper - lower), 1e-6) - low)
    low_width = max(reach, 1e-6) / _LOW_BINS
    return {
        "whole": _counted(known, start, width, _WHOLE_BINS),
        "whole_start": start,
        "whole_width": width,
        "low": _counted(known, low, low_width, _LOW_BINS),
        "low_start": low,
        "low_width": low_width,
        "around": np.zeros(2 * _AROUND + 1, np.int64),
    }


def _counted(known: Float64, start: float, width: float, bins: int) -> Int64:
    """Return counts in bins; values below the first take part in it, those above in none."""
    edges = np.searchsorted(known, start + width * np.arange(1, bins + 1))
    return np.asarray(np.diff(edges, prepend=0), np.int64)
