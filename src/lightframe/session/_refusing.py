"""Settings and plans with which no work is begun."""

from collections.abc import Sequence
from pathlib import Path

from lightframe.errors import InputError, SettingsError
from lightframe.processes import DEBAYER_METHODS
from lightframe.session._plan_types import Plan
from lightframe.session._settings import RunSettings

__all__ = ["refuse_nonsense", "refuse_nothing", "refuse_settings"]

_WEIGHTS_OF_FILES = frozenset({"given", "keyword"})
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


def refuse_nothing(plan: Plan, paths: Sequence[Path]) -> None:
    """Raise if there is neither a result nor a master to be made of the frames of a plan."""
    if plan.groups or plan.masters:
        return
    left_out = [
        *((refusal.path.name, refusal.reason) for refusal in plan.refused),
        *((unused.label, unused.reason) for unused in plan.unused),
    ]
    first, reason = left_out[0]
    rest = "; and others" if len(left_out) > 1 else ""
    raise InputError(
        "nothing can be made of what was found",
        where=", ".join(map(str, paths)),
        cause=f"{first}: {reason}{rest}",
        remedy="look at all reasons with --dry-run; lightframe info tells what headers say",
    )


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
