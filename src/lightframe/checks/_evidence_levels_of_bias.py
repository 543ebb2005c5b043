"""The level without light that each set of a session implies, as an interval."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import dark_reference, same_setup
from lightframe.checks._evidence_transfer import Transfer, flat_transfer, sky_transfer
from lightframe.frames import FrameKind

__all__ = [
    "BiasLevel",
    "agreed_level",
    "bias_levels",
    "deviants",
    "is_undecided",
    "setups",
    "transfers_of",
]

_CLEAR_VOTE = 0.2
"""Votes by which one level without light must lead over another to be called the right one."""
_SHORT_S = 0.5
"""Exposure up to which dark current does not matter."""


@dataclass(frozen=True, slots=True, eq=False)
class BiasLevel:
    """Where the level without light lies according to one set.

    Attributes
    ----------
    frames : SetEvidence
        The set.
    low, high : float
        The level lies between them; infinite where the set does not tell.
    level : float
        What was measured.
    how : str
        How, in words.
    """

    frames: SetEvidence
    low: float
    high: float
    level: float
    how: str


def setups(evidence: SessionEvidence) -> list[list[SetEvidence]]:
    """Return the raw sets that claim one camera, size and gain.

    Frames that say they were calibrated are not raw: they have no bias, and noise of masters.
    """
    groups: list[list[SetEvidence]] = []
    for frames in evidence.sets:
        if frames.is_master or any(frame.info.calibration for frame in frames.frames):
            continue
        for group in groups:
            if all(same_setup(frames, other) for other in group):
                group.append(frames)
                break
        else:
            groups.append([frames])
    return groups


def transfers_of(
    evidence: SessionEvidence, group: Sequence[SetEvidence]
) -> list[tuple[SetEvidence, Transfer]]:
    """Measure the conversion gain of all flats and lights of a setup that allow it."""
    key = ("transfers", *(id(frames) for frames in group))
    if key not in evidence.remembered:
        evidence.remembered[key] = _measured_transfers(evidence, group)
    known: list[tuple[SetEvidence, Transfer]] = evidence.remembered[key]
    return known


def _measured_transfers(
    evidence: SessionEvidence, group: Sequence[SetEvidence]
) -> list[tuple[SetEvidence, Transfer]]:
    transfers = []
    unevenness = _unevenness(evidence, group)
    for frames in group:
        dark = dark_reference(evidence, frames)
        if dark is None or frames.step != dark.step:
            continue
        if frames.kind is FrameKind.FLAT:
            noise = np.where(np.isfinite(dark.temporal), dark.temporal, dark.noise)
            transfer = flat_transfer(frames, dark.level, noise)
        elif frames.kind is FrameKind.LIGHT:
            transfer = sky_transfer(frames, dark.noise, unevenness)
        else:
            continue
        if transfer is not None:
            transfers.append((frames, transfer))
    return transfers


def _unevenness(evidence: SessionEvidence, group: Sequence[SetEvidence]) -> float:
    """Return the relative deviation of the pixels' sensitivity, from flats."""
    values = []
    for flats in group:
        dark = dark_reference(evidence, flats) if flats.kind is FrameKind.FLAT else None
        if dark is None or not np.all(np.isfinite(flats.temporal)):
            continue
        light = flats.level - dark.level
        fixed = flats.noise**2 - flats.temporal**2
        if np.all(light > 0):
            values.append(float(np.sqrt(np.median(np.maximum(fixed, 0.0) / light**2))))
    return float(np.median(values)) if values else 0.0


def bias_levels(evidence: SessionEvidence, group: Sequence[SetEvidence]) -> list[BiasLevel]:
    """Return what each set of a setup says of the level without light."""
    key = ("bias levels", *(id(frames) for frames in group))
    if key not in evidence.remembered:
        evidence.remembered[key] = _measured_levels(evidence, group)
    known: list[BiasLevel] = evidence.remembered[key]
    return known


def _measured_levels(evidence: SessionEvidence, group: Sequence[SetEvidence]) -> list[BiasLevel]:
    settings = evidence.settings
    transfers = transfers_of(evidence, group)
    flats = [t.e_per_dn for s, t in transfers if s.kind is FrameKind.FLAT]
    gain = float(np.median(flats)) if flats else None
    quiet = [s for s in group if s.is_dark]
    lowest_noise = min((s.read_noise for s in quiet), default=0.0)
    levels = []
    for frames in quiet:
        level = float(frames.level.mean())
        drift = float(np.ptp(frames.frame_levels()))
        tolerance = max(
            settings.offset_sigma * frames.read_noise,
            settings.offset_steps * max(frames.step, 1),
            drift,
        )
        signal = _most_dark_signal(frames, gain, lowest_noise)
        levels.append(
            BiasLevel(frames, level - signal - tolerance, level + tolerance, level, "median")
        )
    for frames in group:
        dark = dark_reference(evidence, frames)
        if frames.kind is not FrameKind.LIGHT or dark is None or dark.step != frames.step:
            continue
        levels.append(_darkest(frames, settings.offset_sigma))
        transfer = sky_transfer(frames, dark.noise, _unevenness(evidence, group), gain)
        if transfer is not None:
            levels.append(_of_lights(frames, transfer, settings.offset_sigma, lowest_noise))
    return levels


def _most_dark_signal(frames: SetEvidence, gain: float | None, lowest_noise: float) -> float:
    """Return the dark signal that the noise leaves room for: it comes in electrons, too."""
    exposure = frames.exposure_s
    if exposure is not None and exposure <= _SHORT_S:
        return 0.0
    surplus = max(frames.read_noise**2 - lowest_noise**2, 0.0)
    if gain is not None:
        return 1.5 * gain * surplus
    return inf if surplus > 0.1 * lowest_noise**2 or lowest_noise == 0 else 0.0


def _of_lights(frames: SetEvidence, transfer: Transfer, sigmas: float, quiet: float) -> BiasLevel:
    sky = float(frames.level.mean()) - transfer.dark_level
    # Faint stars and the unevenness of pixels add some noise: a fifth of the sky is left open.
    tolerance = max(2.0 * sigmas * quiet, 5.0 * transfer.dark_level_error, 0.2 * abs(sky))
    level = transfer.dark_level
    return BiasLevel(frames, level - tolerance, level + tolerance, level, "noise of the sky")


def _darkest(frames: SetEvidence, sigmas: float) -> BiasLevel:
    """Return what the darkest light of a set tells: the level without light lies below its sky."""
    level = min(float(frame.levels.median.min()) for frame in frames.frames)
    return BiasLevel(frames, -inf, level + sigmas * float(frames.noise.mean()), level, "sky")


def agreed_level(levels: Sequence[BiasLevel]) -> float | None:
    """Return the level that most sets agree on, lights counting more; None if nothing is known."""
    candidates = sorted({edge for item in levels for edge in (item.low, item.high)} - {inf, -inf})
    if not candidates:
        return None
    middles = [0.5 * (a + b) for a, b in itertools.pairwise(candidates)]
    return max(middles or candidates, key=lambda value: _votes(levels, value))


def _votes(levels: Sequence[BiasLevel], value: float) -> float:
    return sum(_weight(item) for item in levels if item.low <= value <= item.high)


def is_undecided(levels: Sequence[BiasLevel], agreed: float, deviant: BiasLevel) -> bool:
    """Whether as much speaks for the level of a set that deviates as for the agreed one."""
    rival = min(max(deviant.level, deviant.low), deviant.high)
    return _votes(levels, agreed) - _votes(levels, rival) < _CLEAR_VOTE


def _weight(item: BiasLevel) -> float:
    """Return the vote of a set; what only bounds the level has hardly any."""
    if item.low == -inf:
        return 0.3
    light = item.frames.kind is FrameKind.LIGHT
    return (1.3 if light else 1.0) + 1e-4 * len(item.frames.frames)


def deviants(levels: Sequence[BiasLevel]) -> tuple[float, list[BiasLevel]]:
    """Return the agreed level, and the sets that contradict it."""
    agreed = agreed_level(levels)
    if agreed is None:
        return 0.0, []
    return agreed, [item for item in levels if not item.low <= agreed <= item.high]
