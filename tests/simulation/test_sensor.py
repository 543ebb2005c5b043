"""What the pixels of simulated frames say about the sensor that took them."""

import numpy as np
import pytest

from lightframe.frames import FrameKind
from lightframe.simulation import (
    BiasPattern,
    BiasSet,
    DarkCurrent,
    DarkSet,
    FlatSet,
    GainMode,
    Glow,
    LightSet,
    Night,
    Optics,
    Sensor,
    Session,
    build_camera,
    schedule,
)

QUIET = DarkCurrent(rate_e_s=0.0, warm_fraction=0.0, hot_fraction=0.0)
EVEN = BiasPattern(column_e=0.0, pixel_e=0.0, row_e=0.0)


def session(**sensor):
    """Return a small session with two frames of each kind and an even field."""
    traits = {
        "width": 400,
        "height": 300,
        "cfa": None,
        "dark": QUIET,
        "bias": EVEN,
        "cold_fraction": 0.0,
    }
    return Session(
        sensor=Sensor.model_validate(traits | sensor),
        optics=Optics(vignetting=0.0),
        night=Night(cosmic_rays=0.0),
        lights=LightSet(count=2),
        darks=DarkSet(count=2),
        flats=FlatSet(count=2, level_spread=0.0),
        flat_darks=DarkSet(count=0),
        bias=BiasSet(count=2),
    )


def frames(settings, kind, **changes):
    """Return the raw frames of one kind as float64, with changed traits of the exposure."""
    shots = [shot for shot in schedule(settings) if shot.kind is kind]
    camera = build_camera(settings, shots)
    return [camera.expose(shot.model_copy(update=changes)).raw.astype(np.float64) for shot in shots]


@pytest.mark.parametrize("bits", [12, 14, 16])
@pytest.mark.parametrize("shifted", [True, False])
def test_photon_transfer_gives_back_gain_and_read_noise(bits, shifted):
    """Pairs of flats and bias frames give e-/DN and read noise to 2 %."""
    mode = GainMode(setting=100, e_per_adu=0.9, read_noise_e=4.0, full_well_e=1e6)
    settings = session(adc_bits=bits, shifted=shifted, gains=(mode,))
    flats = frames(settings, FrameKind.FLAT)
    biases = frames(settings, FrameKind.BIAS)
    step = 1 << settings.sensor.shift
    noise_dn = (biases[0] - biases[1]).var() / 2.0
    flat_dn = (flats[0] - flats[1]).var() / 2.0
    signal = np.mean(flats) - np.mean(biases)

    measured = signal / (flat_dn - noise_dn)

    assert settings.sensor.e_per_dn(100) == pytest.approx(0.9 / step)
    assert measured == pytest.approx(0.9 / step, rel=0.02)
    read_noise_e = np.sqrt(noise_dn - step**2 / 12.0) * 0.9 / step
    assert read_noise_e == pytest.approx(4.0, rel=0.02)
    assert np.all(flats[0] % step == 0)


def test_a_flat_reaches_its_level():
    """The brightest place of a flat lies at the given fraction of the full scale."""
    settings = session(prnu=0.0)
    flat = frames(settings, FrameKind.FLAT)[0]

    assert np.median(flat) == pytest.approx(0.45 * settings.sensor.ceiling_dn, rel=0.003)


def test_dark_current_grows_with_time_and_doubles_with_temperature():
    """Mean dark minus bias is rate x time x 2^(dT / doubling), in electrons."""
    dark = DarkCurrent(rate_e_s=0.5, spread=0.0, warm_fraction=0.0, hot_fraction=0.0)
    settings = session(dark=dark)
    e_per_dn = settings.sensor.e_per_dn(100)
    level = settings.sensor.bias_level_dn(70)
    cold = np.mean(frames(settings, FrameKind.DARK)) - level
    warm = np.mean(frames(settings, FrameKind.DARK, temperature_c=-4.0)) - level
    short = np.mean(frames(settings, FrameKind.DARK, exposure_s=30.0)) - level

    assert cold * e_per_dn == pytest.approx(60.0, rel=0.005)
    assert warm * e_per_dn == pytest.approx(120.0, rel=0.005)
    assert short * e_per_dn == pytest.approx(15.0, rel=0.01)


def test_hot_pixels_are_where_the_patterns_say_in_every_dark():
    """The brightest pixels of two darks are those of the list of hot pixels."""
    dark = DarkCurrent(warm_fraction=0.0, hot_fraction=0.001, hot_e_s=8.0)
    settings = session(dark=dark)
    patterns = build_camera(settings).patterns[settings.sensor.serial]
    for frame in frames(settings, FrameKind.DARK):
        assert np.isin(np.argsort(frame.ravel())[-50:], patterns.hot).all()
    assert patterns.hot.size == pytest.approx(0.001 * 120_000, rel=0.02)
    assert np.all(np.diff(patterns.hot) > 0)


def test_suppressed_dark_current_leaves_the_level_and_keeps_the_noise():
    """With suppression the dark's mean is that of the bias, its noise that of the dark current."""
    dark = DarkCurrent(
        rate_e_s=1.0, spread=0.2, warm_fraction=0.0, hot_fraction=0.0, suppressed=True
    )
    settings = session(dark=dark)
    pair = frames(settings, FrameKind.DARK)
    e_per_dn = settings.sensor.e_per_dn(100)

    assert np.mean(pair) == pytest.approx(settings.sensor.bias_level_dn(70), abs=3.0)
    electrons = (pair[0] - pair[1]).var() / 2.0 * e_per_dn**2
    assert electrons == pytest.approx(120.0 * np.exp(0.02) + 1.5**2, rel=0.03)


def test_glow_sits_in_its_corner_and_grows_by_its_own_law():
    """Glow is brightest in its corner, follows its time exponent and hardly feels temperature."""
    dark = QUIET.model_copy(update={"glow": Glow(peak_e=5000.0, time_exponent=0.8)})
    settings = session(dark=dark)
    level = settings.sensor.bias_level_dn(70)

    def corner(**changes):
        return np.mean(frames(settings, FrameKind.DARK, **changes)[0][-8:, -8:]) - level

    whole = frames(settings, FrameKind.DARK)[0]
    assert whole[-8:, -8:].mean() > whole[:8, :8].mean() + 1000.0
    assert corner(exposure_s=240.0) / corner() == pytest.approx(2.0**0.8, rel=0.01)
    assert corner(temperature_c=0.0) / corner() == pytest.approx(2.0**0.25, rel=0.01)


def test_telegraph_pixels_jump_between_two_levels():
    """Each frame finds about half of the telegraph pixels high, not the same ones."""
    dark = QUIET.model_copy(update={"telegraph_fraction": 0.01, "telegraph_e": 200.0})
    settings = session(dark=dark)
    where = build_camera(settings).patterns[1].telegraph
    first, second = (frame.ravel()[where] > 1200.0 for frame in frames(settings, FrameKind.BIAS))

    assert 0.4 < first.mean() < 0.6
    assert 0.4 < (first ^ second).mean() < 0.6


def test_rows_and_columns_have_their_noise():
    """Column pattern repeats in every frame, row noise does not."""
    bias = BiasPattern(column_e=4.0, pixel_e=0.0, row_e=3.0)
    settings = session(bias=bias)
    one, two = frames(settings, FrameKind.BIAS)
    e_per_dn = settings.sensor.e_per_dn(100)
    columns = one.mean(axis=0) * e_per_dn
    rows = [(frame.mean(axis=1) - frame.mean()) * e_per_dn for frame in (one, two)]

    assert columns.std() == pytest.approx(4.0, rel=0.12)
    assert np.corrcoef(one.mean(axis=0), two.mean(axis=0))[0, 1] > 0.99
    assert rows[0].std() == pytest.approx(3.0, rel=0.15)
    assert abs(np.corrcoef(*rows)[0, 1]) < 0.2


def test_banding_is_slow_and_has_its_amplitude():
    """Bands have the given rms and change little from row to row."""
    bias = BiasPattern(column_e=0.0, pixel_e=0.0, row_e=0.0, banding_e=5.0, banding_rows=6.0)
    settings = session(bias=bias, height=3000, width=64, gains=(GainMode(read_noise_e=1.0),))
    rows = frames(settings, FrameKind.BIAS)[0].mean(axis=1) * settings.sensor.e_per_dn(100)

    assert rows.std() == pytest.approx(5.0, rel=0.15)
    assert np.diff(rows).std() < 0.2 * rows.std()


def test_a_frame_is_cut_at_the_ceiling_and_at_zero():
    """Too much light gives the ceiling of the ADC, too low an offset gives zeros."""
    settings = session()
    bright = frames(settings, FrameKind.FLAT, level=2.0)[0]
    low = frames(settings, FrameKind.BIAS, offset=0.0)[0]

    assert settings.sensor.ceiling_dn == 65532
    assert np.all(bright == 65532)
    assert 0.3 < np.mean(low == 0) < 0.8


def test_gain_is_interpolated_between_modes():
    """Between two gain settings e-/ADU is interpolated logarithmically, at them it is exact."""
    sensor = Sensor(
        gains=(
            GainMode(setting=0, e_per_adu=4.0, read_noise_e=4.0, full_well_e=40000),
            GainMode(setting=100, e_per_adu=1.0, read_noise_e=2.0, full_well_e=10000),
        )
    )

    assert sensor.at_gain(100).e_per_adu == pytest.approx(1.0)
    assert sensor.at_gain(50).e_per_adu == pytest.approx(2.0)
    assert sensor.at_gain(300).e_per_adu == pytest.approx(1.0)
    assert sensor.at_gain(-5).e_per_adu == pytest.approx(4.0)


@pytest.mark.parametrize("pattern", ["RGGB", "GBRG", "GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG"])
def test_each_colour_of_a_flat_has_its_level(pattern):
    """Bayer and X-Trans flats show sensitivity x panel colour in the pixels of each colour."""
    settings = session(cfa=pattern, sensitivity=(0.5, 1.0, 0.7), prnu=0.0)
    settings = settings.changed(flats=FlatSet(count=1, panel=(1.0, 1.0, 1.0)))
    flat = frames(settings, FrameKind.FLAT)[0] - settings.sensor.bias_level_dn(70)
    planes = settings.sensor.pattern.planes()
    period = len(planes)
    y, x = np.indices(flat.shape)
    colour = planes[y % period, x % period]
    levels = [np.median(flat[colour == index]) for index in range(3)]

    assert levels[0] / levels[1] == pytest.approx(0.5, rel=0.005)
    assert levels[2] / levels[1] == pytest.approx(0.7, rel=0.005)


def test_vignetting_and_response_are_those_of_the_maps():
    """The mean of many flats is illumination x response."""
    settings = session(prnu=0.02, cold_fraction=0.001).changed(
        flats=FlatSet(count=16, level_spread=0.0), optics=Optics(vignetting=0.4)
    )
    camera = build_camera(settings)
    flat = np.mean(frames(settings, FrameKind.FLAT), axis=0) - settings.sensor.bias_level_dn(70)
    expected = camera.illumination[0] * camera.patterns[1].response
    flat /= flat.max()
    ratio = flat / expected

    assert camera.illumination[0].min() == pytest.approx(0.6, abs=1e-4)
    assert camera.illumination[0].max() == pytest.approx(1.0, abs=1e-4)
    assert np.std(ratio / np.median(ratio)) < 0.01
    assert np.sum(expected < 0.5 * camera.illumination[0]) >= 100
