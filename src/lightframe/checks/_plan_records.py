"""What a plan tells the rules: plain records of sets of frames and of what was compared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from lightframe.checks._cameras import Sensor
from lightframe.checks._refusal import Refusal
from lightframe.frames._info import FrameKind

__all__ = [
    "Binding",
    "CalibrationRecord",
    "Comparison",
    "MeasuredNoise",
    "Outcome",
    "Pairing",
    "PlanRecord",
    "SetAside",
    "SetRecord",
    "paths_of",
]


class Outcome(StrEnum):
    """How one quantity of two sets of frames compares."""

    SAME = "same"
    UNKNOWN = "unknown"
    DIFFERENT = "different"


class Binding(StrEnum):
    """What a difference in a quantity means."""

    DECISIVE = "decisive"
    """The frames cannot serve."""
    TOLERATED = "tolerated"
    """They serve where nothing better is there."""
    REMARK = "remark"
    """It only orders the candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One quantity of the frames that need calibration frames, and of the candidates.

    Attributes
    ----------
    quantity : str
        E.g. ``"gain"``.
    outcome : Outcome
        Unknown if either value is; unknown neither agrees nor disagrees.
    binding : Binding
        What a difference would mean.
    wanted, found : str or None
        The values as shown to people: of the frames in need, of the candidates. None is unknown.
    difference, tolerance : float or None
        For numbers: candidates minus frames in need, and what is allowed, both in `unit`.
    unit : str
        E.g. ``"s"``.
    text : str
        The same as a phrase.
    """

    quantity: str
    outcome: Outcome
    binding: Binding
    wanted: str | None
    found: str | None
    difference: float | None = None
    tolerance: float | None = None
    unit: str = ""
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "quantity": self.quantity,
            "outcome": self.outcome.value,
            "binding": self.binding.value,
            "wanted": self.wanted,
            "found": self.found,
            "difference": self.difference,
            "tolerance": self.tolerance,
            "unit": self.unit,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRecord:
    """Frames that belong together.

    Attributes
    ----------
    label : str
        E.g. ``"20 darks 300 s, -10 °C, gain 100"``.
    kind : FrameKind
        What the frames are.
    paths : tuple of Path
        The frames; the one file of a given master.
    is_master : bool
        Whether it is a master that was given, not frames to be integrated.
    exposure_s : float or None
        Exposure of one frame.
    filter : str or None
        Filter as written.
    cooled : bool or None
        Whether the sensor's temperature is regulated.
    sensor : Sensor
        What the camera's name tells.
    """

    label: str
    kind: FrameKind
    paths: tuple[Path, ...]
    is_master: bool = False
    exposure_s: float | None = None
    filter: str | None = None
    cooled: bool | None = None
    sensor: Sensor = field(default_factory=Sensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Candidates looked at for frames that need calibration frames.

    Attributes
    ----------
    role : FrameKind
        What the candidates would serve as; a dark may serve as a flat-dark.
    target, source : SetRecord
        The frames in need and the candidates.
    comparisons : tuple of Comparison
        Everything that was compared.
    used : bool
        Whether they were taken. Of those not taken only the nearest is recorded, and only where
        nothing could be taken.
    replaced : bool
        Not used, but frames of another kind do the same.
    own_calibration : bool
        For flats: whether they are calibrated with frames of their own camera settings.
    """

    role: FrameKind
    target: SetRecord
    source: SetRecord
    comparisons: tuple[Comparison, ...]
    used: bool
    replaced: bool = False
    own_calibration: bool = False

    def of(self, quantity: str) -> Comparison | None:
        """Return what was compared under the name `quantity`, or None."""
        return next((c for c in self.comparisons if c.quantity == quantity), None)

    def differs(self, quantity: str) -> bool:
        """Whether both values of `quantity` are known and differ by more than the tolerance."""
        comparison = self.of(quantity)
        return comparison is not None and comparison.outcome is Outcome.DIFFERENT

    def differences(self) -> Iterator[Comparison]:
        """Yield all comparisons that found a difference, remarks left out."""
        for comparison in self.comparisons:
            if comparison.outcome is Outcome.DIFFERENT and comparison.binding != Binding.REMARK:
                yield comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRecord:
    """What is to be done to one set of lights or flats.

    Attributes
    ----------
    target : SetRecord
        The frames to be calibrated.
    bias, dark, flat : SetRecord or None
        What is subtracted and divided by. A flat-dark stands in the place of the dark.
    dark_scaling : str
        ``"none"``, ``"exposure"`` or ``"optimize"``.
    dark_holds_bias : bool
        Whether the master dark contains the bias.
    dark_loses_bias : bool
        Whether the bias is subtracted from the dark before it is used.
    bias_at_hand : bool
        Whether a fitting bias exists, used or not.
    scaling_allowed : bool
        Whether the settings allow the dark to be scaled.
    already_calibrated : bool
        The frames came calibrated and are used as they are.
    by_settings : bool
        Whether the settings, not the lack of frames, made it so.
    own_calibration : bool
        For lights: whether their flats are calibrated with frames of the flats' own settings.
    dark_pairing : Pairing or None
        How the dark (of flats: the nearest flat-dark) compares, used or not.
    """

    target: SetRecord
    bias: SetRecord | None = None
    dark: SetRecord | None = None
    flat: SetRecord | None = None
    dark_scaling: str = "none"
    dark_holds_bias: bool = True
    dark_loses_bias: bool = False
    bias_at_hand: bool = False
    scaling_allowed: bool = True
    already_calibrated: bool = False
    by_settings: bool = False
    own_calibration: bool = False
    dark_pairing: Pairing | None = None

    @property
    def bias_left(self) -> int:
        """How many times the bias is left in calibrated frames: 0 is right, -1 once too often.

        A dark scaling factor is counted as 1.
        """
        if self.already_calibrated:
            return 0
        through_dark = self.dark is not None and self.dark_holds_bias - self.dark_loses_bias
        return 1 - (self.bias is not None) - through_dark


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Frames that were not planned with because they are processed already."""

    kind: FrameKind
    paths: tuple[Path, ...]
    reason: str
    stacked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredNoise:
    """What a master was found to add to the noise of results.

    Attributes
    ----------
    percent : float
        Added noise in percent, in the result and colour where it is the most.
    more_frames : int or None
        Frames missing to bring it to the limit; None where frames do not help.
    undithered : bool
        Whether lights that show the same field pixel by pixel make it worse.
    """

    percent: float
    more_frames: int | None
    undithered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """Everything the rules of a plan look at.

    Attributes
    ----------
    refused : tuple of Refusal
        Files that could not be read, with what their reader says.
    set_aside : tuple of SetAside
        Frames calibrated or integrated before.
    pairings : tuple of Pairing
        What was taken for what, and what could not be taken where nothing else was there.
    lights, flats : tuple of CalibrationRecord
        What is done to them.
    kinds : frozenset of FrameKind
        Kinds of calibration frames that are there at all.
    light_groups : tuple of SetRecord
        The frames of each result.
    integrated : tuple of SetRecord
        Sets of calibration frames that are integrated to masters.
    idle_flat_filters : tuple of str
        Filters of flats that serve no lights.
    temperature_error_c : float
        Difference above which a cooled dark is no longer useful.
    flat_age_days : float
        Days between flats and lights above which it is said.
    few_frames, fewest_frames : int
        Below which number of frames it is said, and warned of.
    master_noise_percent : float
        Noise added to a result above which it is warned of.
    measured_noise : mapping of tuple of Path to MeasuredNoise
        What the masters of these frames add to the results; empty before there are any.
    """

    refused: tuple[Refusal, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    lights: tuple[CalibrationRecord, ...] = ()
    flats: tuple[CalibrationRecord, ...] = ()
    kinds: frozenset[FrameKind] = frozenset()
    light_groups: tuple[SetRecord, ...] = ()
    integrated: tuple[SetRecord, ...] = ()
    idle_flat_filters: tuple[str, ...] = ()
    temperature_error_c: float = 3.0
    flat_age_days: float = 30.0
    few_frames: int = 10
    fewest_frames: int = 3
    master_noise_percent: float = 5.0
    measured_noise: Mapping[tuple[Path, ...], MeasuredNoise] = field(default_factory=dict)


def paths_of(sets: Iterable[SetRecord]) -> list[Path]:
    """Return the paths of all frames of some sets."""
    return [path for record in sets for path in record.paths]
