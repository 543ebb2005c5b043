"""Files that are not of the format that their name promises."""

import codecs
from pathlib import Path

from lightframe.errors import UnreadableFileError

__all__ = ["not_of_format"]

_SHOWN_BYTES = 16


def not_of_format(name: str, beginning: bytes, expected: bytes, path: Path) -> UnreadableFileError:
    """Return the error on a file that does not begin as its format does.

    Parameters
    ----------
    name : str
        The format with its article, e.g. ``"a FITS"``.
    beginning : bytes
        What the file begins with.
    expected : bytes
        What files of the format begin with, ASCII.
    path : Path
        The file.
    """
    return UnreadableFileError(
        f"is not {name} file: it begins with {_quoted(beginning[:_SHOWN_BYTES])}"
        f" instead of '{expected.decode('ascii')}'",
        where=path,
        cause="another kind of file has this name, or its beginning was overwritten",
        remedy="leave it out, or copy it again from the capture computer",
    )


def _quoted(beginning: bytes) -> str:
    """Return text in quotes, and what is no text in hexadecimal digits."""
    if not any(beginning):
        return f"{len(beginning)} bytes of zero"
    try:
        # An incremental decoder puts up with a character that is cut off at the end.
        text = codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        text = ""
    words = " ".join(text.split())
    return f"'{words}'" if words.isprintable() and words else f"the bytes {beginning.hex(' ')}"
