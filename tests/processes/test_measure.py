"""Measurement of frames: the detection image of mosaics, background, noise, the reference."""

from dataclasses import replace

import numpy as np
import pytest
from star_fields import add_star, grid_frame, matched

from lightframe.errors import RegistrationError
from lightframe.frames._cfa import CfaPattern
from lightframe.processes._detection_image import (
    LUMINANCE,
    cell_weights,
    detection_image,
    smoothing_variance,
)
from lightframe.processes._measure import (
    Measurement,
    choose_reference,
    clipped_mode,
    measure,
    reference_scores,
)
from lightframe.processes._star_table import StarTable
from lightframe.processes._stars import DetectionSettings

DEFAULT = DetectionSettings()
BAYER = [CfaPattern.from_name(name) for name in ("RGGB", "BGGR", "GRBG", "GBRG")]
XTRANS = CfaPattern(("GBGGRG", "RGRBGB", "GBGGRG", "GRGGBG", "BGBRGR", "GRGGBG"))
PATTERNS = [*BAYER, XTRANS.shifted(1, 2), XTRANS]


def colours(cfa, shape):
    """Return the plane index of each pixel."""
    cell = cfa.planes()
    repeats = (shape[0] // len(cell) + 1, shape[1] // len(cell) + 1)
    return np.tile(cell, repeats)[: shape[0], : shape[1]]


def mosaic(
    cfa, fwhm=3.0, colour=(0.8, 1.0, 0.5), sky=(800, 1500, 600), *, noise=10.0, seed=1, **star
):
    """Return a mosaic of equal stars, and their positions."""
    image, x, y = grid_frame(fwhm, noise=0.0, seed=seed, **star)
    which = colours(cfa, image.shape)
    image = (image - 1000) * np.array(colour)[which] + np.array(sky)[which]
    image += np.random.default_rng(seed).normal(0, noise, image.shape)
    return image.astype(np.float32), x, y


@pytest.mark.parametrize("cfa", BAYER)
def test_the_weights_of_a_bayer_cell_are_binomial_everywhere(cfa):
    """Each colour has the same weight at each place of the cell."""
    binomial = np.outer([1, 2, 1], [1, 2, 1]) / 16
    assert cell_weights(cfa) == pytest.approx(np.broadcast_to(binomial, (2, 2, 3, 3)), abs=1e-12)
    assert smoothing_variance(cfa) == pytest.approx(0.5)


@pytest.mark.parametrize("cfa", PATTERNS)
def test_every_colour_has_its_share_and_no_shift_at_every_place(cfa):
    """Sum of the weights of a colour is its share; its first moments are zero."""
    weights = cell_weights(cfa)
    period, half = cfa.period, weights.shape[-1] // 2
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    planes = cfa.planes()
    for y, x in np.ndindex(period, period):
        which = planes[(y + dy) % period, (x + dx) % period]
        for colour, share in enumerate(LUMINANCE):
            chosen = weights[y, x] * (which == colour)
            assert chosen.sum() == pytest.approx(share)
            assert (chosen * dx).sum() == pytest.approx(0, abs=1e-12)
            assert (chosen * dy).sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("cfa", [BAYER[2], XTRANS])
def test_the_detection_image_agrees_with_the_plain_twin(cfa):
    """Every pixel is the weighted sum of its neighbourhood; the edge is missing."""
    image = np.random.default_rng(2).normal(1000, 5, (40, 1001)).astype(np.float32)
    weights = cell_weights(cfa)
    period, half = cfa.period, weights.shape[-1] // 2
    expected = np.full(image.shape, np.nan)
    for y in range(half, 40 - half):
        for x in range(half, 1001 - half):
            part = image[y - half : y + half + 1, x - half : x + half + 1].astype(float)
            expected[y, x] = (weights[y % period, x % period] * part).sum()
    result = detection_image(image[None], cfa)
    assert np.array_equal(np.isnan(result), np.isnan(expected))
    assert np.nanmax(np.abs(result - expected)) < 1e-3


@pytest.mark.parametrize("cfa", PATTERNS)
def test_a_frame_of_constant_colours_becomes_constant(cfa):
    """No checkerboard is left, whatever the colour of the sky."""
    image = np.array([700, 1500, 300], np.float32)[colours(cfa, (60, 70))]
    result = detection_image(image, cfa)
    assert np.nanmax(result) == pytest.approx(1000, abs=1e-2)
    assert np.nanmin(result) == pytest.approx(1000, abs=1e-2)


@pytest.mark.parametrize("cfa", [BAYER[0], BAYER[3], XTRANS])
@pytest.mark.parametrize(("colour", "scatter"), [((1.0, 1.0, 1.0), 0.05), ((1.0, 0.4, 0.1), 0.12)])
def test_stars_of_a_mosaic_are_where_they_are(cfa, colour, scatter):
    """Centres are not moved; those of deep red stars, seen by a quarter of the pixels, scatter."""
    image, x, y = mosaic(cfa, 3.0, colour, side=800, snr_flux=5e4)
    stars = measure(image, cfa, DEFAULT).stars
    found = matched(stars, x, y)
    assert (found >= 0).all()
    for error in (stars.x[found] - x, stars.y[found] - y):
        assert abs(np.mean(error)) < 0.02
        assert np.std(error) < scatter


@pytest.mark.parametrize("cfa", [BAYER[0], XTRANS])
@pytest.mark.parametrize("fwhm", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("beta", [None, 3.0])
def test_the_width_of_stars_of_a_mosaic_is_that_of_the_frame(cfa, fwhm, beta):
    """The smoothing of the detection image is not part of the FWHM."""
    image, _, _ = mosaic(cfa, fwhm, beta=beta, snr_flux=3e4 * fwhm)
    measurement = measure(image, cfa, DEFAULT)
    assert measurement.fwhm_px == pytest.approx(fwhm, rel=0.03)
    assert measurement.eccentricity < 0.25


@pytest.mark.parametrize("cfa", [BAYER[1], XTRANS])
def test_hot_pixels_of_a_mosaic_do_not_become_stars(cfa):
    """Single bright pixels are taken out before the smoothing spreads them."""
    image, x, y = mosaic(cfa, 2.5, side=800, snr_flux=3e4)
    rng = np.random.default_rng(3)
    image[rng.integers(0, 800, 600), rng.integers(0, 800, 600)] += rng.exponential(3000, 600)
    stars = measure(image, cfa, DEFAULT).stars
    found = matched(stars, x, y)
    assert (found >= 0).mean() > 0.97
    assert len(stars) - (found >= 0).sum() <= 0.02 * 600


def test_background_and_noise_are_measured_per_colour():
    """Sky and noise of each colour, not moved by stars."""
    cfa = BAYER[2]
    image, _, _ = mosaic(cfa, sky=(800, 1500, 600), snr_flux=2e5)
    rng = np.random.default_rng(4)
    image += (np.array([5.0, 20.0, 0.0])[colours(cfa, image.shape)]
              * rng.normal(0, 1, image.shape)).astype(np.float32)  # fmt: skip
    measurement = measure(image, cfa, DEFAULT)
    assert measurement.background_dn == pytest.approx((800, 1500, 600), abs=2)
    expected = (np.hypot(10, 5), np.hypot(10, 20), 10)
    assert measurement.noise_dn == pytest.approx(expected, rel=0.08)
    given = measure(image, cfa, DEFAULT, noise_dn=(1.0, 2.0, 3.0))
    assert given.noise_dn == (1.0, 2.0, 3.0)


def test_the_detection_image_of_rgb_is_its_luminance():
    """A mono frame is its own detection image; of RGB it is the luminance."""
    image, x, y = grid_frame(3.0)
    assert detection_image(image[None], None) is not None
    assert np.shares_memory(detection_image(image, None), image)
    planes = np.stack((image, 2 * image, 3 * image))
    assert detection_image(planes, None) == pytest.approx(2 * image, rel=1e-6)
    measurement = measure(planes, None, DEFAULT)
    assert measurement.background_dn == pytest.approx((1000, 2000, 3000), rel=0.002)
    assert measurement.star_count == len(x)
    assert measurement.fwhm_px == pytest.approx(3.0, rel=0.02)
    assert (matched(measurement.stars, x, y) >= 0).all()


def test_wrong_numbers_of_planes_are_errors():
    """Two planes, or a mosaic of three, are refused."""
    with pytest.raises(ValueError, match="1 or 3 planes"):
        detection_image(np.zeros((2, 9, 9), np.float32), None)
    with pytest.raises(ValueError, match="one plane"):
        detection_image(np.zeros((3, 9, 9), np.float32), BAYER[0])


def test_a_frame_without_stars_has_no_width():
    """Unknown is None, never zero."""
    image = np.random.default_rng(5).normal(500, 8, (300, 300)).astype(np.float32)
    measurement = measure(image, None, DEFAULT)
    assert measurement.star_count == 0
    assert measurement.fwhm_px is None
    assert measurement.eccentricity is None
    assert measurement.background_dn[0] == pytest.approx(500, abs=0.5)


def test_missing_pixels_are_left_out_of_background_and_noise():
    """NaN columns change neither; all NaN gives NaN."""
    image = np.random.default_rng(6).normal(500, 8, (300, 300)).astype(np.float32)
    image[:, 100:140] = np.nan
    measurement = measure(image, None, DEFAULT)
    assert measurement.background_dn[0] == pytest.approx(500, abs=0.5)
    assert measurement.noise_dn[0] == pytest.approx(8, rel=0.05)
    assert np.isnan(measure(np.full_like(image, np.nan), None, DEFAULT).background_dn[0])


def test_the_mode_stands_under_a_tail_of_stars():
    """A tenth of brighter pixels moves the mode far less than the mean."""
    rng = np.random.default_rng(7)
    values = rng.normal(1000, 10, 100_000)
    values[:10_000] += rng.exponential(100, 10_000)
    assert clipped_mode(values.astype(np.float32)) == pytest.approx(1000, abs=1.5)


def measured(**changes):
    """Return a measurement with 100 stars of average quality."""
    image_stars = StarTable.empty()
    base = Measurement(image_stars, (1000.0,), (10.0,), 3.0, 0.4)
    count = changes.pop("count", 100)
    names = {name: np.ones(count) for name in StarTable.__dataclass_fields__}
    return replace(base, stars=StarTable(**names), **changes)


@pytest.mark.parametrize(
    "better",
    [
        {"fwhm_px": 2.7},
        {"eccentricity": 0.2},
        {"count": 150},
        {"background_dn": (960.0,)},
    ],
)
def test_the_reference_is_the_better_frame(better):
    """Narrower, rounder, richer, darker: each alone decides between equals."""
    measurements = [measured(), measured(), measured(**better), measured()]
    assert choose_reference(measurements) == 2


def test_width_counts_most():
    """A narrow frame beats one with somewhat more stars."""
    assert choose_reference([measured(count=140), measured(fwhm_px=2.2)]) == 1


def test_frames_without_width_are_never_the_reference():
    """They score minus infinity; with no other frame that is an error."""
    blank = Measurement(StarTable.empty(), (1.0,), (1.0,), None, None)
    assert choose_reference([blank, measured()]) == 1
    assert reference_scores([blank, measured()])[0] == -np.inf
    with pytest.raises(RegistrationError, match="none of 2 frames"):
        choose_reference([blank, blank])


def test_saturated_stars_of_a_mosaic_are_flagged():
    """The clipped level is seen through the smoothing."""
    cfa = BAYER[0]
    image, _, _ = mosaic(cfa)
    full = image.astype(float)
    add_star(full, 120.2, 121.4, 5e6, 4.0)
    clipped = np.minimum(full, 30000).astype(np.float32)
    stars = measure(clipped, cfa, DEFAULT, saturation_dn=30000).stars
    row = matched(stars, np.array([120.2]), np.array([121.4]))[0]
    assert row >= 0
    assert stars.saturated[row]
    assert stars.saturated.sum() == 1
