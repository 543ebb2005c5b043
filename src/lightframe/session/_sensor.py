"""Characterize the sensors behind the frames of folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightframe.checks import Refusal, SensorReport, characterize, why_left_out
from lightframe.errors import InputError
from lightframe.frames import FrameInfo
from lightframe.session._evidence import measure_frames
from lightframe.session._progress import Progress, Silent
from lightframe.session._resources import default_threads
from lightframe.session._scan import scan
from lightframe.session._settings import RunSettings

__all__ = ["SensorSurvey", "survey_sensors"]


@dataclass(frozen=True, slots=True)
class SensorSurvey:
    """What the frames of folders tell of sensors.

    Attributes
    ----------
    reports : tuple of SensorReport
        One for each camera at one set of settings, most frames first.
    left_out : tuple of Refusal
        Frames that tell nothing of a sensor: masters, calibrated ones, ones of unknown kind.
    refused : tuple of Refusal
        Files that cannot be read.
    """

    reports: tuple[SensorReport, ...]
    left_out: tuple[Refusal, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 if files could not be read, else 0."""
        return int(bool(self.refused))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, with stable keys."""
        return {
            "sensors": [report.as_dict() for report in self.reports],
            "left_out": [
                {"path": str(refusal.path), "reason": refusal.reason} for refusal in self.left_out
            ],
            "refused": [refusal.as_dict() for refusal in self.refused],
        }


def survey_sensors(
    paths: Sequence[Path],
    settings: RunSettings = RunSettings(),
    *,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> SensorSurvey:
    """Characterize the sensors behind the raw frames of folders.

    Parameters
    ----------
    paths : sequence of Path
        Folders and files; bias frames, darks of several exposures, and flats tell most.
    settings : RunSettings, optional
        `check` and `workers` are used.
    progress : Progress, optional
        Who is told.
    cache : Path, optional
        Folder in which measurements are kept for the next time; that of a check will do.

    Returns
    -------
    SensorSurvey
        Figures, or why they are unknown, by camera and settings.

    Raises
    ------
    InputError
        If a folder does not exist, or holds no raw frame that can be read.
    """
    progress = progress or Silent()
    with progress.step("Reading headers", 1):
        found = scan(paths)
    raw: list[FrameInfo] = []
    left_out: list[Refusal] = []
    for info in found.frames:
        reason = why_left_out(info)
        if reason is None:
            raw.append(info)
        else:
            left_out.append(Refusal(info.path, reason))
    threads = settings.workers or default_threads()
    measured, unreadable = measure_frames(raw, progress, threads=threads, cache=cache)
    refused = (*found.refused, *unreadable)
    if not measured:
        raise _nothing(paths, left_out, refused)
    with progress.step("Characterizing sensors", 1):
        reports = characterize(measured.values(), settings.check)
    return SensorSurvey(reports, tuple(left_out), refused)


def _nothing(
    paths: Sequence[Path], left_out: Sequence[Refusal], refused: Sequence[Refusal]
) -> InputError:
    others = [*refused, *left_out]
    return InputError(
        "no raw frame found" if not others else f"none of {len(others)} files is a raw frame",
        where=", ".join(map(str, paths)),
        cause=f"{others[0].path.name}: {others[0].reason}"
        if others
        else "another folder was meant, or the frames are of a format that is not read",
        remedy="give folders with bias frames, darks and flats as the camera delivered them",
    )
