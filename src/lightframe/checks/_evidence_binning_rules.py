"""Binning as the pixels show it: by the places of hot pixels, and by level, noise and steps."""

from collections.abc import Iterator
from math import isclose

import numpy as np

from lightframe.checks._evidence_ledger import hot_pixels_of
from lightframe.checks._evidence_levels_of_bias import setups
from lightframe.checks._evidence_scale import Ratios, dark_ratios, spacing_of
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._finding import Finding
from lightframe.checks._pictures import Axis, Comparison, Panels, Row
from lightframe.checks._rules import Stage, found, witness
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []

_FACTORS = (2, 3, 4)
_FEWEST = 20
"""Hot pixels that tell."""
_MOST = 400
_BY_CHANCE = 3.0
"""Times as many hot pixels as chance puts there must be found in the blocks."""
_LEVEL_ERROR, _NOISE_ERROR = 0.03, 0.25
"""Relative differences that a level and a noise may have from those of binned pixels."""


@witness("binning-mismatch", judges=SessionEvidence, thresholds=("hot_found",), stage=Stage.SET)
def binned_by_places(evidence: SessionEvidence) -> Iterator[Finding]:
    """Where sizes differ by a whole factor, look for hot pixels in blocks of so many pixels.

    A hot pixel of the full frame makes its block of the binned frame hot. If the hot pixels of the
    smaller frames lie in blocks that hold one in the larger frames, it is the same sensor, binned,
    whatever XBINNING says; a crop of it would have them elsewhere. Frames cannot be binned or cut
    afterwards to fit: take them again.

    Example: darks of 3124 x 2088 pixels for lights of 6248 x 4176, both said to be 1 x 1: 96 % of
    the darks' hot pixels lie where a block of 2 x 2 pixels of the lights has one.
    """
    lights = list(evidence.of(FrameKind.LIGHT))
    others = [s for s in evidence.sets if s.kind is not FrameKind.LIGHT]
    for target in lights:
        for frames in others:
            factor = _factor(target, frames)
            if factor is None or _claimed_apart(target, frames):
                continue
            share = _share_in_blocks(target, frames, factor)
            if share is not None and share >= evidence.settings.hot_found:
                yield _finding(evidence, target, frames, factor, share)


def _factor(a: SetEvidence, b: SetEvidence) -> int | None:
    """Return by which whole number the sides of two sets differ; None if by none."""
    if a.camera is not None and b.camera is not None and a.camera != b.camera:
        return None
    large, small = sorted((a.shape, b.shape), reverse=True)
    for factor in _FACTORS:
        if tuple(side // factor for side in large) == small:
            return factor
    return None


def _claimed_apart(a: SetEvidence, b: SetEvidence) -> bool:
    """Whether the headers tell of different binning themselves."""
    first, second = (s.frames[0].info.binning for s in (a, b))
    return first is not None and second is not None and first != second


def _share_in_blocks(a: SetEvidence, b: SetEvidence, factor: int) -> float | None:
    """Return the part of the smaller frames' hot pixels that the larger ones have in that block.

    None if there are too few, or if chance would put as many there.
    """
    small, large = sorted((a, b), key=lambda frames: frames.shape)
    (height, width) = small.shape
    y, x, _ = hot_pixels_of(small)
    big_y, big_x, _ = hot_pixels_of(large)
    inside = (big_y < height * factor) & (big_x < width * factor)
    blocks = np.unique(big_y[inside] // factor * width + big_x[inside] // factor)
    places = (y * width + x)[:_MOST]
    if places.size < _FEWEST or blocks.size < _FEWEST:
        return None
    share = float(np.isin(places, blocks).mean())
    by_chance = blocks.size / (height * width)
    return share if share > _BY_CHANCE * by_chance else None


def _finding(
    evidence: SessionEvidence,
    lights: SetEvidence,
    frames: SetEvidence,
    factor: int,
    share: float,
) -> Finding:
    binned, whole = sorted((lights, frames), key=lambda s: s.shape)
    small, large = ("the lights", "these") if binned is lights else ("these", "the lights")
    claims = [s.frames[0].info.binning for s in (lights, frames)]
    known = [f"{c[0]} x {c[1]}" for c in claims if c is not None]
    though = f", though the headers claim {known[0]}" if known else ""
    return found(
        "binning-mismatch",
        frames=frames.paths,
        message=f"{frames.label}: {_size(frames)}, the lights {_size(lights)};"
        f" {percent(share, 0)} of the hot pixels of {small} lie in blocks of"
        f" {factor} x {factor} pixels that hold one in {large} (needed:"
        f" {percent(evidence.settings.hot_found, 0)}): {small} are binned{though}",
        cause="the binning was changed, and the capture program does not write it, or writes it"
        " wrongly",
        remedy="take calibration frames with the binning of the lights",
        evidence={
            "factor": factor,
            "found": round(share, 3),
            "needed": evidence.settings.hot_found,
            "sizes": {s.label: list(s.shape) for s in (lights, frames)},
            "claimed": [list(c) if c else None for c in claims],
            "binned": binned.label,
            "unbinned": whole.label,
        },
    )


def _size(frames: SetEvidence) -> str:
    height, width = frames.shape
    return f"{width} x {height} pixels"


@witness("binning-mismatch", judges=SessionEvidence, stage=Stage.SET)
def binned_by_numbers(evidence: SessionEvidence) -> Iterator[Finding]:
    """Where sizes agree, compare level, noise and steps of frames without light.

    A driver that adds the numbers of 2 x 2 pixels adds their bias as well: four times the level at
    twice the noise, which neither another offset nor another gain makes. One that takes their mean
    leaves the level, halves the noise, and fills in values between the steps of the ADC. Electrons
    that are put together on the sensor leave level and steps alone: that cannot be told so.

    Example: darks of 2800 DN with a noise of 15.2 DN, flat-darks of the same size, gain and offset
    of 700 DN with a noise of 7.6 DN: the darks are sums of 2 x 2 pixels.
    """
    for group in setups(evidence):
        dark = [s for s in group if s.is_dark]
        for frames in dark:
            for other in dark:
                ratios = dark_ratios(frames.frames, other.frames)
                if ratios is None or _claimed_apart(frames, other):
                    continue
                steps = spacing_of(frames.frames[0]) / max(spacing_of(other.frames[0]), 1.0)
                for factor in _FACTORS:
                    if (how := _binned_how(ratios, steps, factor)) is not None:
                        yield _number_finding(frames, other, ratios, factor, how)


def _binned_how(ratios: Ratios, steps: float, factor: int) -> str | None:
    """Return how binning by a factor explains level, noise and steps; None if it does not."""
    if not isclose(ratios.noise, factor, rel_tol=_NOISE_ERROR) and not isclose(
        ratios.noise, 1.0 / factor, rel_tol=_NOISE_ERROR
    ):
        return None
    summed = isclose(ratios.level, factor**2, rel_tol=_LEVEL_ERROR) and ratios.noise > 1.0
    if summed and isclose(steps, 1.0):
        return "sums"
    averaged = isclose(ratios.level, 1.0, rel_tol=_LEVEL_ERROR) and ratios.noise < 1.0
    if averaged and 0.0 < steps <= 1.0 / factor:
        return "means"
    return None


def _number_finding(
    frames: SetEvidence, other: SetEvidence, ratios: Ratios, factor: int, how: str
) -> Finding:
    return found(
        "binning-mismatch",
        frames=(*frames.paths, *other.paths),
        message=f"{frames.label}: {ratios.level:.3g} times the level and {ratios.noise:.2g} times"
        f" the noise of {other.label}, in steps of {spacing_of(frames.frames[0]):.0f} and"
        f" {spacing_of(other.frames[0]):.0f} DN: these are {how} of {factor} x {factor} pixels",
        cause="the driver binned one kind of frame, and the other was cut to the same size",
        remedy="take calibration frames with the binning of the lights",
        evidence={
            "factor": factor,
            "pixels_are": how,
            "level_ratio": round(ratios.level, 4),
            "noise_ratio": round(ratios.noise, 4),
            "steps_dn": [spacing_of(s.frames[0]) for s in (frames, other)],
            "compared_with": other.label,
        },
        picture=_level_and_noise(frames, other, f"These are {how} of {factor} x {factor} pixels."),
    )


def _level_and_noise(frames: SetEvidence, other: SetEvidence, caption: str) -> Panels:
    def side_by_side(name: str, values: tuple[float, float], words: str) -> Comparison:
        rows = tuple(
            Row(item.label, round(value, 3), wrong=item is frames)
            for item, value in zip((frames, other), values, strict=True)
        )
        return Comparison(
            title=name, caption=words, axis=Axis(name.lower(), "DN"), rows=rows, from_zero=True
        )

    levels = float(frames.level.mean()), float(other.level.mean())
    noises = float(frames.noise.mean()), float(other.noise.mean())
    return Panels(
        pictures=(side_by_side("Level", levels, ""), side_by_side("Noise", noises, caption))
    )
