"""The command sensor."""

import json

import pytest
from rich.console import Console

from lightframe.checks import FIGURES
from lightframe.cli import _sensor, main
from lightframe.cli._sensor import rounded
from sensor_frames import PlainSensor


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Return a folder with frames of a colour camera that glows."""
    folder = tmp_path_factory.mktemp("sensor") / "frames"
    folder.mkdir()
    sensor = PlainSensor(
        folder,
        camera="ZWO ASI533MC Pro",
        e_per_dn=0.2,
        read_noise_e=1.5,
        step=4,
        dark_e_s=0.2,
        glow_e_s=1.0,
        header={"BAYERPAT": "RGGB"},
    )
    sensor.write("bias", 4)
    sensor.write("dark", 3, exposure_s=60.0)
    sensor.write("dark", 3, exposure_s=120.0)
    sensor.write("flat", 3, exposure_s=1.0, light_dn_s=30000)
    return folder


def test_the_table_fits_80_columns(frames, capsys):
    """Figures with errors and units, typical ones beside them, unknown ones with a reason."""
    assert main(["sensor", str(frames)]) == 0
    text = capsys.readouterr().out

    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    assert "ZWO ASI533MC Pro (IMX533)" in flat
    assert "4 bias frames, 6 darks, 3 flats" in flat
    assert "typical" in flat
    assert "unknown: saturation, full well, dynamic range: needs a saturated star" in flat
    assert "seen amplifier-glow" in flat
    assert "bottom right (first row on top)" in flat
    assert "to do: take darks of the lights' exposure" in flat


@pytest.mark.parametrize("columns", [60, 70])
def test_a_narrow_terminal_breaks_no_word(frames, columns, capsys, monkeypatch):
    """What the wide table says stands in lines of the terminal's width, each word whole."""
    command = ["sensor", str(frames)]
    assert main(command) == 0
    words = set(capsys.readouterr().out.split())
    monkeypatch.setattr(
        _sensor, "stdout", lambda _: Console(width=columns, highlight=False, markup=False)
    )

    assert main(command) == 0
    text = capsys.readouterr().out
    narrow = {word.strip(":,") for word in text.split()}
    rules = {word for word in words if set(word) == {"─"}}
    assert {word.strip(":,") for word in words - rules} - narrow == set()
    assert max(map(len, text.splitlines())) <= columns


def test_json_has_stable_keys(frames, capsys):
    """Every figure is there, known or not, with the same keys."""
    assert main(["sensor", str(frames), "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)

    assert captured.err == ""
    assert list(document) == ["sensors", "left_out", "refused"]
    (sensor,) = document["sensors"]
    assert tuple(sensor["figures"]) == FIGURES
    for figure in sensor["figures"].values():
        assert list(figure) == ["value", "error", "unit", "how", "reason"]
        assert (figure["value"] is None) == bool(figure["reason"])
    assert sensor["figures"]["e_per_dn"]["value"] == pytest.approx(0.2, rel=0.03)
    assert sensor["typical"]["e_per_dn"] == pytest.approx(0.2)
    assert sensor["planes"]["G"]["e_per_dn"]["value"] == pytest.approx(0.2, rel=0.05)
    assert [dark["exposure_s"] for dark in sensor["darks"]] == [60.0, 120.0]
    assert sensor["anomalies"][0]["state"] == "seen"
    assert len(sensor["transfer"]) == 2
    assert list(sensor) == [
        *("camera", "sensor", "technology", "gain", "offset", "readout_mode", "binning"),
        *("width", "height", "cfa", "egain_claimed", "frames", "figures", "planes"),
        *("typical", "typical_source", "differs", "anomalies", "darks", "transfer"),
        *("linearity", "notes"),
    ]


def test_measurements_are_kept_where_asked(frames, tmp_path, capsys):
    """The second time gives the same from what was kept."""
    command = ["sensor", str(frames), "--json", "--cache", str(tmp_path)]
    assert main(command) == 0
    first = capsys.readouterr().out

    assert len(list(tmp_path.iterdir())) == 13
    assert main(command) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "DIR"),
        (["nowhere"], 3, "nowhere"),
        ([".", "--set", "check.nonsense=1"], 2, "nonsense"),
        ([".", "--config", "missing.toml"], 2, "missing.toml"),
    ],
)
def test_wrong_usage_is_an_error(arguments, code, text, tmp_path, capsys, monkeypatch):
    """Exit codes 2 and 3; the message names what is wrong."""
    monkeypatch.chdir(tmp_path)

    assert main(["sensor", *arguments]) == code
    assert text in capsys.readouterr().err


def test_an_empty_folder_is_an_error(tmp_path, capsys):
    """Exit code 3; what, cause and remedy."""
    assert main(["sensor", str(tmp_path)]) == 3
    text = capsys.readouterr().err

    assert "no raw frame found" in text
    assert "likely cause" in text
    assert "remedy" in text


def test_files_that_cannot_be_read_are_named(tmp_path, capsys):
    """Exit code 1; the rest is characterized."""
    paths = PlainSensor(tmp_path).write("bias", 3)
    paths[1].write_bytes(paths[1].read_bytes()[:5000])

    assert main(["sensor", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert paths[1].name in captured.err
    assert "2 bias frames" in captured.out


def test_frames_that_tell_nothing_are_counted(tmp_path, capsys):
    """Masters are left out, and it says why."""
    PlainSensor(tmp_path).write("bias", 3)
    (tmp_path / "master").mkdir()
    master = PlainSensor(tmp_path / "master", header={"NCOMBINE": 20})
    master.write("dark", 1, exposure_s=60.0)

    assert main(["sensor", str(tmp_path)]) == 0
    assert "1 frame was left out: it is a master" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.236543, 0.00118, "0.2365 ± 0.0012"),
        (2300.152, 18.4, "2300 ± 18"),
        (16.0, None, "16"),
        (65535.0, None, "65535"),
        (9999.8, None, "10000"),
        (12345.0, 0.0, "12345 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (-8.236, 0.95, "-8.24 ± 0.95"),
    ],
)
def test_numbers_have_the_digits_that_their_error_leaves(value, error, text):
    """Two digits of the error."""
    assert rounded(value, error) == text
