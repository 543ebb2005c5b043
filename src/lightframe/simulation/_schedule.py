"""The frames of a session in the order in which they are taken, with all that differs."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from lightframe.frames import FrameKind
from lightframe.simulation._capture import file_name
from lightframe.simulation._session import Night, Session
from lightframe.simulation._shots import FOLDERS, Claim, Pointing, Shot, Trail

__all__ = ["schedule"]

_PAUSE = timedelta(seconds=4)
"""Download and dithering between two exposures."""

_FLIP_OFFSET_PX = (9.0, -7.0)
"""By how much the pointing is off after a meridian flip."""


def schedule(session: Session) -> tuple[Shot, ...]:
    """Return all frames of a session, as its faults make them, with the paths of their files."""
    shots = (
        *_flats(session),
        *_lights(session),
        *_darks(session, FrameKind.DARK),
        *_darks(session, FrameKind.FLAT_DARK),
        *_biases(session),
    )
    for place, fault in enumerate(session.faults):
        shots = fault.change_shots(shots, place)
    return tuple(
        shot.model_copy(update={"path": f"{FOLDERS[shot.claim.kind]}/{file_name(session, shot)}"})
        for shot in shots
    )


def _shot(
    session: Session, kind: FrameKind, number: int, exposure_s: float, start: timedelta
) -> Shot:
    """Return an exposure with what all kinds have in common; `start` is since the first light."""
    random = np.random.default_rng(
        np.random.SeedSequence([session.seed, list(FrameKind).index(kind), number, 29])
    )
    time = session.night.start + start
    if session.sensor.cooled:
        temperature = session.temperature_c
        measured = temperature + round(random.normal(0.0, 0.06), 1)
    else:
        temperature = _ambient(session, start)
        measured = float(round(temperature))
    return Shot(
        kind=kind,
        number=number,
        exposure_s=exposure_s,
        gain=session.gain,
        offset=session.offset,
        temperature_c=temperature,
        time=time,
        claim=Claim(
            kind=kind,
            exposure_s=exposure_s,
            gain=session.gain,
            offset=session.offset,
            temperature_c=measured,
        ),
        cosmic_rays=session.night.cosmic_rays
        * exposure_s
        * session.sensor.width
        * session.sensor.height
        * 1e-6,
    )


def _ambient(session: Session, since_start: timedelta) -> float:
    """Return the temperature of an uncooled sensor, which follows the air."""
    night = session.night
    duration = _duration(session).total_seconds()
    share = since_start.total_seconds() / max(duration, 1.0)
    return night.ambient_c + night.ambient_drift_c * float(np.clip(share, -0.5, 1.5))


def _duration(session: Session) -> timedelta:
    """Return how long all lights take."""
    one = timedelta(seconds=session.lights.exposure_s) + _PAUSE
    return one * (session.lights.count * len(session.filters))


def _lights(session: Session) -> Iterator[Shot]:
    total = session.lights.count * len(session.filters)
    one = timedelta(seconds=session.lights.exposure_s) + _PAUSE
    for index, filter_ in enumerate(session.filters):
        crossed = np.random.default_rng([session.seed, index, 37]).permutation(
            session.lights.count
        )[: session.night.trails]
        for number in range(session.lights.count):
            place = index * session.lights.count + number
            shot = _shot(session, FrameKind.LIGHT, number, session.lights.exposure_s, place * one)
            random = np.random.default_rng([session.seed, index, number, 41])
            share = place / max(total - 1, 1)
            update = _conditions(session.night, share, random)
            update |= {
                "filter_index": index,
                "pointing": _pointing(session, place, filter_.scale, random),
                "pier_side": "east" if session.night.flip and 2 * place >= total else "west",
                "claim": shot.claim.model_copy(update={"filter": filter_.name}),
            }
            if number in crossed:
                update["trails"] = (_trail(session, random),)
            yield shot.model_copy(update=update)


def _conditions(night: Night, share: float, random: np.random.Generator) -> dict[str, object]:
    """Return seeing, transparency and sky of a light; `share` runs from 0 to 1 over the night."""
    turn = np.radians(night.gradient_turn_deg * share + 35.0)
    return {
        "fwhm_px": night.fwhm_px * float(np.exp(night.fwhm_spread * random.normal())),
        "beta": night.beta,
        "eccentricity": float(np.clip(night.eccentricity + 0.05 * random.normal(), 0.0, 0.9)),
        "angle_deg": float(random.uniform(0.0, 180.0)),
        "transparency": float(np.exp(-night.transparency_spread * abs(random.normal()))),
        "sky_factor": 1.0 + night.sky_drift * share + 0.01 * float(random.normal()),
        "gradient": (night.gradient * float(np.cos(turn)), night.gradient * float(np.sin(turn))),
    }


def _pointing(session: Session, place: int, scale: float, random: np.random.Generator) -> Pointing:
    """Return the pointing of the light that is taken as number `place`; that of the first is 0."""
    night = session.night
    total = session.lights.count * len(session.filters)
    radius = night.dither_px * float(np.sqrt(random.uniform()))
    angle = float(random.uniform(0.0, 2.0 * np.pi))
    if place == 0:
        return Pointing(scale=scale)
    dx = radius * np.cos(angle) + night.drift_px[0] * place
    dy = radius * np.sin(angle) + night.drift_px[1] * place
    rotation = night.rotation_deg * place / max(total - 1, 1)
    if night.flip and 2 * place >= total:
        dx, dy = dx + _FLIP_OFFSET_PX[0], dy + _FLIP_OFFSET_PX[1]
        rotation += 180.0
    return Pointing(dx=float(dx), dy=float(dy), rotation_deg=rotation, scale=scale)


def _trail(session: Session, random: np.random.Generator) -> Trail:
    height, width = session.sensor.shape
    return Trail(
        x=float(random.uniform(0.25, 0.75) * width),
        y=float(random.uniform(0.25, 0.75) * height),
        angle_deg=float(random.uniform(0.0, 180.0)),
        peak_e=session.night.trail_e * float(random.uniform(0.5, 1.5)),
    )


def _flats(session: Session) -> Iterator[Shot]:
    """Flats at dusk, filter after filter."""
    flats = session.flats
    one = timedelta(seconds=flats.exposure_s) + _PAUSE
    total = flats.count * len(session.filters)
    for index, filter_ in enumerate(session.filters):
        for number in range(flats.count):
            place = index * flats.count + number
            start = (place - total) * one - timedelta(minutes=40)
            shot = _shot(session, FrameKind.FLAT, number, flats.exposure_s, start)
            random = np.random.default_rng([session.seed, index, number, 43])
            level = flats.level * (1.0 + flats.level_spread * float(random.normal()))
            yield shot.model_copy(
                update={
                    "filter_index": index,
                    "level": level,
                    "claim": shot.claim.model_copy(update={"filter": filter_.name}),
                }
            )


def _darks(session: Session, kind: FrameKind) -> Iterator[Shot]:
    """Darks after the last light, flat-darks after the darks."""
    if kind is FrameKind.DARK:
        group, exposure_s = session.darks, session.lights.exposure_s
        delay = timedelta(minutes=10)
    else:
        group, exposure_s = session.flat_darks, session.flats.exposure_s
        delay = timedelta(minutes=15 + session.darks.count * session.lights.exposure_s / 30.0)
    exposure_s = group.exposure_s or exposure_s
    begin = _duration(session) + delay
    for number in range(group.count):
        start = begin + number * (timedelta(seconds=exposure_s) + _PAUSE)
        yield _shot(session, kind, number, exposure_s, start)


def _biases(session: Session) -> Iterator[Shot]:
    begin = _duration(session) + timedelta(hours=8)
    for number in range(session.bias.count):
        start = begin + number * _PAUSE
        yield _shot(session, FrameKind.BIAS, number, session.bias.exposure_s, start)
