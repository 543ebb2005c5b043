"""What is known of a simulated session."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lightframe.arrays import Float32, Float64, Int64
from lightframe.errors import SettingsError
from lightframe.frames import FrameKind
from lightframe.simulation._camera import channel_response
from lightframe.simulation._session import Session
from lightframe.simulation._shots import Shot
from lightframe.simulation._sky import Air, Psf, Scene, paint

__all__ = ["Truth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The truth of a session, on the grid of its first light as if its sky were ideal.

    Attributes
    ----------
    session : Session
        The settings.
    frames : tuple of Shot
        All frames with their paths and with what really happened.
    scene : Scene
        Stars and diffuse light in red, green and blue, in electrons of a fully sensitive pixel.
    illumination : tuple of float32 (h, w)
        Vignetting and dust for each filter, 1 at the brightest point.
    response : float32 (h, w)
        Sensitivity of each pixel relative to the mean.
    dark_e_s : float32 (h, w)
        Dark current at the sensor's reference temperature, in electrons per second.
    hot, cold : int64 (n,)
        Flat indices of hot pixels and of pixels with little sensitivity.
    struck : mapping of str to int64 (n,)
        Flat indices of the pixels hit by cosmic rays, by the frame's path.
    """

    session: Session
    frames: tuple[Shot, ...]
    scene: Scene
    illumination: tuple[Float32, ...]
    response: Float32
    dark_e_s: Float32
    hot: Int64
    cold: Int64
    struck: Mapping[str, Int64] = field(repr=False)

    @property
    def e_per_dn(self) -> float:
        """Electrons per DN at the session's gain, on the scale of the files."""
        return self.session.sensor.e_per_dn(self.session.gain)

    @property
    def bias_level_dn(self) -> float:
        """Mean bias level in DN."""
        return self.session.sensor.bias_level_dn(self.session.offset)

    def of_kind(self, kind: FrameKind, filter_name: str | None = None) -> tuple[Shot, ...]:
        """Return the frames that really are of one kind, and of one filter if one is named."""
        index = None if filter_name is None else self.filter_index(filter_name)
        return tuple(
            shot
            for shot in self.frames
            if shot.kind is kind and (index is None or shot.filter_index == index)
        )

    def frame(self, name: str) -> Shot:
        """Return a frame by its file name, or by its path relative to the session's folder."""
        found = [shot for shot in self.frames if name in {shot.name, shot.path}]
        if len(found) != 1:
            raise SettingsError(
                f"{len(found)} simulated frames are called {name!r}",
                remedy="name one frame of the session, with its folder if need be",
            )
        return found[0]

    def filter_index(self, filter_name: str | None) -> int:
        """Return the place of a filter in the session; None names the only one."""
        names = [filter_.name for filter_ in self.session.filters]
        if filter_name is None and len(names) == 1:
            return 0
        if filter_name not in names:
            raise SettingsError(
                f"the session has no filter {filter_name!r}",
                remedy=f"choose one of: {', '.join(str(name) for name in names)}",
            )
        return names.index(filter_name)

    def channels(self, filter_name: str | None = None) -> tuple[str, ...]:
        """Return the names of the channels of a filter's images."""
        if self.session.sensor.cfa is not None:
            return ("R", "G", "B")
        return (self.session.filters[self.filter_index(filter_name)].name or "L",)

    def transform(self, name: str) -> Float64:
        """Return the matrix pixel of a light -> pixel of the reference grid, float64 (3, 3)."""
        return self.frame(name).pointing.matrix(*self.session.sensor.shape)

    def filtered_scene(self, filter_name: str | None = None) -> Scene:
        """Return the scene in the channels of a filter's images."""
        filter_ = self.session.filters[self.filter_index(filter_name)]
        return self.scene.through(channel_response(self.session.sensor, filter_))

    def stars(self, filter_name: str | None = None) -> Float64:
        """Return x, y and the flux in each channel (e-/s) of all stars, float64 (n, 2 + channels).

        Coordinates are pixels of the reference grid; the brightest star comes first.
        """
        return np.hstack([self.scene.positions, self.filtered_scene(filter_name).flux])

    def image(
        self,
        filter_name: str | None = None,
        *,
        matrix: Float64 | None = None,
        shape: tuple[int, int] | None = None,
        psf: Psf | None = None,
        parts: Collection[str] = ("stars", "diffuse", "background"),
    ) -> Float32:
        """Return the ideal sky in electrons per pixel and second, float32 (channels, h, w).

        No noise, no vignetting, no gradient, clear air.

        Parameters
        ----------
        filter_name : str, optional
            The filter.
        matrix : float64 (3, 3), optional
            Pixel of the image -> pixel of the reference grid. Brightness is per pixel of a raw
            frame also where the image has another scale.
        shape : (int, int), optional
            Rows and columns; by default those of the sensor.
        psf : Psf, optional
            Image of a star, in pixels of the image; by default round, with the median width.
        parts : collection of str
            Which of stars, diffuse light and background of the sky it shows.
        """
        matrix = np.eye(3) if matrix is None else matrix
        scene = self.filtered_scene(filter_name)
        area = abs(float(np.linalg.det(matrix[:2, :2])))
        if psf is None:
            psf = self.median_psf(filter_name)
            psf = replace(psf, fwhm_px=psf.fwhm_px / area**0.5)
        single = np.zeros((1, 1), np.uint8)
        air = Air(sky_factor=float("background" in parts))
        stars = len(scene.flux) if "stars" in parts else 0
        planes = np.zeros((scene.sky.size, *(shape or self.session.sensor.shape)), np.float32)
        for channel, plane in enumerate(planes):
            one = Scene(
                positions=scene.positions[:stars],
                # A star's light per raw pixel: on finer pixels it spreads over more of them.
                flux=np.ascontiguousarray(scene.flux[:stars, channel : channel + 1]) / area,
                diffuse=scene.diffuse[channel : channel + 1] * np.float32("diffuse" in parts),
                grid=scene.grid,
                sky=scene.sky[channel : channel + 1],
            )
            paint(one, matrix, psf, single, plane, air)
        return planes

    def median_psf(self, filter_name: str | None = None) -> Psf:
        """Return a round star image of the median width over a filter's lights."""
        lights = self.of_kind(FrameKind.LIGHT, filter_name)
        widths = [shot.fwhm_px for shot in lights] or [self.session.night.fwhm_px]
        width = float(np.median(widths))
        return Psf(width, beta=self.session.night.beta)

    def flat(self, filter_name: str | None = None) -> Float32:
        """Return vignetting, dust and pixel response, float32 (h, w); 1 at the brightest point."""
        return self.illumination[self.filter_index(filter_name)] * self.response

    def flat_means(self, filter_name: str | None = None) -> Float64:
        """Return the mean of the flat over the pixels of each channel, float64 (channels,)."""
        flat = self.flat(filter_name)
        pattern = self.session.sensor.pattern
        if pattern is None:
            return np.array([flat.mean(dtype=np.float64)])
        cell, period = pattern.planes(), pattern.period
        sums, counts = np.zeros(3), np.zeros(3)
        for y in range(period):
            for x in range(period):
                part = flat[y::period, x::period]
                sums[cell[y, x]] += part.sum(dtype=np.float64)
                counts[cell[y, x]] += part.size
        return np.asarray(sums / counts)

    def dark_e(self, exposure_s: float, temperature_c: float) -> Float32:
        """Return the electrons of dark current of an exposure, float32 (h, w)."""
        factor = exposure_s * self.session.sensor.dark.factor(temperature_c)
        return self.dark_e_s * np.float32(factor)

    def fill(self, filter_name: str | None = None) -> Float64:
        """Return the fraction of the pixels that see each channel, float64 (channels,)."""
        pattern = self.session.sensor.pattern
        if pattern is None:
            return np.ones(len(self.channels(filter_name)))
        return np.bincount(pattern.planes().ravel(), minlength=3) / pattern.period**2
