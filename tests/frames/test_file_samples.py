"""Files that stay open while they are read: few descriptors, the same pixels."""

import resource
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import UnreadableFileError
from lightframe.frames import Window, open_pixels
from lightframe.frames import _file_samples as module
from lightframe.frames import _stored as stored

DESCRIPTORS = Path("/proc/self/fd")

WHOLE = Window(0, 8, 0, 16)


def written(folder, count, dtype=np.uint16):
    """Write small frames; the pixels of frame k are k, k + 1, ..."""
    paths = []
    for k in range(count):
        paths.append(folder / f"frame_{k:04d}.fits")
        pixels = np.arange(k, k + 128, dtype=dtype).reshape(8, 16)
        fits.PrimaryHDU(pixels).writeto(paths[-1])
    return paths


def compressed(folder, count):
    """Write small tile-compressed frames."""
    paths = []
    for k in range(count):
        paths.append(folder / f"frame_{k:04d}.fits.fz")
        pixels = np.arange(k, k + 128, dtype=np.int16).reshape(8, 16)
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels)]).writeto(paths[-1])
    return paths


@pytest.fixture
def few_descriptors():
    """Lower the limit of open files for one test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (96, before[1]))
    yield 96
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("write", [written, compressed])
def test_more_files_are_open_than_descriptors(tmp_path, few_descriptors, write):
    """Under a limit of 96, a hundred and twenty open frames give their pixels, time and again."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    sources = [open_pixels(path, scratch=scratch) for path in write(tmp_path, 120)]
    for _ in range(2):
        for k, source in enumerate(sources):
            pixels = np.empty((1, 8, 16), np.float32)
            source.read(WHOLE, pixels)
            assert np.array_equal(pixels.ravel(), np.arange(k, k + 128))
    for source in sources:
        source.close()
    assert not list(scratch.iterdir())


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="descriptors are counted in /proc")
def test_closed_and_forgotten_files_hold_no_descriptor(tmp_path):
    """Neither a source that was closed nor one that was dropped keeps its file open."""
    paths = written(tmp_path, 20)
    before = len(list(DESCRIPTORS.iterdir()))
    sources = [open_pixels(path) for path in paths]
    assert len(list(DESCRIPTORS.iterdir())) == before + 20
    for source in sources[:10]:
        source.close()
    del sources, source
    assert len(list(DESCRIPTORS.iterdir())) == before


@pytest.mark.parametrize("kept", [0, 8])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_a_file_cut_off_meanwhile_is_an_error_with_its_name(tmp_path, monkeypatch, dtype, kept):
    """Whether it is kept open or not, a file that becomes too short is reported."""
    monkeypatch.setattr(module, "_most_kept", lambda: kept)
    (path,) = written(tmp_path, 1, dtype)
    source = open_pixels(path)
    with path.open("r+b") as file:
        file.truncate(2900)
    with pytest.raises(UnreadableFileError, match="cannot be read any more") as caught:
        source.read(WHOLE, np.empty((1, 8, 16), np.float32))
    assert caught.value.where == str(path)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("most_between", [0, 1 << 14])
def test_windows_of_files_are_those_of_the_array(tmp_path, monkeypatch, dtype, most_between):
    """Wide or narrow, read row by row or many rows at a time, at the edges and in between."""
    monkeypatch.setattr(stored, "_READ_BYTES", 512)
    monkeypatch.setattr(stored, "_MOST_BETWEEN", most_between)
    pixels = np.random.default_rng(1).integers(0, 65536, (3, 23, 50)).astype(dtype)
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(pixels).writeto(path)
    source = open_pixels(path)
    for window in (Window(0, 23, 0, 50), Window(3, 22, 7, 11), Window(22, 23, 49, 50)):
        out = np.empty((3, *window.shape), np.float32)
        source.read(window, out)
        part = pixels[:, window.y0 : window.y1, window.x0 : window.x1]
        assert np.array_equal(out, part.astype(np.float32))
    source.close()
