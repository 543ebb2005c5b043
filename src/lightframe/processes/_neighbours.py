"""Tables of same-colour neighbours in mono, Bayer and X-Trans arrays, for the kernels."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lightframe.frames._cfa import CfaPattern
from lightframe.kernels._stack import sorting_network

__all__ = ["classes", "is_regular", "nearest", "rings", "selecting_network"]

BAYER_PERIOD = 2


def classes(cfa: CfaPattern | None) -> npt.NDArray[np.uint8]:
    """Return the class of each position in the cell: pixels of one class share level and noise.

    One class for mono; the four positions of a Bayer cell, as the two greens may differ in gain;
    the three colours of X-Trans.
    """
    if cfa is None:
        return np.zeros((1, 1), np.uint8)
    if is_regular(cfa):
        return np.arange(4, dtype=np.uint8).reshape(2, 2)
    return cfa.planes()


def is_regular(cfa: CfaPattern | None) -> bool:
    """Return whether same-class pixels form a square lattice, as in mono and Bayer arrays."""
    return cfa is None or cfa.period == BAYER_PERIOD


def _sorted_offsets(kinds: npt.NDArray[np.uint8], y: int, x: int, reach: int) -> list[list[int]]:
    """Return same-class offsets by distance; at equal distance opposite pairs, rows first."""
    period = len(kinds)
    found = [
        [dy, dx]
        for dy in range(-reach, reach + 1)
        for dx in range(-reach, reach + 1)
        if kinds[(y + dy) % period, (x + dx) % period] == kinds[y, x]
    ]
    return sorted(found, key=lambda o: (o[0] ** 2 + o[1] ** 2, abs(o[0]), o))


@lru_cache(maxsize=32)
def nearest(cfa: CfaPattern | None, count: int, *, centre: bool) -> npt.NDArray[np.int64]:
    """Return (dy, dx) of the `count` nearest pixels of the same class, with or without itself.

    Returns
    -------
    (p, p, count, 2) int64
        One list for each position in the cell, by distance.
    """
    kinds = classes(cfa)
    first = 0 if centre else 1
    return np.array(
        [
            [_sorted_offsets(kinds, y, x, 8)[first : first + count] for x in range(len(kinds))]
            for y in range(len(kinds))
        ],
        np.int64,
    )


@lru_cache(maxsize=32)
def rings(
    cfa: CfaPattern | None, radius: int, reach: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the neighbourhood of a pixel ring by ring, the pixel itself left out.

    The first ring holds the box of (2 `radius` + 1)^2 pixels at the array's step (mono 1, Bayer 2);
    for X-Trans, which has no step, the same number of nearest same-colour pixels, and those at the
    same distance as the last of them. Further rings follow up to `reach` pixels.

    Returns
    -------
    offsets : (p, p, n, 2) int64
        (dy, dx); p = 1 where all positions share one list, as in mono and Bayer.
    ends : (p, p, r) int64
        Number of offsets up to the end of each ring, the last repeated.
    """
    kinds = classes(cfa)
    regular = is_regular(cfa)
    side = 1 if regular else len(kinds)
    lists = [_sorted_offsets(kinds, y, x, reach)[1:] for y in range(side) for x in range(side)]
    sizes = []
    for offsets in lists:
        if regular:
            offsets.sort(key=lambda o: max(abs(o[0]), abs(o[1])))
            distance = [max(abs(dy), abs(dx)) for dy, dx in offsets]
        else:
            distance = [dy * dy + dx * dx for dy, dx in offsets]
        steps = [
            i + 1
            for i in range(len(offsets))
            if i + 1 == len(offsets) or distance[i] != distance[i + 1]
        ]
        sizes.append([size for size in steps if size >= (2 * radius + 1) ** 2 - 1])
    longest, most = max(map(len, lists)), max(map(len, sizes))
    table = np.zeros((side, side, longest, 2), np.int64)
    ends = np.zeros((side, side, most), np.int64)
    for index, (offsets, size) in enumerate(zip(lists, sizes, strict=True)):
        y, x = divmod(index, side)
        table[y, x, : len(offsets)] = offsets
        ends[y, x] = size + [size[-1]] * (most - len(size))
    return table, ends


@lru_cache(maxsize=8)
def selecting_network(size: int, rank: int) -> npt.NDArray[np.int64]:
    """Return the comparators that bring the `rank`-th smallest of `size` values to its place.

    Those of a sorting network that reach the wanted place.
    """
    wanted = {rank}
    kept = []
    for low, high in reversed(sorting_network(size).tolist()):
        if low in wanted or high in wanted:
            wanted |= {low, high}
            kept.append((low, high))
    return np.array(kept[::-1], np.int64)
