"""Background and noise of a frame in the cells of a mesh."""

from typing import NamedTuple

import numpy as np
import scipy

from lightframe.arrays import Float32
from lightframe.kernels._background import mesh_statistics
from lightframe.processes._estimators import quantized_sigma
from lightframe.processes._quantization import ROUNDING, value_step

__all__ = ["Mesh", "background_mesh"]


SAMPLES_ACROSS = 16
"""Pixels looked at along the side of a mesh cell: 256 give its background to 0.08 sigma."""

STEP_SAMPLES = 1 << 18
"""About so many differences of neighbours tell the noise where most pixels have one value."""


class Mesh(NamedTuple):
    """Background and noise in the cells of a mesh."""

    cell: int
    """Side of a cell in pixels."""
    background: Float32
    """Background in DN, (rows, columns); bilinear between the centres of the cells."""
    noise: Float32
    """Standard deviation of a pixel in DN, (rows, columns)."""
    coarse: bool = False
    """Whether the frame has less noise than its integers have steps: it is told of the whole."""


def background_mesh(image: Float32, cell: int) -> Mesh | None:
    """Measure background and noise in the cells of a mesh.

    Parameters
    ----------
    image : (h, w) float32
        NaN is missing.
    cell : int
        Side of the cells in pixels.

    Returns
    -------
    Mesh or None
        None where no cell holds enough pixels, or the frame has no noise at all.
    """
    height, width = image.shape
    shape = max(1, height // cell), max(1, width // cell)
    background, noise = np.empty(shape, np.float32), np.empty(shape, np.float32)
    step = max(1, cell // SAMPLES_ACROSS)
    mesh_statistics(image, cell, step, background, noise)
    coarse = _without_steps(image, cell, background, noise)
    known = np.isfinite(background) & (noise > 0)
    if not known.any():
        known = np.isfinite(background)
        noise[known] = _noise_of_steps(image)
        coarse = True
        if not (noise[known] > 0).any():
            return None
    if not known.all():  # the nearest known cell stands in
        nearest = scipy.ndimage.distance_transform_edt(~known, return_indices=True)[1]
        background, noise = background[tuple(nearest)], noise[tuple(nearest)]
    # A median over 3x3 cells takes out cells that a bright star or a galaxy fills.
    return Mesh(
        cell,
        scipy.ndimage.median_filter(background, 3, mode="nearest"),
        scipy.ndimage.median_filter(noise, 3, mode="nearest"),
        coarse,
    )


def _without_steps(image: Float32, cell: int, background: Float32, noise: Float32) -> bool:
    """Measure a mesh anew, and tell so, where the noise is below the step between integers.

    There medians and MADs are whole steps. Mean and standard deviation of what lies within three
    steps of the median stand in; no noise is less than that of rounding. Above one step medians are
    kept: up to two steps they are still right to half a step, and MADs to half their value.
    """
    step = value_step(image)
    known = np.isfinite(background)
    if step == 0 or not known.any() or np.median(noise[known]) > 1.5 * step:
        return False
    means, deviations = background.copy(), noise.copy()
    for row, column in np.argwhere(known):
        # The last cells take what is left over, as in `mesh_statistics`.
        bottom = None if row == len(background) - 1 else (row + 1) * cell
        right = None if column == background.shape[1] - 1 else (column + 1) * cell
        pixels = image[row * cell : bottom, column * cell : right]
        near = pixels[np.abs(pixels - np.median(pixels[np.isfinite(pixels)])) <= 3 * step]
        means[row, column] = near.mean(dtype=np.float64)
        deviations[row, column] = max(near.std(dtype=np.float64), ROUNDING * step)
    if np.median(deviations[known]) >= step:
        return False
    background[...], noise[...] = means, deviations
    return True


def _noise_of_steps(image: Float32) -> float:
    """Return the noise of a frame that has less of it than its integers have steps, or 0."""
    rows = image[:: -(-image.size // STEP_SAMPLES)]
    steps = np.abs(rows[:, 1:] - rows[:, :-1]).ravel()
    steps = steps[np.isfinite(steps)]
    return quantized_sigma(steps) / float(np.sqrt(2)) if steps.size else 0.0
