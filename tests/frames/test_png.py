"""Pictures for people."""

import numpy as np
import pytest
from PIL import Image

from lightframe.errors import SettingsError
from lightframe.frames import write_png


@pytest.mark.parametrize(("shape", "mode"), [((6, 9), "L"), ((6, 9, 3), "RGB")])
def test_a_picture_holds_the_values_with_row_0_on_top(tmp_path, shape, mode):
    """Grey and colour, of any layout in memory; the folder is made, and the size is told."""
    values = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path / "previews" / "m13.png"

    assert write_png(path, values[::-1]) == path.stat().st_size

    with Image.open(path) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), values[::-1])


def test_a_picture_is_written_whole_or_refused_with_the_reason(tmp_path):
    """A file in the place of the folder is the user's mistake; nothing else is left behind."""
    (tmp_path / "previews").write_text("a file", encoding="utf-8")

    with pytest.raises(SettingsError, match="cannot be written"):
        write_png(tmp_path / "previews" / "a.png", np.zeros((4, 4), np.uint8))

    assert [path.name for path in tmp_path.iterdir()] == ["previews"]
