"""Wrong inputs as users give them: whole sessions in which each is caught by name.

The list is that of inputs another program was given, most of which it took without a word. What
single steps do with them is in ``tests/cli/test_wrong_inputs_of_steps.py``.
"""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from check_sessions import mono, osc, serious, small
from lightframe.errors import SettingsError
from lightframe.frames import FrameKind
from lightframe.session import RunSettings, run
from lightframe.session._check import check
from lightframe.simulation import (
    AlreadyCalibrated,
    Binned,
    CorruptFile,
    Cropped,
    FlatLevel,
    FloatFile,
    HeaderValue,
    Mislabelled,
    Missing,
    OtherCamera,
    TruncatedFile,
    WrongSetting,
)
from session_library import Library

BIAS, DARK, FLAT_DARK = (FrameKind.BIAS,), (FrameKind.DARK,), (FrameKind.FLAT_DARK,)
FLAT, LIGHT = (FrameKind.FLAT,), (FrameKind.LIGHT,)


def with_setting(kinds, **setting):
    """Return frames of another setting that their headers tell."""
    return WrongSetting(kinds=kinds, honest=True, **setting)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return a library of simulated frames that all tests of this module share."""
    return Library(tmp_path_factory.mktemp("library") / "frames")


CAUGHT = {
    "flat of another size": (osc(Cropped(kinds=FLAT)), {"geometry-mismatch"}),
    "dark of another size": (osc(Cropped(kinds=DARK)), {"geometry-mismatch"}),
    "bias of another size": (mono(Cropped(kinds=BIAS)), {"geometry-mismatch"}),
    "light of another size": (
        osc(Cropped(kinds=LIGHT, numbers=(1,))),
        {"geometry-mismatch", "too-few-frames"},
    ),
    "dark of a fifth of the exposure": (
        osc(with_setting(DARK, exposure_s=24.0)),
        {"dark-exposure-mismatch"},
    ),
    "dark at +20 degrees": (
        osc(with_setting(DARK, temperature_c=20.0)),
        {"dark-temperature-mismatch"},
    ),
    "dark of another gain and offset": (
        osc(with_setting(DARK, gain=0.0, offset=10.0)),
        {"gain-mismatch"},
    ),
    "dark of another camera and binning": (
        mono(
            OtherCamera(),
            HeaderValue(kinds=DARK, keyword="INSTRUME", value="QHY600M"),
            Binned(kinds=DARK),
        ),
        {"camera-mismatch"},
    ),
    "flat of another filter": (
        mono(HeaderValue(kinds=FLAT, keyword="FILTER", value="Ha")),
        {"flat-filter-missing"},
    ),
    "flats among darks and darks among flats": (
        osc(Mislabelled(kinds=FLAT, claimed="dark"), Mislabelled(kinds=DARK, claimed="flat")),
        {"frame-type-mislabelled"},
    ),
    "flats without bias and flat-darks": (osc(Missing(kinds=FLAT_DARK)), {"flats-uncalibrated"}),
    "saturated flats": (osc(FlatLevel(level=1.6)), {"flat-saturated"}),
    "monochrome frames as colour": (
        mono(HeaderValue(keyword="BAYERPAT", value="RGGB")),
        {"cfa-on-mono"},
    ),
    "flats of another pattern": (
        osc(HeaderValue(kinds=FLAT, keyword="BAYERPAT", value="GBRG")),
        {"cfa-pattern-wrong"},
    ),
    "darks of two exposures, temperatures and gains": (
        osc(
            with_setting(
                DARK, exposure_s=12.0, temperature_c=15.0, gain=0.0
            ).model_copy(update={"numbers": (2, 3)})
        ),
        {"too-few-frames"},
    ),
    "a light among the darks": (
        osc(Mislabelled(kinds=LIGHT, numbers=(1,), claimed="dark")),
        {"frame-type-mislabelled"},
    ),
    "a truncated dark": (osc(TruncatedFile(kinds=DARK, numbers=(1,))), {"unreadable-file"}),
    "a dark of noise": (osc(CorruptFile(kinds=DARK, numbers=(1,))), {"unreadable-file"}),
    "calibrated lights": (
        osc(AlreadyCalibrated(kinds=LIGHT, honest=True)),
        {"already-calibrated"},
    ),
    "calibrated lights that do not say so": (
        osc(AlreadyCalibrated(kinds=LIGHT)),
        {"already-calibrated"},
    ),
}  # fmt: skip
"""What is wrong: a session, and the rules that name it, alone."""


@pytest.mark.parametrize("what", CAUGHT)
def test_a_wrong_input_is_caught_by_name(what, library):
    """Each by its rules, with frames and remedy, and by nothing else."""
    session, rules = CAUGHT[what]
    found = library.check(session).findings

    assert set(serious(found)) == rules
    for finding in found:
        if finding.severity != "info":
            assert finding.frames
            assert finding.remedy


def test_a_bias_that_would_be_subtracted_twice_is_refused(library, tmp_path):
    """The settings are refused by the name of the rule before any work."""
    settings = {"match": {"use_bias": "always"}, "calibration": {"calibrate_dark": False}}

    with pytest.raises(SettingsError, match="double-bias-subtraction"):
        library.run(mono(), tmp_path / "out", settings)


def bright(*faults):
    """Return a colour session with enough stars to register its small frames."""
    return small("osc-cmos", faults=faults).resized(256, 352)


@pytest.mark.parametrize(
    "fault",
    [
        TruncatedFile(kinds=LIGHT, numbers=(1,)),
        CorruptFile(kinds=LIGHT, numbers=(1,)),
        Cropped(kinds=LIGHT, numbers=(1,)),
    ],
    ids=["truncated", "noise", "another size"],
)
def test_one_bad_light_is_set_aside_and_the_others_make_the_result(fault, library, tmp_path):
    """The run ends with a result of the others, and the frame is named with its reason."""
    outcome = library.run(bright(fault), tmp_path / "out")
    lights = outcome.document["lights"]
    bad = [light for light in lights if not light["used"] or light["group"] != lights[0]["group"]]

    assert max(result["frames"] for result in outcome.document["results"]) == 3
    assert len(bad) == 1
    if not bad[0]["used"]:
        assert bad[0]["reason"]


def test_missing_pixels_stay_missing_and_are_filled_by_other_lights(library, tmp_path):
    """NaN in float lights is no data: it takes no part, and the result has none where others do."""
    settings = {"check_pixels": False}
    plain = library.run(bright(), tmp_path / "plain", settings).document
    holed = library.run(
        bright(FloatFile(kinds=LIGHT, missing=0.02)), tmp_path / "holed", settings
    ).document
    image, other = (
        fits.getdata(tmp_path / name / document["results"][0]["path"])
        for name, document in (("plain", plain), ("holed", holed))
    )
    central = (..., slice(60, 196), slice(60, 292))

    assert np.isfinite(other[central]).mean() > 0.999
    difference = (image - other)[central] * 65535
    assert abs(np.nanmedian(difference)) < 2.0


def test_files_of_an_earlier_run_take_no_part(library, tmp_path):
    """Three biases after four give a master of three, in the same folder, and nothing stale."""
    folder = tmp_path / "raw"
    shutil.copytree(library.session(mono()), folder)
    out = tmp_path / "out"
    settings = RunSettings.parse({"check_pixels": False})
    first = run([folder], out, settings).document
    min((folder / "bias").iterdir()).unlink()
    second = run([folder], out, settings).document

    def frames(document):
        return {master["kind"]: master["frames"] for master in document["masters"]}

    assert frames(first)["bias"] == 4
    assert frames(second) == frames(first) | {"bias": 3}
    master = next(path for path in (out / "masters").iterdir() if "bias" in path.name)
    assert fits.getval(master, "NCOMBINE") == 3


def test_copies_of_old_files_among_new_ones_are_named(library, tmp_path):
    """Stale copies under other names are duplicates."""
    folder = tmp_path / "raw"
    shutil.copytree(library.session(mono()), folder)
    for path in sorted((folder / "bias").iterdir())[:2]:
        shutil.copy(path, path.with_name(f"old_{path.name}"))
    assert serious(check([folder]).findings) == ["duplicate-frame", "duplicate-frame"]
