"""The superbias: against a plain twin, and against the true offset of simulated sensors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.errors import InputError, SettingsError
from lightframe.processes import SuperbiasSettings, superbias


def _starlet_residual(image, layers):
    """Smooth by the full two-dimensional kernel, layer by layer, in float64."""
    weights = np.outer((1, 4, 6, 4, 1), (1, 4, 6, 4, 1)) / 256
    for layer in range(layers):
        step = 2**layer
        padded = np.pad(image, 2 * step, mode="reflect")
        height, width = image.shape
        image = sum(
            weights[i, j] * padded[i * step : i * step + height, j * step : j * step + width]
            for i in range(5)
            for j in range(5)
        )
    return image


def _trimmed(lines, trim):
    cut = int(trim * lines.shape[1])
    return np.sort(lines, axis=1)[:, cut : lines.shape[1] - cut].mean(axis=1)


def _twin(bias, *, columns=True, rows=True, layers=7, trim=0.2):
    bias = bias.astype(np.float64)
    known = np.isfinite(bias)
    first = _starlet_residual(np.where(known, bias, np.median(bias[known])), layers)
    residual = bias - first
    sigma = 1.4826 * np.median(np.abs(residual[known] - np.median(residual[known])))
    usual = np.abs(np.where(known, residual, np.inf)) <= 5 * sigma
    model = _starlet_residual(np.where(usual, bias, first), layers)
    working = np.where(known, bias - model, 0)
    if columns:
        pattern = _trimmed(working.T, trim)
        model, working = model + pattern, working - pattern
    if rows:
        model = model + _trimmed(working, trim)[:, None]
    return model


def _sensor(*, pixels, columns=2.0, rows=1.0, shape=(400, 500), seed=1):
    """Return a true offset: gradient, columns, rows, and offsets of single pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    large = 500 + 10 * np.exp(-(x**2 + y**2) / 300**2) + y / shape[0]
    return (
        large
        + rng.normal(0, columns, shape[1])
        + rng.normal(0, rows, (shape[0], 1))
        + rng.normal(0, pixels, shape)
    )


def _master(offset, read_noise, frames=10, seed=2):
    rng = np.random.default_rng(seed)
    return (offset + rng.normal(0, read_noise / np.sqrt(frames), offset.shape)).astype(np.float32)


@settings(max_examples=25)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.2, 0.4]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_the_model_is_that_of_the_plain_twin(height, width, layers, trim, columns, rows, seed):
    """Any size, number of layers, trim and direction: as the plain twin, to float32 rounding."""
    rng = np.random.default_rng(seed)
    bias = rng.normal(500, 5, (height, width)).astype(np.float32)
    bias[rng.random(bias.shape) < 0.02] = 9000
    bias[rng.random(bias.shape) < 0.02] = np.nan
    if np.isnan(bias).all():
        return
    options = {"columns": columns, "rows": rows, "layers": layers, "trim": trim}
    model = superbias(bias, SuperbiasSettings(**options), threads=2)
    # Sums hold values of up to 9000 DN: float32 rounds those to 5e-4 DN.
    np.testing.assert_allclose(model.image[0], _twin(bias, **options), rtol=2e-6, atol=2e-3)


def test_strips_and_threads_do_not_show():
    """A frame of several strips gives the twin's values, whatever the number of threads."""
    bias = _master(_sensor(pixels=0.2, shape=(1100, 1300)), 8)
    one = superbias(bias, SuperbiasSettings(layers=4))
    many = superbias(bias, SuperbiasSettings(layers=4), threads=3)
    np.testing.assert_array_equal(one.image, many.image)
    np.testing.assert_allclose(one.image[0], _twin(bias, layers=4), rtol=1e-6)


def _rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_a_ccd_gains_by_its_columns_and_gradients():
    """The offset of a CCD is columns and gradients: the model is several times nearer to it."""
    offset = _sensor(pixels=0.2)
    bias = _master(offset, 8)
    model = superbias(bias)
    assert _rms(bias - offset) == pytest.approx(2.53, rel=0.02)
    assert _rms(model.image[0] - offset) == pytest.approx(0.34, rel=0.1)
    assert model.pattern_lost_dn(8 / np.sqrt(10)) < 0.5
    assert model.columns_dn[0] == pytest.approx(2.0, rel=0.15)
    assert model.rows_dn[0] == pytest.approx(1.0, rel=0.2)


def test_a_cmos_loses_the_offsets_of_its_pixels():
    """The offsets of the pixels of a CMOS sensor are gone; the result says how large they were."""
    offset = _sensor(pixels=2.5)
    bias = _master(offset, 3)
    model = superbias(bias)
    assert _rms(bias - offset) == pytest.approx(0.95, rel=0.02)
    assert _rms(model.image[0] - offset) == pytest.approx(2.50, rel=0.03)
    assert model.pattern_lost_dn(3 / np.sqrt(10)) == pytest.approx(2.5, rel=0.03)


def test_the_level_is_counted_once():
    """A constant is a constant, with any direction or none."""
    bias = np.full((2, 60, 50), 1234.5, np.float32)
    for columns in (False, True):
        for rows in (False, True):
            model = superbias(bias, SuperbiasSettings(columns=columns, rows=rows))
            assert np.all(model.image == np.float32(1234.5))
            assert model.left_out_dn == (0, 0)


def test_hot_pixels_leave_no_halo():
    """Pixels 20000 DN too bright change the model by less than a thousandth of a DN elsewhere."""
    bias = _master(_sensor(pixels=0.2), 8)
    hot = bias.copy()
    hot[::50, ::50] = 20_500
    change = superbias(hot).image - superbias(bias).image
    assert np.abs(change).max() < 0.6
    assert _rms(change) < 0.05


def test_a_bias_without_pixels_is_an_error():
    """All pixels missing: the message names the master."""
    with pytest.raises(InputError, match=r"bias\.fits: no pixel is valid"):
        superbias(np.full((9, 9), np.nan, np.float32), name="bias.fits")


def test_settings_are_checked():
    """Out of range is an error that names the setting."""
    with pytest.raises(SettingsError, match="trim"):
        SuperbiasSettings.parse({"trim": 0.5})
