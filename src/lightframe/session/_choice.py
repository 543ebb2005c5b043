"""How one set of lights or flats is calibrated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from lightframe.checks._plan_records import CalibrationRecord, Pairing
from lightframe.frames._info import FrameKind
from lightframe.session._match import Candidate
from lightframe.session._sets import FrameSet

__all__ = ["Choice", "Ranked", "Taken", "as_they_are", "choose", "pairings"]

Ranked = Mapping[FrameKind, Sequence[Candidate]]
"""All candidates by role, the best first."""

_NOTHING: Ranked = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How one set of frames is calibrated.

    Attributes
    ----------
    target : FrameSet
        The frames.
    bias, dark, flat : FrameSet or None
        What is subtracted and divided by; flat-darks stand in the place of the dark.
    dark_scaling : str
        ``"none"``, ``"exposure"`` or ``"optimize"``.
    reasons : tuple of str
        Why it is done so.
    ranked : mapping of FrameKind to sequence of Candidate
        All candidates by role, the best first.
    taken : frozenset of FrameKind
        The roles whose best candidate was taken.
    record : CalibrationRecord
        The same for the rules.
    """

    target: FrameSet
    bias: FrameSet | None = None
    dark: FrameSet | None = None
    flat: FrameSet | None = None
    dark_scaling: str = "none"
    reasons: tuple[str, ...] = ()
    ranked: Ranked = field(default_factory=dict)
    taken: frozenset[FrameKind] = frozenset()
    record: CalibrationRecord

    @property
    def masters(self) -> tuple[FrameSet, ...]:
        """The sets that are needed."""
        return tuple(frames for frames in (self.bias, self.dark, self.flat) if frames is not None)

    def fitting(self) -> Iterator[FrameSet]:
        """Yield the sets that fit, taken or not."""
        return (c.source for several in self.ranked.values() for c in several if c.usable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The candidates that are taken, and how the dark is subtracted."""

    bias: Candidate | None = None
    dark: Candidate | None = None
    flat: Candidate | None = None
    dark_scaling: str = "none"


def choose(
    target: FrameSet, taken: Taken, reasons: Sequence[str], ranked: Ranked = _NOTHING
) -> Choice:
    """Build the choice in which `taken` calibrates `target`; empty reasons are left out."""
    bias, dark, flat = (
        None if candidate is None else candidate.source
        for candidate in (taken.bias, taken.dark, taken.flat)
    )
    return Choice(
        target=target,
        bias=bias,
        dark=dark,
        flat=flat,
        dark_scaling=taken.dark_scaling,
        reasons=tuple(reason for reason in reasons if reason),
        ranked=ranked,
        taken=frozenset(c.role for c in (taken.bias, taken.dark, taken.flat) if c is not None),
        record=CalibrationRecord(
            target=target.record(),
            bias=None if bias is None else bias.record(),
            dark=None if dark is None else dark.record(),
            flat=None if flat is None else flat.record(),
            dark_scaling=taken.dark_scaling,
        ),
    )


def as_they_are(target: FrameSet) -> Choice:
    """Build the choice for frames that were calibrated before."""
    record = CalibrationRecord(target=target.record(), already_calibrated=True)
    return Choice(target=target, reasons=("calibrated before, used as they are",), record=record)


def pairings(choice: Choice) -> Iterator[Pairing]:
    """Yield what was taken, and the nearest refused candidate of a role nobody could play."""
    served = choice.target.kind is FrameKind.FLAT and bool(choice.masters)
    for role, ranked in choice.ranked.items():
        if role in choice.taken:
            yield ranked[0].pairing(
                choice.target, used=True, own_calibration=choice.record.own_calibration
            )
        elif ranked and not ranked[0].usable and not (served and role is FrameKind.BIAS):
            yield ranked[0].pairing(choice.target, used=False, replaced=served)
