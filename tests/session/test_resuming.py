"""A second run into the same folder: what is taken up from the first, and what is not."""

import json
import shutil

import pytest
from astropy.io import fits

from lightframe.errors import SettingsError, UnreadableFileError
from lightframe.frames import read_image
from lightframe.session import RunSettings, Silent, _execution, run
from lightframe.simulation import preset, simulate_session


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        """Keep the line."""
        self.messages.append(text)

    @property
    def taken_up(self):
        """Return what was said of masters that were not made again."""
        return [text for text in self.messages if "taken up" in text]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Simulate a small session whose darks state a pedestal, and run it."""
    folder = tmp_path_factory.mktemp("first")
    simulate_session(folder / "raw", preset("osc-cmos").resized(200, 300, frames=3), threads=2)
    for path in (folder / "raw" / "darks").iterdir():
        fits.setval(path, "PEDESTAL", value=100)
    run([folder / "raw"], folder / "out")
    return folder


@pytest.fixture
def again(first, tmp_path):
    """Return copies of the frames and of the output folder, as they are after the first run."""
    shutil.copytree(first, tmp_path / "night")
    return tmp_path / "night"


def second(folder, settings=None, raw="raw"):
    """Run once more; return what was told, and run.json."""
    told = Told()
    values = RunSettings.parse({"check_pixels": False} | (settings or {}))
    return told, run([folder / raw], folder / "out", values, progress=told).document


def test_a_dark_is_made_anew_where_its_pedestal_is_treated_otherwise(again):
    """Darks obey the settings of the pedestal, so a master made with others is not taken up."""
    kept, _ = second(again)
    changed, document = second(again, {"calibration": {"input_pedestal": "none"}})

    assert len(kept.taken_up) == 3
    assert changed.taken_up == []
    (dark,) = (master for master in document["masters"] if master["kind"] == "dark")
    assert dark["median_dn"] == [pytest.approx(700, abs=5)]
    assert read_image(again / "out" / dark["path"])[1].min() > 600


def test_what_a_master_serves_is_told_as_it_is_now(again):
    """Whom it serves, where its frames lie and its picture are not those of the first run."""
    for path in (again / "raw" / "lights").iterdir():
        fits.setval(path, "OBJECT", value="M 99")
    (again / "raw").rename(again / "moved")
    shutil.rmtree(again / "out" / "previews")

    told, document = second(again, raw="moved")

    assert len(told.taken_up) == 3
    for master, planned in zip(document["masters"], document["plan"]["masters"], strict=True):
        assert master["serves"] == planned["serves"]
        assert all("moved" in entry["path"] for entry in master["inputs"])
        assert (again / "out" / master["preview"]).is_file()


@pytest.mark.parametrize("text", ["", "[]", '{"dark_120s_-10C_gain100": 3}', "not json"])
def test_a_damaged_journal_means_that_work_is_done_again(again, text):
    """A journal that says nothing sensible is taken as empty."""
    journal = again / "out" / ".lightframe" / "journal.json"
    journal.write_text(text)

    told, _ = second(again)

    assert told.taken_up == []
    assert len(json.loads(journal.read_text())) == 3


def test_a_frame_that_cannot_be_read_to_its_end_is_left_out_and_its_master_not_trusted(
    again, monkeypatch
):
    """A failing disk costs one frame; once it can be read, its masters are made again."""
    shutil.rmtree(again / "out")
    bad = min((again / "raw" / "flat-darks").iterdir())
    read = _execution.file_hash

    def failing(path):
        if path == bad:
            raise UnreadableFileError("cannot be read to its end (Input/output error)", where=path)
        return read(path)

    monkeypatch.setattr(_execution, "file_hash", failing)
    _, document = second(again, {"check_pixels": True})
    frames = {master["kind"]: master["frames"] for master in document["masters"]}
    monkeypatch.setattr(_execution, "file_hash", read)
    told, whole = second(again)

    assert frames == {"dark": 3, "flat-dark": 2, "flat": 3}
    assert any(bad.name in finding["message"] for finding in document["findings"])
    assert [text.split()[2] for text in told.taken_up] == ["darks"]
    assert [master["frames"] for master in whole["masters"]] == [3, 3, 3]


def test_scratch_does_not_outlive_a_run_that_is_broken_off(again, monkeypatch):
    """Decoded pixels are gone, whatever ended the run."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_execution, "build_masters", interrupt)

    with pytest.raises(KeyboardInterrupt):
        second(again)
    assert not (again / "out" / ".lightframe" / "scratch").exists()


def test_lights_of_one_name_in_two_folders_are_kept_apart(again):
    """Capture programs number each night from one; what is kept is one file a light."""
    for number, path in enumerate(sorted((again / "raw" / "lights").iterdir())):
        folder = again / "raw" / f"night {number}"
        folder.mkdir()
        path.rename(folder / "light_0001.fits")

    second(again, {"keep": ["calibrated"]})

    kept = sorted(path.name for path in (again / "out" / "calibrated").iterdir())
    assert kept == [f"light_0001_night_{number}_c.fits" for number in range(3)]


def test_masters_of_the_user_are_not_mixed_with_those_of_a_run(again):
    """A night with a folder of masters is no output folder: they would be replaced, or lost."""
    given = again / "raw" / "masters" / "dark_120s.fits"
    given.parent.mkdir()
    shutil.copy(next((again / "out" / "masters").glob("dark*")), given)

    with pytest.raises(SettingsError, match="not of an earlier run") as caught:
        run([again / "raw"], again / "raw", RunSettings(check_pixels=False))

    assert caught.value.where == str(given.parent)
    assert [path.name for path in given.parent.iterdir()] == [given.name]


def test_names_as_long_as_file_systems_allow_do_not_stop_a_run(again):
    """A folder that stands for the object, and lights, of 255 bytes each."""
    folder = again / "raw" / ("x" * 255)
    (again / "raw" / "lights").rename(folder)
    for number, path in enumerate(sorted(folder.iterdir())):
        with fits.open(path, mode="update") as units:
            del units[0].header["OBJECT"]
        path.rename(folder / f"{number:0250}.fits")

    _, document = second(again, {"keep": ["calibrated", "debayered", "registered"]})

    (result,) = document["results"]
    assert (again / "out" / result["path"]).is_file()
    assert len(list((again / "out" / "registered").iterdir())) == 3
