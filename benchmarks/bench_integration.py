"""How fast stacks are integrated, beside NumPy, astropy and (where installed) ccdproc.

    python -m benchmarks.bench_integration [--frames 20] [--pixels 4] [--threads 1] [--repeat 3]

Frames are simulated in memory: Gaussian noise, one sample in ten thousand a cosmic ray. Each line
gives billions of samples a second and core, and the ratio to reading and sorting the samples only.
The peers see the same frames and get a smaller piece of them (``--peer-pixels``), for they are
slow; astropy and ccdproc clip by plain sigma, which is less work than winsorizing. All are timed by
turns in one run and the shortest time counts. Compilation is reported apart.
"""

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from astropy.stats import sigma_clip

from lightframe.frames import ArraySource
from lightframe.processes import REJECTIONS, IntegrationSettings, integrate

try:
    import ccdproc
except ImportError:
    ccdproc = None

CASES = {
    "median": {"rejection": "none", "combination": "median"},
    **{name: {"rejection": name} for name in REJECTIONS if name not in {"auto", "min-max"}},
}


def simulate(frames: int, height: int, width: int, dtype: type) -> list[ArraySource]:
    """Return frames of 1000 +- 20 DN with cosmic rays."""
    rng = np.random.default_rng(20210602)
    planes = []
    for _ in range(frames):
        pixels = rng.standard_normal((height, width), np.float32) * 20 + 1000
        hits = rng.integers(0, pixels.size, pixels.size // 10_000)
        pixels.ravel()[hits] += rng.exponential(2000, hits.size).astype(np.float32)
        planes.append(ArraySource(pixels.astype(dtype)))
    return planes


def sort_only(planes: list[ArraySource]) -> None:
    """Read and sort, by bands of rows: the least that any rejection has to do."""
    for row in range(0, planes[0].height, 8):
        np.sort(np.stack([plane.planes[0, row : row + 8] for plane in planes]), axis=0)


def peers(planes: list[ArraySource], pixels: int) -> dict[str, tuple[Callable[[], object], int]]:
    """Return what others do with the first rows, and the number of samples."""
    rows = max(1, pixels // planes[0].width)
    cube = np.stack([plane.planes[0, :rows] for plane in planes]).astype(np.float32)
    found = {
        "numpy median": lambda: np.median(cube, axis=0),
        "astropy sigma_clip": lambda: sigma_clip(
            cube, sigma_lower=4, sigma_upper=3, axis=0, masked=False, maxiters=None
        ),
    }
    if ccdproc is not None:
        frames = [ccdproc.CCDData(plane, unit="adu") for plane in cube]
        found["ccdproc combine"] = lambda: ccdproc.combine(
            frames, method="average", sigma_clip=True, sigma_clip_low_thresh=4
        )
    return {name: (function, cube.size) for name, function in found.items()}


def timed(function: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--pixels", type=float, default=4.0, help="millions a frame")
    parser.add_argument("--peer-pixels", type=float, default=0.25, help="millions, for the peers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--memory", type=float, default=1.0, help="GB for buffers")
    parser.add_argument("--only", nargs="*", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    width = 3000
    height = max(8, round(arguments.pixels * 1e6 / width))
    for dtype in (np.uint16, np.float32):
        planes = simulate(arguments.frames, height, width, dtype)
        samples = arguments.frames * height * width
        jobs: dict[str, tuple[Callable[[], object], int]] = {
            "(read and sort, numpy)": (lambda p=planes: sort_only(p), samples)
        }
        for name in arguments.only:
            for normalized in (False, True):
                make = IntegrationSettings if normalized else IntegrationSettings.for_darks
                settings = make(**CASES[name])
                label = f"{name}, {'additive-scaling' if normalized else 'not normalized'}"
                jobs[label] = (
                    lambda p=planes, s=settings: integrate(
                        p,
                        s,
                        threads=arguments.threads,
                        memory_bytes=int(arguments.memory * 2**30),
                    ),
                    samples,
                )
        jobs |= peers(planes, int(arguments.peer_pixels * 1e6))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the peers warn of what they clip
            first = {name: timed(job) for name, (job, _) in jobs.items()}
            best = dict.fromkeys(jobs, float("inf"))
            for _ in range(arguments.repeat):
                for name, (job, _) in jobs.items():
                    best[name] = min(best[name], timed(job))
        report(np.dtype(dtype).name, jobs, first, best, arguments)


def report(
    dtype: str,
    jobs: dict[str, tuple[Callable[[], object], int]],
    first: dict[str, float],
    best: dict[str, float],
    arguments: argparse.Namespace,
) -> None:
    """Print one table."""
    print(
        f"\n{arguments.frames} x {arguments.pixels:g} Mpx, {dtype}, {arguments.threads} thread(s)"
    )
    print(f"{'':42} {'first s':>8} {'s':>8} {'Gs/s/core':>10} {'over sort':>10}")
    rate = {}
    for name, (_, samples) in jobs.items():
        cores = arguments.threads if "," in name and name[0] != "(" else 1
        rate[name] = samples / best[name] / cores / 1e9
    sort = rate["(read and sort, numpy)"]
    for name in jobs:
        print(
            f"{name:42} {first[name]:8.2f} {best[name]:8.3f} {rate[name]:10.3f}"
            f" {sort / rate[name]:10.2f}"
        )


if __name__ == "__main__":
    main()
