"""The noise that a perfect reduction of a session would be left with."""

from collections.abc import Sequence

import numpy as np

from lightframe.arrays import Float64
from lightframe.frames import FrameKind
from lightframe.simulation._camera import flat_levels_e
from lightframe.simulation._session import Session
from lightframe.simulation._shots import Shot
from lightframe.simulation._truth import Truth

__all__ = ["ideal_noise_dn"]


_STRIDE = 7
"""Every how many pixels the flat is looked at; odd, so that all colours of a cell are met."""

_DARKEST = 0.1
"""Pixels with a response below this are defects and do not count."""


def ideal_noise_dn(
    truth: Truth,
    filter_name: str | None = None,
    lights: Sequence[Shot] | None = None,
    *,
    flat: Float64 | None = None,
    diffuse: Float64 | None = None,
) -> Float64:
    """Return the noise of an ideal stack in places without stars, float64 (channels,).

    It is the noise per pixel of a raw frame on the scale ``electrons / e_per_dn`` in clear air and
    where the flat is 1: photon noise of sky and diffuse light, dark current, read noise and
    quantisation of the lights, weighted by their inverse variances, and what masters of the
    session's darks, flats and flat-darks add. Dithering is taken to make the masters' noise
    independent from light to light. A colour seen by a fraction f of the pixels has 1 / sqrt(f)
    more noise per pixel (on scales larger than the cell).

    Parameters
    ----------
    truth : Truth
        The session.
    filter_name : str, optional
        The filter.
    lights : sequence of Shot, optional
        The lights in the stack; by default all of the filter.
    flat : float64 (...), optional
        The flat at the places in question; then the result has the shape (channels, ...). By
        default the mean over the frame is returned.
    diffuse : float64 (channels, ...), optional
        Diffuse light at these places in electrons per second; by default its median.
    """
    session = truth.session
    lights = truth.of_kind(FrameKind.LIGHT, filter_name) if lights is None else lights
    darks = len(truth.of_kind(FrameKind.DARK)) or len(truth.of_kind(FrameKind.BIAS))
    scene = truth.filtered_scene(filter_name)
    everywhere = flat is None
    if flat is None:
        flat = truth.flat(filter_name)[::_STRIDE, ::_STRIDE].astype(np.float64)
        flat = flat[flat > _DARKEST]
    per_channel = (scene.sky.size, *(1 for _ in range(flat.ndim)))
    if diffuse is None:
        diffuse = np.median(scene.diffuse.reshape(scene.sky.size, -1), axis=1)
        diffuse = diffuse.reshape(per_channel)
    dark_rate = float(np.median(truth.dark_e_s[::_STRIDE, ::_STRIDE]))
    read_e2 = _read_variance_e2(session)
    master_flat = _relative_variance_of_flats(truth, filter_name, flat)
    weight = np.zeros(np.broadcast_shapes(diffuse.shape, flat.shape))
    for shot in lights:
        dark_e = dark_rate * shot.exposure_s * session.sensor.dark.factor(shot.temperature_c)
        sky_e = scene.sky.reshape(per_channel) * shot.sky_factor + diffuse * shot.transparency
        sky_e = sky_e * shot.exposure_s
        variance = sky_e / flat + (dark_e + read_e2) / flat**2
        if darks:
            variance += (dark_e + read_e2) / darks / flat**2
        variance += sky_e**2 * master_flat
        if everywhere:
            variance = variance.mean(axis=1, keepdims=True)
        weight = weight + shot.transparency**2 / variance
    noise = np.sqrt(1.0 / (weight * truth.fill(filter_name).reshape(per_channel)))
    return np.asarray(noise[:, 0] if everywhere else noise) / truth.e_per_dn


def _read_variance_e2(session: Session) -> float:
    """Return the variance that reading a pixel adds, in electrons squared."""
    sensor = session.sensor
    mode = sensor.at_gain(session.gain)
    rows = sensor.bias.row_e**2 + sensor.bias.banding_e**2
    return mode.read_noise_e**2 + rows + mode.e_per_adu**2 / 12.0


def _relative_variance_of_flats(truth: Truth, filter_name: str | None, flat: Float64) -> Float64:
    """Return the relative variance of a master flat, float64 (channels, ...)."""
    flats = truth.of_kind(FrameKind.FLAT, filter_name)
    if not flats:
        return np.zeros((1,) * (flat.ndim + 1))
    level = np.multiply.outer(flat_levels_e(truth.session, flats[0]), flat)
    read_e2 = _read_variance_e2(truth.session)
    variance = (level + read_e2) / len(flats)
    under = len(truth.of_kind(FrameKind.FLAT_DARK)) or len(truth.of_kind(FrameKind.BIAS))
    if under:
        variance += read_e2 / under
    return np.asarray(variance / level**2)
