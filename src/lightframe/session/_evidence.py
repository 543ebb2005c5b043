"""Evidence of the frames of a session, measured side by side; one bad frame stops nothing."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lightframe.checks import FrameEvidence, Refusal, measure_frame
from lightframe.checks._evidence_cache import EvidenceCache
from lightframe.errors import InputError
from lightframe.frames import FrameInfo
from lightframe.session._progress import Progress

__all__ = ["measure_frames"]


def measure_frames(
    infos: Sequence[FrameInfo],
    progress: Progress,
    *,
    threads: int = 1,
    cache: Path | None = None,
    visit: Callable[[Path], object] | None = None,
) -> tuple[dict[Path, FrameEvidence], tuple[Refusal, ...]]:
    """Look at the pixels of frames.

    Parameters
    ----------
    infos : sequence of FrameInfo
        The frames.
    progress : Progress
        Who is told.
    threads : int
        Frames looked at side by side.
    cache : Path, optional
        Folder in which evidence is kept for the next time.
    visit : callable, optional
        Called with each file just before it is looked at, from the same thread: what else reads the
        whole file then brings it into memory, and it is not read from disk twice.

    Returns
    -------
    dict of Path to FrameEvidence
        What was measured.
    tuple of Refusal
        Frames whose pixels cannot be read, and why.
    """
    kept = EvidenceCache(cache)
    with (
        progress.step("Looking at pixels", len(infos)) as advance,
        ThreadPoolExecutor(max_workers=max(1, threads)) as pool,
    ):

        def measure(info: FrameInfo) -> FrameEvidence | Refusal:
            try:
                if visit is not None:
                    visit(info.path)
                return kept.get(info, lambda: measure_frame(info))
            except InputError as error:
                return Refusal.of(info.path, error)
            finally:
                advance(1)

        results = list(zip(infos, pool.map(measure, infos), strict=True))
    measured = {i.path: found for i, found in results if isinstance(found, FrameEvidence)}
    unreadable = tuple(found for _, found in results if isinstance(found, Refusal))
    return measured, unreadable
