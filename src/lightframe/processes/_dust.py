"""Dust shadows: whether those of the flat lie where those of the lights are (guide 8.5).

A shadow that has moved is embossed: bright on one side, dark on the other. Stamps around the
strongest shadows of the flat are cut out of each light, the flat's effect is taken back, and what
is left, the light's own shadow, is laid over the flat's at all shifts. Shifts of several shadows
make a shift and a turn of the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import scipy

from lightframe.arrays import Float32, Float64, Int64
from lightframe.frames._cfa import CfaPattern

__all__ = ["DustMoved", "DustProbe", "dust_moved", "dust_probe", "dust_stamps"]


_BAND_PIXELS = 1 << 16
_BIN = 4
"""Pixels along the side of a bin, at least."""
_CORE = 10
"""Half the side of a template in bins."""
_REACH = 6
"""Largest shift in bins."""
_MOST = 12
_FEWEST = 2
_BROAD = 41
_NARROW = 13
_CONTRAST = 5.0
"""Energy of a shadow over that of the flat elsewhere."""
_LEAST_WEIGHT = 0.4
_ALIKE = 0.5
"""Correlation from which on a shadow is recognized."""
_TURN_SHADOWS = 3
_CERTAIN_TURN = 4.0
_LEAST_ERROR_PX = 0.3
"""Error of the shift of one shadow, at least."""
_BLUR = 0.15
"""Error of the shift of a shadow in bins, for one that is half noise."""


@dataclass(frozen=True, slots=True, eq=False)
class DustProbe:
    """Shadows of a flat.

    Attributes
    ----------
    side : int
        Pixels along the side of a bin.
    corners : ndarray of int64, shape (n, 2)
        First row and column of each stamp.
    flat : ndarray of float64, shape (n, size, size)
        The flat in the stamps, binned, about 1.
    centre : tuple of float
        Row and column of the middle of the frame.
    """

    side: int
    corners: Int64
    flat: Float64
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class DustMoved:
    """How the shadows of the lights lie against those of the flat.

    Attributes
    ----------
    dx_px, dy_px : float
        Shift of the lights' shadows at the middle of the frame.
    turn_deg : float
        Their turn about it, from +x towards +y; 0 with fewer than three shadows.
    sigma_px : float
        Error of the shift.
    moved_px : float
        Movement (rms) of the shadows that were seen.
    scatter_px : float
        What shift and turn leave of it (rms).
    shadows : int
        Shadows that were recognized.
    alike : ndarray of float64, shape (13, 13), or None
        Correlation at each shift in y and x, mean of the recognized shadows; the middle is no
        shift.
    step_px : float
        Shift from one to the next in pixels.
    """

    dx_px: float
    dy_px: float
    turn_deg: float
    sigma_px: float
    moved_px: float
    scatter_px: float
    shadows: int
    alike: Float64 | None = field(default=None, compare=False, repr=False)
    step_px: float = 0.0


def dust_probe(reciprocal: Float32, cfa: CfaPattern | None) -> DustProbe | None:
    """Find the strongest shadows of a flat.

    Parameters
    ----------
    reciprocal : ndarray of float32, shape (height, width)
        ``s0 / flat``.
    cfa : CfaPattern or None
        Its colours; bins hold whole cells, so that colours do not matter.

    Returns
    -------
    DustProbe or None
        None where the flat has fewer than two shadows, or is too small.
    """
    period = 1 if cfa is None else cfa.period
    side = -(-_BIN // period) * period
    flat = _binned_flat(reciprocal, side)
    size = 2 * (_CORE + _REACH) + 1
    if min(flat.shape) < 2 * size:
        return None
    flat = np.where(np.isfinite(flat), flat, np.nanmedian(flat))
    smooth = scipy.ndimage.gaussian_filter(flat, 1.0)
    fine = smooth / scipy.ndimage.uniform_filter(smooth, _BROAD, mode="nearest") - 1
    energy = scipy.ndimage.uniform_filter(fine * fine, _NARROW, mode="nearest")
    half = size // 2
    inner = np.zeros(flat.shape, bool)
    inner[half:-half, half:-half] = True
    usual = float(np.median(energy[inner]))
    places: list[tuple[int, int]] = []
    energy = np.where(inner, energy, 0.0)
    while len(places) < _MOST:
        y, x = divmod(int(np.argmax(energy)), flat.shape[1])
        if not energy[y, x] > _CONTRAST * usual:
            break
        places.append((y, x))
        energy[max(0, y - _CORE) : y + _CORE + 1, max(0, x - _CORE) : x + _CORE + 1] = 0.0
    if len(places) < _FEWEST:
        return None
    starts = np.array(places, np.int64) - half
    stamps = np.stack([flat[y : y + size, x : x + size] for y, x in starts])
    return DustProbe(
        side, starts * side, stamps, (reciprocal.shape[0] / 2, reciprocal.shape[1] / 2)
    )


def _binned(plane: npt.NDArray[np.floating], side: int) -> Float64:
    """Return the means of square bins, without missing pixels; NaN where all are missing."""
    rows, columns = (length // side for length in plane.shape)
    part = plane[: rows * side, : columns * side]
    known = np.isfinite(part)
    if known.all():
        return _sums(part, side) / side**2
    count = _sums(known, side)
    total = _sums(np.where(known, part, 0.0), side)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _sums(part: npt.NDArray[np.bool | np.floating], side: int) -> Float64:
    """Return the sums of square bins; columns first, by long loops."""
    across = part[:, ::side].astype(np.float64)
    for x in range(1, side):
        across += part[:, x::side]
    return np.asarray(across.reshape(len(part) // side, side, across.shape[1]).sum(axis=1))


def _binned_flat(reciprocal: Float32, side: int) -> Float64:
    """Return the flat in bins; a band of them at a time, which stays in the cache."""
    tall = side * max(1, _BAND_PIXELS // (side * reciprocal.shape[1]))
    bottom = reciprocal.shape[0] // side * side
    with np.errstate(divide="ignore", invalid="ignore"):
        bands = [
            _binned(1 / reciprocal[top : min(top + tall, bottom)], side)
            for top in range(0, bottom, tall)
        ]
    return np.concatenate(bands) if bands else np.empty((0, 0))


def dust_stamps(plane: Float32, probe: DustProbe) -> Float32:
    """Return the shadows of a light as if it had not been divided by the flat.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
        Calibrated light, DN.
    probe : DustProbe
        Where to look.

    Returns
    -------
    ndarray of float32, shape (n, size, size)
        Binned, each over its own median; NaN where a bin is missing or the median not above zero.
    """
    length = probe.flat.shape[1] * probe.side
    stamps = []
    for (y, x), flat in zip(probe.corners, probe.flat, strict=True):
        stamp = _binned(plane[y : y + length, x : x + length], probe.side) * flat
        level = float(np.median(stamp))
        stamps.append(stamp / level if level > 0 else np.full_like(stamp, np.nan))
    return np.asarray(stamps, np.float32)


def dust_moved(stamps: Sequence[Float32], probe: DustProbe) -> DustMoved | None:
    """Lay the shadows of the lights over those of the flat.

    Parameters
    ----------
    stamps : sequence of ndarray of float32
        From `dust_stamps`, of several lights; stars go by taking their median.
    probe : DustProbe
        The flat.

    Returns
    -------
    DustMoved or None
        None where fewer than two shadows are recognized.

    Notes
    -----
    For each shadow the shift of greatest correlation (tilted planes taken off both), to a fraction
    of a bin by a parabola; weights are the correlation's rise over 0.4, errors at least those that
    noise makes of a shadow so much alike. A shift and, where it is certain, a turn are fitted to
    the shifts, without those more than two bins off.
    """
    if not len(stamps):
        return None
    stack = np.stack(stamps)
    moves, places, weights, maps = [], [], [], []
    half = probe.flat.shape[1] * probe.side / 2
    for index, flat in enumerate(probe.flat):
        corner = probe.corners[index]
        whole = stack[np.isfinite(stack[:, index]).all(axis=(1, 2)), index]
        found = _best_shift(np.median(whole, axis=0), flat) if len(whole) else None
        if found is not None:
            y, x, alike = found
            moves.append((x * probe.side, y * probe.side))
            places.append((corner[1] + half - probe.centre[1], corner[0] + half - probe.centre[0]))
            weights.append(float(alike.max()) - 0.4)
            maps.append(alike)
    if len(moves) < _FEWEST:
        return None
    moved = _together(np.array(moves), np.array(places), np.array(weights), probe.side)
    if moved is None:
        return None
    return replace(moved, alike=np.mean(maps, axis=0), step_px=float(probe.side))


def _best_shift(
    stamp: npt.NDArray[np.floating], flat: Float64
) -> tuple[float, float, Float64] | None:
    """Return the shift (y, x) in bins at which light and flat are most alike, and how at all."""
    core = slice(_REACH, _REACH + 2 * _CORE + 1)
    template = _flattened(flat[core, core])
    shifts = range(2 * _REACH + 1)
    alike = np.array(
        [[_correlation(stamp[_window(i), _window(j)], template) for j in shifts] for i in shifts]
    )
    i, j = divmod(int(np.argmax(alike)), alike.shape[1])
    last = len(alike) - 1
    if alike[i, j] < _ALIKE or not (0 < i < last and 0 < j < last):
        return None
    y = i - _REACH + _vertex(alike[i - 1 : i + 2, j])
    x = j - _REACH + _vertex(alike[i, j - 1 : j + 2])
    return y, x, alike


def _window(start: int) -> slice:
    return slice(start, start + 2 * _CORE + 1)


def _flattened(values: npt.NDArray[np.floating]) -> Float64:
    """Return values less a tilted plane."""
    v, u = np.indices(values.shape, dtype=np.float64) - (len(values) - 1) / 2
    scale = float(np.sum(u * u))
    level = values - values.mean()
    return np.asarray(level - u * np.sum(level * u) / scale - v * np.sum(level * v) / scale)


def _correlation(values: npt.NDArray[np.floating], template: Float64) -> float:
    flat = _flattened(values)
    spread = float(np.sqrt(np.sum(flat * flat) * np.sum(template * template)))
    return float(np.sum(flat * template)) / spread if spread > 0 else 0.0


def _vertex(three: Float64) -> float:
    """Return where a parabola through three values has its top, from the middle one."""
    bend = three[0] - 2 * three[1] + three[2]
    return float(np.clip(0.5 * (three[0] - three[2]) / bend, -1, 1)) if bend < 0 else 0.0


def _together(moves: Float64, places: Float64, weights: Float64, side: int) -> DustMoved | None:
    """Fit one shift, and where it is needed a turn, to the movements of all."""
    far = 2.0 * side
    kept = np.ones(len(moves), bool)
    while True:
        used, at, weight = moves[kept], places[kept], weights[kept]
        fit = _fit(used, at, weight, side, turn=len(used) >= _TURN_SHADOWS)
        if abs(fit.turn) < _CERTAIN_TURN * fit.turn_sigma:
            fit = _fit(used, at, weight, side, turn=False)
        worst = int(np.argmax(fit.left))
        if fit.left[worst] <= far or len(used) <= _FEWEST:
            break
        kept[np.flatnonzero(kept)[worst]] = False
    if fit.left.max() > far:
        return None
    return DustMoved(
        dx_px=fit.dx,
        dy_px=fit.dy,
        turn_deg=float(np.degrees(fit.turn)),
        sigma_px=fit.sigma,
        moved_px=fit.moved,
        scatter_px=float(np.sqrt(np.mean(fit.left**2))),
        shadows=len(used),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A shift and a turn, their errors, and what they leave of each movement."""

    dx: float
    dy: float
    turn: float
    turn_sigma: float
    sigma: float
    moved: float
    left: Float64


def _fit(moves: Float64, places: Float64, weights: Float64, side: int, *, turn: bool) -> _Fit:
    """Fit a shift and a turn; shadows that are half noise have large errors."""
    design = np.zeros((2 * len(moves), 3 if turn else 2))
    design[0::2, 0] = 1
    design[1::2, 1] = 1
    if turn:
        design[0::2, 2], design[1::2, 2] = -places[:, 1], places[:, 0]
    root = np.sqrt(np.repeat(weights / weights.mean(), 2))
    weighted = design * root[:, None]
    solution = np.linalg.lstsq(weighted, moves.ravel() * root, rcond=None)[0]
    model = (design @ solution).reshape(-1, 2)
    left = np.hypot(*(moves - model).T)
    freedom = max(1, 2 * len(moves) - len(solution))
    alike = weights + _LEAST_WEIGHT
    blur = _BLUR * side * float(np.sqrt(np.mean((1.0 - alike**2) / alike**2)))
    scatter = max(float(np.sqrt(np.sum(left**2) / freedom)), _LEAST_ERROR_PX, blur)
    errors = scatter * np.sqrt(np.diag(np.linalg.pinv(weighted.T @ weighted)))
    return _Fit(
        dx=float(solution[0]),
        dy=float(solution[1]),
        turn=float(solution[2]) if turn else 0.0,
        turn_sigma=float(errors[2]) if turn else 0.0,
        sigma=float(errors[:2].max()),
        moved=float(np.sqrt(np.mean(np.sum(model**2, axis=1)))),
        left=left,
    )
