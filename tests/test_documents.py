"""What README and documents show, held against the code."""

import re
import tomllib
from pathlib import Path

import lightframe
from lightframe.cli._main import COMMANDS
from lightframe.session import RunSettings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = (README, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")))


def blocks(language):
    """Return the examples in a language."""
    return [
        example
        for text in TEXTS
        for example in re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    ]


def test_the_settings_of_the_documents_are_settings():
    """Each example of a file of settings is taken."""
    assert len(blocks("toml")) > 1
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


def test_the_links_of_the_documents_lead_somewhere():
    """Files and folders beside them."""
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert "://" in target or (path.parent / target).exists(), (path.name, target)
