"""Errors: what they say, and that they survive being copied."""

import copy
import pickle

import pytest

from lightframe import errors


def sent(error):
    """Return an error as another process would receive it."""
    return pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes


WHOLE = {"cause": "clouds", "remedy": "wait"}


@pytest.mark.parametrize(
    "error",
    [
        errors.SettingsError("unknown name", where="a.toml", **WHOLE),
        errors.UnreadableFileError("is empty", where="a.fits"),
        errors.IncompatibleFramesError(
            "size", ("the dark", (3, 4)), ("the light", (4, 4)), **WHOLE
        ),
        errors.RegistrationError("is mirrored"),
        errors.ResourceError("no room", **WHOLE),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("copied", [copy.copy, sent])
def test_errors_say_the_same_after_being_copied(error, copied):
    """Whatever thread or process they come from: all parts, the exit code, and the text."""
    twin = copied(error)

    assert type(twin) is type(error)
    assert vars(twin) == vars(error)
    assert (str(twin), twin.args, twin.exit_code) == (str(error), error.args, error.exit_code)
