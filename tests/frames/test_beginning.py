"""Files of another format than their name promises, told by what they begin with."""

import pytest

from lightframe.errors import UnreadableFileError
from lightframe.frames import read_info


@pytest.mark.parametrize("suffix", ["fits", "xisf"])
@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"just\r\n  text, of any length", "'just text, of'"),
        ("Aufnahmen, spät in der Nacht".encode(), "'Aufnahmen, spät'"),
        ("Aufnahmen, abendß".encode(), "'Aufnahmen, abend'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "the bytes 89 50 4e 47 0d 0a 1a 0a 00 00"),
        (b" \n" * 8, "the bytes 20 0a"),
        (bytes(5000), "16 bytes of zero"),
    ],
)
def test_text_is_quoted_and_other_bytes_are_hexadecimal(tmp_path, suffix, data, shown):
    """Lines become one; a letter that is cut off at the end is left out."""
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError) as caught:
        read_info(path)
    assert f"it begins with {shown}" in caught.value.what
    assert caught.value.cause
    assert caught.value.remedy
