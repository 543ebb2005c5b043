from ._version import __version__
from .frames import read_image, read_info
from .session import RunSettings, plan_run, run, scan

__all__ = ["RunSettings", "__version__", "plan_run", "read_image", "read_info", "run", "scan"]
