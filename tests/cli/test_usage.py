"""What the command line says of words, settings and files that it cannot use."""

import gc
import sys

import numpy as np
import pytest

from lightframe.cli import main
from lightframe.frames import Card, Header, write_fits
from step_frames import files


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "arguments are required: COMMAND"),
        (["master"], "arguments are required: KIND"),
        (["master", "bias", "x.fits"], "lightframe master bias: the following arguments"),
        (["integrate", "x.fits", "--rejecton", "esd"], "meant may be --rejection"),
        (["run", "x", "--units", "adu"], "'adu'"),
    ],
)
def test_wrong_usage_is_told_in_a_few_lines(lightframe, words, what):
    """What is wrong is not at the end of fifty lines of options; the remedy says where they are."""
    code, out, err = lightframe(*words)

    assert (code, out) == (2, "")
    assert what in err
    assert "--help tells the usage" in err
    assert len(err.splitlines()) < 4


def test_what_is_wrong_in_a_file_of_settings_is_told_with_its_name(lightframe, tmp_path):
    """A mistake on the command line is not laid to the file."""
    file = tmp_path / "mine.toml"
    file.write_text("[lights]\nrejecton = 'esd'\n", encoding="utf-8")
    code, _, err = lightframe("run", tmp_path, "-o", tmp_path / "out", "--config", file)
    assert code == 2
    assert "mine.toml: lights.rejecton = 'esd': there is no such setting" in err

    file.write_text("[lights]\nrejection = 'esd'\n", encoding="utf-8")
    words = ("run", tmp_path, "-o", tmp_path / "out", "--config", file, "--keep", "registred")
    code, _, err = lightframe(*words)
    assert code == 2
    assert "error: settings: keep = 'registred': should be 'calibrated'" in err


def test_intermediate_files_are_a_setting_like_others(lightframe, tmp_path):
    """`--keep` and `--set keep` take the same words."""
    for words in (("--keep", "debayered,calibrated"), ("--set", "keep=debayered, calibrated")):
        code, _, err = lightframe("run", tmp_path, "-o", tmp_path / "out", *words)
        assert code == 3
        assert "no frame found" in err


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("stats", "FOLDER"), 3, "is a folder, not a file"),
        (("master", "bias", "FOLDER", "-o", "OUT/x.fits"), 3, "name the files in it"),
        (("master", "bias", "FRAME", "-o", "OUT/x"), 2, "has no suffix"),
        (("debayer", "FRAME", "-o", "OUT", "--pattern", "RGGX"), 2, "'RG GX' is no CFA cell"),
        (("cosmetic", "FRAME", "-o", "OUT", "--defect-list", "no.txt"), 2, "list of defects"),
    ],
)
def test_mistakes_in_steps_name_what_was_meant(lightframe, ccd, tmp_path, words, code, what):
    """Folders for files, names without suffix, patterns and lists that are none."""
    frame = files(ccd, "lights")[0]
    places = {"FOLDER": ccd / "bias", "FRAME": frame, "OUT": tmp_path}
    named = [
        str(places[head]) + slash + tail if head in places else word
        for word in words
        for head, slash, tail in [word.partition("/")]
    ]
    found, _, err = lightframe(*named)

    assert found == code
    assert what in err
    assert err.count("error:") == 1


def test_files_without_stars_have_no_score(lightframe, ccd):
    """A dash, not an infinity, in the table of measured files."""
    code, out, _ = lightframe("measure", *files(ccd, "bias"))

    assert code == 0
    assert "inf" not in out
    assert "None of the files" in out


def test_a_master_of_a_single_frame_is_told_in_the_singular(lightframe, ccd, tmp_path):
    """No "1 frames"; fractions stand with a space before their sign."""
    frame = files(ccd, "bias")[0]
    code, out, _ = lightframe("master", "bias", frame, "-o", tmp_path / "x.fits")

    assert code == 0
    assert "x.fits: 1 frame, " in out
    assert "rejected 0.0000 %" in out


def test_what_many_files_have_in_common_is_explained_once(lightframe, ccd, tmp_path):
    """Cause and remedy stand once, all names are there; other reasons are told beside it."""
    bias = files(ccd, "bias")
    empty = tmp_path / "empty.fits"
    empty.write_bytes(b"")
    code, _, err = lightframe("master", "dark", *bias, empty, "-o", tmp_path / "x.fits")

    assert code == 3
    assert err.count("error:") == 2
    assert err.count("--any-kind") == 1
    assert all(path.name in err for path in (*bias, empty))
    assert "set aside: 6 of 6 files" in err


def test_a_frame_of_unknown_kind_has_no_empty_facts(lightframe, tmp_path):
    """What is not known is named at the end; cards of text have no equals sign."""
    path = tmp_path / "x.fits"
    header = Header((Card("HISTORY", "Made by hand"), Card("GAIN", 100)))
    write_fits(path, np.zeros((1, 40, 40), np.float32), header)
    code, out, _ = lightframe("info", "--header", path)

    assert code == 0
    assert " kind_from" not in out.partition("unknown:")[0]
    assert "kind_from" in out.partition("unknown:")[2]
    assert "  HISTORY  Made by hand\n" in out
    assert "  GAIN     = 100" in out


def test_importing_a_command_leaves_the_interpreter_as_it_was():
    """Search for garbage and the turns of threads differ only while modules are imported."""
    before = gc.isenabled(), sys.getswitchinterval()
    assert main(["stats", "--help"]) == 0
    assert (gc.isenabled(), sys.getswitchinterval()) == before
