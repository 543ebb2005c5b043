"""What people read through: narrow terminals, files, and pipes whose reader has gone."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lightframe.checks import RULES
from lightframe.cli import _explain, _outcome, main
from lightframe.cli._summary import render_summary
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


def terminal(monkeypatch, width):
    """Return what tables are printed on from now on, of that width; None is a file."""
    console = Console(
        file=io.StringIO(), force_terminal=width is not None, color_system=None, width=width or 100
    )
    monkeypatch.setattr(_outcome, "stdout", lambda: console)
    return console


def printed(monkeypatch, width):
    """Return the lines of a table on a terminal of that width; None is a file."""
    console = terminal(monkeypatch, width)
    shown = _outcome.table("Light", "Shift x, y px", "Scale", "Background DN", "Model")
    shown.add_row(NAME, *NUMBERS)
    _outcome.print_table(shown)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [33, 40, 60, 80, 100, None])
def test_no_number_of_a_table_is_cut_off(monkeypatch, width):
    """Each stands whole in one line, beside all letters of the name."""
    parts = "\n".join(printed(monkeypatch, width)).split("Light  ")[1:]

    assert [part for number in NUMBERS for part in parts if number in part]
    for part in parts:
        (row,) = (line for line in part.splitlines() if any(number in line for number in NUMBERS))
        start = min(row.index(number) for number in NUMBERS if number in row)
        names = [line[:start] for line in part.splitlines()[2:]]
        assert "".join("".join(names).split()) == "".join(NAME.split())
    assert sum(part.count(number) for number in NUMBERS for part in parts) == len(NUMBERS)


def test_no_number_of_statistics_is_cut_off(monkeypatch, tmp_path):
    """Three channels stand one below the other, each with the names of the numbers."""
    pixels = np.random.default_rng(1).normal(30000, 100, (3, 32, 48)).astype(np.float32)
    write_fits(tmp_path / "rgb.fits", pixels, Header())
    texts = []
    for width in (None, 30):
        console = terminal(monkeypatch, width)
        assert main(["stats", str(tmp_path / "rgb.fits")]) == 0
        texts.append(console.file.getvalue())
    whole, narrow = (set(re.findall(r"[\d.]+", text)) for text in texts)
    assert len(whole) > 27
    assert narrow == whole
    assert [text.count("median") for text in texts] == [1, 3]


def summary(width):
    """Return the lines of what a run tells on a terminal of that width; None is a file."""
    rejected = {"rejected_low": 0.0125, "rejected_high": 0.0031}
    master = {"name": "flat_nofilter_gain", "given": False, "frames": 20, "median_dn": [25467.54]}
    master |= {"noise_dn": [257.34], "adds_noise_percent": 12.5, "rejected_fraction": 0.02608}
    colours = {"name": "dark", "median_dn": [25467.54, 9841.2, 11240.1], "frames": 5}
    result = {"path": "results/NGC_nofilter_with_a_name.fits", "frames": 5, "exposure_s": 12450.5}
    result |= {"noise_dn": [12.35, 13.81, 19.02], "group": "a"} | rejected
    document = {
        "masters": [master, master | colours],
        "results": [result],
        "lights": [{"used": True, "group": "a", "fwhm_px": 12.61}],
        "plan": {"unused": []},
        "findings": [],
        "resources": dict.fromkeys(("wall_s", "peak_rss_mb", "bytes_written"), 0),
    }
    console = Console(
        file=io.StringIO(), force_terminal=width is not None, color_system=None, width=width or 60
    )
    told = render_summary(document, Path("out"), Path("report.html"))
    console.print(told, crop=False)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 40, 50, 60, 80, 120])
def test_no_number_of_a_summary_is_cut_off(width):
    """Those of one cell may stand one below the other; names are folded, tables come in parts."""
    lines, whole = summary(width), summary(None)
    assert max(map(len, lines)) <= width
    assert max(map(len, whole)) > 80
    told, wanted = (re.findall(r"\d[\d.]*(?: %| s|)", "\n".join(text)) for text in (lines, whole))
    assert sorted(told) == sorted(wanted)
    assert all(part in "\n".join(lines) for part in ("NGC_", "nofilter_", "with_a_", "name.fits"))


def test_a_terminal_that_is_narrower_than_a_number_breaks_its_line(monkeypatch):
    """Nothing is cut off there either."""
    lines = printed(monkeypatch, 20)
    assert all(any(number in line for line in lines) for number in NUMBERS)


@pytest.mark.parametrize(("width", "tables"), [(40, 4), (60, 2), (80, 1), (200, 1), (None, 1)])
def test_a_table_that_is_too_wide_becomes_several(monkeypatch, width, tables):
    """One below the other, each with the names, none wider than the terminal."""
    lines = printed(monkeypatch, width)
    assert sum(line.lstrip().startswith("Light  ") for line in lines) == tables
    assert width is None or max(map(len, lines)) <= width


def test_text_is_folded_before_a_table_is_parted(monkeypatch):
    """Why a sample was rejected is a sentence; its title is told once."""
    console = terminal(monkeypatch, 60)
    shown = _outcome.table("File", "DN", "Fate", title="Pixel 1, 2")
    shown.columns[-1].no_wrap = False
    shown.add_row("a.fits", "725.492", "low: 725.492 is below the lower limit 777.628 of round 1")
    _outcome.print_table(shown)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 60
    assert (text.count("File"), text.count("Pixel 1, 2")) == (1, 1)
    assert "777.628" in text


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
