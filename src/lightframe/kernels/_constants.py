"""Numbers that several layers share."""

from typing import cast

import numpy as np

__all__ = ["FULL_SCALE", "MAD_TO_SIGMA", "MAD_TO_SIGMA_EXACT", "START"]

FULL_SCALE = 65535.0
"""Highest value of 16 bits, and the DN of 1 in files whose samples are fractions of full scale."""

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation, as the field writes it."""

MAD_TO_SIGMA_EXACT = 1.482602218505602
"""The same to all digits, 1 / quantile(0.75): what rejects and corrects pixels compares with it."""

START = cast("int", np.int64(0))
"""Where counters begin that are passed on to other kernels.

With a plain 0 Numba compiles those twice, for this number and for any: 1 s of a first run.
"""
