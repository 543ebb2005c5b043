"""Stacks of files, from the command to the written master, beside Siril, seiza and ccdproc.

    python -m benchmarks.bench_stack_files [--frames 20] [--pixels 6] [--repeat 2]

Every program reads the same FITS files (sky of 1000 DN, noise of 20 DN, one sample in ten thousand
a cosmic ray; page cache warm) and writes one image, in a process of its own: start and imports
count. Lightframe writes no maps, as the others have none, but hashes its files and measures their
noise; one row shows what its maps cost. It has its kernels compiled. All take turns, the shortest
time counts. ccdproc clips by plain sigma, for it has nothing else. Programs that are not installed
are left out: ``pip install --group bench`` has seiza and ccdproc, Siril is ``siril-cli`` on the
path.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lightframe.frames import Card, Header, write_fits

WIDTH = 3000


class Cost(NamedTuple):
    """What a process took."""

    wall_s: float
    cpu_s: float
    peak_gb: float


def run(command: list[str], log: Path) -> Cost:
    """Run a program to its end, its output into a file."""
    with log.open("wb") as sink:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = log.read_text(errors="replace")[-1500:]
        raise SystemExit(f"{command[0]} failed with {process.returncode}:\n{tail}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20)


def simulate(folder: Path, frames: int, pixels: float, samples: str) -> list[Path]:
    """Write frames as FITS files."""
    rng = np.random.default_rng(20210602)
    height = max(8, round(pixels * 1e6 / WIDTH))
    folder.mkdir()
    paths = []
    for index in range(frames):
        image = rng.standard_normal((1, height, WIDTH), np.float32) * 20 + 1000
        hits = rng.integers(0, image.size, image.size // 10_000)
        image.ravel()[hits] += rng.exponential(2000, hits.size).astype(np.float32)
        paths.append(folder / f"dark_{index + 1:05d}.fit")
        header = Header([Card("IMAGETYP", "Dark Frame"), Card("EXPTIME", 60.0)])
        write_fits(paths[-1], image, header, sample_format=samples)
    return paths


def lightframe_job(paths: list[Path], out: Path, *settings: str) -> list[str]:
    """Return the command of ``lightframe integrate``, nothing normalized; maps if asked for."""
    plain = ["--weight", "none", "--normalization", "none", "--rejection-normalization", "none"]
    if "--maps" not in settings:
        plain += ["--no-maps", "--no-variance"]
    words = [sys.executable, "-m", "lightframe", "integrate", *map(str, paths), "-o", str(out)]
    return [*words, *plain, *settings]


def siril_job(paths: list[Path], out: Path, rejection: str) -> list[str]:
    """Return the command of a Siril script that stacks a folder."""
    work = paths[0].parent.with_name(f"{paths[0].parent.name}_siril")
    work.mkdir(exist_ok=True)
    script = work / f"{out.stem}.ssf"
    script.write_text(
        f"requires 1.0.0\nsetext fit\ncd {paths[0].parent}\nlink dark -out={work}\ncd {work}\n"
        f"stack dark {rejection} -nonorm -out={out.with_suffix('')}\nclose\n"
    )
    return ["siril-cli", "-s", str(script)]


SEIZA = "import seiza, sys; seiza.build_dark(sys.argv[2:], sys.argv[1])"
CCDPROC = """
import sys, warnings
import numpy as np
import ccdproc
warnings.simplefilter("ignore")
master = ccdproc.combine(
    sys.argv[2:], sys.argv[1], method="average", unit="adu", dtype=np.float32,
    sigma_clip=True, sigma_clip_low_thresh=4, sigma_clip_high_thresh=3, mem_limit=1e9,
    overwrite_output=True,
)
"""


def script_job(code: str) -> Callable[[list[Path], Path], list[str]]:
    """Return what makes the command of a Python peer."""
    return lambda paths, out: [sys.executable, "-c", code, str(out), *map(str, paths)]


def jobs() -> dict[str, Callable[[list[Path], Path], list[str]]]:
    """Return the commands of all programs that are here."""
    found: dict[str, Callable[[list[Path], Path], list[str]]] = {
        f"lightframe, {name}": lambda paths, out, n=name: lightframe_job(paths, out, *n.split())
        for name in (
            "--rejection winsorized",
            "--rejection winsorized --maps",
            "--rejection sigma",
            "--rejection linear-fit",
            "--rejection percentile",
            "--rejection none --combination median",
        )
    }
    if shutil.which("siril-cli"):
        for name in ("rej w 3 3", "rej s 3 3", "rej l 5 5", "rej p 0.2 0.2", "med"):
            found[f"siril, {name}"] = lambda paths, out, n=name: siril_job(paths, out, n)
    if importlib.util.find_spec("seiza"):
        found["seiza, build_dark"] = script_job(SEIZA)
    if importlib.util.find_spec("ccdproc"):
        found["ccdproc, sigma clip"] = script_job(CCDPROC)
    return found


def main() -> None:
    """Print one table for 16-bit and one for float32 frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--pixels", type=float, default=6.0, help="millions a frame")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--samples", nargs="*", default=["uint16", "float32"])
    arguments = parser.parse_args()
    for samples in arguments.samples:
        with tempfile.TemporaryDirectory(prefix="lightframe-bench-") as name:
            folder = Path(name)
            paths = simulate(folder / "raw", arguments.frames, arguments.pixels, samples)
            best: dict[str, Cost] = {}
            for turn in range(arguments.repeat + 1):  # the first turn compiles and warms the cache
                for label, command in jobs().items():
                    out = folder / f"{label.translate({32: '_', 44: '', 46: ''})}.fits"
                    out.unlink(missing_ok=True)
                    cost = run(command(paths, out), folder / "log")
                    if turn and (label not in best or cost.wall_s < best[label].wall_s):
                        best[label] = cost
        report(best, f"{arguments.frames} x {arguments.pixels:g} Mpx, {samples}")


def report(best: dict[str, Cost], title: str) -> None:
    """Print a table; ratios are those of wall times to Lightframe's winsorized clipping."""
    base = next(iter(best.values())).wall_s
    print(f"\n{title}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':48} {'wall s':>8} {'CPU s':>8} {'peak GB':>8} {'ratio':>7}")
    for label, cost in best.items():
        print(
            f"{label:48} {cost.wall_s:8.2f} {cost.cpu_s:8.2f} {cost.peak_gb:8.2f}"
            f" {cost.wall_s / base:7.2f}"
        )


if __name__ == "__main__":
    main()
