"""Time the calibration of 24 Mpx 16-bit frames, step by step, against straightforward NumPy.

Run ``python -m benchmarks.bench_calibration``. Times are processor time of one thread, the best of
several repeats, with all buffers warm. ccdproc takes part where it is installed.
"""

import importlib
import time
from collections.abc import Callable

import numpy as np

from lightframe.frames import CfaPattern, Window
from lightframe.processes import (
    CalibrationSettings,
    Defects,
    Masters,
    PreparedCalibration,
    correct_defects,
    defects_from_dark,
    evaluate_noise,
    prepare_calibration,
)

HEIGHT, WIDTH = 4000, 6000
WHOLE = Window(0, HEIGHT, 0, WIDTH)
REPEATS = 7


def measure(name: str, work: Callable[[], object], repeats: int = REPEATS) -> None:
    """Print the best time of `work` and its rate."""
    work()
    best = np.inf
    for _ in range(repeats):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    print(f"{name:<58}{1e3 * best:9.1f} ms {HEIGHT * WIDTH / best / 1e6:9.0f} Mpx/s")


def frames() -> tuple[np.ndarray, Masters]:
    """Return a light and masters with 0.5 percent warm pixels."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    bias = 500 + noise
    signal = 8 + 2 * noise[::-1]
    warm = rng.random(noise.shape, dtype=np.float32) < 0.005
    signal[warm] += rng.exponential(300, np.count_nonzero(warm)).astype(np.float32)
    flat = 20000 + 100 * noise[:, ::-1]
    light = bias + 0.5 * signal + 1500 + 40 * noise[::-1, ::-1]
    masters = Masters(bias=bias, dark=bias + signal, flat=flat, dark_exposure_s=100)
    return np.clip(light.round(), 0, 65535).astype(np.uint16), masters


def numpy_calibration(light: np.ndarray, masters: Masters, k: float) -> np.ndarray:
    """Write the formula down as it stands."""
    bias, dark, flat = masters.bias, masters.dark, masters.flat
    return (light.astype(np.float32) - bias - k * (dark - bias)) / flat * flat.mean()


def ccdproc_calibration(light: np.ndarray, masters: Masters) -> Callable[[], object] | None:
    """Return the same by ccdproc, or None where it is not installed."""
    try:
        ccdproc = importlib.import_module("ccdproc")
    except ImportError:
        return None
    data = importlib.import_module("astropy.nddata").CCDData
    second = importlib.import_module("astropy.units").s
    dark, flat = data(masters.dark, unit="adu"), data(masters.flat, unit="adu")
    raw = data(light.astype(np.float32), unit="adu")

    def work() -> object:
        subtracted = ccdproc.subtract_dark(
            raw, dark, dark_exposure=1 * second, data_exposure=1 * second
        )
        return ccdproc.flat_correct(subtracted, flat)

    return work


def prepare(masters: Masters, cfa: CfaPattern | None, scaling: str) -> PreparedCalibration:
    """Prepare for frames of the benchmark's size."""
    settings = CalibrationSettings(dark_scaling=scaling)
    return prepare_calibration(masters, settings, height=HEIGHT, width=WIDTH, cfa=cfa)


def main() -> None:
    """Time everything once for mono and once for Bayer frames."""
    light, masters = frames()
    raw, out = light[None], np.empty((1, HEIGHT, WIDTH), np.float32)
    print(f"{WIDTH} x {HEIGHT} pixels, one thread")
    measure("NumPy, dark scaled, flat", lambda: numpy_calibration(light, masters, 0.5), 2)
    if (other := ccdproc_calibration(light, masters)) is not None:
        measure("ccdproc, dark, flat", other, 2)
    for name, cfa in (("mono", None), ("Bayer", CfaPattern.from_name("RGGB"))):
        plain, scaled = prepare(masters, cfa, "none"), prepare(masters, cfa, "optimize")
        defects = defects_from_dark(masters.dark, cfa)

        def corrected(
            plain: PreparedCalibration = plain,
            defects: Defects = defects,
            cfa: CfaPattern | None = cfa,
        ) -> None:
            plain.apply(raw, WHOLE, None, out)
            correct_defects(out, defects, cfa=cfa)

        def optimized(scaled: PreparedCalibration = scaled) -> None:
            scaled.apply(raw, WHOLE, scaled.dark_scale(raw), out)

        def noise(cfa: CfaPattern | None = cfa) -> None:
            evaluate_noise(out, cfa)

        def sampled_noise(cfa: CfaPattern | None = cfa) -> None:
            evaluate_noise(out, cfa, sample_pixels=1 << 20)

        def preparation(cfa: CfaPattern | None = cfa) -> None:
            prepare(masters, cfa, "optimize")

        measure(f"{name}: dark, flat", lambda plain=plain: plain.apply(raw, WHOLE, None, out))
        count = defects.hot.size + defects.cold.size
        measure(f"{name}: dark, flat, {count} defects corrected", corrected)
        measure(f"{name}: dark scaling factor", lambda scaled=scaled: scaled.dark_scale(raw))
        measure(f"{name}: dark scaling factor, bias, scaled dark, flat", optimized)
        measure(f"{name}: noise evaluation, whole frame", noise, 3)
        measure(f"{name}: noise evaluation, a million pixels", sampled_noise)
        measure(f"{name}: preparation, once per set of masters", preparation, 2)


if __name__ == "__main__":
    main()
