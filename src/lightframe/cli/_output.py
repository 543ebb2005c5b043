"""JSON for machines."""

import json
import sys

__all__ = ["print_json"]


def print_json(document: object) -> None:
    """Print a document alone on standard output."""
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    sys.stdout.write("\n")
