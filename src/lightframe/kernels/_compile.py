"""How kernels are compiled: one decorator, so that one place holds the flags and their reasons."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba

__all__ = ["cache_folder", "code_fingerprint", "kernel"]

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
    compiled = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=False)(function)
    if folder := cache_folder(compiled):
        _forget_stale_code(folder)
    return cast("Callable[P, R]", compiled)


def cache_folder(kernel: object) -> Path | None:
    """Return where Numba keeps the machine code of a kernel; None if it keeps none.

    Beside the source, in NUMBA_CACHE_DIR, or where the source lies in a folder that nobody may
    write to, in the user's own.
    """
    path = getattr(getattr(kernel, "stats", None), "cache_path", None)
    return Path(path) if path else None


def code_fingerprint() -> str:
    """Return a hash that changes with the source of any kernel, and with Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_FOLDER.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def _forget_stale_code(folder: Path) -> None:
    """Delete machine code made from other sources, before any of it is loaded.

    Numba compares the source file of a kernel, but not those of the kernels that it calls: code
    compiled before an edit, or an upgrade, would still be run.
    """
    mark = folder / _MARK
    current = code_fingerprint()
    try:
        if mark.is_file() and mark.read_text(encoding="ascii") == current:
            return
        folder.mkdir(exist_ok=True)
        for pattern in ("*.nbi", "*.nbc"):
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)
        mark.write_text(current, encoding="ascii")
    except OSError:
        # Nobody may write there: then nobody has kept code there either.
        return
