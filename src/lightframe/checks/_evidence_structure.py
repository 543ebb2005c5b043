"""The smooth structure of frames without light, and seams in it, against the others of a set."""

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import smooth_part

__all__ = ["changed_frames", "structure_changes", "torn_frames"]


_FEWEST = 3


def structure_changes(frames: SetEvidence) -> list[tuple[FrameEvidence, float, float, Float64]]:
    """Return, for each frame, by how much its smooth structure differs from the set's.

    Each entry holds the frame, the difference peak to peak, its statistical error, and the map.
    """
    torn = {frame.path for frame, _, _ in torn_frames(frames)}
    alike = [f for f in frames.frames if f.tiles.shape == frames.tiles.shape and f.path not in torn]
    if len(alike) < _FEWEST:
        return []
    maps = np.array([f.tiles.mean(axis=0) for f in alike])
    usual = np.median(maps, axis=0)
    changes = []
    for frame, own in zip(alike, maps, strict=True):
        difference = own - usual
        smooth = smooth_part(difference)
        # Six coefficients are fitted to all tiles of four phases.
        error = float(frame.tile_error.mean()) / 2.0 * np.sqrt(6.0 / usual.size) * 4.0
        # Rows that share noise make bands, and a few bands look like a gradient.
        rest = difference - difference.mean() - smooth
        bands = max(float(np.std(rest.mean(axis=1))), float(np.std(rest.mean(axis=0))))
        error = max(error, bands)
        changes.append((frame, float(np.ptp(smooth)), error, smooth))
    return changes


def torn_frames(frames: SetEvidence) -> list[tuple[FrameEvidence, int, float]]:
    """Find frames that change their level at a row where others of the set do not.

    Returns
    -------
    list of (FrameEvidence, int, float)
        The frame, the row, and the step in DN. A readout that was interrupted leaves such a seam;
        light never does.
    """
    reach = 8
    alike = [f for f in frames.frames if f.rows.size == frames.frames[0].rows.size]
    if len(alike) < 2 or alike[0].rows.size < 8 * reach:  # noqa: PLR2004 - nothing to compare with
        return []
    steps = np.array([_row_steps(frame.rows, reach) for frame in alike])
    limit = max(frames.read_noise, 2.0 * max(frames.step, 1))
    torn = []
    for frame, own in zip(alike, steps, strict=True):
        row = int(np.argmax(np.abs(own)))
        shared = np.min(np.abs(steps[:, row])) > 0.5 * abs(own[row])
        # Far above the usual ups and downs of rows, and a seam, not a slope.
        usual = float(np.median(np.abs(own)))
        if abs(own[row]) > max(limit, 20.0 * usual) and not shared:
            torn.append((frame, row + reach, float(own[row])))
    return torn


def _row_steps(rows: Float64, reach: int) -> Float64:
    """Return the mean of `reach` rows from each on, less that of as many before it."""
    sums = np.concatenate([[0.0], np.cumsum(rows)])
    means = (sums[reach:] - sums[:-reach]) / reach
    return np.asarray(means[reach:] - means[:-reach])


def changed_frames(
    frames: SetEvidence, sigmas: float
) -> list[tuple[FrameEvidence, float, Float64]]:
    """Return the frames whose structure differs by more than `sigmas` times the noise."""
    limit = max(sigmas * frames.read_noise, 0.5 * max(frames.step, 1))
    return [
        (frame, change, smooth)
        for frame, change, error, smooth in structure_changes(frames)
        if change > limit and change > 6.0 * error
    ]
