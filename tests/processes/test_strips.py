"""Images worked on by strips of lines."""

import threading

import pytest

from lightframe.processes._strips import in_strips


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("height", [None, 1, 7, 100])
@pytest.mark.parametrize("lines", [1, 2, 13, 100])
def test_each_line_is_worked_on_once_and_results_are_in_order(lines, height, threads):
    """Whatever the strips."""
    strips = in_strips(lambda first, last: (first, last), lines, threads, height=height)
    assert [line for first, last in strips for line in range(first, last)] == [*range(lines)]
    assert height is None or max(last - first for first, last in strips) <= height


def test_one_thread_is_this_one_and_gets_all_lines():
    """Unless strips of a height are wanted."""
    names = in_strips(lambda *_: threading.current_thread(), 100, 1)
    assert names == [threading.current_thread()]
    assert len(in_strips(lambda *_: None, 100, 1, height=30)) == 4


def test_strips_are_worked_on_side_by_side():
    """Two threads meet, and there are four strips for each."""
    meeting = threading.Barrier(2, timeout=30)
    assert len(in_strips(lambda *_: meeting.wait(), 80, 2)) == 8


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_come_out(threads):
    """From whichever thread."""

    def fail(first, last):
        if first:
            raise ValueError(f"{first}..{last}")

    with pytest.raises(ValueError, match=r"5\.\.10"):
        in_strips(fail, 20, threads, height=5)


def test_no_lines_are_no_work():
    """With strips of a height; all lines in one strip are still one, of none."""
    assert in_strips(lambda *_: 1, 0, 3, height=8) == []
    assert in_strips(lambda first, last: (first, last), 0, 3) == [(0, 0)]
