"""Kernels are compiled once, in processes of their own, and stale machine code is forgotten."""

import os
import subprocess
import sys
from pathlib import Path

from lightframe.frames import CfaPattern
from lightframe.kernels import _compile
from lightframe.session import Silent, _warm_up


def test_each_share_runs_as_a_process():
    """A process compiles its share, for mono and mosaic frames, and ends well."""
    for words in (["lights"], ["integration", "RGGB"], ["looks,pictures", "RGGB"]):
        found = subprocess.run(
            [sys.executable, "-m", "lightframe.session._warm_up", *words],
            capture_output=True,
            check=False,
        )

        assert found.returncode == 0, found.stderr.decode()


def printed_by(script, *words, **environment):
    """Return what a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_kept_machine_code_is_loaded_without_what_compiling_needs():
    """Where no kernel of a run has to be compiled, Numba's library of functions is not imported."""
    script = (
        "import sys\n"
        "from lightframe.frames import CfaPattern\n"
        "from lightframe.session import _warm_up\n"
        "for compile_share in _warm_up._SHARES.values():\n"
        "    compile_share(CfaPattern.from_name('RGGB'))\n"
        "print('numba.np.arraymath' in sys.modules)"
    )
    printed_by(script)

    assert printed_by(script) == "False"


def test_a_kernel_is_compiled_around_one_that_was_loaded(tmp_path):
    """What loading has left out, compiling makes up for."""
    (tmp_path / "kernels.py").write_text(
        "import numpy as np\n"
        "from lightframe.kernels._compile import kernel\n"
        "@kernel\n"
        "def largest(values):\n"
        "    return np.max(values)\n"
        "@kernel\n"
        "def spread(values):\n"
        "    return largest(values) + largest(-values)\n"
    )
    script = (
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import numpy as np\n"
        "import kernels\n"
        "values = np.array([2.0, 7.0, 3.0])\n"
        "for name in sys.argv[1:]:\n"
        "    used = getattr(kernels, name)\n"
        "    print(used(values), sum(used.stats.cache_hits.values()))"
    )
    kept = {"NUMBA_CACHE_DIR": str(tmp_path / "code")}

    assert printed_by(script, "largest", **kept) == "7.0 0"
    assert printed_by(script, "largest", "spread", **kept) == "7.0 1\n5.0 0"
    assert printed_by(script, "spread", "largest", **kept) == "5.0 1\n7.0 1"


KERNELS_OF_TWO_FILES = (
    "import sys\n"
    "from pathlib import Path\n"
    "from lightframe.kernels import _compile\n"
    "folder = Path(sys.argv[1])\n"
    "_compile._FOLDER = folder\n"
    "sys.path.insert(0, str(folder))\n"
)


def test_code_of_a_process_that_began_before_an_upgrade_is_not_loaded_after_it(tmp_path):
    """What it compiles when its sources are replaced already is made of the old ones."""
    head = "from lightframe.kernels._compile import kernel\n"
    inner = tmp_path / "inner.py"
    inner.write_text(f"{head}@kernel\ndef inner(x):\n    return 2 * x\n")
    (tmp_path / "outer.py").write_text(
        f"{head}from inner import inner\n@kernel\ndef outer(x):\n    return inner(x) + 1\n"
    )
    upgraded = inner.read_text().replace("2 * x", "3 * x  # upgraded")
    call = KERNELS_OF_TWO_FILES + "from outer import outer\n"
    replace = f"(folder / 'inner.py').write_text({upgraded!r})\n"
    kept = {"NUMBA_CACHE_DIR": str(tmp_path / "code"), "PYTHONDONTWRITEBYTECODE": "1"}

    assert printed_by(call + replace + "print(outer(5))", str(tmp_path), **kept) == "11"
    assert printed_by(call + "print(outer(5))", str(tmp_path), **kept) == "16"


def test_code_that_another_process_wrote_for_other_types_is_not_run(tmp_path):
    """Numba looks for a free name without a lock: the later of two writers wins."""
    (tmp_path / "halves.py").write_text(
        "from lightframe.kernels._compile import kernel\n"
        "@kernel\n"
        "def half(x):\n"
        "    return x[0] / 2\n"
    )
    call = KERNELS_OF_TWO_FILES + (
        "import numpy as np\n"
        "from halves import half\n"
        "print(*(half(np.full(3, 7, kind)) for kind in (np.uint16, np.float64)))"
    )
    kept = {"NUMBA_CACHE_DIR": str(tmp_path / "code")}
    assert printed_by(call, str(tmp_path), **kept) == "3.5 3.5"

    first, second = sorted((tmp_path / "code").rglob("*.nbc"))
    first.write_bytes(second.read_bytes())

    assert printed_by(call, str(tmp_path), **kept) == "3.5 3.5"


def test_kernels_work_where_no_code_can_be_kept():
    """Numba knows no folder for a function that is in no file, as where nobody may write."""
    script = (
        "from lightframe.kernels._compile import cache_folder, kernel\n"
        "@kernel\n"
        "def twice(x):\n"
        "    return 2 * x\n"
        "print(twice(3), cache_folder(twice))"
    )
    assert printed_by(script) == "6 None"


def test_nothing_is_compiled_ahead_where_no_code_can_be_kept(monkeypatch):
    """The user is told how long each command takes, and what helps."""
    messages = []

    class Told(Silent):
        def message(self, text):
            messages.append(text)

    monkeypatch.setattr(_warm_up.subprocess, "Popen", None)
    monkeypatch.setattr(_warm_up, "cache_folder", lambda _kernel: None)

    _warm_up.warm_up(None, Told())

    assert len(messages) == 1
    assert "NUMBA_CACHE_DIR" in messages[0]


def test_compiling_is_done_once_and_again_when_a_kernel_changes(tmp_path, monkeypatch):
    """A mark in the cache folder tells that it has been done for these sources."""
    begun = []

    class Finished:
        returncode = 0

        def __init__(self, command, **_):
            begun.append(command[-2:])

        def communicate(self, timeout=None):
            return b"", b""

    monkeypatch.setattr(_warm_up.subprocess, "Popen", Finished)
    monkeypatch.setattr(_warm_up, "cache_folder", lambda _kernel: tmp_path)
    monkeypatch.setattr(_warm_up, "default_threads", lambda: 2)
    pattern = CfaPattern.from_name("GRBG")

    _warm_up.warm_up(pattern, Silent())
    _warm_up.warm_up(pattern, Silent())
    assert begun == [["integration,pictures", "GRBG"], ["lights,looks", "GRBG"]]

    monkeypatch.setattr(_warm_up, "code_fingerprint", lambda: "of other sources")
    _warm_up.warm_up(pattern, Silent())
    assert len(begun) == 4


def test_all_shares_are_dealt_to_any_number_of_processes():
    """Each share is compiled once, and no process has nothing to do."""
    for processes in (1, 2, 3, 4):
        dealt = _warm_up._dealt(processes)

        assert len(dealt) == processes
        assert all(dealt)
        assert sorted(name for names in dealt for name in names) == sorted(_warm_up._SHARES)


def test_a_failure_to_compile_ahead_is_told_and_does_not_stop_the_run(tmp_path, monkeypatch):
    """The kernels are then compiled as they are needed, and it is tried again next time."""
    messages = []

    class Failed:
        returncode = 1

        def __init__(self, command, **_):
            """Begin nothing."""

        def communicate(self, timeout=None):
            return b"", b"Traceback\n  ...\nOSError: no compiler\n\n"

    class Told(Silent):
        def message(self, text):
            messages.append(text)

    monkeypatch.setattr(_warm_up.subprocess, "Popen", Failed)
    monkeypatch.setattr(_warm_up, "cache_folder", lambda _kernel: tmp_path)

    _warm_up.warm_up(None, Told())

    assert messages == [
        "compiling ahead failed (OSError: no compiler); kernels are compiled as they are needed"
    ]
    assert list(tmp_path.iterdir()) == []


forget_stale_code = _compile._forget_stale_code.__wrapped__


def test_machine_code_of_other_sources_is_deleted(tmp_path, monkeypatch):
    """Code is kept as long as no kernel changes, and deleted when one does."""
    folder = tmp_path / "code"
    (tmp_path / "one.py").write_text("first")
    monkeypatch.setattr(_compile, "_FOLDER", tmp_path)
    monkeypatch.setattr(_compile, "code_fingerprint", _compile.code_fingerprint.__wrapped__)
    forget_stale_code(folder)
    code = folder / "one.nbc"
    code.write_bytes(b"machine code")

    forget_stale_code(folder)
    assert code.exists()

    (tmp_path / "one.py").write_text("second")
    forget_stale_code(folder)
    assert not code.exists()


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(tmp_path):
    """An installation owned by somebody else works as it is."""
    forget_stale_code(tmp_path / "missing" / "below")

    assert not (tmp_path / "missing").exists()


def test_the_folder_is_that_where_numba_keeps_its_code(tmp_path):
    """NUMBA_CACHE_DIR moves it, and code from other sources is deleted there."""
    script = (
        "from lightframe.kernels._compile import cache_folder\n"
        "from lightframe.kernels._select import select\n"
        "print(cache_folder(select))"
    )
    folder = Path(printed_by(script, NUMBA_CACHE_DIR=str(tmp_path)))

    assert tmp_path in folder.parents
    assert (folder / "sources.txt").is_file()
