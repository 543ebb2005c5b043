"""Lists of defective pixels in files."""

from pathlib import Path

from lightframe.errors import InputError
from lightframe.processes import Defects, parse_defect_list

__all__ = ["read_defect_list"]


def read_defect_list(path: Path, *, height: int, width: int) -> Defects:
    """Read a defect list from a text file; see `lightframe.processes.parse_defect_list`.

    Raises
    ------
    InputError
        If the file cannot be read, or as `parse_defect_list`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the defect list cannot be read: {error}", where=path) from error
    return parse_defect_list(text, height=height, width=width, where=path)
