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


def imports_of_modules() -> dict[str, set[str]]:
    """Return which modules each module imports as it is loaded, names of packages looked up."""
    modules = {
        ".".join(("lightframe", *path.relative_to(PACKAGE).with_suffix("").parts)): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in PACKAGE.rglob("*.py")
    }
    homes = {
        f"{package}.{alias.name}": f"{package}.{node.module}"
        for stub in PACKAGE.rglob("__init__.pyi")
        for package in [".".join(("lightframe", *stub.parent.relative_to(PACKAGE).parts))]
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return {
        name: {
            homes.get(full, full if full in modules else node.module)
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            for full in [f"{node.module}.{alias.name}"]
        }
        & modules.keys()
        for name, tree in modules.items()
    }


def test_no_module_imports_itself_by_way_of_others():
    """Threads may import at the same time: in a circle one would see a module half made."""
    left = imports_of_modules()
    while leaves := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in leaves}

    assert sorted(left) == []
