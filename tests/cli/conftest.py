"""Fixtures of the commands for single steps."""

import json
from pathlib import Path

import pytest

from lightframe.cli import main
from lightframe.simulation import simulate_session
from step_frames import small


@pytest.fixture(scope="session")
def ccd(tmp_path_factory) -> Path:
    """Return a session of a monochrome CCD: bias, darks of 600 s, flats, lights of 180 s."""
    folder = tmp_path_factory.mktemp("ccd")
    simulate_session(folder, small("mono-ccd"))
    return folder


@pytest.fixture(scope="session")
def osc(tmp_path_factory) -> Path:
    """Return a session of a one-shot-colour camera: bias, darks, flat-darks, flats, lights."""
    folder = tmp_path_factory.mktemp("osc")
    simulate_session(folder, small("osc-cmos"))
    return folder


@pytest.fixture
def lightframe(capsys):
    """Return a function that runs the command line: exit code, JSON or text, messages."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return run


@pytest.fixture
def broken(tmp_path) -> Path:
    """Return a file that is no frame."""
    path = tmp_path / "broken.fits"
    path.write_bytes(b"SIMPLE  = nothing of the kind")
    return path
