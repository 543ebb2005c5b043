"""The public surface: what is added to it or taken from it is changed here on purpose."""

import subprocess
import sys

import pytest

import lightframe
from lightframe import checks, errors, frames, processes, report, session, simulation


def test_the_package_offers_a_handful_of_names():
    """They are few, and each can be had."""
    assert lightframe.__all__ == [
        *("RunSettings", "__version__", "plan_run", "read_image", "read_info", "run", "scan")
    ]
    assert lightframe.run is session.run
    assert lightframe.read_image is frames.read_image


def test_an_unknown_name_is_an_attribute_error():
    """Lazy names do not hide mistakes."""
    with pytest.raises(AttributeError, match="frobnicate"):
        _ = lightframe.frobnicate


def test_importing_the_package_is_cheap():
    """Neither Numba nor NumPy is loaded before something needs it."""
    code = "import sys, lightframe; sys.exit('numba' in sys.modules or 'numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "package", [checks, errors, frames, processes, report, session, simulation]
)
def test_all_public_names_exist_are_sorted_and_documented(package):
    """`__all__` is in order, and every function and class in it has a docstring."""
    names = package.__all__

    assert len(set(names)) == len(names)
    undocumented = [
        name
        for name in names
        if callable(getattr(package, name)) and not (getattr(package, name).__doc__ or "").strip()
    ]
    assert undocumented == []
