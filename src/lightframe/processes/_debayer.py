"""Debayering: the two colours that each pixel of a mosaic has not seen are interpolated.

It follows calibration and cosmetic correction (guide, section 9.2). A pixel's own colour is kept
exactly. A missing pixel (NaN) stays missing in its own colour; its neighbours are interpolated from
what is there. At the image's edges likewise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, UInt8
from lightframe.errors import SettingsError
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels import _debayer as plain
from lightframe.kernels import _debayer_rcd as ratio
from lightframe.kernels import _debayer_xtrans as xtrans
from lightframe.processes._debayer_weights import xtrans_weights
from lightframe.processes._strips import in_strips
from lightframe.tables import Table

__all__ = [
    "DEBAYER_METHODS",
    "DebayerMethod",
    "debayer",
    "debayer_area_variance",
    "debayer_margin",
    "debayer_scale",
    "merge_cfa",
    "split_cfa",
    "superpixel",
]

Interpolator = Callable[[Float32, UInt8, int, Float32], None]
"""(mosaic, cell, threads, out)."""

BAYER = 2
XTRANS = 6

SUPERPIXEL_SIDES = {BAYER: 2, XTRANS: 3}
"""Side of the cell that holds all colours: in X-Trans 3 x 3 pixels hold 5 G, 2 R and 2 B."""


@dataclass(frozen=True, slots=True)
class DebayerMethod:
    """A way of debayering.

    Attributes
    ----------
    margin : int
        Pixels around a pixel on which its result depends.
    bayer, xtrans : callable or None
        What interpolates a Bayer and an X-Trans mosaic; None where the method cannot.
    shrinks : bool
        Whether a cell becomes one pixel.
    bayer_noise, xtrans_noise : tuple of float
        Noise of wide areas of red, green and blue over that of the samples in them, measured on
        Gaussian noise: 1, but more where colours borrow from green or directions are chosen.
    """

    margin: int
    bayer: Interpolator | None
    xtrans: Interpolator | None
    shrinks: bool = False
    bayer_noise: tuple[float, float, float] = (1.0, 1.0, 1.0)
    xtrans_noise: tuple[float, float, float] = (1.0, 1.0, 1.0)


_RCD_NOISE = (1.05, 1.0, 1.05)
_DIRECTIONAL_NOISE = (1.03, 1.055, 1.03)

DEBAYER_METHODS: Table[DebayerMethod] = Table("debayer method")


def _bilinear(mosaic: Float32, cell: UInt8, threads: int, out: Float32) -> None:
    in_strips(lambda a, b: plain.bilinear(mosaic, cell, a, b, out), len(mosaic), threads)


def _vng(mosaic: Float32, cell: UInt8, threads: int, out: Float32) -> None:
    in_strips(lambda a, b: plain.vng(mosaic, cell, a, b, out), len(mosaic), threads)


def _bilinear_xtrans(mosaic: Float32, cell: UInt8, threads: int, out: Float32) -> None:
    def strip(first: int, last: int) -> None:
        plain.interpolate_pixels(mosaic, cell, xtrans.REACH, False, first, last, out)

    in_strips(strip, len(mosaic), threads)


def _rcd(mosaic: Float32, cell: UInt8, threads: int, out: Float32) -> None:
    if min(mosaic.shape) < BAYER:  # a single line has nothing to be mirrored at its edges
        _bilinear(mosaic, cell, threads, out)
        return

    def strip(first: int, last: int) -> None:
        scratch = np.zeros(ratio.PLANES * ratio.AREA, np.float32)
        for top in range(first, last, ratio.CORE_HEIGHT):
            for left in range(0, mosaic.shape[1], ratio.CORE_WIDTH):
                ratio.rcd(mosaic, cell, top, left, scratch, out)
        plain.interpolate_pixels(mosaic, cell, 1, True, first, last, out)

    in_strips(strip, len(mosaic), threads, height=ratio.CORE_HEIGHT if threads > 1 else None)


def _directional_xtrans(mosaic: Float32, cell: UInt8, threads: int, out: Float32) -> None:
    rows = len(mosaic)
    lines, slopes, chroma, greens = xtrans_weights(cell.tobytes())
    for stage in (
        lambda a, b: xtrans.green(mosaic, cell, lines, slopes, a, b, out[1]),
        lambda a, b: xtrans.chroma(mosaic, cell, chroma, a, b, out),
        lambda a, b: xtrans.refine_green(mosaic, cell, greens, a, b, out),
        lambda a, b: xtrans.chroma(mosaic, cell, chroma, a, b, out),
        # Red and blue of a pixel whose own green is missing have nothing to stand on.
        lambda a, b: plain.interpolate_pixels(mosaic, cell, xtrans.REACH, True, a, b, out),
    ):
        in_strips(stage, rows, threads)


def _superpixel(mosaic: Float32, cell: UInt8, threads: int, out: Float32) -> None:
    del threads  # It runs at the speed of memory.
    period = len(cell)
    side = SUPERPIXEL_SIDES[period]
    every = period // side
    height, width = (size * side for size in out.shape[1:])
    count = np.empty(out.shape[1:], np.float32)
    for colour in range(3):
        out[colour] = 0
        count[...] = 0
        for y, x in np.argwhere(cell == colour):
            part = mosaic[y:height:period, x:width:period]
            known = ~np.isnan(part)
            where = (slice(y // side, None, every), slice(x // side, None, every))
            np.add(out[colour][where], part, out=out[colour][where], where=known)
            count[where] += known
        count[count == 0] = np.nan
        out[colour] /= count


DEBAYER_METHODS.enter(
    "vng",
    "variable number of gradients: averages over the smooth directions of 5 x 5 pixels;"
    " PixInsight's default. X-Trans: as 'xtrans'",
    DebayerMethod(
        max(2, xtrans.MARGIN), _vng, _directional_xtrans, xtrans_noise=_DIRECTIONAL_NOISE
    ),
)
DEBAYER_METHODS.enter(
    "rcd",
    "ratio corrected: along the direction with less detail; the least error where the signal is"
    " good. X-Trans: as 'xtrans'",
    DebayerMethod(
        ratio.MARGIN,
        _rcd,
        _directional_xtrans,
        bayer_noise=_RCD_NOISE,
        xtrans_noise=_DIRECTIONAL_NOISE,
    ),
)
DEBAYER_METHODS.enter(
    "bilinear",
    "mean of the nearest pixels of the colour: keeps the fluxes of stars right in every colour;"
    " fast, smooth, coloured edges around sharp stars",
    DebayerMethod(xtrans.REACH, _bilinear, _bilinear_xtrans),
)
DEBAYER_METHODS.enter(
    "xtrans",
    "X-Trans only: green along the smoother of row and column, red and blue by their smoothed"
    " differences from green",
    DebayerMethod(xtrans.MARGIN, None, _directional_xtrans, xtrans_noise=_DIRECTIONAL_NOISE),
)
DEBAYER_METHODS.enter(
    "superpixel",
    "no interpolation: one pixel of each cell, equal colours averaged; half the size, for X-Trans"
    " a third",
    DebayerMethod(0, _superpixel, _superpixel, shrinks=True),
)


def debayer_margin(method: str) -> int:
    """Return how many pixels around a window its interior depends on."""
    return DEBAYER_METHODS[method].margin


def debayer_scale(method: str, cfa: CfaPattern) -> int:
    """Return by how much the method divides height and width: 1, for ``superpixel`` 2 or 3."""
    return SUPERPIXEL_SIDES[cfa.period] if DEBAYER_METHODS[method].shrinks else 1


def debayer_area_variance(cfa: CfaPattern, method: str) -> tuple[float, float, float]:
    """Return by what interpolation raises the variance of areas of red, green and blue.

    It adds pixels, not samples: n pixels hold n / k samples, k = 4 for red and blue of a Bayer
    mosaic, 2 for green. Each counts k times in their sum, whose variance is n / k times k^2 times
    that of a sample: k times that of n independent pixels. To that comes what the method adds, see
    `DebayerMethod`. ``superpixel`` averages equal colours: k = 1/2 for green.
    """
    chosen = DEBAYER_METHODS[method]
    sites = np.bincount(cfa.planes().reshape(-1), minlength=3)
    spread = (cfa.period / debayer_scale(method, cfa)) ** 2 / sites
    added = chosen.bayer_noise if cfa.period == BAYER else chosen.xtrans_noise
    red, green, blue = (spread * np.square(added)).tolist()
    return red, green, blue


def _cell(mosaic: Float32, cfa: CfaPattern, method: str) -> tuple[Interpolator, UInt8]:
    """Return the interpolator for a pattern, and the pattern's planes."""
    if mosaic.ndim != 2:  # noqa: PLR2004 - rows, columns
        raise ValueError(f"a mosaic has rows and columns, not the shape {mosaic.shape}")
    chosen = DEBAYER_METHODS[method]
    planes = cfa.planes()
    bayer = cfa.period == BAYER
    if not bayer and cfa.period != XTRANS:
        raise SettingsError(f"cells of side {cfa.period} cannot be debayered ({cfa.name})")
    if bayer and not (
        sorted(cfa.name) == sorted("RGGB") and ("G" in cfa.rows[0] and "G" in cfa.rows[1])
    ):
        raise SettingsError(
            f"{cfa.name} is no Bayer pattern", remedy="use RGGB, BGGR, GRBG or GBRG"
        )
    interpolator = chosen.bayer if bayer else chosen.xtrans
    if interpolator is None:
        kind = "Bayer" if bayer else "X-Trans"
        possible = [
            entry.name
            for entry in DEBAYER_METHODS.entries()
            if (entry.value.bayer if bayer else entry.value.xtrans)
        ]
        raise SettingsError(
            f"the debayer method {method!r} does not know {kind} patterns ({cfa.name})",
            remedy=f"choose one of: {', '.join(possible)}",
        )
    return interpolator, planes


def debayer(
    mosaic: Float32,
    cfa: CfaPattern,
    method: str = "vng",
    out: Float32 | None = None,
    *,
    threads: int = 1,
) -> Float32:
    """Interpolate the missing colours of a mosaic.

    Parameters
    ----------
    mosaic : (rows, columns) float32
        DN; negative values are fine, NaN is missing. The interior of a window, `debayer_margin`
        pixels from each side that is not the image's, becomes what the whole image would give.
    cfa : CfaPattern
        Phased at the mosaic's first pixel.
    method : str
        A name in `DEBAYER_METHODS`.
    out : (3, rows, columns) float32, optional
        Where to write; rows and columns are divided by `debayer_scale`.
    threads : int

    Returns
    -------
    (3, rows, columns) float32
        Red, green and blue in DN.

    Raises
    ------
    SettingsError
        If the method is unknown or does not know this kind of pattern.
    ValueError
        If the mosaic has other axes than rows and columns, or `out` another shape or type.
    """
    interpolator, cell = _cell(mosaic, cfa, method)
    scale = debayer_scale(method, cfa)
    shape = (3, mosaic.shape[0] // scale, mosaic.shape[1] // scale)
    if out is None:
        out = np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32:
        raise ValueError(f"the result is float32 {shape}, not {out.dtype} {out.shape}")
    interpolator(np.ascontiguousarray(mosaic, np.float32), cell, threads, out)
    return out


def superpixel(mosaic: Float32, cfa: CfaPattern) -> Float32:
    """Return one pixel for each cell, without interpolation; see the method ``superpixel``.

    Returns
    -------
    (3, rows // n, columns // n) float32
        n = 2, or 3 for X-Trans; the mean of what is there, NaN where nothing is.
    """
    return debayer(mosaic, cfa, "superpixel")


def split_cfa(mosaic: Float32, cfa: CfaPattern) -> dict[str, Float32]:
    """Split a mosaic into the planes of its cell's positions, each of the same colour.

    Parameters
    ----------
    mosaic : (rows, columns) float32
        Rows and columns that fill no whole cell are an error, as merging could not restore them.
    cfa : CfaPattern
        Phased at the mosaic's first pixel.

    Returns
    -------
    dict of str to (rows // p, columns // p) float32
        Keyed by colour, row and column in the cell, row by row: ``{"R00": ..., "G01": ...}``.

    Raises
    ------
    ValueError
        If rows or columns are left over.
    """
    period = cfa.period
    if mosaic.shape[0] % period or mosaic.shape[1] % period:
        raise ValueError(f"{mosaic.shape} pixels do not hold whole cells of {period} x {period}")
    planes = cfa.planes()
    return {
        f"{COLOURS[planes[y, x]]}{y}{x}": np.ascontiguousarray(mosaic[y::period, x::period])
        for y in range(period)
        for x in range(period)
    }


def merge_cfa(planes: dict[str, Float32], cfa: CfaPattern) -> Float32:
    """Merge what `split_cfa` has split.

    Raises
    ------
    ValueError
        If planes are missing, superfluous, or of different shapes.
    """
    period = cfa.period
    cell = cfa.planes()
    names = {f"{COLOURS[cell[y, x]]}{y}{x}": (y, x) for y in range(period) for x in range(period)}
    shapes = {plane.shape for plane in planes.values()}
    if set(planes) != set(names) or len(shapes) != 1:
        raise ValueError(
            f"{cfa.name} has the planes {', '.join(names)}, of one shape,"
            f" not {', '.join(planes)} of shapes {sorted(shapes)}"
        )
    rows, columns = shapes.pop()
    out = np.empty((rows * period, columns * period), np.float32)
    for name, (y, x) in names.items():
        out[y::period, x::period] = planes[name]
    return out
