"""Characterization of sensors: figures against known truth, and honest unknowns."""

import json

import numpy as np
import pytest

from check_sessions import ccd, dslr, mono, osc, small, written
from lightframe.checks import FIGURES, State
from lightframe.errors import InputError
from lightframe.session import survey_sensors
from lightframe.simulation import BiasDrift, HotPixelFilter, WhiteBalance
from sensor_frames import PlainSensor


def one(folder):
    """Return the only report on a folder."""
    (report,) = survey_sensors([folder]).reports
    return report


def seen(report):
    """Return the anomalies that frames show."""
    return [remark.name for remark in report.remarks if remark.state is State.SEEN]


def close(figure, truth, *, sigmas=4.0):
    """Whether a figure agrees with the truth within its stated error."""
    return abs(figure.number - truth) <= sigmas * figure.error


def truth_of(session):
    """Return e-/DN and read noise in electrons of a simulated session."""
    sensor = session.sensor
    return sensor.e_per_dn(session.gain), sensor.at_gain(session.gain).read_noise_e


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the report on a plain sensor with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("whole")
    sensor = PlainSensor(folder, dark_e_s=0.5, step=4, full_well_dn=60000, hot=100, glow_e_s=2.0)
    sensor.write("bias", 6)
    for exposure in (1.0, 2.0, 4.0, 6.0):
        sensor.write("flat", 2, exposure_s=exposure, light_dn_s=7500, flicker=0.0005)
    sensor.write("flat", 1, exposure_s=20.0, light_dn_s=9000)
    for temperature in (-10.0, -4.0, 2.0):
        sensor.write("dark", 3, exposure_s=100.0, temperature_c=temperature)
    sensor.write("dark", 3, exposure_s=20.0)
    return one(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("e_per_dn", 0.5),
        ("read_noise_e", 4.0),
        ("read_noise_dn", 8.0),
        ("frame_noise_dn", np.hypot(8.0, 4.0 / np.sqrt(12.0))),
        ("bias_level_dn", 500.0),
        ("bias_drift_dn", 0.0),
        ("bias_against_darks_dn", 0.0),
        ("full_well_e", 0.5 * (60000 - 500)),
        ("dynamic_range_stops", np.log2(59500 / 8.0)),
    ],
)
def test_figures_are_those_of_the_sensor(name, value, whole):
    """Within four times the stated error."""
    assert close(whole.figures[name], value)


def test_figures_that_are_counted_are_exact(whole):
    """Steps, bits, saturation, hot pixels, the temperature of the darks that are shown."""
    figures = whole.figures

    assert figures["step_dn"].value == 4
    assert figures["adc_bits"].value == 14
    assert figures["saturation_dn"].value == 60000
    assert figures["hot_fraction"].number == pytest.approx(100 / 256**2, rel=0.03)
    assert figures["dark_temperature_c"].value in {-10.0, -4.0, 2.0}
    assert figures["dark_suppression"].value is False


def test_dark_current_grows_with_exposure_and_temperature(whole):
    """1 DN/s at -10 °C, doubling every 6 °C; what is left of the glow is less than 2 %."""
    rates = {(p.group.exposure_s, p.group.temperature_c): p.rate.number for p in whole.darks}

    assert rates[100.0, -10.0] == pytest.approx(1.0, rel=0.02)
    assert rates[20.0, -10.0] == pytest.approx(1.0, rel=0.03)
    assert rates[100.0, 2.0] == pytest.approx(4.0, rel=0.02)
    assert whole.figures["dark_doubling_c"].number == pytest.approx(6.0, rel=0.01)


def test_glow_is_found_where_it_is(whole):
    """In the corner of the last pixel; 200 e- there are 400 DN, 108 DN in the 99th tile of 100."""
    glow = whole.figures["glow_dn"]
    place = next(p.glow_place for p in whole.darks if p.glow.value == glow.value)

    assert 80.0 < glow.number < 200.0
    assert min(place) > 0.9
    assert "amplifier-glow" in seen(whole)


def test_linear_sensors_are_linear_up_to_their_brightest_flat(tmp_path):
    """Nothing brighter was looked at, and it says so; the lamp's scatter is the error."""
    sensor = PlainSensor(tmp_path)
    sensor.write("bias", 4)
    for exposure in (1.0, 2.0, 4.0, 6.0):
        sensor.write("flat", 2, exposure_s=exposure, light_dn_s=7500, flicker=0.002)
    figures = one(tmp_path).figures

    assert figures["linear_to_dn"].number == pytest.approx(45500, rel=0.03)
    assert "none is brighter" in figures["linear_to_dn"].how
    assert abs(figures["linearity_percent"].number) < 1.0


def test_a_bend_is_found_below_saturation(tmp_path):
    """From 40000 DN on light counts for 80 %: flats of 47000 DN fall behind."""
    sensor = PlainSensor(tmp_path, bend_dn=40000)
    sensor.write("bias", 4)
    for exposure in (1.0, 2.0, 4.0, 6.0, 7.0):
        sensor.write("flat", 2, exposure_s=exposure, light_dn_s=8000, flicker=0.0005)
    report = one(tmp_path)

    assert 28000 < report.figures["linear_to_dn"].number < 41500
    assert report.linear.bends
    assert report.linear.points[-1].deviation < -0.03


@pytest.mark.parametrize(
    ("exposures", "flicker", "reason"),
    [
        ((1.0, 2.0, 4.0), 0.04, "the lamp varies by"),
        ((1.0, 2.0), 0.0, "three exposures"),
        ((2.0, 2.2, 2.4), 0.0, "three exposures"),
    ],
)
def test_linearity_needs_a_steady_lamp_and_enough_levels(exposures, flicker, reason, tmp_path):
    """A lamp that varies, two exposures, or three near each other tell nothing."""
    sensor = PlainSensor(tmp_path)
    sensor.write("bias", 4)
    for exposure in exposures:
        sensor.write("flat", 3, exposure_s=exposure, light_dn_s=7500, flicker=flicker)
    figure = one(tmp_path).figures["linear_to_dn"]

    assert not figure.known
    assert reason in figure.reason


@pytest.mark.parametrize("name", ["osc-cmos", "mono-ccd"])
def test_gain_and_noise_of_simulated_cameras_are_right_to_two_percent(name, tmp_path):
    """Four flats and four frames without light of 1 Mpx; fixed patterns, dust, cosmic rays."""
    session = small(name).resized(1000, 1000, 4)
    session = session.changed(lights=session.lights.model_copy(update={"count": 1}))
    figures = one(written(tmp_path / "session", session)).figures
    e_per_dn, read_noise_e = truth_of(session)

    assert figures["e_per_dn"].number == pytest.approx(e_per_dn, rel=0.02)
    assert figures["read_noise_e"].number == pytest.approx(read_noise_e, rel=0.02)
    assert close(figures["e_per_dn"], e_per_dn)
    assert close(figures["read_noise_e"], read_noise_e)


def test_a_colour_camera_has_the_gain_in_every_colour(tmp_path):
    """R, G and B each agree with the truth; typical figures and their source are named."""
    session = osc()
    report = one(written(tmp_path / "session", session))
    e_per_dn, _ = truth_of(session)

    assert list(report.planes) == ["R", "G", "B"]
    assert all(close(figure, e_per_dn) for figure in report.planes.values())
    assert report.known.name == "IMX533"
    assert report.typical.e_per_dn == pytest.approx(0.2)
    assert report.as_dict()["typical_source"]
    assert seen(report) == []


@pytest.mark.parametrize("session", [osc, ccd])
def test_without_flats_the_sky_tells_the_gain_roughly(session, tmp_path):
    """Within a third, with an error that says so, and what would be better."""
    session = session()
    session = session.changed(flats=session.flats.model_copy(update={"count": 0}))
    gain = one(written(tmp_path / "session", session)).figures["e_per_dn"]
    e_per_dn, _ = truth_of(session)

    assert close(gain, e_per_dn, sigmas=2.0)
    assert gain.error > 0.25 * gain.number
    assert "needs two flats" in gain.how


def test_suppressed_dark_current_is_told_by_the_noise(tmp_path):
    """The level does not rise, but noise and hot pixels do; the rate is that of the noise."""
    session = dslr()
    report = one(written(tmp_path / "session", session))
    dark = session.sensor.dark
    expected = dark.rate_e_s * dark.factor(report.figures["dark_temperature_c"].number)

    assert "dark-suppression" in seen(report)
    assert report.figures["dark_current_e_s"].number == pytest.approx(expected, rel=0.2)
    assert "noise" in report.figures["dark_current_e_s"].how


@pytest.mark.parametrize("session", [ccd, mono])
def test_honest_dark_current_is_not_suppressed(session, tmp_path):
    """A CCD whose level rises with its noise, and a CMOS with hardly any dark current."""
    report = one(written(tmp_path / "session", session()))

    assert report.figures["dark_suppression"].value is not True
    assert "dark-suppression" not in seen(report)
    assert "amplifier-glow" not in seen(report)


def test_darks_of_a_lower_offset_are_not_suppressed(tmp_path):
    """Without more noise and hot pixels a low level proves nothing."""
    PlainSensor(tmp_path).write("bias", 4)
    low = PlainSensor(tmp_path, bias_dn=480.0, dark_e_s=0.001, seed=2)
    low.count = 10
    low.write("dark", 4, exposure_s=60.0)
    PlainSensor(tmp_path, seed=3).write("flat", 2, exposure_s=1.0, light_dn_s=20000)
    figure = one(tmp_path).figures["dark_suppression"]

    assert figure.value is None
    assert "noise" in figure.reason


def test_a_gradient_of_the_dark_current_is_no_glow(tmp_path):
    """Glow is bright in a corner; what covers much of the frame is not."""
    sensor = PlainSensor(tmp_path, glow_e_s=1.0)
    y, x = np.mgrid[0:1:256j, 0:1:256j]
    sensor.write("bias", 4)
    sensor.glow = 0.5 * (x + y)
    sensor.write("dark", 4, exposure_s=100.0)
    report = one(tmp_path)

    assert report.figures["glow_dn"].value == 0.0
    assert "uneven" in report.figures["glow_dn"].how


def test_read_noise_below_the_steps_of_the_adc_is_hidden(tmp_path):
    """0.2 steps: no number, but the noise of the frames is told."""
    sensor = PlainSensor(tmp_path, read_noise_e=1.6, step=16)
    sensor.write("bias", 4)
    report = one(tmp_path)

    assert not report.figures["read_noise_dn"].known
    assert "16 DN" in report.figures["read_noise_dn"].reason
    assert report.figures["frame_noise_dn"].known
    assert "coarse-steps" in seen(report)


@pytest.mark.parametrize(
    ("kinds", "name", "reason"),
    [
        ({"bias": 4}, "e_per_dn", "two flats"),
        ({"bias": 4, "flat": 1}, "e_per_dn", "two flats"),
        ({"flat": 4}, "e_per_dn", "bias frames or darks"),
        ({"flat": 4}, "bias_level_dn", "bias frames"),
        ({"bias": 1}, "read_noise_e", "two bias frames"),
        ({"bias": 2}, "bias_scatter_dn", "3 bias frames"),
        ({"bias": 4}, "dark_current_e_s", "darks"),
        ({"dark": 4}, "dark_current_dn_s", "bias frames"),
        ({"bias": 4, "dark": 4}, "dark_current_e_s", "e-/DN is unknown"),
        ({"bias": 4, "dark": 4}, "dark_doubling_c", "temperatures"),
        ({"bias": 4, "dark": 4}, "dark_suppression", "e-/DN is unknown"),
        ({"bias": 4, "flat": 2}, "saturation_dn", "saturated"),
        ({"bias": 4, "flat": 2}, "full_well_e", "saturated"),
        ({"light": 2}, "frame_noise_dn", "bias frames"),
    ],
)
def test_what_is_unknown_says_what_it_needs(kinds, name, reason, tmp_path):
    """Too few frames give no number, and a reason in its place."""
    sensor = PlainSensor(tmp_path)
    exposures = {"bias": 0.001, "dark": 60.0, "flat": 1.0, "light": 60.0}
    for kind, count in kinds.items():
        sensor.write(kind, count, exposure_s=exposures[kind], light_dn_s=20000)
    report = one(tmp_path)

    assert report.figures[name].value is None
    assert reason in report.figures[name].reason
    assert tuple(report.figures) == FIGURES
    json.dumps(report.as_dict(), allow_nan=False)


def test_a_single_bias_frame_is_enough_for_the_gain(tmp_path):
    """Its spatial noise stands for the read noise, which hardly matters, and that is said."""
    sensor = PlainSensor(tmp_path)
    sensor.write("bias", 1)
    sensor.write("flat", 3, exposure_s=1.0, light_dn_s=20000, flicker=0.03)
    gain = one(tmp_path).figures["e_per_dn"]

    assert close(gain, 0.5)
    assert "single frame" in gain.how


def test_short_darks_serve_as_bias_frames(tmp_path):
    """Flat-darks are as good; long darks say that their dark current adds to the noise."""
    sensor = PlainSensor(tmp_path, dark_e_s=1.0)
    sensor.write("dark", 3, exposure_s=1.0)
    sensor.write("flat", 3, exposure_s=1.0, light_dn_s=20000)
    short = one(tmp_path).figures
    for path in tmp_path.glob("dark_*"):
        path.unlink()
    sensor.write("dark", 3, exposure_s=60.0)
    long = one(tmp_path).figures

    assert close(short["e_per_dn"], 0.5)
    assert short["read_noise_e"].number == pytest.approx(4.1, rel=0.03)
    assert "dark current adds" in long["read_noise_e"].how


def test_float_frames_have_a_gain_but_no_bits(tmp_path):
    """0..1 of 65535 DN: no step, and nothing is made up for it."""
    sensor = PlainSensor(tmp_path)
    sensor.write("bias", 4, float32=True)
    sensor.write("flat", 4, exposure_s=1.0, light_dn_s=20000, float32=True)
    figures = one(tmp_path).figures

    assert close(figures["e_per_dn"], 0.5)
    assert close(figures["read_noise_e"], 4.0)
    assert not figures["step_dn"].known
    assert not figures["adc_bits"].known


def test_other_settings_and_sizes_are_other_sensors(tmp_path):
    """Gain, offset, camera and size are kept apart; a frame without a gain joins the only one."""
    PlainSensor(tmp_path).write("bias", 3)
    others = [{"GAIN": 0}, {"OFFSET": 50}, {"INSTRUME": "Another"}]
    for number, header in enumerate(others):
        sensor = PlainSensor(tmp_path, header=header)
        sensor.count = 10 * (number + 1)
        sensor.write("bias", 2)
    wide = PlainSensor(tmp_path, side=320)
    wide.count = 50
    wide.write("bias", 2)
    survey = survey_sensors([tmp_path])

    assert [len(report.paths) for report in survey.reports] == [3, 2, 2, 2, 2]
    assert {report.setup.shape for report in survey.reports} == {(256, 256), (320, 320)}


def test_a_frame_that_lacks_a_fact_joins_the_only_setup_it_fits(tmp_path):
    """Flats without a camera's name belong to the bias frames of the only camera."""
    PlainSensor(tmp_path).write("bias", 3)
    nameless = PlainSensor(tmp_path, camera=None)
    nameless.count = 10
    nameless.write("flat", 3, exposure_s=1.0, light_dn_s=20000)

    assert one(tmp_path).frames == {"bias": 3, "flat": 3}


def test_drifting_bias_frames_are_named(tmp_path):
    """Levels that walk away from frame to frame; steady ones are not named."""
    PlainSensor(tmp_path, drift_dn=8.0).write("bias", 6)
    report = one(tmp_path)

    assert "bias-drift" in seen(report)
    assert report.figures["bias_drift_dn"].number == pytest.approx(40.0, abs=1.0)
    assert report.figures["bias_scatter_dn"].number == pytest.approx(14.97, abs=1.0)


def test_a_simulated_drift_is_named(tmp_path):
    """What the simulator does to bias frames for the rule bias-unstable."""
    report = one(written(tmp_path / "session", mono(BiasDrift())))

    assert {"unstable-bias", "bias-drift"} & set(seen(report))


def test_multiplied_colours_are_told_from_amplified_ones(tmp_path):
    """Integers that were multiplied have gaps; those of an amplifier have not."""
    multiplied = one(written(tmp_path / "session", osc(WhiteBalance())))
    (tmp_path / "plain").mkdir()
    sensor = PlainSensor(
        tmp_path / "plain", gains=(1.0, 1.2, 1.2, 1.0), header={"BAYERPAT": "RGGB"}
    )
    sensor.write("bias", 4)
    sensor.write("flat", 4, exposure_s=1.0, light_dn_s=20000)
    amplified = one(tmp_path / "plain")

    assert "white-balance" in seen(multiplied)
    assert "colour-gains" in seen(amplified)
    assert "white-balance" not in seen(amplified)
    assert amplified.planes["G"].number == pytest.approx(0.5 / 1.2, rel=0.02)


def test_filtered_raw_frames_are_named(tmp_path):
    """A camera that cuts off pixels at their neighbours eats stars."""
    report = one(written(tmp_path / "session", mono(HotPixelFilter())))

    assert "star-eater" in seen(report)


def test_computed_frames_are_told_by_their_steps(tmp_path):
    """A Seestar's ADC has 12 bits; values in steps of 1 up to 40000 were computed."""
    sensor = PlainSensor(tmp_path, camera="Seestar S50")
    sensor.write("bias", 2)
    sensor.write("flat", 2, exposure_s=1.0, light_dn_s=40000)

    assert "dark-subtracted" in seen(one(tmp_path))


def test_computed_frames_of_other_cameras_are_noted_without_a_guess(tmp_path):
    """An ASI533 has 14 bits; who computed the values between their steps is not known."""
    sensor = PlainSensor(tmp_path, camera="ZWO ASI533MC Pro")
    sensor.write("bias", 2)
    sensor.write("flat", 2, exposure_s=1.0, light_dn_s=40000)
    report = one(tmp_path)

    assert "dark-subtracted" not in seen(report)
    assert any("computed or scaled" in note for note in report.notes)


def test_known_cameras_are_compared_at_their_gain(tmp_path):
    """An ASI533 at gain 100 that has twice the typical e-/DN is told to differ."""
    sensor = PlainSensor(tmp_path, camera="ZWO ASI533MC Pro", e_per_dn=0.4, step=4)
    sensor.write("bias", 4)
    sensor.write("flat", 4, exposure_s=1.0, light_dn_s=20000)
    report = one(tmp_path)

    assert report.typical.e_per_dn == pytest.approx(0.2)
    assert "e_per_dn" in report.differs
    assert report.known.name == "IMX533"


def test_binned_pixels_are_not_compared(tmp_path):
    """Typical figures are those of single pixels."""
    header = {"XBINNING": 2, "YBINNING": 2}
    sensor = PlainSensor(tmp_path, camera="ZWO ASI533MC Pro", header=header)
    sensor.write("bias", 4)
    report = one(tmp_path)

    assert report.typical.e_per_dn is None
    assert any("unbinned" in note for note in report.notes)


def test_an_empty_folder_is_an_error(tmp_path):
    """It says what is missing and what to give."""
    with pytest.raises(InputError, match="no raw frame found") as caught:
        survey_sensors([tmp_path])

    assert "bias frames" in caught.value.remedy


def test_masters_alone_tell_nothing(tmp_path):
    """They are left out, with the reason as the likely cause."""
    PlainSensor(tmp_path, header={"NCOMBINE": 20}).write(
        "bias", 1, header={"IMAGETYP": "Master Bias"}
    )
    with pytest.raises(InputError, match="none of 1 files") as caught:
        survey_sensors([tmp_path])

    assert "master" in caught.value.cause


def test_a_bad_file_stops_nothing(tmp_path):
    """It is refused by name, and the exit code tells."""
    paths = PlainSensor(tmp_path).write("bias", 4)
    paths[0].write_bytes(paths[0].read_bytes()[:4000])
    survey = survey_sensors([tmp_path])

    assert [refusal.path for refusal in survey.refused] == [paths[0]]
    assert survey.exit_code == 1
    assert survey.reports[0].frames == {"bias": 3}


def test_real_frames_of_a_colour_camera_give_its_gain_and_noise(shared_data):
    """ASI120MC-S: some 3.8 e- per unit of its 12-bit ADC and 6 e- of read noise at gain 0."""
    report = one(shared_data / "asi120-osc-calibration")
    figures = report.figures

    assert figures["adc_bits"].value == 12
    assert 3.0 < 16.0 * figures["e_per_dn"].number < 4.5
    assert 5.0 < figures["read_noise_e"].number < 8.0
    assert figures["dark_suppression"].value is False
    rates = [point.rate.number for point in report.darks]
    assert rates[0] == pytest.approx(rates[1], rel=0.05)


def test_torn_darks_are_left_out_by_name(shared_data):
    """Four of its eight darks have a seam, below which they were hardly exposed."""
    report = one(shared_data / "asi120-osc-calibration")

    assert [reason for _, reason in report.setup.set_aside] == ["its readout was interrupted"] * 4
    assert report.frames == {"bias": 6, "dark": 4, "flat": 6}
    assert "Dark_ASIImg_30sec_frame0001.fit" in report.notes[0]


def test_frames_that_are_not_what_they_claim_take_no_part(tmp_path):
    """A flat among the darks, and one among the bias frames, change nothing but the counts."""
    sensor = PlainSensor(tmp_path, dark_e_s=0.5)
    sensor.write("bias", 5)
    sensor.write("dark", 4, exposure_s=60.0)
    sensor.write("flat", 4, exposure_s=1.0, light_dn_s=20000)
    sensor.write("flat", 1, exposure_s=60.0, light_dn_s=400, header={"IMAGETYP": "Dark"})
    sensor.write("flat", 1, exposure_s=0.001, light_dn_s=2e7, header={"IMAGETYP": "Bias"})
    report = one(tmp_path)

    assert report.frames == {"bias": 5, "dark": 4, "flat": 4}
    assert [reason for _, reason in report.setup.set_aside] == ["frame-type-mislabelled"] * 2
    assert report.figures["dark_current_e_s"].number == pytest.approx(0.5, rel=0.05)
    assert close(report.figures["read_noise_e"], 4.0)
    assert close(report.figures["e_per_dn"], 0.5)


@pytest.mark.parametrize(
    ("egain", "note"),
    [
        (0.5, None),
        (2.0, "counts units of the ADC; 4 DN are one"),
        (1.0, "is not what was measured"),
    ],
)
def test_the_gain_of_the_header_is_held_against_the_measured_one(egain, note, tmp_path):
    """Per DN, per unit of the ADC, or wrong."""
    sensor = PlainSensor(tmp_path, step=4, header={"EGAIN": egain})
    sensor.write("bias", 3)
    sensor.write("flat", 3, exposure_s=1.0, light_dn_s=20000)
    notes = one(tmp_path).notes

    assert bool(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_darks_of_a_real_ccd_agree_on_its_dark_current(shared_data):
    """M13's CCD: level and noise of its darks agree on the dark current."""
    figures = one(shared_data / "m13-mono-ccd").figures

    assert figures["adc_bits"].value == 16
    assert 1.0 < figures["e_per_dn"].number < 1.6
    assert 5.0 < figures["read_noise_e"].number < 12.0
    assert figures["dark_suppression"].value is False
    # Its dark current is patchy: 20 to 80 DN in 80 s, in no one place.
    assert figures["glow_dn"].value == 0.0
    assert "uneven" in figures["glow_dn"].how


def test_lights_alone_leave_nearly_everything_unknown(shared_data):
    """A Seestar's lights: the sensor's name, steps and that they were computed, no more."""
    report = one(shared_data / "seestar-m94-osc")

    assert report.known.name == "IMX462, Seestar S50"
    assert "dark-subtracted" in seen(report)
    assert [name for name, figure in report.figures.items() if figure.known] == ["step_dn"]
