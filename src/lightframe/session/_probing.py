"""What pass 1 looks at in each calibrated light for the checks, while its pixels are in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.frames import FrameInfo, FrameKind
from lightframe.processes import (
    SYMMETRIES,
    BackgroundTiles,
    Clipping,
    DarkScale,
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
    flat_probe,
    flat_products,
    glow_map,
    hot_pixels,
    hot_slope,
    pattern_sample,
)
from lightframe.session._calibrating import Master
from lightframe.session._plan_types import Assignment

__all__ = ["Glimpse", "Probe", "examine", "prepare_probe"]


_BIAS_LIKE = (FrameKind.BIAS, FrameKind.FLAT_DARK)
"""Frames whose dark signal is small against that of a dark."""
_CEILING = 0.9
"""Part of the range up to which hot pixels are taken."""
_SAMPLE = 6000
_LEVEL_PIXELS = 1 << 20
"""Whole rows with so many pixels tell the mean of a flat to a thousandth."""
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
    shared_bias_dn : tuple of float
        Variance of the bias that lights and flats share over the level of the flat, one a colour,
        DN; empty where they share none.
    """

    flat: FlatProbe | None = None
    hot: HotPixels | None = None
    dust: DustProbe | None = None
    glow: Float64 | None = None
    shared_bias_dn: tuple[float, ...] = ()

    def shared_dn(self, dark_scale: DarkScale | None) -> tuple[float, ...]:
        """Return the same for a light: a scaled dark gives back its part of the bias."""
        lost = 1.0 if dark_scale is None else 1.0 - dark_scale.k
        return tuple(lost * value for value in self.shared_bias_dn)


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
    sample : ndarray of float32
        Some thousand of its pixels, from everywhere.
    """

    low_fraction: float
    tiles: BackgroundTiles
    flat_fit: FlatFit | None
    hot_left: HotSlope | None
    hot_symmetry: str | None
    pattern: Float32
    dust: Float32 | None
    sample: Float32


def prepare_probe(
    assignment: Assignment,
    calibration: PreparedCalibration,
    masters: Mapping[str, Master],
    infos: Mapping[Path, FrameInfo],
) -> Probe:
    """Prepare what `examine` needs, once for all lights of an assignment."""
    reciprocal = calibration.flat_reciprocal
    dark = None if assignment.dark is None else masters[assignment.dark].pixels
    if dark is not None and dark.shape[1:] != (calibration.height, calibration.width):
        dark = None  # it still has its overscan
    hot = None
    if dark is not None:
        gain = None if reciprocal is None else reciprocal[0]
        info = infos[assignment.frames[0]]
        ceiling = (info.saturation_dn and info.white_dn) or float(np.nanmax(dark))
        hot = hot_pixels(dark[0], calibration.cfa, gain, ceiling_dn=_CEILING * ceiling)
    glow = _glow_of(assignment, dark, calibration, masters)
    if reciprocal is None or assignment.flat is None:
        return Probe(hot=hot, glow=glow)
    noise = _noise_of_flat(masters[assignment.flat], calibration)
    return Probe(
        flat_probe(reciprocal, dark, calibration.cfa, noise),
        hot,
        dust_probe(reciprocal[0], calibration.cfa),
        glow,
        _shared_bias(assignment, calibration, masters),
    )


def _glow_of(
    assignment: Assignment,
    dark: Float32 | None,
    calibration: PreparedCalibration,
    masters: Mapping[str, Master],
) -> Float64 | None:
    """Return what the large-scale dark signal would be in calibrated lights, in tiles.

    None where there is no bias of the same settings.
    """
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
    gain = calibration.flat_reciprocal
    return glow_map(
        background_tiles(dark, cfa),
        background_tiles(others[0], cfa),
        None if gain is None else background_tiles(gain, cfa),
    )


def _noise_of_flat(flat: Master, calibration: PreparedCalibration) -> tuple[float, ...] | None:
    """Return the relative noise of a pixel where the flat is 1, one number a colour.

    The noise of a pixel grows with the root of its light, so that of a colour of mean level m is
    ``sigma / sqrt(m s0)`` there. None for a flat that was given, whose noise is not known.
    """
    sigmas, scale = flat.record["random_noise_dn"], calibration.flat_scale
    if not sigmas or scale is None or flat.record["relative_noise"] is None:
        return None
    means = _mean_levels(flat.pixels, calibration)
    if min(*means, *scale.factors) <= 0:
        return None
    levels = [scale.factors[min(index, len(scale.factors) - 1)] for index in range(len(sigmas))]
    pairs = zip(sigmas, levels, strict=True)
    return tuple(
        float(sigma / np.sqrt(level * means[min(index, len(means) - 1)]))
        for index, (sigma, level) in enumerate(pairs)
    )


def _mean_levels(pixels: Float32, calibration: PreparedCalibration) -> list[float]:
    """Return the mean of each channel, or of each colour of a mosaic, from a sample of rows."""
    step = max(1, pixels.shape[1] * pixels.shape[2] // _LEVEL_PIXELS)
    if calibration.cfa is None:
        return [float(np.nanmean(plane[::step])) for plane in pixels]
    cell = calibration.cfa.planes()
    period = len(cell)
    return [
        float(np.mean([np.nanmean(pixels[0, y :: period * step, x::period]) for y, x in places]))
        for places in (np.argwhere(cell == colour) for colour in range(int(cell.max()) + 1))
    ]


def _shared_bias(
    assignment: Assignment, calibration: PreparedCalibration, masters: Mapping[str, Master]
) -> tuple[float, ...]:
    """Return what the noise of a bias that lights and flats share does to their products, DN.

    Its variance over the level of the flat, one number a colour; empty where they share none.
    """
    if assignment.bias is None or assignment.flat is None or calibration.flat_scale is None:
        return ()
    if all(step.bias != assignment.bias for step in masters[assignment.flat].job.steps):
        return ()
    noise = masters[assignment.bias].record["random_noise_dn"]
    levels = calibration.flat_scale.factors
    if not noise:
        return ()
    return tuple(
        noise[min(index, len(noise) - 1)] ** 2 / level for index, level in enumerate(levels)
    )


def examine(
    pixels: Float32,
    clipping: Clipping,
    calibration: PreparedCalibration,
    probe: Probe,
    dark_scale: DarkScale | None = None,
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
    dark_scale : DarkScale, optional
        Factor of its dark, where that is scaled.
    """
    tiles = background_tiles(pixels, calibration.cfa)
    fit = None
    if probe.flat is not None:
        shared = probe.shared_dn(dark_scale) or None
        fit = flat_fit(tiles, flat_products(pixels, probe.flat), probe.flat, shared)
    left, symmetry = None, None
    if probe.hot is not None:
        noise = float(np.nanmedian(tiles.noise))
        left, symmetry = _ledger(pixels[0], probe.hot, noise)
    pattern = pattern_sample(pixels[0], calibration.cfa)
    dust = None if probe.dust is None else dust_stamps(pixels[0], probe.dust)
    sample = _sample(pixels[0])
    return Glimpse(clipping.low_fraction, tiles, fit, left, symmetry, pattern, dust, sample)


def _sample(plane: Float32) -> Float32:
    """Return some thousand pixels, an odd distance apart, so that all colours take part."""
    every = int(np.sqrt(plane.size / _SAMPLE)) | 1
    values = plane[::every, ::every].ravel()
    return np.asarray(values[np.isfinite(values)], np.float32)


def _ledger(plane: Float32, hot: HotPixels, noise_dn: float) -> tuple[HotSlope | None, str | None]:
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
