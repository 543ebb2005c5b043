"""Sessions for the rules on frames that must go together."""

from check_sessions import dslr, mono, osc, small
from lightframe.frames import FrameKind
from lightframe.simulation import (
    BiasSet,
    Binned,
    CameraRawFile,
    Cropped,
    Flipped,
    GivenMaster,
    HeaderValue,
    Missing,
    NewHotPixels,
    OtherCamera,
    WrongSetting,
    preset,
)
from rule_cases import Case

BIAS, DARK, FLAT_DARK = (FrameKind.BIAS,), (FrameKind.DARK,), (FrameKind.FLAT_DARK,)
FLAT, LIGHT = (FrameKind.FLAT,), (FrameKind.LIGHT,)


def says(keyword, value, kinds=()):
    """Return a fault of the header."""
    return HeaderValue(keyword=keyword, value=value, kinds=kinds)


def truly(kinds, **setting):
    """Return frames with another setting that their headers tell."""
    return WrongSetting(kinds=kinds, honest=True, **setting)


def named(camera, **changes):
    """Return a monochrome session of a camera of this name."""
    session = mono(**changes)
    return session.changed(sensor=session.sensor.model_copy(update={"camera": camera}))


def two_filters(*faults):
    """Return a monochrome session of L and R."""
    return small("mono-cmos", faults=faults).changed(filters=preset("mono-cmos").filters[:2])


def on_adc_scale(session):
    """Return a session whose driver states electrons per unit of the ADC."""
    sensor = session.sensor.model_copy(update={"egain_on_adc_scale": True})
    return session.changed(sensor=sensor)


EQUIPMENT = {
    "camera-mismatch": Case(
        found=osc(OtherCamera()), near=osc(says("INSTRUME", "ASI533MC Pro (Cam 2)", DARK))
    ),
    "format-mismatch": Case(
        found=dslr(CameraRawFile(kinds=(*DARK, *BIAS))), near=dslr(CameraRawFile())
    ),
    "binning-mismatch": Case(found=mono(Binned(kinds=DARK)), near=mono(Binned(how="mean"))),
    "geometry-mismatch": Case(found=osc(Cropped(kinds=DARK)), near=osc(Cropped())),
    "readout-mode-mismatch": Case(
        found=osc(says("READOUTM", "Low noise"), says("READOUTM", "High speed", DARK)),
        near=osc(says("READOUTM", "High speed", DARK)),
    ),
    "frame-flipped": Case(found=osc(Flipped(kinds=DARK)), near=mono(Flipped())),
}

SETTINGS_OF_THE_CAMERA = {
    "gain-mismatch": Case(found=osc(truly(DARK, gain=0)), near=osc(gain=0.0)),
    "gain-label-wrong": Case(found=osc(WrongSetting(kinds=DARK, gain=0)), near=on_adc_scale(osc())),
    "offset-mismatch": Case(
        found=osc(WrongSetting(kinds=DARK, offset=10)),
        near=osc(WrongSetting(kinds=DARK, offset=71)),
    ),
    "software-mismatch": Case(
        found=osc(
            WrongSetting(kinds=FLAT_DARK, offset=40),
            says("SWCREATE", "SharpCap", FLAT_DARK),
            HeaderValue(keyword="OFFSET"),
        ),
        near=osc(says("SWCREATE", "SharpCap", FLAT_DARK), HeaderValue(keyword="OFFSET")),
    ),
    "dark-exposure-mismatch": Case(
        found=osc(truly(DARK, exposure_s=60)), near=osc(truly(DARK, exposure_s=119.5))
    ),
    "dark-shorter-than-light": Case(
        found=mono(truly(DARK, exposure_s=45)), near=mono(truly(DARK, exposure_s=135))
    ),
    "dark-temperature-mismatch": Case(
        found=osc(truly(DARK, temperature_c=-8)), near=osc(truly(DARK, temperature_c=-9.4))
    ),
    "flat-dark-exposure-mismatch": Case(
        found=osc(truly(FLAT_DARK, exposure_s=5)), near=osc(truly(FLAT_DARK, exposure_s=2.51))
    ),
    "hot-pixel-mismatch": Case(
        found=osc(WrongSetting(kinds=DARK, temperature_c=-5)),
        near=osc(WrongSetting(kinds=DARK, temperature_c=-9)),
    ),
    "stale-dark": Case(found=osc(NewHotPixels()), near=osc(NewHotPixels(per_megapixel=20))),
}

WHAT_IS_THERE = {
    "flats-uncalibrated": Case(
        found=osc(Missing(kinds=FLAT_DARK)),
        near=osc(Missing(kinds=FLAT_DARK), bias=BiasSet(count=4)),
    ),
    "flat-filter-missing": Case(
        found=two_filters(Missing(kinds=FLAT, filter_indices=(1,))),
        near=two_filters(
            HeaderValue(kinds=FLAT, filter_indices=(0,), keyword="FILTER", value="Lum")
        ),
    ),
    "flat-geometry-changed": Case(
        found=osc(says("ROTATANG", 92.0, FLAT), says("ROTATANG", 87.5, LIGHT)),
        near=osc(says("ROTATANG", 92.0, FLAT), says("ROTATANG", 272.3, LIGHT)),
    ),
    "no-dark": Case(found=osc(Missing(kinds=DARK)), near=osc(GivenMaster(kinds=DARK))),
    "no-flat": Case(
        found=osc(Missing(kinds=FLAT)), near=osc(GivenMaster(kinds=FLAT, bias_subtracted=True))
    ),
    "too-few-frames": Case(
        found=osc(Missing(kinds=DARK, numbers=(0, 1))),
        near=osc(Missing(kinds=DARK, numbers=(0,))),
        severity="warning",
    ),
    "double-bias-subtraction": Case(
        found=mono(),
        settings={"match": {"use_bias": "always"}, "calibration": {"calibrate_dark": False}},
        near=mono(),
        near_settings={"match": {"use_bias": "always"}},
    ),
    "bias-never-subtracted": Case(
        found=osc(GivenMaster(bias_subtracted=True, honest=True)),
        near=mono(GivenMaster(bias_subtracted=True, honest=True)),
    ),
    "bias-not-recommended": Case(
        found=named("ZWO ASI1600MM Pro"),
        near=named("ZWO ASI1600MM Pro", bias=BiasSet(count=4, exposure_s=0.3)),
    ),
}
