"""Arrays of images."""

import numpy as np

from lightframe.arrays import as_planes


def test_rows_and_columns_alone_are_one_plane():
    """Nothing is copied, and planes stay as they are."""
    image = np.zeros((4, 6), np.float32)

    planes = as_planes(image)

    assert planes.shape == (1, 4, 6)
    assert np.shares_memory(planes, image)
    assert as_planes(planes) is planes
