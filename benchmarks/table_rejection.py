"""Print the tables of `docs/integration.md`: false rejection, efficiency, survival of outliers.

    python -m benchmarks.table_rejection [--pixels 20000]

Gaussian noise, level 1000 DN, sigma 10 DN, default limits. *false*: rejected part of samples that
are all good. *variance*: that of the mean of the survivors, over sigma^2 / N. *shift*: of the mean,
in units of its own sigma. *left*: part of outliers not rejected, where 1, 2 or 5 of the frames are
10 sigma too high.
"""

import argparse

import numpy as np

from lightframe.frames import ArraySource
from lightframe.processes import REJECTIONS, IntegrationSettings, integrate

LEVEL, SIGMA, OUTLIER = 1000.0, 10.0, 100.0
NUMBERS = (3, 5, 8, 10, 15, 20, 30, 50, 100, 200)
ALGORITHMS = [name for name in REJECTIONS if name not in {"auto", "none", "min-max", "ccd-noise"}]


def stack(frames: int, pixels: int, bad: int = 0) -> list[ArraySource]:
    """Return frames of which the first `bad` are too high."""
    rng = np.random.default_rng(frames)
    return [
        ArraySource(rng.normal(LEVEL + OUTLIER * (k < bad), SIGMA, (1, pixels)).astype(np.float32))
        for k in range(frames)
    ]


def row(name: str, frames: int, pixels: int) -> str:
    """Return one line of the table."""
    settings = IntegrationSettings.for_darks(rejection=name)
    clean = integrate(stack(frames, pixels), settings)
    false = np.mean(clean.frames_low + clean.frames_high)
    variance = np.var(clean.image) * frames / SIGMA**2
    shift = (np.mean(clean.image, dtype=np.float64) - LEVEL) / SIGMA * np.sqrt(frames)
    left = []
    for bad in (1, 2, 5):
        if 2 * bad >= frames:
            left.append("")
            continue
        result = integrate(stack(frames, pixels, bad), settings)
        left.append(f"{100 * (1 - result.frames_high[:bad].mean()):.1f}")
    cells = [str(frames), name, f"{100 * false:.2f}", f"{variance:.3f}", f"{shift:+.2f}", *left]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pixels", type=int, default=20_000)
    pixels = parser.parse_args().pixels
    print("| N | algorithm | false % | variance | shift | left of 1 % | of 2 % | of 5 % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for frames in NUMBERS:
        for name in ALGORITHMS:
            print(row(name, frames, pixels))


if __name__ == "__main__":
    main()
