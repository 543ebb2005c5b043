"""What the machine and the user's names do to the command line: disks, interrupts, odd names."""

import errno
import io
import json
import os
import shutil
import sys

import numpy as np
import pytest

from lightframe.cli import _demo, _main, main
from lightframe.frames import Card, Header, write_fits
from lightframe.simulation import preset


def frame(path):
    """Write a small frame of noise."""
    noise = np.random.default_rng(1).normal(1000, 5, (32, 48)).astype(np.float32)
    header = Header([Card("IMAGETYP", "Dark Frame", "")])
    write_fits(path, noise, header, sample_format="uint16")
    return path


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 4, "resume"),
        (OSError(errno.EIO, "Input/output error", "x.fits"), 4, "x.fits"),
        (PermissionError(errno.EACCES, "Permission denied", "x.fits"), 3, "x.fits: Permission"),
        (KeyboardInterrupt(), 4, "interrupted"),
        (MemoryError(), 4, "--memory"),
    ],
)
def test_what_the_machine_refuses_is_told_with_its_exit_code(
    monkeypatch, capsys, error, code, said
):
    """No trace of the program's inside: what, where, remedy, and 3 or 4."""

    def refuse(*_):
        raise error

    monkeypatch.setattr(_main, "_parsed", refuse)

    assert main(["info", "x.fits"]) == code
    assert said in capsys.readouterr().err


def test_a_page_where_a_file_stands_is_a_settings_error(tmp_path, capsys):
    """A folder that cannot be made is named, with a remedy."""
    (tmp_path / "file").write_text("not a folder")

    assert main(["explain", "--write", str(tmp_path / "file")]) == 2
    assert "choose a folder" in capsys.readouterr().err


def test_names_with_brackets_and_colons_are_printed_as_they_are(tmp_path, capsys):
    """Nothing in a file's name is taken for markup or a picture."""
    path = frame(tmp_path / "M31 [red] :star: [L].fits")

    assert main(["stats", str(path)]) == 0
    assert main(["measure", str(path)]) == 0
    assert main(["measure", str(tmp_path / "[bold] :star:.fits")]) == 3
    printed = capsys.readouterr()
    assert printed.out.count("M31 [red] :star: [L].fits") == 2
    assert "[bold] :star:.fits" in printed.err


def test_signs_that_a_terminal_does_not_have_are_replaced(monkeypatch, tmp_path):
    """A degree sign on an ASCII terminal does not end the program."""
    path = frame(tmp_path / "dark 5°.fits")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))

    assert main(["stats", str(path)]) == 0
    sys.stdout.flush()
    assert b"dark 5?.fits" in written.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_names_that_are_no_text_do_not_stop_a_run(tmp_path, capsys):
    """Linux allows any bytes in a name; frames of such a folder are worked on like others."""
    folder = tmp_path / os.fsdecode(b"f\xfcnf")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system allows text only")
    for name in ("a", "b", "c"):
        frame(tmp_path / f"{name}.fits")
        shutil.move(tmp_path / f"{name}.fits", folder)

    done = {0, 1}  # with findings: the frames are small

    assert main(["run", str(folder), "-o", str(tmp_path / "out")]) in done
    assert main(["check", str(folder), "--report", str(tmp_path / "page.html")]) in done
    assert "f\\udcfcnf" in (tmp_path / "out" / "run.json").read_text(encoding="utf-8")
    assert (tmp_path / "page.html").is_file()
    assert "a.fits" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["info", "stats"])
def test_files_that_are_set_aside_are_named_for_machines(tmp_path, capsys, command):
    """One bad file of two gives 1 and its reason in the JSON; none that is good gives 3."""
    good, bad = frame(tmp_path / "good.fits"), tmp_path / "bad.fits"
    bad.write_text("no image")

    assert main([command, str(good), str(bad), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [entry["path"] for entry in document["refused"]] == [str(bad)]
    assert "is not a FITS file" in document["refused"][0]["what"]
    assert main([command, str(bad), "--json"]) == 3


@pytest.mark.parametrize("words", [("simulate", "FILE"), ("check", "FRAMES", "--cache", "FILE")])
def test_a_folder_that_is_a_file_is_wrong_usage(tmp_path, capsys, words):
    """What was asked for cannot be; no frame is blamed for it."""
    file, frames = tmp_path / "file", tmp_path / "frames"
    file.write_text("not a folder")
    frames.mkdir()
    frame(frames / "a.fits")
    places = {"FILE": file, "FRAMES": frames}

    assert main([str(places.get(word, word)) for word in words]) == 2
    assert "choose a folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["session", "result"])
def test_the_demo_replaces_nothing_but_its_own_folders(tmp_path, capsys, name):
    """A folder of somebody's that happens to have the name is left alone."""
    thesis = tmp_path / name / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")

    assert main(["demo", str(tmp_path)]) == 2
    assert thesis.read_text() == "years of work"
    assert "name another folder" in capsys.readouterr().err


def test_a_demo_that_was_broken_off_is_begun_again(tmp_path, monkeypatch, capsys):
    """The command that is given again replaces an unfinished session."""
    tiny = preset("osc-cmos").resized(40, 60, frames=1)
    monkeypatch.setattr(_demo, "preset", lambda _name: tiny)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lightframe.simulation._simulate._write_frame", interrupt)
        assert main(["demo", str(tmp_path)]) == 4
    monkeypatch.setattr(_demo, "run", interrupt)

    assert main(["demo", str(tmp_path)]) == 4
    assert (tmp_path / "session" / "truth" / "truth.json").is_file()
    assert "is there, but" not in capsys.readouterr().err
