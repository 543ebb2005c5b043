"""Names are imported when they are first used, and what a command does not need is not."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lightframe
from lightframe import checks, frames, processes, report, session, simulation
from lightframe.frames import Header, write_fits
from lightframe.tables import Table

PACKAGES = [lightframe, checks, frames, processes, report, session, simulation]
TABLES = [
    (package.__name__, name)
    for package in PACKAGES
    for name in package.__all__
    if isinstance(getattr(package, name), Table)
]


SLOW = {
    "astropy",
    "jinja2",
    "lightframe.checks._catalogue",
    "PIL",
    "scipy.ndimage",
    "scipy.spatial",
    "scipy.special",
}


def in_a_fresh_interpreter(code: str) -> object:
    """Run code in a process of its own and return what it prints, as JSON."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def imported_by(statement: str) -> set[str]:
    """Return the modules that a statement imports."""
    names = in_a_fresh_interpreter(
        f"import json, sys; {statement}; print(json.dumps([*sys.modules]))"
    )
    return set(names)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_stub_offers_what_its_package_offers(package):
    """What type checkers see are the names that there are at run time."""
    stub = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    *imports, assignment = stub.body

    imported = {alias.name for statement in imports for alias in statement.names}
    assert set(ast.literal_eval(assignment.value)) == imported == set(package.__all__)


@pytest.mark.parametrize(("package", "name"), TABLES)
def test_a_table_is_full_when_it_is_the_first_thing_imported(package, name):
    """A table has all rows, in order, although no other module has been asked for."""
    rows = in_a_fresh_interpreter(
        f"import json; from {package} import {name}; print(json.dumps([*{name}]))"
    )

    assert rows == list(getattr(sys.modules[package], name))


def test_threads_that_look_at_the_rules_first_see_all_of_them():
    """A thread does not judge by the rules that another one has entered so far."""
    seen = in_a_fresh_interpreter(
        "import json\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from lightframe.checks import RULES\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    print(json.dumps([*pool.map(lambda _: len(RULES), range(8))]))"
    )

    assert seen == [len(checks.RULES)] * 8


@pytest.mark.parametrize(
    ("command", "needless"),
    [
        ("_main", {"numpy", "pydantic", "rich"}),
        ("_info", {"numba", "scipy", "lightframe.checks", "lightframe.processes"}),
        ("_stats", {*SLOW, "lightframe.session._context", "lightframe.session._plan"}),
        ("_master", SLOW - {"PIL"}),  # a run's masters have previews
        ("_calibrate", SLOW),
        ("_integrate", {*SLOW, "lightframe.session._lights", "lightframe.session._plan"}),
        ("_run", {*SLOW, "lightframe.session._results", "lightframe.report._page"}),
    ],
)
def test_a_command_does_not_import_what_it_has_no_use_for(command, needless):
    """Rules, reports and what they rest on are left to the commands that judge and report."""
    assert imported_by(f"import lightframe.cli.{command}") & needless == set()


def test_headers_are_read_without_the_kernels(tmp_path):
    """Numba takes longer to import than a header to read."""
    write_fits(tmp_path / "a.fits", np.zeros((1, 4, 5), np.float32), Header([]))

    code = (
        "import contextlib, io, json, sys\n"
        "from lightframe.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    code = main(['info', {str(tmp_path / 'a.fits')!r}])\n"
        "print(json.dumps([code, 'numba' in sys.modules]))"
    )
    assert in_a_fresh_interpreter(code) == [0, False]


def test_what_settings_mean_is_read_when_help_is_asked_for():
    """A command that does its work need not read the sources of the settings first."""
    code = (
        "import contextlib, io, json\n"
        "from lightframe import settings\n"
        "from lightframe.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['integrate', 'missing.fits', '-o', 'out.fits'])\n"
        "    before = settings._docstrings.cache_info().currsize\n"
        "    main(['integrate', '--help'])\n"
        "print(json.dumps([before, settings._docstrings.cache_info().currsize > 0]))"
    )
    assert in_a_fresh_interpreter(code) == [0, True]
