"""Integration: a stack of frames becomes one image (guide, section on ImageIntegration).

For each pixel: samples outside the range limits are rejected; the others are normalized for
rejection, sorted, and outliers rejected; the survivors' raw values are normalized for output and
combined. Missing samples (NaN) take no part; zero is a value. Where every sample is rejected the
result is the median of all of them; where there is none it is NaN.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.errors import IncompatibleFramesError, InputError
from lightframe.frames._pixels import PixelSource, Window
from lightframe.processes._combination import COMBINATIONS, WEIGHTS, FrameQuality
from lightframe.processes._estimators import FrameStatistics, frame_statistics
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_tiles import (
    ChannelTerms,
    Recipe,
    TileWorker,
    tile_shape,
    tiles,
)
from lightframe.processes._normalization import (
    OUTPUT_NORMALIZATIONS,
    REJECTION_NORMALIZATIONS,
    levels_of,
)
from lightframe.processes._rejection import REJECTIONS

__all__ = ["Integration", "integrate", "sample_statistics"]

_SAMPLED_PIXELS = 1 << 18
"""Pixels of a frame from which its statistics are taken: the median is good to sigma / 400."""

_BAND_ROWS = 4

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Integration:
    """The result of an integration.

    Attributes
    ----------
    image : ndarray, shape (channels, height, width), float32
        The combined image, DN on the scale of the reference frame.
    weight : ndarray, shape (channels, height, width), float32
        Sum of the survivors' weights, of which the mean over the frames is 1: the number of frames
        that made the pixel, where frames weigh alike.
    rejected_low, rejected_high : ndarray, shape (channels, height, width), float32
        Rejected samples over number of frames.
    variance : ndarray or None
        Predicted variance of the image in DN^2, from the noise of the frames, their weights and
        which of them survived.
    frames_low, frames_high : ndarray, shape (frames, channels), float64
        Fraction of each frame's samples that were rejected.
    weights : ndarray, shape (frames, channels), float64
        Weights, mean 1.
    statistics : tuple of FrameStatistics or None
        Of the frames, where they were needed.
    """

    image: F32
    weight: F32
    rejected_low: F32
    rejected_high: F32
    variance: F32 | None
    frames_low: F64
    frames_high: F64
    weights: F64
    statistics: tuple[FrameStatistics, ...] | None


def integrate(  # noqa: PLR0913 - one argument for each thing the caller alone can know
    sources: Sequence[PixelSource],
    settings: IntegrationSettings,
    *,
    statistics: Sequence[FrameStatistics] | None = None,
    weights: npt.ArrayLike | None = None,
    reference: int = 0,
    memory_bytes: int = 1 << 30,
    threads: int = 1,
    advance: Callable[[int], None] | None = None,
) -> Integration:
    """Integrate frames of the same size.

    Parameters
    ----------
    sources : sequence of PixelSource
        The frames; read from several threads at once. If all are uint16 the stack is uint16.
    settings : IntegrationSettings
        What to do.
    statistics : sequence of FrameStatistics, optional
        One a frame; measured in evenly spaced rows where needed and not given.
    weights : array_like, shape (frames,) or (frames, channels), optional
        The numbers for the weights ``exposure``, ``psf-signal``, ``keyword`` and ``given``.
    reference : int
        Index of the frame to whose level and scale the others are brought.
    memory_bytes : int
        What the buffers of all threads may take, apart from the result.
    threads : int
        Number of threads.
    advance : callable, optional
        Called from the threads with the number of pixels (of all channels) that are done.

    Raises
    ------
    IncompatibleFramesError
        If frames differ in size or number of channels.
    InputError
        If there is no frame, or a level cannot be normalized.
    SettingsError
        If weights are needed and missing, or are not usable.

    Notes
    -----
    The result does not depend on `memory_bytes` and `threads`, not even in the last bit.
    """
    shape = _common_shape(sources)
    if statistics is None and _needs_statistics(settings):
        statistics = sample_statistics(sources, threads=threads)
    recipe, frame_weights = _recipe(
        len(sources), shape[0], settings, statistics, weights, reference
    )
    dtype = np.dtype(np.uint16 if all(s.dtype == np.uint16 for s in sources) else np.float32)
    tile = tile_shape(sources, dtype, memory_bytes, threads)
    result = _Result(shape, len(sources), settings)
    queue = _Shared(tiles(shape[1], shape[2], tile))

    def work() -> TileWorker:
        worker = TileWorker(len(sources), shape[0], tile, dtype, recipe)
        for window in queue:
            worker.read(sources, window)
            for channel in range(shape[0]):
                result.place(channel, window, worker.integrate(channel, window))
            if advance is not None:
                advance(shape[0] * window.shape[0] * window.shape[1])
        return worker

    workers = _run(work, threads, queue)
    lost = np.sum([worker.lost for worker in workers], axis=0)
    present = np.maximum(shape[1] * shape[2] - lost[:, :, 2], 1)
    return Integration(
        image=result.image,
        weight=result.weight,
        rejected_low=result.rejected_low,
        rejected_high=result.rejected_high,
        variance=result.variance,
        frames_low=(lost[:, :, 0] / present).T,
        frames_high=(lost[:, :, 1] / present).T,
        weights=frame_weights,
        statistics=None if statistics is None else tuple(statistics),
    )


def sample_statistics(
    sources: Sequence[PixelSource], *, threads: int = 1
) -> tuple[FrameStatistics, ...]:
    """Measure each frame in evenly spaced bands of rows, some 260,000 pixels in all.

    Raises
    ------
    InputError
        If a frame has no pixel there.
    """

    def measure(index: int) -> FrameStatistics:
        source = sources[index]
        bands = max(1, _SAMPLED_PIXELS // (source.width * _BAND_ROWS))
        if bands * _BAND_ROWS >= source.height:
            starts, rows = np.array([0]), source.height
        else:
            starts, rows = np.linspace(0, source.height - _BAND_ROWS, bands).astype(int), _BAND_ROWS
        sample = np.empty((source.channels, rows * starts.size, source.width), np.float32)
        band = np.empty((source.channels, rows, source.width), np.float32)
        for k, start in enumerate(starts.tolist()):
            source.read(Window(start, start + rows, 0, source.width), band)
            sample[:, k * rows : (k + 1) * rows] = band
        try:
            return frame_statistics(sample)
        except ValueError as error:
            raise InputError(
                f"frame {index} of the stack has no pixel in the sampled rows",
                cause="it does not overlap the reference",
                remedy="leave it out",
            ) from error

    with ThreadPoolExecutor(threads) as pool:
        return tuple(pool.map(measure, range(len(sources))))


def _common_shape(sources: Sequence[PixelSource]) -> tuple[int, int, int]:
    if not sources:
        raise InputError("there is no frame to integrate")
    first, *others = [(s.channels, s.height, s.width) for s in sources]
    for index, other in enumerate(others, start=1):
        if other != first:
            raise IncompatibleFramesError(
                "size (channels, height, width)",
                ("frame 0 of the stack", first),
                (f"frame {index}", other),
                cause="frames of different cameras, binnings or sub-frames",
                remedy="integrate them apart, or register them first",
            )
    return first


def _needs_statistics(settings: IntegrationSettings) -> bool:
    return (
        settings.normalization != "none"
        or settings.rejection_normalization != "none"
        or settings.weight in {"noise", "snr"}
        or settings.variance
    )


def _recipe(
    n: int,
    channels: int,
    settings: IntegrationSettings,
    statistics: Sequence[FrameStatistics] | None,
    weights: npt.ArrayLike | None,
    reference: int,
) -> tuple[Recipe, F64]:
    """Turn settings and statistics into numbers; return them and the weights (frames, channels)."""
    if statistics is not None and len(statistics) != n:
        raise ValueError(f"{len(statistics)} statistics for {n} frames")
    if not 0 <= reference < n:
        raise ValueError(f"reference frame {reference} of {n}")
    combination = COMBINATIONS[settings.combination]
    given = None if weights is None else np.asarray(weights, np.float64)
    if given is not None:
        if given.shape not in {(n,), (n, channels)}:
            raise ValueError(f"weights of shape {given.shape} for {n} frames")
        given = np.broadcast_to(given.reshape(n, -1), (n, channels))
    all_weights = np.ones((n, channels))
    terms = []
    for c in range(channels):
        norm = np.tile(np.array([0.0, 1.0, 1.0, 0.0]), (n, 1))
        output = np.tile(np.array([1.0, 0.0]), (n, 1))
        noise = scale = np.ones(n)
        if statistics is not None:
            levels = levels_of(statistics, reference, c)
            norm = REJECTION_NORMALIZATIONS[settings.rejection_normalization](levels)
            output = OUTPUT_NORMALIZATIONS[settings.normalization](levels)
            noise = np.array([s.noise[c] for s in statistics])
            scale = np.array([0.5 * (s.scale_low[c] + s.scale_high[c]) for s in statistics])
        if combination.weighted:
            quality = FrameQuality(
                output[:, 0], noise, scale, None if given is None else given[:, c]
            )
            raw = WEIGHTS[settings.weight](quality)
            all_weights[:, c] = raw / raw.mean()
        w = all_weights[:, c]
        variance = (w * output[:, 0] * noise) ** 2
        if combination.total:
            output = output * n
            variance = variance * n**2
        columns = np.column_stack([output, output * w[:, None], w, variance])
        terms.append(ChannelTerms(norm.astype(np.float32), columns))
    limits = settings.range_limits
    range_limits = np.array(
        [
            -np.inf if limits.low is None else limits.low,
            np.inf if limits.high is None else limits.high,
        ],
        np.float32,
    )
    recipe = Recipe(
        tuple(terms), range_limits, REJECTIONS[settings.rejection], settings.limits, combination
    )
    return recipe, all_weights


class _Result:
    """The images that tiles are placed into."""

    def __init__(
        self, shape: tuple[int, int, int], frames: int, settings: IntegrationSettings
    ) -> None:
        self.image = np.empty(shape, np.float32)
        self.weight = np.empty(shape, np.float32)
        self.rejected_low = np.empty(shape, np.float32)
        self.rejected_high = np.empty(shape, np.float32)
        self.variance = np.empty(shape, np.float32) if settings.variance else None
        self._fraction = np.float32(1.0 / frames)

    def place(self, channel: int, window: Window, maps: F32) -> None:
        """Copy the maps of a tile."""
        where = (channel, slice(window.y0, window.y1), slice(window.x0, window.x1))
        self.image[where] = maps[0]
        self.weight[where] = maps[1]
        np.multiply(maps[2], self._fraction, out=self.rejected_low[where])
        np.multiply(maps[3], self._fraction, out=self.rejected_high[where])
        if self.variance is not None:
            self.variance[where] = maps[4]


class _Shared:
    """An iterator that several threads draw from, and that can be stopped."""

    def __init__(self, windows: Iterator[Window]) -> None:
        self._windows = windows
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> Iterator[Window]:
        while True:
            with self._lock:
                window = None if self._stopped else next(self._windows, None)
            if window is None:
                return
            yield window

    def stop(self) -> None:
        """Let no thread draw another one."""
        self._stopped = True


def _run(work: Callable[[], TileWorker], threads: int, queue: _Shared) -> list[TileWorker]:
    """Run `work` in threads; when one of them fails the others stop after their tile."""
    with ThreadPoolExecutor(threads, thread_name_prefix="integrate") as pool:
        futures = [pool.submit(work) for _ in range(threads)]
        try:
            return [future.result() for future in futures]
        finally:
            queue.stop()
