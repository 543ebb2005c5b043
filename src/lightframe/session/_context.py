"""What all steps of a run share: settings, folders, limits, counters, and the frames set aside."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from lightframe.buffers import Buffers
from lightframe.errors import InputError, SettingsError
from lightframe.frames import PixelSource, Window, open_pixels
from lightframe.frames._scratch import UNFINISHED
from lightframe.session._beside import Beside
from lightframe.session._lock import LOCK_FILE, unwritable
from lightframe.session._progress import Progress
from lightframe.session._resources import Meter
from lightframe.session._result_ledger import LEDGER_FILE
from lightframe.session._scan import OWN_FOLDER
from lightframe.session._settings import RunSettings

__all__ = ["Context", "Exclusion"]

_buffers = Buffers()
_FOLDERS = ("masters", "results", "previews")
_KEPT = frozenset({LOCK_FILE, LEDGER_FILE})
"""What a fresh beginning leaves: another run could lock a new file while this one is at work, and
the results of earlier runs are still there."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A frame that was set aside while it was worked on, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Context:
    """Shared by all steps of one run; its methods may be called from several threads.

    Attributes
    ----------
    settings : RunSettings
        As given.
    out : Path
        The output folder.
    progress : Progress
        Who is told.
    threads : int
        How many threads work.
    memory_bytes : int
        What the buffers of an integration may take.
    hashes : mapping of Path to str
        SHA-256 of every input file.
    meter : Meter
        Counts time and bytes.
    exclusions : list of Exclusion
        Frames set aside.
    names : mapping of Path to str
        What files that are kept of a light are called.
    beside : Beside
        Threads for what is done beside the main job.
    """

    settings: RunSettings
    out: Path
    progress: Progress
    threads: int
    memory_bytes: int
    hashes: dict[Path, str] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    exclusions: list[Exclusion] = field(default_factory=list)
    names: dict[Path, str] = field(default_factory=dict)
    beside: Beside = field(default_factory=Beside)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def own(self) -> Path:
        """Folder of journal and caches."""
        return self.out / OWN_FOLDER

    @property
    def scratch(self) -> Path:
        """Folder for decoded pixels."""
        return self.own / "scratch"

    def claim(self) -> None:
        """Make an output folder of the run's own, unless it is one already.

        Raises
        ------
        SettingsError
            If it cannot be made, or holds files of others where those of the run would lie.
        ResourceError
            If the disk is full.
        """
        try:
            self._refuse_foreign()
            self.own.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.out, error) from error

    def prepare_folders(self, *, fresh: bool = False) -> None:
        """Clear away what a killed run has left, and make the folders; the lock has to be held.

        Parameters
        ----------
        fresh : bool, optional
            Forget what earlier runs have finished.

        Raises
        ------
        SettingsError
            If the output folder cannot be written to.
        ResourceError
            If the disk is full.
        """
        try:
            for entry in self.own.iterdir():
                if entry == self.scratch or (fresh and entry.name not in _KEPT):
                    _remove(entry)
            for folder in _FOLDERS:
                (self.out / folder).mkdir(parents=True, exist_ok=True)
                for unfinished in (self.out / folder).glob(UNFINISHED):
                    unfinished.unlink()
            self.scratch.mkdir(parents=True, exist_ok=True)
            probe = self.scratch / "writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise unwritable(self.out, error) from error

    def _refuse_foreign(self) -> None:
        """Raise if masters or results of somebody else would be mixed with those of the run."""
        if self.own.is_dir():
            return
        for name in _FOLDERS:
            folder = self.out / name
            if folder.is_dir() and any(folder.iterdir()):
                raise SettingsError(
                    "there are files already that are not of an earlier run",
                    where=folder,
                    cause="the output folder is one of frames, or of another program",
                    remedy="choose another folder with -o",
                )

    def open(self, path: Path) -> PixelSource | None:
        """Open a frame's pixels; set it aside and return None if that is impossible."""
        if any(item.path == path for item in self.exclusions):
            return None
        try:
            return open_pixels(path, scratch=self.scratch)
        except InputError as error:
            self.exclude(path, error.what)
            return None

    def read_whole(self, source: PixelSource) -> npt.NDArray[np.uint16] | npt.NDArray[np.float32]:
        """Return all raw pixels of a frame, valid until this thread reads the next one whole."""
        shape = (source.channels, source.height, source.width)
        pixels = _buffers.get("whole", shape, source.dtype)
        source.read(Window(0, source.height, 0, source.width), pixels)
        self.meter.read(pixels.nbytes)
        return cast("npt.NDArray[np.uint16] | npt.NDArray[np.float32]", pixels)

    def do_beside(self, name: str, work: Callable[[], object]) -> None:
        """Do something beside the main job, soon, and count what it costs; see `Beside.do`."""

        def counted() -> None:
            with self.meter.work(name):
                work()

        self.beside.do(counted)

    def exclude(self, path: Path, reason: str) -> None:
        """Set a frame aside."""
        with self._lock:
            self.exclusions.append(Exclusion(path, reason))
        self.progress.message(f"set aside {path.name}: {reason}")

    def relative(self, path: Path) -> str:
        """Return a path inside the output folder as run.json has it."""
        return path.relative_to(self.out).as_posix()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
