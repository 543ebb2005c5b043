"""Debayering agrees with plain float64 twins, keeps what was measured and spreads nothing."""

import debayer_twins as twins
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.errors import SettingsError
from lightframe.frames import CfaPattern
from lightframe.processes import (
    DEBAYER_METHODS,
    debayer,
    debayer_margin,
    debayer_scale,
    merge_cfa,
    split_cfa,
    superpixel,
)

XTRANS = CfaPattern.from_name("GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG")
BAYER = [CfaPattern.from_name(name) for name in ("RGGB", "BGGR", "GRBG", "GBRG")]
EVERY = [
    (method, cfa)
    for method, entry in DEBAYER_METHODS.items()
    for cfa in (*BAYER, XTRANS)
    if not entry.shrinks and (entry.bayer if cfa.period == 2 else entry.xtrans)
]
every = pytest.mark.parametrize(
    ("method", "cfa"), EVERY, ids=[f"{method}-{cfa.name[:4]}" for method, cfa in EVERY]
)
every_bayer = pytest.mark.parametrize("cfa", BAYER, ids=[cfa.name for cfa in BAYER])


def noise(seed, height, width, missing=0.0):
    """Return a mosaic of whole DN around zero, some of them missing."""
    rng = np.random.default_rng(seed)
    mosaic = rng.integers(-300, 3000, (height, width)).astype(np.float32)
    mosaic[rng.random(mosaic.shape) < missing] = np.nan
    return mosaic


def stars(seed, fwhm, height=240, width=252):
    """Return a noise-free RGB image of coloured stars on a coloured sky."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:height, :width]
    image = np.ones((3, height, width)) * np.array([500.0, 900.0, 600.0])[:, None, None]
    for _ in range(150):
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        profile = np.exp(-((yy - cy) ** 2 + (xx - cx) ** 2) * 4 * np.log(2) / fwhm**2)
        image += rng.uniform(0.5, 1, 3)[:, None, None] * 10 ** rng.uniform(2, 4) * profile
    return image


def psnr(result, truth):
    """Return the peak signal to noise ratio in dB for a peak of 10,000 DN, without the border."""
    error = (result - truth)[:, 12:-12, 12:-12]
    return 20 * np.log10(10000 / np.sqrt(np.mean(error**2)))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cfa=st.sampled_from([*BAYER, XTRANS]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    missing=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
)
def test_bilinear_is_a_normalised_convolution(seed, cfa, height, width, missing):
    """To float32 rounding, of any size, at edges and beside missing pixels."""
    mosaic = noise(seed, height, width, missing)

    result = debayer(mosaic, cfa, "bilinear")

    np.testing.assert_allclose(result, twins.bilinear(mosaic, cfa), rtol=1e-6, atol=1e-3)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    cfa=st.sampled_from(BAYER),
    height=st.integers(3, 24),
    width=st.integers(3, 24),
    missing=st.sampled_from([0.0, 0.01]),
)
def test_vng_follows_the_published_tables(seed, cfa, height, width, missing):
    """To float32 rounding; bilinear in the two border pixels and beside missing ones."""
    mosaic = noise(seed, height, width, missing)

    result = debayer(mosaic, cfa, "vng")

    np.testing.assert_allclose(result, twins.vng(mosaic, cfa), rtol=1e-6, atol=2e-3)


def test_vng_is_the_same_in_every_block_of_a_long_row():
    """Rows longer than a block of lanes, and their remainders, agree with the tables."""
    mosaic = noise(1, 7, 533)

    np.testing.assert_allclose(
        debayer(mosaic, BAYER[2], "vng"), twins.vng(mosaic, BAYER[2]), rtol=1e-6, atol=2e-3
    )


@every_bayer
def test_rcd_follows_its_formulas(cfa):
    """Stars over several tiles, with noise: float32 and float64 differ by rounding only."""
    image = stars(2, 3.0, 190, 500)
    mosaic = twins.mosaic_of(image, cfa) + np.random.default_rng(2).normal(0, 20, image.shape[1:])
    mosaic = mosaic.astype(np.float32)

    error = np.abs(debayer(mosaic, cfa, "rcd") - twins.rcd(mosaic, cfa))

    # The choice between two shares flips in a few pixels where both are equally clear.
    assert np.quantile(error, 0.999) < 0.05
    assert np.median(error) < 1e-3


@every
def test_the_measured_colour_is_kept(method, cfa):
    """Bit by bit, at edges and beside missing pixels too; a missing one stays missing."""
    mosaic = noise(3, 63, 71, missing=0.01)

    result = debayer(mosaic, cfa, method)

    np.testing.assert_array_equal(twins.mosaic_of(result, cfa), mosaic)


@every
def test_a_missing_pixel_does_not_spread(method, cfa):
    """Only the missing pixels' own colours are missing in the result."""
    mosaic = noise(4, 60, 66)
    mosaic[2:-2:7, 3:-3:7] = np.nan

    result = debayer(mosaic, cfa, method)

    assert np.isnan(result).sum() == np.isnan(mosaic).sum()


@every
@pytest.mark.parametrize("sign", [1, -1])
def test_a_constant_colour_is_reproduced(method, cfa, sign):
    """Everywhere, edges included, also where all values are negative."""
    colour = sign * np.array([300.0, 1500.0, 600.0])[:, None, None]
    image = (colour * np.ones((3, 50, 55))).astype(np.float32)

    result = debayer(twins.mosaic_of(image, cfa), cfa, method)

    np.testing.assert_allclose(result, image, rtol=2e-6)


@every_bayer
@pytest.mark.parametrize("method", ["bilinear", "vng"])
def test_a_linear_ramp_is_reproduced(method, cfa):
    """A ramp in any direction, equal in all colours, away from the edges."""
    yy, xx = np.mgrid[:40, :48]
    image = np.broadcast_to((7 * yy - 3 * xx + 500).astype(np.float32), (3, 40, 48))

    result = debayer(twins.mosaic_of(image, cfa), cfa, method)

    expected = image[:, 2:-2, 2:-2]
    if method == "bilinear":
        np.testing.assert_array_equal(result[:, 2:-2, 2:-2], expected)
    else:
        # Averages over one side of a pixel are centred beside it.
        np.testing.assert_allclose(result[:, 2:-2, 2:-2], expected, atol=14)


@every
@pytest.mark.parametrize("origin", [(0, 0), (35, 52), (81, 31)])
def test_the_interior_of_a_window_equals_the_whole_frame(method, cfa, origin):
    """A window with its margin, at any phase of the pattern."""
    mosaic = noise(5, 130, 140)
    whole = debayer(mosaic, cfa, method)
    margin = debayer_margin(method)
    y, x = origin
    y1, x1 = y + 49, x + 88
    top, left = max(0, y - margin), max(0, x - margin)

    part = debayer(mosaic[top : y1 + margin, left : x1 + margin], cfa.shifted(top, left), method)

    np.testing.assert_allclose(
        part[:, y - top : y1 - top, x - left : x1 - left], whole[:, y:y1, x:x1], rtol=1e-6
    )


@every
def test_threads_do_not_change_the_result(method, cfa):
    """One thread and three give the same bits; the result lands where it is wanted."""
    mosaic = noise(6, 200, 150)
    out = np.zeros((3, 200, 150), np.float32)

    together = debayer(mosaic, cfa, method, out, threads=3)

    assert together is out
    np.testing.assert_array_equal(together, debayer(mosaic, cfa, method))


@pytest.mark.parametrize("fwhm", [2.0, 3.0])
def test_better_methods_have_smaller_errors_on_stars(fwhm):
    """RCD before VNG before bilinear, each by a clear step; X-Trans before its bilinear."""
    image = stars(7, fwhm)
    quality = {
        (method, cfa.period): psnr(debayer(mosaic, cfa, method), image)
        for cfa in (BAYER[0], XTRANS)
        for mosaic in [twins.mosaic_of(image, cfa).astype(np.float32)]
        for method in ("bilinear", "vng", "rcd", "xtrans")
        if (method, cfa) in EVERY
    }

    assert quality["rcd", 2] > quality["vng", 2] + 0.5
    assert quality["vng", 2] > quality["bilinear", 2] + 4
    assert quality["xtrans", 6] > quality["bilinear", 6] + 6
    assert quality["xtrans", 6] > 47


@every
def test_a_sky_around_zero_stays_quiet(method, cfa):
    """Noise of 10 DN around 0 DN: no method amplifies it, none shifts its mean."""
    mosaic = np.random.default_rng(8).normal(0, 10, (240, 240)).astype(np.float32)

    result = debayer(mosaic, cfa, method)

    assert np.all(result.std(axis=(1, 2)) < 12.5)
    assert np.all(np.abs(result.mean(axis=(1, 2))) < 0.3)
    assert np.abs(result).max() < 120


@pytest.mark.parametrize("cfa", [*BAYER, XTRANS], ids=lambda cfa: cfa.name[:4])
def test_superpixel_averages_each_colour_of_a_cell(cfa):
    """One pixel a cell, remainders dropped, missing pixels not counted."""
    mosaic = noise(9, 31, 41, missing=0.2)

    result = superpixel(mosaic, cfa)

    np.testing.assert_allclose(result, twins.superpixel(mosaic, cfa), rtol=1e-6)
    side = debayer_scale("superpixel", cfa)
    assert result.shape == (3, 31 // side, 41 // side)
    assert debayer_scale("vng", cfa) == 1


@pytest.mark.parametrize("cfa", [*BAYER, XTRANS], ids=lambda cfa: cfa.name[:4])
def test_split_planes_hold_one_colour_and_merge_again(cfa):
    """Each plane is named by its colour and place; merging restores the mosaic bit by bit."""
    mosaic = noise(10, 36, 48, missing=0.1)

    planes = split_cfa(mosaic, cfa)

    assert len(planes) == cfa.period**2
    assert {name[0] for name in planes} == set("RGB")
    assert all(cfa.rows[int(name[1])][int(name[2])] == name[0] for name in planes)
    np.testing.assert_array_equal(merge_cfa(planes, cfa), mosaic)


def test_split_and_merge_refuse_what_they_cannot_restore():
    """Incomplete cells, and planes that are missing or of another shape."""
    with pytest.raises(ValueError, match="whole cells"):
        split_cfa(np.zeros((5, 4), np.float32), BAYER[0])
    planes = split_cfa(np.zeros((4, 4), np.float32), BAYER[0])
    with pytest.raises(ValueError, match="RGGB has the planes R00, G01, G10, B11"):
        merge_cfa({name: planes[name] for name in ("R00", "G01")}, BAYER[0])
    with pytest.raises(ValueError, match="one shape"):
        merge_cfa(planes | {"R00": np.zeros((1, 2), np.float32)}, BAYER[0])


def test_a_wrong_name_or_pattern_is_an_error_that_helps():
    """Unknown methods, methods for the other kind of pattern, and cells that are no Bayer cell."""
    mosaic = np.zeros((12, 12), np.float32)
    with pytest.raises(SettingsError, match="unknown debayer method 'ahd'"):
        debayer(mosaic, BAYER[0], "ahd")
    with pytest.raises(SettingsError, match=r"does not know Bayer.*\n.*choose one of: vng, rcd"):
        debayer(mosaic, BAYER[0], "xtrans")
    with pytest.raises(SettingsError, match="RRGG is no Bayer pattern"):
        debayer(mosaic, CfaPattern(("RR", "GG")), "vng")
    with pytest.raises(SettingsError, match="cells of side 3"):
        debayer(mosaic, CfaPattern(("RGB", "GBR", "BRG")), "vng")
    with pytest.raises(ValueError, match="the result is float32"):
        debayer(mosaic, BAYER[0], "vng", np.zeros((3, 12, 11), np.float32))
    with pytest.raises(ValueError, match="rows and columns"):
        debayer(mosaic[np.newaxis], BAYER[0], "vng")


@pytest.mark.parametrize("method", ["vng", "rcd", "bilinear"])
@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1)])
def test_a_single_line_keeps_what_was_measured(method, shape):
    """A line of pixels has one colour or two; the third is missing, and nothing waits for it."""
    mosaic = np.arange(9, dtype=np.float32)[: max(shape)].reshape(shape)

    planes = debayer(mosaic, BAYER[0], method)

    assert np.array_equal(planes[0][::2, ::2], mosaic[::2, ::2])
    assert np.isnan(planes[2]).all()
