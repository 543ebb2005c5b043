"""Matching of star lists: which star of a frame is which of the reference.

Three stars make a triangle whose side ratios survive shift, rotation, and scale. Each star of a
list of bright ones makes triangles with its nearest neighbours in that list; equal triangles of
frame and reference each propose a similarity. Wrong ones propose anything, right ones all propose
the same: proposals are ranked by how many others agree with them, and the first few are verified
with all stars. Lists of several lengths are tried, since the brightest stars of two frames may
differ by field, filter, or clouds.

Sources: E. J. Groth, AJ 91 (1986), for triangles; V. Tabur, PASA 24 (2007), for near neighbours;
M. A. Fischler and R. C. Bolles, Comm. ACM 24 (1981), for RANSAC.
"""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.arrays import Float64

__all__ = [
    "Candidate",
    "agreeing_pairs",
    "apply",
    "candidates",
    "chance_logarithm",
    "matched_pairs",
]

Complex = npt.NDArray[np.complex128]
Index = npt.NDArray[np.intp]

NEIGHBOURS = 7
"""Nearest neighbours of a star that it makes triangles with."""

RATIO_TOLERANCE = 0.012
"""Triangles are equal if their side ratios differ by less."""

LIST_LENGTHS = (
    (40, 40), (100, 100), (100, 40), (40, 100), (250, 250), (100, 350), (350, 100), (600, 600),
    (12, 12), (20, 20),
)  # fmt: skip
"""Numbers of the brightest stars of frame and reference that are tried in turn."""

PROPOSALS_VERIFIED = 12
"""So many proposals of each trial are verified with all stars."""

MOST_PROPOSALS = 60_000
"""Triangle pairs of one trial; beyond, those with the closest ratios are taken."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A similarity frame -> reference that triangles have proposed.

    Attributes
    ----------
    transform : (3, 3) array
        Frame (x, y, 1) -> reference.
    votes : int
        Number of triangle pairs that agree.
    stars : tuple of int
        Numbers of stars of frame and reference that the triangles were made of.
    """

    transform: Float64
    votes: int
    stars: tuple[int, int]


def apply(transform: Float64, points: Float64) -> Float64:
    """Map (n, 2) points by a projective transform."""
    mapped = points @ transform[:, :2].T + transform[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Float64 = mapped[:, :2] / mapped[:, 2:]
    return result


@dataclass(frozen=True, slots=True)
class _Triangles:
    corners: Index  # (n, 3): opposite to the shortest, the middle, and the longest side
    ratios: Float64  # (n, 2): shortest and middle side over the longest
    positive: npt.NDArray[np.bool_]  # sense of rotation of the corners


def _triangles(points: Float64) -> _Triangles:
    """Make triangles of each point and pairs of its nearest neighbours."""
    count = min(NEIGHBOURS, len(points) - 1)
    neighbours = np.asarray(scipy.spatial.cKDTree(points).query(points, k=count + 1)[1])[:, 1:]
    pairs = np.array(list(combinations(range(count), 2)))
    own = np.repeat(np.arange(len(points)), len(pairs))
    corners = np.stack(
        (own, neighbours[:, pairs[:, 0]].ravel(), neighbours[:, pairs[:, 1]].ravel()), axis=1
    )
    corners = np.unique(np.sort(corners, axis=1), axis=0)
    p = points[corners]
    opposite = np.linalg.norm(p[:, [1, 2, 0]] - p[:, [2, 0, 1]], axis=2)
    order = np.argsort(opposite, axis=1, kind="stable")
    corners = np.take_along_axis(corners, order, axis=1)
    sides = np.take_along_axis(opposite, order, axis=1)
    a, b, c = (points[corners[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    # Flat and tiny triangles say little: their ratios depend on the errors of the positions.
    good = (sides[:, 2] > 8.0) & (np.abs(area) > 0.05 * sides[:, 2] ** 2) & (sides[:, 0] > 3.0)
    ratios = sides[:, :2] / np.maximum(sides[:, 2:], 1e-9)
    return _Triangles(corners[good], ratios[good], area[good] > 0)


def _similarities(p: Complex, q: Complex) -> tuple[Complex, Complex]:
    """Fit a similarity q = a p + b to each of n triples of points, shapes (n, 3)."""
    centre_p, centre_q = p.mean(axis=1, keepdims=True), q.mean(axis=1, keepdims=True)
    dp, dq = p - centre_p, q - centre_q
    a = (dq * np.conj(dp)).sum(axis=1) / (np.abs(dp) ** 2).sum(axis=1)
    return a, centre_q[:, 0] - a * centre_p[:, 0]


def candidates(
    frame: Float64,
    reference: Float64,
    *,
    mirrored: bool,
    scales: tuple[float, float],
) -> Iterator[list[Candidate]]:
    """Propose similarities, one list for each pair of list lengths, most votes first.

    Parameters
    ----------
    frame, reference : (n, 2) float64
        Positions x, y of the stars, brightest first.
    mirrored : bool
        Propose transforms with a reflection instead of those without.
    scales : (float, float)
        Smallest and largest scale, pixels of the reference per pixel of the frame.
    """
    tried = set()
    for lengths in LIST_LENGTHS:
        sizes = min(lengths[0], len(frame)), min(lengths[1], len(reference))
        if sizes in tried or min(sizes) < 3:
            continue
        tried.add(sizes)
        yield _propose(frame[: sizes[0]], reference[: sizes[1]], mirrored=mirrored, scales=scales)


def _propose(
    frame: Float64, reference: Float64, *, mirrored: bool, scales: tuple[float, float]
) -> list[Candidate]:
    """Match triangles of two lists and rank the similarities by votes."""
    mine, theirs = _triangles(frame), _triangles(reference)
    if len(mine.corners) == 0 or len(theirs.corners) == 0:
        return []
    i, j = _equal(mine, theirs, mirrored=mirrored)
    p, q = (points[:, 0] + 1j * points[:, 1] for points in (frame, reference))
    if mirrored:
        p = np.conj(p)
    a, b = _similarities(p[mine.corners[i]], q[theirs.corners[j]])
    scale = np.abs(a)
    allowed = (scale >= scales[0]) & (scale <= scales[1])
    sizes = len(frame), len(reference)
    proposals = islice(_most_voted(a[allowed], b[allowed], p), PROPOSALS_VERIFIED)
    return [
        Candidate(_matrix(turn, shift, mirrored=mirrored), votes, sizes)
        for turn, shift, votes in proposals
    ]


def _equal(mine: _Triangles, theirs: _Triangles, *, mirrored: bool) -> tuple[Index, Index]:
    """Return the indices of triangles of the same shape, and sense or, mirrored, opposite sense."""
    near = scipy.spatial.cKDTree(mine.ratios).sparse_distance_matrix(
        scipy.spatial.cKDTree(theirs.ratios), RATIO_TOLERANCE, output_type="ndarray"
    )
    i, j, distance = near["i"], near["j"], near["v"]
    fits = (mine.positive[i] == theirs.positive[j]) != mirrored
    i, j, distance = i[fits], j[fits], distance[fits]
    if i.size > MOST_PROPOSALS:
        closest = np.argsort(distance, kind="stable")[:MOST_PROPOSALS]
        i, j = i[closest], j[closest]
    return i, j


def _most_voted(a: Complex, b: Complex, points: Complex) -> Iterator[tuple[complex, complex, int]]:
    """Yield a, b and votes of the similarities that most others agree with, each kind once.

    Two similarities agree if they map the middle of the points, and one at their edge, alike.
    """
    if a.size == 0:
        return
    middle = points.mean()
    arm = np.abs(points - middle).max()
    at_middle = a * middle + b
    reach = 0.02 * arm
    where = np.stack((at_middle.real, at_middle.imag, (a * arm).real, (a * arm).imag), axis=1)
    tree = scipy.spatial.cKDTree(where)
    votes = np.asarray(tree.query_ball_point(where, reach, return_length=True))
    left = np.ones(a.size, np.bool_)
    for k in np.argsort(-votes, kind="stable"):
        if not left[k]:
            continue
        agree = np.linalg.norm(where - where[k], axis=1) < reach
        left &= ~agree
        # The middle one of those that agree is better than any one triangle.
        turn = complex(np.median(a[agree].real), np.median(a[agree].imag))
        shift = complex(np.median(b[agree].real), np.median(b[agree].imag))
        yield turn, shift, int(votes[k])


def _matrix(turn: complex, shift: complex, *, mirrored: bool) -> Float64:
    """Return z -> turn z + shift, or turn z* + shift, as a 3x3 matrix."""
    sign = -1.0 if mirrored else 1.0
    return np.array(
        [
            [turn.real, -sign * turn.imag, shift.real],
            [turn.imag, sign * turn.real, shift.imag],
            [0.0, 0.0, 1.0],
        ]
    )


def matched_pairs(
    mapped: Float64, reference: "scipy.spatial.cKDTree", tolerance: float
) -> tuple[Index, Index, Float64]:
    """Pair mapped stars with reference stars that are each other's nearest.

    Parameters
    ----------
    mapped : (n, 2) float64
        Stars of the frame in reference pixels.
    reference : cKDTree
        Stars of the reference.
    tolerance : float
        Largest distance in pixels.

    Returns
    -------
    frame, reference, distance : arrays
        Indices of both, and the distances.
    """
    finite = np.asarray(np.isfinite(mapped).all(axis=1))
    where = np.where(finite[:, None], mapped, 1e12)
    found = reference.query(where, distance_upper_bound=tolerance)
    distance, nearest = np.asarray(found[0]), np.asarray(found[1])
    rows = np.flatnonzero(np.isfinite(distance))
    # Of several stars with the same nearest one only the closest may have it.
    order = rows[np.argsort(distance[rows], kind="stable")]
    first = np.unique(nearest[order], return_index=True)[1]
    rows = np.sort(order[first])
    return rows, nearest[rows], distance[rows]


def agreeing_pairs(
    p: Float64, q: Float64, tolerance: float, rng: np.random.Generator, *, mirrored: bool
) -> npt.NDArray[np.bool_]:
    """Return which pairs agree with the similarity through two of them that most agree with.

    The number of samples adapts to the share of right pairs: as many as make it 99.99 % sure that
    one sample had right pairs only.
    """
    n = len(p)
    zp, zq = p[:, 0] + 1j * p[:, 1], q[:, 0] + 1j * q[:, 1]
    if mirrored:
        zp = np.conj(zp)
    best = np.zeros(n, np.bool_)
    done, needed = 0, 2000.0
    while done < needed:
        i = rng.integers(0, n, 64)
        j = (i + rng.integers(1, n, 64)) % n
        with np.errstate(divide="ignore", invalid="ignore"):
            a = (zq[i] - zq[j]) / (zp[i] - zp[j])
            agree = np.abs(a[:, None] * (zp - zp[i][:, None]) + zq[i][:, None] - zq) < tolerance
        count = agree.sum(axis=1)
        top = int(np.argmax(count))
        if count[top] > best.sum():
            best = agree[top]
            share = min(best.mean() ** 2, 1 - 1e-9)
            needed = np.log(1e-4) / np.log1p(-share)
        done += 64
    return best


def chance_logarithm(pairs: int, free: int, tries: int, probability: float) -> float:
    """Return log10 of the probability that so many pairs come about by chance.

    Parameters
    ----------
    pairs : int
        Pairs found.
    free : int
        Pairs that the fit could bring about by itself.
    tries : int
        Stars that could have found a partner.
    probability : float
        Probability of one of them to find one by chance.
    """
    if pairs <= free:
        return 0.0
    with np.errstate(divide="ignore"):
        chance = scipy.special.bdtrc(pairs - free - 1, max(tries - free, 1), probability)
        return float(np.log10(chance))
