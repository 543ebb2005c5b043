"""The fate of one pixel: values, limits, and who was rejected in which round and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._rejection_queue import LOWER, ORIGIN, UPPER
from lightframe.kernels._stack import LANES, order_samples
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration_recipe import (
    make_recipe,
    needs_statistics,
    sample_statistics,
)
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_tiles import ChannelTerms, Recipe
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
    """

    x: int
    y: int
    channel: int
    rejection: str
    samples: tuple[SampleTrace, ...]
    rounds: tuple[Round, ...]


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
    values = np.empty((len(sources), first.channels, 1, 1), np.float32)
    for frame, source in enumerate(sources):
        source.read(Window(y, y + 1, x, x + 1), values[frame])
    return tuple(
        _trace(x, y, channel, np.ascontiguousarray(values[:, channel, :, 0]), recipe)
        for channel in range(first.channels)
    )


def _trace(x: int, y: int, channel: int, values: F32, recipe: Recipe) -> PixelTrace:
    terms = recipe.channels[channel]
    rounds = _rounds(values, terms, recipe)
    samples = []
    ordered = _order(values, terms, recipe)[0][0, :, 0]
    compared = _compare(values[:, 0], terms)
    ranks = _ranks(compared, _in_range(values[:, 0], recipe), ordered)
    for frame, value in enumerate(values[:, 0]):
        fate, turn, reason = _fate(value, compared[frame], ranks[frame], rounds, recipe)
        a, b, _, _, weight, _ = terms.terms[frame]
        samples.append(
            SampleTrace(
                frame,
                float(value),
                float(compared[frame]),
                float(value * a + b),
                float(weight),
                fate,
                turn,
                reason,
            )
        )
    return PixelTrace(x, y, channel, recipe.rejection, tuple(samples), tuple(rounds))


def _order(
    values: F32, terms: ChannelTerms, recipe: Recipe
) -> tuple[F32, npt.NDArray[np.int32], RejectionWork]:
    frames = values.shape[0]
    work = RejectionWork.for_chunks(frames, LANES)
    ordered = np.empty((1, frames, LANES), np.float32)
    high = np.empty(LANES, np.int32)
    order_samples(values, 0, 1, terms.norm, recipe.range_limits, work.network, ordered, high)
    return ordered, high, work


def _rounds(values: F32, terms: ChannelTerms, recipe: Recipe) -> list[Round]:
    """Reject with one round, with two, ... until nothing changes."""
    rounds: list[Round] = []
    before_low = 0
    ordered, start, work = _order(values, terms, recipe)
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


def _compare(values: F32, terms: ChannelTerms) -> F32:
    """Normalize for rejection exactly as the kernel does."""
    m, s_low, s_high, z = terms.norm.T
    return np.asarray((values - m) * np.where(values <= m, s_low, s_high) + z, np.float32)


def _in_range(values: F32, recipe: Recipe) -> npt.NDArray[np.bool_]:
    low, high = recipe.range_limits
    return np.asarray((values > low) & (values < high))


def _ranks(compared: F32, valid: npt.NDArray[np.bool_], ordered: F32) -> npt.NDArray[np.int64]:
    """Rank of each sample in the sorted stack; equal samples rank in the order of frames."""
    ranks = np.full(compared.size, -1)
    frames = np.flatnonzero(valid)
    order = frames[np.argsort(compared[frames], kind="stable")]
    ranks[order] = np.arange(order.size)
    if not np.array_equal(compared[order], ordered[: order.size]):
        raise AssertionError("the trace does not compare samples as the integration does")
    return ranks


def _fate(
    value: np.float32, compared: np.float32, rank: int, rounds: list[Round], recipe: Recipe
) -> tuple[str, int | None, str]:
    low, high = (float(limit) for limit in recipe.range_limits)
    if not np.isfinite(value):
        return "missing", None, "the frame has no pixel here"
    if value <= low:
        return "range low", None, f"{value:g} is not above the range limit {low:g}"
    if value >= high:
        return "range high", None, f"{value:g} is not below the range limit {high:g}"
    start, stop = 0, rounds[0].samples
    for turn, one in enumerate(rounds, start=1):
        if rank < start + one.low:
            return "low", turn, _reason(compared, "below the lower limit", one.lower, turn)
        if rank >= stop - one.high:
            return "high", turn, _reason(compared, "above the upper limit", one.upper, turn)
        start += one.low
        stop -= one.high
    return "survives", None, ""


def _reason(compared: np.float32, where: str, limit: float | None, turn: int) -> str:
    if limit is None:
        return f"{compared:g} is an outlier in round {turn}"
    return f"{compared:g} is {where} {limit:g} in round {turn}"
