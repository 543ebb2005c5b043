"""Judge a result by the truth: brightness, colours, evenness, noise, and where the stars lie."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lightframe.arrays import Float32, Float64, as_planes
from lightframe.frames import FrameKind
from lightframe.kernels._constants import MAD_TO_SIGMA
from lightframe.simulation._apertures import centroids, choose_stars, flux_ratio
from lightframe.simulation._background import judge_background, mean_flat
from lightframe.simulation._comparison import ChannelComparison, Comparison
from lightframe.simulation._ideal import ideal_noise_dn
from lightframe.simulation._noise import noise_ratio
from lightframe.simulation._result_grid import ResultGrid
from lightframe.simulation._shots import Shot
from lightframe.simulation._sky import Psf
from lightframe.simulation._truth import Truth

__all__ = ["compare_with_truth"]


_STARLIGHT = 0.015
"""Starlight relative to the sky above which a pixel does not count as background."""

_FEWEST = 3
"""Fewest stars that can be compared."""


def compare_with_truth(
    planes: Float32,
    truth: Truth,
    *,
    filter_name: str | None = None,
    lights: Sequence[str] | None = None,
    reference: str | None = None,
    grid: Float64 | None = None,
) -> Comparison:
    """Compare a stack of a simulated session with the truth.

    Parameters
    ----------
    planes : float32 (channels, h, w)
        The result in DN; missing pixels are NaN.
    truth : Truth
        The session's truth.
    filter_name : str, optional
        The filter, where the session has several.
    lights : sequence of str, optional
        Names of the lights in the stack; by default all of the filter.
    reference : str, optional
        Name of the light on whose pixels the result lies, and to which the others are normalised;
        by default the first light, which defines the truth's grid.
    grid : float64 (3, 3), optional
        Pixel of the result -> pixel of the reference light, where the result is cropped or has
        another scale.

    Raises
    ------
    SettingsError
        If a name is not one of the session's.
    ValueError
        If the number of channels is not that of the session, or no star or background can be used.
    """
    planes = as_planes(planes)
    names = truth.channels(filter_name)
    if planes.shape[0] != len(names):
        raise ValueError(f"the result has {planes.shape[0]} channels, the session {len(names)}")
    every = truth.of_kind(FrameKind.LIGHT, filter_name)
    used = every if lights is None else tuple(truth.frame(name) for name in lights)
    shot = every[0] if reference is None else truth.frame(reference)
    matrix = shot.pointing.matrix(*truth.session.sensor.shape)
    place = ResultGrid(
        truth, used, matrix if grid is None else matrix @ grid, (planes.shape[1], planes.shape[2])
    )
    psf = truth.median_psf(filter_name)
    psf = replace(psf, fwhm_px=psf.fwhm_px / place.area**0.5)

    positions = _usable_stars(place, psf, filter_name)
    offsets = centroids(planes.sum(axis=0), positions, psf.fwhm_px) - positions
    offsets = offsets[np.isfinite(offsets).all(axis=1)]
    shift = np.median(offsets, axis=0)

    judge = _Judge(place, shot, psf, filter_name)
    channels = judge.channels(planes, positions)
    middle = channels[min(1, len(channels) - 1)].balance
    return Comparison(
        channels=tuple(replace(one, balance=one.balance / middle) for one in channels),
        stars=len(positions),
        shift_px=(float(shift[0]), float(shift[1])),
        scatter_px=float(MAD_TO_SIGMA * np.median(np.abs(offsets - shift))),
    )


def _usable_stars(place: ResultGrid, psf: Psf, filter_name: str | None) -> Float64:
    """Return x, y in the result of the stars that can be measured."""
    stars = place.truth.stars(filter_name)
    inverse = np.linalg.inv(place.matrix)
    positions = stars[:, :2] @ inverse[:2, :2].T + inverse[:2, 2]
    chosen = choose_stars(place, positions, stars[:, 2:], psf)
    if len(chosen) < _FEWEST:
        raise ValueError(f"only {len(chosen)} stars can be compared")
    return np.asarray(positions[chosen])


class _Judge:
    """The truth as the result should show it, channel by channel."""

    def __init__(self, place: ResultGrid, shot: Shot, psf: Psf, filter_name: str | None) -> None:
        truth = place.truth
        self.place, self.shot, self.psf, self.filter_name = place, shot, psf, filter_name
        self.to_dn = shot.exposure_s / truth.e_per_dn
        self.sky = truth.filtered_scene(filter_name).sky
        self.expected = truth.flat_means(filter_name) * shot.transparency
        self.ideal = ideal_noise_dn(truth, filter_name, place.lights)
        self.starlight, self.diffuse = (
            truth.image(filter_name, matrix=place.matrix, shape=place.shape, psf=psf, parts=(part,))
            for part in ("stars", "diffuse")
        )

    def channels(self, planes: Float32, positions: Float64) -> list[ChannelComparison]:
        """Return each channel of the result against the truth."""
        names = self.place.truth.channels(self.filter_name)
        return [
            self._channel(index, name, planes[index], positions) for index, name in enumerate(names)
        ]

    def _channel(
        self, index: int, name: str, plane: Float32, positions: Float64
    ) -> ChannelComparison:
        starlight, sky = self.starlight[index], float(self.sky[index])
        light = starlight + self.diffuse[index]
        ratio, error = flux_ratio(plane, light, positions, self.psf.fwhm_px)
        sky_dn = sky * self.shot.sky_factor * ratio
        residual = plane - light * np.float32(ratio)
        residual[starlight > _STARLIGHT * sky] = np.nan
        found = judge_background(residual, self.place, self.filter_name, sky * ratio)
        ideal = float(self.ideal[index]) * ratio / self.to_dn

        def ideal_at(x: Float64, y: Float64) -> Float64:
            return self._ideal_at(index, x, y) * ratio / self.to_dn

        scale, expected = ratio / self.to_dn, float(self.expected[index])
        return ChannelComparison(
            name=name,
            scale=scale,
            scale_error=error / self.to_dn,
            expected_scale=expected,
            balance=scale / expected,
            sky_dn=sky_dn,
            offset_dn=found.level_dn - sky_dn,
            tilt=found.tilt_dn / sky_dn,
            vignetting=found.vignetting_dn / sky_dn,
            unevenness=found.unevenness_dn / sky_dn,
            noise_dn=ideal
            * noise_ratio(residual, self.diffuse[index] * np.float32(ratio), self.place, ideal_at),
            ideal_noise_dn=ideal,
        )

    def _ideal_at(self, index: int, x: Float64, y: Float64) -> Float64:
        """Return the ideal noise of a channel at places of the result."""
        at = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
        noise = ideal_noise_dn(
            self.place.truth,
            self.filter_name,
            self.place.lights,
            flat=mean_flat(self.place, self.filter_name, x, y),
            diffuse=self.diffuse[(slice(None), *at)].astype(np.float64),
        )
        return np.asarray(noise[index])
