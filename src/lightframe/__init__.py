"""Lightframe: raw frames of the night sky to a calibrated, registered, integrated image.

The names below are the ones most programs need; they are imported when they are first used, for the
kernels behind them take a moment. All others are in the sub-packages: `lightframe.frames`,
`lightframe.processes`, `lightframe.checks`, `lightframe.session`, `lightframe.simulation`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lightframe._version import __version__

if TYPE_CHECKING:
    from lightframe.frames import read_image, read_info
    from lightframe.session import RunSettings, plan_run, run, scan

__all__ = ["RunSettings", "__version__", "plan_run", "read_image", "read_info", "run", "scan"]

_HOMES = {
    "RunSettings": "lightframe.session",
    "plan_run": "lightframe.session",
    "read_image": "lightframe.frames",
    "read_info": "lightframe.frames",
    "run": "lightframe.session",
    "scan": "lightframe.session",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - classes and functions
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lightframe' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
