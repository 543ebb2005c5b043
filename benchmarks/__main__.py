"""Run all benchmarks, one after the other, in sizes that take a few minutes together.

    python -m benchmarks [NAME ...]

Each is a program of its own with its own options, e.g. ``python -m benchmarks.bench_integration
--frames 100``. Peers that are installed (ccdproc, seiza, Siril) take part in the same run; without
them Lightframe is held against NumPy, SciPy and astropy.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

MODEST = {
    "bench_integration": ["--pixels", "2", "--repeat", "2"],
    "bench_stack_files": ["--pixels", "6", "--repeat", "2"],
    "bench_debayer": ["6"],
    "bench_session": ["--pixels", "6", "--frames", "10", "--repeat", "1"],
    "bench_registration": ["12"],
}
"""Arguments by benchmark; the others run as they are."""


def main() -> None:
    """Run the benchmarks that are named, or all."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    chosen = parser.parse_args().names or names
    if unknown := sorted({*chosen} - {*names}):
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(names)}")
    load = os.getloadavg()[0]
    print(f"{cpu()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    if load > 0.5:
        print("other programs are at work: times are too long, ratios are rough")
    failed = []
    for name in chosen:
        print(f"\n=== {name}", flush=True)
        start = time.perf_counter()
        command = [sys.executable, "-m", f"benchmarks.{name}", *MODEST.get(name, [])]
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(name)
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def cpu() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
