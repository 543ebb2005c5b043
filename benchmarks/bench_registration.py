"""Time stars, registration and resampling on a simulated 24 Mpx frame, one thread.

Run with ``python -m benchmarks.bench_registration [megapixels]``. The figures are processor seconds
of the thread, best of three after compilation.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lightframe.frames import CfaPattern, Window
from lightframe.processes import (
    INTERPOLATIONS,
    DetectionSettings,
    RegistrationSettings,
    ResampleSettings,
    detect_stars,
    detection_image,
    measure,
    register,
    resample,
)

STARS = 4000
FWHM_PX = 3.0


def best_ms(run: Callable[[], object]) -> float:
    """Return the best of three times in milliseconds; the first call compiles."""
    run()
    times = []
    for _ in range(3):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return 1e3 * min(times)


def sky(height: int, width: int, shift: float) -> npt.NDArray[np.float32]:
    """Return a frame of Gaussian stars on noise."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(20, width - 20, STARS) + shift, rng.uniform(20, height - 20, STARS)
    flux = np.minimum(600 / (1 - rng.random(STARS)), 3e5)
    image = np.random.default_rng(int(shift * 10)).normal(1000, 10, (height, width))
    sigma = FWHM_PX / 2.3548
    for star_x, star_y, f in zip(x, y, flux, strict=True):
        i, j = int(star_x), int(star_y)
        rows, columns = slice(j - 8, j + 9), slice(i - 8, i + 9)
        dy, dx = np.mgrid[rows, columns] - np.array([star_y, star_x])[:, None, None]
        image[rows, columns] += (
            f / (2 * np.pi * sigma**2) * np.exp(-(dx**2 + dy**2) / (2 * sigma**2))
        )
    return image.astype(np.float32)


def main() -> None:
    """Print one line a step."""
    megapixels = float(sys.argv[1]) if len(sys.argv) > 1 else 24.0
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(1.5 * height)
    frame, reference = sky(height, width, 0.0), sky(height, width, 3.3)
    settings = DetectionSettings()
    mine, theirs = detect_stars(frame, settings), detect_stars(reference, settings)
    print(f"{width} x {height}, {len(mine)} stars found of {STARS}")
    print(f"detect_stars, mono     {best_ms(lambda: detect_stars(frame, settings)):7.0f} ms")
    cfa = CfaPattern.from_name("RGGB")
    print(f"detection_image, Bayer {best_ms(lambda: detection_image(frame, cfa)):7.0f} ms")
    print(f"measure, Bayer         {best_ms(lambda: measure(frame, cfa, settings)):7.0f} ms")
    options = RegistrationSettings()
    shape = frame.shape

    def match() -> None:
        register(mine, theirs, options, shape=shape, reference_shape=shape)

    print(f"register               {best_ms(match):7.0f} ms")
    out = np.empty((1, height, width), np.float32)
    window = Window(0, height, 0, width)
    for angle in (0.37, 180.3, 30.0):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        inverse = np.array([[c, -s, width * (1 - c) / 2 + s * height / 2 + 1.3],
                            [s, c, height * (1 - c) / 2 - s * width / 2 + 2.2],
                            [0, 0, 1]])  # fmt: skip
        for name in INTERPOLATIONS:
            for clamping in (False, True) if INTERPOLATIONS[name].rings else (False,):
                chosen = ResampleSettings(interpolation=name, clamping=clamping)

                def run(chosen: ResampleSettings = chosen, inverse: npt.NDArray = inverse) -> None:
                    resample(
                        frame[None], (0, 0), inverse, window, chosen, out,
                        height=height, width=width,
                    )  # fmt: skip

                label = f"{name}{', clamped' if clamping else ''}, {angle:g} degrees"
                print(f"resample {label:33s} {best_ms(run):7.0f} ms")


if __name__ == "__main__":
    main()
