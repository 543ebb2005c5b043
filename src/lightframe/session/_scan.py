"""Scan: from folders and files to the frames in them, from headers alone.

One bad file never stops a scan: it is refused with the reader's reason, and the rest goes on.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lightframe.checks import Refusal
from lightframe.errors import InputError, LightframeError
from lightframe.frames import (
    SETTINGS_SUFFIX,
    FrameInfo,
    access_error,
    has_image_suffix,
    read_info,
    recognise_flat_darks,
    with_settings,
)

__all__ = ["OWN_FOLDER", "Scan", "scan"]

OWN_FOLDER = ".lightframe"
"""Folder of journal and caches: what marks an output folder of a run."""

_THREADS = 8  # more than processors: on a network drive, opening a file is mostly waiting

_SIMULATED_TRUTH = frozenset({"truth.fits", "truth.json"})
"""What lies beside a simulated session is no frame of it."""
_OWN_RESULTS = frozenset(
    {"masters", "results", "previews", "calibrated", "cosmetic", "debayered", "registered"}
)
"""Folders of results in an output folder of Lightframe."""

_WASTE_BINS = frozenset({"$recycle.bin", "system volume information", "__macosx"})


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found.

    Attributes
    ----------
    frames : tuple of FrameInfo
        All readable frames, sorted by path, flat-darks recognised.
    refused : tuple of Refusal
        Files that should be frames but cannot be read, sorted by path.
    ignored : tuple of Path
        Files that are no frames by their name, sorted.
    """

    frames: tuple[FrameInfo, ...]
    refused: tuple[Refusal, ...] = ()
    ignored: tuple[Path, ...] = ()

    def ignored_by_suffix(self) -> dict[str, int]:
        """Return how many files were ignored, by suffix, the most frequent first."""
        return dict(Counter(path.suffix.lower() for path in self.ignored).most_common())


@dataclass(slots=True)
class _Found:
    """Files gathered on the way through the folders, each once, however often it is reached."""

    images: list[Path] = field(default_factory=list)
    settings: dict[Path, Path] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def is_new(self, path: Path) -> bool:
        """Tell whether a file or folder is met for the first time, links being followed."""
        real = os.path.realpath(path)
        if real in self.seen:
            return False
        self.seen.add(real)
        return True


def scan(paths: Iterable[Path | str], *, threads: int = _THREADS) -> Scan:
    """Find all frames in folders and files.

    Folders are walked with all their sub-folders. Hidden files and folders are left out, and so are
    the folders of results in output folders of Lightframe (those with ``.lightframe``, whether the
    run came to its end or not) and the truth of simulated sessions. A file or folder that is given
    by itself is read whatever its name.

    Parameters
    ----------
    paths : iterable of Path or str
        Folders and files.
    threads : int, optional
        How many headers are read at a time.

    Returns
    -------
    Scan
        Frames, refused files with reasons, and ignored files.

    Raises
    ------
    InputError
        If one of `paths` does not exist.
    """
    found = _Found()
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(
                "no such file or folder",
                where=path,
                cause="a typing error, or the drive is not mounted",
            )
        if path.is_dir():
            _walk(path, found, given=True)
        elif found.is_new(path):
            found.images.append(path)
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        read = list(pool.map(lambda path: _read(path, found.settings.get(path)), found.images))
    frames = [item for item in read if isinstance(item, FrameInfo)]
    refused = found.refused + [item for item in read if isinstance(item, Refusal)]
    return Scan(
        recognise_flat_darks(sorted(frames, key=lambda frame: frame.path)),
        tuple(sorted(refused)),
        tuple(sorted(found.others)),
    )


def _walk(folder: Path, found: _Found, *, given: bool = False) -> None:
    """Gather the files of a folder and of those below it; a folder met again is left out."""
    if not found.is_new(folder):
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        found.refused.append(Refusal.of(folder, access_error(error, folder)))
        return
    names = {entry.name for entry in entries}
    if names >= _SIMULATED_TRUTH and not given:
        return
    is_own = OWN_FOLDER in names
    for entry in _visible(entries):
        if _is_folder(entry):
            if not (is_own and entry.name in _OWN_RESULTS):
                _walk(entry, found)
        else:
            _sort_in(entry, names, found)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder, as far as one may know: what is no folder is refused by name."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _visible(entries: Iterable[Path]) -> Iterator[Path]:
    for entry in entries:
        if not entry.name.startswith(".") and entry.name.lower() not in _WASTE_BINS:
            yield entry


def _sort_in(path: Path, names: set[str], found: _Found) -> None:
    """Put a file where it belongs: frames, settings of a frame, or the rest."""
    if not found.is_new(path):
        return
    if has_image_suffix(path):
        found.images.append(path)
        settings = path.stem + SETTINGS_SUFFIX
        if settings in names:
            found.settings[path] = path.with_name(settings)
    elif not path.name.endswith(SETTINGS_SUFFIX):
        found.others.append(path)


def _read(path: Path, settings: Path | None) -> FrameInfo | Refusal:
    try:
        info = read_info(path)
        return info if settings is None else with_settings(info, settings)
    except LightframeError as error:
        return Refusal.of(path, error)
    except Exception as error:  # noqa: BLE001 - a reader's mistake on one file stops no scan
        return Refusal(path, f"its reader failed: {type(error).__name__}: {error}")
