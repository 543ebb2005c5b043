"""Whether the flat fits, and on whose side the fault lies (T2).

A light that still holds an additive error ``p`` (a bias that was never subtracted: p > 0; one
subtracted twice: p < 0) becomes ``C = S + p / V`` when it is divided by the flat response ``V``. A
flat that holds a share ``b`` of its level too much has the response ``V' = (V + b) / (1 + b)``, and
``C = S V / V' = S (1 + b) - b S / V'``. Both follow the reciprocal of the flat that was used, so

    C = a + q / V'                      in each light (T1), q > 0 is over-correction,
    q = p (1 + b) - b m                 over the lights (T2), m their background level:

a fault of the lights does not grow with the sky, one of the flat does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64
from lightframe.processes._flat_fit import FlatFit

__all__ = ["FlatVerdict", "flat_verdict"]


_LEAST_FRAMES = 3


@dataclass(frozen=True, slots=True)
class FlatVerdict:
    """What the lights of one flat say together (T2).

    Attributes
    ----------
    q_dn, sigma_dn : float
        Mean of what follows the flat in the lights, and its error.
    level_dn, leverage : float
        Means of the lights.
    additive_dn, additive_sigma_dn : float
        p: left in the lights, whatever the sky; the fault of the lights.
    flat_error, flat_error_sigma : float
        b: too much in the flat as a part of its level; the fault of the flat.
    sky_spread : float
        Spread (rms) of the lights' levels as a part of their mean.
    frames : int
        Lights that were used.
    pixel_share : float
        Share of what q rests on that is the sensitivity of single pixels; see `FlatFit`.
    """

    q_dn: float
    sigma_dn: float
    level_dn: float
    leverage: float
    additive_dn: float
    additive_sigma_dn: float
    flat_error: float
    flat_error_sigma: float
    sky_spread: float
    frames: int
    pixel_share: float = 1.0

    @property
    def sky_dn(self) -> float:
        """Background without what follows the flat."""
        return self.level_dn - self.q_dn

    @property
    def effect(self) -> float:
        """Unevenness left in the background as a part of it; positive where edges are too bright.

        The part is of the larger of sky and fault: a fault may be all there is.
        """
        return self.q_dn * self.leverage / max(abs(self.sky_dn), abs(self.q_dn), 1e-9)


def flat_verdict(fits: Sequence[FlatFit]) -> FlatVerdict | None:
    """Separate what is wrong with the lights from what is wrong with the flat.

    Least squares of q on the level, with weights ``1 / sigma^2``; slope ``-b``, intercept
    ``p (1 + b)``. The errors are the larger of those expected and those found around the line.

    Parameters
    ----------
    fits : sequence of FlatFit
        Of lights that share a flat and are calibrated alike.

    Returns
    -------
    FlatVerdict or None
        None for no lights. With fewer than three lights, or none that differ in their level, both
        parts are NaN.
    """
    if not fits:
        return None
    q = np.array([fit.q_dn for fit in fits])
    sigma = np.array([fit.sigma_dn for fit in fits])
    level = np.array([fit.level_dn for fit in fits])
    common = float(np.median([fit.common_dn for fit in fits]))
    own = np.sqrt(np.maximum(sigma**2 - common**2, 0.1 * sigma**2))
    weights = own**-2 / np.sum(own**-2)
    mean = float(weights @ q)
    error = float(np.sqrt(1 / np.sum(own**-2) * max(1.0, np.mean(((q - mean) / own) ** 2))))
    parts = _line(level, q, own, common) if len(fits) >= _LEAST_FRAMES else None
    additive, additive_sigma, share, share_sigma = parts or (float("nan"),) * 4
    return FlatVerdict(
        q_dn=mean,
        sigma_dn=float(np.hypot(error, common)),
        level_dn=float(weights @ level),
        leverage=float(np.mean([fit.leverage for fit in fits])),
        additive_dn=additive,
        additive_sigma_dn=additive_sigma,
        flat_error=share,
        flat_error_sigma=share_sigma,
        sky_spread=float(level.std() / max(abs(level.mean()), 1e-9)),
        frames=len(fits),
        pixel_share=float(weights @ [fit.pixel_share for fit in fits]),
    )


def _line(
    level: Float64, q: Float64, sigma: Float64, common: float
) -> tuple[float, float, float, float] | None:
    """Return p, its error, b, its error; None where the levels do not differ."""
    centre = float(np.average(level, weights=sigma**-2))
    x = level - centre
    if float(np.std(x)) <= 1e-6 * max(abs(centre), 1.0):
        return None
    design = np.stack([np.ones_like(x), x], axis=1) / sigma[:, None]
    inverse = np.linalg.inv(design.T @ design)
    middle, slope = inverse @ design.T @ (q / sigma)
    chi2 = float(np.sum(((q - middle - slope * x) / sigma) ** 2)) / max(1, len(q) - 2)
    inverse *= max(1.0, chi2)
    share = -float(slope)
    intercept = float(middle - slope * centre)
    variance = inverse[0, 0] + centre**2 * inverse[1, 1] + common**2
    # What the lights share is mostly the flat's noise: it goes with the sky.
    relative = common / max(abs(centre), 1e-9)
    return (
        intercept / (1.0 + share),
        float(np.sqrt(variance)) / abs(1.0 + share),
        share,
        float(np.hypot(np.sqrt(inverse[1, 1]), relative)),
    )
