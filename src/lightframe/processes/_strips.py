"""Images worked on by strips of lines, several at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

__all__ = ["in_strips"]

T = TypeVar("T")

_STRIPS_PER_THREAD = 4
"""Enough that no thread waits long for another."""


def in_strips(
    work: Callable[[int, int], T], lines: int, threads: int, *, height: int | None = None
) -> list[T]:
    """Call a function for strips of lines, side by side.

    Parameters
    ----------
    work : callable
        Takes the first line of a strip, and the one after its last. Kernels in it release the
        interpreter lock.
    lines : int
        How many there are.
    threads : int
        How many strips are worked on at a time; with one, this thread does all.
    height : int, optional
        Lines of a strip, where buffers or kernels want so many. By default each thread has four
        strips, and a single one has all lines in one.

    Returns
    -------
    list
        What the function returned, from the first strip to the last.
    """
    if height is None:
        count = max(1, min(lines, _STRIPS_PER_THREAD * threads if threads > 1 else 1))
        bounds = [lines * index // count for index in range(count + 1)]
    else:
        bounds = [*range(0, lines, height), lines]
    strips = list(pairwise(bounds))
    if threads <= 1 or len(strips) <= 1:
        return [work(first, last) for first, last in strips]
    with ThreadPoolExecutor(threads, thread_name_prefix="strips") as pool:
        return list(pool.map(work, *zip(*strips, strict=True)))
