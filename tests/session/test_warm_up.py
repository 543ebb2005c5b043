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
    for words in (["lights"], ["integration", "RGGB"], ["looks", "RGGB"]):
        found = subprocess.run(
            [sys.executable, "-m", "lightframe.session._warm_up", *words],
            capture_output=True,
            check=False,
        )

        assert found.returncode == 0, found.stderr.decode()


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
    pattern = CfaPattern.from_name("GRBG")

    _warm_up.warm_up(pattern, Silent())
    _warm_up.warm_up(pattern, Silent())
    assert sorted(begun) == [["integration", "GRBG"], ["lights", "GRBG"], ["looks", "GRBG"]]

    monkeypatch.setattr(_warm_up, "code_fingerprint", lambda: "of other sources")
    _warm_up.warm_up(pattern, Silent())
    assert len(begun) == 6


def test_a_failure_to_compile_ahead_is_told_and_does_not_stop_the_run(tmp_path, monkeypatch):
    """The kernels are then compiled as they are needed, and it is tried again next time."""
    messages = []

    class Failed:
        returncode = 1

        def __init__(self, command, **_):
            """Begin nothing."""

        def communicate(self, timeout=None):
            return b"", b"no compiler"

    class Told(Silent):
        def message(self, text):
            messages.append(text)

    monkeypatch.setattr(_warm_up.subprocess, "Popen", Failed)
    monkeypatch.setattr(_warm_up, "cache_folder", lambda _kernel: tmp_path)

    _warm_up.warm_up(None, Told())

    assert "as they are needed" in messages[0]
    assert list(tmp_path.iterdir()) == []


forget_stale_code = _compile._forget_stale_code.__wrapped__


def test_machine_code_of_other_sources_is_deleted(tmp_path, monkeypatch):
    """Code is kept as long as no kernel changes, and deleted when one does."""
    folder = tmp_path / "code"
    (tmp_path / "one.py").write_text("first")
    monkeypatch.setattr(_compile, "_FOLDER", tmp_path)
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
    where = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, env=where, check=True, capture_output=True, text=True).stdout
    folder = Path(shown.strip())

    assert tmp_path in folder.parents
    assert (folder / "sources.txt").is_file()
