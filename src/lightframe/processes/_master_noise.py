"""The noise that a master adds to a result, and how many frames would be enough (guide, 6).

A pixel of light i is ``L_i - c_i m``, with the noise ``sigma_i`` of the light alone, and the noise
``m`` (standard deviation ``sigma_m``) of the same pixel of the master, common to all lights.
The result is a weighted sum with weights ``w_i`` (normalization included):

    own variance    O = sum_i w_i^2 sigma_i^2
    added variance  A = sigma_m^2 sum_ij w_i c_i w_j c_j rho_ij
    added noise         sqrt(1 + A / O) - 1

``rho_ij`` is the overlap of the master's pixels that come to lie on one pixel of the result: 1 for
lights that show the same field, whose mean averages their own noise, but not the master's; 0 for
lights dithered by more than a pixel, which average both alike. In between it is the overlap of two
squares, ``max(0, 1 - |dx| / e) max(0, 1 - |dy| / e)``, with the extent ``e`` of a pixel's reach:
one pixel, or the distance between pixels of a colour.

What one pixel of the master costs a light, ``c_i``:

==============================================  ==============================================
Master                                          ``c_i``
==============================================  ==============================================
dark                                            dark scaling factor k
bias, with a scaled dark that contained it      1 - k
bias, with a dark that does not, or without     1
flat (sigma_m relative to its level)            level of the calibrated light (sky)
bias or flat-dark of the flats                  - level of the light over level of the flat
==============================================  ==============================================

The variance of a master falls with its frames: N frames that add A need ``N A / A'`` to add A'.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightframe.arrays import Float64

__all__ = ["AddedNoise", "LightStack", "added_noise", "own_noise"]


_LEAST_OWN = 0.01
"""Part of a light's variance that is its own at the least: noise cannot be measured better."""


@dataclass(frozen=True, slots=True)
class LightStack:
    """Registered lights that are averaged.

    Attributes
    ----------
    weights : ndarray of float64, shape (n,)
        Weight times normalization factor of each light; any unit.
    noise_dn : ndarray of float64, shape (n,)
        Noise of each light without its masters, see `own_noise`, DN.
    positions : ndarray of float64, shape (points, n, 2)
        Where some pixels of the result lie in each light, x and y. One point does unless the field
        rotates.
    extent_px : float
        Pixels over which a pixel of a master spreads: 1, or the distance of pixels of a colour.
    """

    weights: Float64
    noise_dn: Float64
    positions: Float64
    extent_px: float = 1.0

    def independent(self) -> float:
        """Return how many lights with noise of their own average a master's noise as well.

        1 for lights that are not dithered, their number for lights that all are; only weights and
        positions decide.
        """
        total = float(np.sum(self.weights)) ** 2
        return total / self.common(self.weights)

    def common(self, loads: Float64) -> float:
        """Return ``sum_ij u_i u_j rho_ij``, averaged over the points.

        Parameters
        ----------
        loads : ndarray of float64, shape (n,)
            Weight times cost of each light.
        """
        total = 0.0
        for places in self.positions:
            # One light against all: the matrix of a thousand lights need not be kept.
            for load, place in zip(loads, places, strict=True):
                overlap = np.maximum(0.0, 1.0 - np.abs(places - place) / self.extent_px)
                total += load * float(np.sum(loads * overlap[:, 0] * overlap[:, 1]))
        return total / len(self.positions)


@dataclass(frozen=True, slots=True)
class AddedNoise:
    """What a master adds to the noise of a result.

    Attributes
    ----------
    fraction : float
        Noise with the master over noise without it, less one.
    frames_needed : int or None
        Frames of the master with which it would be at the limit; None where its frames are unknown.
    """

    fraction: float
    frames_needed: int | None


def added_noise(
    stack: LightStack,
    sigma_dn: float,
    costs: Sequence[float] | Float64,
    *,
    frames: int | None = None,
    limit: float = 0.05,
) -> AddedNoise:
    """Work out what one master adds to one result.

    Parameters
    ----------
    stack : LightStack
        The lights.
    sigma_dn : float
        Noise of a pixel of the master, DN; for a flat relative to its level.
    costs : sequence of float, shape (n,)
        ``c_i`` of each light, see the module's table; 0 where the master does not serve it.
    frames : int, optional
        Frames of the master.
    limit : float
        Added noise to be reached, e.g. 0.05 for 5 percent.

    Returns
    -------
    AddedNoise
        `frames_needed` is at least 1 and may be less than `frames`.
    """
    own = float(np.sum(np.square(stack.weights * stack.noise_dn)))
    added = sigma_dn**2 * stack.common(stack.weights * np.asarray(costs, np.float64))
    ratio = max(0.0, added) / own if own > 0 else float("inf")
    fraction = float(np.sqrt(1.0 + ratio) - 1.0)
    if frames is None or not np.isfinite(ratio):
        return AddedNoise(fraction, None)
    needed = frames * ratio / ((1.0 + limit) ** 2 - 1.0)
    # A hair less than a whole number is that number.
    return AddedNoise(fraction, max(1, int(np.ceil(needed * (1 - 1e-9)))))


def own_noise(noise_dn: float, masters: Sequence[tuple[float, float]]) -> float:
    """Return the noise of a calibrated light without that of its masters.

    Parameters
    ----------
    noise_dn : float
        Noise of the calibrated light, DN.
    masters : sequence of (float, float)
        Noise of each master and its cost.
    """
    variance = noise_dn**2 - sum((sigma * cost) ** 2 for sigma, cost in masters)
    return float(np.sqrt(max(variance, _LEAST_OWN * noise_dn**2)))
