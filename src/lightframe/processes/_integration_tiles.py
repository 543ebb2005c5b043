"""Tiles of a stack: their shape for a given memory, and the integration of one tile.

A tile holds the same window of all frames. It is integrated in chunks of some 130,000 samples,
which stay in the processor's second-level cache between sorting, rejection and combination. What
happens to a pixel depends on its own samples only: the result is the same to the bit whatever the
tiles.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.buffers import aligned_empty
from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._stack import LANES, order_integers, order_samples, pick, widen
from lightframe.kernels._stack_combine import AVERAGE, COUNT, KEEP, combine, sort_survivors
from lightframe.processes._integration_terms import ChannelTerms, Recipe, localized
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

F32 = npt.NDArray[np.float32]


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
    return pixels * (frames * 16 + 44) + frames * LANES * (4 + 4 + 2) + 3 * 4 * frames


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
        self._integers = aligned_empty((frames, LANES), np.uint16)
        widens = dtype == np.uint16 or recipe.local is not None
        self._widened = aligned_empty((frames, lanes) if widens else (0, 0), np.float32)
        self._local = aligned_empty((2, frames, lanes) if recipe.local else (0, 0, 0), np.float32)
        self._low = aligned_empty(lanes, np.int32)
        self._high = aligned_empty(lanes, np.int32)
        self._photons = aligned_empty((5, lanes), np.float32)
        self._work = RejectionWork.for_chunks(frames, lanes)
        self._integer_work = self._work.for_integers(frames if dtype == np.uint16 else 0)
        # Asked for each of thousands of chunks, so found out once.
        unlimited = bool(np.isinf(recipe.range_limits).all())
        self._sorts_integers = [unlimited and terms.plain for terms in recipe.channels]
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

    def marks(self, channel: int, window: Window) -> npt.NDArray[np.uint8]:
        """Return the marks of one channel, shape (frames, rows, columns); a view.

        1 where a sample was rejected low, 2 where high.
        """
        return self._view(self._marks, channel, window)

    def integrate(self, channel: int, window: Window) -> F32:
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
            self._chunk(channel, window, start, min(step, pixels - start))
        return self._maps[:, :pixels].reshape(_MAPS, rows, columns)

    def _chunk(self, channel: int, window: Window, start: int, pixels: int) -> None:
        recipe = self.recipe
        terms = recipe.channels[channel]
        blocks = -(-pixels // LANES)
        ordered = self._ordered[:blocks]
        low = self._low[: blocks * LANES]
        high = self._high[: blocks * LANES]
        first = channel * window.shape[0] * window.shape[1] + start
        network = self._work.network
        low[:] = 0
        raw, at = self._float_stack(first, pixels)
        place = channel, window, start
        stack, compared, limits = localized(recipe, place, pixels, raw, self._local)
        whole = self._stack.dtype == np.uint16 and compared is self._widened
        if whole and self._sorts_integers[channel]:
            order_integers(self._stack, first, pixels, network, self._integers, ordered, high)
            work = self._integer_work
        else:
            order_samples(compared, at, pixels, terms.norm, limits, network, ordered, high)
            work = self._work
        recipe.rejector(ordered, low, high, recipe.limits, work)
        if recipe.rejection == "linear-fit":
            self._maps[5, start : start + pixels] = self._work.per_pixel[:pixels]
        order = recipe.combination.order
        same = self._combines_compared[channel] and stack is compared
        task = AVERAGE if order is None else (COUNT if same else KEEP)
        samples = compared, at, pixels, terms.norm, limits
        survivors = ordered, low, high
        if terms.photons is not None:
            uncounted = np.zeros_like(self.lost[channel])
            unmarked = self._marks[:0, :0]
            combine(
                raw,
                *samples,
                terms.photons,
                *survivors,
                AVERAGE,
                self._photons,
                0,
                uncounted,
                unmarked,
                0,
            )
        combine(
            stack,
            *samples,
            terms.terms,
            *survivors,
            task,
            self._maps,
            start,
            self.lost[channel],
            self._marks,
            first,
        )
        if task == KEEP:
            sort_survivors(*survivors, network)
        if order is not None:
            pick(*survivors, order, pixels, self._maps[0, start:])
        self._complete_variance(terms, slice(start, start + pixels))

    def _complete_variance(self, terms: ChannelTerms, part: slice) -> None:
        """Add the photon noise of what is brighter than the background, or darker.

        Levels within two sigma of the background are noise: the part of the difference that is
        taken is 1 - (2 sigma / difference)^2.
        """
        variance = self._maps[4, part]
        if terms.photons is not None:
            photons, weight = self._photons[:2, : variance.size]
            beyond = np.square(self._maps[0, part] - np.float32(terms.level))
            with np.errstate(divide="ignore", invalid="ignore"):  # no survivor, no difference
                share = np.maximum(0, 1 - _NOISE_SIGMAS**2 * variance / beyond)
                added = np.where(share > 0, share * photons / weight, 0)
            np.maximum(variance + added, _LEAST_VARIANCE * variance, out=variance)
        variance *= np.float32(terms.area_variance)

    def _float_stack(self, first: int, pixels: int) -> tuple[F32, int]:
        """Return the samples of a chunk as float32, and the column where they begin."""
        if not self._widened.size:
            return self._stack, first
        if self._stack.dtype == np.uint16:
            widen(self._stack, first, pixels, self._widened)
        else:
            np.copyto(self._widened[:, :pixels], self._stack[:, first : first + pixels])
        return self._widened, 0

    @staticmethod
    def _view(array: npt.NDArray[Any], channel: int, window: Window) -> npt.NDArray[Any]:
        rows, columns = window.shape
        pixels = rows * columns
        plane = array[:, channel * pixels : (channel + 1) * pixels]
        return plane.reshape(-1, rows, columns)
