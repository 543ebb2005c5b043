"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that a change is judged by itself; HYPOTHESIS_PROFILE=explore
# looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real frames, or skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real frames (../shared/data) is not here")
    return SHARED_DATA
