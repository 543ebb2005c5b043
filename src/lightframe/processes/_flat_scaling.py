"""The master flat scaling factor s0, and the reciprocal of the scaled flat."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.errors import InputError
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.tables import Table

__all__ = ["FLAT_SCALINGS", "FlatScale", "flat_reciprocal", "flat_scale", "trimmed_mean"]

_F32 = npt.NDArray[np.float32]
_LEAST_FACTOR_DN = 1e-3
"""A flat scaled to 1 is the faintest in use; anything a thousand times fainter is empty."""

FLAT_SCALINGS: Table[Callable[[_F32, float], float]] = Table("flat scaling")


@FLAT_SCALINGS.add("trimmed-mean", "mean without the given fraction of pixels at each end")
def trimmed_mean(samples: _F32, fraction: float) -> float:
    """Return the symmetric trimmed mean.

    Parameters
    ----------
    samples : ndarray of float32
        Finite samples; reordered in place.
    fraction : float
        Share of the samples that is left out at each end, 0 to less than 0.5.

    Returns
    -------
    float
        Mean of the ``N - 2 t`` samples in the middle, ``t = floor(fraction N)``. Samples that are
        equal to the bounds are counted by rank, so repeated values (integer flats) do no harm.
    """
    count = samples.size
    cut = int(fraction * count)
    if cut == 0:
        return float(np.mean(samples, dtype=np.float64))
    samples.partition((cut, count - cut - 1))
    return float(np.mean(samples[cut : count - cut], dtype=np.float64))


@FLAT_SCALINGS.add("mean", "mean of all illuminated pixels")
def _mean(samples: _F32, fraction: float) -> float:
    del fraction
    return float(np.mean(samples, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class FlatScale:
    """The scaling factors of a master flat.

    Attributes
    ----------
    factors : tuple of float
        s0 in DN: one, one per channel, or one per CFA colour (red, green, blue).
    colours : tuple of str
        What each factor belongs to: ``("",)``, ``("0", "1", "2")`` or ``("R", "G", "B")``.
    missing : tuple of int
        Pixels that are zero, negative or NaN, one number a factor; they end as missing.
    """

    factors: tuple[float, ...]
    colours: tuple[str, ...]
    missing: tuple[int, ...]

    @property
    def missing_pixels(self) -> int:
        """Number of samples without a usable flat."""
        return sum(self.missing)


def flat_scale(
    flat: _F32, cfa: CfaPattern | None, *, scaling: str, trim: float, name: str = "master flat"
) -> FlatScale:
    """Measure s0 of a calibrated master flat (guide 8.1, 8.4).

    Parameters
    ----------
    flat : ndarray of float32, shape (channels, height, width)
        Calibrated master flat in DN.
    cfa : CfaPattern or None
        If given, one factor per colour, both greens together: the division by the flat then leaves
        the colour balance of the light alone. If None, one factor per channel.
    scaling : str
        A name of `FLAT_SCALINGS`.
    trim : float
        Fraction left out at each end by the trimmed mean.
    name : str
        For messages.

    Raises
    ------
    InputError
        If a factor is zero, negative or not a number: the flat is empty.
    """
    labels, groups = _groups(flat, cfa)
    measure = FLAT_SCALINGS[scaling]
    factors: list[float] = []
    missing: list[int] = []
    for label, parts in zip(labels, groups, strict=True):
        lit = [part[part > 0] for part in parts]
        samples = np.concatenate(lit) if len(lit) > 1 else lit[0]
        total = sum(part.size for part in parts)
        factor = measure(samples[np.isfinite(samples)], trim) if samples.size else 0.0
        if not np.isfinite(factor) or factor < _LEAST_FACTOR_DN:
            of = f" of {label}" if label else ""
            raise InputError(
                f"the flat is empty: scaling factor{of} {factor:.6g} DN,"
                f" {total - samples.size} of {total} pixels not above zero",
                where=name,
                cause="the flats were not illuminated, or more than their bias was subtracted",
                remedy="look at the flats and at what they were calibrated with",
            )
        factors.append(factor)
        missing.append(total - samples.size)
    return FlatScale(tuple(factors), labels, tuple(missing))


def _groups(
    flat: _F32, cfa: CfaPattern | None
) -> tuple[tuple[str, ...], list[list[npt.NDArray[np.float32]]]]:
    """Return the label and the pixels (as strided views) of each factor."""
    if cfa is None:
        labels = ("",) if len(flat) == 1 else tuple(str(channel) for channel in range(len(flat)))
        return labels, [[plane] for plane in flat]
    cell = cfa.planes()
    period = cfa.period
    present = sorted(set(cell.ravel().tolist()))
    return tuple(COLOURS[colour] for colour in present), [
        [flat[0, y::period, x::period] for y, x in np.argwhere(cell == colour).tolist()]
        for colour in present
    ]


def flat_reciprocal(flat: _F32, scale: FlatScale, cfa: CfaPattern | None) -> _F32:
    """Return ``s0 / flat``, NaN where the flat is zero, negative or missing.

    Parameters
    ----------
    flat : ndarray of float32, shape (channels, height, width)
        Calibrated master flat in DN.
    scale : FlatScale
        Its factors.
    cfa : CfaPattern or None
        The pattern the factors were measured with.

    Returns
    -------
    ndarray of float32, shape (channels, height, width)
    """
    width = flat.shape[2]
    gain = np.empty_like(flat)
    if cfa is None:
        cells = np.array(scale.factors, np.float64)[:, None, None]
    else:
        lookup = np.zeros(len(COLOURS))
        for colour, factor in zip(scale.colours, scale.factors, strict=True):
            lookup[COLOURS.index(colour)] = factor
        cells = lookup[cfa.planes()][None]
    period_y, period_x = cells.shape[1:]
    repeats = -(-width // period_x)
    with np.errstate(divide="ignore", invalid="ignore"):
        for channel, cell in enumerate(cells):
            for y in range(period_y):
                numerator = np.tile(cell[y], repeats)[:width].astype(np.float32)
                np.divide(numerator, flat[channel, y::period_y], out=gain[channel, y::period_y])
    # A positive numerator over zero is inf, over a negative flat negative: neither is a gain.
    np.copyto(gain, np.float32(np.nan), where=~((gain > 0) & (gain < np.inf)))
    return gain
