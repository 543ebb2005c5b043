"""The command line: words in, tables, pictures and exit codes out."""

import gc
import sys
from typing import NoReturn

from lightframe.cli._main import main

__all__ = ["main", "program"]


def program() -> NoReturn:
    """Run the command line of this process, and end it with the exit code."""
    code = main()
    # The interpreter would look for garbage among all libraries before it ends: 0.25 s.
    gc.freeze()
    sys.exit(code)
