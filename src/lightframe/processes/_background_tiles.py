"""A calibrated frame in tiles: the background of each colour, and how pixels follow their flat."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64, Int64, UInt8
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._tiles import tile_products, tile_statistics

__all__ = ["BackgroundTiles", "FlatProbe", "background_tiles", "flat_probe", "flat_products"]


_ALONG_SHORTER_SIDE = 20
"""Tiles along the shorter side: few enough for a good median, enough to see a corner."""
_SMALLEST = 16
"""Pixels along the side of the smallest tile."""
_CELLS = 400
"""Colour cells of a tile that are looked at: its median is good to a 16th of the noise."""
_SMALL = 24
"""Pixels along the side of a tile in which pixels are compared with their flat one by one."""
_MOST_TILES = 2500
_EVERY = 2
"""Cells of a small tile of flat and dark from which its median and spread are taken."""
_CLIP_SIGMA = 3.5


@dataclass(frozen=True, slots=True)
class BackgroundTiles:
    """Medians of the tiles of a frame.

    Attributes
    ----------
    values : ndarray of float32, shape (colours, rows, columns)
        Clipped median of each colour (R, G, B of a mosaic, else the channels), DN; NaN is missing.
    noise : ndarray of float32, same shape
        Standard deviation of a pixel in the tile, DN.
    side : int
        Pixels along the side of a tile.
    samples : int
        Pixels of the rarest colour that a median is made of.
    """

    values: Float32
    noise: Float32
    side: int
    samples: int

    @property
    def x(self) -> Float64:
        """Place of each tile along the rows, -0.5 to 0.5, shape (rows, columns)."""
        return np.broadcast_to(_places(self.values.shape[2])[None, :], self.values.shape[1:])

    @property
    def y(self) -> Float64:
        """Place of each tile along the columns, -0.5 to 0.5, shape (rows, columns)."""
        return np.broadcast_to(_places(self.values.shape[1])[:, None], self.values.shape[1:])


def _places(count: int) -> Float64:
    return (np.arange(count) + 0.5) / count - 0.5


def background_tiles(planes: Float32, cfa: CfaPattern | None) -> BackgroundTiles:
    """Measure the background of a frame in tiles.

    Stars go by clipping at 3 sigma around the median of each tile, three times. Nebulae larger than
    a tile stay; see `lightframe.processes.flat_fit`.

    Parameters
    ----------
    planes : ndarray of float32, shape (channels, height, width), C order
        A frame, or the reciprocal of a flat, in DN; NaN is missing.
    cfa : CfaPattern or None
        Colours of a frame of one plane, phased at its origin.

    Returns
    -------
    BackgroundTiles
        About 20 tiles along the shorter side; pixels beyond the last whole tile are left out.
    """
    height, width = planes.shape[1:]
    cell = _cell(cfa)
    period = len(cell)
    side = max(_SMALLEST, min(height, width) // _ALONG_SHORTER_SIDE)
    side = max(1, side // period) * period
    every = max(1, int(side / period / np.sqrt(_CELLS)))
    colours = 1 if cfa is None else len(COLOURS)
    shape = (len(planes) * colours, height // side, width // side)
    location, scale = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for index, plane in enumerate(planes):
        part = slice(index * colours, (index + 1) * colours)
        tile_statistics(plane, cell, side, every, location[part], scale[part])
    rarest = int(np.bincount(cell.reshape(-1)).min())
    return BackgroundTiles(location, scale, side, rarest * (side // period // every) ** 2)


@dataclass(frozen=True, slots=True)
class FlatProbe:
    """What is looked at in every light of a flat; made once.

    Attributes
    ----------
    reciprocal : ndarray of float32, shape (channels, height, width)
        ``s0 / flat``, NaN where there is none.
    dark : ndarray of float32, shape (channels, height, width), or one row
        Master dark; one row where there is none.
    cfa : CfaPattern or None
        Colours at their origin.
    tiles : BackgroundTiles
        Of the reciprocal.
    side : int
        Pixels along the side of the small tiles.
    corners : ndarray of int64, shape (n, 2)
        First row and column of each of them.
    flat_levels, dark_levels : tuple of two ndarray of float32, shape (channels, n, colours)
        Median and 1.4826 MAD in each small tile.
    noise : tuple of float or None
        Noise of a pixel of the master flat as a part of its level, one a colour.
    """

    reciprocal: Float32
    dark: Float32
    cfa: CfaPattern | None
    tiles: BackgroundTiles
    side: int
    corners: Int64
    flat_levels: tuple[Float32, Float32]
    dark_levels: tuple[Float32, Float32]
    noise: tuple[float, ...] | None

    @property
    def colours(self) -> int:
        """Colours of a channel."""
        return int(self.flat_levels[0].shape[2])


def flat_probe(
    reciprocal: Float32,
    dark: Float32 | None,
    cfa: CfaPattern | None,
    noise: tuple[float, ...] | None,
) -> FlatProbe:
    """Choose the places where lights are held against their flat.

    Small tiles, so that a nebula is a tilted plane in each; if there are too many of them, one half
    of those taken is spread over the frame, the other is where the flat has most structure.

    Parameters
    ----------
    reciprocal : ndarray of float32, shape (channels, height, width), C order
        ``s0 / flat``; of one plane for mono flats.
    dark : ndarray of float32, same height and width, or None
        Master dark that was subtracted.
    cfa : CfaPattern or None
        Their colours.
    noise : tuple of float or None
        See `FlatProbe`.
    """
    period = len(_cell(cfa))
    side = -(-_SMALL // period) * period
    flat_maps = _small_tiles(reciprocal, cfa, side)
    rows, columns = flat_maps[0].shape[2:]
    chosen = _chosen(_steps(flat_maps[0].mean(axis=(0, 1))))
    corners = np.stack([chosen // columns * side, chosen % columns * side + period], axis=1)
    if dark is None:
        dark = np.zeros((1, 1, reciprocal.shape[2]), np.float32)
        dark_maps = (np.zeros((1, *flat_maps[0].shape[1:]), np.float32),) * 2
    else:
        dark_maps = _small_tiles(dark, cfa, side)

    def at(maps: Float32) -> Float32:
        picked = maps.reshape(*maps.shape[:2], rows * columns)[:, :, chosen]
        return np.ascontiguousarray(picked.transpose(0, 2, 1))

    return FlatProbe(
        reciprocal,
        dark,
        cfa,
        background_tiles(reciprocal, cfa),
        side,
        np.ascontiguousarray(corners, np.int64),
        (at(flat_maps[0]), at(flat_maps[1])),
        (at(dark_maps[0]), at(dark_maps[1])),
        noise,
    )


def _small_tiles(planes: Float32, cfa: CfaPattern | None, side: int) -> tuple[Float32, Float32]:
    """Return median and spread of small tiles, (channels, colours, rows, columns)."""
    cell = _cell(cfa)
    period = len(cell)
    height, width = planes.shape[1:]
    colours = 1 if cfa is None else len(COLOURS)
    shape = (len(planes), colours, height // side, max(0, width - 2 * period) // side)
    location, scale = np.empty(shape, np.float32), np.empty(shape, np.float32)
    found = np.empty((2, colours, 1, shape[3]), np.float32)
    for index, plane in enumerate(planes):
        for row in range(shape[2]):  # a copy of few rows stays in the cache, tile after tile
            inner = np.ascontiguousarray(plane[row * side : (row + 1) * side, period:])
            tile_statistics(inner, cell, side, _EVERY, *found)
            location[index, :, row], scale[index, :, row] = found[:, :, 0]
    return location, scale


def _steps(medians: Float32) -> Float32:
    """Return by how much tiles differ from the mean of their neighbours: dust, and not noise.

    The spread of their pixels would not do: the tiles in which it is largest are those in which the
    noise of the flat is, by chance, larger than elsewhere.
    """
    known = medians[np.isfinite(medians)]
    if not known.size:
        return np.zeros_like(medians)
    padded = np.pad(np.nan_to_num(medians, nan=float(np.median(known))), 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return np.asarray(np.abs(padded[1:-1, 1:-1] - around / 4), np.float32)


def _chosen(structure: Float32) -> Int64:
    """Return the flat indices of the tiles to be looked at."""
    count = structure.size
    if count <= _MOST_TILES:
        return np.arange(count)
    spread = np.arange(0, count, -(-2 * count // _MOST_TILES))
    order = np.argsort(-structure.reshape(-1), kind="stable")[: _MOST_TILES // 2]
    return np.union1d(spread, order)


def flat_products(planes: Float32, probe: FlatProbe) -> Float64:
    """Return what a regression of a frame's pixels on their flat and dark needs.

    Parameters
    ----------
    planes : ndarray of float32, shape (channels, height, width), C order
        Calibrated frame, DN.
    probe : FlatProbe
        Where to look.

    Returns
    -------
    ndarray of float64, shape (colours, n, 8)
        Of each small tile: pixels used, the sums of c c, c g, g g, c d, g d, d d, and the median of
        the frame. Here c is the frame, g the reciprocal of the flat and d the dark, each less a
        tilted plane over the tile. Pixels farther than 3.5 sigma from the tile's median (stars), or
        with a flat that stands out of its neighbours' (defects), or with a hot dark, are left out.
        NaN where too few are left.
    """
    products = np.empty((len(planes), len(probe.corners), probe.colours, 8))
    for index, plane in enumerate(planes):
        flat = min(index, len(probe.reciprocal) - 1)
        dark = min(index, len(probe.dark) - 1)
        tile_products(
            plane,
            probe.reciprocal[flat],
            probe.dark[dark],
            _cell(probe.cfa),
            (probe.corners, probe.side),
            (probe.flat_levels[0][flat], probe.flat_levels[1][flat]),
            (probe.dark_levels[0][dark], probe.dark_levels[1][dark]),
            _CLIP_SIGMA,
            products[index],
        )
    colours = len(planes) * probe.colours
    return products.transpose(0, 2, 1, 3).reshape(colours, len(probe.corners), 8)


def _cell(cfa: CfaPattern | None) -> UInt8:
    return np.zeros((1, 1), np.uint8) if cfa is None else cfa.planes()
