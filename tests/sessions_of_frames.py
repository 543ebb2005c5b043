"""Sessions for the rules on single frames and on sets of calibration frames."""

from check_sessions import ccd, dslr, mono, osc
from lightframe.frames import FrameKind
from lightframe.simulation import (
    AlreadyCalibrated,
    BiasDrift,
    BzeroLost,
    Clouds,
    Duplicate,
    FlatLevel,
    FlatSet,
    Flicker,
    FloatFile,
    GivenMaster,
    HeaderValue,
    HotPixelFilter,
    LightLeak,
    Mislabelled,
    ShadowShift,
    ShutterPattern,
    StarsInFlat,
    TornReadout,
    TruncatedFile,
    Unshifted,
    WhiteBalance,
    WrongSetting,
)
from rule_cases import Case

BIAS, DARK, FLAT_DARK = (FrameKind.BIAS,), (FrameKind.DARK,), (FrameKind.FLAT_DARK,)
FLAT, LIGHT = (FrameKind.FLAT,), (FrameKind.LIGHT,)

WITHOUT_PADDING = 0.9975
"""So much of a file is there if only the zeros are missing that fill its last block."""


def with_dark(session, **changes):
    """Return a session whose sensor has another dark current."""
    dark = session.sensor.dark.model_copy(update=changes)
    return session.changed(sensor=session.sensor.model_copy(update={"dark": dark}))


def long_flats(rate_e_s):
    """Return a monochrome session with flats of a minute and some dark current."""
    flats = FlatSet(count=4, exposure_s=60.0, level=0.2)
    return with_dark(mono(flats=flats), rate_e_s=rate_e_s)


def short_flats(*faults):
    """Return a CCD session in which two of the flats are short, and say so."""
    return ccd(WrongSetting(kinds=FLAT, numbers=(0, 1), exposure_s=0.2, honest=True), *faults)


def panel(*light):
    """Return a colour session with flats of coloured light."""
    return osc(flats=FlatSet(count=4, panel=light))


FILES = {
    "unreadable-file": Case(
        found=osc(TruncatedFile(kinds=DARK, numbers=(1,))),
        near=osc(TruncatedFile(kinds=DARK, numbers=(1,), fraction=WITHOUT_PADDING)),
    ),
    "duplicate-frame": Case(
        found=osc(Duplicate(kinds=LIGHT, numbers=(2,))),
        near=osc(HeaderValue(kinds=LIGHT, keyword="DATE-OBS", value="2026-10-09T20:00:00")),
    ),
    "frame-type-mislabelled": Case(
        found=osc(Mislabelled(kinds=FLAT, numbers=(1,), claimed="dark")),
        near=osc(Clouds(numbers=(2,), sky_factor=6.0)),
    ),
    "already-calibrated": Case(
        found=osc(AlreadyCalibrated(kinds=LIGHT)), near=osc(FloatFile(kinds=LIGHT))
    ),
    "unsigned-offset-wrong": Case(
        found=osc(BzeroLost(kinds=DARK)), near=mono(FlatLevel(level=0.55))
    ),
    "units-mismatch": Case(
        found=mono(GivenMaster(factor=1 / 5000)), near=mono(GivenMaster(factor=1 / 65535))
    ),
    "mixed-scaling": Case(found=osc(Unshifted(kinds=DARK)), near=osc(Unshifted())),
}

BIAS_AND_DARK = {
    "bias-unstable": Case(
        found=mono(BiasDrift()), near=mono(BiasDrift(level_dn=0.5, gradient_dn=0.4))
    ),
    "black-clipped": Case(found=osc(offset=0.5), near=osc(offset=10.0)),
    "dark-light-leak": Case(found=osc(LightLeak()), near=osc(LightLeak(e_s=0.001))),
    "dark-inconsistent": Case(
        found=dslr(TornReadout(kinds=DARK, numbers=(1,))),
        near=osc(WrongSetting(kinds=DARK, numbers=(0,), temperature_c=-9.2)),
    ),
    "flat-dark-needed": Case(found=long_flats(0.15), near=long_flats(0.001)),
    "filtered-raw": Case(
        found=osc(HotPixelFilter()),
        near=with_dark(osc(), hot_fraction=0.0, warm_fraction=0.0),
    ),
    "master-dark-precalibrated": Case(
        found=mono(GivenMaster(bias_subtracted=True)), near=mono(GivenMaster())
    ),
    "master-dark-clipped": Case(
        found=mono(GivenMaster(bias_subtracted=True, negatives_cut=True)), near=mono(GivenMaster())
    ),
}

FLATS = {
    "flat-saturated": Case(found=osc(FlatLevel(level=1.3)), near=osc(FlatLevel(level=0.8))),
    "flat-underexposed": Case(found=osc(FlatLevel(level=0.03)), near=mono(FlatLevel(level=0.2))),
    "flat-weak-channel": Case(found=panel(0.02, 1.0, 0.5), near=panel(0.5, 1.0, 1.0)),
    "flat-banding": Case(found=osc(Flicker()), near=osc(Flicker(amplitude=0.0002))),
    "flat-shutter-pattern": Case(found=short_flats(ShutterPattern()), near=short_flats()),
    "flat-inconsistent": Case(
        found=osc(ShadowShift(numbers=(2,), dx_px=30, dy_px=20)),
        near=osc(ShadowShift(numbers=(2,), dx_px=0.01, dy_px=0)),
    ),
    "stars-in-flat": Case(
        found=mono(StarsInFlat(per_megapixel=100)), near=mono(StarsInFlat(contrast=0.02))
    ),
}

COLOURS = {
    "cfa-pattern-missing": Case(
        found=osc(HeaderValue(keyword="BAYERPAT")), near=osc(HeaderValue(keyword="XBAYROFF"))
    ),
    "cfa-pattern-wrong": Case(
        found=osc(HeaderValue(keyword="BAYERPAT", value="GRBG")),
        near=osc(HeaderValue(keyword="XBAYROFF", value=2)),
    ),
    "cfa-on-mono": Case(
        found=mono(HeaderValue(keyword="BAYERPAT", value="RGGB")),
        near=mono(HeaderValue(keyword="BAYERPAT", value="NONE")),
    ),
    "white-balance-scaled": Case(
        found=osc(WhiteBalance()), near=osc(WhiteBalance(factors=(1.0, 1.0, 1.0)))
    ),
}
