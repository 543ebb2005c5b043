"""How kernels are compiled: one decorator, so that one place holds the flags and their reasons."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys

__all__ = ["cache_folder", "code_fingerprint", "kernel"]

P = ParamSpec("P")
R = TypeVar("R")

_FOLDER = Path(__file__).parent
_MARK = "sources.txt"


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use.

    ``nogil`` lets threads run kernels side by side; ``error_model="numpy"`` lets a division by zero
    give inf or NaN: the branch to an exception would keep the loop from being vectorised.
    ``fastmath`` stays off: missing samples are NaN. The machine code is kept on disk.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy", fastmath=False)(function)
    # What cache=True does with Numba's own class.
    compiled._cache = _MachineCode(function)  # type: ignore[no-untyped-call]  # noqa: SLF001
    if folder := cache_folder(compiled):
        _forget_stale_code(folder)
    return cast("Callable[P, R]", compiled)


class _MachineCode(FunctionCache):
    """Machine code on disk, loaded without what only compiling needs.

    Numba's own class first fills the compiler's tables of types and functions, for which it imports
    200 modules, scipy.linalg among them: 0.3 s in each process. Machine code is linked with Numba's
    runtime and needs no more. Where there is none yet, the compiler fills its tables itself.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 - as in Numba
        """Return the machine code for a signature, None where it has to be compiled."""
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]


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
