"""Each fault changes what it says, in the frames that it names, and nothing else."""

import numpy as np
import pytest
from astropy.io import fits
from pydantic import ValidationError
from raw_frames import raws
from scipy.ndimage import maximum_filter

from lightframe.errors import UnreadableFileError
from lightframe.frames import FrameKind, open_pixels, read_image, read_info
from lightframe.simulation import (
    AlreadyCalibrated,
    BiasDrift,
    Binned,
    BzeroLost,
    Clouds,
    Cropped,
    Duplicate,
    Dust,
    FlatLevel,
    Flicker,
    Flipped,
    HeaderValue,
    HotPixelFilter,
    LightLeak,
    Mislabelled,
    NewHotPixels,
    Optics,
    OtherCamera,
    PoorStars,
    Session,
    ShadowShift,
    ShutterPattern,
    StarsInFlat,
    TruncatedFile,
    Unshifted,
    WhiteBalance,
    WrongSetting,
    build_camera,
    load_truth,
    schedule,
    simulate_session,
)

LIGHT, DARK, FLAT, BIAS = FrameKind.LIGHT, FrameKind.DARK, FrameKind.FLAT, FrameKind.BIAS


def pair(clean, fault, kind):
    """Return the frames of one kind without and with a fault."""
    return raws(clean, kind), raws(clean.changed(faults=(fault,)), kind)


def test_only_the_named_frames_are_touched(clean):
    """A fault of dark number 1 leaves all other frames the same to the bit."""
    fault = WrongSetting(kinds=(DARK,), numbers=(1,), gain=0.0)
    before, after = pair(clean, fault, DARK)

    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True, False, True]
    shots = schedule(clean.changed(faults=(fault,)))
    assert [shot.faults for shot in shots if shot.kind is DARK] == [(), (0,), ()]
    assert all(not shot.faults for shot in shots if shot.kind is not DARK)


def test_a_wrong_gain_shows_in_the_pixels_and_not_in_the_header(clean, tmp_path):
    """Flats at gain 0 under a header that says 100 have the e-/DN of gain 0."""
    settings = clean.changed(faults=(WrongSetting(kinds=(FLAT,), gain=0.0),))
    one, two, _ = raws(settings, FLAT)
    central = slice(30, 90), slice(40, 140)
    noise = (one - two)[central][::2, 1::2].var() / 2.0
    measured = (one[central][::2, 1::2].mean() - 700.0) / noise
    truth = simulate_session(tmp_path / "session", settings)

    assert measured == pytest.approx(3.1 / 4.0, rel=0.15)
    assert all(
        read_info(tmp_path / "session" / shot.path).gain == 100 for shot in truth.of_kind(FLAT)
    )


def test_an_honest_wrong_setting_is_in_the_header(clean, tmp_path):
    """An honest mismatch can be seen from headers alone."""
    fault = WrongSetting(kinds=(DARK,), exposure_s=60.0, temperature_c=-4.0, honest=True)
    truth = simulate_session(tmp_path / "session", clean.changed(faults=(fault,)))
    info = read_info(tmp_path / "session" / truth.of_kind(DARK)[0].path)

    assert info.exposure_s == pytest.approx(60.0)
    assert info.temperature_c == pytest.approx(-4.0)


def test_a_wrong_offset_moves_the_level(clean):
    """Ten units of offset are 100 DN."""
    before, after = pair(clean, WrongSetting(offset=80.0, kinds=(DARK,)), DARK)

    assert np.median(after[0] - before[0]) == pytest.approx(100.0, abs=4.0)


def test_a_light_leak_brightens_darks_more_and_more(clean):
    """The leak adds light from one side that changes from frame to frame."""
    before, after = pair(clean, LightLeak(e_s=5.0, angle_deg=0.0, change=0.5), DARK)
    added = [b - a for a, b in zip(before, after, strict=True)]

    assert np.median(added[0][:, -20:]) > np.median(added[0][:, :20]) + 1000.0
    assert np.median(added[2]) > 1.6 * np.median(added[0])


def test_flats_can_be_clipped(clean):
    """A level above full scale saturates the flat."""
    _, after = pair(clean, FlatLevel(level=1.6), FLAT)

    assert np.mean(after[0] == clean.sensor.ceiling_dn) > 0.4


def test_shadows_can_be_displaced(clean):
    """Dust of the touched flats lies elsewhere: shifted, or turned about the centre."""
    dust = (Dust(x=0.3, y=0.4, radius_px=8.0, depth=0.3, obstruction=0.0),)
    even = clean.changed(optics=Optics(vignetting=0.0, dust=dust))

    def darkest(**displacement):
        settings = even.changed(faults=(ShadowShift(numbers=(1,), **displacement),))
        shots = [shot for shot in schedule(settings) if shot.kind is FLAT]
        camera = build_camera(settings)
        shadows = [camera.shadow(shot) < 0.85 for shot in shots[:2]]
        return [np.argwhere(shadow).mean(axis=0)[::-1] for shadow in shadows]

    straight, shifted = darkest(dx_px=12.0, dy_px=-7.0)
    assert shifted - straight == pytest.approx([12.0, -7.0], abs=0.3)
    straight, turned = darkest(dx_px=0.0, dy_px=0.0, turn_deg=90.0)
    centre = np.array([89.5, 59.5])
    assert turned - centre == pytest.approx([59.5 - straight[1], straight[0] - 89.5], abs=0.3)


def test_binning_adds_four_pixels(clean, tmp_path):
    """A binned frame has a quarter of the pixels, four times the light, and says so."""
    before, after = pair(clean, Binned(kinds=(LIGHT,)), LIGHT)
    truth = simulate_session(tmp_path / "session", clean.changed(faults=(Binned(kinds=(LIGHT,)),)))
    info = read_info(tmp_path / "session" / truth.of_kind(LIGHT)[0].path)

    assert after[0].shape == (60, 90)
    assert np.median(after[0]) - 700.0 == pytest.approx(
        4.0 * np.mean(before[0][before[0] < 3000] - 700.0), rel=0.1
    )
    assert info.binning == (2, 2)
    assert info.pixel_size_um == pytest.approx(7.52)


def test_a_shutter_darkens_the_corners(clean):
    """Corners lose the lag's share of the exposure, the centre nothing."""
    before, after = pair(clean, ShutterPattern(lag_s=0.25), FLAT)
    ratio = (after[0] - 700.0) / (before[0] - 700.0)

    assert np.median(ratio[:6, :6]) == pytest.approx(0.905, abs=0.02)
    assert np.median(ratio[56:64, 86:94]) == pytest.approx(1.0, abs=0.01)


def test_flicker_makes_bands_that_move(clean):
    """Row means of flats show bands whose phase differs from frame to frame."""
    before, after = pair(clean, Flicker(amplitude=0.03, period_rows=30.0), FLAT)
    bands = [
        np.median(b, axis=1) / np.median(a, axis=1) - 1.0
        for a, b in zip(before, after, strict=True)
    ]

    assert bands[0].std() == pytest.approx(0.03 / np.sqrt(2.0), rel=0.15)
    assert np.corrcoef(bands).min() < 0.95


def test_stars_in_flats_drift(clean):
    """Sky flats have more bright pixels, at other places in each frame."""
    fault = StarsInFlat(per_megapixel=500.0, contrast=20.0)
    before, after = pair(clean, fault, FLAT)
    where = [np.argmax(b - a) for a, b in zip(before, after, strict=True)]

    assert np.max(after[0] - before[0]) > 5000.0
    assert len(set(where)) == 3


def test_new_hot_pixels_are_in_every_light_and_in_no_dark(clean):
    """Pixels that became hot are the same in all lights."""
    fault = NewHotPixels(per_megapixel=1000.0, e_s=20.0)
    before, after = pair(clean, fault, LIGHT)
    new = [set(np.flatnonzero((b - a).ravel() > 4000)) for a, b in zip(before, after, strict=True)]

    assert len(new[0] & new[1] & new[2]) >= 10
    assert np.array_equal(*(np.array(frames) for frames in pair(clean, fault, DARK)))


def test_the_bias_can_drift(clean):
    """Level and gradient differ from frame to frame."""
    _, after = pair(clean, BiasDrift(level_dn=40.0, gradient_dn=60.0), BIAS)
    levels = [np.median(frame) for frame in after]
    gradients = [np.median(frame[-20:]) - np.median(frame[:20]) for frame in after]

    assert np.std(levels) > 8.0
    assert np.std(gradients) > 8.0
    assert np.all(after[0] % 4 == 0)


def test_unshifted_frames_hold_the_numbers_of_the_adc(clean):
    """Another driver's 14-bit numbers are a quarter of the 16-bit ones."""
    before, after = pair(clean, Unshifted(kinds=(FLAT,)), FLAT)

    assert np.array_equal(after[0] * 4, before[0])


def test_white_balance_multiplies_the_colours(clean):
    """Red is 4 % and blue 90 % higher, green as it was."""
    before, after = pair(clean, WhiteBalance(kinds=(DARK,)), DARK)
    ratio = [np.median(after[0][y::2, x::2] / before[0][y::2, x::2]) for y, x in ((0, 0), (1, 1))]

    assert ratio == pytest.approx([1.04, 1.9], abs=0.003)
    assert np.array_equal(after[0][::2, 1::2], before[0][::2, 1::2])


def test_frames_can_be_flipped_and_cropped(clean):
    """Rows are reversed; rows and columns at the end are missing."""
    before, flipped = pair(clean, Flipped(kinds=(DARK,)), DARK)
    _, cropped = pair(clean, Cropped(kinds=(DARK,), rows=3, columns=5), DARK)

    assert np.array_equal(flipped[0], before[0][::-1])
    assert np.array_equal(cropped[0], before[0][:-3, :-5])


def test_calibrated_frames_have_lost_level_and_negative_values(clean):
    """The bias level is gone, and what was below it is zero."""
    before, after = pair(clean, AlreadyCalibrated(kinds=(DARK,)), DARK)

    assert np.array_equal(after[0], np.maximum(before[0] - 700.0, 0.0))


def test_the_hot_pixel_filter_leaves_no_isolated_pixel(clean):
    """No pixel exceeds its neighbours of the same colour."""
    before, after = pair(clean, HotPixelFilter(kinds=(DARK,)), DARK)
    footprint = np.zeros((5, 5), bool)
    footprint[::2, ::2] = True
    footprint[2, 2] = False

    assert np.all(after[0] <= maximum_filter(before[0], footprint=footprint, mode="mirror"))
    assert after[0].max() < before[0].max()


def test_clouds_and_poor_stars_are_in_the_truth(clean):
    """Transparency, sky and star widths of the touched lights change."""
    faults = (
        Clouds(numbers=(1,), transparency=0.25, sky_factor=2.0),
        PoorStars(numbers=(2,), fwhm_factor=1.8, eccentricity=0.75),
    )
    one = [shot for shot in schedule(clean) if shot.kind is LIGHT]
    two = [shot for shot in schedule(clean.changed(faults=faults)) if shot.kind is LIGHT]

    assert two[1].transparency == pytest.approx(0.25 * one[1].transparency)
    assert two[1].sky_factor == pytest.approx(2.0 * one[1].sky_factor)
    assert two[2].fwhm_px == pytest.approx(1.8 * one[2].fwhm_px)
    assert two[2].eccentricity == pytest.approx(0.75)
    assert two[0] == one[0]


def test_another_camera_has_other_hot_pixels(clean):
    """Darks of another serial number do not share the pattern of the dark current."""
    before, after = pair(clean, OtherCamera(), DARK)
    hot = [set(np.argsort(frame.ravel())[-20:]) for frame in (before[0], after[0], after[1])]

    assert len(hot[0] & hot[1]) <= 2
    assert len(hot[1] & hot[2]) >= 15


def test_a_mislabelled_frame_claims_another_kind(clean, tmp_path):
    """A dark that claims to be a light lies among the lights, and the truth knows it."""
    fault = Mislabelled(kinds=(DARK,), numbers=(0,), claimed=LIGHT)
    truth = simulate_session(tmp_path / "session", clean.changed(faults=(fault,)))
    wrong = truth.of_kind(DARK)[0]

    assert wrong.path.startswith("lights/")
    assert read_info(tmp_path / "session" / wrong.path).kind is LIGHT


def test_headers_can_lose_and_change_keywords(clean, tmp_path):
    """A keyword can be missing from some frames, or wrong."""
    faults = (
        HeaderValue(keyword="BAYERPAT", kinds=(LIGHT,)),
        HeaderValue(keyword="GAIN", value=200, kinds=(DARK,)),
    )
    truth = simulate_session(tmp_path / "session", clean.changed(faults=faults))
    light, dark = truth.of_kind(LIGHT)[0], truth.of_kind(DARK)[0]

    assert read_info(tmp_path / "session" / light.path).cfa is None
    assert read_info(tmp_path / "session" / dark.path).gain == 200
    assert read_info(tmp_path / "session" / dark.path).cfa.name == "RGGB"


def test_a_truncated_file_cannot_be_read(clean, tmp_path):
    """The reader refuses a file that ends too early."""
    fault = TruncatedFile(kinds=(LIGHT,), numbers=(1,))
    truth = simulate_session(tmp_path / "session", clean.changed(faults=(fault,)))

    with pytest.raises(UnreadableFileError):
        open_pixels(tmp_path / "session" / truth.of_kind(LIGHT)[1].path)
    open_pixels(tmp_path / "session" / truth.of_kind(LIGHT)[0].path).close()


def test_lost_bzero_reads_32768_too_low(clean, tmp_path):
    """Without BZERO the same bytes are signed numbers."""
    fault = BzeroLost(kinds=(DARK,))
    truth = simulate_session(tmp_path / "session", clean.changed(faults=(fault,)))
    path = tmp_path / "session" / truth.of_kind(DARK)[0].path

    assert "BZERO" not in fits.getheader(path)
    assert np.median(read_image(path)[1]) == pytest.approx(700.0 - 32768.0, abs=4.0)


def test_a_duplicate_has_the_same_pixels_under_another_name(clean, tmp_path):
    """The second copy differs in its file name only."""
    fault = Duplicate(kinds=(LIGHT,), numbers=(1,))
    truth = simulate_session(tmp_path / "session", clean.changed(faults=(fault,)))
    lights = truth.of_kind(LIGHT)
    one, two = (read_image(tmp_path / "session" / lights[place].path)[1] for place in (1, 3))

    assert len(lights) == 4
    assert lights[3].copy_of == 1
    assert np.array_equal(one, two)


def test_faults_are_told_apart_by_name_and_survive_the_truth(clean, tmp_path):
    """Faults can be given as plain data, are checked, and are part of the saved truth."""
    values = {"faults": [{"fault": "clouds", "numbers": [0]}, {"fault": "flipped"}]}
    settings = Session.model_validate(values)

    assert settings.faults == (Clouds(numbers=(0,)), Flipped())
    with pytest.raises(ValidationError, match="rain"):
        Session.model_validate({"faults": [{"fault": "rain"}]})
    simulate_session(tmp_path / "session", clean.changed(faults=settings.faults))
    assert load_truth(tmp_path / "session").session.faults == settings.faults
