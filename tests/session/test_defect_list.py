"""Lists of defective pixels in files."""

import pytest

from lightframe.errors import InputError, SettingsError
from lightframe.session import read_defect_list


def test_a_file_is_read_and_named_in_errors(tmp_path):
    """A defect list in a file; errors carry its name; a missing file is an error."""
    path = tmp_path / "defects.txt"
    path.write_text("pixel 1 1\n", encoding="utf-8")
    assert read_defect_list(path, height=4, width=4).listed.tolist() == [5]

    path.write_text("pixel 1 1\n", encoding="utf-8-sig")  # as Windows' editor writes it
    assert read_defect_list(path, height=4, width=4).listed.tolist() == [5]

    path.write_text("pixel 9 9\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"defects\.txt: line 1"):
        read_defect_list(path, height=4, width=4)
    with pytest.raises(SettingsError, match="No such file"):
        read_defect_list(tmp_path / "none.txt", height=4, width=4)
    path.write_bytes(b"pixel \xff")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_defect_list(path, height=4, width=4)
