"""``lightframe run``, ``info``, ``simulate`` and ``demo`` as a person or a program calls them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lightframe.cli import main
from lightframe.cli._console import stdout
from lightframe.cli._summary import render_summary
from lightframe.frames import Card, Header, write_fits
from lightframe.simulation import simulate_session
from step_frames import files, small


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Simulate a small night of a colour camera."""
    folder = tmp_path_factory.mktemp("night")
    session = small("osc-cmos", width=480, height=360, lights=5)
    simulate_session(folder / "raw", session, threads=2)
    return folder / "raw"


def test_dry_run_tells_what_serves_what_and_computes_nothing(night, tmp_path, capsys):
    """The plan is printed, no output folder is made, and the exit code is 0."""
    code = main(["run", str(night), "-o", str(tmp_path / "out"), "--dry-run"])

    text = capsys.readouterr().out
    assert code == 0
    assert "Calibrated with" in text
    assert "bias not needed for the lights" in text
    assert not (tmp_path / "out").exists()
    assert max(map(len, text.splitlines())) <= 100


def test_dry_run_as_json_is_the_plan_and_its_findings(night, capsys):
    """Machines get the plan without computing anything."""
    code = main(["run", str(night), "--dry-run", "--json"])

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert set(document) == {"plan", "findings"}
    assert len(document["plan"]["groups"]) == 1


def test_json_prints_run_json_alone_on_stdout(night, tmp_path, capsys):
    """Standard output is the document, and the document is the file."""
    code = main(["run", str(night), "-o", str(tmp_path), "--json"])

    captured = capsys.readouterr()
    assert code == 0
    assert json.loads(captured.out) == json.loads((tmp_path / "run.json").read_text())
    assert (tmp_path / "report.html").is_file()


def test_run_prints_a_summary_and_the_place_of_the_report(night, tmp_path, capsys):
    """People get tables on stdout, progress on stderr."""
    code = main(["run", str(night), "-o", str(tmp_path), "--workers", "1", "--units", "dn"])

    captured = capsys.readouterr()
    assert code == 0
    assert "report.html" in captured.out
    assert "Integrating" in captured.err
    assert "Integrating" not in captured.out


def test_frames_that_take_no_part_are_told(tmp_path, night, capsys):
    """By a run, beside what it has made, and by a check."""
    raw = shutil.copytree(night, tmp_path / "raw")
    write_fits(raw / "some.fits", np.ones((1, 64, 64), np.float32), Header())
    unknown = "1 frame: cannot tell what for: no header, name or folder says it"
    assert main(["run", str(raw), "-o", str(tmp_path / "out")]) == 0
    assert unknown in " ".join(capsys.readouterr().out.split())
    assert main(["check", str(raw)]) == 0
    assert f"not looked at: {unknown}" in " ".join(capsys.readouterr().out.split())


def test_the_worst_findings_come_first(capsys):
    """Whenever in the run they were found."""
    finding = {"rule": "x", "message": "", "remedy": ""}
    severities = ["warning", "info", "error", "warning"]
    document = {"masters": [], "results": [], "lights": []}
    document["plan"] = {"unused": []}
    document["findings"] = [finding | {"severity": word} for word in severities]
    document["resources"] = dict.fromkeys(("wall_s", "peak_rss_mb", "bytes_written"), 0)
    stdout().print(render_summary(document, Path("out"), Path("report.html")))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["error", "warning", "warning", "info"]


def test_the_report_is_one_self_contained_page(night, tmp_path):
    """Pictures are inside; nothing is loaded from elsewhere; every light is named."""
    main(["run", str(night), "-o", str(tmp_path), "--json"])

    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") >= 5
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert "Automatic stretch, channels unlinked. Data: results/" in page
    assert "overflow-wrap: break-word" in page  # names may be longer than a telephone is wide
    for light in files(night, "lights"):
        assert light.name in page


def test_settings_come_from_file_then_command_line(night, tmp_path, capsys):
    """--set wins over --config, and both are recorded."""
    config = tmp_path / "settings.toml"
    config.write_text(
        'debayer = "rcd"\n[lights]\nrejection = "sigma"\n[lights.limits.sigma]\nhigh = 3.5\n'
    )

    main(
        [
            "run",
            str(night),
            "-o",
            str(tmp_path / "o"),
            "--config",
            str(config),
            "--json",
            "--set",
            "debayer=vng",
        ]
    )

    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings["debayer"] == "vng"
    assert settings["lights"]["rejection"] == "sigma"
    assert settings["lights"]["limits"]["sigma"]["high"] == 3.5
    assert settings["lights"]["normalization"] == "additive-scaling"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run"], 2, "required"),
        (["frobnicate"], 2, "invalid choice"),
        (
            ["check", "NIGHT", "--reprt", "x"],
            2,
            "check: unrecognized arguments: --reprt x; meant may be --report",
        ),
        (["run", "NIGHT"], 2, "no output folder"),
        (["run", "NIGHT", "-o", "OUT", "--set", "lights.rejection=magic"], 2, "winsorized"),
        (["run", "NIGHT", "-o", "OUT", "--set", "nonsense=1"], 2, "nonsense"),
        (["run", "NIGHT", "-o", "OUT", "--set", "nonsense"], 2, "NAME=VALUE"),
        (["run", "NIGHT", "-o", "OUT", "--set", "debayer=superpixel"], 2, "shrinks"),
        (["run", "NIGHT", "-o", "OUT", "--keep", "everything"], 2, "keep"),
        (["run", "NIGHT", "-o", "OUT", "--config", "missing.toml"], 2, "missing.toml"),
        (["run", "NOWHERE", "-o", "OUT"], 3, "no such file"),
        (["run", "UNKNOWN", "-o", "OUT"], 3, "x.fits: is empty (0 bytes); and others"),
        (["info", "NOWHERE"], 3, "no such file"),
        (["info", "NIGHT"], 3, "remedy: name the files in it"),
    ],
)
def test_wrong_usage_and_unusable_input_have_their_exit_codes(
    night, tmp_path, capsys, arguments, code, message
):
    """2 for usage and settings, 3 for input; the message names what is wrong."""
    places = {"NIGHT": str(night), "OUT": str(tmp_path / "out"), "NOWHERE": str(tmp_path / "no")}
    places["UNKNOWN"] = str(tmp_path / "some")
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "x.fits").write_bytes(b"")
    write_fits(tmp_path / "some" / "y.fits", np.zeros((1, 8, 8), np.float32), Header())

    found = main([places.get(word, word) for word in arguments])

    assert found == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_info_tells_facts_assumptions_and_what_is_unknown(night, capsys):
    """One file that cannot be read does not stop the others."""
    (light, *_) = files(night, "lights")

    assert main(["info", str(light)]) == 0
    text = capsys.readouterr().out
    assert "exposure_s" in text
    assert "RGGB" in text
    assert re.search(r"is_master +no *$", text, re.MULTILINE)
    assert re.search(r"binning +1 x 1 *$", text, re.MULTILINE)
    assert "unknown:" in text

    assert main(["info", "--json", "--header", str(light)]) == 0
    (frame,) = json.loads(capsys.readouterr().out)["frames"]
    assert frame["kind"] == "light"
    assert "BAYERPAT" in [card[0] for card in frame["header"]]


def test_info_says_in_words_what_a_frame_was_calibrated_with(tmp_path, capsys):
    """Names, not how a program holds them."""
    path = tmp_path / "light.fits"
    header = Header([Card("CALSTAT", "BDF", ""), Card("FILTER", "L" * 60, "c" * 40)])
    write_fits(path, np.zeros((1, 8, 8), np.float32), header)
    assert main(["info", "--header", str(path)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "calibration bias, dark, flat" in lines
    assert any(line.startswith("FILTER =") and line.endswith("c") for line in lines)


def test_simulate_writes_a_session_and_refuses_to_mix_two(tmp_path, capsys):
    """A folder that holds a session is left alone."""
    command = ["simulate", str(tmp_path / "s"), "--set", "sensor.width=128"]
    command += ["--set", "sensor.height=96", "--set", "lights.count=2", "--set", "darks.count=2"]
    command += ["--set", "flats.count=2", "--set", "flat_darks.count=2", "--json"]

    assert main(command) == 0
    assert len(json.loads(capsys.readouterr().out)["frames"]) == 8
    assert len(files(tmp_path / "s", "lights")) == 2

    assert main(command) == 2
    assert "already holds" in capsys.readouterr().err


def test_the_program_runs_as_a_module():
    """``python -m lightframe --version`` prints the version."""
    found = subprocess.run(
        [sys.executable, "-m", "lightframe", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.startswith("lightframe 0.")
