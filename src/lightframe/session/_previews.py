"""Pictures of what a run makes, for people; they are made beside the main job."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lightframe.frames import CfaPattern, write_png
from lightframe.processes import PREVIEW_SIDE, StretchSettings, preview, reduced, superpixel
from lightframe.session._context import Context

__all__ = ["write_map_preview", "write_preview_of"]

_SAMPLED_PIXELS = 1 << 20


def write_preview_of(
    planes: npt.NDArray[np.float32], cfa: CfaPattern | None, name: str, context: Context
) -> str:
    """Write a stretched picture; a mosaic is shown in colour, at its colour cell's resolution.

    Parameters
    ----------
    planes : ndarray, shape (channels, height, width), float32
        DN; not to be changed before the run ends.
    cfa : CfaPattern or None
        Colours of a mosaic.
    name : str
        What the picture is called.
    context : Context
        Where to write.

    Returns
    -------
    str
        The picture, relative to the output folder.
    """

    def picture() -> npt.NDArray[np.uint8]:
        if cfa is not None and len(planes) == 1:
            return preview(superpixel(planes[0], cfa), context.settings.stretch)
        return preview(planes, context.settings.stretch)

    return _write(picture, name, context)


def write_map_preview(planes: npt.NDArray[np.float32], name: str, context: Context) -> str:
    """Write a map (coverage, rejected fractions), mean of the channels, on a linear scale.

    Black and white are the 0.05 and 99.95 percentiles: single pixels do not decide them, and those
    without a value (variance and slope where no frame has a sample) take no part.
    """

    def picture() -> npt.NDArray[np.uint8]:
        sample = planes.reshape(-1)[:: max(1, planes.size // _SAMPLED_PIXELS)]
        known = sample[np.isfinite(sample)]
        low, high = np.percentile(known, (0.05, 99.95)) if known.size else (0.0, 0.0)
        small = reduced(planes, PREVIEW_SIDE).mean(axis=0)
        return preview(np.clip(small, low, high), StretchSettings(linear=True))

    return _write(picture, name, context)


def _write(picture: Callable[[], npt.NDArray[np.uint8]], name: str, context: Context) -> str:
    path = context.out / "previews" / name
    context.do_beside("pictures", lambda: context.meter.wrote(write_png(path, picture())))
    return context.relative(path)
