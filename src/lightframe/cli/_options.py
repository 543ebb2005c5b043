"""Settings classes as command-line options: the same names, meanings and limits, written once."""

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from pydantic.fields import FieldInfo

from lightframe.cli._parser import Parser
from lightframe.errors import SettingsError
from lightframe.settings import OneOf, Settings, read_toml

__all__ = [
    "add_assignments",
    "add_memory",
    "add_settings",
    "add_sources",
    "choices",
    "read_config",
    "settings_from",
]

S = TypeVar("S", bound=Settings)


class _Option(NamedTuple):
    """A scalar field of `kind`, reached through `path` from the settings class at the top."""

    path: tuple[str, ...]
    kind: type[Settings]
    field: FieldInfo

    @property
    def destination(self) -> str:
        return "set:" + ".".join(self.path)

    @property
    def flag(self) -> str:
        return "--" + "-".join(self.path).replace("_", "-")


class _Arguments(Protocol):
    """A parser, or a group of options in one."""

    @property
    def add_argument(self) -> Callable[..., argparse.Action]: ...


def add_sources(parser: _Arguments, example: str, config: str, *, workers: bool = True) -> None:
    """Add where the settings of `settings_from` come from: a file, and options for any of them.

    Parameters
    ----------
    parser : ArgumentParser or group of arguments
        Gets the options.
    example : str
        An assignment, e.g. ``"lights.rejection=sigma"``.
    config : str
        Help of ``--config``.
    workers : bool, optional
        Whether the command works in threads.
    """
    parser.add_argument("--config", metavar="F.toml", type=Path, help=config)
    add_assignments(parser, f"one setting, e.g. {example}; may be given several times")
    if workers:
        parser.add_argument(
            "--workers", metavar="N", dest="set:workers", help="threads [all cores]"
        )


def add_memory(parser: _Arguments) -> None:
    """Add the limit of memory."""
    parser.add_argument(
        "--memory",
        metavar="GB",
        dest="set:memory_gb",
        help="for buffers [half of what is free, at most 0.5]",
    )


def add_assignments(parser: _Arguments, meaning: str) -> None:
    """Add ``--set``, with its help."""
    parser.add_argument(
        "--set", dest="assignments", metavar="NAME=VALUE", action="append", help=meaning
    )


def add_settings(
    parser: Parser,
    defaults: Settings | type[Settings],
    title: str,
    *,
    section: str = "",
    prefix: str = "",
    without: Collection[str] = (),
) -> None:
    """Add one option for every scalar field of a settings class and of the settings inside it.

    Parameters
    ----------
    parser : Parser
        Gets a group of options.
    defaults : Settings, or a settings class
        The class, or an instance whose values are named as defaults.
    title : str
        Title of the group.
    section : str, optional
        Where the settings lie in the class that `settings_from` builds, e.g. ``"calibration"``.
        The options' names do not show it.
    prefix : str, optional
        What the options' names begin with, e.g. ``"detection"``.
    without : collection of str, optional
        Fields that get no option.
    """
    group = parser.add_argument_group(title)
    kind = defaults if isinstance(defaults, type) else type(defaults)
    place = f"{section}." if section else ""
    begin = f"--{prefix}-" if prefix else "--"
    for option in _options(kind):
        if option.path[0] in without:
            continue
        flag = option.flag.replace("--", begin, 1)
        common: dict[str, Any] = {
            "dest": option.destination.replace("set:", f"set:{place}", 1),
            "default": None,
        }
        if option.field.annotation is bool:
            action = group.add_argument(flag, action=argparse.BooleanOptionalAction, **common)
        else:
            action = group.add_argument(flag, metavar="X", **common)
        parser.describe_later(action, partial(_help, option, defaults))


def _default(defaults: Settings | type[Settings], option: _Option) -> object:
    """Return the value a field has if the option is not given."""
    if isinstance(defaults, type):
        return option.field.get_default(call_default_factory=True, validated_data={})
    value: object = defaults
    for name in option.path:
        value = getattr(value, name)
    return value


def settings_from(arguments: argparse.Namespace, kind: type[S], config: Mapping[str, Any]) -> S:
    """Build settings: defaults, then the configuration file, then the command line.

    Raises
    ------
    SettingsError
        If a name is unknown or a value is not allowed.
    """
    values = _copied(config)
    file = getattr(arguments, "config", None)
    if file is not None:  # what is wrong in it is told with its name
        kind.parse(config, where=file)
    for option in _options(kind):
        given = getattr(arguments, option.destination, None)
        if given is not None:
            _put(values, option.path, given)
    for assignment in getattr(arguments, "assignments", None) or ():
        name, equals, text = assignment.partition("=")
        if not equals:
            raise SettingsError(
                f"--set {assignment!r} is not of the form NAME=VALUE",
                remedy=f"write --set {name.strip()}=VALUE",
            )
        _put(values, tuple(name.strip().split(".")), text.strip())
    return kind.parse(values, where="settings")


def read_config(path: Path | None) -> dict[str, Any]:
    """Read the TOML file of settings, or return nothing where none is given."""
    return {} if path is None else read_toml(path)


def _options(kind: type[Settings], path: tuple[str, ...] = ()) -> Iterator[_Option]:
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Settings):
            yield from _options(inner, (*path, name))
        else:
            yield _Option((*path, name), kind, field)


def _help(option: _Option, defaults: Settings | type[Settings]) -> str:
    """Return the docstring of the field, its choices with their meanings, and its default."""
    parts = [option.kind.meaning(option.path[-1])]
    if rows := "; ".join(f"{name}: {text}" for name, text in choices(option.field.metadata)):
        parts.append(f"({rows})")
    default = _default(defaults, option)
    if default not in (None, (), ""):
        parts.append(f"[{default}]")
    return " ".join(parts).replace("%", "%%")


def choices(metadata: Sequence[object]) -> Iterator[tuple[str, str]]:
    """Yield name and meaning of what a field may be, where a table lists it."""
    for item in metadata:
        if isinstance(item, OneOf):
            yield from ((entry.name, entry.meaning) for entry in item.table.entries())


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _copied(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


def _put(values: dict[str, Any], path: Sequence[str], value: object) -> None:
    for name in path[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{'.'.join(path)}: {name} is a single value, not a group")
        values = inner
    values[path[-1]] = value
