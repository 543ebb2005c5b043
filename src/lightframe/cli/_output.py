"""JSON for machines."""

import json
import sys

from lightframe.session import plain

__all__ = ["print_json"]


def print_json(document: object) -> None:
    """Print a document alone on standard output; what is not finite is unknown."""
    json.dump(plain(document), sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")
