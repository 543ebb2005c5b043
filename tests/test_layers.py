"""The layers of the package look one way only."""

import ast
import re
from pathlib import Path

import pytest

import lightframe

PACKAGE = Path(lightframe.__file__).parent
ORDER = ["kernels", "frames", "processes", "checks", "session"]
SURFACES = {"cli", "report"}
ALLOWED = {
    **{layer: set(ORDER[: rank + 1]) for rank, layer in enumerate(ORDER)},
    "simulation": {"kernels", "frames", "simulation"},
    "report": {*ORDER, "report"},
    "cli": {*ORDER, *SURFACES, "simulation"},
}


def imported_layers(module: Path) -> set[str]:
    """Return the sub-packages of lightframe that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {
            name.split(".")[1]
            for name in names
            if name.startswith("lightframe.") and (PACKAGE / name.split(".")[1]).is_dir()
        }
    return found


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_a_layer_imports_only_the_layers_below_it(layer):
    """No module imports from a layer that stands above its own."""
    wrong = {
        module.relative_to(PACKAGE).as_posix(): sorted(imported_layers(module) - ALLOWED[layer])
        for module in (PACKAGE / layer).rglob("*.py")
        if imported_layers(module) - ALLOWED[layer]
    }

    assert wrong == {}


@pytest.mark.parametrize("surface", sorted(SURFACES))
def test_surfaces_use_what_the_layers_offer(surface):
    """No module of theirs imports a private module of a layer below."""
    wrong = {
        (module.name, node.module)
        for module in (PACKAGE / surface).rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and re.match(rf"lightframe\.(?!{surface}\.)\w+\._", node.module or "")
    }

    assert wrong == set()


def test_every_sub_package_has_its_place_in_the_order():
    """A new sub-package must be given a layer here before it can be used."""
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}

    assert folders == set(ALLOWED)
