"""Lists of defective pixels in files."""

from pathlib import Path

from lightframe.errors import SettingsError
from lightframe.processes import Defects, parse_defect_list

__all__ = ["read_defect_list"]


def read_defect_list(path: Path, *, height: int, width: int) -> Defects:
    """Read a defect list from a text file; see `lightframe.processes.parse_defect_list`.

    Parameters
    ----------
    path : Path
        The file.
    height, width : int
        Size of the frames in pixels.

    Raises
    ------
    SettingsError
        If there is no such text file: what was asked for, not a frame, is wrong.
    InputError
        As `parse_defect_list`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"the list of defects cannot be read ({reason})",
            where=path,
            cause="a typing error, or a path relative to another folder",
            remedy="name a text file with its whole path",
        ) from error
    return parse_defect_list(text, height=height, width=width, where=path)
