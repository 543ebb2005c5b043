"""Conversion gain and read noise of a setup, by photon transfer on pairs of frames."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_sets import describe_set
from lightframe.checks._evidence_transfer import phase_blocks, sky_transfer
from lightframe.checks._sensor_figure import Figure, derived, measured, unknown
from lightframe.checks._sensor_setup import DarkGroup, Setup
from lightframe.frames import FrameKind
from lightframe.processes import (
    Measured,
    PairNoise,
    conversion_gain,
    noise_without_light,
    pair_noise,
)

__all__ = [
    "Black",
    "TransferPoint",
    "black_of",
    "dark_variance",
    "frame_scatter",
    "gain_figures",
    "level_error",
    "noise_figures",
    "rounding_removed",
]


_MOST_PAIRS = 16
_ALIKE = 1.25
"""Ratio of the light of two flats up to which they make a pair."""
_LINEAR = 0.8
"""Part of saturation up to which photon transfer is trusted."""
_LEAST_STEPS = 0.4
"""Read noise in steps of the integers below which rounding hides it."""
_PHASES = 4
_FEWEST = 3
_STUDENT = 0.64
"""By how much a 68 % interval widens with one degree of freedom: t = 1 + 0.64 / freedom, about."""
_DARK_MATTERS_S = 5.0
_SKY_ERROR = 0.3
"""Relative error of a gain from the sky, at least: faint stars are noise, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Black:
    """Frames without light, as photon transfer needs them.

    Attributes
    ----------
    group : DarkGroup
        The frames.
    level : float64 (4 x patches,)
        Their level by phases and patches in DN.
    error : float
        Error of the level: how far single frames scatter, over the root of their number.
    noise : Measured
        Variance of a pixel in DN², the rounding to integers included.
    paired : bool
        Whether the noise was measured on pairs.
    """

    group: DarkGroup
    level: Float64
    error: float
    noise: Measured
    paired: bool


@dataclass(frozen=True, slots=True)
class TransferPoint:
    """A pair of flats: how noisy how much light is."""

    light_dn: float
    noise_dn: float


def frame_scatter(groups: Sequence[DarkGroup]) -> float | None:
    """Return the standard deviation of the levels of frames that should have one level, in DN.

    All groups of two frames or more count by their degrees of freedom; None without any.
    """
    several = [group.levels() for group in groups if len(group.frames) > 1]
    freedom = sum(levels.size - 1 for levels in several)
    if not freedom:
        return None
    total = sum(float(((levels - levels.mean()) ** 2).sum()) for levels in several)
    return float(np.sqrt(total / freedom))


def level_error(group: DarkGroup, groups: Sequence[DarkGroup]) -> float | None:
    """Return the error of the mean level of a group, in DN.

    From three frames on their own scatter tells, widened for so few (Student's t); fewer borrow
    that of the other groups. None where no two frames can be compared.
    """
    count = len(group.frames)
    own = frame_scatter([group]) if count >= _FEWEST else frame_scatter(groups)
    if own is None:
        return None
    few = 1.0 + _STUDENT / (count - 1) if count >= _FEWEST else 1.0
    return own * few / float(np.sqrt(count))


def dark_variance(group: DarkGroup, step: int) -> Measured | None:
    """Return the temporal variance of a typical pixel in DN²; None for a single frame."""
    pairs = [
        pair_noise(phase_blocks(a), phase_blocks(b), step=step, lit=False)
        for a, b in _spread(list(itertools.pairwise(group.frames)))
    ]
    return noise_without_light(pairs)


def black_of(setup: Setup) -> Black | None:
    """Return the frames without light that photon transfer uses: bias frames, else short darks."""
    group = setup.quietest()
    if group is None:
        return None
    error = level_error(group, setup.dark_groups())
    levels = [_middle(phase_blocks(frame)) for frame in group.frames[:_MOST_PAIRS]]
    if error is None:
        error = float(max(setup.step, 1))
    noise = dark_variance(group, setup.step)
    paired = noise is not None
    if noise is None:
        spatial = float(np.mean(group.frames[0].noise ** 2))
        noise = Measured(spatial, 0.5 * spatial)
    return Black(group, np.mean(levels, axis=0), error, noise, paired)


def _middle(blocks: Float64) -> Float64:
    """Return the mean of the middle half of each block: integers have no fine median."""
    ordered = np.sort(blocks.reshape(len(blocks), -1), axis=1)
    quarter = ordered.shape[1] // 4
    return np.asarray(ordered[:, quarter:-quarter].mean(axis=1))


def noise_figures(setup: Setup, black: Black | None) -> dict[str, Figure]:
    """Return the noise of frames without light, as it is in them and before rounding."""
    if black is None or not black.paired:
        reason = "needs two bias frames, or two darks of one short exposure"
        return {
            "frame_noise_dn": unknown("DN", reason),
            "read_noise_dn": unknown("DN", reason),
        }
    how = black.group.label
    if not black.group.is_bias and black.group.exposure_s > _DARK_MATTERS_S:
        how += ", whose dark current adds to it"
    sigma = float(np.sqrt(black.noise.value))
    error = black.noise.error / (2.0 * sigma) if sigma > 0 else 0.0
    figures = {"frame_noise_dn": Figure(sigma, error, "DN", how)}
    before = rounding_removed(black.noise, setup.step)
    if before is None:
        figures["read_noise_dn"] = unknown(
            "DN", f"hidden by the steps of the ADC, {setup.step} DN: needs a higher gain"
        )
    else:
        figures["read_noise_dn"] = measured(before, "DN", how)
    return figures


def rounding_removed(variance: Measured, step: int) -> Measured | None:
    """Return the noise before rounding to integers (Sheppard: step² / 12); None if it is lost."""
    own = variance.value - step**2 / 12.0
    if own <= (_LEAST_STEPS * step) ** 2 or own <= 0:
        return None
    sigma = float(np.sqrt(own))
    return Measured(sigma, variance.error / (2.0 * sigma))


def gain_figures(
    setup: Setup, black: Black | None, saturation_dn: float
) -> tuple[Figure, dict[str, Figure], list[TransferPoint]]:
    """Return electrons per DN: of all pixels, of each colour, and what it was measured on."""
    flats = setup.of(FrameKind.FLAT)
    if black is None:
        return unknown("e-/DN", "needs bias frames or darks of the same settings"), {}, []
    pairs = _flat_pairs(flats)
    if not pairs:
        return _from_sky(setup, black), {}, []
    blocks = {id(f): phase_blocks(f) for pair in pairs for f in pair}
    noises = [
        pair_noise(blocks[id(a)], blocks[id(b)], black=black.level, step=setup.step)
        for a, b in pairs
    ]
    ceiling = _LINEAR * saturation_dn - float(np.median(black.level))
    whole = conversion_gain(noises, black.noise, black_error=black.error, ceiling=ceiling)
    points = [_point(noise) for noise in noises]
    if whole is None:
        figure = unknown(
            "e-/DN", "the flats are too dim or saturated: needs two of about half of saturation"
        )
        return figure, {}, points
    how = f"{len(pairs)} pair{'s' * (len(pairs) != 1)} of flats"
    if not black.paired:
        how += ", read noise from a single frame"
    planes: dict[str, Figure] = {}
    for name, phases in setup.planes().items():
        parts = [_phases(noise, phases) for noise in noises]
        own = conversion_gain(parts, black.noise, black_error=black.error, ceiling=ceiling)
        planes[name] = (
            unknown("e-/DN", "this colour of the flats is too dim or saturated")
            if own is None
            else measured(own, "e-/DN", how)
        )
    return measured(whole, "e-/DN", how), planes, points


def _flat_pairs(flats: Sequence[FrameEvidence]) -> list[tuple[FrameEvidence, FrameEvidence]]:
    """Return neighbours in time of one filter and about one brightness."""
    ordered = sorted(flats, key=lambda f: (f.info.filter or "", f.info.exposure_s or 0.0))
    pairs = [
        (a, b)
        for a, b in itertools.pairwise(ordered)
        if a.info.filter == b.info.filter
        and a.level > 0
        and b.level > 0
        and max(a.level, b.level) <= _ALIKE * min(a.level, b.level)
    ]
    return _spread(pairs)


def _spread(
    pairs: list[tuple[FrameEvidence, FrameEvidence]],
) -> list[tuple[FrameEvidence, FrameEvidence]]:
    """Return at most `_MOST_PAIRS`, evenly chosen."""
    if len(pairs) <= _MOST_PAIRS:
        return pairs
    places = np.linspace(0, len(pairs) - 1, _MOST_PAIRS).round().astype(int)
    return [pairs[place] for place in places]


def _phases(noise: PairNoise, phases: Sequence[int]) -> PairNoise:
    """Return the patches of some phases."""
    size = noise.first.size // _PHASES
    chosen = np.concatenate([np.arange(phase * size, (phase + 1) * size) for phase in phases])
    return PairNoise(
        noise.first[chosen], noise.second[chosen], noise.ratio[chosen], noise.variance[chosen]
    )


def _point(noise: PairNoise) -> TransferPoint:
    variance = noise.variance / (1.0 + noise.ratio**2)
    return TransferPoint(float(np.nanmedian(noise.first)), float(np.sqrt(np.nanmedian(variance))))


def _from_sky(setup: Setup, black: Black) -> Figure:
    """Return the gain that the noise of the lights' sky tells, where there are no flats."""
    lights = setup.of(FrameKind.LIGHT)
    found = None
    if lights:
        dark = describe_set("", FrameKind.DARK, black.group.frames)
        found = sky_transfer(describe_set("", FrameKind.LIGHT, lights), dark.noise, 0.0)
    if found is None:
        return unknown("e-/DN", "needs two flats of equal exposure")
    error = float(np.hypot(found.error, _SKY_ERROR * found.e_per_dn))
    how = "the sky of the lights, in which faint stars make it too small; needs two flats"
    return derived(found.e_per_dn, "e-/DN", how, Figure(found.e_per_dn, error))
