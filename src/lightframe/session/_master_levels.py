"""Levels of the frames of a master, and frames that have none to work with."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lightframe.errors import InputError
from lightframe.frames import PixelSource
from lightframe.processes import FrameStatistics, IntegrationSettings, sample_statistics
from lightframe.session._context import Context
from lightframe.session._plan_types import MasterJob

__all__ = ["divides", "measured"]


def divides(settings: IntegrationSettings) -> bool:
    """Whether a frame is divided by its level before it is integrated."""
    return settings.rejection_normalization == "equalize-fluxes" or (
        settings.normalization in {"multiplicative", "multiplicative-scaling"}
    )


def measured(
    job: MasterJob,
    sources: Mapping[Path, PixelSource],
    settings: IntegrationSettings,
    context: Context,
) -> tuple[dict[Path, PixelSource], list[FrameStatistics]]:
    """Measure the level of each frame; frames that have none to work with are set aside by name."""

    def look(path: Path) -> FrameStatistics | None:
        try:
            (found,) = sample_statistics([sources[path]], estimators=settings.estimators)
        except InputError as error:
            context.exclude(path, error.what if error.where else "it is empty: it has no pixels")
            return None
        level = float(found.location.min())
        if divides(settings) and not level > 0:
            context.exclude(path, f"it is empty: its level, free of bias, is {level:.0f} DN")
            return None
        return found

    with ThreadPoolExecutor(context.threads, thread_name_prefix="levels") as pool:
        looks = dict(zip(sources, pool.map(look, sources), strict=True))
    found = {path: one for path, one in looks.items() if one is not None}
    if not found:
        raise InputError(
            f"all {len(sources)} frames of the master {job.kind} are empty",
            where=job.frames[0].parent,
            cause="there was no light, or a bias or dark of that level was subtracted",
            remedy="look at the frames; take them again, or leave them out",
        )
    return {path: sources[path] for path in found}, list(found.values())
