"""The plan of a run: what is made of which frames, and why. Data only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightframe.checks import Finding, PlanRecord, Refusal, Severity
from lightframe.checks._plan_records import Comparison
from lightframe.frames._info import FrameKind

__all__ = ["Assignment", "LightGroup", "MasterJob", "Match", "Other", "Plan", "Unused"]


@dataclass(frozen=True, slots=True)
class Other:
    """A candidate that was not taken, and why not."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was taken for one role, and how it compares.

    Attributes
    ----------
    role : FrameKind
        What it serves as.
    master : str or None
        Name of the `MasterJob`; None where no candidate fits.
    label : str
        The frames in words; of the nearest candidate where none fits.
    comparisons : tuple of Comparison
        Quantity by quantity.
    others : tuple of Other
        The candidates that were not taken, the best first.
    """

    role: FrameKind
    master: str | None
    label: str
    comparisons: tuple[Comparison, ...]
    others: tuple[Other, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "role": self.role.value,
            "master": self.master,
            "label": self.label,
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
            "others": [{"label": o.label, "reason": o.reason} for o in self.others],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Lights, or flats, that are calibrated in the same way.

    Attributes
    ----------
    frames : tuple of Path
        The frames.
    bias, dark, flat : str or None
        Names of the masters. For flats, a master flat-dark stands in the place of the dark. The
        bias is named only where it takes part; a dark that is not scaled takes it away by itself.
    dark_scaling : str
        ``"none"``, ``"exposure"`` or ``"optimize"``, as in the settings of calibration.
    dark_holds_bias : bool
        Whether the master dark contains the bias.
    calibrated_before : bool
        The frames came calibrated and are used as they are.
    exposure_s, gain : float or None
        Of one frame.
    temperature_c : tuple of float
        Lowest and highest sensor temperature that the frames were matched with; empty if unknown.
    nights : tuple of str
        Evening dates.
    reasons : tuple of str
        Why it is done so.
    matches : tuple of Match
        How the masters were found.
    """

    frames: tuple[Path, ...]
    bias: str | None = None
    dark: str | None = None
    flat: str | None = None
    dark_scaling: str = "none"
    dark_holds_bias: bool = True
    calibrated_before: bool = False
    exposure_s: float | None = None
    gain: float | None = None
    temperature_c: tuple[float, ...] = ()
    nights: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()

    @property
    def masters(self) -> tuple[str, ...]:
        """Names of the masters it needs."""
        return tuple(name for name in (self.bias, self.dark, self.flat) if name is not None)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "frames": _texts(self.frames),
            "bias": self.bias,
            "dark": self.dark,
            "flat": self.flat,
            "dark_scaling": self.dark_scaling,
            "dark_holds_bias": self.dark_holds_bias,
            "calibrated_before": self.calibrated_before,
            "exposure_s": self.exposure_s,
            "gain": self.gain,
            "temperature_c": list(self.temperature_c),
            "nights": list(self.nights),
            "reasons": list(self.reasons),
            "matches": [match.as_dict() for match in self.matches],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LightGroup:
    """Lights of one object, filter, camera and geometry: they make one result.

    Attributes
    ----------
    name : str
        Unique, and usable as a file name: ``<object>_<filter>``.
    object, filter, camera : str or None
        As written in most headers; None is unknown.
    height, width, channels : int
        Geometry of the lights.
    binning : tuple of int or None
        Binning.
    exposure_s : float or None
        Sum of all known exposures in seconds.
    reasons : tuple of str
        Why these frames go together.
    assignments : tuple of Assignment
        The lights by the way they are calibrated.
    """

    name: str
    object: str | None
    filter: str | None
    camera: str | None
    height: int
    width: int
    channels: int
    binning: tuple[int, int] | None
    exposure_s: float | None
    reasons: tuple[str, ...]
    assignments: tuple[Assignment, ...]

    @property
    def frames(self) -> tuple[Path, ...]:
        """All lights, in the order of their paths."""
        return tuple(sorted(path for part in self.assignments for path in part.frames))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "object": self.object,
            "filter": self.filter,
            "camera": self.camera,
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "binning": None if self.binning is None else list(self.binning),
            "exposure_s": self.exposure_s,
            "frames": len(self.frames),
            "reasons": list(self.reasons),
            "assignments": [part.as_dict() for part in self.assignments],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterJob:
    """A master to be integrated, or one that was given.

    Attributes
    ----------
    name : str
        Unique, and usable as a file name, e.g. ``dark_300s_-10C_gain100``.
    kind : FrameKind
        What it is.
    given : bool
        Whether it is the one file in `frames`, ready to be used.
    frames : tuple of Path
        The frames to be integrated.
    label : str
        The frames in words.
    exposure_s, gain, temperature_c : float or None
        Of one frame.
    filter : str or None
        Of flats.
    holds_bias : bool
        Whether the bias is still in the frames.
    steps : tuple of Assignment
        For flats: how the frames are calibrated before they are integrated.
    serves : tuple of str
        Names of the light groups and masters that need it; empty if it is made for its own sake.
    """

    name: str
    kind: FrameKind
    given: bool
    frames: tuple[Path, ...]
    label: str
    exposure_s: float | None
    gain: float | None
    temperature_c: float | None
    filter: str | None
    holds_bias: bool = True
    steps: tuple[Assignment, ...] = ()
    serves: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "given": self.given,
            "frames": _texts(self.frames),
            "label": self.label,
            "exposure_s": self.exposure_s,
            "gain": self.gain,
            "temperature_c": self.temperature_c,
            "filter": self.filter,
            "holds_bias": self.holds_bias,
            "steps": [step.as_dict() for step in self.steps],
            "serves": list(self.serves),
        }


@dataclass(frozen=True, slots=True)
class Unused:
    """Frames that take no part, and why.

    Attributes
    ----------
    frames : tuple of Path
        The files.
    label : str
        The frames in words.
    reason : str
        Why they take no part.
    """

    frames: tuple[Path, ...]
    label: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"frames": _texts(self.frames), "label": self.label, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does, as far as headers tell; nothing has been computed.

    Attributes
    ----------
    groups : tuple of LightGroup
        One for each result; empty for a session of calibration frames only.
    masters : tuple of MasterJob
        In the order in which they can be made: each needs only those before it.
    unused : tuple of Unused
        Readable frames that take no part.
    refused : tuple of Refusal
        Files that could not be read, and why.
    findings : tuple of Finding
        What the rules say of the plan, the worst first. They are not part of `as_dict`.
    record : PlanRecord or None
        What the rules have looked at, to be judged again when more is known.
    """

    groups: tuple[LightGroup, ...] = ()
    masters: tuple[MasterJob, ...] = ()
    unused: tuple[Unused, ...] = ()
    refused: tuple[Refusal, ...] = ()
    findings: tuple[Finding, ...] = ()
    record: PlanRecord | None = field(default=None, repr=False, compare=False)
    _by_name: dict[str, MasterJob] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        self._by_name.update({job.name: job for job in self.masters})

    def master(self, name: str) -> MasterJob:
        """Return the master of that name."""
        return self._by_name[name]

    def used_frames(self) -> set[Path]:
        """Return all frames that masters are made of or that are integrated."""
        lights = {path for group in self.groups for path in group.frames}
        return lights | {path for job in self.masters for path in job.frames}

    @property
    def exit_code(self) -> int:
        """1 if any finding is an error, else 0."""
        return int(any(finding.severity is Severity.ERROR for finding in self.findings))

    def findings_as_dicts(self) -> list[dict[str, Any]]:
        """Return the findings as JSON values."""
        return [finding.as_dict() for finding in self.findings]

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON values, with stable keys; paths are strings."""
        return {
            "groups": [group.as_dict() for group in self.groups],
            "masters": [job.as_dict() for job in self.masters],
            "unused": [unused.as_dict() for unused in self.unused],
            "refused": [refusal.as_dict() for refusal in self.refused],
        }


def _texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
