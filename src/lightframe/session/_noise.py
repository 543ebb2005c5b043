"""Noise by colour, as the records of a run have it, and the gains of frames."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lightframe.frames import CfaPattern, FrameInfo, PixelSource
from lightframe.processes import IntegrationSettings, evaluate_noise

__all__ = ["colour_noise", "frame_gains"]

_SAMPLED_PIXELS = 1 << 20
"""Enough for 0.1 percent."""


def colour_noise(
    planes: npt.NDArray[np.float32] | PixelSource,
    cfa: CfaPattern | None,
    *,
    sample_pixels: int = _SAMPLED_PIXELS,
) -> tuple[float, ...]:
    """Return the noise in DN of each channel, or of red, green and blue of a mosaic.

    The two greens of a Bayer mosaic are averaged in quadrature.
    """
    estimate = evaluate_noise(planes, cfa, sample_pixels=sample_pixels)
    squares: dict[str, list[float]] = defaultdict(list)
    for name, sigma in zip(estimate.planes, estimate.sigma_dn, strict=True):
        squares[name[:1] if cfa is not None else name].append(sigma**2)
    return tuple(float(np.sqrt(np.mean(values))) for values in squares.values())


def frame_gains(
    infos: Sequence[FrameInfo], settings: IntegrationSettings
) -> npt.NDArray[np.float64] | None:
    """Return e-/DN of each frame, as the settings or the headers state it; None if one is unknown.

    Parameters
    ----------
    infos : sequence of FrameInfo
        Headers.
    settings : IntegrationSettings
        Its `photon_gain` overrules them.
    """
    stated = [settings.photon_gain or info.egain for info in infos]
    known = [gain for gain in stated if gain]
    return np.array(known, np.float64) if len(known) == len(stated) else None
