"""The fate of one pixel: values, limits, and who was rejected in which round and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._rejection_queue import LOWER, ORIGIN, UPPER
from lightframe.kernels._stack import LANES, order_samples
from lightframe.kernels._stack_combine import combine
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration_recipe import (
    make_recipe,
    needs_statistics,
    sample_statistics,
    with_fields,
)
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_tiles import ChannelTerms, Recipe, localized
from lightframe.processes._rejection import RejectionWork

__all__ = ["PixelTrace", "Round", "SampleTrace", "trace_pixel"]

_WITH_LIMITS = {"sigma", "mad", "averaged-sigma", "ccd-noise", "percentile", "winsorized"}
"""Algorithms that reject what lies beyond a lower and an upper limit in each round."""

F32 = npt.NDArray[np.float32]


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
        ``survives``, ``low``, ``high``, ``range low``, ``range high`` or ``missing``.
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
    """Follow one pixel through the integration, without large-scale rejection.

    The same kernels do the work as in `lightframe.processes.integrate`; they are stopped after one
    round, after two, and so on.

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
        statistics = sample_statistics(sources)
    recipe, _ = make_recipe(len(sources), first.channels, settings, statistics, weights, reference)
    recipe = with_fields(recipe, sources, settings, statistics, reference)
    values = np.empty((len(sources), first.channels, 1, 1), np.float32)
    for frame, source in enumerate(sources):
        source.read(Window(y, y + 1, x, x + 1), values[frame])
    return tuple(
        _trace(x, y, channel, _seen(x, y, channel, values[:, channel, :, 0], recipe), recipe)
        for channel in range(first.channels)
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The samples of a pixel, each of shape (frames, 1), and the limits of those to compare.

    Local normalization changes samples before anything else: those to compare, to combine, or both.
    """

    values: F32
    compared: F32
    combined: F32
    limits: F32


def _seen(x: int, y: int, channel: int, values: F32, recipe: Recipe) -> _Seen:
    raw = np.ascontiguousarray(values)
    if recipe.local is None:
        return _Seen(raw, raw, raw, recipe.range_limits)
    place = channel, Window(y, y + 1, x, x + 1), 0
    combined, compared, limits = localized(
        recipe, place, 1, raw, np.empty((2, *raw.shape), raw.dtype)
    )
    return _Seen(raw, compared, combined, limits)


def _trace(x: int, y: int, channel: int, seen: _Seen, recipe: Recipe) -> PixelTrace:
    terms = recipe.channels[channel]
    rounds = _rounds(seen, terms, recipe)
    marks, result, weight = _combine(seen, terms, recipe)
    column = seen.values[:, 0]
    before = seen.compared[:, 0]
    m, s_low, s_high, z = terms.norm.T
    compared = (before - m) * np.where(before <= m, s_low, s_high) + z
    turns = _turns(compared, marks * _in_range(column, recipe), rounds)
    samples = []
    for frame, value in enumerate(column):
        fate, reason = _fate(value, compared[frame], marks[frame], turns[frame], rounds, recipe)
        a, b, _, _, w, _ = terms.terms[frame]
        samples.append(
            SampleTrace(
                frame,
                float(value),
                float(compared[frame]),
                float(seen.combined[frame, 0] * a + b),
                float(w),
                fate,
                int(turns[frame]) or None,
                reason,
            )
        )
    return PixelTrace(
        x, y, channel, recipe.rejection, tuple(samples), tuple(rounds), result, weight
    )


def _combine(
    seen: _Seen, terms: ChannelTerms, recipe: Recipe
) -> tuple[npt.NDArray[np.uint8], float, float]:
    """Integrate the pixel; return the marks (1 low, 2 high), the average and its weight."""
    values = seen.combined
    frames = values.shape[0]
    ordered, high, work = _order(seen, terms)
    low = np.zeros(LANES, np.int32)
    recipe.rejector(ordered, low, high, recipe.limits, work)
    maps = np.empty((6, LANES), np.float32)
    marks = np.zeros((frames, 1), np.uint8)
    combine(
        values,
        seen.compared,
        0,
        1,
        terms.norm,
        seen.limits,
        terms.terms,
        ordered,
        low,
        high,
        False,
        maps,
        0,
        np.zeros((frames, 3), np.int64),
        marks,
        0,
    )
    order = recipe.combination.order
    if order is not None:
        kept = np.sort((values[:, 0] * terms.terms[:, 0] + terms.terms[:, 1])[_kept(values, marks)])
        if kept.size:
            middle = kept[(kept.size - 1) // 2 : kept.size // 2 + 1]
            maps[0, 0] = {-1: kept[0], 0: middle.mean(), 1: kept[-1]}[order]
    return marks[:, 0], float(maps[0, 0]), float(maps[1, 0])


def _kept(values: F32, marks: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(values[:, 0]) & (marks[:, 0] == 0))


def _order(seen: _Seen, terms: ChannelTerms) -> tuple[F32, npt.NDArray[np.int32], RejectionWork]:
    frames = seen.values.shape[0]
    work = RejectionWork.for_chunks(frames, LANES)
    ordered = np.empty((1, frames, LANES), np.float32)
    high = np.empty(LANES, np.int32)
    order_samples(seen.compared, 0, 1, terms.norm, seen.limits, work.network, ordered, high)
    return ordered, high, work


def _rounds(seen: _Seen, terms: ChannelTerms, recipe: Recipe) -> list[Round]:
    """Reject with one round, with two, ... until nothing changes."""
    rounds: list[Round] = []
    before_low = 0
    ordered, start, work = _order(seen, terms)
    before_high = int(start[0])
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


def _in_range(values: F32, recipe: Recipe) -> npt.NDArray[np.bool_]:
    low, high = recipe.range_limits
    return np.asarray((values > low) & (values < high))


def _turns(
    compared: npt.NDArray[np.floating[Any]], marks: npt.NDArray[np.uint8], rounds: list[Round]
) -> npt.NDArray[np.int64]:
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
