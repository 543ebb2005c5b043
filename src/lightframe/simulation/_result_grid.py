"""Where the pixels of a result lie on the sky and in the lights."""

from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Bool, Float64
from lightframe.simulation._shots import Shot
from lightframe.simulation._truth import Truth

__all__ = ["ResultGrid"]


_EDGE_PX = 12.0
"""Distance from the edge of any light within which nothing is judged."""


@dataclass(frozen=True, slots=True)
class ResultGrid:
    """Where the pixels of a result lie, and which lights see them."""

    truth: Truth
    lights: tuple[Shot, ...]
    matrix: Float64
    """Pixel of the result -> pixel of the truth's grid."""
    shape: tuple[int, int]

    @property
    def area(self) -> float:
        """Raw pixels per pixel of the result."""
        return abs(float(np.linalg.det(self.matrix[:2, :2])))

    def in_frame(self, shot: Shot) -> Float64:
        """Return the matrix pixel of the result -> pixel of a light."""
        size = self.truth.session.sensor.shape
        return np.asarray(np.linalg.inv(shot.pointing.matrix(*size)) @ self.matrix)

    def covered(self, x: Float64, y: Float64) -> Bool:
        """Return which places of the result all lights see, well inside their edges."""
        height, width = self.truth.session.sensor.shape
        inside = np.ones(np.broadcast(x, y).shape, bool)
        for shot in self.lights:
            to_frame = self.in_frame(shot)
            u = to_frame[0, 0] * x + to_frame[0, 1] * y + to_frame[0, 2]
            v = to_frame[1, 0] * x + to_frame[1, 1] * y + to_frame[1, 2]
            inside &= (u >= _EDGE_PX) & (u <= width - 1 - _EDGE_PX)
            inside &= (v >= _EDGE_PX) & (v <= height - 1 - _EDGE_PX)
        return inside

    def gradient(self) -> Float64:
        """Return a, b, c of the lights' mean gradient ``a x + b y + c``, relative to the sky."""
        height, width = self.truth.session.sensor.shape
        total = np.zeros(3)
        for shot in self.lights:
            to_frame = self.in_frame(shot)
            x = to_frame[0] / (0.5 * (width - 1)) - np.array([0.0, 0.0, 1.0])
            y = to_frame[1] / (0.5 * (height - 1)) - np.array([0.0, 0.0, 1.0])
            total += shot.sky_factor * (shot.gradient[0] * x + shot.gradient[1] * y)
        return total / len(self.lights)
