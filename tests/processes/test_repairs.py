"""Repairs of a frame are laid on any window of it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.frames import Window
from lightframe.processes import Defects, correct_defects


@settings(deadline=None)
@given(
    y0=st.integers(0, 39),
    rows=st.integers(1, 40),
    x0=st.integers(0, 34),
    columns=st.integers(1, 35),
    fill_missing=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_window_with_repairs_is_that_of_the_corrected_frame(
    y0, rows, x0, columns, fill_missing, seed
):
    """Placing what was found makes of any window of the raw frame that of the corrected one."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(100, 5, (2, 40, 35)).astype(np.float32)
    raw[rng.random(raw.shape) < 0.1] = np.nan
    raw[0, :30, :30] = np.nan
    bad = rng.random(raw.shape[1:]) < 0.2
    whole = raw.copy()
    window = Window(y0, min(40, y0 + rows), x0, min(35, x0 + columns))
    crop = slice(None), slice(window.y0, window.y1), slice(window.x0, window.x1)

    repairs = correct_defects(
        whole, Defects(np.flatnonzero(bad)), cfa=None, fill_missing=fill_missing
    )
    part = raw[crop].copy()
    repairs.place(part, window)

    np.testing.assert_array_equal(part, whole[crop])


def test_what_stays_missing_is_no_repair():
    """A frame with a large empty part keeps a list of what was filled, not of the whole part."""
    planes = np.full((1, 60, 60), np.nan, np.float32)
    planes[0, :10] = 7

    repairs = correct_defects(planes, Defects.none(), cfa=None, fill_missing=True)

    assert repairs.count == repairs.pixels[0].size == 12 * 60
