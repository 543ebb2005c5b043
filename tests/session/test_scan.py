"""Scan: what is found in folders, what is refused, what is ignored."""

import os
import time

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import InputError
from lightframe.frames import FrameKind
from lightframe.session import make_plan, scan


def write(path, **keywords):
    """Write a small frame; keyword names have '_' for '-'."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cards = {name.replace("_", "-"): value for name, value in keywords.items()}
    fits.PrimaryHDU(np.zeros((4, 4), np.uint16), fits.Header(cards)).writeto(path)
    return path


def names(found):
    """Return the names of the frames in order."""
    return [info.path.name for info in found.frames]


def test_folders_are_walked_and_frames_sorted(tmp_path):
    """Frames of all sub-folders, sorted by path; a file given twice counts once."""
    write(tmp_path / "b" / "2.fits", IMAGETYP="LIGHT")
    first = write(tmp_path / "a" / "deep" / "1.fits", IMAGETYP="LIGHT")
    found = scan([str(tmp_path), first, tmp_path / "b"])
    assert names(found) == ["1.fits", "2.fits"]
    assert (found.refused, found.ignored) == ((), ())


def test_flat_darks_are_recognised_over_the_whole_set(tmp_path):
    """Darks with the exposure of the flats come out as flat-darks."""
    write(tmp_path / "d.fits", IMAGETYP="DARK", EXPTIME=2.0)
    write(tmp_path / "f.fits", IMAGETYP="FLAT", EXPTIME=2.0)
    assert [info.kind for info in scan([tmp_path]).frames] == [FrameKind.FLAT_DARK, FrameKind.FLAT]


def test_bad_files_are_refused_with_their_reason(tmp_path):
    """Truncated, empty and self-contradicting files are refused; the good one is read."""
    good = write(tmp_path / "good.fits", IMAGETYP="LIGHT")
    (tmp_path / "truncated.fits").write_bytes(good.read_bytes()[:2900])
    (tmp_path / "empty.fits").write_bytes(b"")
    (tmp_path / "text.xisf").write_text("not an image", encoding="utf-8")
    header = fits.Header([("PEDESTAL", 100), ("PEDESTAL", 50)])
    fits.PrimaryHDU(np.zeros((4, 4), np.uint16), header).writeto(tmp_path / "two.fits")
    found = scan([tmp_path])
    assert names(found) == ["good.fits"]
    assert [refusal.path.name for refusal in found.refused] == [
        "empty.fits",
        "text.xisf",
        "truncated.fits",
        "two.fits",
    ]
    reasons = {refusal.path.stem: refusal.reason for refusal in found.refused}
    assert "truncated" in reasons["truncated"]
    assert "PEDESTAL cards that differ" in reasons["two"]
    assert all(reasons.values())


def test_cause_and_remedy_are_said_once(tmp_path):
    """The finding takes them from the reader of the file; its message says only what is wrong."""
    good = write(tmp_path / "good.fits", IMAGETYP="LIGHT")
    (tmp_path / "text.fits").write_text("no image, but words", encoding="utf-8")
    (tmp_path / "truncated.fits").write_bytes(good.read_bytes()[:2900])
    found = scan([tmp_path])
    findings = make_plan(found.frames, found.refused).findings
    text, truncated = (f for f in findings if f.rule == "unreadable-file")
    assert text.message.endswith("begins with 'no image, but wo' instead of 'SIMPLE  ='")
    assert "another kind of file" in text.cause
    assert "leave it out" in text.remedy
    assert "interrupted" not in truncated.message
    assert "interrupted" in truncated.cause
    assert "copy" not in truncated.message
    assert "copy the file again" in truncated.remedy


def test_a_failing_reader_refuses_its_file_only(tmp_path, monkeypatch):
    """Even a mistake in a reader does not stop the scan."""
    write(tmp_path / "a.fits", IMAGETYP="LIGHT")

    def fail(path):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lightframe.session._scan.read_info", fail)
    (refusal,) = scan([tmp_path]).refused
    assert "ZeroDivisionError" in refusal.reason


def test_other_files_are_ignored_and_counted(tmp_path):
    """Files that are no frames by their name are counted by suffix."""
    for name in ("a.txt", "b.TXT", "c.jpg", "notes"):
        (tmp_path / name).write_bytes(b"x")
    found = scan([tmp_path])
    assert found.ignored_by_suffix() == {".txt": 2, ".jpg": 1, "": 1}


def test_a_given_file_is_read_whatever_its_name(tmp_path):
    """A file given by itself is never ignored: it is a frame or it is refused."""
    frame = write(tmp_path / "x.fits", IMAGETYP="LIGHT").rename(tmp_path / "frame.dat")
    text = tmp_path / "notes.txt"
    text.write_bytes(b"x")
    found = scan([frame, text])
    assert names(found) == ["frame.dat"]
    assert [refusal.path.name for refusal in found.refused] == ["notes.txt"]


def test_hidden_files_and_folders_are_left_out(tmp_path):
    """Hidden folders, the dot files of macOS and waste bins are no part of a session."""
    write(tmp_path / ".trash" / "a.fits", IMAGETYP="LIGHT")
    write(tmp_path / "$RECYCLE.BIN" / "b.fits", IMAGETYP="LIGHT")
    (tmp_path / "._c.fits").write_bytes(b"\0\5\x16\7")
    assert scan([tmp_path]) == scan([])


def test_output_folders_are_left_out(tmp_path):
    """What a run has made is no frame of a session, whether the run came to its end or not."""
    out = tmp_path / "out"
    write(out / "masters" / "masterDark.fits", IMAGETYP="Master Dark")
    write(out / "results" / "M31.fits", IMAGETYP="Master Light")
    write(out / "lights" / "1.fits", IMAGETYP="LIGHT")
    (out / ".lightframe").mkdir()
    assert names(scan([tmp_path])) == ["1.fits"]
    assert names(scan([out])) == ["1.fits"]
    assert names(scan([out / "masters"])) == ["masterDark.fits"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_in_circles_end(tmp_path):
    """A link to a folder above is not walked again, a link to a frame counts once."""
    write(tmp_path / "lights" / "1.fits", IMAGETYP="LIGHT")
    (tmp_path / "lights" / "up").symlink_to(tmp_path)
    (tmp_path / "lights" / "2.fits").symlink_to(tmp_path / "lights" / "1.fits")
    (tmp_path / "lights" / "gone.fits").symlink_to(tmp_path / "nowhere")
    found = scan([tmp_path])
    assert names(found) == ["1.fits"]
    assert [refusal.path.name for refusal in found.refused] == ["gone.fits"]


def test_a_missing_folder_is_an_error(tmp_path):
    """What does not exist was mistyped, and nothing is scanned."""
    with pytest.raises(InputError, match="no such file or folder"):
        scan([tmp_path / "nowhere"])


def test_settings_of_sharpcap_are_used(tmp_path):
    """The settings text beside a frame fills its unknown facts and is not an ignored file."""
    write(tmp_path / "1.fits", EXPTIME=2.0)
    settings = tmp_path / "1.CameraSettings.txt"
    settings.write_text("[ZWO ASI290MM]\nGain=300\n", encoding="utf-8")
    found = scan([tmp_path])
    assert (found.frames[0].gain, found.ignored) == (300.0, ())


def test_two_thousand_files_take_seconds(tmp_path):
    """Headers alone are read: the scan of a big folder stays far below a minute."""
    content = write(tmp_path / "0.fits", IMAGETYP="LIGHT", EXPTIME=30.0, GAIN=100).read_bytes()
    for number in range(1, 2000):
        (tmp_path / f"{number}.fits").write_bytes(content)
    start = time.perf_counter()
    found = scan([tmp_path])
    assert len(found.frames) == 2000
    assert time.perf_counter() - start < 30


def test_real_folders_are_sorted_into_their_kinds(shared_data):
    """A night's set is sorted into its kinds, by header or by path."""
    kinds = [info.kind for info in scan([shared_data / "m13-mono-ccd"]).frames]
    counts = {kind: kinds.count(kind) for kind in FrameKind}
    assert counts == {"bias": 3, "dark": 3, "flat-dark": 0, "flat": 12, "light": 12}
    frames = scan([shared_data / "asi120-osc-calibration"]).frames
    kinds = [info.kind for info in frames]
    assert [kinds.count(kind) for kind in FrameKind] == [6, 8, 0, 6, 0]
    assert {info.kind_from for info in frames} == {"path"}


def test_the_truth_of_a_simulated_session_is_no_frame(tmp_path):
    """Its folder is left out, whatever lies in it."""
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "truth.fits").write_bytes(b"SIMPLE  = a cube")
    (tmp_path / "truth" / "truth.json").write_text("{}")

    found = scan([tmp_path])

    assert (found.frames, found.refused, found.ignored) == ((), (), ())
