"""Resampling: the pixels of a frame on the grid of the reference.

The value at a position between pixels is the sum of the neighbouring samples, weighted by an
interpolation kernel in x and in y (Lanczos, Catmull-Rom, ...). The weights are normalised to sum 1
at every position, so that a constant field stays what it is.

Sources: C. E. Duchon, "Lanczos filtering in one and two dimensions", J. Appl. Meteor. 18 (1979);
E. Catmull and R. Rom (1974) in the form of R. G. Keys, IEEE Trans. ASSP 29 (1981), a = -1/2.
"""

# ruff: noqa: PLR2004  (the numbers are those of the kernels' definitions)

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Annotated

import numpy as np
from pydantic import Field

from lightframe.arrays import Float32, Float64
from lightframe.frames._pixels import Window
from lightframe.kernels._resample import copy_shifted, resample_planes
from lightframe.settings import OneOf, Settings
from lightframe.tables import Table

__all__ = ["INTERPOLATIONS", "Interpolation", "ResampleSettings", "resample", "source_window"]


DEGREE = 7
"""Degree of the polynomials that stand for the kernels; the weights are right to 5e-7."""

MISSING_SHARE = 0.125
"""Missing samples may hold this share of the absolute weight; with more the result is missing.

With Lanczos-3 each of the four nearest samples holds at least 0.16 in the middle between them, the
samples beyond the frame's edge at most 0.11 together: none of the former may be missing, all of the
latter may.
"""

WHOLE = 1e-7
"""Pixels. A mapping that is a whole shift within this is one; far below any measurable shift."""


@dataclass(frozen=True, slots=True)
class Interpolation:
    """An interpolation kernel.

    Parameters
    ----------
    taps : int
        Samples used in each direction.
    rings : bool
        Whether it has negative weights, so that clamping makes sense.
    polynomials : (taps, 8) float32 array
        Weight of each tap at the fraction f: linear part plus f (1 - f) Q(f - 1/2), see
        `lightframe.kernels._resample.tap_weights`.
    """

    taps: int
    rings: bool
    polynomials: Float32

    @property
    def margin(self) -> int:
        """Samples needed on either side of a position, at most."""
        return (self.taps + 1) // 2

    @classmethod
    def from_kernel(
        cls, weight: Callable[[Float64], Float64], taps: int, *, rings: bool
    ) -> "Interpolation":
        """Fit the polynomials to a kernel that is 1 at 0 and 0 at all other whole distances."""
        samples = 400
        f = 0.5 - 0.5 * np.cos((np.arange(samples) + 0.5) * np.pi / samples)
        left = (taps - 1) // 2
        weights = weight(f[:, None] - (np.arange(taps) - left))
        weights /= weights.sum(axis=1, keepdims=True)
        linear = np.zeros_like(weights)
        linear[:, left], linear[:, left + 1] = 1 - f, f
        ratio = (weights - linear) / (f * (1 - f))[:, None]
        fit = np.polynomial.polynomial.polyfit(f - 0.5, ratio, DEGREE).T
        fit -= fit.mean(axis=0)  # the weights sum to 1 at every f
        return cls(taps, rings, fit.astype(np.float32))


def lanczos(lobes: int) -> Interpolation:
    """Return sinc(x) sinc(x / lobes), cut at `lobes`."""

    def weight(x: Float64) -> Float64:
        return np.where(np.abs(x) < lobes, np.sinc(x) * np.sinc(x / lobes), 0.0)

    return Interpolation.from_kernel(weight, 2 * lobes, rings=True)


def catmull_rom(x: Float64) -> Float64:
    """Return the cubic convolution kernel with a = -1/2."""
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))


def tent(x: Float64) -> Float64:
    """Return the kernel of linear interpolation."""
    weight: Float64 = np.maximum(0.0, 1 - np.abs(x))
    return weight


INTERPOLATIONS: Table[Interpolation] = Table("interpolation")
"""The interpolation kernels by name."""

INTERPOLATIONS.enter(
    "nearest",
    "value of the nearest pixel; keeps values and noise, moves stars by up to half a pixel",
    Interpolation(1, rings=False, polynomials=np.zeros((1, DEGREE + 1), np.float32)),
)
INTERPOLATIONS.enter(
    "bilinear",
    "2x2 samples; never rings, but blurs stars and noise",
    Interpolation.from_kernel(tent, 2, rings=False),
)
INTERPOLATIONS.enter(
    "bicubic",
    "4x4 samples, Catmull-Rom; little ringing, blurs slightly",
    Interpolation.from_kernel(catmull_rom, 4, rings=True),
)
INTERPOLATIONS.enter(
    "lanczos3", "6x6 samples; keeps stars and noise as they are, the usual choice", lanczos(3)
)
INTERPOLATIONS.enter(
    "lanczos4", "8x8 samples; slightly sharper than lanczos3, rings farther", lanczos(4)
)
INTERPOLATIONS.enter(
    "lanczos5", "10x10 samples; for well sampled stars without hot pixels", lanczos(5)
)


class ResampleSettings(Settings):
    """How frames are brought onto the grid of the reference."""

    interpolation: Annotated[str, OneOf(INTERPOLATIONS)] = "lanczos3"
    """Interpolation between pixels."""

    clamping: bool = True
    """Whether dark rings around stars and hot pixels, which kernels with negative weights make, are
    removed."""

    clamping_threshold: Annotated[float, Field(ge=0.0, le=10.0)] = 0.3
    """An interpolated value may lie below the lowest of its four nearest pixels by this much of
    their range; beyond, it goes over to linear interpolation, which it reaches at twice this
    depth."""


def source_window(
    inverse: Float64, window: Window, *, height: int, width: int, interpolation: str
) -> Window | None:
    """Return the pixels of a frame that are needed for a window of the reference.

    Parameters
    ----------
    inverse : (3, 3) float64
        Reference pixel (x, y, 1) -> frame pixel.
    window : Window
        The window in the reference.
    height, width : int
        Size of the frame.
    interpolation : str
        Name in `INTERPOLATIONS`.

    Returns
    -------
    Window or None
        None where the frame does not touch the window.
    """
    if 0 in window.shape:
        return None
    x = np.array([window.x0, window.x1 - 1, window.x0, window.x1 - 1], np.float64)
    y = np.array([window.y0, window.y0, window.y1 - 1, window.y1 - 1], np.float64)
    px, py, pw = inverse @ np.stack((x, y, np.ones(4)))
    if pw.max() <= 0:
        return None
    if pw.min() <= 0:  # the horizon crosses the window: its image has no bounds
        return Window(0, height, 0, width)
    # A rectangle's image under a projective mapping is the convex hull of its corners' images.
    px, py = px / pw, py / pw
    slack = 1e-6
    left, right = px.min() - slack, px.max() + slack
    top, bottom = py.min() - slack, py.max() + slack
    if right < -0.5 or left > width - 0.5 or bottom < -0.5 or top > height - 0.5:
        return None
    margin = INTERPOLATIONS[interpolation].margin
    needed = Window(
        max(0, floor(top) - margin),
        min(height, ceil(bottom) + margin + 1),
        max(0, floor(left) - margin),
        min(width, ceil(right) + margin + 1),
    )
    return needed if min(needed.shape) > 0 else None


def whole_shift(inverse: Float64) -> tuple[int, int] | None:
    """Return (dy, dx) if the mapping is a shift by whole pixels, else None."""
    dx, dy = round(inverse[0, 2]), round(inverse[1, 2])
    shift = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], np.float64)
    # The last row and the 2x2 part act on coordinates of up to 1e5 pixels.
    reach = np.array([[1e5, 1e5, 1.0], [1e5, 1e5, 1.0], [1e10, 1e10, 1e5]])
    return (dy, dx) if (np.abs(inverse - shift) * reach).max() < WHOLE * 10 else None


def resample(  # noqa: PLR0913  (a rectangle of a frame and a window of the reference, each with its place)
    planes: Float32,
    origin: tuple[int, int],
    inverse: Float64,
    window: Window,
    settings: ResampleSettings,
    out: Float32,
    *,
    height: int,
    width: int,
) -> None:
    """Interpolate a frame at the pixels of a window of the reference.

    The result for a window equals that window of the whole result to the bit. A shift by whole
    pixels copies the samples. A sample that is NaN, or would lie outside the frame, is left out
    where it has little weight, and makes the result NaN where it has more (see `MISSING_SHARE`).

    Parameters
    ----------
    planes : (c, h, w) float32
        The rectangle of the frame given by `source_window` (or a larger one), C-contiguous.
    origin : (y0, x0)
        First row and column of `planes` in the frame.
    inverse : (3, 3) float64
        Reference pixel (x, y, 1) -> frame pixel; pixel centres at integers.
    window : Window
        The window in the reference.
    settings : ResampleSettings
        Interpolation and clamping.
    out : (c, rows, columns) float32
        Receives the result; NaN outside the frame.
    height, width : int
        Size of the whole frame.

    Raises
    ------
    ValueError
        If shapes do not fit together, `planes` does not hold what the window needs, or `inverse` is
        not an invertible matrix.
    """
    _check(planes, origin, inverse, window, out)
    interpolation = INTERPOLATIONS[settings.interpolation]
    inverse = inverse / inverse[2, 2]
    needed = source_window(
        inverse, window, height=height, width=width, interpolation=settings.interpolation
    )
    if needed is None:
        out.fill(np.nan)
        return
    y_origin, x_origin = origin
    shift = whole_shift(inverse)
    if shift is not None:
        dy, dx = shift
        # Only the samples under the window are needed: `planes` may lack the kernel's margin.
        copy_shifted(planes, window.y0 + dy - y_origin, window.x0 + dx - x_origin, out)
        return
    rows, columns = planes.shape[1:]
    if (
        needed.y0 < y_origin
        or needed.x0 < x_origin
        or needed.y1 > y_origin + rows
        or needed.x1 > x_origin + columns
    ):
        raise ValueError(
            f"window {tuple(window)} needs the frame's pixels {tuple(needed)}, but planes holds "
            f"{rows}x{columns} pixels from row {y_origin}, column {x_origin}"
        )
    clamp = settings.clamping_threshold if settings.clamping and interpolation.rings else -1.0
    resample_planes(
        planes, y_origin, x_origin, height, width, inverse, window.y0, window.x0,
        interpolation.polynomials, np.float32(clamp), np.float32(MISSING_SHARE), out,
    )  # fmt: skip


def _check(
    planes: Float32, origin: tuple[int, int], inverse: Float64, window: Window, out: Float32
) -> None:
    """Raise ValueError if the arguments of `resample` do not fit together."""
    if planes.ndim != out.ndim or planes.ndim != 3 or planes.shape[0] != out.shape[0]:
        raise ValueError(f"planes {planes.shape} and out {out.shape} must be (c, rows, columns)")
    if out.shape[1:] != window.shape:
        raise ValueError(f"out is {out.shape[1:]}, the window is {window.shape}")
    if planes.dtype != np.float32 or out.dtype != np.float32:
        raise ValueError(f"planes and out must be float32, not {planes.dtype} and {out.dtype}")
    if not (planes.flags.c_contiguous and out.flags.c_contiguous):
        raise ValueError("planes and out must be C-contiguous")
    if min(origin) < 0:
        raise ValueError(f"the origin of planes lies outside the frame: {origin}")
    if inverse.shape != (3, 3) or not np.isfinite(inverse).all() or inverse[2, 2] == 0:
        raise ValueError(f"not a projective mapping: {inverse.tolist()}")
