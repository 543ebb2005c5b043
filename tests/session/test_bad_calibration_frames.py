"""Calibration frames that are not what they should be cost themselves, not the run."""

import json
import shutil

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import InputError
from lightframe.frames import FrameKind
from lightframe.session import Bench, FlatCalibration, RunSettings, make_master, run
from lightframe.simulation import preset, simulate_session

QUICK = {"check_pixels": False}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Simulate a small session with bias frames."""
    folder = tmp_path_factory.mktemp("session") / "raw"
    values = preset("osc-cmos").resized(200, 300, frames=3).model_dump()
    values["bias"]["count"] = 3
    simulate_session(folder, type(preset("osc-cmos")).parse(values), threads=2)
    return folder


@pytest.fixture
def raw(session, tmp_path):
    """Return a copy of the session."""
    return shutil.copytree(session, tmp_path / "raw")


def filled(folder, value, count=None):
    """Give the first frames of a folder one value everywhere; return them."""
    paths = sorted(folder.iterdir())[:count]
    for path in paths:
        with fits.open(path, mode="update") as units:
            units[0].data[:] = value
    return paths


@pytest.mark.parametrize("given", [False, True])
def test_a_master_of_missing_pixels_ends_the_run_and_is_named(raw, tmp_path, given):
    """All darks are NaN, or the one master that was given: lights have nothing to be freed of."""
    for path in sorted((raw / "darks").iterdir()):
        with fits.open(path) as units:
            header, shape = units[0].header, units[0].data.shape
        header.remove("BZERO")
        header["IMAGETYP"] = "Master Dark" if given else "Dark Frame"
        path.unlink()
        if not given or path.name.endswith("0.fits"):
            fits.writeto(path, np.full(shape, np.nan, np.float32), header)
    with pytest.raises(InputError, match="no pixel of the master dark holds a number") as caught:
        run([raw], tmp_path / "out", RunSettings(**QUICK))
    assert caught.value.where.startswith(str(raw / "darks"))
    assert caught.value.cause
    assert caught.value.remedy


def test_an_empty_flat_is_set_aside_and_the_others_are_used(raw, tmp_path):
    """One flat behind a closed shutter cannot be normalized; it is named."""
    (dark,) = filled(raw / "flats", 0, 1)

    document = run([raw], tmp_path / "out", RunSettings.parse(QUICK)).document

    frames = {master["kind"]: master["frames"] for master in document["masters"]}
    assert frames["flat"] == 2
    assert len(document["results"]) == 1
    said = [finding["message"] for finding in document["findings"]]
    assert any(dark.name in text and "it is empty: its level" in text for text in said)


def test_the_command_for_one_master_names_an_empty_flat(raw, tmp_path):
    """The same holds for `lightframe master flat`."""
    (dark,) = filled(raw / "flats", 0, 1)
    bias = tmp_path / "bias.fits"
    make_master(FrameKind.BIAS, sorted((raw / "bias").iterdir()), bias, Bench())

    flats = sorted((raw / "flats").iterdir())
    batch = make_master(
        FrameKind.FLAT, flats, tmp_path / "flat.fits", Bench(), calibration=FlatCalibration(bias)
    )

    assert batch.done[0].record["frames"] == 2
    assert [failure.path for failure in batch.failures] == [dark]


def test_flats_that_are_all_empty_are_told_with_their_folder(raw, tmp_path):
    """There is nothing to divide by: the run ends before lights are spoilt."""
    filled(raw / "flats", 0)

    with pytest.raises(InputError, match="all 3 frames of the master flat are empty") as caught:
        run([raw], tmp_path / "out", RunSettings.parse(QUICK))

    assert caught.value.where == str(raw / "flats")
    assert caught.value.remedy


def test_a_dark_without_signal_leaves_its_factor_unknown(raw, tmp_path):
    """Its uncertainty is without bounds, and run.json says null, for JSON has no infinity."""
    filled(raw / "darks", 700)
    filled(raw / "bias", 700)
    settings = RunSettings.parse(QUICK | {"match": {"dark_scaling": "optimize"}})

    outcome = run([raw], tmp_path / "out", settings)

    assert [light["k_sigma"] for light in outcome.document["lights"]] == [None] * 3
    assert outcome.document == json.loads((tmp_path / "out" / "run.json").read_text())
