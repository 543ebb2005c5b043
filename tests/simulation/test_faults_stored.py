"""Faults of how frames are stored, and of whole sets: what is on disk is what was asked for."""

import numpy as np
import pytest
from astropy.io import fits
from raw_frames import raws

from lightframe.errors import SettingsError, UnreadableFileError
from lightframe.frames import FrameKind, read_image, read_info
from lightframe.simulation import (
    AlreadyCalibrated,
    Binned,
    CameraRawFile,
    ChangedGlow,
    CorruptFile,
    FewerBits,
    FloatFile,
    GivenMaster,
    Glow,
    Missing,
    Session,
    TornReadout,
    Unshifted,
    preset,
    simulate_session,
)

LIGHT, DARK, FLAT, BIAS = FrameKind.LIGHT, FrameKind.DARK, FrameKind.FLAT, FrameKind.BIAS
BIAS_DN = 700


def stored(tmp_path, settings, kind):
    """Write a session and return the paths of one kind."""
    truth = simulate_session(tmp_path / "session", settings)
    return [tmp_path / "session" / shot.path for shot in truth.of_kind(kind)]


@pytest.mark.parametrize("name", ["osc-cmos", "dslr"])
def test_a_camera_raw_file_holds_the_numbers_of_the_adc(tmp_path, name):
    """LibRaw reads the same numbers, colours, exposure, ISO and levels; the name has its suffix."""
    settings = preset(name).resized(120, 180, 2)
    [expected, _] = raws(settings, DARK)
    paths = stored(tmp_path, settings.changed(faults=(CameraRawFile(kinds=(DARK,)),)), DARK)
    info = read_info(paths[0])

    assert {path.suffix for path in paths} == {".dng"}
    np.testing.assert_array_equal(
        read_image(paths[0])[1][0], expected / (1 << settings.sensor.shift)
    )
    assert info.format == "raw"
    assert info.kind is DARK
    assert info.camera == settings.sensor.camera
    assert info.exposure_s == pytest.approx(settings.lights.exposure_s)
    assert info.gain == settings.gain
    assert info.cfa.name == "RGGB"
    assert info.saturation_dn == (1 << settings.sensor.adc_bits) - 1
    assert info.black_dn == pytest.approx(settings.offset * settings.sensor.offset_adu_per_unit)


def test_a_short_exposure_survives_in_a_camera_raw_file(tmp_path):
    """A four-thousandth of a second is written as a fraction."""
    settings = preset("dslr").resized(120, 180, 2).changed(faults=(CameraRawFile(),))
    paths = stored(tmp_path, settings, BIAS)

    assert read_info(paths[0]).exposure_s == pytest.approx(1 / 4000)


def test_monochrome_cameras_write_no_camera_raw(tmp_path):
    """The fault says so by name."""
    settings = preset("mono-cmos").resized(120, 180, 1).changed(faults=(CameraRawFile(),))

    with pytest.raises(SettingsError, match="monochrome"):
        simulate_session(tmp_path / "session", settings)


def test_float_files_are_fractions_of_a_full_scale(clean, tmp_path):
    """Values of the ADC over 16383, some of them missing."""
    faults = (Unshifted(kinds=(DARK,)), FloatFile(kinds=(DARK,), full_scale_dn=16383, missing=0.1))
    [expected, *_] = raws(clean, DARK)
    paths = stored(tmp_path, clean.changed(faults=faults), DARK)
    pixels = fits.getdata(paths[0])
    known = np.isfinite(pixels)

    assert pixels.dtype.newbyteorder("=") == np.float32
    assert known.mean() == pytest.approx(0.9, abs=0.01)
    np.testing.assert_allclose(pixels[known], (expected / 4 / 16383)[known], rtol=1e-6)
    assert read_info(paths[0]).exposure_s == pytest.approx(120.0)


def test_fewer_bits_leave_wider_steps_on_the_same_scale(clean):
    """12 bits padded to 16: multiples of 16, never above and never 16 below what was there."""
    before = raws(clean, DARK)
    after = raws(clean.changed(faults=(FewerBits(bits=12, kinds=(DARK,)),)), DARK)

    for plain, coarse in zip(before, after, strict=True):
        assert np.all(coarse % 16 == 0)
        assert np.all((plain - coarse >= 0) & (plain - coarse < 16))


def test_a_torn_readout_changes_the_level_from_one_row_on(clean):
    """Rows before the seam keep their values."""
    before = raws(clean, DARK)
    after = raws(clean.changed(faults=(TornReadout(numbers=(1,), place=0.5),)), DARK)

    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1][:60], after[1][:60])
    assert np.all(after[1][60:] == np.maximum(before[1][60:] - 60, 0))


def test_a_corrupt_file_keeps_its_name_and_size(clean, tmp_path):
    """Nothing in it can be read."""
    paths = stored(tmp_path, clean.changed(faults=(CorruptFile(numbers=(1,)),)), DARK)

    assert len({path.stat().st_size for path in paths}) == 1
    with pytest.raises(UnreadableFileError):
        read_info(paths[1])


def test_missing_frames_are_not_there(clean, tmp_path):
    """The others keep their names."""
    whole = simulate_session(tmp_path / "whole", clean)
    truth = simulate_session(tmp_path / "some", clean.changed(faults=(Missing(kinds=(FLAT,)),)))

    assert truth.of_kind(FLAT) == ()
    assert not (tmp_path / "some" / "flats").exists()
    left = {shot.path for shot in whole.frames if shot.kind is not FLAT}
    assert {shot.path for shot in truth.frames} == left


def test_glow_can_change_without_anything_else(clean):
    """Half of the glow, where it is, and no other difference."""
    dark = clean.sensor.dark.model_copy(update={"glow": Glow(peak_e=2000.0)})
    glowing = clean.changed(sensor=clean.sensor.model_copy(update={"dark": dark}))
    [none, *_] = raws(clean, DARK)
    [full, *_] = raws(glowing, DARK)
    [half, *_] = raws(glowing.changed(faults=(ChangedGlow(factor=0.5),)), DARK)
    corner = slice(-20, None), slice(-20, None)

    added = [np.median((frame - none)[corner]) for frame in (full, half)]
    assert added[0] > 1000
    assert added[1] / added[0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({}, lambda mean: mean),
        ({"bias_subtracted": True}, lambda mean: mean - BIAS_DN),
        (
            {"bias_subtracted": True, "negatives_cut": True},
            lambda mean: np.maximum(mean - BIAS_DN, 0),
        ),
        ({"factor": 1 / 65535}, lambda mean: mean / 65535),
    ],
    ids=["plain", "bias subtracted", "cut off", "fractions"],
)
def test_a_given_master_is_the_mean_of_the_frames_it_replaces(clean, tmp_path, options, change):
    """The raw frames are gone; the header says what it is, its exposure and its camera."""
    expected = change(np.mean(raws(clean, DARK), axis=0))
    folder = tmp_path / "session"
    simulate_session(folder, clean.changed(faults=(GivenMaster(**options),)))
    path = folder / "masters" / "master_dark.fits"
    info = read_info(path)

    assert not list((folder / "darks").iterdir())
    np.testing.assert_allclose(fits.getdata(path), expected, rtol=1e-6, atol=1e-4)
    assert (info.kind, info.is_master, info.exposure_s) == (DARK, True, pytest.approx(120.0))


def test_each_filter_gets_its_own_given_master(tmp_path):
    """Flats of two filters are two masters."""
    settings = preset("mono-cmos").resized(120, 180, 2)
    settings = settings.changed(filters=settings.filters[:2], faults=(GivenMaster(kinds=(FLAT,)),))
    simulate_session(tmp_path / "session", settings)

    names = sorted(path.name for path in (tmp_path / "session" / "masters").iterdir())
    assert names == ["master_flat_L.fits", "master_flat_R.fits"]


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("how", ["charge", "sum", "mean"])
def test_binning_keeps_multiplies_or_averages_the_level(clean, how, factor, tmp_path):
    """One bias level for electrons; as many as pixels for sums; one for means; headers tell it."""
    fault = Binned(kinds=(DARK,), how=how, factor=factor)
    [plain, *_] = raws(clean, DARK)
    settings = clean.changed(faults=(fault,))
    [binned, *_] = raws(settings, DARK)
    info = read_info(stored(tmp_path, settings, DARK)[0])

    expected = {"charge": BIAS_DN, "sum": factor**2 * BIAS_DN, "mean": BIAS_DN}[how]
    assert binned.shape == tuple(side // factor for side in plain.shape)
    assert np.median(binned) == pytest.approx(expected, rel=0.02)
    assert info.binning == (factor, factor)
    assert info.pixel_size_um == pytest.approx(factor * clean.sensor.pixel_size_um)


def test_calibrated_frames_can_have_a_pedestal_and_say_so(clean, tmp_path):
    """CALSTAT and PEDESTAL are in the header, and the pixels are higher by as much."""
    fault = AlreadyCalibrated(kinds=(LIGHT,), pedestal_dn=200, honest=True)
    [before, *_] = raws(clean, LIGHT)
    settings = clean.changed(faults=(fault,))
    [after, *_] = raws(settings, LIGHT)
    info = read_info(stored(tmp_path, settings, LIGHT)[0])

    assert np.array_equal(after, np.maximum(before - BIAS_DN + 200, 0))
    assert info.calibration == {BIAS, DARK}
    assert info.pedestal_dn == pytest.approx(200.0)


def test_new_faults_survive_as_settings(clean):
    """Each is told apart by its name."""
    faults = (CameraRawFile(), FloatFile(), FewerBits(), TornReadout(), CorruptFile(), Missing(),
              ChangedGlow(), GivenMaster(), Binned(how="mean"))  # fmt: skip
    settings = clean.changed(faults=faults)

    assert Session.parse(settings.model_dump(mode="json")).faults == faults
