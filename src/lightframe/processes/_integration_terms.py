"""What the samples of a tile are compared and combined with, channel by channel."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float32, Float64
from lightframe.frames._pixels import Window
from lightframe.kernels._local import BEYOND, apply_fields
from lightframe.processes._combination import Combination
from lightframe.processes._local_normalization import LocalFields
from lightframe.processes._rejection import Rejector
from lightframe.processes._rejection_limits import RejectionLimits

__all__ = ["ChannelTerms", "Recipe", "localized"]

_UNLIMITED = np.array([np.nan, np.nan], np.float32)
"""Limits that no sample is at or beyond, not even an infinite one, which stays missing."""


@dataclass(frozen=True, slots=True)
class ChannelTerms:
    """What the samples of one channel are compared and combined with.

    Attributes
    ----------
    norm : ndarray, shape (frames, 4), float32
        m, s_low, s_high, z of the rejection normalization.
    terms : ndarray, shape (frames, 6), float64
        a and b of the output normalization, w * a, w * b, weight w, and variance of w * a * x.
    factors : ndarray, shape (frames,), float64
        What the output normalization multiplies each frame by, in the mean.
    level : float
        Background of the result.
    photons : ndarray, shape (frames, 6), float64, or None
        Like `terms`, made so that the sum over a pixel's raw samples is the variance that the
        photons add to that of the background.
    area_variance : float
        By what the variance of a sum over an area exceeds that of as many independent pixels.
    """

    norm: Float32
    terms: Float64
    factors: Float64
    level: float = 0.0
    photons: Float64 | None = None
    area_variance: float = 1.0

    @property
    def plain(self) -> bool:
        """Whether samples are compared as they are."""
        return bool((self.norm == np.array([0, 1, 1, 0], np.float32)).all())

    @property
    def combined_as_compared(self) -> bool:
        """Whether samples are both compared and combined as they are."""
        return self.plain and bool((self.terms[:, :2] == np.array([1.0, 0.0])).all())


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what becomes of a tile.

    Attributes
    ----------
    channels : tuple of ChannelTerms
        One a channel.
    range_limits : ndarray, shape (2,), float32
        Raw samples at or beyond these are rejected.
    rejection : str
        Name of the algorithm.
    rejector, limits
        The algorithm and its parameters.
    combination : Combination
        How survivors become one value.
    local : LocalFields or None
        Fields of local normalization, where it is used.
    compares_locally, combines_locally : bool
        Whether samples are brought to the reference by them before outliers are looked for, and
        before they are combined.
    """

    channels: tuple[ChannelTerms, ...]
    range_limits: Float32
    rejection: str
    rejector: Rejector
    limits: RejectionLimits
    combination: Combination
    local: LocalFields | None = None
    compares_locally: bool = False
    combines_locally: bool = False


def localized(
    recipe: Recipe, place: tuple[int, Window, int], pixels: int, raw: Float32, work: Float32
) -> tuple[Float32, Float32, Float32]:
    """Apply the fields of local normalization to a chunk.

    Parameters
    ----------
    recipe : Recipe
        With fields.
    place : tuple of int, Window and int
        Channel, window of the tile, and index of the chunk's first pixel in the tile.
    pixels : int
        Pixels of the chunk.
    raw : ndarray, shape (frames, >= pixels), float32
        Its samples.
    work : ndarray, shape (2, frames, >= pixels), float32
        Receives results.

    Returns
    -------
    stack, compared : ndarray, shape (frames, >= pixels), float32
        Samples to combine and to compare.
    limits : ndarray, shape (2,), float32
        Range limits of `compared`. A raw sample out of range is out of range there, but has its
        value in `stack`, for the median of stacks that lose all their samples.
    """
    channel, window, start = place
    fields, limits = recipe.local, recipe.range_limits
    if fields is None:
        return raw, raw, limits
    corner = (window.y0, window.x0, start)
    nodes, columns = fields.nodes[channel], window.shape[1]

    def localize(limits: Float32, out: Float32) -> Float32:
        apply_fields(raw, 0, pixels, corner, columns, nodes, fields.geometry, limits, out)
        return out

    local = localize(_UNLIMITED, work[0])
    if not recipe.compares_locally:
        return local, raw, limits
    compared = local
    if not np.isinf(limits).all():
        compared = localize(limits, work[1])
        limits = np.array([-BEYOND, BEYOND], np.float32)
    return (local if recipe.combines_locally else raw), compared, limits
