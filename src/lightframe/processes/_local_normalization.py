"""Local normalization: smooth fields that bring each frame to the reference everywhere.

Moonlight, light pollution and thin clouds add to the sky differently in each frame and each corner;
one number a frame cannot even that out. Here each frame t becomes ``t * scale + offset``, both of
them fields: the scale is that of the brightness of its stars, tilted where the stars show it, and
the offset a smooth surface through the medians of ``reference - t * scale`` in tiles without their
stars. Because the difference is taken pixel by pixel, nebulae and halos cancel and need no mask;
the surface is made by local regression of planes and by a B-spline, neither of which can overshoot.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from lightframe.arrays import Float32, Float64, Int64
from lightframe.frames._pixels import PixelSource, Window
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._local import tile_differences
from lightframe.settings import Settings

__all__ = ["LocalFields", "LocalNormalizationSettings", "local_fields"]

_TILES_PER_SCALE = 4
_FEWEST_TILES = 6
"""Tiles along the shorter side of an image, unless they would be smaller than 16 pixels."""
_SMALLEST_TILE = 16
_SAMPLES = 2048
"""Pixels of a tile that are looked at, in a band of rows through its middle."""
_FEWEST_ROWS = 8
_BEYOND = 2
"""Nodes outside the image on each side: a cubic B-spline reaches so far."""

_LEAST_CHANGE = 0.1
"""A frame's brightness does not fall below a tenth of that at its centre."""

_WIDTH_TILES = 1.0
"""Standard deviation of the Gaussian weights of the local regression."""
_FLOOR = 1e-9
"""Weight of far tiles: where a frame has no tile near, the plane of all its tiles goes on."""
_RIDGE = 1e-4
_ROUNDS = 3
_BISQUARE = 4.685


class LocalNormalizationSettings(Settings):
    """How fine the fields of local normalization are."""

    scale_px: int = Field(default=512, ge=64, le=8192)
    """Differences that reach over about this number of pixels, or more, are evened out."""


@dataclass(frozen=True, slots=True)
class LocalFields:
    """Fields of all frames, as nodes of uniform cubic B-splines.

    Attributes
    ----------
    nodes : ndarray, shape (channels, frames, 2, rows, columns), float32
        Scale, and offset in DN.
    geometry : ndarray, shape (4,), float64
        Row of the first node, rows from node to node, and the same for columns.
    """

    nodes: Float32
    geometry: Float64


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Tiles along one side of an image."""

    length: int
    count: int

    @property
    def step(self) -> float:
        return self.length / self.count

    @property
    def edges(self) -> Int64:
        return np.round(np.arange(self.count + 1) * self.step).astype(np.int64)

    @property
    def places(self) -> Float64:
        """Places of the nodes, -0.5 to 0.5 from edge to edge."""
        nodes = np.arange(-_BEYOND, self.count + _BEYOND)
        return np.asarray((nodes + 0.5) / self.count - 0.5, np.float64)

    @property
    def origin(self) -> float:
        """Place of the first node."""
        return (0.5 - _BEYOND) * self.step - 0.5


def local_fields(
    sources: Sequence[PixelSource],
    scales: tuple[Float64, Float64],
    reference: int,
    settings: LocalNormalizationSettings,
    *,
    threads: int = 1,
) -> LocalFields:
    """Find the fields that bring each frame to the reference.

    A band of rows through the middle of each row of tiles is read of every frame.

    Parameters
    ----------
    sources : sequence of PixelSource
        The frames, on one grid.
    scales : two ndarrays, shapes (frames, channels) and (frames, 2), float64
        What each frame is multiplied by at the centre; relative change of the brightness that this
        makes up for, from the first row to the last and from the first column to the last.
    reference : int
        Index of the reference.
    settings : LocalNormalizationSettings
        How fine.
    threads : int
        Number of threads.
    """
    first = sources[0]
    side = min(
        settings.scale_px / _TILES_PER_SCALE,
        max(_SMALLEST_TILE, min(first.height, first.width) / _FEWEST_TILES),
    )
    rows, columns = (
        _Tiles(length, max(1, round(length / side))) for length in (first.height, first.width)
    )
    windows = _bands(rows, columns)
    theirs = [_read(sources[reference], window) for window in windows]
    shape = (first.channels, 2, rows.count + 2 * _BEYOND, columns.count + 2 * _BEYOND)

    def field(index: int) -> Float32:
        nodes = np.empty(shape, np.float32)
        down, right = scales[1][index]
        change = 1.0 + down * rows.places[:, None] + right * columns.places
        nodes[:, 0] = scales[0][index][:, None, None] / np.maximum(change, _LEAST_CHANGE)
        nodes[:, 1] = 0.0
        if index != reference:
            inner = nodes[:, 0, _BEYOND:-_BEYOND, _BEYOND:-_BEYOND].astype(np.float64)
            offset, sigma = _differences(sources[index], windows, theirs, inner, columns)
            for channel in range(first.channels):
                nodes[channel, 1] = _smooth(offset[channel], sigma[channel])
        return nodes

    with ThreadPoolExecutor(threads, thread_name_prefix="local") as pool:
        nodes = np.stack(list(pool.map(field, range(len(sources)))), axis=1)
    return LocalFields(nodes, np.array([rows.origin, rows.step, columns.origin, columns.step]))


def _bands(rows: _Tiles, columns: _Tiles) -> list[Window]:
    """Return a window of whole rows through the middle of each row of tiles."""
    wanted = max(_FEWEST_ROWS, -(-_SAMPLES // max(1, int(columns.step))))
    windows = []
    for begin, end in zip(rows.edges[:-1].tolist(), rows.edges[1:].tolist(), strict=True):
        count = min(wanted, end - begin)
        y = begin + (end - begin - count) // 2
        windows.append(Window(y, y + count, 0, columns.length))
    return windows


def _read(source: PixelSource, window: Window) -> Float32:
    pixels = np.empty((source.channels, *window.shape), np.float32)
    source.read(window, pixels)
    return pixels


def _differences(
    source: PixelSource,
    windows: Sequence[Window],
    theirs: Sequence[Float32],
    scales: Float64,
    columns: _Tiles,
) -> tuple[Float64, Float64]:
    """Return offset and its error in each tile, shape (channels, rows, columns) as `scales`."""
    offset = np.empty((source.channels, len(windows), columns.count))
    sigma = np.empty_like(offset)
    for row, (window, band) in enumerate(zip(windows, theirs, strict=True)):
        ours = _read(source, window)
        for channel in range(source.channels):
            tile_differences(
                band[channel],
                ours[channel],
                np.ascontiguousarray(scales[channel, row]),
                columns.edges,
                offset[channel, row],
                sigma[channel, row],
            )
    return offset, sigma


def _smooth(offset: Float64, sigma: Float64) -> Float64:
    """Return the nodes of a surface through the tiles' offsets.

    At each node a plane is fitted to the tiles around it, with Gaussian weights over their
    variances, and bisquare weights against tiles that do not fit their surroundings.
    """
    known = np.isfinite(offset)
    rows, columns = offset.shape
    near_y, near_x = _nearness(rows), _nearness(columns)
    if not known.any():
        return np.zeros((near_y.shape[0], near_x.shape[0]))
    least = max(float(np.median(sigma[known])), 1e-6 * float(np.abs(offset[known]).max()), 1e-30)
    weight = np.where(known, 1.0 / (np.where(known, sigma, 0.0) ** 2 + least**2), 0.0)
    values = np.where(known, offset, 0.0)
    robust = np.ones_like(weight)
    inner = slice(_BEYOND, -_BEYOND)
    for _ in range(_ROUNDS):
        nodes = _planes(values, weight * robust, near_y, near_x)
        residual = np.abs(values - nodes[inner, inner])
        spread = MAD_TO_SIGMA * float(np.median(residual[known]))
        reach = _BISQUARE * max(spread, least)
        robust = np.where(residual < reach, (1.0 - (residual / reach) ** 2) ** 2, 0.0)
    return _planes(values, weight * robust, near_y, near_x)


def _nearness(tiles: int) -> Float64:
    """Return the distances of tiles from nodes, in tiles, shape (tiles + 4, tiles)."""
    nodes = np.arange(-_BEYOND, tiles + _BEYOND, dtype=np.float64)
    return np.arange(tiles, dtype=np.float64)[None, :] - nodes[:, None]


def _planes(values: Float64, weight: Float64, away_y: Float64, away_x: Float64) -> Float64:
    """Return at each node the plane fitted around it."""
    gauss_y = np.exp(-0.5 * (away_y / _WIDTH_TILES) ** 2) + _FLOOR
    gauss_x = np.exp(-0.5 * (away_x / _WIDTH_TILES) ** 2) + _FLOOR

    def moment(of: Float64, power_y: int, power_x: int) -> Float64:
        return np.asarray(
            (gauss_y * away_y**power_y) @ of @ (gauss_x * away_x**power_x).T, np.float64
        )

    total = moment(weight, 0, 0)
    matrix = np.empty((*total.shape, 3, 3))
    powers = ((0, 0), (1, 0), (0, 1))
    right = np.empty((*total.shape, 3, 1))
    for i, (a, b) in enumerate(powers):
        right[..., i, 0] = moment(weight * values, a, b) / total
        for j, (c, d) in enumerate(powers):
            matrix[..., i, j] = moment(weight, a + c, b + d) / total
    matrix[..., 1, 1] += _RIDGE
    matrix[..., 2, 2] += _RIDGE
    return np.asarray(np.linalg.solve(matrix, right)[..., 0, 0], np.float64)
