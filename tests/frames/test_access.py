"""What is told of files that the operating system does not hand over."""

import errno
import os
from pathlib import Path

import pytest

from lightframe.errors import UnreadableFileError
from lightframe.frames import access_error, read_info


@pytest.mark.parametrize(
    ("number", "what", "remedy"),
    [
        (errno.EACCES, "permission denied", "right to read it"),
        (errno.EISDIR, "is a folder, not a file", "name the files in it, e.g. night/"),
        (errno.ENOENT, "no such file", ""),
        (errno.EIO, "cannot be read (Input/output error)", ""),
    ],
)
def test_each_refusal_has_its_words(number, what, remedy):
    """Copying the file again, the usual advice for damaged ones, helps in none of the cases."""
    told = access_error(OSError(number, os.strerror(number)), Path("night"))

    assert (told.what, told.where) == (what, "night")
    assert remedy in told.remedy
    assert "copy the file again" not in told.remedy


def test_a_protected_file_is_told_as_such(tmp_path, monkeypatch):
    """The reader of the header says it, with a cause and a remedy."""

    def refuse(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableFileError, match="permission denied") as caught:
        read_info(tmp_path / "x.fits")
    assert caught.value.cause
