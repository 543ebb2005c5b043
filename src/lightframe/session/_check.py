"""Check a session before any work is done: headers, plan and raw pixels.

Evidence is gathered once, frame by frame, in threads; the rules of `lightframe.checks` judge it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from lightframe.checks import (
    CheckSettings,
    FrameEvidence,
    Ledger,
    SessionEvidence,
    SetEvidence,
    Use,
    describe_set,
    judge_session,
    make_ledger,
    read_plane,
    without_consequences,
)
from lightframe.checks._evidence_tools import saturated_part
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._sensor_priors import measured_wins
from lightframe.errors import InputError
from lightframe.frames import FrameInfo, FrameKind, open_pixels
from lightframe.session._begin import find_frames, plan_frames
from lightframe.session._evidence import measure_frames
from lightframe.session._plan_types import Assignment, MasterJob, Plan
from lightframe.session._progress import Progress, Silent
from lightframe.session._refusing import why_nothing
from lightframe.session._resources import default_threads
from lightframe.session._sets import plural
from lightframe.session._settings import RunSettings

__all__ = ["Check", "check", "gather_evidence", "judge_all"]

_LEDGER_LIGHTS = 4
"""Lights that hot pixels are looked up in."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check has found.

    Attributes
    ----------
    findings : tuple of Finding
        The worst first; consequences of others are left out.
    plan : Plan
        What a run would do.
    evidence : SessionEvidence
        What was measured.
    failure : InputError or None
        Why there was not a single frame to look at; None if there was.
    """

    findings: tuple[Finding, ...]
    plan: Plan
    evidence: SessionEvidence
    failure: InputError | None = None

    @property
    def exit_code(self) -> int:
        """3 if no frame could be looked at, 1 if any finding is an error, else 0."""
        if self.failure is not None:
            return self.failure.exit_code
        return int(any(finding.severity is Severity.ERROR for finding in self.findings))

    def sets_as_dicts(self) -> list[dict[str, Any]]:
        """Return the sets of frames that were looked at, as JSON values."""
        return [
            {
                "label": frames.label,
                "kind": frames.kind.value,
                "is_master": frames.is_master,
                "frames": len(frames.frames),
                "exposure_s": frames.exposure_s,
                "gain": frames.gain,
                "filter": frames.filter,
                "level_dn": round(float(frames.level.mean()), 3),
                "noise_dn": round(float(frames.noise.mean()), 3),
            }
            for frames in self.evidence.sets
        ]


def check(
    paths: Sequence[Path],
    settings: RunSettings = RunSettings(),
    *,
    progress: Progress | None = None,
    cache: Path | None = None,
) -> Check:
    """Scan folders, plan, look at the pixels, and judge.

    Parameters
    ----------
    paths : sequence of Path
        Folders and files of raw frames and masters.
    settings : RunSettings, optional
        Those of a run; `match`, `check`, `calibration` and `workers` are used.
    progress : Progress, optional
        Who is told.
    cache : Path, optional
        Folder in which evidence is kept for the next time; made if it does not exist.

    Returns
    -------
    Check
        Findings, plan and evidence.

    Raises
    ------
    InputError
        If a folder does not exist, or there is no frame in any of them.
    """
    progress = progress or Silent()
    found = find_frames(paths, progress)
    plan = plan_frames(found, paths, settings)
    evidence = gather_evidence(
        found.frames,
        plan,
        settings.check,
        progress=progress,
        threads=settings.workers or default_threads(),
        cache=cache,
    )
    failure = None
    if not evidence.sets:
        failure = InputError(
            "no frame could be checked",
            where=", ".join(map(str, paths)),
            **why_nothing(plan, found.frames, evidence.unreadable),
        )
    return Check(judge_all(plan, evidence), plan, evidence, failure)


def judge_all(plan: Plan, evidence: SessionEvidence) -> tuple[Finding, ...]:
    """Return the findings of the plan and of the pixels, the worst first, without consequences."""
    planned = measured_wins(plan.findings, evidence)
    return without_consequences((*planned, *judge_session(evidence)))


def gather_evidence(  # noqa: PLR0913 - how to look, beside what at
    frames: Iterable[FrameInfo],
    plan: Plan,
    settings: CheckSettings = CheckSettings(),
    *,
    progress: Progress | None = None,
    threads: int = 1,
    cache: Path | None = None,
    visit: Callable[[Path], object] | None = None,
) -> SessionEvidence:
    """Measure all frames, put them together as the plan does, and compare darks with lights.

    A frame whose pixels cannot be read is named in the evidence; the others go on.

    Parameters
    ----------
    frames : iterable of FrameInfo
        All readable frames of the session.
    plan : Plan
        What is to be done with them.
    settings : CheckSettings, optional
        Thresholds.
    progress : Progress, optional
        Who is told.
    threads : int
        Frames looked at side by side.
    cache : Path, optional
        Folder in which evidence is kept for the next time.
    visit : callable, optional
        Called with each file just before it is looked at; see `measure_frames`.
    """
    # What masters are made of is needed first: read last, it is still in memory then.
    infos = sorted(
        (info for info in frames if info.kind is not None),
        key=lambda info: (info.kind is not FrameKind.LIGHT, info.kind is not FrameKind.FLAT),
    )
    measured, unreadable = measure_frames(
        infos, progress or Silent(), threads=threads, cache=cache, visit=visit
    )
    gathered = _Gathered(plan, measured)
    evidence = SessionEvidence(
        sets=tuple(gathered.sets.values()),
        uses=tuple(gathered.uses()),
        unreadable=unreadable,
        settings=settings,
    )
    return _with_ledgers(evidence, threads)


class _Gathered:
    """The sets of a plan with their evidence."""

    def __init__(self, plan: Plan, measured: Mapping[Path, FrameEvidence]) -> None:
        self.plan = plan
        self.sets: dict[tuple[Path, ...], SetEvidence] = {}
        left = dict(measured)
        for job in plan.masters:
            self._add(job.frames, job.label, left, job.kind, is_master=job.given)
        for group in plan.groups:
            for part in group.assignments:
                label = f"{plural(FrameKind.LIGHT, part.frames)} {group.name}"
                self._add(part.frames, label, left, FrameKind.LIGHT)
        for unused in plan.unused:
            by_kind: dict[tuple[FrameKind | None, bool], list[Path]] = {}
            for path in unused.frames:
                if path in left:
                    info = left[path].info
                    by_kind.setdefault((info.kind, info.is_master), []).append(path)
            for (kind, is_master), paths in by_kind.items():
                if kind is not None:
                    self._add(tuple(paths), unused.label, left, kind, is_master=is_master)

    def _add(
        self,
        paths: tuple[Path, ...],
        label: str,
        left: dict[Path, FrameEvidence],
        kind: FrameKind,
        *,
        is_master: bool = False,
    ) -> None:
        frames = [left.pop(path) for path in paths if path in left]
        if frames:
            self.sets[paths] = describe_set(label, kind, frames, is_master=is_master)

    def uses(self) -> Iterable[Use]:
        """Yield which set serves which."""
        for group in self.plan.groups:
            for part in group.assignments:
                yield from self._uses_of(self.sets.get(part.frames), part)
        for job in self.plan.masters:
            for step in job.steps:
                yield from self._uses_of(self.sets.get(job.frames), step)

    def _uses_of(self, target: SetEvidence | None, part: Assignment) -> Iterable[Use]:
        for name in part.masters:
            job: MasterJob = self.plan.master(name)
            source = self.sets.get(job.frames)
            if target is not None and source is not None:
                yield Use(job.kind, target, source, part.dark_scaling, job.holds_bias)


def _with_ledgers(evidence: SessionEvidence, threads: int) -> SessionEvidence:
    found = (
        _ledger(use.source, use.target, threads, evidence.settings.saturated_light)
        for use in evidence.uses
        if use.role is FrameKind.DARK
        and use.target.kind is FrameKind.LIGHT
        and sorted(use.target.shape) == sorted(use.source.shape)
    )
    return replace(evidence, ledgers=tuple(ledger for ledger in found if ledger is not None))


def _ledger(
    dark: SetEvidence, lights: SetEvidence, threads: int, most_saturated: float
) -> Ledger | None:
    """Look up the hot pixels of a dark in some lights, whose pixels are let go of then.

    Lights of which more than a part is saturated are of no use.
    """
    usable = [f for f in lights.frames if saturated_part(f).fraction <= most_saturated]
    if not usable:
        return None
    chosen = usable[:: max(1, len(usable) // _LEDGER_LIGHTS)][:_LEDGER_LIGHTS]
    with ThreadPoolExecutor(threads, thread_name_prefix="ledger") as pool:
        pixels = list(pool.map(_plane, chosen))
    ratio = (lights.exposure_s or 1.0) / (dark.exposure_s or lights.exposure_s or 1.0)
    ceiling = max(float(f.levels.maximum.max()) for f in (*dark.frames, *lights.frames))
    return make_ledger(dark, lights, pixels, ratio=ratio, ceiling=0.9 * ceiling)


def _plane(frame: FrameEvidence) -> npt.NDArray[Any]:
    """Return the raw pixels of a frame."""
    source = open_pixels(frame.path)
    try:
        return read_plane(source)
    finally:
        source.close()
