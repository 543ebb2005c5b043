"""Text files beside the images: reports, records, pages."""

import os
from pathlib import Path

from lightframe.frames._scratch import storage_error

__all__ = ["write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a file of UTF-8 text, in place of one that is there; its folder is made.

    The file appears under its name when it is complete. File names that are not valid text, as
    Linux allows them, are written with the escapes that Python shows them with.

    Raises
    ------
    SettingsError
        If it cannot be written there.
    ResourceError
        If there is no room.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error
