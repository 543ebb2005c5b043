"""How frames are brought onto the reference."""

from typing import Annotated

from pydantic import Field

from lightframe.processes._transforms import MODELS
from lightframe.settings import OneOf, Settings

__all__ = ["RegistrationSettings"]


class RegistrationSettings(Settings):
    """How frames are brought onto the reference."""

    model: Annotated[str, OneOf(MODELS)] = "projective"
    """Kind of transform."""

    min_pairs: Annotated[int, Field(ge=4, le=1000)] = 6
    """Fewest stars that frame and reference must have in common."""

    max_stars: Annotated[int, Field(ge=10, le=100_000)] = 3000
    """Only the brightest so many stars of each frame are matched."""

    tolerance_px: Annotated[float, Field(gt=0.0, le=50.0)] = 2.0
    """Stars of a pair may be apart by this many pixels of the reference after the transform."""

    max_scale: Annotated[float, Field(ge=1.0, le=10.0)] = 2.2
    """Largest ratio of the image scales of frame and reference, either way."""

    allow_mirrored: bool = False
    """Whether a mirror-inverted frame is registered; else it is refused with that reason."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the random samples of RANSAC; the same seed gives the same result."""
