"""The main job: scan and plan, then the execution of the plan.

The way of a pixel is told in docs/architecture.md.
"""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from lightframe.session._begin import find_frames, plan_frames
from lightframe.session._beside import Beside
from lightframe.session._context import Context
from lightframe.session._lock import locked
from lightframe.session._outcome import Outcome
from lightframe.session._plan_types import Plan
from lightframe.session._progress import Progress, Silent
from lightframe.session._refusing import refuse_nonsense, refuse_nothing, refuse_settings
from lightframe.session._resources import default_memory_bytes, default_threads
from lightframe.session._settings import RunSettings

__all__ = ["plan_run", "run"]


def plan_run(
    paths: Sequence[Path], settings: RunSettings, *, progress: Progress | None = None
) -> Plan:
    """Scan folders and plan the run, without computing anything.

    Parameters
    ----------
    paths : sequence of Path
        Folders and files of raw frames and masters.
    settings : RunSettings
        What a run would obey.
    progress : Progress, optional
        Shows what is being done.

    Raises
    ------
    InputError
        If a folder does not exist or there is no frame in any of them.
    """
    progress = progress or Silent()
    return plan_frames(find_frames(paths, progress), paths, settings)


def run(
    paths: Sequence[Path],
    out: Path,
    settings: RunSettings = RunSettings(),
    *,
    progress: Progress | None = None,
    fresh: bool = False,
) -> Outcome:
    """Turn folders of raw frames into calibrated, registered, integrated images.

    Parameters
    ----------
    paths : sequence of Path
        Folders and files of raw frames and masters.
    out : Path
        Folder for all output; made if it does not exist.
    settings : RunSettings, optional
        All settings.
    progress : Progress, optional
        Who is told.
    fresh : bool, optional
        Forget what an earlier run has left in the output folder.

    Returns
    -------
    Outcome
        The content of run.json, which is written to `out`, and the exit code.

    Raises
    ------
    InputError
        If there is nothing to work on.
    SettingsError
        If `out` cannot be written to, or settings contradict each other.
    ResourceError
        If disk or memory run out, or another run works in `out`.
    """
    progress = progress or Silent()
    refuse_settings(settings)
    threads = settings.workers or default_threads()
    context = Context(
        settings=settings,
        out=out,
        progress=progress,
        threads=threads,
        beside=Beside(threads),
        memory_bytes=default_memory_bytes()
        if settings.memory_gb is None
        else int(settings.memory_gb * 1e9),
    )
    with ExitStack() as ending:
        known = context.own.is_dir()
        if known:  # before the headers are read: the run that holds the lock may be at work
            ending.enter_context(locked(context.own, progress))
        with context.meter.step("scan and plan"):
            found = find_frames(paths, progress)
            plan = plan_frames(found, paths, settings)
        refuse_nothing(plan, found.frames, paths)
        if not settings.force:
            refuse_nonsense(plan)
        if not known:
            context.claim()
            ending.enter_context(locked(context.own, progress))
        ending.callback(shutil.rmtree, context.scratch, ignore_errors=True)
        ending.callback(context.beside.stop)
        context.prepare_folders(fresh=fresh)
        from lightframe.session._execution import Execution  # noqa: PLC0415 - after the first line

        return Execution(plan, found.frames, context).execute(paths)
