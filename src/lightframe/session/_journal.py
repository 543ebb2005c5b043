"""The journal of an output folder: what an earlier run has finished there, and need not be redone.

A master is taken up again if everything it depends on is as it was: the content of its frames (by
SHA-256), the settings it was made with, the masters that calibrated it, and this version.
"""

import hashlib
import json
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from lightframe._version import __version__
from lightframe.frames import FrameKind, write_text
from lightframe.session._json_values import read_entries
from lightframe.session._plan_types import MasterJob
from lightframe.session._settings import RunSettings

__all__ = ["Journal", "fingerprint"]

_FILE = "journal.json"
_PEDESTAL = {"input_pedestal", "input_pedestal_keyword", "input_pedestal_dn"}
"""Settings of calibration that all frames obey, darks and bias frames, too."""


def fingerprint(
    job: MasterJob,
    hashes: Mapping[Path, str],
    settings: RunSettings,
    others: Mapping[str, str],
) -> str:
    """Return a hash of everything that a master depends on.

    Parameters
    ----------
    job : MasterJob
        The master.
    hashes : mapping of Path to str
        SHA-256 of its frames; a frame that has none cannot be read.
    settings : RunSettings
        Settings of the run.
    others : mapping of str to str
        Fingerprints of the masters it is calibrated with, by name.
    """
    flat = job.kind is FrameKind.FLAT
    facts: dict[str, Any] = {
        "version": __version__,
        "kind": job.kind.value,
        "frames": [hashes.get(path) for path in job.frames],
        "integration": (settings.flats if flat else settings.darks).model_dump(mode="json"),
        "units": settings.units,
        "pedestal": settings.calibration.model_dump(mode="json", include=_PEDESTAL),
    }
    if job.kind is FrameKind.BIAS and settings.superbias:
        facts["superbias"] = settings.superbias_model.model_dump(mode="json")
    if flat:
        facts["calibration"] = settings.calibration.model_dump(mode="json")
        facts["steps"] = [
            {
                "frames": [hashes.get(path) for path in step.frames],
                "masters": [others[name] for name in step.masters],
                "dark_scaling": step.dark_scaling,
                "dark_holds_bias": step.dark_holds_bias,
            }
            for step in job.steps
        ]
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """Finished masters of an output folder.

    Parameters
    ----------
    folder : Path
        The folder ``.lightframe`` of the output folder.

    Notes
    -----
    A journal that cannot be read, e.g. because the machine went down while it was written, is
    taken as empty: work is then done again, never trusted wrongly.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._entries: dict[str, dict[str, Any]] = read_entries(self._path, _is_whole)
        self._lock = threading.Lock()

    def recall(self, name: str, key: str, out: Path) -> dict[str, Any] | None:
        """Return the record of a finished master, or None if it has to be made."""
        entry = self._entries.get(name)
        if entry is None or entry["fingerprint"] != key:
            return None
        record: dict[str, Any] = entry["record"]
        path = out / record["path"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            return None
        return record

    def others(self, names: Collection[str], out: Path) -> list[str]:
        """Return the masters that earlier runs have finished under other names, by their paths."""
        entries = [entry for name, entry in self._entries.items() if name not in names]
        paths = [str(entry["record"]["path"]) for entry in entries]
        return sorted(path for path in paths if (out / path).is_file())

    def remember(self, name: str, key: str, record: Mapping[str, Any], out: Path) -> None:
        """Enter a finished master, from any thread."""
        size = (out / record["path"]).stat().st_size
        with self._lock:
            self._entries[name] = {"fingerprint": key, "bytes": size, "record": dict(record)}
            write_text(self._path, json.dumps(self._entries, indent=1))


def _is_whole(entry: object) -> bool:
    """Whether an entry of a journal is one that `Journal.remember` has written."""
    if not isinstance(entry, dict) or not {"fingerprint", "bytes"} <= entry.keys():
        return False
    record = entry.get("record")
    return isinstance(record, dict) and isinstance(record.get("path"), str)
