"""What pass 1 looks at in each calibrated light for the checks, while its pixels are in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.errors import LightframeError
from lightframe.frames import FrameInfo, FrameKind, PixelSource, Window, open_pixels
from lightframe.processes import (
    SYMMETRIES,
    BackgroundTiles,
    Clipping,
    DustProbe,
    FlatFit,
    FlatProbe,
    HotPixels,
    HotSlope,
    PreparedCalibration,
    background_tiles,
    dust_probe,
    dust_stamps,
    flat_fit,
    flat_noise,
    flat_probe,
    flat_products,
    glow_map,
    hot_pixels,
    hot_slope,
    pattern_sample,
)
from lightframe.session._calibrating import Master
from lightframe.session._context import Context
from lightframe.session._plan_types import Assignment, MasterJob

__all__ = ["Glimpse", "Probe", "examine", "prepare_probe"]

_F32 = npt.NDArray[np.float32]

_ROWS = 128
"""Rows of two flats from which their noise is taken."""
_BIAS_LIKE = (FrameKind.BIAS, FrameKind.FLAT_DARK)
"""Frames whose dark signal is small against that of a dark."""
_CEILING = 0.9
"""Part of the range up to which hot pixels are taken."""
_MISSING = -0.6
"""Slope of hot pixels that are not where the dark has them."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the lights of one assignment are held against.

    Attributes
    ----------
    flat : FlatProbe or None
        Their flat; None if there is none.
    hot : HotPixels or None
        The hot pixels of their dark; None if there is none.
    dust : DustProbe or None
        The dust shadows of their flat; None if there are none.
    glow : ndarray of float64 or None
        Large-scale structure of dark minus bias in tiles; None if one of both is missing.
    """

    flat: FlatProbe | None = None
    hot: HotPixels | None = None
    dust: DustProbe | None = None
    glow: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What pass 1 has seen of a calibrated light.

    Attributes
    ----------
    low_fraction : float
        Fraction of its pixels below zero.
    tiles : BackgroundTiles
        Its background.
    flat_fit : FlatFit or None
        How much of it follows the flat; None where that cannot be told.
    hot_left : HotSlope or None
        What is left of the dark's hot pixels; None where that cannot be told.
    hot_symmetry : str or None
        How the dark must be laid on the light so that its hot pixels are found.
    pattern : ndarray of float32
        Single pixels less their neighbours, at the same places in each light.
    dust : ndarray of float32 or None
        The surroundings of the flat's dust shadows.
    """

    low_fraction: float
    tiles: BackgroundTiles
    flat_fit: FlatFit | None
    hot_left: HotSlope | None
    hot_symmetry: str | None
    pattern: _F32
    dust: _F32 | None


def prepare_probe(
    assignment: Assignment,
    calibration: PreparedCalibration,
    masters: Mapping[str, Master],
    infos: Mapping[Path, FrameInfo],
    context: Context,
) -> Probe:
    """Prepare what `examine` needs, once for all lights of an assignment."""
    reciprocal = calibration.flat_reciprocal
    dark = None if assignment.dark is None else masters[assignment.dark].pixels
    if dark is not None and dark.shape[1:] != (calibration.height, calibration.width):
        dark = None  # it still has its overscan
    hot = None
    if dark is not None:
        gain = None if reciprocal is None else reciprocal[0]
        ceiling = infos[assignment.frames[0]].saturation_dn or _CEILING * float(np.nanmax(dark))
        hot = hot_pixels(dark[0], calibration.cfa, gain, ceiling_dn=_CEILING * ceiling)
    glow = _glow_of(assignment, dark, calibration, masters)
    if reciprocal is None or assignment.flat is None:
        return Probe(hot=hot, glow=glow)
    noise = _noise_of_flat(masters[assignment.flat].job, calibration, infos, context)
    return Probe(
        flat_probe(reciprocal, dark, calibration.cfa, noise),
        hot,
        dust_probe(reciprocal[0], calibration.cfa),
        glow,
    )


def _glow_of(
    assignment: Assignment,
    dark: _F32 | None,
    calibration: PreparedCalibration,
    masters: Mapping[str, Master],
) -> npt.NDArray[np.float64] | None:
    """Return the large-scale dark signal in tiles, where a bias of the same settings is there."""
    shape = (calibration.height, calibration.width)
    others = [
        master.pixels
        for name, master in masters.items()
        if (name == assignment.bias or master.job.kind in _BIAS_LIKE)
        and master.job.gain == assignment.gain
        and master.pixels.shape[1:] == shape
    ]
    if dark is None or not others or not assignment.dark_holds_bias:
        return None
    cfa = calibration.cfa
    return glow_map(background_tiles(dark, cfa), background_tiles(others[0], cfa))


def _noise_of_flat(
    job: MasterJob,
    calibration: PreparedCalibration,
    infos: Mapping[Path, FrameInfo],
    context: Context,
) -> tuple[float, ...] | None:
    """Return the relative noise of a pixel of the master flat; None for a flat that was given."""
    if job.given or len(job.frames) < 2 or calibration.flat_scale is None:  # noqa: PLR2004 - a pair
        return None
    sources: list[PixelSource] = []
    try:
        sources.extend(open_pixels(path, scratch=context.scratch) for path in job.frames[:2])
        first, second = (_middle(source) for source in sources)
    except LightframeError:
        return None  # set aside by name when the master was built
    finally:
        for source in sources:
            source.close()
    if first.shape != second.shape:
        return None
    cfa = infos[job.frames[0]].cfa
    return flat_noise(first, second, cfa, calibration.flat_scale.factors, len(job.frames))


def _middle(source: PixelSource) -> _F32:
    """Return rows from the middle of a frame's first plane, from a multiple of 6 on."""
    y0 = max(0, source.height - _ROWS) // 2 // 6 * 6
    window = Window(y0, min(source.height, y0 + _ROWS), 0, source.width)
    pixels = np.empty((source.channels, *window.shape), source.dtype)
    source.read(window, pixels)
    return np.asarray(pixels[0], np.float32)


def examine(
    pixels: _F32, clipping: Clipping, calibration: PreparedCalibration, probe: Probe
) -> Glimpse:
    """Look at a calibrated light.

    Parameters
    ----------
    pixels : ndarray of float32, shape (channels, height, width)
        Calibrated, defects not yet corrected, DN.
    clipping : Clipping
        What truncation would change.
    calibration : PreparedCalibration
        How it was calibrated.
    probe : Probe
        What it is held against.
    """
    tiles = background_tiles(pixels, calibration.cfa)
    fit = None
    if probe.flat is not None:
        fit = flat_fit(tiles, flat_products(pixels, probe.flat), probe.flat)
    left, symmetry = None, None
    if probe.hot is not None:
        noise = float(np.nanmedian(tiles.noise))
        left, symmetry = _ledger(pixels[0], probe.hot, noise)
    pattern = pattern_sample(pixels[0], calibration.cfa)
    dust = None if probe.dust is None else dust_stamps(pixels[0], probe.dust)
    return Glimpse(clipping.low_fraction, tiles, fit, left, symmetry, pattern, dust)


def _ledger(plane: _F32, hot: HotPixels, noise_dn: float) -> tuple[HotSlope | None, str | None]:
    """Look hot pixels up where the dark has them, and if they are not there, where they may be."""
    left = hot_slope(plane, hot, noise_dn)
    if left is None:
        return None, None
    if left.slope > _MISSING:
        return left, "as stored"
    found = {name: hot_slope(plane, hot, noise_dn, symmetry=name) for name in SYMMETRIES}
    slopes = {name: slope.slope for name, slope in found.items() if slope is not None}
    best = max(slopes, key=lambda name: slopes[name])
    return left, best if slopes[best] > -_MISSING else None
