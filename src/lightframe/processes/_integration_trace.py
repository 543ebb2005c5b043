"""The fate of one pixel: values, limits, and who was rejected in which round and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Int64, UInt8
from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._rejection_queue import LOWER, ORIGIN, UPPER
from lightframe.kernels._stack import LANES, order_samples
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration_recipe import (
    make_recipe,
    needs_statistics,
    sample_statistics,
    with_fields,
)
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_terms import ChannelTerms, Recipe, localized
from lightframe.processes._integration_tiles import TileWorker
from lightframe.processes._large_scale import LargeScaleSettings, grow_structures, mark_structures
from lightframe.processes._rejection import RejectionWork

__all__ = ["PixelTrace", "Round", "SampleTrace", "trace_pixel"]

_WITH_LIMITS = {"sigma", "mad", "averaged-sigma", "ccd-noise", "percentile", "winsorized"}
"""Algorithms that reject what lies beyond a lower and an upper limit in each round."""


@dataclass(frozen=True, slots=True)
class SampleTrace:
    """What became of one frame's sample.

    Attributes
    ----------
    frame : int
        Index of the frame.
    value : float
        As it was read, DN.
    compared : float
        Normalized for rejection.
    combined : float
        Normalized for output.
    weight : float
        Weight of the frame.
    fate : str
        ``survives``, ``low``, ``high``, ``range low``, ``range high``, ``structure low`` or
        ``structure high`` (large-scale rejection), or ``missing``.
    round : int or None
        Round in which it was rejected, from 1.
    reason : str
        Why, in words.
    """

    frame: int
    value: float
    compared: float
    combined: float
    weight: float
    fate: str
    round: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Round:
    """One round of rejection.

    Attributes
    ----------
    samples : int
        Samples at its beginning.
    low, high : int
        How many were rejected.
    lower, upper : float or None
        Limits, in units of `SampleTrace.compared`; None for algorithms without.
    """

    samples: int
    low: int
    high: int
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class PixelTrace:
    """The fate of one pixel in one channel.

    Attributes
    ----------
    x, y, channel : int
        Which pixel.
    rejection : str
        Algorithm.
    samples : tuple of SampleTrace
        In the order of frames.
    rounds : tuple of Round
        In their order; the last one rejects nothing or ends the rejection.
    result, weight : float
        The combined value and the sum of the survivors' weights.
    """

    x: int
    y: int
    channel: int
    rejection: str
    samples: tuple[SampleTrace, ...]
    rounds: tuple[Round, ...]
    result: float
    weight: float


def trace_pixel(  # noqa: PLR0913 - the arguments of `integrate`, and the pixel
    sources: Sequence[PixelSource],
    settings: IntegrationSettings,
    x: int,
    y: int,
    *,
    statistics: Sequence[FrameStatistics] | None = None,
    weights: npt.ArrayLike | None = None,
    reference: int = 0,
) -> tuple[PixelTrace, ...]:
    """Follow one pixel through the integration.

    The same code does the work as in `lightframe.processes.integrate`, for this pixel alone: result
    and weight are those of the image to the bit. To tell the rounds apart, rejection is stopped
    after one round, after two, and so on. For large-scale rejection the neighbourhood from which a
    structure can reach the pixel is integrated first.

    Parameters
    ----------
    sources, settings, statistics, weights, reference
        As in `lightframe.processes.integrate`.
    x, y : int
        Column and row.

    Returns
    -------
    tuple of PixelTrace
        One a channel.

    Raises
    ------
    ValueError
        If the pixel lies outside the image.
    """
    first = sources[0]
    if not (0 <= x < first.width and 0 <= y < first.height):
        raise ValueError(f"pixel ({x}, {y}) of an image of {first.width} x {first.height}")
    if statistics is None and needs_statistics(settings):
        statistics = sample_statistics(sources, estimators=settings.estimators)
    recipe, _ = make_recipe(len(sources), first.channels, settings, statistics, weights, reference)
    recipe = with_fields(recipe, sources, settings, statistics, reference)
    window = Window(y, y + 1, x, x + 1)
    worker = _worker(sources, window, recipe)
    structures = np.zeros((first.channels, len(sources)), np.uint8)
    if settings.large_scale.sides:
        structures = _structures(sources, window, worker, settings.large_scale)
    return tuple(
        _trace(worker, channel, window, structures[channel]) for channel in range(first.channels)
    )


def _worker(sources: Sequence[PixelSource], window: Window, recipe: Recipe) -> TileWorker:
    """Return a worker that has read a window and will mark what is rejected."""
    dtype = np.dtype(np.float32)
    channels = sources[0].channels
    worker = TileWorker(len(sources), channels, window.shape, dtype, recipe, marking=True)
    worker.read(sources, window)
    return worker


def _structures(
    sources: Sequence[PixelSource],
    pixel: Window,
    pixel_worker: TileWorker,
    settings: LargeScaleSettings,
) -> UInt8:
    """Return the marks (1 low, 2 high) of large-scale rejection, shape (channels, frames)."""
    first, reach = sources[0], settings.reach
    around = Window(
        max(0, pixel.y0 - reach),
        min(first.height, pixel.y1 + reach),
        max(0, pixel.x0 - reach),
        min(first.width, pixel.x1 + reach),
    )
    at = slice(pixel.y0 - around.y0, pixel.y1 - around.y0), pixel.x0 - around.x0
    recipe = pixel_worker.recipe
    worker = _worker(sources, around, recipe)
    found = np.zeros((first.channels, len(sources)), np.uint8)
    for channel in range(first.channels):
        worker.integrate(channel, around)
        rejected = worker.marks(channel, around)

        def grown(side: int, frame: int, rejected: UInt8 = rejected) -> npt.NDArray[np.bool_]:
            if side not in settings.sides:
                return np.zeros(pixel.shape, np.bool_)
            return grow_structures((rejected[frame] & (side + 1)) != 0, settings)[at][:, None]

        marks = pixel_worker.marks(channel, pixel)
        samples = pixel_worker.samples(channel, pixel)
        mark_structures(samples, grown, marks, recipe.limits.minimum_survivors)
        found[channel] = marks[:, 0, 0]
    return found


def _trace(worker: TileWorker, channel: int, window: Window, structures: UInt8) -> PixelTrace:
    """Integrate the pixel, and say what became of each sample."""
    recipe, samples = worker.recipe, worker.samples(channel, window)[:, 0]
    terms = recipe.channels[channel]
    seen = _seen(window, channel, samples.astype(np.float32), recipe)
    samples[structures > 0] = np.nan
    maps = worker.integrate(channel, window)[:, 0, 0]
    marks = worker.marks(channel, window)[:, 0, 0]
    rounds = _rounds(seen, terms, recipe, structures > 0)
    column, before = seen.values[:, 0], seen.compared[:, 0]
    m, s_low, s_high, z = terms.norm.T
    compared = (before - m) * np.where(before <= m, s_low, s_high) + z
    turns = _turns(compared, marks * _in_range(column, recipe), rounds)
    a, b, _, _, weights, _ = terms.terms.T
    combined = seen.combined[:, 0] * a + b
    traced = []
    for frame, value in enumerate(column):
        if structures[frame]:
            fate = "structure low" if structures[frame] == 1 else "structure high"
            reason = "lies in a large structure of rejected pixels of this frame, or at its edge"
        else:
            fate, reason = _fate(value, compared[frame], marks[frame], turns[frame], rounds, recipe)
        traced.append(
            SampleTrace(
                frame,
                float(value),
                float(compared[frame]),
                float(combined[frame]),
                float(weights[frame]),
                fate,
                int(turns[frame]) or None,
                reason,
            )
        )
    return PixelTrace(
        window.x0,
        window.y0,
        channel,
        recipe.rejection,
        tuple(traced),
        tuple(rounds),
        float(maps[0]),
        float(maps[1]),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The samples of a pixel, each of shape (frames, 1), and the limits of those to compare.

    Local normalization changes samples before anything else: those to compare, to combine, or both.
    """

    values: Float32
    compared: Float32
    combined: Float32
    limits: Float32


def _seen(window: Window, channel: int, values: Float32, recipe: Recipe) -> _Seen:
    place = channel, window, 0
    work = np.empty((2, *values.shape), np.float32)
    combined, compared, limits = localized(recipe, place, 1, values, work)
    return _Seen(values, compared, combined, limits)


def _rounds(
    seen: _Seen, terms: ChannelTerms, recipe: Recipe, left_out: npt.NDArray[np.bool_]
) -> list[Round]:
    """Reject with one round, with two, ... until nothing changes."""
    frames = len(left_out)
    work = RejectionWork.for_chunks(frames, LANES)
    ordered = np.empty((1, frames, LANES), np.float32)
    start = np.empty(LANES, np.int32)
    kept = np.where(left_out[:, None], np.float32(np.nan), seen.compared)
    order_samples(kept, 0, 1, terms.norm, seen.limits, work.network, ordered, start)
    rounds: list[Round] = []
    before_low, before_high = 0, int(start[0])
    while True:
        low = np.zeros(LANES, np.int32)
        high = start.copy()
        work.scratch[: 3 * LANES] = np.nan
        limited = replace(work, rounds=len(rounds) + 1)
        recipe.rejector(ordered, low, high, recipe.limits, limited)
        lower = upper = None
        if recipe.rejection in _WITH_LIMITS and np.isfinite(work.scratch[ORIGIN]):
            lower = float(work.scratch[ORIGIN] + work.scratch[LOWER])
            upper = float(work.scratch[ORIGIN] + work.scratch[UPPER])
        lost_low = int(low[0]) - before_low
        lost_high = before_high - int(high[0])
        if rounds and not lost_low and not lost_high and (lower, upper) == _limits(rounds[-1]):
            return rounds
        rounds.append(Round(before_high - before_low, lost_low, lost_high, lower, upper))
        if not lost_low and not lost_high:
            return rounds
        before_low, before_high = int(low[0]), int(high[0])


def _limits(last: Round) -> tuple[float | None, float | None]:
    return last.lower, last.upper


def _in_range(values: Float32, recipe: Recipe) -> npt.NDArray[np.bool_]:
    low, high = recipe.range_limits
    return np.asarray((values > low) & (values < high))


def _turns(compared: npt.NDArray[np.floating[Any]], marks: UInt8, rounds: list[Round]) -> Int64:
    """Round in which each sample was rejected, 0 for the others: the outermost go first."""
    turns = np.zeros(compared.size, np.int64)
    for mark, direction, counts in (
        (1, 1, [one.low for one in rounds]),
        (2, -1, [one.high for one in rounds]),
    ):
        frames = np.flatnonzero(marks == mark)
        outermost_first = frames[np.argsort(direction * compared[frames], kind="stable")]
        turns[outermost_first] = np.repeat(np.arange(1, len(counts) + 1), counts)
    return turns


def _fate(
    value: np.float32,
    compared: float,
    mark: np.uint8,
    turn: np.int64,
    rounds: list[Round],
    recipe: Recipe,
) -> tuple[str, str]:
    low, high = (float(limit) for limit in recipe.range_limits)
    if not np.isfinite(value):
        return "missing", "the frame has no pixel here"
    if value <= low:
        return "range low", f"{value:g} is not above the range limit {low:g}"
    if value >= high:
        return "range high", f"{value:g} is not below the range limit {high:g}"
    if mark == 0:
        return "survives", ""
    one = rounds[turn - 1]
    fate, limit, where = (
        ("low", one.lower, "below the lower limit")
        if mark == 1
        else ("high", one.upper, "above the upper limit")
    )
    if limit is None:
        return fate, f"{compared:g} is an outlier"
    return fate, f"{compared:g} is {where} {limit:g} of round {turn}"
