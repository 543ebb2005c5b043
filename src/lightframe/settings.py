"""Settings: written once, used by the library, the command line, the TOML file and the documents.

A settings class derives from `Settings`; the docstring below each field is its help text. A field
whose value is a name from a `lightframe.tables.Table` is declared as
``Annotated[str, OneOf(TABLE)]``, so that the meaning of each choice is kept where the choice is.
"""

import ast
import inspect
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic import ValidationError as _PydanticError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from lightframe.errors import SettingsError
from lightframe.tables import Table

__all__ = ["OneOf", "Settings", "listed", "read_toml"]

_UNKNOWN = "extra_forbidden"
"""What pydantic calls a name that it does not know."""


class Settings(BaseModel):
    """Base of all settings classes: frozen, validated, and closed against unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _complete_tables(cls, values: Any) -> Any:  # noqa: ANN401 - as pydantic calls it
        """Fill a table that is given in part from its default, not from the table's class.

        Where a field's default is an instance with values of its own, ``{"rejection": "sigma"}``
        changes the rejection and nothing else.
        """
        if not isinstance(values, Mapping):
            return values
        defaults = {
            name: field.default
            for name, field in cls.model_fields.items()
            if isinstance(field.default, Settings)
        }
        return _merged(defaults, values)

    @classmethod
    def parse(cls, values: Mapping[str, Any], *, where: str | Path = "") -> Self:
        """Build the settings from a mapping, e.g. one table of a TOML file.

        Raises
        ------
        SettingsError
            If a name is unknown or a value is out of range; the message names the field, the value
            and what is allowed.
        """
        try:
            return cls.model_validate(dict(values))
        except _PydanticError as error:
            problems = error.errors(include_url=False)
            raise SettingsError(
                "; ".join(cls._problem(problem) for problem in problems),
                where=where,
                remedy="; ".join(dict.fromkeys(cls._remedy(problem) for problem in problems)),
            ) from error

    @classmethod
    def meaning(cls, name: str) -> str:
        """Return what a field means: the docstring below it, as one line."""
        homes = (home for home in cls.__mro__ if name in inspect.get_annotations(home))
        return _docstrings(next(homes)).get(name, "")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the fields in the schema."""
        described = handler(schema)
        for name, field in handler.resolve_ref_schema(described).get("properties", {}).items():
            field["description"] = cls.meaning(name)
        return described

    @classmethod
    def _problem(cls, problem: ErrorDetails) -> str:
        """Return which value is wrong, and why."""
        name = ".".join(part for part in problem["loc"] if isinstance(part, str)) or cls.__name__
        why = "there is no such setting" if problem["type"] == _UNKNOWN else problem["msg"]
        why = why.removeprefix("Input ")  # pydantic's subject is named in front
        return f"{name} = {problem['input']!r}: {why}"

    @classmethod
    def _remedy(cls, problem: ErrorDetails) -> str:
        """Return what a setting means, or the names there are where there is none of its name."""
        holder, path = cls, [part for part in problem["loc"] if isinstance(part, str)]
        while path and (field := holder.model_fields.get(path[0])) is not None:
            inner = field.annotation
            if len(path) == 1 or not (isinstance(inner, type) and issubclass(inner, Settings)):
                return f"{path[0]}: {holder.meaning(path[0])}"
            holder, path = inner, path[1:]
        elsewhere = [".".join(place) for place in _places(cls, path[0])] if path else []
        if elsewhere:
            return f"write {' or '.join(elsewhere)}"
        return f"the settings there are: {', '.join(holder.model_fields)}"


def _places(settings: type[Settings], name: str) -> Iterator[tuple[str, ...]]:
    """Yield where settings of a name are, here and in the tables below."""
    for own, field in settings.model_fields.items():
        inner = field.annotation
        if own == name:
            yield (own,)
        elif isinstance(inner, type) and issubclass(inner, Settings):
            yield from ((own, *place) for place in _places(inner, name))


@cache
def _docstrings(kind: type) -> dict[str, str]:
    """Return the docstring below each field that a class declares, as one line.

    pydantic would read them when the class is defined, which takes 2 ms, but few are asked for.
    """
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    found = {}
    for field, text in pairwise(cast("ast.ClassDef", declared).body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(docstring))),
            ):
                found[name] = " ".join(docstring.split())
    return found


def _merged(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, with tables in them completed from the settings of the same name."""
    merged = dict(values)
    for name, default in defaults.items():
        given = merged.get(name)
        if isinstance(default, Settings) and isinstance(given, Mapping):
            merged[name] = dict(default) | _merged(dict(default), given)
    return merged


@dataclass(frozen=True, slots=True)
class OneOf:
    """Marks a string field of `Settings` as the name of a row of `table`."""

    table: Table[Any]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(self.table)}

    def _check(self, name: str) -> str:
        if name not in self.table:
            raise PydanticCustomError(
                "unknown_name",
                "unknown {title}; choose one of: {known}",
                {"title": self.table.title, "known": ", ".join(self.table)},
            )
        return name


def listed(value: Any) -> Any:  # noqa: ANN401 - pydantic checks what comes out
    """Accept ``"a, b"`` for ``("a", "b")``, in a validator of such fields."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of settings.

    Raises
    ------
    SettingsError
        If the file cannot be read or is not valid TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", where=path) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"is not valid TOML: {error}", where=path) from error
    except UnicodeDecodeError as error:
        raise SettingsError("is not UTF-8 text", where=path) from error
