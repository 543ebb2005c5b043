"""From settings, statistics and weights to the numbers a stack is integrated with."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64
from lightframe.errors import InputError
from lightframe.frames._pixels import PixelSource, Window
from lightframe.processes._combination import COMBINATIONS, WEIGHTS, FrameQuality
from lightframe.processes._estimators import (
    EstimatorSettings,
    FrameStatistics,
    frame_statistics,
)
from lightframe.processes._integration_settings import IntegrationSettings, RangeLimits
from lightframe.processes._integration_terms import ChannelTerms, Recipe
from lightframe.processes._local_normalization import local_fields
from lightframe.processes._normalization import (
    LOCAL,
    OUTPUT_NORMALIZATIONS,
    REJECTION_NORMALIZATIONS,
    levels_of,
)
from lightframe.processes._rejection import REJECTIONS, choose_rejection

__all__ = ["make_recipe", "needs_statistics", "sample_statistics", "with_fields"]

_SAMPLED_PIXELS = 1 << 18
"""Pixels of a frame from which its statistics are taken: the median is good to sigma / 400."""

_BAND_ROWS = 4


def needs_statistics(settings: IntegrationSettings) -> bool:
    """Return whether the frames have to be measured."""
    return (
        settings.normalization != "none"
        or settings.rejection_normalization != "none"
        or settings.weight in {"noise", "snr"}
        or settings.variance
    )


def sample_statistics(
    sources: Sequence[PixelSource],
    *,
    threads: int = 1,
    estimators: EstimatorSettings = EstimatorSettings(),
) -> tuple[FrameStatistics, ...]:
    """Measure each frame in evenly spaced bands of rows, some 260,000 pixels in all.

    Parameters
    ----------
    sources : sequence of PixelSource
        The frames.
    threads : int
        Number of threads.
    estimators : EstimatorSettings
        How location and scale are measured.

    Raises
    ------
    InputError
        If a frame has no pixel there.
    """

    def measure(index: int) -> FrameStatistics:
        try:
            return frame_statistics(_sample(sources[index]), estimators=estimators)
        except ValueError as error:
            raise InputError(
                f"frame {index} of the stack has no pixel in the sampled rows",
                cause="it does not overlap the reference",
                remedy="leave it out",
            ) from error

    with ThreadPoolExecutor(threads, thread_name_prefix="statistics") as pool:
        return tuple(pool.map(measure, range(len(sources))))


def _sample(source: PixelSource) -> Float32:
    bands = max(1, _SAMPLED_PIXELS // (source.width * _BAND_ROWS))
    rows = _BAND_ROWS
    starts = np.linspace(0, max(0, source.height - rows), bands).astype(int).tolist()
    if bands * rows >= source.height:
        starts, rows = [0], source.height
    sample = np.empty((source.channels, rows * len(starts), source.width), np.float32)
    band = np.empty((source.channels, rows, source.width), np.float32)
    for k, start in enumerate(starts):
        source.read(Window(start, start + rows, 0, source.width), band)
        sample[:, k * rows : (k + 1) * rows] = band
    return sample


def make_recipe(
    frames: int,
    channels: int,
    settings: IntegrationSettings,
    statistics: Sequence[FrameStatistics] | None,
    weights: npt.ArrayLike | None,
    reference: int,
) -> tuple[Recipe, Float64]:
    """Turn settings and statistics into numbers.

    Returns
    -------
    recipe : Recipe
        What to do with each tile.
    weights : ndarray, shape (frames, channels)
        Weights of the frames, mean 1.
    """
    if statistics is not None and len(statistics) != frames:
        raise ValueError(f"{len(statistics)} statistics for {frames} frames")
    if not 0 <= reference < frames:
        raise ValueError(f"reference frame {reference} of {frames}")
    given = _given_weights(weights, frames, channels)
    combination = COMBINATIONS[settings.combination]
    all_weights = np.ones((frames, channels))
    terms = []
    for c in range(channels):
        own = None if given is None else given[:, c]
        norm, output, quality = _channel(frames, own, settings, statistics, reference, c)
        if combination.weighted:
            raw = WEIGHTS[settings.weight](quality)
            all_weights[:, c] = raw / raw.mean()
        w = all_weights[:, c]
        factors = output[:, 0]
        if settings.normalization == LOCAL:  # the fields are applied to the samples themselves
            output = np.tile(np.array([1.0, 0.0]), (frames, 1))
        if combination.total:
            output, factors = output * frames, factors * frames
        variance = (w * factors * quality.noise) ** 2
        columns = np.column_stack([output, output * w[:, None], w, variance])
        terms.append(ChannelTerms(norm.astype(np.float32), columns, factors))
    name = choose_rejection(frames) if settings.rejection == "auto" else settings.rejection
    recipe = Recipe(
        tuple(terms),
        _range_limits(settings.range_limits),
        name,
        REJECTIONS[name],
        settings.limits,
        combination,
    )
    return recipe, all_weights


def _range_limits(limits: RangeLimits) -> Float32:
    low = -np.inf if limits.low is None else limits.low
    high = np.inf if limits.high is None else limits.high
    return np.array([low, high], np.float32)


def with_fields(
    recipe: Recipe,
    sources: Sequence[PixelSource],
    settings: IntegrationSettings,
    statistics: Sequence[FrameStatistics] | None,
    reference: int,
    *,
    threads: int = 1,
) -> Recipe:
    """Add the fields of local normalization to a recipe that needs them."""
    compares = settings.rejection_normalization == LOCAL
    combines = settings.normalization == LOCAL
    if statistics is None or not (compares or combines):
        return recipe
    levels = [levels_of(statistics, reference, c) for c in range(len(recipe.channels))]
    scales = np.stack([level.scale for level in levels], axis=1)
    slopes = np.array([s.slope for s in statistics])
    fields = local_fields(sources, (scales, slopes), reference, settings.local, threads=threads)
    return replace(recipe, local=fields, compares_locally=compares, combines_locally=combines)


def _given_weights(weights: npt.ArrayLike | None, frames: int, channels: int) -> Float64 | None:
    if weights is None:
        return None
    given = np.asarray(weights, np.float64)
    if given.shape not in {(frames,), (frames, channels)}:
        raise ValueError(f"weights of shape {given.shape} for {frames} frames")
    return np.broadcast_to(given.reshape(frames, -1), (frames, channels))


def _channel(
    frames: int,
    given: Float64 | None,
    settings: IntegrationSettings,
    statistics: Sequence[FrameStatistics] | None,
    reference: int,
    channel: int,
) -> tuple[Float64, Float64, FrameQuality]:
    """Return normalization for rejection and for output, and quality, of one channel's frames."""
    if statistics is None:
        ones = np.ones(frames)
        norm = np.tile(np.array([0.0, 1.0, 1.0, 0.0]), (frames, 1))
        output = np.tile(np.array([1.0, 0.0]), (frames, 1))
        return norm, output, FrameQuality(ones, ones, ones, given)
    levels = levels_of(statistics, reference, channel)
    norm = REJECTION_NORMALIZATIONS[settings.rejection_normalization](levels)
    output = OUTPUT_NORMALIZATIONS[settings.normalization](levels)
    noise = np.array([s.noise[channel] for s in statistics])
    scale = np.array([0.5 * (s.scale_low[channel] + s.scale_high[channel]) for s in statistics])
    return norm, output, FrameQuality(output[:, 0], noise, scale, given)
