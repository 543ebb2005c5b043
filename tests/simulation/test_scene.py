"""Stars, diffuse light and trails on a frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import spline_filter

from lightframe.kernels._scene import add_background, add_stars, add_trail
from lightframe.simulation import Psf, Sky, Stars
from lightframe.simulation._sky import make_scene

SINGLE = np.zeros((1, 1), np.uint8)
BAYER = np.array([[0, 1], [1, 2]], np.uint8)


def star_frame(psf, x, y, flux=(1000.0,), cell=SINGLE, size=121):
    """Return a frame with one star."""
    out = np.zeros((size, size), np.float32)
    flux = np.array([flux])
    reach, within = psf.reach(flux.max(axis=1))
    add_stars(out, np.array([[x, y]]), flux, reach, psf.peak / within, cell, psf.shape(), psf.beta)
    return out.astype(np.float64)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(59.0, 61.0),
    st.floats(59.0, 61.0),
    st.floats(1.6, 6.0),
    st.floats(0.0, 0.8),
    st.floats(0.0, 180.0),
    st.sampled_from([0.0, 2.5, 3.5, 4.8]),
)
def test_the_flux_of_a_star_is_right_to_a_thousandth(x, y, fwhm, eccentricity, angle, beta):
    """Whatever its place, width, shape and profile, the pixels of a star sum up to its flux."""
    psf = Psf(fwhm, eccentricity, angle, beta)

    assert star_frame(psf, x, y, size=401 if beta == 2.5 else 121).sum() == pytest.approx(
        1000.0, rel=1e-3 if beta != 2.5 else 4e-3
    )


@pytest.mark.parametrize("beta", [0.0, 3.5])
def test_a_star_has_its_width_and_its_place(beta):
    """Centroid and full width at half maximum are those of the settings."""
    frame = star_frame(Psf(5.0, beta=beta), 60.3, 59.6)
    rows, columns = np.indices(frame.shape)
    core = np.hypot(rows - 59.6, columns - 60.3) < 12

    assert np.average(columns[core], weights=frame[core]) == pytest.approx(60.3, abs=0.01)
    assert np.average(rows[core], weights=frame[core]) == pytest.approx(59.6, abs=0.01)
    fine = star_frame(Psf(40.0, beta=beta), 200.0, 200.0, size=401)[200]
    above = np.flatnonzero(fine > 0.5 * fine.max())
    assert above[-1] - above[0] + 1 == pytest.approx(40.0, abs=1.5)


def test_an_eccentric_star_is_drawn_out_along_its_angle():
    """The major axis points along the angle, from +x towards +y; the ratio follows from e."""
    frame = star_frame(Psf(8.0, 0.8, 30.0, 0.0), 60.0, 60.0)
    rows, columns = np.indices(frame.shape) - 60.0
    total = frame.sum()
    xx, yy = (frame * columns**2).sum() / total, (frame * rows**2).sum() / total
    xy = (frame * columns * rows).sum() / total
    angle = 0.5 * np.degrees(np.arctan2(2.0 * xy, xx - yy))
    minor, major = np.linalg.eigvalsh([[xx, xy], [xy, yy]])

    assert angle == pytest.approx(30.0, abs=0.5)
    assert np.sqrt(1.0 - minor / major) == pytest.approx(0.8, abs=0.01)


def test_a_star_behind_a_colour_filter_array_has_each_colour_s_flux():
    """Pixels of each colour, brought to full coverage, sum up to the flux in that colour."""
    frame = star_frame(Psf(6.0), 60.2, 60.7, (3000.0, 2000.0, 1000.0), BAYER)

    assert 4.0 * frame[::2, ::2].sum() == pytest.approx(3000.0, rel=2e-3)
    assert 2.0 * (frame[::2, 1::2].sum() + frame[1::2, ::2].sum()) == pytest.approx(
        2000.0, rel=2e-3
    )
    assert 4.0 * frame[1::2, 1::2].sum() == pytest.approx(1000.0, rel=2e-3)


def test_the_background_reproduces_a_smooth_scene_and_the_sky():
    """B-spline coefficients of a quadratic give that quadratic, through any transform."""
    rows, columns = np.indices((30, 40))
    smooth = 3.0 + 0.2 * columns - 0.1 * rows + 0.004 * rows * columns
    coefficients = spline_filter(smooth, order=3, mode="mirror").astype(np.float32)[np.newaxis]
    angle = np.radians(3.0)
    matrix = np.array(
        [[np.cos(angle), -np.sin(angle), 60.0], [np.sin(angle), np.cos(angle), 50.0], [0, 0, 1]]
    )
    out = np.zeros((90, 120), np.float32)
    grid = np.array([0.0, 0.0, 8.0])
    add_background(out, coefficients, matrix, grid, SINGLE, np.array([10.0]), 0.2, -0.1, 0.5)
    y, x = np.indices(out.shape)
    u, v = ((matrix[i, 0] * x + matrix[i, 1] * y + matrix[i, 2]) / 8.0 for i in (0, 1))
    scene = 3.0 + 0.2 * u - 0.1 * v + 0.004 * u * v
    sky = 10.0 * (1.0 + 0.2 * (x - 59.5) / 59.5 - 0.1 * (y - 44.5) / 44.5)

    np.testing.assert_allclose(out, sky + 0.5 * scene, rtol=2e-3)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2, 2.4])
def test_a_trail_is_a_gaussian_ridge(angle):
    """Each pixel holds the profile at its distance from the line, in its own colour."""
    out = np.zeros((60, 80), np.float32)
    peak = np.array([30.0, 20.0, 10.0])
    add_trail(out, 40.3, 30.6, angle, 1.5, peak, BAYER)
    y, x = np.indices(out.shape)
    distance = -np.sin(angle) * (x - 40.3) + np.cos(angle) * (y - 30.6)
    expected = peak[BAYER[y % 2, x % 2]] * np.exp(-0.5 * (distance / 1.5) ** 2)
    expected[np.abs(distance) >= 6.0] = 0.0

    np.testing.assert_allclose(out, expected, atol=2e-3)


def test_star_counts_follow_the_power_law():
    """The number of stars brighter than F falls as F to the power of minus the slope."""
    sky = Sky(stars=Stars(per_megapixel=20000, faintest_e_s=1.0, brightest_e_s=1e6, slope=0.75))
    flux = make_scene(sky, 1000, 1000, 0).flux[:, 1]

    ratio = np.count_nonzero(flux > 10.0) / np.count_nonzero(flux > 1.0)
    assert ratio == pytest.approx(10.0**-0.75, rel=0.05)
    assert np.all(np.diff(flux) <= 0.0)
