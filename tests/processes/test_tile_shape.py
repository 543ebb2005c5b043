"""Tiles of a stack are as large as they are of use, and fit into memory."""

from dataclasses import dataclass

import pytest

from lightframe.processes._integration_tiles import tile_shape

HEIGHT, WIDTH, THREADS = 4000, 6000, 2


@dataclass
class Geometry:
    """What `tile_shape` knows of a source."""

    by_rows: bool = True
    extra_rows: int = 0
    channels: int = 1
    height: int = HEIGHT
    width: int = WIDTH


def rows_of(frames, *, memory_bytes=512 << 20, **properties):
    """Return the rows of a tile of float32, which has all columns."""
    sources = [Geometry(**properties) for _ in range(frames)]
    rows, columns = tile_shape(sources, 4, memory_bytes, THREADS)
    assert columns == WIDTH
    return rows


def test_tiles_of_plain_files_and_of_little_turned_frames_are_alike():
    """A dozen rows around a tile do not make it larger than 64 MB."""
    assert 100 < rows_of(20, extra_rows=12) == rows_of(20) < 150


def test_tiles_grow_with_the_rows_around_them():
    """Where windows need many rows, tiles are eight times as high, as far as memory reaches."""
    assert rows_of(20, extra_rows=40) == 320
    assert rows_of(20, extra_rows=500) > 400
    assert rows_of(2, extra_rows=700, memory_bytes=2 << 30) == HEIGHT // THREADS


@pytest.mark.parametrize("frames", [20, 200])
def test_large_stacks_take_the_memory_there_is(frames):
    """With few rows in a tile, those around it are what costs."""
    assert rows_of(frames, extra_rows=60) <= (512 << 20) / THREADS / (frames * 4 * WIDTH)
    assert rows_of(200, extra_rows=12) > 40
