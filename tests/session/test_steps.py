"""Single steps as a library: names of outputs, formats, batches, the same result however done."""

from pathlib import Path

import numpy as np
import pytest

from lightframe.errors import InputError, SettingsError, UnreadableFileError
from lightframe.frames import Card, FrameKind, Header, read_image, write_fits
from lightframe.session import (
    Batch,
    Bench,
    Failure,
    OutputSettings,
    RunSettings,
    _hashes,
    integrate_files,
    make_master,
)
from lightframe.session._batch import read_infos
from lightframe.session._steps import each_file
from lightframe.session._steps_headers import as_colour, astrometry_of, without_astrometry
from lightframe.session._steps_output import output_file, output_files, stem, write
from lightframe.session._steps_stack import agreeing

LEVEL_DN = 1000.0


@pytest.fixture
def darks(tmp_path):
    """Return five darks of noise 10 DN, one of them with a cosmic ray."""
    random = np.random.default_rng(7)
    paths = []
    for number in range(5):
        pixels = random.normal(LEVEL_DN, 10, (1, 40, 50)).astype(np.float32)
        if number == 2:
            pixels[0, 20, 30] = 30000
        paths.append(tmp_path / f"dark_{number}.fits")
        header = Header([Card("IMAGETYP", "Dark Frame"), Card("EXPTIME", 30.0)])
        write_fits(paths[-1], pixels, header, sample_format="uint16")
    return paths


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.fits", "a"), ("a.FIT", "a"), ("a.fits.fz", "a"), ("a.fits.gz", "a"), ("a.CR2", "a"),
        ("M 13_10.0s_x.xisf", "M 13_10.0s_x"), ("no_suffix", "no_suffix"), (".fits", ".fits"),
    ],
)  # fmt: skip
def test_names_lose_the_endings_of_formats_only(name, expected):
    """Dots within a name are kept; double endings go as one."""
    assert stem(Path("folder") / name) == expected


def test_outputs_never_replace_inputs_or_each_other(tmp_path):
    """Two files of one name, or an output that is an input, are refused."""
    settings, told = OutputSettings(), []
    files = [Path("x/a.fits"), Path("x/b.xisf")]
    names = output_files(files, tmp_path, "_c", settings, told.append)
    assert [path.name for path in names.values()] == ["a_c.fits", "b_c.fits"]
    with pytest.raises(SettingsError, match="same file"):
        output_files([Path("x/a.fits"), Path("y/a.fit")], tmp_path, "_c", settings, told.append)
    with pytest.raises(SettingsError, match="given twice"):
        output_files(
            [Path("x/a.fits"), Path("x/../x/a.fits")], tmp_path, "_c", settings, told.append
        )
    with pytest.raises(SettingsError, match="replace an input"):
        output_files(files, tmp_path, "_c", settings, told.append, [tmp_path / "b_c.fits"])
    with pytest.raises(SettingsError, match="replace an input"):
        output_file(tmp_path / "a.fits", [tmp_path / "a.fits"], told.append)
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be made"):
        output_files([Path("a.fits")], tmp_path / "file" / "folder", "_c", settings, told.append)
    assert told == []


def test_files_of_an_earlier_time_are_told_before_they_are_replaced(tmp_path):
    """One by name, several by their number."""
    settings, told = OutputSettings(), []
    for name in ("a_c.fits", "b_c.fits"):
        (tmp_path / name).touch()

    output_file(tmp_path / "a_c.fits", [], told.append)
    output_files([Path("a.fits"), Path("b.fits")], tmp_path, "_c", settings, told.append)

    assert "a_c.fits is there already" in told[0]
    assert told[1].startswith("2 files are there already")


def test_integers_are_truncated_and_counted_in_both_formats(tmp_path):
    """Values beyond 0..65535 are counted once; floats are written as they are."""
    planes = np.array([[[-5, 10, 70000, 20]]], np.float32)
    for suffix in (".fits", ".xisf"):
        cut = write(
            tmp_path / f"cut{suffix}", planes, Header(), OutputSettings(sample_format="uint16")
        )
        assert cut.truncated == 2
        assert read_image(cut.path)[1].ravel().tolist() == [0, 10, 65535, 20]
        whole = write(tmp_path / f"whole{suffix}", planes, Header(), OutputSettings())
        assert whole.truncated == 0
        assert read_image(whole.path)[1] == pytest.approx(planes, rel=1e-6)
    with pytest.raises(SettingsError, match="XISF"):
        write(tmp_path / "dn.xisf", planes, Header(), OutputSettings(units="dn"))


def test_a_batch_tells_how_it_ended():
    """0 all done, 1 some set aside, 3 nothing done."""
    failure = Failure(Path("bad"), InputError("bad"))
    assert Batch((1,)).exit_code == 0
    assert Batch((1,), (failure,)).exit_code == 1
    assert Batch((), (failure,)).exit_code == 3


def test_a_file_that_is_named_twice_counts_once():
    """It is worked on once, and two threads never write the same output."""
    batch = each_file("Doing", [Path("a"), Path("b"), Path("a")], str, Bench())

    assert batch.done == ("a", "b")


def test_only_input_errors_set_a_file_aside():
    """A wrong setting stops everything; what is done keeps the order of the files."""
    paths = [Path(name) for name in "abc"]

    def picky(path):
        if path.name == "b":
            raise InputError("b is bad")
        return path.name

    batch = each_file("Testing", paths, picky, Bench())
    assert batch.done == ("a", "c")
    assert [failure.path.name for failure in batch.failures] == ["b"]

    def refuse(path):
        raise SettingsError(f"{path}")

    with pytest.raises(SettingsError):
        each_file("Testing", paths, refuse, Bench())


def test_a_master_rejects_what_is_not_dark_signal(darks, tmp_path):
    """The cosmic ray of one of five darks is gone, and its frame is named with the fraction."""
    batch = make_master(FrameKind.DARK, darks, tmp_path / "out" / "dark.fits", Bench())
    (made,) = batch.done
    image = read_image(made.written.path)[1][0]
    assert image[20, 30] == pytest.approx(LEVEL_DN, abs=30)
    assert image.mean() == pytest.approx(LEVEL_DN, abs=0.5)
    assert made.integration.frames_high[2, 0] > 0
    assert made.levels_dn == pytest.approx([LEVEL_DN] * 5, abs=1)
    assert not list((tmp_path / "out").glob(".lightframe*"))


def test_a_frame_that_cannot_be_read_to_its_end_ends_its_master(darks, tmp_path, monkeypatch):
    """What it was made of could not be told; nothing is left but the message."""
    hashed = _hashes.file_hash

    def failing(path):
        if path == darks[3]:
            raise UnreadableFileError("cannot be read to its end", where=path)
        return hashed(path)

    monkeypatch.setattr(_hashes, "file_hash", failing)
    out = tmp_path / "out" / "dark.fits"
    with pytest.raises(UnreadableFileError, match=r"dark_3\.fits"):
        make_master(FrameKind.DARK, darks, out, Bench())
    assert not list(out.parent.iterdir())


def test_results_do_not_depend_on_threads_and_memory(darks, tmp_path):
    """One thread with little memory and four with much give the same file to the bit."""
    images = []
    for number, (workers, memory) in enumerate(((1, 0.001), (4, 1.0))):
        bench = Bench(RunSettings(workers=workers, memory_gb=memory))
        out = tmp_path / f"{number}.fits"
        assert integrate_files(darks, out, bench).exit_code == 0
        images.append(read_image(out)[1])
    assert np.array_equal(*images)


def test_the_most_frequent_size_wins(darks, tmp_path):
    """A frame of another size is set aside with both sizes in the message."""
    odd = tmp_path / "odd.fits"
    write_fits(odd, np.zeros((1, 20, 50), np.float32), Header())
    infos, failures = read_infos([odd, *darks, tmp_path / "missing.fits"])
    assert [failure.path.name for failure in failures] == ["missing.fits"]
    kept, misfits = agreeing(infos)
    assert [info.path for info in kept] == darks
    assert "(1, 20, 50)" in str(misfits[0].error)


def test_headers_lose_what_is_no_longer_true():
    """Colour pattern and mosaic noise go with debayering, the astrometry with resampling."""
    header = Header(
        [
            Card("BAYERPAT", "RGGB"), Card("NOISE03", 1.0), Card("CRVAL1", 10.0),
            Card("CD1_1", 0.1), Card("A_2_0", 1e-6), Card("A_NAME", "kept"), Card("OBJECT", "M 13"),
        ]
    )  # fmt: skip
    assert [card.keyword for card in as_colour(header)] == [
        "CRVAL1", "CD1_1", "A_2_0", "A_NAME", "OBJECT",
    ]  # fmt: skip
    left = [card.keyword for card in without_astrometry(header)]
    assert left == ["BAYERPAT", "NOISE03", "A_NAME", "OBJECT"]
    assert [card.keyword for card in astrometry_of(header)] == ["CRVAL1", "CD1_1", "A_2_0"]
