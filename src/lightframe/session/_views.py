"""What pictures of calibrated lights are made of, gathered from what pass 1 has seen of them."""

from collections.abc import Sequence

import numpy as np

from lightframe.arrays import Float32, Float64, Int64
from lightframe.checks import LightViews
from lightframe.session._lights import MeasuredLight

__all__ = ["views_of"]


_LIGHTS = 24
"""Most lights that are looked at, spread over the set."""
_HOT = 200
"""Hot pixels that are shown."""
_PLACES = 4000
"""Places of the pattern that are looked at."""


def views_of(members: Sequence[MeasuredLight], unknown_hot: Int64 | None = None) -> LightViews:
    """Gather what pictures of the lights of one assignment are made of.

    Parameters
    ----------
    members : sequence of MeasuredLight
        The lights, in the order of time.
    unknown_hot : ndarray of int64, optional
        Flat indices of pixels that are hot in nearly all of them, and not in the dark.
    """
    chosen = members[:: -(-len(members) // _LIGHTS)]
    tiles = [light.glimpse.tiles for light in chosen]
    probe = members[0].treatment.probe
    calibration = members[0].treatment.calibration
    fits = (light.glimpse.flat_fit for light in members)
    return LightViews(
        background=_median([_mean_of_colours(tile.values) for tile in tiles]),
        reciprocal=None if probe.flat is None else _mean_of_colours(probe.flat.tiles.values),
        flat_fits=tuple(fit for fit in fits if fit is not None),
        glow=probe.glow,
        pattern=_halves([light.glimpse.pattern for light in chosen]),
        values=np.concatenate([light.glimpse.sample for light in chosen]),
        unknown_hot=_places(unknown_hot, calibration.width),
        width=calibration.width,
        aspect=calibration.height / calibration.width,
    )


def _places(flat: Int64 | None, width: int) -> Int64:
    """Return column and row of some pixels."""
    chosen = np.empty(0, np.int64) if flat is None else flat[:: max(1, flat.size // _HOT)]
    return np.stack([chosen % width, chosen // width], axis=1)


def _mean_of_colours(values: Float32) -> Float64:
    return np.asarray(np.mean(values.astype(np.float64), axis=0))


def _median(maps: Sequence[Float64]) -> Float64:
    return np.asarray(np.median(maps, axis=0))


def _halves(samples: Sequence[Float32]) -> tuple[Float32, Float32] | None:
    """Return the means of every other light at places that all of them have."""
    if len(samples) < 2 or len({sample.size for sample in samples}) > 1:  # noqa: PLR2004 - halves
        return None
    every = max(1, samples[0].size // _PLACES)
    stack = np.stack([sample[::every] for sample in samples])
    stack = stack[:, np.isfinite(stack).all(axis=0)]
    return stack[0::2].mean(axis=0), stack[1::2].mean(axis=0)
