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
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration_recipe import (
    make_recipe,
    needs_statistics,
    sample_statistics,
    with_fields,
)
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_terms import Recipe
from lightframe.processes._integration_tiles import TileWorker, tile_shape, tiles
from lightframe.processes._integration_variance import NoiseModel, with_variance
from lightframe.processes._large_scale import (
    HIGH,
    LOW,
    LargeScaleSettings,
    RejectedPixels,
    mark_structures,
)

__all__ = ["Integration", "integrate"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Integration:
    """The result of an integration.

    Attributes
    ----------
    image : ndarray, shape (channels, height, width), float32
        The combined image, DN on the scale of the reference frame.
    weight : ndarray, shape (channels, height, width), float32, or None
        Sum of the survivors' weights, of which the mean over the frames is 1: the number of frames
        that made the pixel, where frames weigh alike.
    rejected_low, rejected_high : ndarray, shape (channels, height, width), float32, or None
        Rejected samples over number of frames. These and `weight` are None if the settings want no
        maps.
    rejected : tuple of two float
        Means of `rejected_low` and `rejected_high`.
    variance : ndarray or None
        Predicted variance of the image in DN^2, from the noise of the frames' background, their
        gains, their weights and which of them survived, with what the combination and the false
        rejections of the algorithm add to it (`lightframe.processes._integration_variance`). With
        the noise that resampled frames had before resampling, it predicts sums and means over areas
        of several pixels: interpolation correlates neighbours and hides noise from single ones.
        Without gains, stars have the variance of the background.
    slope : ndarray or None
        DN per rank of the line through each sorted stack, after linear fit clipping.
    rejection : str
        The algorithm that was used.
    frames_low, frames_high : ndarray, shape (frames, channels), float64
        Fraction of each frame's samples that were rejected.
    weights : ndarray, shape (frames, channels), float64
        Weights, mean 1.
    factors : ndarray, shape (frames, channels), float64
        What the output normalization multiplied each frame by, in the mean.
    statistics : tuple of FrameStatistics or None
        Of the frames, where they were needed.
    """

    image: F32
    weight: F32 | None
    rejected_low: F32 | None
    rejected_high: F32 | None
    rejected: tuple[float, float]
    variance: F32 | None
    slope: F32 | None
    rejection: str
    frames_low: F64
    frames_high: F64
    weights: F64
    factors: F64
    statistics: tuple[FrameStatistics, ...] | None


def integrate(  # noqa: PLR0913 - one argument for each thing the caller alone can know
    sources: Sequence[PixelSource],
    settings: IntegrationSettings,
    *,
    statistics: Sequence[FrameStatistics] | None = None,
    weights: npt.ArrayLike | None = None,
    reference: int = 0,
    noise_model: NoiseModel = NoiseModel(),
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
    noise_model : NoiseModel
        What the variance is made of, beside the noise of the frames' background.
    memory_bytes : int
        What the buffers of all threads may take, apart from the result.
    threads : int
        Number of threads.
    advance : callable, optional
        Called from the threads with the number of pixels (of all channels) that are done; with
        large-scale rejection each pixel is done twice.

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
    if statistics is None and needs_statistics(settings):
        statistics = sample_statistics(sources, threads=threads, estimators=settings.estimators)
    recipe, frame_weights = make_recipe(
        len(sources), shape[0], settings, statistics, weights, reference
    )
    recipe = with_fields(recipe, sources, settings, statistics, reference, threads=threads)
    if settings.variance and statistics is not None:
        recipe = with_variance(recipe, statistics, noise_model, reference)
    task = _Task(sources, shape, recipe, memory_bytes, threads, advance or _ignore)
    result = _Result(shape, len(sources), settings, recipe)
    if settings.large_scale.sides:
        lost = _integrate_twice(task, result, settings.large_scale)
    else:
        lost = task.run(lambda worker, channel, window: worker.integrate(channel, window), result)
    present = np.maximum(shape[1] * shape[2] - lost[:, :, 2], 1)
    low, high = lost[:, :, :2].sum(axis=(0, 1)) / (len(sources) * np.prod(shape))
    return Integration(
        image=result.image,
        weight=result.weight,
        rejected_low=result.rejected_low,
        rejected_high=result.rejected_high,
        rejected=(float(low), float(high)),
        variance=result.variance,
        slope=result.slope,
        rejection=recipe.rejection,
        frames_low=(lost[:, :, 0] / present).T,
        frames_high=(lost[:, :, 1] / present).T,
        weights=frame_weights,
        factors=np.stack([terms.factors for terms in recipe.channels], axis=1),
        statistics=None if statistics is None else tuple(statistics),
    )


def _ignore(pixels: int) -> None:
    """Take note of no progress."""


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


class _Result:
    """The images that tiles are placed into."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        frames: int,
        settings: IntegrationSettings,
        recipe: Recipe,
    ) -> None:
        self.image = np.empty(shape, np.float32)
        self.weight = np.empty(shape, np.float32) if settings.maps else None
        self.rejected_low = np.empty(shape, np.float32) if settings.maps else None
        self.rejected_high = np.empty(shape, np.float32) if settings.maps else None
        self.variance = np.empty(shape, np.float32) if settings.variance else None
        self.slope = np.empty(shape, np.float32) if recipe.rejection == "linear-fit" else None
        self._fraction = np.float32(1.0 / frames)

    def place(self, channel: int, window: Window, maps: F32) -> None:
        """Copy the maps of a tile."""
        where = (channel, slice(window.y0, window.y1), slice(window.x0, window.x1))
        self.image[where] = maps[0]
        if self.weight is not None:
            self.weight[where] = maps[1]
        if self.rejected_low is not None:
            np.multiply(maps[2], self._fraction, out=self.rejected_low[where])
        if self.rejected_high is not None:
            np.multiply(maps[3], self._fraction, out=self.rejected_high[where])
        if self.variance is not None:
            self.variance[where] = maps[4]
        if self.slope is not None:
            self.slope[where] = maps[5]


@dataclass(frozen=True, slots=True)
class _Task:
    """A stack and the means to go through it."""

    sources: Sequence[PixelSource]
    shape: tuple[int, int, int]
    recipe: Recipe
    memory_bytes: int
    threads: int
    advance: Callable[[int], None]

    def run(
        self,
        integrate_tile: Callable[[TileWorker, int, Window], F32],
        result: _Result | None,
        *,
        marking: bool = False,
    ) -> npt.NDArray[np.int64]:
        """Go through all tiles in threads; return the sum of the workers' losses."""
        frames = len(self.sources)
        channels, height, width = self.shape
        whole = all(source.dtype == np.uint16 for source in self.sources)
        dtype = np.dtype(np.uint16 if whole and not marking else np.float32)
        tile = tile_shape(self.sources, dtype.itemsize + marking, self.memory_bytes, self.threads)
        queue = _Shared(tiles(height, width, tile))

        def work() -> npt.NDArray[np.int64]:
            worker = TileWorker(frames, channels, tile, dtype, self.recipe, marking=marking)
            try:
                for window in queue:
                    worker.read(self.sources, window)
                    for channel in range(channels):
                        maps = integrate_tile(worker, channel, window)
                        if result is not None:
                            result.place(channel, window, maps)
                    self.advance(channels * window.shape[0] * window.shape[1])
            except BaseException:
                queue.stop()  # the other threads need not finish what fails
                raise
            return worker.lost

        with ThreadPoolExecutor(self.threads, thread_name_prefix="integrate") as pool:
            futures = [pool.submit(work) for _ in range(self.threads)]
            try:
                return np.asarray(np.sum([future.result() for future in futures], axis=0))
            finally:
                queue.stop()


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


def _integrate_twice(
    task: _Task, result: _Result, settings: LargeScaleSettings
) -> npt.NDArray[np.int64]:
    """Integrate, grow the large rejected structures, and integrate again without them."""
    frames = len(task.sources)
    with RejectedPixels((frames, *task.shape), task.memory_bytes) as rejected:

        def mark(worker: TileWorker, channel: int, window: Window) -> F32:
            maps = worker.integrate(channel, window)
            rejected.place(channel, window, worker.marks(channel, window))
            return maps

        task.run(mark, None, marking=True)
        with ThreadPoolExecutor(task.threads, thread_name_prefix="grow") as pool:
            list(pool.map(lambda frame: rejected.grow(frame, settings), range(frames)))

        def leave_out(worker: TileWorker, channel: int, window: Window) -> F32:
            counts = _leave_out(worker, channel, window, rejected, task.recipe)
            maps = worker.integrate(channel, window)
            maps[2:4] += counts
            return maps

        return task.run(leave_out, result, marking=True)


def _leave_out(
    worker: TileWorker, channel: int, window: Window, rejected: RejectedPixels, recipe: Recipe
) -> npt.NDArray[np.int16]:
    """Make samples in grown structures missing, except where too few samples would be left.

    Returns
    -------
    ndarray, shape (2, rows, columns), int16
        Numbers of samples left out as low and as high.
    """
    samples, marks = worker.samples(channel, window), worker.marks(channel, window)
    lost = worker.lost[channel]
    counts = np.zeros((2, *window.shape), np.int16)
    mark_structures(
        samples,
        lambda side, frame: rejected.rejected(side, frame, channel, window),
        marks,
        recipe.limits.minimum_survivors,
    )
    for frame, plane in enumerate(samples):
        for side in (LOW, HIGH):
            out = marks[frame] == side + 1
            plane[out] = np.nan
            counts[side] += out
            number = np.count_nonzero(out)
            lost[frame, side] += number
            lost[frame, 2] -= number
    return counts
