"""The level without light: where it lies, how steady it is, and what structure it has."""

import itertools
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_tools import smooth_part
from lightframe.checks._sensor_figure import Figure, unknown
from lightframe.checks._sensor_noise import Black, frame_scatter, level_error
from lightframe.checks._sensor_setup import DarkGroup, Setup
from lightframe.checks._settings import CheckSettings

__all__ = ["BiasSteadiness", "bias_figures", "steadiness"]


_FEWEST = 3
_WINDOW = 15
"""Columns of one parity over which the smooth part of a profile is taken."""
_PROFILE_PIXELS = 2_000_000
"""As many pixels as the profiles of columns are averaged over, in `measure_frame`."""


@dataclass(frozen=True, slots=True)
class BiasSteadiness:
    """How much frames that should be alike differ in level and gradient.

    Attributes
    ----------
    levels_dn : float
        Highest less lowest level.
    gradient_dn : float
        Largest change of the smooth structure, peak to peak.
    levels_allowed_dn, gradient_allowed_dn : float
        What `bias-unstable` allows.
    """

    levels_dn: float
    gradient_dn: float
    levels_allowed_dn: float
    gradient_allowed_dn: float

    @property
    def steady(self) -> bool:
        """Whether both are within what is allowed."""
        return (
            self.levels_dn <= self.levels_allowed_dn
            and self.gradient_dn <= self.gradient_allowed_dn
        )


def steadiness(
    group: DarkGroup, noise_dn: float, step: int, settings: CheckSettings
) -> BiasSteadiness | None:
    """Compare frames of one group with each other; None for fewer than three."""
    if len(group.frames) < _FEWEST:
        return None
    allowed = max(settings.bias_unstable_sigma * noise_dn, settings.bias_unstable_steps * step, 0.0)
    return BiasSteadiness(
        float(np.ptp(group.levels())), _gradient_change(group), 2.0 * allowed, allowed
    )


def _gradient_change(group: DarkGroup) -> float:
    maps = np.array([frame.tiles.mean(axis=0) for frame in group.frames])
    usual = np.median(maps, axis=0)
    return max(float(np.ptp(smooth_part(own - usual))) for own in maps)


def bias_figures(setup: Setup, black: Black | None) -> dict[str, Figure]:
    """Return level, scatter, drift, gradient, and the noise and pattern of rows and columns."""
    names = (
        "bias_level_dn",
        "bias_scatter_dn",
        "bias_drift_dn",
        "bias_gradient_dn",
        "row_noise_dn",
        "column_pattern_dn",
    )
    if black is None:
        return {name: unknown("DN", "needs bias frames, or darks") for name in names}
    group = black.group
    figures = _levels(setup, group)
    structure = smooth_part(group.tiles())
    figures["bias_gradient_dn"] = Figure(
        float(np.ptp(structure)), _gradient_error(group), "DN", group.label
    )
    figures["row_noise_dn"] = _row_noise(group, black.noise.value)
    figures["column_pattern_dn"] = _column_pattern(group, black)
    return figures


def _levels(setup: Setup, group: DarkGroup) -> dict[str, Figure]:
    levels = group.levels()
    own = frame_scatter([group])
    error = level_error(group, setup.dark_groups())
    how = group.label
    reason = f"needs {_FEWEST} bias frames, or short darks"
    figures = {"bias_level_dn": Figure(float(levels.mean()), error, "DN", how)}
    if levels.size < _FEWEST or own is None:
        return figures | {
            "bias_scatter_dn": unknown("DN", reason),
            "bias_drift_dn": unknown("DN", reason),
        }
    figures["bias_scatter_dn"] = Figure(
        own, own / float(np.sqrt(2.0 * (levels.size - 1))), "DN", how
    )
    # Drift: the line through the levels in the order of time, from the first frame to the last.
    order = np.arange(levels.size) - 0.5 * (levels.size - 1)
    slope = float((order * levels).sum() / (order**2).sum())
    rest = levels - levels.mean() - slope * order
    spread = float(np.sqrt((rest**2).sum() / max(levels.size - 2, 1)))
    span = levels.size - 1
    figures["bias_drift_dn"] = Figure(
        slope * span,
        span * spread / float(np.sqrt((order**2).sum())),
        "DN",
        how,
    )
    return figures


def _gradient_error(group: DarkGroup) -> float:
    tiles = group.tiles().size
    error = float(group.frames[0].tile_error.mean()) / 2.0 / np.sqrt(len(group.frames))
    return float(error * np.sqrt(6.0 / tiles) * 4.0)


def _row_noise(group: DarkGroup, variance: float) -> Figure:
    """Return the noise that all pixels of a row share, new in each frame."""
    alike = [frame.rows for frame in group.frames]
    if len(alike) < 2:  # noqa: PLR2004 - a pair
        return unknown("DN", "needs two bias frames, or two short darks")
    width = group.frames[0].info.width
    own = [float(np.var(a - b)) / 2.0 for a, b in itertools.pairwise(alike)]
    return _beyond(float(np.mean(own)), variance / width, alike[0].size * len(own), group.label)


def _column_pattern(group: DarkGroup, black: Black) -> Figure:
    """Return the fixed pattern of the columns, beyond what pixels of their own would make."""
    profile = np.mean([frame.columns for frame in group.frames], axis=0)
    if profile.size < 4 * _WINDOW:
        return unknown("DN", f"needs frames of {4 * _WINDOW} columns")
    rest = np.concatenate([_sharp(profile[parity::2]) for parity in range(2)])
    rows = _rows_in_profile(group.frames[0])
    temporal = black.noise.value / len(group.frames)
    fixed = max(float(np.mean(group.frames[0].noise ** 2)) - black.noise.value, 0.0)
    return _beyond(float(np.var(rest)), (temporal + fixed) / rows, rest.size, group.label)


def _rows_in_profile(frame: FrameEvidence) -> int:
    every = max(1, frame.info.height * frame.info.width // _PROFILE_PIXELS)
    return max(1, frame.info.height // every)


def _sharp(profile: Float64) -> Float64:
    """Return a profile without its smooth part."""
    kernel = np.full(_WINDOW, 1.0 / _WINDOW)
    half = _WINDOW // 2
    smooth = np.convolve(np.pad(profile, half, mode="edge"), kernel, mode="valid")
    return np.asarray(profile - smooth)


def _beyond(variance: float, expected: float, count: int, how: str) -> Figure:
    """Return the root of what a variance has beyond what is expected; 0 where there is nothing."""
    surplus = variance - expected
    error = variance * float(np.sqrt(2.0 / max(count - 1, 1)))
    value = float(np.sqrt(max(surplus, 0.0)))
    # Near zero the error of a root is not that of a slope: the root of the error bounds it.
    return Figure(value, error / (2.0 * value) if surplus > error else float(error**0.5), "DN", how)
