"""Which pixels of a master dark decide its scaling factor, and their first wavelet layer."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from lightframe.arrays import Float32, Float64, Int64, UInt8, UInt16
from lightframe.frames._cfa import COLOURS, CfaPattern
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.kernels._wavelet import wavelet_at

__all__ = ["Selection", "Stencils", "WarmPixels", "WarmSamples", "select_warm_pixels"]

_Image = UInt16 | Float32

_MAX_PIXELS = 1 << 14
"""Warm pixels looked at in a light: enough for an uncertainty far below one percent."""
_MAX_TRANSFORMED = 1 << 20
"""Pixels above the threshold that are transformed at most, evenly taken from all of them."""
_SAMPLE = 1 << 20
"""Pixels from which levels of a whole frame are taken."""
_TOP = 0.9
"""Warm pixels above this share of the hottest may be saturated in the dark and are left out."""
_CEILING_REPEATS = 3
_CONTROL_SIGMA = 3.0


@dataclass(frozen=True, slots=True)
class Stencils:
    """Same-colour neighbours for every pixel of a colour cell (one cell of one pixel for mono).

    Attributes
    ----------
    width : int
        Columns of the images they are for.
    period, margin : int
        Side of the cell, and how far the neighbours reach.
    offsets, weights : ndarray, shape (period * period, taps)
        Neighbours as distances in the flat image, and weights of sum 1.
    """

    width: int
    period: int
    margin: int
    offsets: Int64
    weights: Float32

    @classmethod
    def of(cls, cfa: CfaPattern | None, width: int) -> "Stencils":
        """Build the B3-spline stencils of a colour pattern for images of `width` columns.

        Mono: the 5 x 5 spline. Bayer: the same with a step of two pixels. Other patterns: the
        pixels of the same colour no further than three pixels away, with the spline's weights at
        a step of 1.5 pixels.
        """
        if cfa is None or cfa.period == 2:  # noqa: PLR2004 - Bayer
            step = 1 if cfa is None else 2
            margin, scale = 2 * step, float(step)
            cell = np.zeros((step, step), np.uint8)
            reach = range(-margin, margin + 1, step)
        else:
            margin, scale, cell = 3, 1.5, cfa.planes()
            reach = range(-margin, margin + 1)
        period = len(cell)
        rows = [
            {
                dy * width + dx: _b3(dy / scale) * _b3(dx / scale)
                for dy in reach
                for dx in reach
                if cell[(y + dy) % period, (x + dx) % period] == cell[y, x]
            }
            for y, x in np.ndindex(period, period)
        ]
        offsets = np.zeros((len(rows), max(len(row) for row in rows)), np.int64)
        weights = np.zeros(offsets.shape, np.float32)
        for i, row in enumerate(rows):
            offsets[i, : len(row)] = list(row)
            weights[i, : len(row)] = np.array(list(row.values())) / sum(row.values())
        return cls(width, period, margin, offsets, weights)

    @property
    def control(self) -> int:
        """Distance of a control pixel: same place in the cell, out of the stencil's reach."""
        return self.period * -(-(2 * self.margin + 1) // self.period)

    def places(self, index: Int64) -> tuple[Int64, UInt8]:
        """Return pixels with a control on either side, and the stencil of each, shape (n, 3)."""
        y, x = np.divmod(index, self.width)
        kind = ((y % self.period) * self.period + x % self.period).astype(np.uint8)
        sides = np.array([0, -self.control, self.control])
        return index[:, None] + sides, np.repeat(kind[:, None], 3, axis=1)

    def layer(self, plane: _Image, places: Int64, kinds: UInt8) -> tuple[Float32, Float32]:
        """Return first wavelet layer and value of a plane's pixels, in the shape of `places`."""
        layer = np.empty(places.shape, np.float32)
        centre = np.empty(places.shape, np.float32)
        wavelet_at(
            plane.reshape(-1),
            places.reshape(-1),
            kinds.reshape(-1),
            self.offsets,
            self.weights,
            layer.reshape(-1),
            centre.reshape(-1),
        )
        return layer, centre


def _b3(distance: float) -> float:
    """Return the tap of the B3-spline filter (6, 4, 1 at 0, 1, 2), interpolated in between."""
    return float(np.interp(abs(distance), (0, 1, 2, 3), (6, 4, 1, 0)))


@dataclass(frozen=True, slots=True)
class WarmSamples:
    """What an objective sees: warm pixels of the dark, and the same pixels of a light.

    Attributes
    ----------
    dark : ndarray of float32, shape (n,)
        Dark signal.
    dark_excess, light_excess : ndarray of float32, shape (n,)
        Thresholded dark signal and light, less the mean of their colour over the frame.
    dark_layer, light_layer : ndarray of float32, shape (n, 3)
        First wavelet layer of the pixel and of a control pixel on either side, too far away to be
        touched by it. In ascending order of the dark's. NaN where a control is warm itself.
    """

    dark: Float32
    dark_excess: Float32
    light_excess: Float32
    dark_layer: Float32
    light_layer: Float32

    def chosen(self, mask: npt.NDArray[np.bool_]) -> "WarmSamples":
        """Return the samples under `mask`."""
        if mask.all():
            return self
        return WarmSamples(
            self.dark[mask],
            self.dark_excess[mask],
            self.light_excess[mask],
            self.dark_layer[mask],
            self.light_layer[mask],
        )


@dataclass(frozen=True, slots=True)
class WarmPixels:
    """The warm pixels of one plane of the dark: all that is kept of it for the lights.

    Attributes
    ----------
    threshold_dn, fraction : float
        Level above which a pixel is warm, and the share of such pixels.
    stencils : Stencils
        Same-colour neighbours.
    cfa : CfaPattern or None
        Colours.
    places, kinds : ndarray, shape (n, 3)
        The pixels with their controls, in the order of the file, and their stencils.
    order : ndarray of int64, shape (n,)
        What brings them into ascending order of `layer`.
    colour : ndarray of uint8, shape (n,)
        Plane index of their colour, in ascending order of `layer` like the rest.
    dark, excess : ndarray of float32, shape (n,)
        Dark signal, and the same less its colour's mean after thresholding.
    layer : ndarray of float32, shape (n, 3)
        First wavelet layer.
    """

    threshold_dn: float
    fraction: float
    stencils: Stencils
    cfa: CfaPattern | None
    places: Int64
    kinds: UInt8
    order: Int64
    colour: UInt8
    dark: Float32
    excess: Float32
    layer: Float32

    def look_at(self, plane: _Image, *, means: bool) -> WarmSamples:
        """Return the samples of a light.

        Parameters
        ----------
        plane : ndarray of uint16 or float32, shape (height, width), C order
            The light. Pixels at its ceiling come out missing (NaN).
        means : bool
            Whether `light_excess` is wanted; it costs a look at all of the frame.
        """
        layer, light = self.stencils.layer(plane, self.places, self.kinds)
        # Whatever repeats at the very top is the ceiling: those pixels say nothing.
        top = np.fmax.reduce(light[:, 0], initial=0.0)
        saturated = light[:, 0] == top
        if np.count_nonzero(saturated) >= _CEILING_REPEATS:
            layer[saturated] = np.nan
        layer = layer[self.order]
        excess = self.excess
        if means:
            excess = light[self.order, 0] - _colour_means(plane, self.cfa)[self.colour]
        return WarmSamples(self.dark, self.excess, excess, self.layer, layer)


@dataclass(frozen=True, slots=True)
class Selection:
    """Rule for warm pixels.

    Attributes
    ----------
    threshold_sigma : float
        Warm pixels lie above median + this many sigma (1.4826 MAD) of the dark signal.
    contrast_sigma : float
        Those take part whose wavelet layer exceeds this many sigma of the dark's noise. Below,
        noise of the dark would be taken for signal, and k come out too small.
    """

    threshold_sigma: float
    contrast_sigma: float


def select_warm_pixels(
    plane: Float32, cfa: CfaPattern | None, stencils: Stencils, rule: Selection
) -> WarmPixels:
    """Select the warm pixels of one plane of the dark signal, and transform it there."""
    sample = plane.reshape(-1)[:: max(1, plane.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    median = float(np.median(sample)) if sample.size else float("nan")
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(sample - median))) if sample.size else 0.0
    threshold = median + rule.threshold_sigma * sigma
    above = np.flatnonzero(plane > np.float32(threshold))
    means = _thresholded_means(plane, above, cfa)
    index = _inside(above, plane.shape, stencils.margin + stencils.control)
    if index.size > _MAX_TRANSFORMED:
        index = index[:: -(-index.size // _MAX_TRANSFORMED)]
    places, kinds = stencils.places(index)
    layer, centre = stencils.layer(plane, places, kinds)
    noise = _layer_noise(plane, threshold, stencils)
    keep = np.isfinite(layer[:, 0])
    if np.isfinite(rule.contrast_sigma):
        limit = rule.contrast_sigma * noise
        keep &= layer[:, 0] > limit
        layer[:, 0] -= _noise_excess(layer[keep, 0], limit, noise)
        below_top = centre[:, 0] < _TOP * centre[:, 0].max(initial=0.0)
        if np.count_nonzero(keep & below_top) > np.count_nonzero(keep) // 2:
            keep &= below_top
    controls = layer[:, 1:]
    controls[~(np.abs(controls) < _CONTROL_SIGMA * noise)] = np.nan
    chosen = _most_telling(np.flatnonzero(keep), layer[:, 0])
    order = np.argsort(layer[chosen, 0], kind="stable")
    ascending = chosen[order]
    colour = _colours(index[ascending], stencils.width, cfa)
    dark = centre[ascending, 0]
    return WarmPixels(
        threshold_dn=threshold,
        fraction=above.size / plane.size,
        stencils=stencils,
        cfa=cfa,
        places=places[chosen],
        kinds=kinds[chosen],
        order=order,
        colour=colour,
        dark=dark,
        excess=dark - means[colour],
        layer=layer[ascending],
    )


def _most_telling(candidates: Int64, layer: Float32) -> Int64:
    """Return at most `_MAX_PIXELS` candidates: one half the warmest, the other taken evenly.

    The warmest carry most of the information; the rest keep the factor from being decided by them
    alone, should they not scale like the others.
    """
    if candidates.size <= _MAX_PIXELS:
        return candidates
    half = _MAX_PIXELS // 2
    by_layer = np.argpartition(layer[candidates], candidates.size - half)
    warmest = candidates[by_layer[-half:]]
    others = np.setdiff1d(candidates, warmest, assume_unique=True)
    return np.sort(np.concatenate((warmest, others[:: -(-others.size // half)])))


def _noise_excess(layer: Float32, limit: float, noise: float) -> np.float32:
    """Return by how much noise lifts the wavelet layer of pixels selected for being high.

    Among pixels above `limit` more have come up than gone down, as there are fewer the higher one
    looks. With a density falling as exp(-w / A) the mean true value is the observed one less
    noise^2 / A (Tweedie's formula); A is the mean excess over the limit.
    """
    if not layer.size:
        return np.float32(0)
    scale = float(np.mean(layer, dtype=np.float64)) - limit
    return np.float32(noise * noise / scale) if scale > 0 else np.float32(0)


def _layer_noise(plane: Float32, threshold: float, stencils: Stencils) -> float:
    """Return the sigma of the wavelet layer at pixels that are not warm."""
    # An odd step visits all colours and columns.
    index = np.arange(0, plane.size, max(1, plane.size // _MAX_PIXELS) | 1, dtype=np.int64)
    index = _inside(index, plane.shape, stencils.margin + stencils.control)
    layer, centre = stencils.layer(plane, *stencils.places(index))
    layer = layer[np.isfinite(layer) & (centre <= threshold)]
    return MAD_TO_SIGMA * float(np.median(np.abs(layer))) if layer.size else 0.0


def _inside(index: Int64, shape: tuple[int, ...], margin: int) -> Int64:
    """Return those pixels that are at least `margin` away from all edges."""
    height, width = shape
    y, x = np.divmod(index, width)
    inside = (y >= margin) & (y < height - margin) & (x >= margin) & (x < width - margin)
    return index[inside]


def _colours(index: Int64, width: int, cfa: CfaPattern | None) -> UInt8:
    """Return the plane index of the colour of each pixel; 0 without a colour pattern."""
    if cfa is None:
        return np.zeros(index.size, np.uint8)
    y, x = np.divmod(index, width)
    return cast("UInt8", cfa.planes()[y % cfa.period, x % cfa.period])


def _thresholded_means(plane: Float32, above: Int64, cfa: CfaPattern | None) -> Float32:
    """Return the mean of each colour of the dark whose pixels not `above` are set to zero."""
    colour = _colours(above, plane.shape[1], cfa)
    sums = np.bincount(colour, plane.reshape(-1)[above], minlength=len(COLOURS)).astype(np.float64)
    shares = [1.0, 0.0, 0.0] if cfa is None else [np.mean(cfa.planes() == c) for c in range(3)]
    return _quotient(sums, np.array(shares) * plane.size)


def _colour_means(plane: _Image, cfa: CfaPattern | None) -> Float32:
    """Return the mean of each colour of a light, from about a million of its pixels."""
    cell = np.zeros((1, 1), np.uint8) if cfa is None else cfa.planes()
    step = len(cell) * max(1, int(np.sqrt(plane.size / _SAMPLE) / len(cell)))
    sums, counts = np.zeros(len(COLOURS)), np.zeros(len(COLOURS))
    for (y, x), colour in np.ndenumerate(cell):
        part = plane[y::step, x::step].astype(np.float64)
        part = part[np.isfinite(part)]
        sums[colour] += part.sum()
        counts[colour] += part.size
    return _quotient(sums, counts)


def _quotient(sums: Float64, counts: Float64) -> Float32:
    return np.divide(sums, counts, out=np.zeros(len(sums)), where=counts > 0).astype(np.float32)
