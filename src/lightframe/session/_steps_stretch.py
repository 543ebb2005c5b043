"""Pictures of files."""

from pathlib import Path

from lightframe.errors import SettingsError
from lightframe.frames import FrameInfo, read_image, write_png
from lightframe.processes import StretchSettings, preview, superpixel
from lightframe.session._steps_output import make_folder

__all__ = ["stretch_file"]


def stretch_file(path: Path, out: Path, settings: StretchSettings) -> FrameInfo:
    """Write a stretched picture; a mosaic is shown in colour, at its colour cell's resolution.

    Parameters
    ----------
    path : Path
        The image.
    out : Path
        The picture, a PNG.
    settings : StretchSettings
        Targets and limits.

    Returns
    -------
    FrameInfo
        What the header of the image says.

    Raises
    ------
    SettingsError
        If `out` cannot be written, or is no PNG.
    InputError
        If the image cannot be read.
    """
    if out.suffix.lower() != ".png":
        raise SettingsError("pictures are written as PNG", where=out, remedy="name it *.png")
    info, pixels = read_image(path)
    make_folder(out.parent)
    if info.cfa is not None and len(pixels) == 1:
        pixels = superpixel(pixels[0], info.cfa)
    write_png(out, preview(pixels, settings))
    return info
