"""Small simulated sessions for tests of single steps."""

from lightframe.simulation import preset


def small(name, *, width=240, height=180, lights=4, calibration=5):
    """Return a ready-made session, scaled down."""
    session = preset(name)
    sensor = session.sensor.model_copy(update={"width": width, "height": height})
    optics = session.optics.model_copy(update={"dust": session.optics.dust[:1]})
    night = session.night.model_copy(update={"trails": 0, "flip": False, "dither_px": 4.0})
    sky = session.sky.model_copy(
        update={"stars": session.sky.stars.model_copy(update={"per_megapixel": 4000})}
    )
    return session.model_copy(
        update={
            "sensor": sensor,
            "optics": optics,
            "night": night,
            "sky": sky,
            "filters": session.filters[:1],
            "lights": session.lights.model_copy(update={"count": lights}),
            "darks": session.darks.model_copy(update={"count": calibration}),
            "flats": session.flats.model_copy(update={"count": calibration}),
            "flat_darks": session.flat_darks.model_copy(update={"count": calibration}),
            "bias": session.bias.model_copy(update={"count": calibration}),
        }
    )


def files(folder, kind):
    """Return the frames of one kind of a session, sorted."""
    return sorted((folder / kind).rglob("*.fit*"))
