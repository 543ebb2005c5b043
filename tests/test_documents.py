"""What the README shows, held against the code."""

import re
import tomllib
from pathlib import Path

import lightframe
from lightframe.cli._main import COMMANDS
from lightframe.session import RunSettings

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language):
    """Return the examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_settings_of_the_readme_are_settings():
    """Each example of a file of settings is taken."""
    assert blocks("toml")
    for example in blocks("toml"):
        RunSettings.parse(tomllib.loads(example))


def test_the_python_of_the_readme_uses_names_that_exist():
    """It compiles, and what it takes from the package is there."""
    for example in blocks("python"):
        compile(example, "README.md", "exec")
        for name in re.findall(r"lightframe\.(\w+)", example):
            assert hasattr(lightframe, name)


def test_every_command_stands_in_the_readme_and_no_other():
    """In the table of commands, and wherever a command is named."""
    table = README.partition("## Commands")[2].partition("##")[0]
    for name in COMMANDS:
        assert re.search(rf"[`\s]{name}[`\s]", table), name
    assert set(re.findall(r"lightframe ([a-z]+)\b", README)) <= set(COMMANDS)
