"""The settings of the sky, the scene drawn from them, and its picture on a frame."""

from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field
from scipy.ndimage import gaussian_filter

from lightframe.arrays import Float32, Float64, UInt8
from lightframe.kernels._scene import add_background, add_stars
from lightframe.settings import Settings

__all__ = ["Air", "Galaxy", "Nebula", "Psf", "Scene", "Sky", "Stars", "make_scene", "paint"]

Colour = tuple[float, float, float]

_STARS, _NEBULA = range(2)
"""Independent streams of random numbers of one field."""

_FAINT_WING = 0.002
"""Electrons per pixel and second below which the wing of a star is cut off."""

_LARGEST_REACH = 60.0
"""Largest radius of a star in PSF scale lengths."""


class Stars(Settings):
    """The stars of the field."""

    per_megapixel: float = Field(700.0, ge=0)
    """Number of stars per million pixels."""

    faintest_e_s: float = Field(3.0, gt=0)
    """Flux of the faintest stars in electrons per second of green light."""

    brightest_e_s: float = Field(30000.0, gt=0)
    """Flux of the brightest."""

    slope: float = Field(0.75, gt=0)
    """Number of stars brighter than F falls as F to the power of minus this."""

    colour_spread: float = Field(0.35, ge=0)
    """Spread of the natural logarithm of the red to blue ratio."""


class Nebula(Settings):
    """A diffuse nebula: filaments of emission and a bluish reflection."""

    emission_e_s: float = Field(1.2, ge=0)
    """Brightness of the emission in electrons per pixel and second of red light."""

    reflection_e_s: float = Field(0.6, ge=0)
    """Brightness of the reflection in electrons per pixel and second of blue light."""

    emission_colour: Colour = (1.0, 0.18, 0.25)
    """Red, green and blue light of the emission."""

    reflection_colour: Colour = (0.35, 0.65, 1.0)
    """Red, green and blue light of the reflection."""

    extent: float = Field(0.22, gt=0)
    """Size of the whole as a fraction of the frame's diagonal (Gaussian sigma)."""


class Galaxy(Settings):
    """A galaxy: a bulge and an exponential disk."""

    x: float = 0.25
    """Place as a fraction of the width."""

    y: float = 0.3
    """Place as a fraction of the height."""

    peak_e_s: float = Field(4.0, ge=0)
    """Brightness of the centre in electrons per pixel and second of green light."""

    radius_px: float = Field(45.0, gt=0)
    """Scale length of the disk along its major axis."""

    axis_ratio: float = Field(0.45, gt=0, le=1)
    """Minor to major axis."""

    angle_deg: float = 30.0
    """Direction of the major axis from +x towards +y."""

    colour: Colour = (1.05, 1.0, 0.8)
    """Red, green and blue light."""


class Sky(Settings):
    """What lies above the telescope. Light is counted in electrons of a fully sensitive pixel."""

    object: str = "NGC 7000"
    """Name of the target as it stands in headers."""

    ra_deg: float = Field(314.75, ge=0, lt=360)
    """Right ascension of the target."""

    dec_deg: float = Field(44.37, ge=-90, le=90)
    """Declination of the target."""

    field: int = Field(1, ge=0)
    """Which field: seed of stars and nebulosity."""

    stars: Stars = Stars()
    """Stars."""

    nebula: Nebula | None = Nebula()
    """A diffuse nebula."""

    galaxies: tuple[Galaxy, ...] = (Galaxy(),)
    """Galaxies."""

    brightness_e_s: Colour = (1.6, 1.5, 1.2)
    """Red, green and blue light of the sky's background in electrons per pixel and second."""

    grid_px: int = Field(8, ge=2)
    """Spacing of the nodes on which diffuse light is defined."""


@dataclass(frozen=True, slots=True)
class Psf:
    """The image of a star.

    Parameters
    ----------
    fwhm_px : float
        Full width at half maximum, geometric mean of the two axes.
    eccentricity : float
        ``sqrt(1 - minor^2 / major^2)``.
    angle_deg : float
        Direction of the major axis from +x towards +y.
    beta : float
        Moffat exponent; 0 for a Gaussian.
    """

    fwhm_px: float
    eccentricity: float = 0.0
    angle_deg: float = 0.0
    beta: float = 3.5

    @property
    def scale_px(self) -> float:
        """Scale length: where the squared elliptical radius q is 1."""
        half = 0.5 * self.fwhm_px
        if self.beta > 0.0:
            return float(half / np.sqrt(2.0 ** (1.0 / self.beta) - 1.0))
        return float(half / np.sqrt(np.log(2.0)))

    def shape(self) -> Float64:
        """Return a, b, c of ``q = a dx^2 + 2 b dx dy + c dy^2``."""
        ratio = (1.0 - self.eccentricity**2) ** 0.25
        major, minor = self.scale_px / ratio, self.scale_px * ratio
        sine, cosine = np.sin(np.radians(self.angle_deg)), np.cos(np.radians(self.angle_deg))
        return np.array(
            [
                (cosine / major) ** 2 + (sine / minor) ** 2,
                sine * cosine * (major**-2 - minor**-2),
                (sine / major) ** 2 + (cosine / minor) ** 2,
            ]
        )

    @property
    def peak(self) -> float:
        """Central density of a star of unit flux, per square pixel."""
        area = np.pi * self.scale_px**2
        return float((self.beta - 1.0) / area if self.beta > 0.0 else 1.0 / area)

    def reach(self, flux: Float64) -> tuple[Float64, Float64]:
        """Return where stars are cut off, in scale lengths, and the flux that lies within."""
        faint = np.maximum(self.peak * flux / _FAINT_WING, 1.0)
        if self.beta > 0.0:
            radius = np.sqrt(np.maximum(faint ** (1.0 / self.beta) - 1.0, 0.0))
            # At least 99.95 % of the light.
            least = np.sqrt(5e-4 ** (1.0 / (1.0 - self.beta)) - 1.0)
            radius = np.clip(radius, least, max(_LARGEST_REACH, least))
            return radius, 1.0 - (1.0 + radius**2) ** (1.0 - self.beta)
        radius = np.maximum(np.sqrt(np.log(faint)), 2.8)
        return radius, 1.0 - np.exp(-(radius**2))


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene in several channels of light, on the grid of the reference frame.

    Attributes
    ----------
    positions : float64 (n, 2)
        x, y of the stars in reference pixels.
    flux : float64 (n, channels)
        Electrons per second.
    diffuse : float32 (channels, rows, columns)
        B-spline coefficients of the diffuse light in electrons per pixel and second.
    grid : float64 (3,)
        x0, y0 and step of the coefficients in reference pixels.
    sky : float64 (channels,)
        Brightness of the background in electrons per pixel and second.
    """

    positions: Float64
    flux: Float64
    diffuse: Float32
    grid: Float64
    sky: Float64

    def through(self, response: Float64) -> "Scene":
        """Return the scene as channels with this (channels, 3) response show it."""
        diffuse = np.tensordot(response, self.diffuse, axes=1).astype(np.float32)
        return replace(
            self,
            flux=self.flux @ response.T,
            diffuse=np.ascontiguousarray(diffuse),
            sky=response @ self.sky,
        )


def make_scene(sky: Sky, height: int, width: int, margin: int) -> Scene:
    """Draw the scene in red, green and blue light, `margin` pixels larger than the frame."""
    positions, flux = _draw_stars(sky, height, width, margin)
    diffuse, grid = _draw_diffuse(sky, height, width, margin)
    return Scene(positions, flux, diffuse, grid, np.array(sky.brightness_e_s))


@dataclass(frozen=True, slots=True)
class Air:
    """What lies between scene and telescope during an exposure; by default clear, still air.

    Parameters
    ----------
    transparency, sky_factor : float
        Factors on the scene, and on the background.
    gradient : (float, float)
        Relative change of the background from the centre to the right and the lower edge.
    """

    transparency: float = 1.0
    sky_factor: float = 1.0
    gradient: tuple[float, float] = (0.0, 0.0)


_CLEAR = Air()


def paint(
    scene: Scene,
    matrix: Float64,
    psf: Psf,
    cell: UInt8,
    out: Float32,
    air: Air = _CLEAR,
) -> Float32:
    """Add a scene to a frame, in electrons per pixel and second.

    Parameters
    ----------
    scene : Scene
        The scene in the channels that `cell` names.
    matrix : float64 (3, 3)
        Frame pixel -> reference pixel.
    psf : Psf
        Image of a star.
    cell : uint8 (p, p)
        Channel of each pixel; ``[[0]]`` for one channel.
    out : float32 (h, w)
        Added to, and returned.
    air : Air
        Transparency and brightness of the sky.
    """
    add_background(
        out,
        scene.diffuse,
        matrix,
        scene.grid,
        cell,
        scene.sky * air.sky_factor,
        air.gradient[0],
        air.gradient[1],
        air.transparency,
    )
    inverse = np.linalg.inv(matrix)
    positions = scene.positions @ inverse[:2, :2].T + inverse[:2, 2]
    reach, within = psf.reach(scene.flux.max(axis=1, initial=0.0))
    add_stars(
        out,
        positions,
        scene.flux * air.transparency,
        reach,
        psf.peak / within,
        cell,
        psf.shape(),
        psf.beta,
    )
    return out


def _generator(sky: Sky, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([sky.field, stream])))


def _draw_stars(sky: Sky, height: int, width: int, margin: int) -> tuple[Float64, Float64]:
    """Return positions and red, green, blue flux; numbers brighter than F fall as a power law."""
    stars = sky.stars
    random = _generator(sky, _STARS)
    area = (height + 2 * margin) * (width + 2 * margin)
    count = round(stars.per_megapixel * area * 1e-6)
    low, high = -margin - 0.5, np.array([width, height]) + margin - 0.5
    positions = random.uniform(low, high, (count, 2))
    faintest, brightest = (
        stars.faintest_e_s**-stars.slope,
        stars.brightest_e_s**-stars.slope,
    )
    green = random.uniform(brightest, faintest, count) ** (-1.0 / stars.slope)
    redness = np.clip(random.normal(0.0, stars.colour_spread, count), -1.2, 1.2)
    flux = green[:, np.newaxis] * np.exp(np.outer(redness, [0.5, 0.0, -0.5]))
    brightest_first = np.argsort(-green, kind="stable")
    return positions[brightest_first], flux[brightest_first]


def _draw_diffuse(sky: Sky, height: int, width: int, margin: int) -> tuple[Float32, Float64]:
    """Return B-spline coefficients (3, rows, columns) of the diffuse light, and their grid."""
    step = float(sky.grid_px)
    border = margin + 2 * sky.grid_px
    rows = int(np.ceil((height + 2 * border) / step)) + 4
    columns = int(np.ceil((width + 2 * border) / step)) + 4
    grid = np.array([-border - step, -border - step, step])
    x = grid[0] + step * np.arange(columns)
    y = (grid[1] + step * np.arange(rows))[:, np.newaxis]
    light = np.zeros((3, rows, columns))
    if sky.nebula is not None:
        light += _nebula(sky.nebula, _generator(sky, _NEBULA), (x, y), (height, width), step)
    for galaxy in sky.galaxies:
        light += _galaxy(galaxy, (x, y), (height, width), step)
    return light.astype(np.float32), grid


def _nebula(
    nebula: Nebula,
    random: np.random.Generator,
    axes: tuple[Float64, Float64],
    size: tuple[int, int],
    step: float,
) -> Float64:
    x, y = axes
    height, width = size
    shape = (y.size, x.size)
    diagonal = np.hypot(height, width)
    distance = np.hypot(x - 0.55 * width, 1.2 * (y - 0.52 * height))
    envelope = np.exp(-0.5 * (distance / (nebula.extent * diagonal)) ** 2)
    emission = envelope * np.exp(0.9 * _clouds(random, shape, diagonal / step))
    reflection = envelope * np.exp(0.7 * _clouds(random, shape, diagonal / step))
    emission *= nebula.emission_e_s / max(float(np.quantile(emission, 0.99)), 1e-12)
    reflection *= nebula.reflection_e_s / max(float(np.quantile(reflection, 0.99)), 1e-12)
    light: Float64 = np.multiply.outer(np.array(nebula.emission_colour), emission)
    light += np.multiply.outer(np.array(nebula.reflection_colour), reflection)
    return light


def _clouds(random: np.random.Generator, shape: tuple[int, int], diagonal: float) -> Float64:
    """Return a smooth random field of unit variance with structure on several scales."""
    total = np.zeros(shape)
    for fraction in (0.12, 0.05, 0.02, 0.008):
        sigma = max(fraction * diagonal, 0.5)
        layer = gaussian_filter(random.normal(size=shape), sigma, mode="reflect")
        total += layer / max(float(layer.std()), 1e-12) * fraction**0.6
    return np.asarray(total / max(float(total.std()), 1e-12))


def _galaxy(
    galaxy: Galaxy, axes: tuple[Float64, Float64], size: tuple[int, int], step: float
) -> Float64:
    dx = axes[0] - galaxy.x * size[1]
    dy = axes[1] - galaxy.y * size[0]
    sine, cosine = np.sin(np.radians(galaxy.angle_deg)), np.cos(np.radians(galaxy.angle_deg))
    along = cosine * dx + sine * dy
    across = (-sine * dx + cosine * dy) / galaxy.axis_ratio
    # Softened by one node, so that the grid can represent the centre.
    radius = np.sqrt(along**2 + across**2 + step**2) / galaxy.radius_px
    light = galaxy.peak_e_s * (0.7 * np.exp(-radius) + 0.3 * np.exp(-4.0 * radius))
    return np.asarray(np.multiply.outer(np.array(galaxy.colour), light))
