"""Compiling the kernels a run needs, once for each installation, on all cores.

Numba compiles one kernel after the other in a process. A first run would spend most of a minute on
one core; instead, processes compile shares of them, on tiny frames, and leave the machine code on
disk. ``python -m lightframe.session._warm_up SHARE,... [PATTERN]`` is such a process.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lightframe.checks import measure_frame
from lightframe.frames import ArraySource, CfaPattern, Header, Window, read_info, write_fits
from lightframe.kernels._compile import cache_folder, code_fingerprint
from lightframe.kernels._stack import sort_block
from lightframe.processes import (
    CalibrationSettings,
    CosmeticSettings,
    DetectionSettings,
    IntegrationSettings,
    Masters,
    ResampleSettings,
    clipped_fractions,
    correct_defects,
    debayer,
    defects_from_dark,
    detect_defects,
    evaluate_noise,
    flat_probe,
    flat_products,
    integrate,
    measure,
    prepare_calibration,
    preview,
    resample,
)
from lightframe.session._progress import Progress
from lightframe.session._resources import default_threads

__all__ = ["warm_up"]

_SIDE = 96
_SECONDS = 300
"""Longest that compiling may take; then the run goes on and compiles by itself."""


def warm_up(cfa: CfaPattern | None, progress: Progress) -> None:
    """Compile the kernels of a run unless an earlier run has done so.

    Parameters
    ----------
    cfa : CfaPattern or None
        Pattern of the lights, whose debayering is compiled, too.
    progress : Progress
        Is told, for it takes 20 s.
    """
    cache = cache_folder(sort_block)
    if cache is None:
        progress.message(
            "machine code cannot be kept, and each command compiles anew what it needs, which takes"
            " up to 40 s: set NUMBA_CACHE_DIR to a folder that can be written to"
        )
        return
    mark = cache / f"compiled-{cfa.period if cfa else 1}.txt"
    current = code_fingerprint()
    if mark.is_file() and mark.read_text(encoding="ascii") == current:
        return
    command = [sys.executable, "-m", "lightframe.session._warm_up"]
    words = [cfa.name] if cfa else []
    dealt = _dealt(min(default_threads(), len(_SHARES)))
    with progress.step("Compiling, once", len(dealt)) as advance:
        processes = [
            subprocess.Popen(  # noqa: S603 - our own module
                [*command, ",".join(names), *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for names in dealt
        ]
        failures = []
        for process in processes:
            failures += _failure(process)
            advance(1)
    if failures:
        progress.message(
            f"compiling ahead failed ({failures[0]}); kernels are compiled as they are needed"
        )
    else:
        mark.write_text(current, encoding="ascii")


def _dealt(processes: int) -> list[list[str]]:
    """Deal the shares to processes, the longest first, always to the one with least to do."""
    dealt: list[list[str]] = [[] for _ in range(processes)]
    for name in sorted(_SHARES, key=_SECONDS_OF.__getitem__, reverse=True):
        least = min(dealt, key=lambda names: sum(_SECONDS_OF[other] for other in names))
        least.append(name)
    return dealt


def _failure(process: "subprocess.Popen[bytes]") -> list[str]:
    """Wait for a process, and return why it failed: its last words, or nothing if it did not."""
    try:
        _, told = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return [f"not done after {_SECONDS} s"]
    if process.returncode == 0:
        return []
    lines = told.decode(errors="replace").split("\n")
    return [next((line.strip() for line in reversed(lines) if line.strip()), "no reason told")]


def _frame() -> npt.NDArray[np.float32]:
    """Return noise with a few stars."""
    frame = np.random.default_rng(1).normal(1000.0, 20.0, (_SIDE, _SIDE)).astype(np.float32)
    y, x = np.mgrid[:_SIDE, :_SIDE]
    for centre in range(12, _SIDE, 20):
        frame += 3000.0 * np.exp(-((x - centre) ** 2 + (y - centre - 5) ** 2) / 4.0).astype("f4")
    return frame


def _compile_integration(cfa: CfaPattern | None) -> None:
    whole = Window(0, _SIDE, 0, _SIDE)
    integrate([ArraySource(_frame().astype(np.uint16))] * 5, IntegrationSettings.for_darks())
    integrate([ArraySource(_frame())] * 5, IntegrationSettings())
    out = np.empty((1, _SIDE, _SIDE), np.float32)
    shifted = np.array([[1, 1e-3, 0.3], [-1e-3, 1, 0.2], [0, 0, 1.0]])
    resample(
        _frame()[None], (0, 0), shifted, whole, ResampleSettings(), out, height=_SIDE, width=_SIDE
    )
    evaluate_noise(out[0, 4:-4, 4:-4], cfa)
    if cfa is not None:
        debayer(_frame(), cfa, "bilinear")


def _compile_lights(cfa: CfaPattern | None) -> None:
    whole = Window(0, _SIDE, 0, _SIDE)
    frame = _frame()[None]
    calibration = prepare_calibration(
        Masters(dark=frame, flat=frame),
        CalibrationSettings(),
        height=_SIDE,
        width=_SIDE,
        cfa=cfa,
    )
    for dtype in (np.uint16, np.float32):
        out = np.empty_like(frame)
        calibration.apply(frame.astype(dtype), whole, None, out)
    pixels = frame.copy()
    defects = defects_from_dark(frame[0], cfa, CosmeticSettings())
    defects = defects.merged(detect_defects(pixels, cfa, CosmeticSettings()))
    correct_defects(pixels, defects, cfa=cfa)
    measure(pixels, cfa, DetectionSettings())


def _compile_looks(_cfa: CfaPattern | None) -> None:
    frame = _frame()[None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.fits"
        write_fits(path, frame, Header(), sample_format="uint16")
        measure_frame(read_info(path))


def _compile_pictures(cfa: CfaPattern | None) -> None:
    frame = _frame()[None]
    reciprocal = frame / np.float32(1000)
    flat_products(frame, flat_probe(reciprocal, frame, cfa, None))
    clipped_fractions(frame)
    preview(frame)


_SHARES: dict[str, Callable[[CfaPattern | None], None]] = {
    "integration": _compile_integration,
    "lights": _compile_lights,
    "looks": _compile_looks,
    "pictures": _compile_pictures,
}
_SECONDS_OF = {"integration": 16, "lights": 14, "looks": 4, "pictures": 2}


if __name__ == "__main__":
    for share in sys.argv[1].split(","):
        _SHARES[share](CfaPattern.from_name(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004
