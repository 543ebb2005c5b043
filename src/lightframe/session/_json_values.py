"""Values as JSON has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["plain", "read_entries"]


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON values are of many types
    """Return a value as JSON has it: no NaN, no infinity."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def read_entries(path: Path, is_whole: Callable[[object], bool]) -> dict[str, dict[str, Any]]:
    """Return the entries of a file by their names, those that are whole; none if it is unreadable.

    The machine may have gone down while it was written.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(entries, dict):
        return {}
    return {name: entry for name, entry in entries.items() if is_whole(entry)}
