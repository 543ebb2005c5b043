"""Speed of debayering, cosmetic correction and stretch, one thread, in million pixels a second.

Run it as ``python -m benchmarks.bench_debayer [megapixels]``. The time is that of the thread, so
other load on the machine matters little; the best of some repeats counts. The first call compiles
and is not timed. Mean errors on simulated stars stand beside the debayer methods, so that speed is
not bought with quality unnoticed.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lightframe.frames import CfaPattern
from lightframe.processes import (
    DEBAYER_METHODS,
    autostretch,
    correct_defects,
    debayer,
    defects_from_dark,
    detect_defects,
)

Float32 = npt.NDArray[np.float32]

BAYER = CfaPattern.from_name("RGGB")
XTRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")
REPEATS = 3


def starfield(side: int, fwhm: float = 3.0) -> Float32:
    """Return an RGB image of coloured stars, (3, side, side)."""
    rng = np.random.default_rng(1)
    image = np.ones((3, side, side)) * np.array([500.0, 900.0, 600.0])[:, None, None]
    along = np.arange(-12, 13)
    for y, x in rng.integers(12, side - 13, (side * side // 400, 2)):
        dy, dx = rng.uniform(-0.5, 0.5, 2)
        profile = np.exp(
            -4 * np.log(2) * ((along[:, None] - dy) ** 2 + (along - dx) ** 2) / fwhm**2
        )
        tint = rng.uniform(0.5, 1, 3)[:, None, None] * 10 ** rng.uniform(2, 4)
        image[:, y - 12 : y + 13, x - 12 : x + 13] += tint * profile
    return image.astype(np.float32)


def mosaic_of(image: Float32, cfa: CfaPattern) -> Float32:
    """Return what a camera sees of an RGB image."""
    cell = cfa.planes()
    rows, columns = (np.arange(size) % len(cell) for size in image.shape[1:])
    return np.take_along_axis(image, cell[np.ix_(rows, columns)][None].astype(int), 0)[0]


def rate(work: Callable[[], object], pixels: int) -> float:
    """Return million pixels a second of the thread's time, the best of some repeats."""
    work()
    best = np.inf
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return pixels / best / 1e6


def report_debayer(side: int) -> None:
    """Print speed and mean error of each method for Bayer and X-Trans."""
    stars = starfield(600)
    large = np.random.default_rng(2).normal(1000, 30, (side, side)).astype(np.float32)
    out = np.empty((3, side, side), np.float32)
    for name, method in DEBAYER_METHODS.items():
        for kind, cfa, able in (
            ("Bayer", BAYER, method.bayer),
            ("X-Trans", XTRANS, method.xtrans),
        ):
            if able is None or method.shrinks:
                continue
            error = debayer(mosaic_of(stars, cfa), cfa, name) - stars
            rms = np.sqrt(np.mean(error[:, 12:-12, 12:-12] ** 2))
            speed = rate(lambda n=name, c=cfa: debayer(large, c, n, out), side * side)
            print(f"debayer {name:10} {kind:8} {speed:8.0f} Mpx/s   rms error {rms:6.1f} DN")


def report_cosmetic(side: int) -> None:
    """Print the speed of finding and replacing defects, 0.1 % of all pixels."""
    rng = np.random.default_rng(3)
    image = rng.normal(1000, 30, (side, side)).astype(np.float32)
    image.flat[rng.choice(image.size, image.size // 1000)] += 5000
    for name, cfa in (("mono", None), ("Bayer", BAYER), ("X-Trans", XTRANS)):
        defects = defects_from_dark(image, cfa)
        planes = image[np.newaxis].copy()
        for what, work in (
            ("defects from dark", lambda c=cfa: defects_from_dark(image, c)),
            ("defects detected", lambda c=cfa: detect_defects(image, c)),
            (
                "defects replaced",
                lambda c=cfa, d=defects, p=planes: correct_defects(p, d, cfa=c),
            ),
        ):
            print(f"{what:18} {name:8} {rate(work, side * side):8.0f} Mpx/s")


def main() -> None:
    """Print everything."""
    side = int(np.sqrt(float(sys.argv[1] if len(sys.argv) > 1 else 12) * 1e6)) // 12 * 12
    report_debayer(side)
    report_cosmetic(side)
    image = np.random.default_rng(4).normal(1000, 30, (side, side)).astype(np.float32)
    print(f"stretch                     {rate(lambda: autostretch(image), side * side):8.0f} Mpx/s")


if __name__ == "__main__":
    main()
