"""How kernels are compiled: one decorator, so that one place holds the flags and their reasons."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

__all__ = ["code_fingerprint", "kernel"]

P = ParamSpec("P")
R = TypeVar("R")

_FOLDER = Path(__file__).parent
_MARK = "sources.txt"


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


def code_fingerprint() -> str:
    """Return a hash that changes with the source of any kernel, and with Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_FOLDER.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _forget_stale_code() -> None:
    """Delete machine code made from other sources.

    Numba compares the source file of a kernel, but not those of the kernels that it calls: code
    compiled before an edit, or an upgrade, would still be run.
    """
    cache = _FOLDER / "__pycache__"
    mark = cache / _MARK
    current = code_fingerprint()
    try:
        if mark.is_file() and mark.read_text(encoding="ascii") == current:
            return
        cache.mkdir(exist_ok=True)
        for pattern in ("*.nbi", "*.nbc"):
            for path in cache.glob(pattern):
                path.unlink(missing_ok=True)
        mark.write_text(current, encoding="ascii")
    except OSError:
        # The package lies where nobody may write: Numba then keeps its code elsewhere, and an
        # installation that nobody can write to is not edited.
        return


_forget_stale_code()
