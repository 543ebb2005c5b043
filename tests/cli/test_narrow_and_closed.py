"""What people read through: narrow terminals, files, and pipes whose reader has gone."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from lightframe.checks import RULES
from lightframe.cli import _explain, _outcome, main
from lightframe.frames import Card, Header, write_fits

NAME = "Light_M 94_10.0s_IRCUT_20250326-212046_d_r.fits"
NUMBERS = ["+3.87, +3.65", "0.99988", "16384.25", "projective"]


@pytest.fixture
def biases(tmp_path):
    """Return a folder of three small bias frames."""
    noise = np.random.default_rng(1).normal(1000, 5, (3, 32, 48)).astype(np.float32)
    for index, pixels in enumerate(noise):
        header = Header([Card("IMAGETYP", "Bias Frame", "")])
        write_fits(tmp_path / f"bias{index}.fits", pixels, header, sample_format="uint16")
    return tmp_path


def printed(monkeypatch, width):
    """Return the lines of a table on a terminal of that width; None is a file."""
    console = Console(
        file=io.StringIO(), force_terminal=width is not None, color_system=None, width=width or 100
    )
    monkeypatch.setattr(_outcome, "stdout", lambda: console)
    shown = _outcome.table("Light", "Shift x, y px", "Scale", "Background DN", "Model")
    shown.add_row(NAME, *NUMBERS)
    _outcome.print_table(shown)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 60, 80, 100, None])
def test_no_number_of_a_table_is_cut_off(monkeypatch, width):
    """A row has all of its numbers in one line, and all letters of the name somewhere."""
    lines = printed(monkeypatch, width)

    (row,) = (line for line in lines if NUMBERS[0] in line)
    assert all(number in row for number in NUMBERS)
    start = row.index(NUMBERS[0])
    assert "".join("".join(line[:start] for line in lines[3:]).split()) == "".join(NAME.split())


def test_names_are_folded_before_lines_break(monkeypatch):
    """A terminal that has room for the numbers gets lines of its width; a file gets all."""
    assert max(map(len, printed(monkeypatch, 80))) <= 80
    assert any(NAME in line for line in printed(monkeypatch, None))


def closed_pipe():
    """Return the writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_job_goes_on_when_its_reader_has_gone(biases, stream, form):
    """The result is written, and the exit code is that of the job."""
    pipe = closed_pipe()
    words = ["run", biases, "-o", biases / "out", "--set", "check_pixels=false", *form]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: pipe}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "lightframe", *words], **streams, text=True, check=False
        )
    finally:
        os.close(pipe)

    assert ended.returncode == 0
    assert not ended.stderr or "rror" not in ended.stderr
    assert json.loads((biases / "out" / "run.json").read_text())["masters"]


@pytest.mark.parametrize("width", [60, 100])
def test_the_table_of_rules_breaks_no_word(monkeypatch, capsys, width):
    """The meaning of each rule stands in lines of whole words."""
    monkeypatch.setattr(_explain, "stdout", lambda: Console(width=width, highlight=False))
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    words = {word for entry in RULES.entries() for word in entry.meaning.split()}
    assert words <= {word for line in lines for word in line.split()}
