"""The predicted variance of a result: of its background, and of what is brighter.

Noise and weights of the survivors are not all. Where outliers are looked for in pure noise, good
samples are rejected too, and not at random: the survivors' mean varies more than that of as many
samples picked blindly. For the median of a stack it is pi / 2 times the variance of the mean.
Instead of a table for each algorithm, number of frames and choice of limits, stacks of Gaussian
noise go through the integration itself.

The noise of a frame is that of its background, sigma at the level m. A pixel of the frame that
expects x DN has the variance sigma^2 + (x - m) / g, with the gain g in e-/DN: read noise and sky
are in sigma. As this is linear, the samples themselves stand for what they are expected to be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lightframe.arrays import Float64
from lightframe.frames._array_source import ArraySource
from lightframe.frames._pixels import Window
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration_terms import ChannelTerms, Recipe
from lightframe.processes._integration_tiles import TileWorker
from lightframe.processes._local_normalization import LocalFields

__all__ = ["NoiseModel", "with_variance"]

_SEED = 6174
_MOST_STACKS = 1 << 15
"""Their variance is good to 0.8 percent."""
_FEWEST_STACKS = 1 << 11
_MOST_SAMPLES = 1 << 22


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """What the variance of a result is made of, beside the noise of its frames' background.

    Attributes
    ----------
    gain : ndarray, shape (frames,), float64, or None
        e-/DN of each frame, finite and positive; None where it is not known: then bright pixels
        have the variance of the background.
    area_variance : tuple of float
        For each channel, by what interpolation raised the variance of areas above that of
        independent pixels, see `lightframe.processes.debayer_area_variance`. Empty for 1.
    """

    gain: Float64 | None = None
    area_variance: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.gain is not None and not (np.isfinite(self.gain) & (self.gain > 0)).all():
            raise ValueError(f"gains are numbers of e-/DN above 0, not {self.gain.tolist()}")


def with_variance(
    recipe: Recipe, statistics: Sequence[FrameStatistics], model: NoiseModel, reference: int
) -> Recipe:
    """Make the predicted variance that of the results of Gaussian noise, and add photon noise.

    The noise of each frame goes through normalization, rejection and combination; the variances in
    the recipe are multiplied by the mean square of what comes out over the root of the prediction.

    Parameters
    ----------
    recipe : Recipe
        Its variances are those of a sum of independent samples.
    statistics : sequence of FrameStatistics
        Level and noise of the frames.
    model : NoiseModel
        Gains, and what interpolation does to areas.
    reference : int
        Index of the frame to whose level the others are brought.
    """
    frames, channels = len(statistics), len(recipe.channels)
    stacks = min(_MOST_STACKS, max(_FEWEST_STACKS, _MOST_SAMPLES // (frames * channels)))
    rng = np.random.default_rng(_SEED)
    sources = []
    for one in statistics:
        noise = rng.standard_normal((channels, stacks), np.float32)
        pixels = noise * one.noise[:, None] + one.location[:, None]
        sources.append(ArraySource(pixels.astype(np.float32)[:, np.newaxis]))
    simulated = replace(recipe, local=_level_fields(recipe, statistics, reference))
    worker = TileWorker(frames, channels, (1, stacks), np.dtype(np.float32), simulated)
    window = Window(0, 1, 0, stacks)
    worker.read(sources, window)
    areas = model.area_variance or (1.0,) * channels
    completed = []
    for channel, terms in enumerate(recipe.channels):
        maps = worker.integrate(channel, window).astype(np.float64)
        known = maps[4] > 0
        level = float(maps[0][known].mean()) if known.any() else 0.0
        residuals = (maps[0][known] - level) / np.sqrt(maps[4][known])
        ratio = float(np.mean(residuals**2)) if known.any() else 1.0
        columns = terms.terms.copy()
        columns[:, 5] *= ratio
        photons = None
        if model.gain is not None:
            location = np.array([one.location[channel] for one in statistics])
            photons = _photon_terms(terms, model.gain, location, ratio)
        completed.append(
            replace(
                terms,
                terms=columns,
                level=level,
                photons=photons,
                area_variance=areas[channel],
            )
        )
    return replace(recipe, channels=tuple(completed))


def _photon_terms(terms: ChannelTerms, gain: Float64, location: Float64, ratio: float) -> Float64:
    """Return terms whose weighted sum over raw samples x is that of (w a)^2 (x - m) / g."""
    weights = terms.terms[:, 4]
    per_dn = ratio * (weights * terms.factors) ** 2 / gain
    zeros = np.zeros_like(per_dn)
    return np.column_stack([zeros, zeros, per_dn, -per_dn * location, weights, zeros])


def _level_fields(
    recipe: Recipe, statistics: Sequence[FrameStatistics], reference: int
) -> LocalFields | None:
    """Return fields without structure that bring all frames to one level."""
    if recipe.local is None:
        return None
    nodes = np.empty((*recipe.local.nodes.shape[:3], 5, 5), np.float32)
    for channel, fields in enumerate(recipe.local.nodes):
        scale = fields[:, 0].mean(axis=(1, 2))
        level = np.array([s.location[channel] for s in statistics])
        nodes[channel, :, 0] = scale[:, None, None]
        nodes[channel, :, 1] = (level[reference] - level * scale)[:, None, None]
    return LocalFields(nodes, np.array([-2.0, 1.0, -2.0 * _MOST_STACKS, 2.0 * _MOST_STACKS]))
