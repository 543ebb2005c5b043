"""Values as JSON has them."""

from typing import Any

__all__ = ["plain"]


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON values are of many types
    """Return a value as JSON has it: no NaN, no infinity."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
