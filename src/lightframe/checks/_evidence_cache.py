"""Evidence kept on disk, by the identity of the file that it was taken from."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from lightframe.checks._evidence_frame import EVIDENCE_VERSION, FrameEvidence, Places
from lightframe.checks._evidence_levels import Levels
from lightframe.frames import FrameInfo
from lightframe.frames._scratch import new_file

__all__ = ["EvidenceCache"]


class EvidenceCache:
    """Evidence of frames in a folder; a file that has changed is measured again.

    Parameters
    ----------
    folder : Path or None
        Made when first needed; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, info: FrameInfo, measure: Callable[[], FrameEvidence]) -> FrameEvidence:
        """Return the evidence of a frame: the kept one if its file is the same, else measured.

        Raises
        ------
        SettingsError
            If the folder cannot be written to.
        ResourceError
            If there is no room.
        """
        if self._folder is None:
            return measure()
        place = self._folder / f"{_identity(info.path)}.npz"
        if place.is_file():
            try:
                with place.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                    return _unpacked(info, dict(stored))
            except (OSError, ValueError, KeyError, BadZipFile):
                place.unlink(missing_ok=True)  # damaged, or written by another version
        evidence = measure()
        with new_file(place, make_folder=True) as target:
            np.savez(target, allow_pickle=False, **_packed(evidence))
        return evidence


def _identity(path: Path) -> str:
    status = path.stat()
    text = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{EVIDENCE_VERSION}"
    return hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()


def _packed(evidence: FrameEvidence) -> dict[str, Any]:
    """Return all values as arrays, by dotted names."""
    packed: dict[str, Any] = {}
    for item in fields(evidence):
        value = getattr(evidence, item.name)
        if isinstance(value, Levels | Places):
            packed |= {f"{item.name}.{f.name}": getattr(value, f.name) for f in fields(value)}
        elif item.name != "info":
            packed[item.name] = value
    return {name: np.asarray(value) for name, value in packed.items()}


def _unpacked(info: FrameInfo, stored: dict[str, Any]) -> FrameEvidence:
    def part(kind: type[Any], name: str) -> dict[str, Any]:
        return {f.name: stored[f"{name}.{f.name}"] for f in fields(kind)}

    hot, stars = part(Places, "hot"), part(Places, "stars")
    single = ("noise", "tiles", "tile_error", "rows", "columns", "patches")
    return FrameEvidence(
        info=info,
        levels=Levels(**part(Levels, "levels")),
        hot=Places(**hot | {"total": int(hot["total"])}),
        hot_limit=float(stored["hot_limit"]),
        stars=Places(**stars | {"total": int(stars["total"])}),
        lone_maxima=tuple(stored["lone_maxima"].tolist()),
        digest=str(stored["digest"]),
        **{name: stored[name] for name in single},
    )
