"""Files that are to become one image: which of them go together."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lightframe.errors import IncompatibleFramesError
from lightframe.frames import FrameInfo
from lightframe.session._batch import Failure
from lightframe.session._context import Context
from lightframe.session._lock import unwritable
from lightframe.session._steps import Bench

__all__ = ["agreeing", "workspace"]


def agreeing(infos: Sequence[FrameInfo]) -> tuple[list[FrameInfo], list[Failure]]:
    """Keep the frames of the most frequent size, and of the most frequent colour pattern.

    An unknown pattern agrees with every other.
    """
    failures: list[Failure] = []
    kept = list(infos)
    sizes = Counter((info.channels, info.height, info.width) for info in kept)
    patterns = Counter(info.cfa for info in kept if info.cfa is not None)
    size = sizes.most_common(1)[0][0] if sizes else None
    pattern = patterns.most_common(1)[0][0] if patterns else None
    for info in infos:
        own = (info.channels, info.height, info.width)
        if own != size:
            failures.append(_misfit(info, "size (channels, rows, columns)", own, size))
        elif info.cfa is not None and info.cfa != pattern:
            name = pattern.name if pattern is not None else None
            failures.append(_misfit(info, "CFA pattern", info.cfa.name, name))
        else:
            continue
        kept.remove(info)
    return kept, failures


def _misfit(info: FrameInfo, quantity: str, own: object, others: object) -> Failure:
    return Failure(
        info.path,
        IncompatibleFramesError(
            quantity,
            (info.path.name, own),
            ("the majority", others),
            cause="a frame of another camera, binning or sub-frame is among them",
            remedy="integrate frames of one kind at a time",
        ),
    )


@contextmanager
def workspace(bench: Bench, beside: Path) -> Iterator[Context]:
    """Open a context whose scratch folder lies beside a file, and vanishes in the end.

    Raises
    ------
    SettingsError
        If nothing can be written there.
    ResourceError
        If the disk is full.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=".lightframe-", dir=beside.parent))
    except OSError as error:
        raise unwritable(beside.parent, error) from error
    context = Context(
        settings=bench.settings,
        out=folder,
        progress=bench.progress,
        threads=bench.threads,
        memory_bytes=bench.memory_bytes,
    )
    context.scratch.mkdir(parents=True)
    try:
        yield context
    finally:
        shutil.rmtree(folder, ignore_errors=True)
