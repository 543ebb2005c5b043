"""Kernels are compiled once, in processes of their own, and stale machine code is forgotten."""

import subprocess
import sys

from lightframe.frames import CfaPattern
from lightframe.kernels import _compile
from lightframe.session import Silent, _warm_up


def test_each_share_runs_as_a_process():
    """A process compiles its share, for mono and mosaic frames, and ends well."""
    for words in (["lights"], ["integration", "RGGB"]):
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
    monkeypatch.setattr(_warm_up, "_cache_folder", lambda: tmp_path)
    pattern = CfaPattern.from_name("GRBG")

    _warm_up.warm_up(pattern, Silent())
    _warm_up.warm_up(pattern, Silent())
    assert sorted(begun) == [["integration", "GRBG"], ["lights", "GRBG"]]

    monkeypatch.setattr(_warm_up, "code_fingerprint", lambda: "of other sources")
    _warm_up.warm_up(pattern, Silent())
    assert len(begun) == 4


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
    monkeypatch.setattr(_warm_up, "_cache_folder", lambda: tmp_path)

    _warm_up.warm_up(None, Told())

    assert "as they are needed" in messages[0]
    assert list(tmp_path.iterdir()) == []


def test_machine_code_of_other_sources_is_deleted(tmp_path, monkeypatch):
    """Code is kept as long as no kernel changes, and deleted when one does."""
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "one.py").write_text("first")
    monkeypatch.setattr(_compile, "_FOLDER", tmp_path)
    _compile._forget_stale_code()
    code = tmp_path / "__pycache__" / "one.nbc"
    code.write_bytes(b"machine code")

    _compile._forget_stale_code()
    assert code.exists()

    (tmp_path / "one.py").write_text("second")
    _compile._forget_stale_code()
    assert not code.exists()


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(tmp_path, monkeypatch):
    """An installation owned by somebody else works as it is."""
    monkeypatch.setattr(_compile, "_FOLDER", tmp_path / "missing" / "below")

    _compile._forget_stale_code()

    assert not (tmp_path / "missing").exists()
