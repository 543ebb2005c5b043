"""Tiles of a stack: their shape for a given memory, and the integration of one tile.

A tile holds the same window of all frames. It is integrated in chunks of some 130,000 samples,
which stay in the processor's second-level cache between sorting, rejection and combination. What
happens to a pixel depends on its own samples only: the result is the same to the bit whatever the
tiles.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Int32, UInt8
from lightframe.buffers import aligned_empty
from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._stack import LANES, order_integers, order_samples, pick, widen
from lightframe.kernels._stack_combine import AVERAGE, COUNT, KEEP, combine, sort_survivors
from lightframe.processes._integration_terms import Recipe, localized
from lightframe.processes._rejection import RejectionWork

__all__ = ["TileWorker", "tile_shape", "tiles"]

CHUNK_SAMPLES = 131_072
"""Samples that are sorted, rejected and combined at a time; float32, they take 512 kB."""

MOST_TILE_BYTES = 64 << 20
"""Larger tiles are of no use where a window costs its share of the file: fresh memory costs more
than it saves."""

ENOUGH_EXTRA_ROWS = 8
"""Tiles so many times as high as the rows that a window costs beside its own are high enough."""

_LINE_SAMPLES = 32
"""Frames begin at a whole cache line: 32 integers, or two lines of 16 float32."""

_NOISE_SIGMAS = 2.0
_LEAST_VARIANCE = 0.1
"""Of the background's: below it there is less light, but no less read noise."""

_MAPS = 6
"""Image, weight, rejected low, rejected high, variance, slope."""


_Survivors = tuple[Float32, Int32, Int32]
"""Sorted stacks, shape (blocks, frames, LANES), and from which row to which samples survive."""


def tile_shape(
    sources: Sequence[PixelSource], sample_bytes: int, memory_bytes: int, threads: int
) -> tuple[int, int]:
    """Return rows and columns of a tile, so that one for each thread fits into `memory_bytes`.

    Rows are whole unless a single one is too much; a tile is never narrower than 64 columns. Where
    a window costs its share of the file, tiles need not be larger than 64 MB, nor so large that
    there are fewer than four for each thread, unless windows need many rows around them.

    Parameters
    ----------
    sources : sequence of PixelSource
        The frames.
    sample_bytes : int
        What a sample takes in a tile.
    memory_bytes, threads : int
        Memory for all threads, and their number.
    """
    first = sources[0]
    pixel_bytes = len(sources) * first.channels * sample_bytes + _MAPS * 4
    budget = memory_bytes // threads - _worker_bytes(len(sources))
    row_bytes = pixel_bytes * first.width
    most_rows = -(-first.height // threads)
    if all(source.by_rows for source in sources):
        high_enough = ENOUGH_EXTRA_ROWS * max(source.extra_rows for source in sources)
        budget = min(budget, max(MOST_TILE_BYTES, high_enough * row_bytes))
        most_rows = min(most_rows, max(-(-first.height // (4 * threads)), high_enough))
    rows = budget // row_bytes
    if rows >= 1:
        return min(rows, most_rows), first.width
    columns = budget // pixel_bytes // LANES * LANES
    return 1, min(max(columns, LANES), first.width)


def tiles(height: int, width: int, shape: tuple[int, int]) -> Iterator[Window]:
    """Yield the windows of all tiles, from top to bottom."""
    rows, columns = shape
    for y in range(0, height, rows):
        for x in range(0, width, columns):
            yield Window(y, min(y + rows, height), x, min(x + columns, width))


def _chunk_pixels(frames: int) -> int:
    """Return the number of pixels of a chunk: whole blocks, at least one."""
    return max(1, CHUNK_SAMPLES // (frames * LANES)) * LANES


def _worker_bytes(frames: int) -> int:
    """Return what a worker needs apart from its tile."""
    pixels = _chunk_pixels(frames)
    return pixels * (frames * 16 + 44) + frames * LANES * (4 + 4 + 2 + 2) + 3 * 4 * frames


class _Chunk(NamedTuple):
    """Neighbouring pixels of one channel of a tile, and their samples.

    Attributes
    ----------
    channel, start, pixels : int
        Channel, index of the first pixel in the tile's window, and number of pixels.
    first : int
        Column of the tile's samples where those of the chunk begin.
    at : int
        The same for `raw`, `compared` and `combined`.
    raw, compared, combined : ndarray, shape (frames, >= at + pixels), float32
        Samples as they were read, as outliers are looked for among them, and as they are combined:
        three names for one array, without local normalization.
    limits : ndarray, shape (2,), float32
        Values of `compared` that are out of range.
    """

    channel: int
    start: int
    pixels: int
    first: int
    at: int
    raw: Float32
    compared: Float32
    combined: Float32
    limits: Float32

    @property
    def part(self) -> slice:
        """The pixels' places in the maps."""
        return slice(self.start, self.start + self.pixels)


class TileWorker:
    """The buffers of one thread, and what it does to a tile.

    Parameters
    ----------
    frames, channels : int
        Number of frames and of channels.
    shape : tuple of int
        Rows and columns of the largest tile.
    dtype : dtype
        uint16 or float32.
    recipe : Recipe
        What to do.
    marking : bool
        Whether to mark the rejected samples.

    Attributes
    ----------
    lost : ndarray, shape (channels, frames, 3), int64
        Numbers of samples rejected low, rejected high, and missing so far.
    """

    def __init__(
        self,
        frames: int,
        channels: int,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        recipe: Recipe,
        *,
        marking: bool = False,
    ) -> None:
        pixels = shape[0] * shape[1]
        lanes = _chunk_pixels(frames)
        self.recipe = recipe
        self.lost = np.zeros((channels, frames, 3), np.int64)
        # One line more, so that frames do not lie a power of two apart (cache aliasing).
        stride = (channels * pixels // _LINE_SAMPLES + 2) * _LINE_SAMPLES
        self._stack = aligned_empty((frames, stride), dtype)
        self._marks = np.zeros((frames, stride) if marking else (0, 0), np.uint8)
        self._maps = np.full((_MAPS, pixels), np.nan, np.float32)
        self._ordered = aligned_empty((lanes // LANES, frames, LANES), np.float32)
        widens = dtype == np.uint16 or recipe.local is not None
        self._widened = aligned_empty((frames, lanes) if widens else (0, 0), np.float32)
        self._local = aligned_empty((2, frames, lanes) if recipe.local else (0, 0, 0), np.float32)
        self._low = aligned_empty(lanes, np.int32)
        self._high = aligned_empty(lanes, np.int32)
        self._photons = aligned_empty((5, lanes), np.float32)
        self._work = RejectionWork.for_chunks(frames, lanes)
        self._integer_work = self._work.for_integers(frames if dtype == np.uint16 else 0)
        # Asked for each of thousands of chunks, so found out once.
        sortable = dtype == np.uint16 and bool(np.isinf(recipe.range_limits).all())
        self._sorts_integers = [sortable and terms.plain for terms in recipe.channels]
        self._combines_compared = [terms.combined_as_compared for terms in recipe.channels]

    def read(self, sources: Sequence[PixelSource], window: Window) -> None:
        """Fill the tile."""
        rows, columns = window.shape
        channels = self.lost.shape[0]
        size = channels * rows * columns
        for frame, source in enumerate(sources):
            out = self._stack[frame, :size].reshape(channels, rows, columns)
            source.read(window, out)

    def samples(self, channel: int, window: Window) -> npt.NDArray[np.generic]:
        """Return the samples of one channel of the tile, shape (frames, rows, columns); a view."""
        return self._view(self._stack, channel, window)

    def marks(self, channel: int, window: Window) -> UInt8:
        """Return the marks of one channel, shape (frames, rows, columns); a view.

        1 where a sample was rejected low, 2 where high.
        """
        return self._view(self._marks, channel, window)

    def integrate(self, channel: int, window: Window) -> Float32:
        """Integrate one channel of the tile.

        Returns
        -------
        ndarray, shape (6, rows, columns), float32
            Image, sum of weights, numbers of samples rejected low and high, predicted variance, and
            slope of the linear fit (NaN for other algorithms); a view of a buffer that the next
            call overwrites.
        """
        rows, columns = window.shape
        pixels = rows * columns
        if self._marks.size:
            self.marks(channel, window)[...] = 0
        step = self._low.size
        for start in range(0, pixels, step):
            chunk = self._chunk(channel, window, start, min(step, pixels - start))
            self._combine(chunk, self._reject(chunk))
            self._complete_variance(chunk)
        return self._maps[:, :pixels].reshape(_MAPS, rows, columns)

    def _chunk(self, channel: int, window: Window, start: int, pixels: int) -> _Chunk:
        """Return the samples of `pixels` pixels of the tile, from the pixel `start` on."""
        first = channel * window.shape[0] * window.shape[1] + start
        raw, at = self._float_stack(first, pixels)
        place = channel, window, start
        combined, compared, limits = localized(self.recipe, place, pixels, raw, self._local)
        return _Chunk(channel, start, pixels, first, at, raw, compared, combined, limits)

    def _float_stack(self, first: int, pixels: int) -> tuple[Float32, int]:
        """Return the samples of a chunk as float32, and the column where they begin."""
        if not self._widened.size:
            return self._stack, first
        if self._stack.dtype == np.uint16:
            widen(self._stack, first, pixels, self._widened)
        else:
            np.copyto(self._widened[:, :pixels], self._stack[:, first : first + pixels])
        return self._widened, 0

    def _reject(self, chunk: _Chunk) -> _Survivors:
        """Sort the samples of each pixel, and narrow them to those that are no outliers."""
        recipe = self.recipe
        lanes = -(-chunk.pixels // LANES) * LANES
        ordered, low, high = self._ordered[: lanes // LANES], self._low[:lanes], self._high[:lanes]
        low[:] = 0
        network = self._work.network
        if self._sorts_integers[chunk.channel] and chunk.compared is chunk.raw:
            work = self._integer_work
            samples = self._stack, chunk.first, chunk.pixels
            order_integers(*samples, network, work.integers[1], ordered, high)
        else:
            work = self._work
            norm = recipe.channels[chunk.channel].norm
            samples = chunk.compared, chunk.at, chunk.pixels
            order_samples(*samples, norm, chunk.limits, network, ordered, high)
        recipe.rejector(ordered, low, high, recipe.limits, work)
        if recipe.rejection == "linear-fit":
            self._maps[5, chunk.part] = work.per_pixel[: chunk.pixels]
        return ordered, low, high

    def _combine(self, chunk: _Chunk, survivors: _Survivors) -> None:
        """Fill all maps but the slope; the variance is that of the background."""
        terms, maps = self.recipe.channels[chunk.channel], self._maps
        lost = self.lost[chunk.channel]
        samples = chunk.compared, chunk.at, chunk.pixels, terms.norm, chunk.limits
        if terms.photons is not None:
            # First, as what follows may overwrite the sorted stacks; losses are counted there.
            uncounted = np.zeros_like(lost), self._marks[:0, :0], 0
            photons = self._photons
            combine(chunk.raw, *samples, terms.photons, *survivors, AVERAGE, photons, 0, *uncounted)
        order = self.recipe.combination.order
        # Sorted stacks that are combined as they were compared hold the values to pick from.
        unchanged = self._combines_compared[chunk.channel] and chunk.combined is chunk.compared
        task = AVERAGE if order is None else (COUNT if unchanged else KEEP)
        counted = lost, self._marks, chunk.first
        combine(
            chunk.combined, *samples, terms.terms, *survivors, task, maps, chunk.start, *counted
        )
        if task == KEEP:
            sort_survivors(*survivors, self._work.network)
        if order is not None:
            pick(*survivors, order, chunk.pixels, maps[0, chunk.start :])

    def _complete_variance(self, chunk: _Chunk) -> None:
        """Add the photon noise of what is brighter than the background, or darker.

        Levels within two sigma of the background are noise: the part of the difference that is
        taken is 1 - (2 sigma / difference)^2.
        """
        terms = self.recipe.channels[chunk.channel]
        variance = self._maps[4, chunk.part]
        if terms.photons is not None:
            photons, weight = self._photons[:2, : chunk.pixels]
            beyond = np.square(self._maps[0, chunk.part] - np.float32(terms.level))
            with np.errstate(divide="ignore", invalid="ignore"):  # no survivor, no difference
                share = np.maximum(0, 1 - _NOISE_SIGMAS**2 * variance / beyond)
                added = np.where(share > 0, share * photons / weight, 0)
            np.maximum(variance + added, _LEAST_VARIANCE * variance, out=variance)
        variance *= np.float32(terms.area_variance)

    @staticmethod
    def _view(array: npt.NDArray[Any], channel: int, window: Window) -> npt.NDArray[Any]:
        rows, columns = window.shape
        pixels = rows * columns
        plane = array[:, channel * pixels : (channel + 1) * pixels]
        return plane.reshape(-1, rows, columns)
