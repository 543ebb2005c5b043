"""Files that the machine does not hand over, in the user's words."""

import errno
from pathlib import Path

from lightframe.errors import UnreadableFileError

__all__ = ["access_error"]

_IN_WORDS = {
    errno.ENOENT: ("no such file", "a typing error, or the drive is not mounted", ""),
    errno.ENOTDIR: ("no such file", "a part of its path is a file, not a folder", ""),
    errno.EISDIR: ("is a folder, not a file", "", "name the files in it, e.g. {path}/*"),
    errno.EACCES: (
        "permission denied",
        "it belongs to somebody else, or is protected",
        "give yourself the right to read it, or copy it to where you have",
    ),
}


def access_error(error: OSError, path: Path) -> UnreadableFileError:
    """Return what is told of a file or folder that the operating system refuses to open."""
    what, cause, remedy = _IN_WORDS.get(
        error.errno or 0, (f"cannot be read ({error.strerror or error})", "", "")
    )
    return UnreadableFileError(what, where=path, cause=cause, remedy=remedy.format(path=path))
