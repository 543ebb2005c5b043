"""Defective pixels are found without touching stars, and replaced by good neighbours."""

import numpy as np
import pytest
from scipy.special import erf

from lightframe.errors import SettingsError
from lightframe.frames import CfaPattern
from lightframe.processes import (
    CosmeticSettings,
    Defects,
    correct_defects,
    defects_from_dark,
    detect_defects,
)
from lightframe.processes._cosmetic import FARTHEST_PX, local_excess

XTRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")
PATTERNS = [None, CfaPattern.from_name("RGGB"), CfaPattern.from_name("GBRG"), XTRANS]
NAMES = ["mono", "RGGB", "GBRG", "X-Trans"]
LEVELS_DN = np.array([300.0, 1500.0, 600.0])

every_pattern = pytest.mark.parametrize("cfa", PATTERNS, ids=NAMES)


def colours_of(cfa, height, width):
    """Return the plane index of each pixel; green for mono."""
    if cfa is None:
        return np.ones((height, width), int)
    cell = cfa.planes()
    return cell[np.ix_(np.arange(height) % len(cell), np.arange(width) % len(cell))]


def sky(rng, cfa, height, width):
    """Return a noisy sky whose colours differ strongly: 5 DN read noise, 1 e-/DN."""
    level = LEVELS_DN[colours_of(cfa, height, width)] + np.linspace(0, 100, width)
    return rng.poisson(level) + rng.normal(0, 5, level.shape)


def local_sigma(cfa, height, width):
    """Return the true noise of `sky`."""
    level = LEVELS_DN[colours_of(cfa, height, width)] + np.linspace(0, 100, width)
    return np.sqrt(level + 25)


def replaced_by_definition(image, bad, cfa, radius):
    """Correct an image pixel by pixel in float64, as `correct_defects` describes it."""
    height, width = image.shape
    colour = colours_of(cfa, height, width)
    step = 1 if cfa is None else 2
    good = ~bad & ~np.isnan(image)
    out = image.astype(np.float64)
    yy, xx = np.indices(image.shape)
    for y, x in np.argwhere(bad):
        dy, dx = np.abs(yy - y), np.abs(xx - x)
        near = (np.maximum(dy, dx) <= FARTHEST_PX) & (dy + dx > 0)
        if cfa is XTRANS:
            near &= colour == colour[y, x]
            distance = dy**2 + dx**2
            # The first ring is counted as if nothing were cut off at the image's edges.
            cell = XTRANS.planes()
            steps = range(-FARTHEST_PX, FARTHEST_PX + 1)
            whole = sorted(
                v * v + u * u
                for v in steps
                for u in steps
                if (v or u) and cell[(y + v) % 6, (x + u) % 6] == colour[y, x]
            )
            first = whole[(2 * radius + 1) ** 2 - 2]
            limits = sorted({d for d in whole if d >= first})
        else:
            near &= (dy % step == 0) & (dx % step == 0)
            distance = np.maximum(dy, dx) // step
            limits = range(radius, FARTHEST_PX // step + 1)
        for limit in limits:
            samples = image[near & good & (distance <= limit)]
            if samples.size >= 4:
                break
        out[y, x] = np.median(samples.astype(np.float64)) if samples.size else np.nan
    return out


def corrected(image, defects, cfa, **options):
    """Return a corrected copy of a whole image."""
    planes = image[np.newaxis].copy()
    correct_defects(planes, defects, cfa=cfa, **options)
    return planes[0]


@every_pattern
@pytest.mark.parametrize("radius", [1, 2])
def test_replacement_is_the_median_of_good_neighbours(cfa, radius):
    """Each defect gets what the definition gives, to float32 rounding; other pixels stay."""
    rng = np.random.default_rng(5)
    image = sky(rng, cfa, 40, 44).astype(np.float32)
    bad = rng.random(image.shape) < 0.15
    bad[:, 20] = True
    bad[11:16, 5:12] = True
    image[30:33, 30:36] = np.nan
    expected = replaced_by_definition(image, bad, cfa, radius)

    result = corrected(image, Defects(np.flatnonzero(bad)), cfa, radius=radius)

    np.testing.assert_allclose(result[bad], expected[bad], rtol=2e-7)
    np.testing.assert_array_equal(result[~bad], image[~bad])


@every_pattern
def test_replacing_is_the_same_whatever_lies_between(cfa):
    """Values that are placed late are not taken for neighbours: two passes give the same."""
    rng = np.random.default_rng(6)
    image = sky(rng, cfa, 90, 60).astype(np.float32)
    bad = rng.random(image.shape) < 0.3
    bad[20:60, 10:50] = True
    missing = np.where(bad, np.float32(np.nan), image)

    result = corrected(image, Defects(np.flatnonzero(bad)), cfa)

    np.testing.assert_array_equal(
        result, corrected(missing, Defects.none(), cfa, fill_missing=True)
    )
    expected = replaced_by_definition(image, bad, cfa, 1)
    np.testing.assert_allclose(result[bad], expected[bad], rtol=2e-7)


def test_a_defective_column_is_filled_from_the_columns_beside_it():
    """No pixel of a defective column contributes to its own repair."""
    image = np.tile(np.arange(30, dtype=np.float32), (20, 1))
    image[:, 12] = 60000
    defects = Defects(listed=np.arange(20) * 30 + 12)

    result = corrected(image, defects, None)

    np.testing.assert_array_equal(result[:, 12], 12)


def test_a_pixel_without_good_neighbours_becomes_missing():
    """Where nothing good is within reach, nothing is invented."""
    image = np.ones((40, 40), np.float32)
    bad = np.ones(image.shape, bool)
    bad[39, 39] = False

    planes = image[np.newaxis].copy()
    repairs = correct_defects(planes, Defects(np.flatnonzero(bad)), cfa=None)

    assert np.isnan(planes[0, 0, 0])
    assert planes[0, 30, 30] == 1
    assert repairs.count == 13 * 13 - 1


def test_missing_pixels_are_filled_on_request_only():
    """NaN stays NaN unless filling is asked for; then it is a defect of its own channel."""
    planes = np.full((2, 20, 20), 5, np.float32)
    planes[1, 3, 4] = np.nan

    left = planes.copy()
    assert correct_defects(left, Defects.none(), cfa=None).count == 0
    assert np.isnan(left[1, 3, 4])
    assert correct_defects(planes, Defects.none(), cfa=None, fill_missing=True).count == 1
    assert planes[1, 3, 4] == 5


@every_pattern
def test_isolated_hot_pixels_are_found_and_nothing_else(cfa):
    """Hot pixels of 60 sigma and more: recall above 98 %, precision above 99 %."""
    rng = np.random.default_rng(11)
    height, width = 720, 840
    image = sky(rng, cfa, height, width)
    hot = rng.choice(image.size, 1500, replace=False)
    image.flat[hot] += rng.uniform(60, 1000, hot.size) * local_sigma(cfa, height, width).flat[hot]

    found = detect_defects(image.astype(np.float32), cfa).hot

    hits = np.isin(found, hot).sum()
    assert hits / hot.size > 0.98
    assert hits / found.size > 0.99


@every_pattern
def test_cold_pixels_are_found(cfa):
    """Dead pixels are found, with hardly a false one."""
    rng = np.random.default_rng(12)
    image = sky(rng, cfa, 480, 480)
    cold = rng.choice(image.size, 300, replace=False)
    image.flat[cold] *= 0.1

    found = detect_defects(image.astype(np.float32), cfa).cold

    assert np.isin(cold, found).mean() > 0.98
    assert np.isin(found, cold).mean() > 0.98


def starfield(rng, cfa, fwhm, pixel_integrated):
    """Return a sky with stars of all brightnesses, colours and positions in the pixel."""
    height, width = 960, 960
    colour = colours_of(cfa, height, width)
    image = LEVELS_DN[colour].astype(float)
    spectra = np.array([[1, 1, 1], [0.6, 1, 0.7], [1, 0.7, 0.45], [0.45, 0.8, 1]])
    sigma = fwhm / 2.3548
    stars = np.zeros(image.shape, bool)
    along = np.arange(-14, 15.0)
    for number, (cy, cx) in enumerate(np.ndindex(30, 30)):
        y, x = 16 + 31 * cy + rng.integers(0, 2), 16 + 31 * cx + rng.integers(0, 2)
        offsets = (0.0, 0.0) if number % 3 == 0 else rng.uniform(-0.5, 0.5, 2)
        if pixel_integrated:
            edges = [(np.arange(-14.5, 15) - d) / sigma / np.sqrt(2) for d in offsets]
            profiles = [np.diff(erf(edge)) for edge in edges]
        else:
            profiles = [np.exp(-((along - d) ** 2) / 2 / sigma**2) for d in offsets]
        star = np.outer(*profiles)
        box = np.s_[y - 14 : y + 15, x - 14 : x + 15]
        tint = spectra[rng.integers(4)] if cfa else np.ones(3)
        image[box] += 10 ** rng.uniform(1.5, 4.6) * star / star.max() * tint[colour[box]]
        stars[box] |= star > 0.01 * star.max()
    return rng.poisson(image) + rng.normal(0, 5, image.shape), stars


@every_pattern
@pytest.mark.parametrize("fwhm", [1.2, 1.5, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("pixel_integrated", [False, True])
def test_no_pixel_of_a_star_is_taken_for_a_defect(cfa, fwhm, pixel_integrated):
    """Stars of FWHM 1.2 to 4 px, faint to saturating, any colour and position: none is touched."""
    image, stars = starfield(np.random.default_rng(int(100 * fwhm)), cfa, fwhm, pixel_integrated)

    found = detect_defects(image.astype(np.float32), cfa)

    assert not stars.flat[found.pixels].any()
    assert len(found) < 5  # of 921,600 pixels of noise


def test_threads_do_not_change_what_is_found():
    """One thread and three find the same."""
    rng = np.random.default_rng(3)
    image = sky(rng, PATTERNS[1], 300, 300).astype(np.float32)
    image.flat[rng.choice(image.size, 200, replace=False)] += 4000

    alone = detect_defects(image, PATTERNS[1])
    together = detect_defects(image, PATTERNS[1], threads=3)

    assert alone.hot.size > 150
    np.testing.assert_array_equal(alone.pixels, together.pixels)


def test_a_blunter_sharpest_star_finds_weaker_hot_pixels():
    """Stating that stars are 3 px wide finds hot pixels of 8 sigma that could else be stars."""
    rng = np.random.default_rng(4)
    image = rng.normal(1000, 10, (400, 400))
    hot = rng.choice(image.size, 200, replace=False)
    image.flat[hot] += 90

    cautious = detect_defects(image.astype(np.float32), None)
    bold = detect_defects(image.astype(np.float32), None, CosmeticSettings(sharpest_star_px=3))

    assert np.isin(hot, cautious.hot).mean() < 0.2
    assert np.isin(hot, bold.hot).mean() > 0.9


def test_missing_pixels_are_no_defects_and_do_not_hide_any():
    """A hot pixel beside missing ones is found; the missing ones are not listed."""
    image = np.random.default_rng(6).normal(1000, 10, (120, 120)).astype(np.float32)
    image[60, 60] = 5000
    image[60, 61] = np.nan
    image[:30] = np.nan

    found = detect_defects(image, None)

    np.testing.assert_array_equal(found.hot, [60 * 120 + 60])


def test_an_image_without_noise_has_no_defects_but_its_hot_pixel():
    """Zero noise is no reason to flag everything."""
    image = np.full((100, 100), 200, np.float32)
    image += np.linspace(0, 50, 100, dtype=np.float32)
    image[40, 50] += 300

    found = detect_defects(image, None)

    np.testing.assert_array_equal(found.hot, [4050])
    assert not found.cold.size


def test_defects_of_any_channel_count_for_a_colour_image():
    """A pixel that stands alone in blue only is a defect of the frame."""
    image = np.random.default_rng(8).normal(500, 5, (3, 60, 60)).astype(np.float32)
    image[2, 20, 30] = 4000

    np.testing.assert_array_equal(detect_defects(image, None).hot, [20 * 60 + 30])


def dark_with_glow(rng, cfa, height=480, width=600):
    """Return a master dark with glow of 4000 DN in a corner, and its hot pixels, 5 % of all."""
    yy, xx = np.mgrid[:height, :width]
    glow = 4000 * np.exp(-np.hypot(yy, width - xx) / 120)
    image = 1000 + glow + rng.normal(0, 4, (height, width)) + 20 * colours_of(cfa, height, width)
    hot = rng.choice(image.size, image.size // 20, replace=False)
    image.flat[hot] += rng.uniform(100, 20000, hot.size)
    return image.astype(np.float32), hot


@every_pattern
def test_hot_pixels_of_a_dark_are_found_and_its_glow_is_not(cfa):
    """5 % hot pixels: nearly all of them, and no more than a few of the glow's pixels."""
    image, hot = dark_with_glow(np.random.default_rng(7), cfa)

    found = defects_from_dark(image, cfa, CosmeticSettings(cold=False)).hot

    assert np.isin(hot, found).mean() > 0.985
    assert np.isin(found, hot).mean() > 0.998


def test_the_local_level_of_a_dark_is_the_median_of_25_pixels():
    """The excess over the local level agrees with a plain median in float64."""
    image = np.random.default_rng(9).normal(100, 10, (40, 47)).astype(np.float32)
    boxes = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (5, 5))
    expected = image[2:-2, 2:-2] - np.median(boxes, axis=(2, 3))

    np.testing.assert_allclose(local_excess(image, None)[2:-2, 2:-2], expected, atol=1e-5)


@pytest.mark.parametrize("cfa", PATTERNS[1:], ids=NAMES[1:])
def test_the_local_level_of_a_mosaic_is_that_of_one_colour(cfa):
    """Constant colours have no excess anywhere, edges included, however different they are."""
    image = LEVELS_DN[colours_of(cfa, 37, 41)].astype(np.float32)

    assert not local_excess(image, cfa).any()


def test_a_dark_can_be_judged_by_level_and_by_count():
    """Level: so many DN above the local level; count: exactly so many pixels."""
    image, hot = dark_with_glow(np.random.default_rng(10), None)

    by_level = defects_from_dark(
        image, None, CosmeticSettings(dark_limit="level", hot_level_dn=5000)
    )
    by_count = defects_from_dark(
        image, None, CosmeticSettings(dark_limit="count", hot_count=500, cold_count=7)
    )

    assert 0.6 < by_level.hot.size / hot.size < 0.8
    assert not by_level.cold.size
    assert (by_count.hot.size, by_count.cold.size) == (500, 7)
    assert np.isin(by_count.hot, by_level.hot).all()


@pytest.mark.parametrize("cfa", [None, CfaPattern.from_name("RGGB")], ids=["mono", "RGGB"])
@pytest.mark.parametrize("noise", [0.1, 0.25, 0.4, 0.6, 0.9, 1.5])
def test_a_dark_of_less_noise_than_its_steps_has_no_defects_but_its_own(noise, cfa):
    """Where most pixels equal their surroundings, one step beside them is still noise."""
    dark = np.round(np.random.default_rng(4).normal(100, noise, (240, 240))).astype(np.float32)
    dark[50, 60], dark[70, 61] = 500, 20

    found = defects_from_dark(dark, cfa)

    assert found.hot.tolist() == [50 * 240 + 60]
    assert found.cold.tolist() == [70 * 240 + 61]


def test_a_limit_without_a_value_is_an_error():
    """Nothing is searched silently for nothing."""
    with pytest.raises(SettingsError, match=r"'level'.*has no value"):
        defects_from_dark(np.zeros((20, 20)), None, CosmeticSettings(dark_limit="level"))


def test_switches_turn_searches_off():
    """`use_dark` and `detect` are obeyed."""
    image, _ = dark_with_glow(np.random.default_rng(13), None)
    off = CosmeticSettings(use_dark=False, detect=False)

    assert not len(defects_from_dark(image, None, off))
    assert not len(detect_defects(image, None, off))


def test_hot_pixels_of_a_real_dark_are_hot_in_every_frame(shared_data):
    """Hot pixels of two darks of the M13 set stand out in the third dark, which had no say."""
    fits = pytest.importorskip("astropy.io.fits")
    paths = sorted(p for p in (shared_data / "m13-mono-ccd").rglob("*") if "dark" in p.name.lower())
    first, second, third = (fits.getdata(path).astype(np.float32) for path in paths[:3])

    found = defects_from_dark((first + second) / 2, None).hot

    excess = local_excess(third, None)
    sigma = 1.4826 * np.median(np.abs(excess))
    assert found.size > 1000
    assert (excess.flat[found] > 5 * sigma).mean() > 0.97


def test_real_lights_lose_no_bright_pixel_of_a_star(shared_data):
    """Seestar frames of M94: what is found stands alone, a star's core never does."""
    fits = pytest.importorskip("astropy.io.fits")
    path = min((shared_data / "seestar-m94-osc").rglob("*.fit*"))
    image = fits.getdata(path).astype(np.float32)
    cfa = CfaPattern.from_name("GRBG")

    found = detect_defects(image, cfa)

    assert len(found) / image.size < 0.001
    inside = [
        i
        for i in found.hot
        if 1 <= i // image.shape[1] < image.shape[0] - 1
        and 1 <= i % image.shape[1] < image.shape[1] - 1
    ]
    sky_level = np.median(image)
    for index in inside:
        y, x = divmod(int(index), image.shape[1])
        sides = [image[y, x - 1], image[y, x + 1], image[y - 1, x], image[y + 1, x]]
        assert np.median(sides) - sky_level < 0.3 * (image[y, x] - sky_level)
