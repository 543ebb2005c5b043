"""The results that runs have made in an output folder, and those of them that are no longer made.

Where an object was renamed, or filters are grouped otherwise, the results of an earlier run have
other names: they would lie beside the new ones as if they were of the same run. They are set aside,
not removed: a result may be hours of work, and the mistake may lie in the new names. Results of
other lights stay where they are, for a folder may gather one night after the other, unless one of
the same name is made now; and so does one that a run wanted to make again and could not, for there
is nothing that takes its place.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightframe.frames import FrameInfo, write_text
from lightframe.session._json_values import read_entries

__all__ = ["LEDGER_FILE", "SUPERSEDED", "ResultLedger", "marks"]

LEDGER_FILE = "results.json"
SUPERSEDED = "superseded"
"""Folder for results and pictures that are no longer made, in the folders they lay in."""


def marks(info: FrameInfo, sha256: str | None) -> set[str]:
    """Return what a light is known again by: its content, or its name, time and camera.

    Content alone will not do: an object is renamed in the headers. A light that states no time is
    known by its place.
    """
    where = str(info.path.absolute()) if info.time is None else info.path.name
    named = f"{where} {info.time} {info.camera}"
    return {named} if sha256 is None else {named, sha256}


class ResultLedger:
    """Results of an output folder with the files that belong to each.

    A file that was changed or replaced since, by its size and time, is not the run's any more, and
    is never touched.

    Parameters
    ----------
    out : Path
        The output folder.
    own : Path
        Its folder ``.lightframe``.

    Notes
    -----
    A ledger that cannot be read is taken as empty: files that it named are left alone.
    """

    def __init__(self, out: Path, own: Path) -> None:
        self._out = out
        self._path = own / LEDGER_FILE
        self._entries: dict[str, dict[str, Any]] = read_entries(self._path, _is_whole)

    def remember(self, result: Mapping[str, Any], lights: Iterable[str]) -> None:
        """Enter a result that was just written.

        Parameters
        ----------
        result : mapping
            Its entry in run.json.
        lights : iterable of str
            `marks` of the lights in it.
        """
        pictures = [result["preview"], *(entry["preview"] for entry in result["maps"])]
        files = {path: _signature(self._out / path) for path in (result["path"], *pictures)}
        self._entries[result["path"]] = {"files": files, "lights": sorted(lights)}
        self._save()

    def make_way(self, path: str, lights: Collection[str]) -> list[str]:
        """Set aside an earlier result of other lights that is about to be written over.

        Parameters
        ----------
        path : str
            Where the new result will lie, in the output folder.
        lights : collection of str
            `marks` of the lights in it.

        Returns
        -------
        list of str
            What was done: one line, or none.
        """
        entry = self._entries.get(path)
        if entry is None or set(lights).intersection(entry["lights"]):
            return []
        if not self._is_as_written(path, entry):
            return []
        note = self._supersede(path, entry, "other lights, and another takes its name")
        self._save()
        return [note]

    def set_aside(
        self, made: Collection[str], failed: Collection[str], lights: Collection[str]
    ) -> list[str]:
        """Set aside earlier results whose lights are in results of other names now; tell of all.

        Parameters
        ----------
        made, failed : collection of str
            Results of this run, and those that it could not make, as paths in the output folder.
        lights : collection of str
            `marks` of the lights of this run.

        Returns
        -------
        list of str
            What was done, one line for each result that was set aside, and one for all that stay
            for one reason.
        """
        notes, others, missed = [], [], []
        before = dict(self._entries)
        used = {mark for path in made for mark in self._entries[path]["lights"]}
        for path, entry in sorted(self._entries.items()):
            if path in made:
                continue
            if not self._is_as_written(path, entry):
                del self._entries[path]
            elif not set(lights).intersection(entry["lights"]):
                others.append(path)
            elif path in failed or not used.intersection(entry["lights"]):
                missed.append(path)
            else:
                notes.append(self._supersede(path, entry, "these lights, and is no longer made"))
        if self._entries != before:
            self._save()
        if missed:
            notes.append(
                "results of an earlier run of these lights, which this run could not make again,"
                f" stay: {', '.join(missed)}"
            )
        if others:
            notes.append(f"results of earlier runs, of other lights, stay: {', '.join(others)}")
        return notes

    def _supersede(self, path: str, entry: Mapping[str, Any], why: str) -> str:
        """Move the files of a result, and forget it; tell of it."""
        what = f"{path} is of an earlier run of {why}:"
        sources = [self._out / file for file in entry["files"] if self._is_as_written(file, entry)]
        try:
            for source, target in zip(sources, _free_places(sources), strict=True):
                target.parent.mkdir(exist_ok=True)
                source.replace(target)
        except OSError as error:
            return f"{what} it could not be set aside ({error.strerror})"
        del self._entries[path]
        return f"{what} set aside in {Path(path).parent.as_posix()}/{SUPERSEDED}"

    def _is_as_written(self, file: str, entry: Mapping[str, Any]) -> bool:
        path = self._out / file
        return path.is_file() and _signature(path) == entry["files"].get(file)

    def _save(self) -> None:
        write_text(self._path, json.dumps(self._entries, indent=1))


def _free_places(sources: Sequence[Path]) -> list[Path]:
    """Return where files are set aside, with a number where others have been before them."""
    number = 1
    while True:
        end = "" if number == 1 else f"_{number}"
        places = [path.parent / SUPERSEDED / f"{path.stem}{end}{path.suffix}" for path in sources]
        if not any(place.exists() for place in places):
            return places
        number += 1


def _signature(path: Path) -> list[int]:
    """Return size and time of a file, as JSON has them."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _is_whole(entry: object) -> bool:
    """Whether an entry is one that `ResultLedger.remember` has written."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("files"), dict)
        and isinstance(entry.get("lights"), list)
    )
