"""One run at a time in an output folder."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits

from lightframe.cli import main
from lightframe.errors import ResourceError, SettingsError
from lightframe.session import RunSettings, Silent, _lock, run
from lightframe.session._lock import locked

HOLD = """
import sys, time
from pathlib import Path
from lightframe.session import Silent
from lightframe.session._lock import locked
with locked(Path(sys.argv[1]), Silent()):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def night(tmp_path):
    """Three small bias frames."""
    folder = tmp_path / "night"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(3):
        pixels = rng.normal(500, 5, (60, 80)).astype(np.uint16)
        header = fits.Header({"IMAGETYP": "Bias Frame", "EXPTIME": 0.0})
        fits.writeto(folder / f"bias{number}.fits", pixels, header)
    return folder


@pytest.fixture
def own(tmp_path):
    """Return the folder of an output folder's journal."""
    folder = tmp_path / "out" / ".lightframe"
    folder.mkdir(parents=True)
    return folder


def integrate(night, own, **options):
    """Run without looking at pixels."""
    return run([night], own.parent, RunSettings(check_pixels=False), **options)


def test_a_second_run_into_the_same_folder_ends_at_once(night, own):
    """Before a header is read; it says who is at work, and that it can be tried again."""
    with locked(own, Silent()):
        for folder in (night, night / "nothing there"):
            with pytest.raises(ResourceError, match="another run works") as caught:
                integrate(folder, own)
    assert caught.value.exit_code == 4
    assert caught.value.where == str(own.parent)
    assert f"process {os.getpid()} on " in caught.value.cause
    assert "another folder" in caught.value.remedy
    assert sorted(path.name for path in own.parent.iterdir()) == [".lightframe"]
    assert integrate(night, own).exit_code == 0


def test_two_runs_that_begin_a_folder_together_exclude_each_other(night, own, monkeypatch):
    """What was no output folder when a run began may have become one, and be locked."""
    seen = iter([False])
    is_dir = type(own).is_dir
    monkeypatch.setattr(
        type(own), "is_dir", lambda path: next(seen, True) if path == own else is_dir(path)
    )
    with locked(own, Silent()), pytest.raises(ResourceError, match="another run works"):
        integrate(night, own)


def test_looking_needs_no_lock(night, own, capsys):
    """A plan and a check write nothing, and are made beside a run."""
    with locked(own, Silent()):
        assert main(["run", str(night), "-o", str(own.parent), "--dry-run"]) == 0
        assert main(["check", str(night)]) in {0, 1}
        assert main(["run", str(night), "-o", str(own.parent)]) == 4
    assert "another run works in this output folder" in capsys.readouterr().err


def test_the_lock_goes_with_a_killed_process(own):
    """The file stays and means nothing."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(own)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ResourceError, match="another run works"), locked(own, Silent()):
            pass
    finally:
        holder.kill()
        holder.communicate()
    assert (own / "lock").is_file()
    with locked(own, Silent()):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_lock_goes_with_a_run_that_fails(own, error):
    """Whatever ends it."""
    with pytest.raises(error), locked(own, Silent()):
        raise error
    with locked(own, Silent()):
        pass


def test_a_fresh_run_keeps_the_lock_file(night, own):
    """Were it replaced, another run could lock the new one while this one is at work."""
    integrate(night, own)
    before = (own / "lock").stat().st_ino
    journal = (own / "journal.json").stat().st_mtime_ns
    integrate(night, own, fresh=True)
    assert (own / "lock").stat().st_ino == before
    assert (own / "journal.json").stat().st_mtime_ns > journal


def test_what_a_killed_run_has_left_is_cleared_away(night, own):
    """Decoded pixels, and files that were not complete; what others have put there stays."""
    for name in ("scratch/lightframe-1.scratch", "../results/.lightframe-1f.part"):
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).write_bytes(b"half")
    mine = own.parent / "results" / "mine.part"
    mine.write_bytes(b"whole")
    integrate(night, own)
    assert not (own / "scratch").exists()
    assert list((own.parent / "results").iterdir()) == [mine]


def test_a_file_system_without_locks_is_told_and_used(own, monkeypatch):
    """Some network shares have none: better unlocked than not at all."""
    told = []
    progress = Silent()
    progress.message = told.append

    def refuse(_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(_lock, "_lock", refuse)
    with locked(own, progress):
        assert ["cannot be locked" in text for text in told] == [True]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EIO, ResourceError), (errno.EROFS, SettingsError)]
)
def test_other_refusals_of_the_system_are_told(own, monkeypatch, number, kind):
    """The output folder is named, with what the system says."""

    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(_lock, "_lock", refuse)
    with pytest.raises(kind, match="cannot be written") as caught, locked(own, Silent()):
        pass
    assert caught.value.where == str(own.parent)


def test_a_full_disk_is_not_blamed_on_the_folder(night, tmp_path, monkeypatch):
    """Nothing is wrong with its name, and the same command can be given again."""
    out = tmp_path / "out"
    mkdir = type(out).mkdir

    def refuse(path, *arguments, **options):
        if out in (path, *path.parents):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(type(out), "mkdir", refuse)
    with pytest.raises(ResourceError, match="No space left") as caught:
        integrate(night, out / ".lightframe")
    assert caught.value.exit_code == 4
    assert "free some space" in caught.value.remedy


@pytest.mark.parametrize("name", ["previews", "masters", ".lightframe"])
def test_a_file_in_the_place_of_a_folder_is_named(night, tmp_path, name):
    """The output folder itself is not blamed for it."""
    out = tmp_path / "other"
    out.mkdir()
    (out / name).write_text("a file")

    with pytest.raises(SettingsError, match="there is a file where") as caught:
        integrate(night, out / ".lightframe")
    assert caught.value.where == str(out / name)


def test_a_place_where_nothing_can_be_written_is_told(tmp_path):
    """No folder, no lock."""
    with (
        pytest.raises(SettingsError, match="cannot be written") as caught,
        locked(tmp_path / "none" / ".lightframe", Silent()),
    ):
        pass
    assert caught.value.where == str(tmp_path / "none")
