"""Previews: stretched pictures of images."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lightframe.frames._scratch import new_file
from lightframe.processes._stretch import StretchSettings, autostretch, reduced

__all__ = ["PREVIEW_SIDE", "write_preview"]

PREVIEW_SIDE = 2048
"""Greatest side of a preview in pixels."""


def write_preview(
    path: Path,
    planes: npt.NDArray[np.generic],
    settings: StretchSettings | None = None,
    max_side: int = PREVIEW_SIDE,
) -> None:
    """Write a stretched PNG; row 0 is on top.

    Parameters
    ----------
    path : Path
        The file, ``.png``; its folder is made.
    planes : (height, width), (1, height, width) or (3, height, width)
        DN. Averaged down first, then stretched.
    settings : StretchSettings, optional
    max_side : int
        Greatest side of the picture in pixels.

    Raises
    ------
    SettingsError
        If it cannot be written there.
    ResourceError
        If there is no room.
    """
    stack = planes.reshape(-1, *planes.shape[-2:])
    shown = autostretch(reduced(stack, max_side), settings)
    with new_file(path, make_folder=True) as file:
        Image.fromarray(np.ascontiguousarray(shown)).save(file, format="PNG", compress_level=4)
