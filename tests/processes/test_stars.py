"""Star detection and measurement against simulated frames, plain twins, sep, and real frames."""

import numpy as np
import pytest
import sep
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from star_fields import add_star, grid_frame, matched, profile

from lightframe.errors import SettingsError
from lightframe.kernels._background import mesh_row, mesh_statistics, mesh_value
from lightframe.kernels._profile import fit_profiles
from lightframe.kernels._stars import ring_level, windowed_moments
from lightframe.processes._background_mesh import background_mesh
from lightframe.processes._star_table import StarTable
from lightframe.processes._stars import DetectionSettings, detect_stars

DEFAULT = DetectionSettings()


def test_mesh_statistics_agree_with_the_plain_twin():
    """Cell by cell: two rounds of median and MAD clipping, then the mode estimate."""
    rng = np.random.default_rng(1)
    image = rng.normal(500, 12, (130, 200)).astype(np.float32)
    image[rng.random(image.shape) < 0.03] += 400
    image[rng.random(image.shape) < 0.02] = np.nan
    location, scale = np.empty((2, 3), np.float32), np.empty((2, 3), np.float32)
    mesh_statistics(image, 64, 1, location, scale)
    for row, column in np.ndindex(2, 3):
        rows = slice(row * 64, 130 if row == 1 else 64)
        columns = slice(column * 64, 200 if column == 2 else (column + 1) * 64)
        samples = np.sort(image[rows, columns].astype(float).ravel())
        samples = samples[np.isfinite(samples)]
        for _ in range(2):
            median = samples[samples.size // 2]
            s = 1.4826 * np.sort(np.abs(samples - median))[samples.size // 2]
            samples = samples[np.abs(samples - median) <= 3 * s]
        mean = samples.mean()
        mode = 2.5 * median - 1.5 * mean if abs(mean - median) < 0.3 * s else median
        assert location[row, column] == pytest.approx(mode, abs=0.02)
        assert scale[row, column] == pytest.approx(s, rel=1e-4)


@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    cell=st.integers(16, 40),
    extra=st.integers(0, 15),
)
@settings(max_examples=40, deadline=None)
def test_mesh_interpolation_agrees_with_the_plain_twin(rows, columns, cell, extra):
    """Rows and single positions are bilinear between cell centres and constant beyond."""
    mesh = np.random.default_rng(rows + 7 * columns).normal(100, 10, (rows, columns))
    mesh = mesh.astype(np.float32)
    width = columns * cell + extra
    x = np.clip((np.arange(width) + 0.5) / cell - 0.5, 0, columns - 1)
    for y in (0, cell // 2, cell, rows * cell - 1):
        v = np.clip((y + 0.5) / cell - 0.5, 0, rows - 1)
        i = min(int(v), max(rows - 2, 0))
        line = mesh[i] + (v - i) * (mesh[min(i + 1, rows - 1)].astype(float) - mesh[i])
        expected = np.interp(x, np.arange(columns), line)
        out = np.empty(width, np.float32)
        mesh_row(mesh, cell, y, out)
        assert out == pytest.approx(expected, abs=2e-3)
        for k in (0, width // 3, width - 1):
            assert mesh_value(mesh, cell, y, k) == pytest.approx(expected[k], abs=2e-3)


def test_the_background_follows_a_gradient_under_stars():
    """Stars and a satellite trail do not lift the mesh."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:512, :640]
    truth = 800 + 0.3 * x + 0.1 * y
    image = truth + rng.normal(0, 10, truth.shape)
    for _ in range(150):
        add_star(image, rng.uniform(5, 634), rng.uniform(5, 506), 2e4, 3.0, 3.0)
    image[250:253] += 300
    mesh = background_mesh(image.astype(np.float32), 64)
    row = np.empty(640, np.float32)
    errors = []
    for k in range(40, 470, 10):
        mesh_row(mesh.background, 64, k, row)
        errors.append((row - truth[k])[40:600])
    assert np.abs(np.mean(errors)) < 1.5
    assert np.abs(errors).max() < 10
    assert np.median(mesh.noise) == pytest.approx(10, rel=0.25)


def test_windowed_moments_agree_with_the_plain_twin():
    """Sums under the window in float64."""
    image = np.random.default_rng(3).normal(100, 5, (40, 40)).astype(np.float32)
    add_star(image, 20.3, 18.7, 5000, 3.0)
    moments = np.empty(8)
    windowed_moments(image, 100.0, 18.6, 20.1, 1.7, np.empty(40), moments)
    y, x = np.mgrid[:40, :40].astype(float)
    dy, dx = y - 18.6, x - 20.1
    window = np.exp(-0.5 * (dx**2 + dy**2) / 1.7**2)
    window[(np.abs(dx) > 3.5 * 1.7) | (np.abs(dy) > 3.5 * 1.7)] = 0
    r = window * (image - 100.0)
    expected = [window.sum(), (window**2).sum(), r.sum()]
    expected += [(r * t).sum() / r.sum() for t in (dx, dy, dx * dx, dx * dy, dy * dy)]
    assert moments == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("beta", [None, 2.5, 4.0])
def test_profile_fits_agree_with_scipy(beta):
    """The kernel finds the least-squares minimum that scipy finds."""
    rng = np.random.default_rng(4)
    image = rng.normal(200, 3, (41, 41))
    add_star(image, 20.3, 19.8, 4e4, 3.4, beta, axes=1.15)
    image = image.astype(np.float32)
    out = np.empty((1, 9))
    start = np.array([[20.0, 20.0, image.max() - 200, 200, 2.0, 9]])
    fit_profiles(image, np.ones((1, 1), np.uint8), start, out)
    y, x = np.mgrid[:41, :41].astype(float)
    used = (y - 20) ** 2 + (x - 20) ** 2 <= 81

    def residuals(p):
        dy, dx = y - p[2], x - p[3]
        u = p[4] * dx**2 + 2 * p[5] * dx * dy + p[6] * dy**2
        return (image - p[1] - p[0] * (1 + (2 ** p[7] - 1) * u) ** (-1 / p[7]))[used]

    lower, upper = [0, 0, 0, 0, 0.01, -1, 0.01, 0.02], [1e6, 1e4, 41, 41, 5, 1, 5, 1]
    best = least_squares(residuals, [5000, 200, 20, 20, 0.3, 0, 0.3, 0.25], bounds=(lower, upper))
    assert np.sum(residuals(out[0, :8]) ** 2) < 1.001 * np.sum(best.fun**2)
    assert out[0, 2:7] == pytest.approx(best.x[2:7], abs=0.01)


@pytest.mark.parametrize("fwhm", [1.8, 2.5, 4.0, 6.0, 8.0])
@pytest.mark.parametrize("beta", [None, 2.5, 4.0])
def test_width_and_roundness_are_right_within_three_percent(fwhm, beta):
    """FWHM of Gaussian and Moffat stars from undersampled to wide, and the eccentricity."""
    image, x, y = grid_frame(fwhm, beta, snr_flux=2e4 * fwhm, axes=1.1)
    stars = detect_stars(image, DEFAULT)
    found = matched(stars, x, y)
    assert (found >= 0).all()
    assert np.median(stars.fwhm_px) == pytest.approx(fwhm, rel=0.03)
    assert np.median(stars.eccentricity) == pytest.approx(np.sqrt(1 - 1.1**-4), abs=0.03)


def test_width_is_that_of_the_recorded_profile():
    """The width of a pixel is part of the star as recorded: sigma^2 grows by 1/12 px^2."""
    image, _, _ = grid_frame(2.2, finer=9)
    recorded = np.sqrt(2.2**2 + 8 * np.log(2) / 12)
    stars = detect_stars(image, DEFAULT)
    assert np.median(stars.fwhm_px) == pytest.approx(recorded, rel=0.02)


@pytest.mark.parametrize("fwhm", [1.8, 2.5, 4.0])
def test_positions_are_good_to_a_twentieth_of_a_pixel_at_snr_fifty(fwhm):
    """Scatter of the windowed centroids, without bias."""
    image, x, y = grid_frame(fwhm, snr_flux=50 * 10 * 1.06 * fwhm * 1.4, side=800)
    stars = detect_stars(image, DEFAULT)
    found = matched(stars, x, y)
    assert (found >= 0).mean() > 0.98
    there = found >= 0
    error = np.concatenate((stars.x[found[there]] - x[there], stars.y[found[there]] - y[there]))
    assert 25 < np.median(stars.snr) < 100
    assert np.std(error) * np.median(stars.snr) / 50 < 0.05
    assert abs(np.mean(error)) < 0.01


def test_the_aperture_holds_all_of_a_gaussian_star():
    """The aperture of 1.5 FWHM holds all of a Gaussian star."""
    image, _, _ = grid_frame(3.0, snr_flux=5e4)
    stars = detect_stars(image, DEFAULT)
    assert np.median(stars.flux_dn) == pytest.approx(5e4, rel=0.01)
    assert np.median(stars.background_dn) == pytest.approx(1000, abs=2)
    assert (stars.peak_dn < 5e4 / (1.133 * 9) * 1.02).all()


def test_a_frame_of_noise_has_no_stars():
    """Six million pixels without a star give a handful at the threshold of 5 sigma, none at 6."""
    image = np.random.default_rng(5).normal(1000, 10, (2000, 3000)).astype(np.float32)
    assert len(detect_stars(image, DEFAULT)) <= 6
    assert len(detect_stars(image, DetectionSettings(threshold=6))) == 0


@pytest.mark.parametrize("noise", [4.0, 6.0, 8.0])
def test_stars_are_found_above_noise_that_the_integers_hardly_show(noise):
    """Twelve bits stored as sixteen: most pixels of a dark sky have one value."""
    image, x, y = grid_frame(3.5, noise=noise, snr_flux=6000)
    stored = np.float32(16) * np.rint(image / 16)

    stars = detect_stars(stored, DEFAULT)

    assert (matched(stars, x, y) >= 0).all()
    assert len(stars) <= 1.1 * len(x)
    assert len(detect_stars(np.full((200, 300), 7, np.float32), DEFAULT)) == 0


def test_hot_pixels_and_cosmic_rays_are_not_stars():
    """Single bright pixels of any height, and short tracks, are told from stars."""
    rng = np.random.default_rng(6)
    image, x, y = grid_frame(2.2, snr_flux=2e4, side=800)
    image[rng.integers(0, 800, 1500), rng.integers(0, 800, 1500)] += rng.exponential(4000, 1500)
    for row, column in rng.integers(10, 790, (12, 2)):
        image[row, column : column + 2] += 3000
    stars = detect_stars(image, DEFAULT)
    found = matched(stars, x, y)
    assert (found >= 0).mean() > 0.97
    assert len(stars) - (found >= 0).sum() <= 8


def test_saturated_stars_are_flagged_and_placed_at_their_blob():
    """A clipped star is one star, flagged, and within a fifth of a pixel of its place."""
    image, _, _ = grid_frame(3.0, snr_flux=3e4)
    truth = np.array([[101.3, 97.6], [221.8, 305.2], [339.4, 58.7]])
    full = image.astype(float)
    for star_x, star_y in truth:
        add_star(full, star_x, star_y, 8e6, 3.0, 3.0)
    clipped = np.minimum(full, 60000).astype(np.float32)
    for known in (60000.0, None):
        stars = detect_stars(clipped, DEFAULT, saturation_dn=known)
        found = matched(stars, *truth.T)
        assert (found >= 0).all()
        assert stars.saturated[found].all()
        assert stars.saturated.sum() == 3
        error = np.hypot(stars.x[found] - truth[:, 0], stars.y[found] - truth[:, 1])
        assert error.max() < 0.2
        near = np.hypot(stars.x[:, None] - truth[:, 0], stars.y[:, None] - truth[:, 1]) < 8
        assert (near.sum(axis=0) == 1).all()


def test_a_saturated_star_with_a_bleeding_column_is_one_star():
    """The columns that a full pixel spills into do not make more stars of it."""
    image, _, _ = grid_frame(3.0, side=300)
    y, x = np.mgrid[:300, :300]
    disc = np.hypot(x - 150, y - 148) < 9
    image[disc] = 60000
    image[110:190, 149:152] = 60000
    stars = detect_stars(image, DEFAULT, saturation_dn=59000)
    near = np.hypot(stars.x - 150, stars.y - 148) < 12
    assert near.sum() == 1
    assert np.hypot(stars.x[near] - 150, stars.y[near] - 149).max() < 1.5


@pytest.mark.parametrize(("separation", "expected"), [(1.8, 2), (3.0, 2), (0.4, 1)])
def test_close_pairs_are_parted_where_there_are_two_maxima(separation, expected):
    """Two equal stars 1.8 FWHM apart are two, 0.4 FWHM apart one."""
    image, _, _ = grid_frame(3.5, side=300)
    add_star(image, 120 - separation * 1.75, 120.0, 6e4, 3.5)
    add_star(image, 120 + separation * 1.75, 120.0, 6e4, 3.5)
    stars = detect_stars(image, DEFAULT)
    assert (np.hypot(stars.x - 120, stars.y - 120) < 8).sum() == expected


def test_noise_on_the_slope_of_a_wide_star_makes_no_stars():
    """An oversampled bright star is one star."""
    rng = np.random.default_rng(7)
    image = rng.normal(1000, 10, (300, 300))
    for x, y in ((60, 60), (150, 150), (240, 70), (70, 230)):
        add_star(image, x + 0.3, y - 0.2, 5e5, 10.0, 3.0)
    image = np.maximum(image, 0)
    image += rng.normal(0, 0.2, image.shape) * np.sqrt(image)
    stars = detect_stars(image.astype(np.float32), DEFAULT)
    assert len(stars) == 4
    assert np.median(stars.fwhm_px) == pytest.approx(10, rel=0.04)


def test_missing_pixels_make_no_stars_and_hide_none_nearby():
    """A block of NaN is left out; stars beside it are found."""
    image, x, y = grid_frame(3.0)
    image[:, 60:70] = np.nan
    stars = detect_stars(image, DEFAULT)
    clear = np.abs(x - 65) > 12
    assert (matched(stars, x[clear], y[clear]) >= 0).all()
    assert len(stars) <= len(x)


@pytest.mark.parametrize(
    "image",
    [
        np.full((300, 300), np.nan, np.float32),
        np.full((300, 300), 17, np.float32),
        np.zeros((5, 5), np.float32),
    ],
)
def test_frames_without_information_give_an_empty_table(image):
    """All missing, all equal, or tiny: no stars, no error."""
    stars = detect_stars(image, DEFAULT)
    assert isinstance(stars, StarTable)
    assert len(stars) == 0


def test_few_stars_of_small_frames_are_found():
    """Ten stars on 0.3 Mpx are found."""
    rng = np.random.default_rng(8)
    image = rng.normal(300, 5, (480, 640))
    x, y = rng.uniform(20, 460, (2, 10))
    for star_x, star_y in zip(x, y, strict=True):
        add_star(image, star_x, star_y, 8000, 2.8)
    stars = detect_stars(image.astype(np.float32), DEFAULT)
    assert len(stars) == 10
    assert (matched(stars, x, y) >= 0).all()


def test_a_crowded_field_gives_most_of_its_stars():
    """Of 6000 stars on one Mpx most of the brighter half are found where they are."""
    rng = np.random.default_rng(9)
    image = rng.normal(1000, 8, (1000, 1000))
    x, y = rng.uniform(5, 994, (2, 6000))
    flux = 1500 / (1 - 0.99 * rng.random(6000))
    for star in zip(x, y, flux, strict=True):
        add_star(image, *star, 2.5)
    stars = detect_stars(image.astype(np.float32), DEFAULT)
    bright = flux > np.median(flux)
    assert (matched(stars, x[bright], y[bright]) >= 0).mean() > 0.85


def test_the_brightest_are_kept_where_there_are_too_many():
    """max_stars limits the table to the highest."""
    image, _, _ = grid_frame(3.0)
    add_star(image, 200.0, 200.0, 4e5, 3.0)
    stars = detect_stars(image, DetectionSettings(max_stars=20))
    assert len(stars) == 20
    assert np.hypot(stars.x[0] - 200, stars.y[0] - 200) < 1


def test_tables_are_sorted_and_selectable():
    """Brightest first; rows can be chosen."""
    image, _, _ = grid_frame(3.0)
    stars = detect_stars(image, DEFAULT)
    assert (np.diff(stars.flux_dn) <= 0).all()
    assert len(stars.select(slice(5))) == 5
    assert len(stars.select(stars.snr > 1e9)) == 0


def test_profile_is_half_at_half_width():
    """The simulated stars have the width they are said to have."""
    for beta in (None, 2.5):
        assert profile(1.5, 0.0, 3.0, beta) == pytest.approx(0.5)


def test_wrong_arguments_are_errors():
    """A cube, another type, and an unknown setting are refused."""
    with pytest.raises(ValueError, match="must be"):
        detect_stars(np.zeros((1, 20, 20), np.float32), DEFAULT)
    with pytest.raises(ValueError, match="float64"):
        detect_stars(np.zeros((20, 20)), DEFAULT)
    with pytest.raises(SettingsError, match="treshold"):
        DetectionSettings.parse({"treshold": 5})


def test_a_real_globular_cluster_agrees_with_sep(shared_data):
    """M13: hundreds of stars, and nearly all bright ones that sep finds too."""
    folder = shared_data / "m13-mono-ccd"
    bias, dark = (
        np.median([fits.getdata(p).astype(np.float32) for p in folder.glob(name)], axis=0)
        for name in ("Bias*", "Dark*")
    )
    light = fits.getdata(folder / "M13_sdss_r_20190503_085306.fits").astype(np.float32)
    light -= bias + 1.5 * (dark - bias)
    stars = detect_stars(light, DEFAULT, saturation_dn=60000)
    assert len(stars) > 500
    background = sep.Background(light)
    objects = sep.extract(light - background.back(), 8, err=background.globalrms)
    compact = (objects["flag"] == 0) & (objects["npix"] > 8) & (objects["a"] < 3)
    objects = objects[compact]
    edge = 15
    inside = (objects["x"] > edge) & (objects["x"] < 1008) & (objects["y"] > edge)
    objects = objects[inside & (objects["y"] < 1008)]
    assert len(objects) > 300
    found = matched(stars, objects["x"], objects["y"], within=1.5)
    # sep takes hot pixels for stars, and parts stars in the core otherwise.
    assert (found >= 0).mean() > 0.92
    error = np.hypot(stars.x[found] - objects["x"], stars.y[found] - objects["y"])[found >= 0]
    assert np.median(error) < 0.15


def test_a_satellite_trail_does_not_change_what_a_star_is():
    """A trail brighter than all stars adds no star, and leaves their number and width alone."""
    image, x, y = grid_frame(3.0, snr_flux=2e4, side=600)[:3]
    clean = detect_stars(image.astype(np.float32), DEFAULT)
    j, i = np.mgrid[:600, :600]
    distance = (j - 0.7 * i - 90) / np.hypot(1, 0.7)
    noise = np.random.default_rng(3).normal(1, 0.05, image.shape)
    crossed = image + 4000 * noise * np.exp(-4 * np.log(2) * (distance / 3.2) ** 2)

    stars = detect_stars(crossed.astype(np.float32), DEFAULT)

    off = np.abs((y - 0.7 * x - 90) / np.hypot(1, 0.7)) > 15
    found = matched(stars, x, y) >= 0
    assert found[off].all()
    assert len(stars) <= len(clean)
    assert np.median(stars.fwhm_px) == pytest.approx(np.median(clean.fwhm_px), rel=0.03)


@pytest.mark.parametrize("radius", [4.0, 12.0, 40.0])
def test_the_ring_of_a_wide_star_is_sampled_all_round(radius):
    """On a gradient its level is that at the star, however many pixels it has."""
    y, _ = np.mgrid[:300, :300]
    noise = np.random.default_rng(8).normal(0, 2, y.shape)
    image = (1000 + 0.1 * y + noise).astype(np.float32)
    samples = np.empty(4096, np.float32)
    level = ring_level(image, 150.0, 150.0, 2 * radius, 3 * radius, 50.0, samples)
    assert level == pytest.approx(1015, abs=0.5)
