"""What every job on folders begins with: the frames in them, and a plan for these."""

from collections.abc import Sequence
from pathlib import Path

from lightframe.errors import InputError
from lightframe.session._plan import make_plan
from lightframe.session._plan_types import Plan
from lightframe.session._progress import Progress
from lightframe.session._scan import Scan, scan
from lightframe.session._settings import RunSettings

__all__ = ["find_frames", "plan_frames"]


def find_frames(paths: Sequence[Path], progress: Progress) -> Scan:
    """Scan folders and files.

    Raises
    ------
    InputError
        If one of them does not exist, or there is nothing like a frame in any of them.
    """
    with progress.step("Reading headers", 1):
        found = scan(paths)
    if not found.frames and not found.refused:
        others = ", ".join(
            f"{count} x {suffix or 'no suffix'}"
            for suffix, count in found.ignored_by_suffix().items()
        )
        raise InputError(
            "no frame found" + (f" among {others}" if others else ": nothing is there"),
            where=", ".join(map(str, paths)),
            cause="another folder was meant, or the frames are of a format that is not read",
            remedy="give the folders that hold FITS, XISF or camera-raw files",
        )
    return found


def plan_frames(found: Scan, paths: Sequence[Path], settings: RunSettings) -> Plan:
    """Plan what is to be done with the frames that a scan of `paths` has found."""
    return make_plan(
        found.frames,
        found.refused,
        settings.match,
        named=[path for path in paths if path.is_file()],
        calibrate_dark=settings.calibration.calibrate_dark,
    )
