"""Stacks of samples: gathered from a tile, normalized for rejection, sorted.

A *stack* is the samples of one pixel in all frames. Stacks are handled 64 at a time, as the lanes
of a block ``[frame, lane]``: each step is then an inner loop over lanes that becomes SIMD code, and
sorting is a fixed network of minima and maxima. A chunk is an array of such blocks, small enough
to stay in the processor's second-level cache.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = [
    "LANES",
    "order_integers",
    "order_samples",
    "pick",
    "sort_block",
    "sorting_network",
    "widen",
]

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Samples = npt.NDArray[np.uint16] | F32

LANES = 64
"""Pixels that are handled side by side; a multiple of every SIMD width."""

INF = np.float32(np.inf)


@lru_cache(maxsize=32)
def sorting_network(n: int) -> npt.NDArray[np.int64]:
    """Return Batcher's odd-even merge sort as a list of comparators.

    Parameters
    ----------
    n : int
        Number of samples, at least 1.

    Returns
    -------
    ndarray, shape (comparators, 2), int64
        Pairs of rows ``i < j``; each puts the smaller sample into row ``i``.

    Notes
    -----
    K. E. Batcher, "Sorting networks and their applications", AFIPS 1968; comparators that reach
    beyond row ``n`` are dropped. About n (log2 n)^2 / 4 comparators.
    """
    pairs: list[npt.NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    merged = 1
    while merged < n:
        distance = merged
        while distance >= 1:
            start = distance % merged
            i = np.arange(start, n - distance)
            inside = (i - start) // distance % 2 == 0
            same_run = i // (2 * merged) == (i + distance) // (2 * merged)
            i = i[inside & same_run]
            pairs.append(np.stack([i, i + distance], axis=1))
            distance //= 2
        merged *= 2
    network = np.concatenate(pairs)
    network.flags.writeable = False
    return network


@kernel
def sort_block(block: Samples, network: I64, n: int) -> None:
    """Sort the first `n` frames of each lane of ``block[frame, lane]`` in place, ascending.

    The network may be one for more frames: were there inf in rows n and below, the comparators
    that reach them would do nothing, so that leaving them out sorts the rows above.
    """
    for k in range(network.shape[0]):
        if network[k, 1] >= n:
            continue
        above = block[network[k, 0]]
        below = block[network[k, 1]]
        for lane in range(LANES):
            a = above[lane]
            b = below[lane]
            above[lane] = min(a, b)
            below[lane] = max(a, b)


@kernel
def widen(stack: npt.NDArray[np.uint16], first: int, pixels: int, out: F32) -> None:
    """Copy the integers ``stack[:, first : first + pixels]`` into float32 (frames, >= pixels)."""
    for f in range(stack.shape[0]):
        source = stack[f, first : first + pixels]
        target = out[f]
        for k in range(pixels):
            target[k] = source[k]


@kernel
def order_integers(
    stack: npt.NDArray[np.uint16],
    first: int,
    pixels: int,
    network: I64,
    work: npt.NDArray[np.uint16],
    ordered: F32,
    counts: I32,
) -> None:
    """Sort stacks of integers that need no normalization, as integers.

    Parameters
    ----------
    stack : ndarray, shape (frames, stride), uint16
        The samples of a tile, frame by frame.
    first, pixels : int
        The pixels of the chunk: ``stack[:, first : first + pixels]``.
    network : ndarray
        From `sorting_network`.
    work : ndarray, shape (frames, LANES), uint16
        Scratch.
    ordered : ndarray, shape (blocks, frames, LANES), float32
        Receives the sorted stacks; lanes beyond the last pixel are inf.
    counts : ndarray, shape (blocks * LANES,), int32
        Receives the number of samples of each stack.
    """
    n = stack.shape[0]
    for b in range((pixels + LANES - 1) // LANES):
        start = b * LANES
        used = min(LANES, pixels - start)
        for f in range(n):
            source = stack[f, first + start : first + start + used]
            row = work[f]
            for lane in range(used):
                row[lane] = source[lane]
        sort_block(work, network, n)
        for f in range(n):
            row = work[f]
            target = ordered[b, f]
            for lane in range(LANES):
                target[lane] = row[lane]
            for lane in range(used, LANES):
                target[lane] = INF
        for lane in range(LANES):
            counts[start + lane] = n if lane < used else 0


@kernel
def order_samples(
    stack: F32,
    first: int,
    pixels: int,
    norm: F32,
    limits: F32,
    network: I64,
    ordered: F32,
    counts: I32,
) -> None:
    """Normalize stacks for rejection, drop missing and out-of-range samples, and sort.

    ``y = (x - m) * (s_low if x <= m else s_high) + z``

    Parameters
    ----------
    stack, first, pixels, network, ordered, counts
        As in `order_integers`, but float32; samples that are not finite are missing.
    norm : ndarray, shape (frames, 4), float32
        m, s_low, s_high and z of each frame.
    limits : ndarray, shape (2,), float32
        Samples ``x <= limits[0]`` and ``x >= limits[1]`` are out of range.
    """
    n = stack.shape[0]
    blocks = (pixels + LANES - 1) // LANES
    low = limits[0]
    high = limits[1]
    for i in range(blocks * LANES):
        counts[i] = 0
    for f in range(n):
        m = norm[f, 0]
        s_low = norm[f, 1]
        s_high = norm[f, 2]
        z = norm[f, 3]
        for b in range(blocks):
            start = b * LANES
            used = min(LANES, pixels - start)
            source = stack[f, first + start : first + start + used]
            target = ordered[b, f]
            count = counts[start : start + LANES]
            for lane in range(used):
                x = source[lane]
                valid = (x > low) & (x < high)
                y = (x - m) * (s_low if x <= m else s_high) + z
                target[lane] = y if valid else INF
                count[lane] += valid
            for lane in range(used, LANES):
                target[lane] = INF
    for b in range(blocks):
        sort_block(ordered[b], network, n)


@kernel
def pick(ordered: F32, low: I32, high: I32, which: int, pixels: int, out: F32) -> None:
    """Take the minimum, the median or the maximum of sorted stacks.

    Parameters
    ----------
    ordered : ndarray, shape (blocks, frames, LANES), float32
        Sorted stacks.
    low, high : ndarray, shape (blocks * LANES,), int32
        The samples of lane i are rows ``low[i] <= row < high[i]``.
    which : int
        -1 minimum, 0 median (mean of the two central ones for even numbers), 1 maximum.
    pixels : int
        Number of stacks.
    out : ndarray, shape (pixels,), float32
        Receives the values; left as it is where a stack has no sample.
    """
    for i in range(pixels):
        column = ordered[i // LANES, :, i % LANES]
        n = high[i] - low[i]
        if n == 0:
            continue
        if which < 0:
            out[i] = column[low[i]]
        elif which > 0:
            out[i] = column[high[i] - 1]
        else:
            a = np.float64(column[low[i] + (n - 1) // 2])
            out[i] = 0.5 * (a + np.float64(column[low[i] + n // 2]))
