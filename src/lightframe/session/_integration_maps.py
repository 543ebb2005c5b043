"""The maps that are written beside an integrated image."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lightframe.processes import Integration

__all__ = ["IntegrationMap", "integration_maps"]


class IntegrationMap(NamedTuple):
    """A map of an integration.

    Attributes
    ----------
    name : str
        Of its extension.
    pixels : ndarray, shape (channels, height, width), float32
        Its values.
    meaning : str
        What they are, in words.
    """

    name: str
    pixels: npt.NDArray[np.float32]
    meaning: str


def integration_maps(result: Integration) -> list[IntegrationMap]:
    """Return the maps that there are: settings and algorithm decide."""
    rows = (
        ("WEIGHT", result.weight, "coverage: sum of the weights of the pixel's frames"),
        ("REJ_LOW", result.rejected_low, "fraction of the frames rejected as too dark"),
        ("REJ_HIGH", result.rejected_high, "fraction of the frames rejected as too bright"),
        ("SLOPE", result.slope, "slope of the line through the sorted samples, DN"),
        ("VARIANCE", result.variance, "variance that the frames' noise predicts, DN^2"),
    )
    return [
        IntegrationMap(name, pixels, meaning)
        for name, pixels, meaning in rows
        if pixels is not None
    ]
