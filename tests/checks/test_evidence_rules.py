"""Each rule on pixels: one session that it must find, named as the cause, and a near miss."""

import pytest

from check_sessions import ccd, dslr, findings_of, mono, osc, serious
from lightframe.checks._shown import SHOWN
from lightframe.frames import FrameKind
from lightframe.simulation import (
    AlreadyCalibrated,
    BiasDrift,
    BzeroLost,
    Duplicate,
    FlatLevel,
    FlatSet,
    Flicker,
    Flipped,
    HeaderValue,
    HotPixelFilter,
    LightLeak,
    Mislabelled,
    NewHotPixels,
    OtherCamera,
    ShadowShift,
    ShutterPattern,
    StarsInFlat,
    TruncatedFile,
    Unshifted,
    WhiteBalance,
    WrongSetting,
)

BIAS, DARK, FLAT_DARK = (FrameKind.BIAS,), (FrameKind.DARK,), (FrameKind.FLAT_DARK,)
FLAT, LIGHT = (FrameKind.FLAT,), (FrameKind.LIGHT,)


def short_flats(*faults, kinds_exposure=0.2):
    """Return a CCD session in which two of the flats are short, and say so."""
    short = WrongSetting(kinds=FLAT, numbers=(0, 1), exposure_s=kinds_exposure, honest=True)
    return ccd(short, *faults)


def warm_sensor(rate_e_s):
    """Return a monochrome session with flats of a minute and some dark current."""
    session = mono(flats=FlatSet(count=4, exposure_s=60.0, level=0.2))
    dark = session.sensor.dark.model_copy(update={"rate_e_s": rate_e_s})
    return session.changed(sensor=session.sensor.model_copy(update={"dark": dark}))


CLEAN = {"osc": osc, "mono": mono, "ccd": ccd, "dslr": dslr}

FOUND = [
    ("unreadable-file", osc(TruncatedFile(kinds=DARK, numbers=(1,)))),
    ("duplicate-frame", osc(Duplicate(kinds=LIGHT, numbers=(2,)))),
    ("duplicate-frame", mono(Duplicate(kinds=BIAS, numbers=(0,)))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=FLAT, numbers=(1,), claimed="dark"))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=DARK, numbers=(2,), claimed="light"))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=LIGHT, numbers=(2,), claimed="dark"))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=DARK, numbers=(2,), claimed="flat"))),
    ("frame-type-mislabelled", mono(Mislabelled(kinds=LIGHT, numbers=(2,), claimed="flat"))),
    ("frame-type-mislabelled", mono(Mislabelled(kinds=FLAT, numbers=(2,), claimed="light"))),
    ("frame-type-mislabelled", mono(Mislabelled(kinds=FLAT, numbers=(2,), claimed="bias"))),
    ("already-calibrated", osc(AlreadyCalibrated(kinds=LIGHT))),
    ("already-calibrated", osc(AlreadyCalibrated(kinds=DARK))),
    ("already-calibrated", mono(AlreadyCalibrated(kinds=DARK, numbers=(2,)))),
    ("unsigned-offset-wrong", osc(BzeroLost(kinds=DARK))),
    ("unsigned-offset-wrong", osc(BzeroLost(kinds=LIGHT, numbers=(1,)))),
    ("mixed-scaling", osc(Unshifted(kinds=DARK))),
    ("mixed-scaling", osc(Unshifted(kinds=FLAT))),
    ("mixed-scaling", osc(Unshifted(kinds=DARK, numbers=(1,)))),
    ("offset-mismatch", osc(WrongSetting(kinds=DARK, offset=10))),
    ("offset-mismatch", osc(WrongSetting(kinds=LIGHT, offset=10))),
    ("offset-mismatch", osc(WrongSetting(kinds=LIGHT, offset=150))),
    ("offset-mismatch", mono(WrongSetting(kinds=BIAS, offset=10))),
    ("offset-mismatch", mono(WrongSetting(kinds=DARK, offset=60), HeaderValue(keyword="OFFSET"))),
    (
        "software-mismatch",
        osc(
            WrongSetting(kinds=FLAT_DARK, offset=40),
            HeaderValue(kinds=FLAT_DARK, keyword="SWCREATE", value="SharpCap"),
            HeaderValue(keyword="OFFSET"),
        ),
    ),
    ("gain-label-wrong", osc(WrongSetting(kinds=DARK, gain=0))),
    ("gain-label-wrong", osc(WrongSetting(kinds=FLAT, gain=0))),
    ("gain-label-wrong", osc(WrongSetting(kinds=LIGHT, gain=0))),
    ("gain-label-wrong", mono(WrongSetting(kinds=DARK, numbers=(2,), gain=0))),
    ("camera-mismatch", osc(OtherCamera())),
    ("camera-mismatch", ccd(OtherCamera())),
    ("frame-flipped", osc(Flipped(kinds=DARK))),
    ("frame-flipped", mono(Flipped(kinds=LIGHT))),
    ("hot-pixel-mismatch", osc(WrongSetting(kinds=DARK, temperature_c=0))),
    ("hot-pixel-mismatch", osc(WrongSetting(kinds=DARK, exposure_s=60))),
    (
        "dark-temperature-mismatch",
        osc(
            WrongSetting(kinds=DARK, temperature_c=0),
            HeaderValue(keyword="CCD-TEMP"),
            HeaderValue(keyword="SET-TEMP"),
        ),
    ),
    ("stale-dark", osc(NewHotPixels())),
    ("cfa-pattern-missing", osc(HeaderValue(keyword="BAYERPAT"))),
    ("cfa-pattern-wrong", osc(HeaderValue(keyword="BAYERPAT", value="GRBG"))),
    ("cfa-on-mono", mono(HeaderValue(keyword="BAYERPAT", value="RGGB"))),
    ("white-balance-scaled", osc(WhiteBalance())),
    ("white-balance-scaled", osc(WhiteBalance(factors=(1.04, 1.0, 1.0)))),
    ("white-balance-scaled", osc(WhiteBalance(kinds=LIGHT))),
    ("bias-unstable", mono(BiasDrift())),
    ("bias-unstable", ccd(BiasDrift(level_dn=0, gradient_dn=40))),
    ("black-clipped", osc(offset=0.5)),
    ("black-clipped", ccd(offset=10.0)),
    ("dark-light-leak", osc(LightLeak())),
    ("dark-light-leak", mono(LightLeak(e_s=0.3))),
    ("dark-light-leak", dslr(LightLeak())),
    ("dark-inconsistent", osc(WrongSetting(kinds=DARK, numbers=(0,), temperature_c=-3))),
    ("dark-inconsistent", mono(WrongSetting(kinds=DARK, numbers=(0,), offset=60))),
    ("flat-dark-needed", warm_sensor(0.15)),
    ("filtered-raw", osc(HotPixelFilter())),
    ("filtered-raw", mono(HotPixelFilter(kinds=LIGHT))),
    ("flat-saturated", osc(FlatLevel(level=1.3))),
    ("flat-saturated", mono(FlatLevel(level=0.97))),
    ("flat-underexposed", osc(FlatLevel(level=0.03))),
    ("flat-underexposed", dslr(FlatLevel(level=0.15))),
    ("flat-weak-channel", osc(flats=FlatSet(count=4, panel=(0.02, 1.0, 0.5)))),
    ("flat-banding", osc(Flicker())),
    ("flat-banding", mono(Flicker(amplitude=0.005))),
    ("flat-shutter-pattern", short_flats(ShutterPattern())),
    ("flat-inconsistent", osc(ShadowShift(numbers=(2,), dx_px=30, dy_px=20))),
    ("stars-in-flat", mono(StarsInFlat(per_megapixel=100))),
]
"""A rule, and a session in which it must be the only error or warning."""

MISSED = [
    (
        "a dark of 3 % more temperature-driven signal",
        osc(WrongSetting(kinds=DARK, temperature_c=-9.8)),
    ),
    ("darks and lights stored upside down alike", mono(Flipped())),
    ("all frames left unshifted alike", osc(Unshifted())),
    ("a new offset for all frames", osc(offset=90.0)),
    ("another gain for all frames", osc(gain=0.0)),
    (
        "a bias that scatters by a tenth of its noise",
        mono(BiasDrift(level_dn=0.5, gradient_dn=0.4)),
    ),
    ("a leak far below the noise", osc(LightLeak(e_s=0.001))),
    ("a low offset that clips nothing", osc(offset=10.0)),
    ("bright flats below 90 % of saturation", osc(FlatLevel(level=0.8))),
    ("dim flats of sufficient signal", mono(FlatLevel(level=0.2))),
    (
        "a coloured panel, each colour with enough light",
        osc(flats=FlatSet(count=4, panel=(0.5, 1, 1))),
    ),
    ("flicker far below the noise", osc(Flicker(amplitude=0.0002))),
    ("short flats without a shutter's pattern", short_flats()),
    (
        "dust that moved by a hundredth of a pixel",
        osc(ShadowShift(numbers=(2,), dx_px=0.01, dy_px=0)),
    ),
    ("a handful of new hot pixels", osc(NewHotPixels(per_megapixel=20))),
    ("flats of a minute with a cold sensor", warm_sensor(0.001)),
    (
        "a monochrome camera whose driver says so",
        mono(HeaderValue(keyword="BAYERPAT", value="NONE")),
    ),
    ("offsets that no header states", osc(HeaderValue(keyword="OFFSET"))),
    (
        "another program with the same levels",
        osc(HeaderValue(kinds=FLAT_DARK, keyword="SWCREATE", value="SharpCap")),
    ),
]
"""What is right after all: not a single error or warning."""


@pytest.mark.parametrize("camera", CLEAN)
def test_a_clean_session_is_silent(camera, tmp_path):
    """No error and no warning where nothing is wrong."""
    findings = findings_of(tmp_path / "session", CLEAN[camera]())

    assert serious(findings) == []


@pytest.mark.parametrize(
    ("rule", "session"), FOUND, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(FOUND)]
)
def test_a_fault_is_found_and_named(rule, session, tmp_path):
    """The cause is the only error or warning; what follows from it is not reported beside it."""
    findings = findings_of(tmp_path / "session", session)

    assert serious(findings) == [rule]
    finding = next(f for f in findings if f.rule == rule)
    assert finding.frames
    assert finding.message
    assert finding.cause
    assert finding.remedy
    assert finding.evidence
    assert (finding.picture is not None) == (rule in SHOWN)


@pytest.mark.parametrize(("what", "session"), MISSED, ids=[what for what, _ in MISSED])
def test_a_near_miss_is_no_finding(what, session, tmp_path):
    """What does no harm is not reported."""
    assert what
    assert serious(findings_of(tmp_path / "session", session)) == []
