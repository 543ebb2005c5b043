"""How much noisier a result is than the noise and weights of the survivors tell.

Where outliers are looked for in pure noise, good samples are rejected too, and not at random: the
survivors' mean varies more than that of as many samples picked blindly. For the median of a stack
it is pi / 2 times the variance of the mean. Instead of a table for each algorithm, number of frames
and choice of limits, stacks of Gaussian noise go through the integration itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lightframe.frames._pixels import Window
from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration_tiles import ChannelTerms, Recipe, TileWorker
from lightframe.processes._local_normalization import LocalFields

__all__ = ["with_calibrated_variance"]

_SEED = 6174
_MOST_STACKS = 1 << 15
"""Their variance is good to 0.8 percent."""
_FEWEST_STACKS = 1 << 11
_MOST_SAMPLES = 1 << 22

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Noise:
    """A frame in memory, one row."""

    pixels: F32
    height: int = 1
    by_rows: bool = True

    @property
    def channels(self) -> int:
        return len(self.pixels)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return self.pixels.dtype

    def read(self, window: Window, out: npt.NDArray[np.generic]) -> None:
        out[:, 0] = self.pixels[:, window.x0 : window.x1]

    def close(self) -> None:
        """Nothing is open."""


def with_calibrated_variance(recipe: Recipe, statistics: Sequence[FrameStatistics]) -> Recipe:
    """Make the predicted variance that of the results of Gaussian noise.

    The noise of each frame goes through normalization, rejection and combination; the variances in
    the recipe are multiplied by the mean square of what comes out over the root of the prediction.

    Parameters
    ----------
    recipe : Recipe
        Its variances are those of a sum of independent samples.
    statistics : sequence of FrameStatistics
        Level and noise of the frames.
    """
    frames, channels = len(statistics), len(recipe.channels)
    stacks = min(_MOST_STACKS, max(_FEWEST_STACKS, _MOST_SAMPLES // (frames * channels)))
    rng = np.random.default_rng(_SEED)
    sources = []
    for one in statistics:
        noise = rng.standard_normal((channels, stacks), np.float32)
        pixels = noise * one.noise[:, None] + one.location[:, None]
        sources.append(_Noise(pixels.astype(np.float32)))
    simulated = replace(recipe, local=_level_fields(recipe, statistics))
    worker = TileWorker(frames, channels, (1, stacks), np.dtype(np.float32), simulated)
    window = Window(0, 1, 0, stacks)
    worker.read(sources, window)
    calibrated = []
    for channel, terms in enumerate(recipe.channels):
        maps = worker.integrate(channel, window).astype(np.float64)
        known = maps[4] > 0
        residuals = (maps[0][known] - maps[0][known].mean()) / np.sqrt(maps[4][known])
        calibrated.append(_scaled(terms, float(np.mean(residuals**2)) if known.any() else 1.0))
    return replace(recipe, channels=tuple(calibrated))


def _level_fields(recipe: Recipe, statistics: Sequence[FrameStatistics]) -> LocalFields | None:
    """Return fields without structure that bring all frames to one level."""
    if recipe.local is None:
        return None
    nodes = np.empty((*recipe.local.nodes.shape[:3], 5, 5), np.float32)
    for channel, fields in enumerate(recipe.local.nodes):
        scale = fields[:, 0].mean(axis=(1, 2))
        level = np.array([s.location[channel] for s in statistics])
        nodes[channel, :, 0] = scale[:, None, None]
        nodes[channel, :, 1] = (level[0] - level * scale)[:, None, None]
    return LocalFields(nodes, np.array([-2.0, 1.0, -2.0 * _MOST_STACKS, 2.0 * _MOST_STACKS]))


def _scaled(terms: ChannelTerms, ratio: float) -> ChannelTerms:
    columns = terms.terms.copy()
    columns[:, 5] *= ratio
    return replace(terms, terms=columns)
