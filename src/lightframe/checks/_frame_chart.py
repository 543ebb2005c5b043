"""The picture of one value a frame, those that stand out marked."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from lightframe.checks._picture_parts import Axis, Mark, names_of_frames, numbers
from lightframe.checks._pictures import FrameChart

__all__ = ["frame_chart"]


def frame_chart(  # noqa: PLR0913 - the parts of a picture, by keyword
    frames: Sequence[Path],
    values: Iterable[float | None],
    wrong: Collection[Path],
    *,
    title: str,
    axis: Axis,
    caption: str = "",
    errors: Iterable[float] = (),
    band: tuple[float, float] | None = None,
    marks: Sequence[Mark] = (),
) -> FrameChart:
    """Return one value a frame; those in `wrong` stand out."""
    known = (float("nan") if value is None else float(value) for value in values)
    return FrameChart(
        title=title,
        caption=caption,
        axis=axis,
        frames=names_of_frames(frames, wrong),
        values=numbers(known, 6),
        errors=numbers(errors, 3),
        wrong=tuple(path in wrong for path in frames),
        band=band,
        marks=tuple(marks),
    )
