"""More files than a process may open at a time."""

import json
import resource
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from lightframe.frames import read_image
from lightframe.simulation import simulate_session
from step_frames import small

PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[1])))
from lightframe.cli import main
raise SystemExit(main(sys.argv[2:]))
"""


def limited(files, *words):
    """Run the command line in a process that may open so many files; return its JSON."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(files), *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["0.05", "1"])
def test_two_thousand_files_are_integrated_under_a_limit_of_256(tmp_path, memory):
    """No file is set aside, and the result is the mean of the frames."""
    rng = np.random.default_rng(7)
    frames = rng.normal(1000, 20, (2000, 24, 32)).astype(np.uint16)
    header = fits.Header({"IMAGETYP": "Dark Frame", "EXPTIME": 10.0})
    paths = []
    for index, pixels in enumerate(frames):
        paths.append(tmp_path / f"dark_{index:04d}.fits")
        fits.PrimaryHDU(pixels, header).writeto(paths[-1])
    document = limited(
        256, "integrate", *paths, "-o", tmp_path / "out.fits", "--memory", memory,
        "--weight", "none", "--normalization", "none", "--rejection-normalization", "none",
        "--rejection", "none",
    )  # fmt: skip
    assert document["result"]["frames"] == 2000
    _, result = read_image(tmp_path / "out.fits")
    assert result[0] == pytest.approx(frames.mean(axis=0, dtype=np.float64), rel=1e-6)


@pytest.mark.slow
def test_a_run_needs_fewer_descriptors_than_it_has_lights(tmp_path):
    """Sixty lights and their calibration frames run under a limit of 64 open files."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 64
    simulate_session(tmp_path / "raw", small("mono-ccd", lights=60, calibration=12))
    document = limited(64, "run", tmp_path / "raw", "-o", tmp_path / "out")
    assert sum(light["used"] for light in document["lights"]) == 60
    assert document["results"][0]["frames"] == 60
