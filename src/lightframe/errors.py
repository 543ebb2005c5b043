"""The exceptions of Lightframe.

::

    LightframeError
    ├── SettingsError          wrong usage or settings                    exit code 2
    ├── InputError             a file or a set of frames is unusable      exit code 3
    │   ├── UnreadableFileError    truncated, corrupt, or not an image
    │   ├── IncompatibleFramesError    two frames that must agree do not
    │   └── RegistrationError      a frame cannot be brought onto the reference
    └── ResourceError          interrupted, out of memory or disk         exit code 4

Which one to raise: what the user typed or configured -> `SettingsError`; what lies in a file ->
`InputError` or its leaves; what the machine cannot give -> `ResourceError`. A wrong call by a
programmer (bad shape, bad dtype) stays a plain ValueError or TypeError.
"""

from pathlib import Path
from typing import Any

__all__ = [
    "IncompatibleFramesError",
    "InputError",
    "LightframeError",
    "RegistrationError",
    "ResourceError",
    "SettingsError",
    "UnreadableFileError",
]


class LightframeError(Exception):
    """Base of all errors that Lightframe raises on purpose.

    Parameters
    ----------
    what : str
        What happened, with the offending values.
    where : str or Path, optional
        The file or the step it happened in.
    cause : str, optional
        The likely cause, in the user's words.
    remedy : str, optional
        What to do about it.
    """

    exit_code = 3

    def __init__(
        self, what: str, *, where: str | Path = "", cause: str = "", remedy: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = str(where)
        self.cause = cause
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # Copied, and sent to other processes, without `__init__`, whose arguments differ by class.
        return self.__class__.__new__, (self.__class__, self.what), self.__dict__

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.cause:
            lines.append(f"  likely cause: {self.cause}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class SettingsError(LightframeError):
    """The user asked for something that cannot be: an unknown name, a value out of range."""

    exit_code = 2


class InputError(LightframeError):
    """A file, or a set of frames, cannot be used."""

    exit_code = 3


class UnreadableFileError(InputError):
    """A file is truncated, corrupt, of an unsupported kind, or not an image."""


class IncompatibleFramesError(InputError):
    """Two frames that must agree do not; the message names both and both values.

    Parameters
    ----------
    quantity : str
        What differs, e.g. ``"size"``.
    first, second : tuple of (str, object)
        Name and value on each side.
    cause, remedy : str, optional
        As in `LightframeError`.
    """

    def __init__(
        self,
        quantity: str,
        first: tuple[str, object],
        second: tuple[str, object],
        *,
        cause: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(
            f"{quantity} differs: {first[0]} has {first[1]}, {second[0]} has {second[1]}",
            cause=cause,
            remedy=remedy,
        )
        self.quantity = quantity
        self.first = first
        self.second = second


class RegistrationError(InputError):
    """A frame cannot be brought onto the reference frame."""


class ResourceError(LightframeError):
    """The run was interrupted, or memory, disk or time ran out. It can be resumed."""

    exit_code = 4
