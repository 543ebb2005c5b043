"""Text files beside the images: reports, records, pages."""

from pathlib import Path

from lightframe.frames._scratch import new_file

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
    with new_file(path, make_folder=True) as file:
        file.write(text.encode(errors="backslashreplace"))
