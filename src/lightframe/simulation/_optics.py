"""The settings of the optics, and the map of what they let through to each pixel."""

import numpy as np
from pydantic import Field

from lightframe.arrays import Float32, Float64
from lightframe.settings import Settings

__all__ = ["Dust", "Filter", "Optics", "displaced", "illumination"]


class Dust(Settings):
    """One dust shadow: a ring, since the telescope's central obstruction shows in it."""

    x: float = 0.3
    """Place as a fraction of the width."""

    y: float = 0.6
    """Place as a fraction of the height."""

    radius_px: float = Field(30.0, gt=0)
    """Outer radius; the farther from the sensor, the larger."""

    depth: float = Field(0.06, ge=0, lt=1)
    """Fraction of the light it takes away."""

    obstruction: float = Field(0.4, ge=0, lt=1)
    """Radius of the bright centre as a fraction of the outer radius."""


class Filter(Settings):
    """A filter (or its absence): what it passes, and the dust that lies on it."""

    name: str | None = None
    """Name as it stands in headers; absent where the camera has no filter wheel."""

    passes: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Fraction of red, green and blue light that it passes."""

    dust: tuple[Dust, ...] = ()
    """Dust on this filter."""

    extra_vignetting: float = Field(0.0, ge=0, lt=1)
    """Further loss of light in the corners with this filter."""

    scale: float = Field(1.0, gt=0.9, lt=1.1)
    """Image scale relative to the reference filter."""


class Optics(Settings):
    """Telescope and what stands between it and the sensor."""

    telescope: str = "Newton 200/1000"
    """Name as it stands in headers."""

    focal_length_mm: float = Field(1000.0, gt=0)
    """Focal length in millimetres."""

    aperture_mm: float = Field(200.0, gt=0)
    """Aperture in millimetres."""

    vignetting: float = Field(0.35, ge=0, lt=1)
    """Loss of light in the farthest corner, as a fraction."""

    centre: tuple[float, float] = (0.52, 0.47)
    """Place of the brightest point as a fraction of width and height."""

    power: float = Field(4.0, gt=0)
    """Law of the fall-off: cosine of the angle to this power."""

    dust: tuple[Dust, ...] = ()
    """Dust that all filters share."""


def displaced(
    optics: Optics,
    filter_: Filter,
    shape: tuple[int, int],
    shift_px: tuple[float, float],
    turn_deg: float,
) -> tuple[Optics, Filter]:
    """Return optics and filter with vignetting and dust turned about the centre, then shifted."""
    height, width = shape
    sine, cosine = np.sin(np.radians(turn_deg)), np.cos(np.radians(turn_deg))

    def place(x: float, y: float) -> tuple[float, float]:
        u, v = (x - 0.5) * (width - 1), (y - 0.5) * (height - 1)
        return (
            0.5 + float(cosine * u - sine * v + shift_px[0]) / (width - 1),
            0.5 + float(sine * u + cosine * v + shift_px[1]) / (height - 1),
        )

    def moved(dust: tuple[Dust, ...]) -> tuple[Dust, ...]:
        places = [place(speck.x, speck.y) for speck in dust]
        return tuple(
            speck.model_copy(update={"x": x, "y": y})
            for speck, (x, y) in zip(dust, places, strict=True)
        )

    return (
        optics.model_copy(update={"centre": place(*optics.centre), "dust": moved(optics.dust)}),
        filter_.model_copy(update={"dust": moved(filter_.dust)}),
    )


def illumination(optics: Optics, filter_: Filter, height: int, width: int) -> Float32:
    """Return the relative illumination of each pixel, float32 (h, w); 1 at the brightest point.

    The fall-off is ``cos(theta)^power`` with ``tan(theta)`` growing linearly with the distance from
    the centre, so scaled that the farthest corner loses the given fraction.
    """
    centre_x = optics.centre[0] * (width - 1)
    centre_y = optics.centre[1] * (height - 1)
    x = np.arange(width) - centre_x
    y = np.arange(height) - centre_y
    farthest = max(abs(x[0]), abs(x[-1])) ** 2 + max(abs(y[0]), abs(y[-1])) ** 2
    corner = (1.0 - optics.vignetting) * (1.0 - filter_.extra_vignetting)
    # cos^p = (1 + tan^2)^(-p/2), hence tan^2 in the corner:
    steepness = corner ** (-2.0 / optics.power) - 1.0
    squared = (x * x / farthest * steepness).astype(np.float32)
    out = np.empty((height, width), np.float32)
    for row in range(height):
        out[row] = squared
        out[row] += np.float32(1.0 + steepness * y[row] * y[row] / farthest)
    np.power(out, np.float32(-0.5 * optics.power), out=out)
    for speck in (*optics.dust, *filter_.dust):
        _shade(out, speck)
    return out


def _shade(out: Float32, speck: Dust) -> None:
    """Multiply `out` by the shadow of one speck, whose edges are soft."""
    height, width = out.shape
    x0, y0 = speck.x * (width - 1), speck.y * (height - 1)
    soft = max(1.0, 0.08 * speck.radius_px)
    reach = speck.radius_px + 6.0 * soft
    rows = slice(max(0, int(y0 - reach)), max(0, min(height, int(y0 + reach) + 1)))
    columns = slice(max(0, int(x0 - reach)), max(0, min(width, int(x0 + reach) + 1)))
    distance = np.hypot(
        np.arange(columns.start, columns.stop) - x0,
        (np.arange(rows.start, rows.stop) - y0)[:, np.newaxis],
    )
    ring = _step(speck.radius_px - distance, soft)
    if speck.obstruction > 0.0:
        ring *= _step(distance - speck.obstruction * speck.radius_px, soft)
    out[rows, columns] *= (1.0 - speck.depth * ring).astype(np.float32)


def _step(distance: Float64, soft: float) -> Float64:
    """Return 1 well inside (positive distance), 0 well outside, a smooth step between."""
    return np.asarray(0.5 * (1.0 + np.tanh(distance / soft)))
