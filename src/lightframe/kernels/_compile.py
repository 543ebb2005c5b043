"""How kernels are compiled: one decorator, so that one place holds the flags and their reasons."""

import hashlib
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache, _Cache
from numba.core.runtime.nrt import rtsys
from numba.core.sigutils import normalize_signature

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
    code_fingerprint()  # of the sources that are imported: they may be replaced before it is called
    # What cache=True does with Numba's own class.
    compiled._cache = _MachineCode(function)  # noqa: SLF001
    return cast("Callable[P, R]", compiled)


class _FileNames(CompileResultCacheImpl):
    """Names of the files of a kernel, which end with what stands for the sources of all kernels.

    A process that began before an upgrade keeps what it compiles after it: under another name.
    """

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        """Return the beginning of the names."""
        base = super().get_filename_base(fullname, abiflags)  # type: ignore[no-untyped-call]
        return f"{base}-{code_fingerprint()[:12]}"


class _Files(FunctionCache):
    _impl_class = _FileNames


class _MachineCode(_Cache):
    """Machine code of a kernel on disk: looked for when first needed, and loaded as it is.

    To find the folder and to try whether it can be written to takes 0.15 ms for each of 150
    kernels, of which a command needs some. Numba's own class fills the compiler's tables of types
    and functions before it loads anything, for which it imports 200 modules, scipy.linalg among
    them: 0.3 s in each process. Machine code is linked with Numba's runtime and needs no more.
    Where there is none yet, the compiler fills its tables itself.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    @cached_property
    def _files(self) -> Any:  # noqa: ANN401 - Numba's caches, which have no types
        """Numba's cache; one that keeps nothing where there is no folder to keep code in."""
        try:
            files: Any = _Files(self._function)  # type: ignore[no-untyped-call]
        except RuntimeError:  # neither beside the source, nor in NUMBA_CACHE_DIR, nor in a home
            return NullCache()
        _forget_stale_code(Path(files.cache_path))
        return files

    @property
    def cache_path(self) -> str | None:
        """Folder of the code; None if none is kept."""
        path: str | None = self._files.cache_path
        return path

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401 - as in Numba
        """Return the machine code for a signature, None where it has to be compiled."""
        files = self._files
        if isinstance(files, NullCache):
            return None
        rtsys.initialize(target_context)
        code = None
        with files._guard_against_spurious_io_errors():  # noqa: SLF001 - see decision 8
            code = files._load_overload(sig, target_context)  # noqa: SLF001 - the same
        types, _ = normalize_signature(sig)  # type: ignore[no-untyped-call]
        # Two processes that compile a kernel for different types at once may choose one name.
        if code is None or tuple(code.signature.args) != tuple(types):
            return None
        return code

    def save_overload(self, sig: Any, data: Any) -> None:  # noqa: ANN401 - as in Numba
        """Keep the machine code for a signature."""
        self._files.save_overload(sig, data)

    def enable(self) -> None:
        """Keep code from now on."""
        self._files.enable()

    def disable(self) -> None:
        """Keep no code from now on."""
        self._files.disable()

    def flush(self) -> None:
        """Forget the code that is kept."""
        self._files.flush()


def cache_folder(kernel: object) -> Path | None:
    """Return where Numba keeps the machine code of a kernel; None if it keeps none.

    Beside the source, in NUMBA_CACHE_DIR, or where the source lies in a folder that nobody may
    write to, in the user's own.
    """
    path = getattr(getattr(kernel, "stats", None), "cache_path", None)
    return Path(path) if path else None


@cache
def code_fingerprint() -> str:
    """Return a hash that changes with the source of any kernel, and with Numba's version.

    It is that of the sources when the first kernel was imported.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_FOLDER.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def _forget_stale_code(folder: Path) -> None:
    """Delete machine code made from other sources: it is not loaded any more, but takes space.

    Numba compares the source file of a kernel, but not those of the kernels that it calls.
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
        # It will be tried again; code of other sources has other names.
        return
