"""Sessions for the rules on calibrated lights, of 0.2 megapixels and eight frames of each kind."""

from lightframe.frames import FrameKind
from lightframe.simulation import (
    AlreadyCalibrated,
    BiasPattern,
    ChangedGlow,
    Clouds,
    Glow,
    Missing,
    Optics,
    OtherCamera,
    Session,
    ShadowShift,
    WrongSetting,
    preset,
)
from rule_cases import Case

FRAMES = 8
DARK, FLAT_DARK, FLAT = (FrameKind.DARK,), (FrameKind.FLAT_DARK,), (FrameKind.FLAT,)
LIGHT = (FrameKind.LIGHT,)


def night(name, *faults, height=400, width=512, **changes):
    """Return a preset of 0.2 megapixels and eight frames of each kind, with faults.

    A mapping changes some of the settings of a group, anything else the group.
    """
    values = preset(name).model_dump()
    values["sensor"] |= {"width": width, "height": height}
    values["lights"]["count"] = values["darks"]["count"] = values["flats"]["count"] = FRAMES
    for kind in ("flat_darks", "bias"):
        values[kind]["count"] = min(FRAMES, values[kind]["count"])
    values["filters"] = values["filters"][:1]
    for group, update in changes.items():
        values[group] = values[group] | update if isinstance(update, dict) else update
    return Session.parse(values).changed(faults=faults)


def osc(*faults, **changes):
    """Return a night with a colour camera and flat-darks."""
    return night("osc-cmos", *faults, **changes)


def mono(*faults, **changes):
    """Return a night with a monochrome camera and bias frames."""
    return night("mono-cmos", *faults, **changes)


def ccd(*faults, **changes):
    """Return a night with a CCD, bias frames, and long darks that are scaled."""
    return night("mono-ccd", *faults, **changes)


def with_dark(session, **changes):
    """Return a session whose sensor has another dark current."""
    dark = session.sensor.dark.model_copy(update=changes)
    return session.changed(sensor=session.sensor.model_copy(update={"dark": dark}))


def wide(session):
    """Return a session with frames large enough for several dust shadows."""
    return session.resized(480, 640)


def featureless(*faults, **changes):
    """Return a night without vignetting, dust and unequal pixels: no flat shows in its lights."""
    session = osc(*faults, optics=Optics(vignetting=0.0, dust=()), **changes)
    alike = {"prnu": 0.0, "cold_fraction": 0.0}
    return session.changed(sensor=session.sensor.model_copy(update=alike))


def glowing(*faults):
    """Return a night of strong amplifier glow, without a nebula."""
    session = osc(*faults, sky={"nebula": None})
    return with_dark(session, glow=Glow(peak_e=1500.0, extent=0.15))


def patterned(*faults):
    """Return a night with a sensor of strong fixed pattern and without hot pixels."""
    session = with_dark(mono(*faults), hot_fraction=0.0, warm_fraction=0.0)
    bias = BiasPattern(column_e=12.0, pixel_e=12.0)
    return session.changed(sensor=session.sensor.model_copy(update={"bias": bias}))


CALIBRATED = {"match": {"calibrated_frames": "use"}}

RESULTS = {
    "over-correction": Case(
        found=osc(WrongSetting(kinds=(*DARK, *FLAT_DARK), offset=46)),
        near=osc(WrongSetting(kinds=(*DARK, *FLAT_DARK), offset=69)),
    ),
    "under-correction": Case(
        found=osc(Missing(kinds=FLAT_DARK)), near=osc(WrongSetting(kinds=FLAT_DARK, offset=69.7))
    ),
    "clipped-result": Case(
        found=featureless(WrongSetting(kinds=DARK, offset=120), lights={"exposure_s": 20.0}),
        near=featureless(lights={"exposure_s": 4.0}),
    ),
    "pedestal-subtracted": Case(
        found=osc(
            AlreadyCalibrated(kinds=LIGHT, pedestal_dn=100, honest=True), lights={"exposure_s": 4.0}
        ),
        settings=CALIBRATED,
        near=osc(AlreadyCalibrated(kinds=LIGHT, pedestal_dn=100, honest=True)),
        near_settings=CALIBRATED,
        severity="info",
    ),
    "undithered": Case(found=osc(night={"dither_px": 0.0}), near=osc(night={"dither_px": 6.0})),
    "bad-light": Case(
        found=osc(Clouds(numbers=(3,), transparency=0.35)),
        near=osc(Clouds(numbers=(3,), transparency=0.85, sky_factor=1.05)),
    ),
    "no-dark-correlation": Case(
        found=with_dark(ccd(OtherCamera()), hot_fraction=0.0, warm_e_s=0.03),
        near=with_dark(ccd(), hot_fraction=0.0, warm_e_s=0.03),
    ),
    "dark-scale-disagrees": Case(
        found=ccd(WrongSetting(kinds=DARK, exposure_s=200)),
        near=ccd(WrongSetting(kinds=DARK, exposure_s=560)),
        numbers={"k": 0.9, "ratio": 0.3},
    ),
    "residual-pattern": Case(found=patterned(OtherCamera()), near=patterned()),
    "dust-embossed": Case(
        found=wide(osc(ShadowShift(dx_px=6, dy_px=-4))),
        near=wide(osc(ShadowShift(dx_px=0.6, dy_px=-0.4))),
        numbers={"dx_px": -6.0, "dy_px": 4.0},
    ),
    "dark-scaling-with-glow": Case(
        found=with_dark(ccd(), glow=Glow()), near=with_dark(ccd(), glow=Glow(peak_e=4.0))
    ),
    "residual-glow": Case(
        found=glowing(ChangedGlow()),
        near=glowing(ChangedGlow(factor=0.97)),
        numbers={"left_percent": 109.0},
    ),
}
