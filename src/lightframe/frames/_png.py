"""Pictures for people, as PNG."""

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lightframe.frames._scratch import new_file

__all__ = ["write_png"]


def write_png(path: Path, picture: npt.NDArray[np.uint8]) -> int:
    """Write a picture, in place of one that is there; its folder is made, row 0 is on top.

    Parameters
    ----------
    path : Path
        The file.
    picture : ndarray of uint8, shape (height, width) or (height, width, 3)
        Display values, grey or red, green, blue.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    SettingsError
        If it cannot be written there.
    ResourceError
        If there is no room.
    """
    with new_file(path, make_folder=True) as file:
        image = Image.fromarray(np.ascontiguousarray(picture))
        # Pictures are noise and even areas: run lengths take half the time, and no more room.
        image.save(file, format="PNG", compress_type=zlib.Z_RLE)
        return file.tell()
