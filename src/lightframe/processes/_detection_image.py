"""The image that stars are detected in: one plane, whatever the colours of the frame."""

# ruff: noqa: PLR2004  (the numbers are those of the formulas)

from functools import cache

import numpy as np

from lightframe.arrays import Float32, Float64, as_planes
from lightframe.frames._cfa import CfaPattern
from lightframe.kernels._luminance import convolve_cell, subtract_spikes
from lightframe.processes._estimators import quantized_sigma

__all__ = ["detection_image", "sample_colours", "smoothing_variance"]


LUMINANCE = (0.25, 0.5, 0.25)
"""Shares of red, green and blue; those that a Bayer cell has by its number of pixels."""

BLOCK = 480
"""Pixels over which the weights are laid out for the vector loops, a multiple of every period."""

SAMPLES = 200_000
"""Pixels of a colour from which its background and noise are estimated."""


@cache
def cell_weights(cfa: CfaPattern) -> Float64:
    """Return the weights (period, period, k, k) that turn the mosaic into luminance.

    At every place of the cell each colour is estimated by local linear regression of its pixels in
    the k x k neighbourhood, weighted by a small round window; the estimates are added with the
    shares of `LUMINANCE`. So every colour has the same weight everywhere, and the first moment of
    each colour's weights is zero: no checkerboard, and no shift. For a Bayer cell the result is
    (1 2 1) x (1 2 1) / 16 at all places.
    """
    period = cfa.period
    half = 1 if period == 2 else 2
    offset = np.arange(-half, half + 1)
    if period == 2:
        window = np.outer([1, 2, 1], [1, 2, 1]) / 16
    else:
        window = np.exp(-0.5 * (offset[:, None] ** 2 + offset**2) / 1.2**2)
    dy, dx = np.meshgrid(offset, offset, indexing="ij")
    planes = cfa.planes()
    weights = np.zeros((period, period, offset.size, offset.size))
    for y, x in np.ndindex(period, period):
        colours = planes[(y + dy) % period, (x + dx) % period]
        for colour, share in enumerate(LUMINANCE):
            here = colours == colour
            terms = np.stack((np.ones(here.sum()), dx[here], dy[here]), axis=1)
            weighted = terms * window[here][:, None]
            # The pseudo-inverse: of a single central pixel only the mean is determined.
            estimate = np.linalg.pinv(terms.T @ weighted, rcond=1e-9, hermitian=True) @ weighted.T
            weights[y, x][here] += share * estimate[0]
    return weights


@cache
def _laid_out(cfa: CfaPattern) -> Float32:
    """Return the weights as `convolve_cell` wants them: (period, k, k, n)."""
    tiled = np.moveaxis(cell_weights(cfa), 1, 3)
    return np.ascontiguousarray(np.tile(tiled, (1, 1, 1, BLOCK // cfa.period)), np.float32)


def smoothing_variance(cfa: CfaPattern | None) -> float:
    """Return the variance in px^2, per axis, by which `detection_image` widens the stars."""
    if cfa is None:
        return 0.0
    weights = cell_weights(cfa)
    half = weights.shape[-1] // 2
    offset = np.arange(-half, half + 1)
    along_x = (weights * offset**2).sum(axis=(2, 3)).mean()
    along_y = (weights * offset[:, None] ** 2).sum(axis=(2, 3)).mean()
    return float(along_x + along_y) / 2


def sample_colours(planes: Float32, cfa: CfaPattern | None) -> list[tuple[Float32, Float32]]:
    """Sample each colour: pixel values, and differences to a pixel of the same colour nearby.

    Parameters
    ----------
    planes : (c, h, w) float32
        The frame.
    cfa : CfaPattern or None
        Its colours, phased at its origin.

    Returns
    -------
    list of (values, differences)
        One pair a colour in the order R, G, B, or one pair for a mono frame; missing left out.
    """
    samples = []
    step = 2 if cfa is None else cfa.period
    colours = range(len(planes)) if cfa is None else range(3)
    cell = np.zeros((step, step), np.uint8) if cfa is None else cfa.planes()
    for colour in colours:
        plane = planes[colour if cfa is None else 0]
        places = np.argwhere(cell == (colour if cfa is not None else 0))
        every = max(1, round(plane.size * len(places) / step**2 / SAMPLES))
        values, differences = [], []
        for y, x in places:
            chosen = plane[y :: step * every, x::step]
            values.append(chosen.ravel())
            differences.append((chosen[:, 1:] - chosen[:, :-1]).ravel())
        value, difference = np.concatenate(values), np.concatenate(differences)
        samples.append((value[np.isfinite(value)], difference[np.isfinite(difference)]))
    return samples


def detection_image(planes: Float32, cfa: CfaPattern | None) -> Float32:
    """Return one plane in which stars can be detected, of the geometry of the frame.

    A mono frame is returned as it is. Of an RGB frame it is the luminance (R + 2 G + B) / 4. Of a
    CFA frame it is the luminance of the neighbourhood of each pixel (see `cell_weights`): constant
    where every colour is constant, centres not moved, stars widened by `smoothing_variance`, noise
    correlated between neighbours. Single bright pixels are taken out first, for the smoothing would
    make stars of them.

    Parameters
    ----------
    planes : (c, h, w) or (h, w) float32
        The calibrated frame in DN; NaN is missing and spreads over the kernel.
    cfa : CfaPattern or None
        Colours of a one-plane frame, phased at its origin.

    Returns
    -------
    (h, w) float32
        In DN; NaN at the edge where the kernel does not fit (1 pixel for Bayer, 2 for X-Trans).

    Raises
    ------
    ValueError
        If there are other than one or three planes, or several of a CFA frame.
    """
    planes = as_planes(planes)
    if cfa is None:
        if len(planes) == 1:
            plane: Float32 = planes[0]
            return plane
        if len(planes) != 3:
            raise ValueError(f"a frame has 1 or 3 planes, not {len(planes)}")
        red, green, blue = (
            np.float32(share) * plane for share, plane in zip(LUMINANCE, planes, strict=True)
        )
        return np.asarray(red + green + blue, np.float32)
    if len(planes) != 1:
        raise ValueError(f"a CFA frame has one plane, not {len(planes)}")
    mosaic = np.ascontiguousarray(planes[0], np.float32)
    weights = _laid_out(cfa)
    out = np.empty_like(mosaic)
    convolve_cell(mosaic, weights, out)
    levels, sigmas = np.zeros(3, np.float32), np.full(3, np.inf, np.float32)
    for colour, (values, differences) in enumerate(sample_colours(planes, cfa)):
        if differences.size:
            levels[colour] = np.median(values)
            sigmas[colour] = quantized_sigma(np.abs(differences)) / np.sqrt(2)
    cell = cfa.planes()
    subtract_spikes(mosaic, levels[cell], sigmas[cell], weights, out)
    return out
