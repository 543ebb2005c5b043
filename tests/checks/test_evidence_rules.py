"""Rules on pixels: further faults that they must find, further near misses, clean sessions."""

import pytest

from check_sessions import ccd, dslr, mono, osc, serious
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
    OtherCamera,
    Unshifted,
    WhiteBalance,
    WrongSetting,
)
from session_library import Library

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


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return a library of simulated frames that all tests of this module share."""
    return Library(tmp_path_factory.mktemp("library") / "frames")


CLEAN = {"osc": osc, "mono": mono, "ccd": ccd, "dslr": dslr}

FOUND = [
    ("duplicate-frame", mono(Duplicate(kinds=BIAS, numbers=(0,)))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=DARK, numbers=(2,), claimed="light"))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=LIGHT, numbers=(2,), claimed="dark"))),
    ("frame-type-mislabelled", osc(Mislabelled(kinds=DARK, numbers=(2,), claimed="flat"))),
    ("frame-type-mislabelled", mono(Mislabelled(kinds=LIGHT, numbers=(2,), claimed="flat"))),
    ("frame-type-mislabelled", mono(Mislabelled(kinds=FLAT, numbers=(2,), claimed="light"))),
    ("frame-type-mislabelled", mono(Mislabelled(kinds=FLAT, numbers=(2,), claimed="bias"))),
    ("already-calibrated", osc(AlreadyCalibrated(kinds=DARK))),
    ("already-calibrated", mono(AlreadyCalibrated(kinds=DARK, numbers=(2,)))),
    ("unsigned-offset-wrong", osc(BzeroLost(kinds=LIGHT, numbers=(1,)))),
    ("mixed-scaling", osc(Unshifted(kinds=FLAT))),
    ("mixed-scaling", osc(Unshifted(kinds=DARK, numbers=(1,)))),
    ("offset-mismatch", osc(WrongSetting(kinds=LIGHT, offset=10))),
    ("offset-mismatch", osc(WrongSetting(kinds=LIGHT, offset=150))),
    ("offset-mismatch", mono(WrongSetting(kinds=BIAS, offset=10))),
    ("offset-mismatch", mono(WrongSetting(kinds=DARK, offset=60), HeaderValue(keyword="OFFSET"))),
    ("gain-label-wrong", osc(WrongSetting(kinds=FLAT, gain=0))),
    ("gain-label-wrong", osc(WrongSetting(kinds=LIGHT, gain=0))),
    ("gain-label-wrong", mono(WrongSetting(kinds=DARK, numbers=(2,), gain=0))),
    ("camera-mismatch", ccd(OtherCamera())),
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
    ("white-balance-scaled", osc(WhiteBalance(factors=(1.04, 1.0, 1.0)))),
    ("white-balance-scaled", osc(WhiteBalance(kinds=LIGHT))),
    ("bias-unstable", ccd(BiasDrift(level_dn=0, gradient_dn=40))),
    ("black-clipped", ccd(offset=10.0)),
    ("dark-light-leak", mono(LightLeak(e_s=0.3))),
    ("dark-light-leak", dslr(LightLeak())),
    ("dark-inconsistent", osc(WrongSetting(kinds=DARK, numbers=(0,), temperature_c=-3))),
    ("dark-inconsistent", mono(WrongSetting(kinds=DARK, numbers=(0,), offset=60))),
    ("filtered-raw", mono(HotPixelFilter(kinds=LIGHT))),
    ("flat-saturated", mono(FlatLevel(level=0.97))),
    ("flat-underexposed", dslr(FlatLevel(level=0.15))),
    ("flat-banding", mono(Flicker(amplitude=0.005))),
]
"""A rule, and a session in which it must be the only error or warning."""

MISSED = [
    (
        "a dark of 3 % more temperature-driven signal",
        osc(WrongSetting(kinds=DARK, temperature_c=-9.8)),
    ),
    ("a new offset for all frames", osc(offset=90.0)),
    ("offsets that no header states", osc(HeaderValue(keyword="OFFSET"))),
    (
        "another program with the same levels",
        osc(HeaderValue(kinds=FLAT_DARK, keyword="SWCREATE", value="SharpCap")),
    ),
]
"""What is right after all: not a single error or warning."""


@pytest.mark.parametrize("camera", CLEAN)
def test_a_clean_session_is_silent(camera, library):
    """No error and no warning where nothing is wrong."""
    findings = library.check(CLEAN[camera]()).findings

    assert serious(findings) == []


@pytest.mark.parametrize(
    ("rule", "session"), FOUND, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(FOUND)]
)
def test_a_fault_is_found_and_named(rule, session, library):
    """The cause is the only error or warning; what follows from it is not reported beside it."""
    findings = library.check(session).findings

    assert serious(findings) == [rule]
    finding = next(f for f in findings if f.rule == rule)
    assert finding.frames
    assert finding.message
    assert finding.cause
    assert finding.remedy
    assert finding.evidence
    assert (finding.picture is not None) == (rule in SHOWN)


@pytest.mark.parametrize(("what", "session"), MISSED, ids=[what for what, _ in MISSED])
def test_a_near_miss_is_no_finding(what, session, library):
    """What does no harm is not reported."""
    assert what
    assert serious(library.check(session).findings) == []
