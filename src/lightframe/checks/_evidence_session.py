"""Evidence of a whole session: what most rules of this package judge."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_ledger import Ledger
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._refusal import Refusal
from lightframe.checks._settings import CheckSettings
from lightframe.frames import FrameKind

__all__ = ["SessionEvidence", "Use"]


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One set that serves another.

    Attributes
    ----------
    role : FrameKind
        What it serves as.
    target, source : SetEvidence
        The frames that are calibrated, and what with.
    scaling : str
        For darks: ``"none"``, ``"exposure"`` or ``"optimize"``.
    holds_bias : bool
        For darks: whether the plan takes them to contain the bias.
    """

    role: FrameKind
    target: SetEvidence
    source: SetEvidence
    scaling: str = "none"
    holds_bias: bool = True


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SessionEvidence:
    """Everything that is known from headers and raw pixels before any work is done.

    Attributes
    ----------
    sets : tuple of SetEvidence
        All frames, each in one set.
    uses : tuple of Use
        Which set serves which.
    ledgers : tuple of Ledger
        Hot pixels of darks looked up in the lights they serve.
    unreadable : tuple of Refusal
        Frames whose pixels cannot be read, and why.
    settings : CheckSettings
        Thresholds.
    remembered : dict
        What several rules work out from the rest, kept for the next of them.
    """

    sets: tuple[SetEvidence, ...] = ()
    uses: tuple[Use, ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    unreadable: tuple[Refusal, ...] = ()
    settings: CheckSettings = field(default_factory=CheckSettings)
    remembered: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def of(self, *kinds: FrameKind) -> Iterator[SetEvidence]:
        """Yield the sets of some kinds, given masters left out."""
        for frames in self.sets:
            if frames.kind in kinds and not frames.is_master:
                yield frames

    def masters(self, *kinds: FrameKind) -> Iterator[SetEvidence]:
        """Yield the given masters of some kinds."""
        for frames in self.sets:
            if frames.kind in kinds and frames.is_master:
                yield frames

    def frames(self) -> Iterator[FrameEvidence]:
        """Yield all raw frames."""
        for frames in self.sets:
            if not frames.is_master:
                yield from frames.frames

    def without(self, paths: frozenset[Path]) -> "SessionEvidence":
        """Return the evidence with some frames left out."""
        if not paths:
            return self
        kept = {
            id(frames): frames.without(paths) if paths & set(frames.paths) else frames
            for frames in self.sets
        }
        uses = [
            Use(use.role, target, source, use.scaling, use.holds_bias)
            for use in self.uses
            if (target := kept[id(use.target)]) is not None
            and (source := kept[id(use.source)]) is not None
        ]
        ledgers = [
            replace(ledger, dark=dark, lights=lights)
            for ledger in self.ledgers
            if (dark := kept[id(ledger.dark)]) is not None
            and (lights := kept[id(ledger.lights)]) is not None
        ]
        return replace(
            self,
            sets=tuple(frames for frames in kept.values() if frames is not None),
            uses=tuple(uses),
            ledgers=tuple(ledgers),
        )
