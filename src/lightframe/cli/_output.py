"""JSON for machines."""

import json
import sys

from lightframe.cli._console import discard
from lightframe.session import plain

__all__ = ["print_json"]


def print_json(document: object) -> None:
    """Print a document alone on standard output; what is not finite is unknown."""
    try:
        json.dump(plain(document), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
        discard(sys.stdout)
