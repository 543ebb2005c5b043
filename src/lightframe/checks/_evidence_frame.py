"""What the pixels of one frame tell, measured in one pass; the rules judge it, it judges nothing.

A *phase* is the place of a pixel in the 2x2 cell, numbered ``2 * (y % 2) + x % 2``: one colour of a
Bayer mosaic. Levels are in DN on the scale of the file.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64, Int64, UInt16
from lightframe.buffers import Buffers
from lightframe.checks._evidence_levels import Levels, levels_of_floats, levels_of_integers
from lightframe.errors import UnreadableFileError
from lightframe.frames import FrameInfo, PixelSource, Window, open_pixels
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._evidence import clipped_profiles, isolated_pixels, phase_tiles, star_like

__all__ = [
    "EVIDENCE_VERSION",
    "PATCH",
    "X_TRANS_NOISE",
    "FrameEvidence",
    "Places",
    "clipped_deviation",
    "measure_frame",
    "patch_corners",
    "read_plane",
]

EVIDENCE_VERSION = 6
"""Raised whenever the same pixels would give other evidence."""

Plane = UInt16 | Float32

PATCH = 32
"""Side of a patch in pixels."""
_PATCHES = 8
"""Patches along each side of the frame."""
_TILES = (12, 16)
_TILE_SAMPLES = 64
"""Most rows and columns that are looked at in a tile."""
X_TRANS_NOISE = 0.85
"""Noise between pixels six apart, over that of the next of a 2x2 phase, that X-Trans has."""
_HOT_SIGMA = 8.0
_HOT_CAPACITY = 65536
_HOT_KEPT = 4000
_STAR_SIGMA = 10.0
_STAR_CAPACITY = 2000
_PROFILE_PIXELS = 2_000_000

_buffers = Buffers()


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Some pixels of a frame, the strongest first.

    Attributes
    ----------
    y, x : int64 (n,)
        Where they are.
    excess : float64 (n,)
        By how much they stand above their surroundings in DN.
    total : int
        How many there are; only the strongest are kept.
    """

    y: Int64
    x: Int64
    excess: Float64
    total: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FrameEvidence:
    """Measurements on the pixels of one frame.

    Attributes
    ----------
    info : FrameInfo
        What the header claims.
    levels : Levels
        Histogram of each phase in numbers.
    noise : float64 (4,)
        Deviation of neighbouring pixels of a phase from each other in DN: temporal noise and the
        unevenness of pixels, but neither gradients nor stars.
    tiles : float64 (4, rows, columns)
        Background by tiles: clipped means.
    tile_error : float64 (4,)
        Their statistical error.
    rows, columns : float64 (height,), (width,)
        Averages of rows and columns.
    hot : Places
        Pixels that stand out alone.
    hot_limit : float
        Excess in DN from which on they were looked for: the mean of the phases.
    stars : Places
        Local maxima that spread like stars.
    lone_maxima : tuple of float
        Fraction of pixels that are higher than their 8 neighbours, and than the 8 next of their
        own phase; about 0.11 in noise. NaN where the noise is below one step.
    patches : ndarray (patches, 32, 32)
        Pixels at fixed places, for comparison between frames.
    digest : str
        Hash of the patches and of the histogram.
    """

    info: FrameInfo
    levels: Levels
    noise: Float64
    tiles: Float64
    tile_error: Float64
    rows: Float64
    columns: Float64
    hot: Places
    hot_limit: float
    stars: Places
    lone_maxima: tuple[float, float]
    patches: npt.NDArray[Any]
    digest: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.info.path

    @property
    def level(self) -> float:
        """Median over the whole frame: the mean of the medians of the phases."""
        return float(np.mean(self.levels.median))

    @property
    def megapixels(self) -> float:
        """Size in millions of pixels."""
        return self.info.height * self.info.width * 1e-6


def read_plane(source: PixelSource, buffers: Buffers | None = None) -> Plane:
    """Return the plane that evidence is taken from: the only one, or green, as stored in DN.

    Parameters
    ----------
    source : PixelSource
        The frame.
    buffers : Buffers, optional
        Where to put the pixels; in fresh memory if absent.
    """
    shape = source.channels, source.height, source.width
    planes = (buffers or Buffers()).get("frame", shape, source.dtype)
    source.read(Window(0, source.height, 0, source.width), planes)
    plane = planes[1 if source.channels == 3 else 0]  # noqa: PLR2004 - red, green, blue
    return cast("Plane", plane)


def measure_frame(info: FrameInfo, *, scratch: Path | None = None) -> FrameEvidence:
    """Look at the pixels of a frame.

    Parameters
    ----------
    info : FrameInfo
        The frame.
    scratch : Path or None
        Where to decode frames that cannot be read by rows; in memory if absent.

    Returns
    -------
    FrameEvidence
        Its measurements.

    Raises
    ------
    UnreadableFileError
        If the pixels cannot be read, are fewer than 32 x 32, or none of them is a number.
    """
    pixels = _pixels(info, scratch)
    levels = _levels(pixels)
    if levels.missing.any():
        pixels = _completed(pixels, levels, info)
    patches = _patches(pixels)
    noise = _spatial_noise(patches, levels)
    # Where the noise is below one step, single pixels that flip to the next value are no stars.
    least = np.maximum(noise, 0.5 * _least_step(patches, levels))
    tiles, tile_error = _tile_map(pixels)
    rows, columns = _profiles(pixels, levels)
    hot, hot_limit = _hot_pixels(pixels, tiles, noise)
    return FrameEvidence(
        info=info,
        levels=levels,
        noise=noise,
        tiles=tiles,
        tile_error=tile_error,
        rows=rows,
        columns=columns,
        hot=hot,
        hot_limit=hot_limit,
        stars=_stars(pixels, least),
        lone_maxima=_lone_maxima(patches, noise, levels),
        patches=patches,
        digest=_digest(patches, levels),
    )


def _pixels(info: FrameInfo, scratch: Path | None) -> Plane:
    """Return the pixels in this thread's buffer."""
    source = open_pixels(info.path, scratch=scratch)
    try:
        pixels = read_plane(source, _buffers)
    finally:
        source.close()
    if min(pixels.shape) < PATCH:
        raise UnreadableFileError(
            f"{pixels.shape[1]} x {pixels.shape[0]} pixels are too few for a frame",
            where=info.path,
            cause="a thumbnail, or a cut-out of a frame",
            remedy="leave the file out",
        )
    return pixels


def _completed(pixels: Plane, levels: Levels, info: FrameInfo) -> Plane:
    """Return the pixels with the median in place of those that hold no number."""
    known = np.isfinite(pixels)
    if not known.any() or levels.missing.max() == 1.0:
        raise UnreadableFileError(
            "no pixel holds a number" if not known.any() else "a colour holds no number",
            where=info.path,
            cause="the file was written without its pixels, or a division went wrong",
            remedy="leave the file out",
        )
    return np.where(known, pixels, np.median(pixels[known])).astype(np.float32)


def _digest(patches: npt.NDArray[Any], levels: Levels) -> str:
    content = patches.tobytes() + levels.quantiles.tobytes()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _levels(pixels: Plane) -> Levels:
    if pixels.dtype == np.uint16:
        return levels_of_integers(cast("UInt16", pixels))
    return levels_of_floats(cast("Float32", pixels))


def clipped_deviation(values: Float64, floor: float = 0.0) -> Float64:
    """Return the standard deviation along the last axis about zero, outliers left out.

    Parameters
    ----------
    values : float64 (..., n)
        Differences, whose true mean is zero; NaN is missing.
    floor : float
        Values up to this are no outliers: the step of the integers.
    """
    magnitude = np.abs(values)
    median = np.nanmedian if np.isnan(magnitude).any() else np.median  # five times as fast
    with np.errstate(invalid="ignore"):
        limit = np.maximum(4.0 * MAD_TO_SIGMA * median(magnitude, axis=-1, keepdims=True), floor)
        kept = magnitude <= limit
        squares = np.where(kept, values * values, 0.0).sum(axis=-1)
        return np.asarray(np.sqrt(squares / np.maximum(kept.sum(axis=-1), 1)))


def patch_corners(shape: tuple[int, int]) -> Int64:
    """Return first row and column of each patch of a frame, even numbers, shape (patches, 2)."""
    tops, lefts = (
        (np.linspace(0, side - PATCH, min(_PATCHES, side // PATCH)) / 2).astype(np.int64) * 2
        for side in shape
    )
    return np.stack(np.meshgrid(tops, lefts, indexing="ij"), axis=-1).reshape(-1, 2)


def _patches(pixels: Plane) -> npt.NDArray[Any]:
    """Return pixels at fixed places, beginning on an even row and column."""
    height, width = pixels.shape
    corners = patch_corners((height, width))
    return np.stack([pixels[y : y + PATCH, x : x + PATCH] for y, x in corners])


def _least_step(patches: npt.NDArray[Any], levels: Levels) -> float:
    """Return the step of the values; where they are too few to tell, their least distance."""
    if levels.frame_step > 0 or not np.issubdtype(patches.dtype, np.integer):
        return float(levels.frame_step)
    gaps = np.diff(np.unique(patches))
    return float(gaps.min()) if gaps.size else 0.0


def _spatial_noise(patches: npt.NDArray[Any], levels: Levels) -> Float64:
    """Return the deviation between neighbours of one phase, shape (4,).

    In an X-Trans mosaic the next of the 2x2 phase are of another colour, but those six pixels off
    are of the same.
    """
    values = patches.astype(np.float64)
    next_ones = _deviation(values, levels, 1)
    six_off = _deviation(values, levels, 3)
    return six_off if float(six_off.mean()) < X_TRANS_NOISE * float(next_ones.mean()) else next_ones


def _deviation(values: Float64, levels: Levels, lag: int) -> Float64:
    """Return the noise of pixels from differences of those `lag` cells apart, shape (4,)."""
    noise = []
    for phase in range(4):
        cells = values[:, phase // 2 :: 2, phase % 2 :: 2]
        steps = (cells[:, :, lag:] - cells[:, :, :-lag]).ravel()
        noise.append(clipped_deviation(steps, float(levels.step[phase])) / np.sqrt(2.0))
    return np.array(noise)


def _tile_map(pixels: Plane) -> tuple[Float64, Float64]:
    """Return clipped means of tiles for each phase, and their errors."""
    tall, wide = (min(n, side // 2) for n, side in zip(_TILES, pixels.shape, strict=True))
    rows = _places_in_tiles(pixels.shape[0], tall)
    columns = _places_in_tiles(pixels.shape[1], wide)
    means, variances = np.empty((4, tall, wide)), np.empty((4, tall, wide))
    phase_tiles(pixels, rows, columns, means, variances)
    count = (rows.size // tall) * (columns.size // wide) // 4
    return means, np.sqrt(np.median(variances, axis=(1, 2)) / count)


def _places_in_tiles(side: int, tiles: int) -> Int64:
    """Return pairs of rows (or columns), the same number in each tile, sorted by tile."""
    size = side // tiles
    pairs = max(1, min(_TILE_SAMPLES, size) // 2)
    starts = np.arange(tiles) * side // tiles // 2 * 2
    inside = (np.arange(pairs) * (size // 2) // pairs) * 2
    first = starts[:, np.newaxis] + inside
    return np.asarray((first[..., np.newaxis] + np.arange(2)).ravel(), np.int64)


def _profiles(pixels: Plane, levels: Levels) -> tuple[Float64, Float64]:
    rows, columns = np.zeros(pixels.shape[0]), np.zeros(pixels.shape[1])
    low, high = levels.quantile(0.001), levels.quantile(0.999)
    row_step = max(1, pixels.size // _PROFILE_PIXELS)
    clipped_profiles(pixels, low, high, row_step, rows, columns)
    return rows, columns


def _hot_pixels(pixels: Plane, tiles: Float64, noise: Float64) -> tuple[Places, float]:
    """Return the pixels that stand out alone, the highest ones if there are too many, and how far.

    The second value is the excess from which on they were counted.
    """
    limits = np.maximum(_HOT_SIGMA * noise, 2.0)
    find = partial(isolated_pixels, pixels, np.ascontiguousarray(tiles))
    found = _strongest(partial(find, limits), _HOT_CAPACITY, _HOT_KEPT)
    for _ in range(7):
        if found.total < _HOT_CAPACITY:
            break
        limits = limits * 3.0
        found = _strongest(partial(find, limits), _HOT_CAPACITY, _HOT_KEPT)
    return found, float(limits.mean())


def _stars(pixels: Plane, noise: Float64) -> Places:
    noise_of_sum = max(float(np.sqrt(np.sum(noise**2))), 1.0)
    return _strongest(
        partial(star_like, pixels, noise_of_sum, _STAR_SIGMA),
        _STAR_CAPACITY,
        _STAR_CAPACITY,
    )


def _strongest(find: Callable[[Int64, Int64, Float64], int], capacity: int, kept: int) -> Places:
    """Let a kernel fill arrays of `capacity`, and keep the strongest."""
    y, x = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    excess = np.empty(capacity)
    total = int(find(y, x, excess))
    order = np.argsort(-excess[:total], kind="stable")[:kept]
    return Places(y[order], x[order], excess[order], total)


def _lone_maxima(patches: npt.NDArray[Any], noise: Float64, levels: Levels) -> tuple[float, float]:
    if np.any(noise < np.maximum(levels.step, 1)):
        return float("nan"), float("nan")
    return _higher_than_all(patches, 1), _higher_than_all(patches, 2)


def _higher_than_all(patches: npt.NDArray[Any], step: int) -> float:
    side = patches.shape[1]
    inner = patches[:, step : side - step, step : side - step]
    highest = np.ones(inner.shape, bool)
    for dy in (0, step, 2 * step):
        for dx in (0, step, 2 * step):
            if (dy, dx) != (step, step):
                other = patches[:, dy : dy + inner.shape[1], dx : dx + inner.shape[2]]
                highest &= inner > other
    return float(highest.mean())
