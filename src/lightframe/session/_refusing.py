"""Settings and plans with which no work is begun."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lightframe.checks import Refusal, counted
from lightframe.errors import InputError, SettingsError
from lightframe.frames import FrameInfo
from lightframe.frames._kinds import kind_notes
from lightframe.processes import DEBAYER_METHODS
from lightframe.session._plan_types import Plan
from lightframe.session._settings import RunSettings

__all__ = ["refuse_nonsense", "refuse_nothing", "refuse_settings", "why_nothing"]

_WEIGHTS_OF_FILES = frozenset({"given", "keyword"})
_HOW_TO_TELL = (
    "put the frames into folders named lights, flats, darks, flat-darks and bias, or let the"
    " capture program write IMAGETYP; lightframe info tells what headers say"
)
_REFUSED = frozenset({"double-bias-subtraction"})
"""Findings on settings with which no work is begun."""


def refuse_settings(settings: RunSettings) -> None:
    """Raise before any work if the settings ask for what a run cannot do."""
    if DEBAYER_METHODS[settings.debayer].shrinks:
        raise SettingsError(
            f"debayer = {settings.debayer!r} shrinks the frames",
            where="settings",
            cause="a run keeps the pixels of the lights, so that masters and defects fit them",
            remedy="choose bilinear, vng or rcd; superpixel is there in lightframe debayer",
        )
    for name in ("darks", "flats", "lights"):
        weight = getattr(settings, name).weight
        if weight in _WEIGHTS_OF_FILES:
            raise SettingsError(
                f"{name}.weight = {weight!r} needs a number for each frame",
                where="settings",
                cause="such numbers belong to single files, and a run takes none",
                remedy="choose another weight, or integrate the files with lightframe integrate",
            )
    listed = settings.cosmetic.defect_list
    if listed is not None and not listed.is_file():
        raise SettingsError(
            "there is no such list of defects",
            where=listed,
            cause="a typing error in cosmetic.defect_list, or a path relative to another folder",
            remedy="name the file with its whole path, or leave the setting out",
        )


def refuse_nothing(plan: Plan, frames: Iterable[FrameInfo], paths: Sequence[Path]) -> None:
    """Raise if there is neither a result nor a master to be made of the frames of a plan."""
    if plan.groups or plan.masters:
        return
    raise InputError(
        "nothing can be made of what was found",
        where=", ".join(map(str, paths)),
        **why_nothing(plan, frames),
    )


def why_nothing(
    plan: Plan, frames: Iterable[FrameInfo], unreadable: Sequence[Refusal] = ()
) -> dict[str, str]:
    """Return cause and remedy where no frame is of use.

    Parameters
    ----------
    plan : Plan
        What it could be made of.
    frames : iterable of FrameInfo
        All whose header could be read.
    unreadable : sequence of Refusal
        Frames whose pixels cannot be read.
    """
    unknown = [info for info in frames if info.kind is None]
    left_out = [
        *((refusal.path.name, refusal.reason) for refusal in (*plan.refused, *unreadable)),
        *((unused.label, unused.reason) for unused in plan.unused),
    ]
    if unknown and len(left_out) == 1:
        return {"cause": _why_unknown(unknown), "remedy": _HOW_TO_TELL}
    first, reason = left_out[0]
    rest = "; and others" if len(left_out) > 1 else ""
    remedy = (
        "look at all reasons with lightframe run --dry-run; lightframe info tells what headers say"
    )
    return {"cause": f"{first}: {reason}{rest}", "remedy": remedy}


def _why_unknown(frames: Sequence[FrameInfo]) -> str:
    """Return why it is not known what frames are for, in the user's words."""
    seen = [f"{info.path.name}: {note}" for info in frames for note in kind_notes(info)]
    absent = (
        "no header has IMAGETYP, and no name of a file or folder says light, flat, dark, flat-dark"
        " or bias"
    )
    count = counted(len(frames), "frame", "frames")
    return f"the kind of {count} is not known: {seen[0] if seen else absent}"


def refuse_nonsense(plan: Plan) -> None:
    """Raise if the plan would spoil every light, whatever the frames are like."""
    for finding in plan.findings:
        if finding.rule in _REFUSED:
            raise SettingsError(
                finding.message,
                where=f"plan ({finding.rule})",
                cause=finding.cause,
                remedy=f"{finding.remedy}; or insist with --force",
            )
