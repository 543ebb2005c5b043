"""The test whether flats need flat-darks, or whether a bias does (guide 4.3), made from the frames.

A bias leaves the dark signal of the flat's exposure in the flat. Added to a flat ``F`` it becomes
``F + d``, and a light divided by it is wrong by ``d / F`` of its level, more where the flat is
faint: what is even divides out except in the corners, glow and warm pixels do not. Flat-darks are
worth their effort where that is more than the flat's own errors:

- over whole regions, if ``d / F`` exceeds `limit` and three times its error;
- in single pixels, if more of them than `pixels_limit` hold a dark signal above both `limit` of
  the level and three times the noise of the master flat.

No command asks this of its own: a check tells of raw frames, before any master is there, and by
regions alone (the rule `flat-dark-needed`), and a run has made its choice by then. It is for those
who have masters in hand, and want to know whether their flats need flat-darks from now on::

    left = dark_signal(flat_dark, bias)
    print(flat_dark_test(flat - bias, left).reason)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.errors import IncompatibleFramesError, InputError
from lightframe.figures import percent
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.processes._noise import evaluate_noise

__all__ = ["FlatDarkTest", "dark_signal", "flat_dark_test"]


_TILE_PX = 64
"""Side of a tile in pixels of the frame."""
_LEAST_SIDE = 8
"""The same in pixels of a colour plane, at the least."""
_WORST = 0.99
"""Quantile of the tiles that counts: the glow of a corner, not a single tile."""
_SIGNIFICANT = 3.0
_OF_MEDIAN = 1.2533
"""Error of the median of Gaussian samples over that of their mean."""


class _Row(NamedTuple):
    """What was measured of one colour."""

    label: str
    level_dn: float
    signal_dn: float
    worst_dn: float
    share: float
    error: float
    pixels: float
    noise_dn: float


@dataclass(frozen=True, slots=True)
class FlatDarkTest:
    """What a bias leaves in flats; one value a colour, the two greens together.

    Attributes
    ----------
    needed : bool
        Whether flat-darks are worth their effort.
    reason : str
        Why, with the numbers.
    colours : tuple of str
        What the values belong to: ``("",)`` or ``("R", "G", "B")``.
    level_dn : tuple of float
        Median of the flat.
    signal_dn : tuple of float
        Median of the dark signal left in it.
    worst_dn, worst_share, error : tuple of float
        Dark signal in the worst region (99th percentile of the tiles), the same as a part of the
        flat there, and the error of that.
    pixels : tuple of float
        Fraction of pixels whose dark signal exceeds limit and noise.
    noise_dn : tuple of float
        Noise of a pixel of the flat.
    """

    needed: bool
    reason: str
    colours: tuple[str, ...]
    level_dn: tuple[float, ...]
    signal_dn: tuple[float, ...]
    worst_dn: tuple[float, ...]
    worst_share: tuple[float, ...]
    error: tuple[float, ...]
    pixels: tuple[float, ...]
    noise_dn: tuple[float, ...]


def dark_signal(dark: Float32, bias: Float32, *, ratio: float = 1.0) -> Float32:
    """Return what a bias leaves of a dark in a frame.

    Parameters
    ----------
    dark : ndarray of float32
        Master flat-dark, or a master dark of another exposure; either contains its bias. DN.
    bias : ndarray of float32
        Master bias, same shape.
    ratio : float
        Exposure of the flat over that of the dark: 1 for a flat-dark.

    Returns
    -------
    ndarray of float32
        The dark without its bias, for the exposure of the flat, in DN.

    Raises
    ------
    IncompatibleFramesError
        If dark and bias differ in size.
    """
    if dark.shape != bias.shape:
        raise IncompatibleFramesError(
            "size", ("the master dark", dark.shape), ("the master bias", bias.shape)
        )
    return (dark - bias) * np.float32(ratio)


def flat_dark_test(
    flat: Float32,
    signal: Float32,
    cfa: CfaPattern | None = None,
    *,
    noise_dn: Sequence[float] | None = None,
    limit: float = 0.001,
    pixels_limit: float = 0.001,
) -> FlatDarkTest:
    """Decide whether flats need flat-darks.

    Parameters
    ----------
    flat : ndarray of float32, shape (height, width)
        Master flat, or one flat, free of its bias, DN.
    signal : ndarray of float32, shape (height, width)
        Dark signal that the bias leaves in it, see `dark_signal`, DN.
    cfa : CfaPattern or None
        Colours at the origin.
    noise_dn : sequence of float, optional
        Noise of a pixel of the master flat, one number or one a colour; measured on the flat if not
        given, its pattern included, which hides weaker pixels.
    limit : float
        Part of the level from which on dark signal matters.
    pixels_limit : float
        Fraction of pixels from which on single ones do.

    Raises
    ------
    IncompatibleFramesError
        If the sizes differ.
    InputError
        If the flat has no light.
    """
    if flat.shape != signal.shape:
        raise IncompatibleFramesError(
            "size", ("the flat", flat.shape), ("its dark signal", signal.shape)
        )
    measured = evaluate_noise(flat, cfa) if noise_dn is None else None
    cell = np.zeros((1, 1), np.uint8) if cfa is None else cfa.planes()
    colours = np.unique(cell).tolist()
    labels = tuple("" if cfa is None else COLOURS[colour] for colour in colours)
    rows = []
    for place, label in enumerate(labels):
        if measured is not None:
            own = [
                sigma
                for plane, sigma in zip(measured.planes, measured.sigma_dn, strict=True)
                if plane[:1] == label
            ]
            noise = float(np.sqrt(np.mean(np.square(own))))
        else:
            given = list(noise_dn or ())
            noise = float(given[min(place, len(given) - 1)])
        planes = [
            (flat[y :: len(cell), x :: len(cell)], signal[y :: len(cell), x :: len(cell)])
            for y, x in np.argwhere(cell == colours[place]).tolist()
        ]
        rows.append(_colour(planes, label, noise, limit, spacing=len(cell)))
    needed, reason = _verdict(rows, limit, pixels_limit)
    _, level, middle, worst, share, error, pixels, noises = zip(*rows, strict=True)
    return FlatDarkTest(needed, reason, labels, level, middle, worst, share, error, pixels, noises)


def _colour(
    planes: Sequence[tuple[Float32, Float32]],
    label: str,
    noise: float,
    limit: float,
    *,
    spacing: int,
) -> _Row:
    """Measure one colour; its planes are those of the places it has in the cell."""
    flats = np.concatenate([flat.ravel() for flat, _ in planes])
    signals = np.concatenate([signal.ravel() for _, signal in planes])
    known = np.isfinite(flats) & np.isfinite(signals)
    level = float(np.median(flats[known])) if known.any() else 0.0
    if level <= 0:
        raise InputError(
            f"the flat has no light{label and ' in ' + label}: {level:.4g} DN above its bias",
            remedy="look at the flats and at what they were calibrated with",
        )
    side = max(_LEAST_SIDE, round(_TILE_PX / spacing))
    tiles = np.concatenate([_tile_medians(flat, signal, side) for flat, signal in planes])
    tiles = tiles[np.isfinite(tiles).all(axis=1) & (tiles[:, 0] > limit * level)]
    share = tiles[:, 1] / tiles[:, 0]
    chosen = int(np.argsort(share)[int(_WORST * (len(share) - 1))])
    error = float(tiles[chosen, 2] / tiles[chosen, 0])
    floor = max(limit * level, _SIGNIFICANT * noise)
    above = float(np.mean(signals[known] > floor))
    middle, worst = float(np.median(signals[known])), float(tiles[chosen, 1])
    return _Row(label, level, middle, worst, float(share[chosen]), error, above, noise)


def _tile_medians(flat: Float32, signal: Float32, side: int) -> Float64:
    """Return median of the flat, median of the signal, and its error, for each tile."""
    found = []
    height, width = flat.shape
    for y in range(0, height, side):
        for x in range(0, width, side):
            part = (slice(y, y + side), slice(x, x + side))
            light, dark = flat[part].astype(np.float64), signal[part].astype(np.float64)
            known = np.isfinite(light) & np.isfinite(dark)
            if known.sum() < side:
                continue
            middle = float(np.median(dark[known]))
            spread = MAD_TO_SIGMA * float(np.median(np.abs(dark[known] - middle)))
            error = _OF_MEDIAN * spread / float(np.sqrt(known.sum()))
            found.append((float(np.median(light[known])), middle, error))
    return np.array(found).reshape(-1, 3)


def _verdict(rows: Sequence[_Row], limit: float, pixels_limit: float) -> tuple[bool, str]:
    """Return whether flat-darks are needed, and why, by the colours that are worst."""
    row = max(rows, key=lambda row: row.share)
    where = f" in {row.label}" if row.label else ""
    region = (
        f"a bias leaves {row.worst_dn:.3g} DN of dark signal{where}, {percent(row.share, 3)} of the"
        f" level (error {percent(row.error, 3)}, allowed {percent(limit, 3)})"
    )
    if row.share > max(limit, _SIGNIFICANT * row.error):
        return True, f"flat-darks are needed: {region}"
    warmest = max(row.pixels for row in rows)
    warm = f"{percent(warmest, 3)} of the pixels hold more than that and the flat's noise"
    if warmest > pixels_limit:
        return True, f"flat-darks are needed: {warm} (allowed {percent(pixels_limit, 3)})"
    return False, f"a bias does: {region}; {warm}"
