"""A whole session, from raw frames to the integrated image, beside Siril's script for the same job.

    python -m benchmarks.bench_session [--session DIR] [--pixels 24] [--frames 20] [--repeat 2]

Monochrome frames of a simulated session, of each kind as many: flat-darks (in the place of bias),
darks, flats, lights. Both programs make the master bias, calibrate the flats with it, make the
master flat and dark, calibrate the lights with correction of the dark's hot pixels, register them,
and stack them by winsorized sigma clipping with additive normalization and scaling. Lightframe
checks all raw frames and writes a report besides. Both start from nothing each time; kernels are
compiled.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_stack_files import Cost, run

_HEIGHT_TO_WIDTH = 2 / 3

SCRIPT = """requires 1.0.0
setext fits
cd {session}/flat-darks
link bias -out={work}
cd {work}
stack bias rej w 3 3 -nonorm -out=master_bias
cd {session}/flats
link flat -out={work}
cd {work}
{calibrate} flat -bias=master_bias
stack pp_flat rej w 3 3 -norm=mul -out=master_flat
cd {session}/darks
link dark -out={work}
cd {work}
stack dark rej w 3 3 -nonorm -out=master_dark
cd {session}/lights
link light -out={work}
cd {work}
{calibrate} light -dark=master_dark -flat=master_flat -cc=dark
register pp_light
stack r_pp_light rej w 3 3 -norm=addscale -output_norm -out=result
close
"""


def simulate(folder: Path, frames: int, pixels: float) -> None:
    """Write the session."""
    width = round((pixels * 1e6 / _HEIGHT_TO_WIDTH) ** 0.5 / 16) * 16
    height = round(width * _HEIGHT_TO_WIDTH / 16) * 16
    counts = [f"{kind}.count={frames}" for kind in ("lights", "darks", "flats", "flat_darks")]
    settings = [f"sensor.width={width}", f"sensor.height={height}", *counts]
    words = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "lightframe", "simulate", str(folder), "--preset", "large"]
    subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL)


def lightframe(session: Path, out: Path) -> list[str]:
    """Return the command of Lightframe."""
    return [sys.executable, "-m", "lightframe", "run", str(session), "-o", str(out)]


def siril(session: Path, out: Path) -> list[str]:
    """Return the command of Siril; `preprocess` has been called `calibrate` since 1.2."""
    out.mkdir()
    script = out / "session.ssf"
    version = subprocess.run(
        ["siril-cli", "--version"], check=True, capture_output=True, text=True
    ).stdout
    calibrate = "preprocess" if "1.0" in version else "calibrate"
    script.write_text(SCRIPT.format(session=session, work=out, calibrate=calibrate))
    return ["siril-cli", "-s", str(script)]


def written(folder: Path) -> float:
    """Return how much lies in a folder, in GB; links to the raw frames do not count."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e9


def measure(session: Path, folder: Path, repeat: int) -> dict[str, tuple[Cost, float]]:
    """Return the best of some turns of each program that is here, and what it wrote."""
    programs = {"lightframe run": lightframe}
    if shutil.which("siril-cli"):
        programs["siril script"] = siril
    best: dict[str, tuple[Cost, float]] = {}
    for _ in range(repeat):
        for label, command in programs.items():
            out = folder / label.replace(" ", "-")
            shutil.rmtree(out, ignore_errors=True)
            cost = run(command(session, out), folder / "log")
            if label not in best or cost.wall_s < best[label][0].wall_s:
                best[label] = cost, written(out)
            shutil.rmtree(out)
    return best


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--session", type=Path, help="a session that is there, as simulated")
    parser.add_argument("--frames", type=int, default=20, help="of each kind")
    parser.add_argument("--pixels", type=float, default=24.0, help="millions a frame")
    parser.add_argument("--repeat", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lightframe-bench-") as name:
        folder = Path(name)
        session = arguments.session
        if session is None:
            session = folder / "session"
            simulate(session, arguments.frames, arguments.pixels)
        best = measure(session.resolve(), folder, arguments.repeat)
    base = best["lightframe run"][0].wall_s
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':20} {'wall s':>8} {'CPU s':>8} {'peak GB':>8} {'written GB':>11} {'ratio':>7}")
    for label, (cost, size) in best.items():
        print(
            f"{label:20} {cost.wall_s:8.1f} {cost.cpu_s:8.1f} {cost.peak_gb:8.2f} {size:11.2f}"
            f" {cost.wall_s / base:7.2f}"
        )


if __name__ == "__main__":
    main()
