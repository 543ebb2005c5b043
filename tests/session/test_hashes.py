"""Files are hashed while something else is done."""

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest

from lightframe.cli import main
from lightframe.cli._main import _files_among
from lightframe.errors import UnreadableFileError
from lightframe.frames import Header, write_fits
from lightframe.session import Hashing, _hashes
from lightframe.session._hashes import file_hash, hashes


def written(folder, sizes):
    """Write files of different content; return what hashlib says of each."""
    known = {}
    for index, size in enumerate(sizes):
        path = folder / f"{index}.fits"
        path.write_bytes(bytes([index]) * size)
        known[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return known


def test_hashes_are_those_of_hashlib(tmp_path):
    """Of empty files, of one byte, and around the end of a buffer; one thread or several."""
    chunk = _hashes._CHUNK
    known = written(tmp_path, [0, 1, chunk - 1, chunk, chunk + 1])
    assert hashes(known, 2) == known
    with Hashing().of(known) as digest:
        assert {path: digest(path) for path in known} == known


def test_a_file_that_was_begun_is_not_hashed_again(tmp_path, monkeypatch):
    """What the command line has begun with, the step takes up."""
    known = written(tmp_path, [10, 20])
    first, second = known
    asked = []
    monkeypatch.setattr(_hashes, "file_hash", lambda path: asked.append(path) or file_hash(path))
    hashing = Hashing()
    hashing.begin([first])
    with hashing.of(known) as digest:
        assert [digest(path) for path in known] == list(known.values())
    assert asked == [first, second]


def test_what_nobody_asks_for_is_left_undone(tmp_path, monkeypatch):
    """A command that ends early does not wait for all files that it was given."""
    known = written(tmp_path, [10, 20, 30])
    begun, go_on, asked = threading.Event(), threading.Event(), []

    def slow(path):
        asked.append(path)
        begun.set()
        go_on.wait(60)
        return ""

    monkeypatch.setattr(_hashes, "file_hash", slow)
    hashing = Hashing()
    hashing.begin(known)
    begun.wait(60)
    hashing.forget()
    go_on.set()
    hashing._pool.shutdown()
    assert asked == [min(known)]


def test_a_file_that_cannot_be_read_is_an_error_where_it_is_asked_for(tmp_path):
    """Not before: it may be set aside for the same reason by then."""
    path = tmp_path / "gone.fits"
    with Hashing().of([path]) as digest, pytest.raises(UnreadableFileError) as caught:
        digest(path)
    assert caught.value.where == str(path)


def test_files_are_told_from_other_words(tmp_path, monkeypatch):
    """Neither options nor what follows them, nor words that are too long for a name."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.fits", "b.fits", "out.fits", "my.toml"):
        (tmp_path / name).touch()
    words = ["integrate", "a.fits", "x" * 5000, ".", "b.fits", "-o", "out.fits", "--config=my.toml"]
    assert [str(path) for path in _files_among(words)] == ["a.fits", "b.fits"]


def test_wrong_usage_ends_at_once_although_hashing_has_begun(tmp_path, capsys):
    """The message is the one it always was."""
    known = written(tmp_path, [10])
    out = str(tmp_path / "out.fits")
    assert main(["integrate", *map(str, known), "-o", out, "--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize("output", [[], ["-o", "out.fits"], ["--out=out.fits"], ["-oout.fits"]])
def test_files_are_hashed_only_where_something_is_written(tmp_path, monkeypatch, output):
    """The trace of a pixel needs a few rows of each file, not its bytes."""
    monkeypatch.chdir(tmp_path)
    names = [f"{index}.fits" for index in range(3)]
    for index, name in enumerate(names):
        pixels = np.random.default_rng(index).normal(900, 10, (1, 32, 40)).astype(np.float32)
        write_fits(Path(name), pixels, Header())
    asked = []
    monkeypatch.setattr(_hashes, "file_hash", lambda path: asked.append(path) or file_hash(path))

    assert main(["integrate", *names, "--trace-pixel", "5,6", *output]) == 0
    assert sorted(map(str, asked)) == (names if output else [])
    assert Path("out.fits").exists() == bool(output)
