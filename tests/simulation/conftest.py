"""Small simulated sessions that several tests share."""

import pytest

from lightframe.simulation import BiasSet, preset, simulate_session


@pytest.fixture(scope="session")
def colour_session():
    """Return the settings of a small one-shot-colour session."""
    return preset("osc-cmos").resized(200, 300, 4)


@pytest.fixture(scope="session")
def colour_folder(colour_session, tmp_path_factory):
    """Return a folder with a small one-shot-colour session."""
    folder = tmp_path_factory.mktemp("colour") / "session"
    simulate_session(folder, colour_session, threads=2)
    return folder


@pytest.fixture(scope="session")
def clean():
    """Return the settings of a small session without faults."""
    return preset("osc-cmos").changed(bias=BiasSet(count=3)).resized(120, 180, 3)
