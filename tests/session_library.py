"""Simulated sessions whose frames are made once: a session is a folder of links to its frames.

Sessions that differ in one fault share all frames that the fault does not touch, and what was
measured on them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lightframe.session import Outcome, RunSettings, run
from lightframe.session._check import Check, check
from lightframe.simulation import Session, Shot, build_camera, schedule
from lightframe.simulation._simulate import _write_frame


class Library:
    """Frames and evidence of simulated sessions, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cameras: dict[str, Any] = {}
        (folder / "frames").mkdir(parents=True)
        (folder / "sessions").mkdir()

    def session(self, session: Session) -> Path:
        """Return the folder of a session, without its truth."""
        folder = self._folder / "sessions" / _name(session.model_dump_json())
        if folder.is_dir():
            return folder
        shots = schedule(session)
        for shot in shots:
            place = folder / shot.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(self._frame(session, shots, shot))
        for number, fault in enumerate(session.faults):
            touched = [shot for shot in shots if number in shot.faults]
            fault.change_folder(folder, touched, session.sensor)
        return folder

    def check(self, session: Session, settings: Mapping[str, Any] | None = None) -> Check:
        """Check a session."""
        folders = [path for path in self.session(session).iterdir() if any(path.iterdir())]
        return check(
            sorted(folders), RunSettings.parse(settings or {}), cache=self._folder / "evidence"
        )

    def run(
        self, session: Session, out: Path, settings: Mapping[str, Any] | None = None
    ) -> Outcome:
        """Run a session."""
        folders = [path for path in self.session(session).iterdir() if any(path.iterdir())]
        return run(sorted(folders), out, RunSettings.parse(settings or {}))

    def _frame(self, session: Session, shots: tuple[Shot, ...], shot: Shot) -> Path:
        """Return the file of a frame, made if it is the first time."""
        sound = session.changed(faults=())
        faults = [session.faults[place].model_dump_json() for place in shot.faults]
        own = shot.model_copy(update={"faults": ()}).model_dump_json()
        suffix = Path(shot.path).suffix
        name = _name(sound.model_dump_json(), own, *faults) + suffix
        path = self._folder / "frames" / name
        if not path.exists():
            serials = sorted({other.serial for other in shots if other.serial is not None})
            key = _name(sound.model_dump_json(), str(serials))
            if key not in self._cameras:
                self._cameras[key] = build_camera(sound, shots)
            _write_frame(replace(self._cameras[key], session=session), shot, path)
        return path


def _name(*parts: str) -> str:
    return hashlib.blake2b("|".join(parts).encode(), digest_size=12).hexdigest()
