"""What becomes of the results of an earlier run that are no longer made."""

import json
import shutil

import pytest
from astropy.io import fits

from lightframe.report import write_report
from lightframe.session import RunSettings, Silent, run
from lightframe.session._result_ledger import ResultLedger
from lightframe.simulation import preset, simulate_session

QUICK = RunSettings(check_pixels=False)


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self):
        self.messages = []

    def message(self, text):
        """Keep the line."""
        self.messages.append(text)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Simulate lights, and integrate them."""
    folder = tmp_path_factory.mktemp("first")
    simulate_session(folder / "raw", preset("osc-cmos").resized(200, 300, frames=3), threads=2)
    for name in ("darks", "flat-darks"):
        shutil.rmtree(folder / "raw" / name)
    run([folder / "raw"], folder / "out", QUICK)
    return folder


@pytest.fixture
def again(first, tmp_path):
    """Return copies of the frames and of the output folder, as they are after the first run."""
    shutil.copytree(first, tmp_path / "night")
    return tmp_path / "night"


def rename(folder, **cards):
    """Change cards of all lights."""
    for path in (folder / "raw" / "lights").iterdir():
        for name, value in cards.items():
            fits.setval(path, name, value=value)


def names(folder):
    """Return the files of a folder, sorted."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def ledger(folder):
    """Return the names in the ledger."""
    return sorted(json.loads((folder / "out" / ".lightframe" / "results.json").read_text()))


def second(folder, *paths, **options):
    """Run once more; return what was told, and run.json."""
    told = Told()
    given = paths or (folder / "raw",)
    return told, run(given, folder / "out", QUICK, progress=told, **options).document


@pytest.mark.parametrize("fresh", [False, True])
def test_a_result_of_another_name_is_set_aside_and_told(again, fresh):
    """With its pictures; files that no run has made stay, and so do others' of the same folder."""
    out = again / "out"
    (old,) = names(out / "results")
    pixels = (out / "results" / old).read_bytes()
    pictures = [name for name in names(out / "previews") if name.startswith(old[:-5])]
    (out / "results" / "mine.fits").write_bytes(b"mine")
    (out / "previews" / f"{old[:-5]}_mine.png").write_bytes(b"mine")
    rename(again, OBJECT="M 99")

    told, document = second(again, fresh=fresh)

    (made,) = document["results"]
    why = "is of an earlier run of these lights, and is no longer made"
    assert document["notes"] == [f"results/{old} {why}: set aside in results/superseded"]
    assert told.messages[-1] == document["notes"][0]
    assert json.loads((out / "run.json").read_text())["notes"] == document["notes"]
    assert document["notes"][0] in write_report(document, out).read_text()
    assert names(out / "results") == sorted([made["path"].partition("/")[2], "mine.fits"])
    assert (out / "results" / "superseded" / old).read_bytes() == pixels
    assert len(pictures) >= 4
    assert names(out / "previews" / "superseded") == pictures
    assert f"{old[:-5]}_mine.png" in names(out / "previews")
    assert ledger(again) == [made["path"]]
    assert second(again)[1]["notes"] == []


def test_a_result_that_was_changed_since_is_not_the_runs(again):
    """Whatever was written over it stays, and is forgotten without a word."""
    (old,) = (again / "out" / "results").iterdir()
    old.write_bytes(b"mine")
    rename(again, OBJECT="M 99")

    _, document = second(again)

    assert document["notes"] == []
    assert old.read_bytes() == b"mine"
    assert ledger(again) == [document["results"][0]["path"]]


def test_lights_that_were_moved_are_known_by_their_content(again):
    """A folder stands for the object where no header names one."""
    rename(again, OBJECT="")
    second(again)
    (old,) = names(again / "out" / "results")
    (again / "raw" / "lights").rename(again / "raw" / "M 99")

    _, document = second(again)

    assert [result["path"] for result in document["results"]] == ["results/M_99_nofilter.fits"]
    assert [note.split()[0] for note in document["notes"]] == [f"results/{old}"]


def test_results_of_other_lights_stay_and_are_named(again):
    """One folder may gather several nights; masters that are not used stay for a later run."""
    out = again / "out"
    (old,), (flat,) = names(out / "results"), names(out / "masters")
    shutil.copytree(again / "raw" / "lights", again / "other")
    for path in list((again / "other").iterdir()):
        fits.setval(path, "OBJECT", value="M 99")
        path.rename(path.with_stem(f"next_{path.stem}"))

    _, document = second(again, again / "other")

    assert document["notes"] == [
        f"results of earlier runs, of other lights, stay: results/{old}",
        f"masters of earlier runs that this one has no use for stay: masters/{flat}",
    ]
    assert len(names(out / "results")) == 2
    assert len(ledger(again)) == 2
    assert second(again)[1]["notes"] == [
        f"results of earlier runs, of other lights, stay: {document['results'][0]['path']}"
    ]


@pytest.mark.parametrize("renamed", [False, True])
def test_a_result_that_cannot_be_made_again_stays_and_is_told(again, renamed):
    """Its lights are at hand, but none can be used: the old image is none of this run."""
    out = again / "out"
    (old,) = names(out / "results")
    pixels, pictures = (out / "results" / old).read_bytes(), names(out / "previews")
    if renamed:
        rename(again, OBJECT="M 99")
    for path in (again / "raw" / "lights").iterdir():
        with fits.open(path, mode="update") as units:
            units[0].data[...] = 1000

    told, document = second(again)

    assert document["results"] == []
    stays = "results of an earlier run of these lights, which this run could not make again, stay"
    assert document["notes"] == [f"{stays}: results/{old}"]
    assert told.messages[-1] == document["notes"][0]
    assert document["notes"][0] in write_report(document, out).read_text()
    assert (out / "results" / old).read_bytes() == pixels
    assert names(out / "previews") == pictures
    assert ledger(again) == [f"results/{old}"]


def test_a_result_is_set_aside_when_another_takes_its_place(again):
    """A run under the new name that fails leaves it; the next, which does not, sets it aside."""
    out = again / "out"
    (old,) = names(out / "results")
    sound = again / "sound"
    rename(again, OBJECT="M 99")
    shutil.copytree(again / "raw" / "lights", sound)
    for path in (again / "raw" / "lights").iterdir():
        with fits.open(path, mode="update") as units:
            units[0].data[...] = 1000
    second(again)
    shutil.copytree(sound, again / "raw" / "lights", dirs_exist_ok=True)

    _, document = second(again)

    assert [note.split()[0] for note in document["notes"]] == [f"results/{old}"]
    assert (out / "results" / "superseded" / old).is_file()


def test_results_of_one_name_and_of_different_nights_are_all_kept(again):
    """The last one has the name; those before it are set aside, and the first is not lost."""
    out = again / "out"
    (old,) = names(out / "results")
    first = (out / "results" / old).read_bytes()
    lights = sorted((again / "raw" / "lights").iterdir())
    why = "is of an earlier run of other lights, and another takes its name"
    for night in (2, 3):
        for path in (*lights, *sorted((again / "raw" / "flats").iterdir())):
            fits.setval(path, "DATE-OBS", value=f"2026-11-0{night}T20:00:{path.stem[-2:]}")
        _, document = second(again)
        assert document["notes"][0] == f"results/{old} {why}: set aside in results/superseded"
    kept = names(out / "results" / "superseded")
    assert kept == [old, old.replace(".fits", "_2.fits")]
    assert (out / "results" / "superseded" / old).read_bytes() == first
    assert len(names(out / "previews" / "superseded")) == 2 * len(
        [name for name in names(out / "previews") if name.startswith(old[:-5])]
    )
    assert ledger(again) == [f"results/{old}"]


def test_files_that_cannot_be_moved_stay_and_are_told(again):
    """Another program may hold them open."""
    (old,) = names(again / "out" / "results")
    rename(again, OBJECT="M 99")
    (again / "out" / "results" / "superseded").write_bytes(b"no folder")

    _, document = second(again)

    (note,) = document["notes"]
    assert "could not be set aside" in note
    assert old in names(again / "out" / "results")
    assert len(ledger(again)) == 2


@pytest.mark.parametrize("text", ["", "[]", '{"results/a.fits": {"files": 3}}', "not json"])
def test_a_damaged_ledger_means_that_nothing_is_touched(tmp_path, text):
    """What it named is left alone."""
    (tmp_path / "results.json").write_text(text)

    assert ResultLedger(tmp_path, tmp_path).set_aside([], [], {"1"}) == []
