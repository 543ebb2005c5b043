"""Frames whose noise is smaller than the step between their values.

Integers hide such noise: most pixels have one value, and medians of deviations are 0 or a whole
step. What is left is the error of rounding: averaged over levels, the variance of a pixel is
``sigma^2 + step^2 / 12``. Nothing can be told from the pixels where the noise is below a third of a
step and all of them have one value; ``step / sqrt(12)`` is then the least that they may have.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ROUNDING", "grid_step", "value_step"]

ROUNDING = 12.0**-0.5
"""Standard deviation of the error of rounding, in steps."""

_SAMPLES = 1 << 15
_FEWEST_VALUES = 3
_PIXELS_PER_VALUE = 4
"""Where values are rarer, they are as good as continuous, or noise hides the steps anyway."""
_COMMON = 1e-3
"""Share of the pixels one step from the most frequent value: rarer ones are defects, not noise."""
_ROUNDED = 2.0**-22
"""Relative error of values that were scaled in float32."""


def grid_step(pixels: int) -> int:
    """Return which rows and columns of an image of so many pixels tell the step: every n-th."""
    return max(1, int(np.sqrt(pixels / _SAMPLES)))


def value_step(image: npt.NDArray[Any]) -> float:
    """Return the step between the values of an image, or 0 where they lie on no grid.

    Integers times any scale plus any offset are a grid; what was divided by a flat is none.

    Parameters
    ----------
    image : ndarray, shape (height, width)
        DN; NaN is missing. Of a large one, every n-th row and column is looked at, see `grid_step`;
        these alone will do.
    """
    every = grid_step(image.size)
    sample = image[::every, ::every]
    values, counts = np.unique(sample[np.isfinite(sample)], return_counts=True)
    if not _FEWEST_VALUES <= values.size <= counts.sum() / _PIXELS_PER_VALUE:
        return 0.0
    values = values.astype(np.float64)  # differences of unsigned integers would wrap round
    gaps = np.diff(values)
    error = _ROUNDED * float(np.abs(values[[0, -1]]).max())
    # Steps of large values that were scaled differ by their rounding.
    step = float(np.median(gaps[gaps <= gaps.min() + 2 * error]))
    if step <= 4 * error or np.abs(gaps - step * np.rint(gaps / step)).max() > 2 * error:
        return 0.0
    most = int(counts.argmax())
    beside = counts[np.abs(values - values[most]) <= 1.5 * step].sum() - counts[most]
    return step if beside >= _COMMON * counts.sum() else 0.0
