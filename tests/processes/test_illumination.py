"""The illuminated area of a flat, and the scaling factor measured on it."""

import numpy as np
import pytest
from calibration_frames import BAYER, XTRANS
from hypothesis import given
from hypothesis import strategies as st

from lightframe.processes import CalibrationSettings, Masters, calibrate_frame, prepare_calibration
from lightframe.processes._flat_scaling import flat_scale
from lightframe.processes._illumination import _pixels_per_tile, illuminated_area

SHAPE = (360, 480)


def _vignetted(least, *, noise=0.005, level=20_000.0, shape=SHAPE, seed=1):
    """Return a flat whose corners have the share `least` of the light of its centre."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    field = level * (1 - (1 - least) * (x**2 + y**2) / 2)
    rng = np.random.default_rng(seed)
    return (field * rng.normal(1, noise, shape)).astype(np.float32)


def _measured(flat, cfa=None, **options):
    return flat_scale(flat[None], cfa, **{"scaling": "trimmed-mean", "trim": 0.05} | options)


def _twin(values, trim=0.05):
    ordered = np.sort(values.astype(np.float64), axis=None)
    cut = int(trim * ordered.size)
    return ordered[cut : ordered.size - cut].mean()


@pytest.mark.parametrize("least", [0.9, 0.5, 0.2])
@pytest.mark.parametrize("cfa", [None, BAYER, XTRANS])
def test_vignetting_down_to_a_fifth_is_still_light(least, cfa):
    """Nothing changes for ordinary flats: the factor is that of the whole frame, to the bit."""
    flat = _vignetted(least)
    scale = _measured(flat, cfa)
    assert scale.illuminated == 1
    assert scale.factors == _measured(flat, cfa, illuminated=0).factors


def test_donuts_dead_pixels_and_defective_columns_stay_in():
    """Dust takes a third of the light, a column is dead, pixels are dead: all of it is the flat."""
    flat = _vignetted(0.6)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for cy, cx in ((100, 90), (220, 300)):
        radius = np.hypot(y - cy, x - cx)
        flat[(radius > 12) & (radius < 30)] *= 0.67
    flat[:, 77:79] = 0
    flat[::17, ::19] = np.nan
    scale = _measured(flat)
    assert scale.illuminated == 1
    assert scale.factors[0] == pytest.approx(_twin(flat[flat > 0]), rel=1e-7)


@pytest.mark.parametrize("cfa", [None, BAYER, XTRANS])
@pytest.mark.parametrize("dark", [0.0, 3.0, -4.0])
def test_masked_columns_and_rows_do_not_count(cfa, dark):
    """A masked border around zero pulls the factor no more than the lit parts of its tiles."""
    flat = _vignetted(0.7)
    noise = np.random.default_rng(2).normal(dark, 3, SHAPE)
    flat[:, :40], flat[-24:] = noise[:, :40], noise[-24:]
    whole = _vignetted(0.7)[:-24, 40:]
    scale = _measured(flat, cfa)
    expected = _measured(whole, None if cfa is None else cfa.shifted(0, 40)).factors
    assert scale.factors == pytest.approx(expected, rel=0.006)
    if dark >= 0:  # pixels below zero never counted
        assert _measured(flat, cfa, illuminated=0).factors[0] < 0.98 * expected[0]
    lit = whole.size / flat.size
    assert lit - 0.06 < scale.illuminated <= lit


def test_the_border_outside_an_image_circle_does_not_count():
    """Of a frame with dark corners the circle is left, its factor that of its pixels."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    circle = np.hypot(y - 180, x - 240) < 170
    flat = np.where(circle, _vignetted(0.8), 15).astype(np.float32)
    scale = _measured(flat)
    assert scale.factors[0] == pytest.approx(_twin(flat[circle]), rel=0.005)
    assert 0.8 * circle.mean() < scale.illuminated < circle.mean()


def test_a_leak_into_the_masked_border_is_not_the_field():
    """A lit spot apart from the field does not count; a second amplifier's half does."""
    flat = _vignetted(0.9)
    flat[:, :80] = 0
    flat[160:200, 20:50] = 9000
    scale = _measured(flat)
    assert scale.illuminated == pytest.approx(400 / 480)
    two = _vignetted(0.9)
    two[:, 208:272] = 0
    assert _measured(two).illuminated == pytest.approx(416 / 480)


def test_colours_share_one_area():
    """Where only one colour is dark, its tiles count for none."""
    flat = _vignetted(0.9)
    flat[0::2, 0:64:2] = 0
    scale = _measured(flat, BAYER)
    assert scale.illuminated == pytest.approx(416 / 480)
    rest = flat[:, 64:]
    expected = [rest[0::2, 0::2], [rest[0::2, 1::2], rest[1::2, 0::2]], rest[1::2, 1::2]]
    assert scale.factors == pytest.approx([_twin(np.stack(p)) for p in expected], rel=1e-7)
    assert scale.missing == (180 * 32, 0, 0)


def test_noise_does_not_choose_the_pixels_of_a_faint_flat():
    """Flats with a signal-to-noise ratio of 4 a pixel, or none at all, count as a whole."""
    rng = np.random.default_rng(3)
    assert _measured(rng.normal(40, 10, SHAPE).astype(np.float32)).illuminated == 1
    assert _measured(rng.normal(0, 10, SHAPE).astype(np.float32)).illuminated == 1


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 2, 6]), st.data())
def test_pixels_of_a_tile_are_counted_by_colour(height, width, period, data):
    """The number of pixels of each colour in each tile is that of a plain count, at all sizes."""
    cells = st.lists(st.booleans(), min_size=period**2, max_size=period**2)
    places = np.array(data.draw(cells)).reshape(period, period)
    side = 18 if period == 6 else 16
    mask = np.tile(places, (60, 60))[:height, :width]
    counted = _pixels_per_tile((height, width), places, side)
    for (row, column), number in np.ndenumerate(counted):
        tile = mask[row * side : (row + 1) * side, column * side : (column + 1) * side]
        assert number == np.count_nonzero(tile)


def test_the_area_is_none_where_all_counts():
    """No mask is made for a flat that is lit everywhere."""
    cell = np.zeros((1, 1), np.uint8)
    assert illuminated_area(_vignetted(0.5), cell, np.array([2e4]), share=0.1) is None


def test_the_light_keeps_its_level_and_the_record_tells_the_share():
    """With a masked border lights keep the level of the field, and the record tells the share."""
    flat = _vignetted(0.8)
    flat[:, :60] = 2.0
    light = (_vignetted(0.8, seed=5) / 20).astype(np.float32)
    prepared = prepare_calibration(
        Masters(flat=flat), CalibrationSettings(), height=SHAPE[0], width=SHAPE[1]
    )
    frame = calibrate_frame(light[None], prepared, name="light")
    ratio = np.nanmedian(frame.planes) / np.median(light[:, 60:])
    assert ratio == pytest.approx(1, abs=0.02)
    assert prepared.flat_scale.illuminated == pytest.approx(416 / 480)
    assert "illuminated 86.67 %" in str(frame.record)
    assert frame.record.as_dict()["flat_illuminated"] == prepared.flat_scale.illuminated
