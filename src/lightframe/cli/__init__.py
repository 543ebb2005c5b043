"""The command line: words in, tables, pictures and exit codes out."""

import gc
import os
import sys
from typing import NoReturn

from lightframe.cli._main import main

__all__ = ["main", "program"]


def program() -> NoReturn:
    """Run the command line of this process, and end it with the exit code."""
    # NumPy's BLAS would keep threads waiting for work that Lightframe does not give it: 0.2 s.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Modules are no garbage; looking for it after every 700 objects takes 0.1 s of their import.
    gc.set_threshold(50_000)
    code = main()
    # The interpreter would look for garbage among all libraries before it ends: 0.25 s.
    gc.freeze()
    sys.exit(code)
