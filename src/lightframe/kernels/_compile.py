"""How kernels are compiled: one decorator, so that one place holds the flags and their reasons."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

__all__ = ["kernel"]

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use.

    ``nogil`` lets threads run kernels side by side; ``cache`` keeps the machine code on disk;
    ``error_model="numpy"`` lets a division by zero give inf or NaN: the branch to an exception
    would keep the loop from being vectorised. ``fastmath`` stays off: missing samples are NaN.
    """
    return cast(
        "Callable[P, R]",
        numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=False)(function),
    )
