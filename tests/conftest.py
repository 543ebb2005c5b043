"""Fixtures that all tests share."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real frames, or skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real frames (../shared/data) is not here")
    return SHARED_DATA
