"""All settings as a commented TOML file: to read, or to begin one's own with."""

import json
import textwrap
from collections.abc import Iterator

from lightframe.cli._options import choices
from lightframe.settings import Settings

__all__ = ["settings_as_toml"]

_WIDTH = 88


def settings_as_toml(settings: Settings) -> str:
    """Return each setting with its value, below what it means and what it may be.

    What is not set has no value in TOML: its line is a comment.
    """
    lines = [*_scalars(settings), *_tables(settings, ())]
    return "\n".join(lines).strip() + "\n"


def _scalars(settings: Settings) -> Iterator[str]:
    """Yield the settings that are no tables."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, Settings):
            continue
        yield from _comment(settings.meaning(name))
        for choice, meaning in choices(field.metadata):
            yield from _comment(f"{choice}: {meaning}", indent="  ")
        yield f"# {name} =" if value is None else f"{name} = {_value(value)}"
        yield ""


def _tables(settings: Settings, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the tables, each with those inside it."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            inner = (*path, name)
            yield from _comment(settings.meaning(name))
            yield f"[{'.'.join(inner)}]"
            yield ""
            yield from _scalars(value)
            yield from _tables(value, inner)


def _comment(text: str, indent: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"# {indent}",
        subsequent_indent=f"# {indent}{'  ' if indent else ''}",
        break_on_hyphens=False,
    )


def _value(value: object) -> str:
    """Return a value as TOML writes it; strings and lists are those of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(str(value), ensure_ascii=False)
