"""Cosmetic correction: defective pixels are found and replaced by good neighbours of their colour.

It follows calibration and precedes debayering (guide, section 9.1). Defects come from the master
dark, from the calibrated light itself, or from a list; see `defects_from_dark`, `detect_defects`
and `parse_defect_list`.
"""

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Int64
from lightframe.errors import SettingsError
from lightframe.frames._cfa import CfaPattern
from lightframe.kernels import _cosmetic as kernels
from lightframe.kernels import _cosmetic_detect as search
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._cosmetic_settings import DARK_LIMITS, CosmeticSettings
from lightframe.processes._defects import Defects
from lightframe.processes._neighbours import classes, is_regular, nearest, rings, selecting_network
from lightframe.processes._quantization import value_step
from lightframe.processes._repairs import Repairs
from lightframe.processes._strips import in_strips

__all__ = [
    "correct_defects",
    "defects_from_dark",
    "detect_defects",
]


FARTHEST_PX = 12
"""How far a neighbourhood may grow."""

TILE = 60
"""Side of the tiles in which noise is measured, a multiple of all cells' sides."""

LEAST_NOISE = MAD_TO_SIGMA * 0.5 / np.sqrt(1.5)
"""What a median deviation of half a step is taken for, the least but none: in steps."""

SAMPLES = 192
"""Pixels of one colour that give the noise of a tile: its standard error is 8 %."""

_PLANE = 2
"""Axes of a single plane."""

SMALLEST = 12
"""Least side of an image in which neighbourhoods make sense: two X-Trans cells."""

LEVEL_SAMPLES = 25
"""Same-colour pixels in the local level of a dark: 5 x 5 for mono."""

ENOUGH = 4
"""Good neighbours that a replacement needs before it looks farther away."""

CONFIDENCE = 3.0
"""Sigma by which a defect's neighbours must lie below those of the sharpest star."""

MONO_CAUTION = 0.8
"""Share of the expected rise that is demanded in mono frames: photon noise of the star itself."""

COLOUR_CAUTION = 0.4
"""The same where the next pixels have another colour, in which a star may be this much fainter."""


def _mosaic(image: npt.NDArray[np.generic]) -> Float32:
    *channels, height, width = image.shape
    if channels not in ([], [1]):
        raise ValueError(f"one plane is wanted, not an array of shape {image.shape}")
    if min(height, width) < SMALLEST:
        raise ValueError(f"at least {SMALLEST} x {SMALLEST} pixels are wanted: {image.shape}")
    return np.ascontiguousarray(image.reshape(height, width), np.float32)


def local_excess(
    image: npt.NDArray[np.generic], cfa: CfaPattern | None, *, threads: int = 1
) -> Float32:
    """Return the image minus the median of the 25 nearest pixels of the same colour.

    Parameters
    ----------
    image : (height, width) or (1, height, width)
        DN.
    cfa : CfaPattern or None
        Phased at the image's origin.

    Returns
    -------
    (height, width) float32
        DN; NaN where the pixel or its local level is missing.
    """
    plane = _mosaic(image)
    offsets = nearest(cfa, LEVEL_SAMPLES, centre=True)
    period = len(offsets)
    if is_regular(cfa):
        offsets = np.ascontiguousarray(offsets[:1, :1])
    middle = LEVEL_SAMPLES // 2
    network = selecting_network(LEVEL_SAMPLES, middle)
    out = np.empty_like(plane)

    def strip(first: int, last: int) -> None:
        kernels.local_median(plane, offsets, period, network, middle, first, last, out)
        part = out[first:last]
        np.subtract(plane[first:last], part, out=part)
        part[~np.isfinite(part)] = np.nan

    in_strips(strip, plane.shape[0], threads)
    return out


def defects_from_dark(
    dark: npt.NDArray[np.generic],
    cfa: CfaPattern | None,
    settings: CosmeticSettings | None = None,
    *,
    threads: int = 1,
) -> Defects:
    """Find the hot and cold pixels of a master dark.

    Each pixel is compared with the median of the 25 nearest pixels of its colour, so that amplifier
    glow is no defect. Limit ``sigma``: sigma is 1.4826 MAD of these differences in the same colour
    plane, which the hot pixels themselves do not inflate; where more than half of them are zero
    (coarse quantization), the 90th, 99th or 99.9th percentile stands in for the median. Limits
    ``level`` and ``count`` apply to the differences in DN.

    Parameters
    ----------
    dark : (height, width) or (1, height, width)
        DN, float32 or uint16.
    cfa : CfaPattern or None
        Phased at the dark's origin.
    settings : CosmeticSettings, optional
        Nothing is found where `use_dark` is off.
    threads : int

    Raises
    ------
    SettingsError
        If the limit needs a level that is not given.
    """
    settings = settings or CosmeticSettings()
    if not settings.use_dark:
        return Defects.none()
    _require_limits(settings)
    excess = local_excess(dark, cfa, threads=threads)
    hot = np.zeros(excess.shape, bool)
    cold = np.zeros(excess.shape, bool)
    limit = DARK_LIMITS[settings.dark_limit]
    kinds = classes(cfa if settings.dark_limit == "sigma" else None)
    period = len(kinds)
    for kind in range(int(kinds.max()) + 1):
        planes = [
            (slice(y, None, period), slice(x, None, period)) for y, x in np.argwhere(kinds == kind)
        ]
        values = [excess[plane].reshape(-1) for plane in planes]
        marks = limit(values[0] if len(values) == 1 else np.concatenate(values), settings)
        for result, mark in zip((hot, cold), marks, strict=True):
            start = 0
            for plane in planes:
                part = result[plane]
                part[...] = mark[start : start + part.size].reshape(part.shape)
                start += part.size
    return Defects(
        np.flatnonzero(hot & settings.hot),
        np.flatnonzero(cold & settings.cold),
    )


def _require_limits(settings: CosmeticSettings) -> None:
    wanted = {
        "level": (settings.hot_level_dn, settings.cold_level_dn),
        "count": (settings.hot_count, settings.cold_count),
    }.get(settings.dark_limit, (1,))
    if not any(wanted):
        name = {"level": "level_dn", "count": "count"}[settings.dark_limit]
        raise SettingsError(
            f"the limit {settings.dark_limit!r} for the master dark has no value",
            remedy=f"give hot_{name}, cold_{name} or both",
        )


def local_noise(plane: Float32, cfa: CfaPattern | None, *, threads: int = 1) -> Float32:
    """Return the noise of each colour class in tiles of 60 x 60 pixels.

    Parameters
    ----------
    plane : (height, width) float32
    cfa : CfaPattern or None

    Returns
    -------
    (classes, tile rows, tile columns) float32
        DN; tiles with too few pixels have the median of the others. Where the noise is below half
        a step between integers, it is that of 0.6 steps: a single step is no defect.
    """
    kinds = classes(cfa)
    tiles = [-(-size // TILE) for size in plane.shape]
    noise = np.empty((int(kinds.max()) + 1, *tiles), np.float32)
    pairs = np.ascontiguousarray(nearest(cfa, 2, centre=False))

    def strip(first: int, last: int) -> None:
        kernels.tile_noise(plane, kinds, pairs, TILE, SAMPLES, first, last, noise)

    in_strips(strip, tiles[0], threads)
    for tile in noise:
        known = tile[np.isfinite(tile)]
        tile[~np.isfinite(tile)] = np.median(known) if known.size else np.inf
    return np.maximum(noise, np.float32(LEAST_NOISE * value_step(plane)))


def _candidates(
    plane: Float32,
    cfa: CfaPattern | None,
    noise: Float32,
    limits: tuple[float, float],
    threads: int,
) -> Int64:
    """Return the pixels that differ from the median of their four nearest of the same colour."""
    kinds = classes(cfa)
    period = len(kinds)
    height, width = plane.shape
    columns = np.arange(width)
    by_row = np.ascontiguousarray(
        np.stack(
            [noise[kinds[y, columns % period], :, columns // TILE].T for y in range(period)], axis=1
        )
    )
    offsets = nearest(cfa, 4, centre=False)

    def strip(first: int, last: int) -> Int64:
        room = max(1024, (last - first) * width // 100)
        while True:
            found = np.empty(room, np.int64)
            if is_regular(cfa):
                count = search.isolated_by_cross(
                    plane, period, by_row, TILE, *limits, first, last, found
                )
            else:
                count = search.isolated_by_table(
                    plane, offsets, by_row, TILE, *limits, first, last, found
                )
            if count <= room:
                return found[:count].copy()
            room = count

    return np.concatenate(in_strips(strip, height, threads))


def detect_defects(
    image: npt.NDArray[np.generic],
    cfa: CfaPattern | None,
    settings: CosmeticSettings | None = None,
    *,
    threads: int = 1,
) -> Defects:
    """Find pixels of a calibrated light that stand alone.

    A pixel t is **hot** if all of this holds. Below, sigma is the local noise, and the level of a
    colour is the median of its pixels in a box of 7 x 7 (CFA: 13 x 13) without the nearest ones.

    1. t exceeds the median of its 8 same-colour neighbours, that of the nearest 4 of them, and the
       level of its colour, each by `hot_sigma` sigma.
    2. Its same-colour neighbours do not rise with it: the median of the nearest 4 is above the
       level by less than r times the pixel's own height over the level.
    3. Nor do the 4 pixels at its sides, whatever their colour: the median of their heights, each
       over the level of its own colour, plus 3 times its noise, is less than 0.8 r (in a CFA
       0.4 r, as a star may be fainter in the other colours) times the pixel's height.

    r = exp(-4 ln 2 / F^2) is what a star of F = `sharpest_star_px` FWHM, centred on the pixel,
    gives the pixels beside it; any other position, and any larger star, gives more. So a peak that
    is too faint to be told from a star is left alone: with the defaults hot pixels are found from
    some 15 sigma (mono) or 30 sigma (CFA) on.

    A pixel is **cold** if it is below the median of its 8 neighbours, that of the nearest 4, and
    the level by `cold_sigma` sigma.

    sigma is the larger of two: the noise of the pixel's colour in its tile of 60 x 60 pixels
    (1.4826 median |t - (n0 + n1) / 2| / sqrt(1.5), so with the photon noise of the place), and the
    spread of its 8 neighbours (from the 2nd to the 7th, over 1.70), which grows in stars' wings and
    galaxies' cores.

    Parameters
    ----------
    image : (height, width) or (channels, height, width)
        Calibrated DN; missing pixels are NaN and count neither as defects nor as neighbours. What
        is found in any channel counts for all.
    cfa : CfaPattern or None
        Phased at the image's origin; frames with a CFA have one channel.
    settings : CosmeticSettings, optional
        Nothing is found where `detect` is off.
    threads : int

    Returns
    -------
    Defects
    """
    settings = settings or CosmeticSettings()
    found = Defects.none()
    if settings.detect:
        for plane in image if image.ndim > _PLANE else image[np.newaxis]:
            found = found.merged(_detect_in_plane(_mosaic(plane), cfa, settings, threads))
    return found


def _detect_in_plane(
    plane: Float32, cfa: CfaPattern | None, settings: CosmeticSettings, threads: int
) -> Defects:
    noise = local_noise(plane, cfa, threads=threads)
    limits = (
        settings.hot_sigma if settings.hot else np.inf,
        settings.cold_sigma if settings.cold else np.inf,
    )
    candidates = _candidates(plane, cfa, noise, limits, threads)
    ratio = float(np.exp(-4 * np.log(2) / settings.sharpest_star_px**2))
    caution = MONO_CAUTION if cfa is None else COLOUR_CAUTION
    verdicts = np.zeros(candidates.size, np.uint8)
    kinds = classes(cfa)
    offsets = nearest(cfa, 8, centre=False)

    def judge(first: int, last: int) -> None:
        search.judge_isolated(
            plane, candidates[first:last], kinds, offsets, noise, TILE, *limits,
            ratio, caution * ratio, CONFIDENCE, verdicts[first:last],
        )  # fmt: skip

    in_strips(judge, candidates.size, threads)
    return Defects(
        candidates[verdicts == search.HOT] // 2, candidates[verdicts == search.COLD] // 2
    )


def correct_defects(
    planes: Float32,
    defects: Defects,
    *,
    cfa: CfaPattern | None,
    radius: int = 1,
    fill_missing: bool = False,
) -> Repairs:
    """Replace defective pixels by the median of good same-colour neighbours, in place.

    Neighbours are the pixels of the same colour in the box of (2 `radius` + 1)^2 at the array's
    step (mono 1, Bayer 2), for X-Trans the same number of nearest ones. Defective and missing
    pixels are never used; where fewer than four good ones are left, the neighbourhood grows, up to
    12 pixels. So a defective column is filled from the columns beside it. Where nothing good is
    within reach, the pixel becomes missing (NaN).

    Parameters
    ----------
    planes : (channels, height, width) float32, C order
        An image.
    defects : Defects
        They apply to all channels.
    cfa : CfaPattern or None
        Phased at the image's origin.
    radius : int
        As in `CosmeticSettings`.
    fill_missing : bool
        Treat missing pixels as defects.

    Returns
    -------
    Repairs
        What was replaced, and by what.
    """
    offsets, ends = rings(cfa, radius, FARTHEST_PX)
    pixels, values = [], []
    for plane in planes:
        missing = np.flatnonzero(np.isnan(plane)) if fill_missing else defects.pixels[:0]
        chosen = np.union1d(defects.pixels, missing) if missing.size else defects.pixels
        found = np.empty(chosen.size, np.float32)
        kernels.replace_by_median(plane, chosen, offsets, ends, ENOUGH, found)
        if missing.size:  # what was missing and is so still is no repair; there may be millions
            repaired = ~np.isnan(found)
            repaired[np.searchsorted(chosen, defects.pixels)] = True
            chosen, found = chosen[repaired], found[repaired]
        pixels.append(chosen)
        values.append(found)
    return Repairs(tuple(pixels), tuple(values), planes.shape[2])
