"""The parts of calibration: flat scaling, pedestals, overscan, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from calibration_frames import BAYER, XTRANS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lightframe.errors import IncompatibleFramesError, InputError, SettingsError
from lightframe.frames import Card, FrameInfo, Header, Window
from lightframe.processes import (
    CalibrationSettings,
    DarkScale,
    Masters,
    OverscanRegion,
    OverscanSettings,
    _flat_scaling,
    automatic_pedestal,
    clipped_fractions,
    frame_pedestal,
    overscan_from_sections,
    prepare_calibration,
    resolve_input_pedestal,
)
from lightframe.processes._flat_scaling import flat_reciprocal, flat_scale
from lightframe.processes._overscan import correct_overscan, level_cells


def _trimmed_mean(values, fraction):
    ordered = np.sort(np.asarray(values, np.float64), axis=None)
    cut = int(fraction * ordered.size)
    return ordered[cut : ordered.size - cut].mean()


@given(
    arrays.arrays(
        np.uint16, st.tuples(st.integers(6, 20), st.integers(6, 20)), elements=st.integers(1, 9)
    ),
    st.sampled_from([0.0, 0.05, 0.1, 0.25]),
    st.sampled_from([None, BAYER, XTRANS]),
)
def test_trimmed_mean_counts_ties_by_rank(values, fraction, cfa):
    """Integer flats, full of equal values, give the mean of the middle samples of each colour."""
    flat = values.astype(np.float32)[None]
    scale = flat_scale(flat, cfa, scaling="trimmed-mean", trim=fraction)
    cell = np.zeros((1, 1), int) if cfa is None else cfa.planes()
    colours = np.tile(cell, (20, 20))[: values.shape[0], : values.shape[1]]
    expected = [_trimmed_mean(values[colours == c], fraction) for c in np.unique(colours)]
    assert scale.factors == pytest.approx(expected, rel=1e-7)
    assert scale.colours == (("",) if cfa is None else ("R", "G", "B"))


def test_factors_of_a_large_flat_are_exact_over_many_octaves():
    """Bins far apart, values over six decades: exact as if sorted as a whole."""
    values = (10 ** np.random.default_rng(1).uniform(-1, 5, (300, 400))).astype(np.float32)
    scale = flat_scale(values[None], None, scaling="trimmed-mean", trim=0.05)
    assert scale.factors[0] == pytest.approx(_trimmed_mean(values, 0.05), rel=1e-9)
    mean = flat_scale(values[None], None, scaling="mean", trim=0.05)
    assert mean.factors[0] == pytest.approx(values.mean(dtype=np.float64), rel=1e-9)


def test_both_greens_share_one_factor():
    """The four places of a Bayer cell have three factors; the greens are pooled."""
    flat = np.empty((1, 8, 8), np.float32)
    for (y, x), level in zip(((0, 0), (0, 1), (1, 0), (1, 1)), (100, 210, 190, 50), strict=True):
        flat[0, y::2, x::2] = level
    scale = flat_scale(flat, BAYER, scaling="mean", trim=0)
    assert scale.factors == (100, 200, 50)
    gain, missing = flat_reciprocal(flat, scale, BAYER)
    np.testing.assert_allclose(gain[0, :2, :2], [[1, 200 / 210], [200 / 190, 1]])
    assert missing == (0, 0, 0)


def test_useless_flat_pixels_are_counted_by_colour():
    """Zero, negative, missing and nearly dark pixels have no gain; each counts for its colour."""
    flat = np.full((1, 7, 9), 100, np.float32)
    flat[0, 0, 0], flat[0, 0, 1], flat[0, 1, 0], flat[0, 1, 1] = 0, -3, np.nan, 0.9
    scale = flat_scale(flat, BAYER, scaling="trimmed-mean", trim=0.25)
    gain, missing = flat_reciprocal(flat, scale, BAYER, least=0.01)
    assert missing == (1, 2, 1)
    assert [tuple(p) for p in np.argwhere(np.isnan(gain[0]))] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    gain, missing = flat_reciprocal(flat, scale, BAYER, least=0)
    assert missing == (1, 2, 0)
    assert gain[0, 1, 1] == pytest.approx(100 / 0.9)


@pytest.mark.parametrize(("cfa", "channels"), [(None, 1), (None, 3), (BAYER, 1), (XTRANS, 1)])
def test_the_gain_of_a_flat_does_not_depend_on_strips(monkeypatch, cfa, channels):
    """Of sizes that fill neither strips nor cells; what is of no use is counted in each."""
    flat = np.random.default_rng(1).uniform(-5, 200, (channels, 47, 35)).astype(np.float32)
    flat[:, 11, 3], flat[:, 46, 34] = 0, np.nan
    scale = flat_scale(flat, cfa, scaling="mean", trim=0)
    gain, missing = flat_reciprocal(flat, scale, cfa, least=0.01)
    useless = ~(flat > 0) | np.isnan(gain)
    assert sum(missing) == np.count_nonzero(useless) > channels
    assert np.array_equal(np.isnan(gain), useless)
    for strip in (1, 200, 500):
        monkeypatch.setattr(_flat_scaling, "_STRIP_PIXELS", strip)
        in_strips, counted = flat_reciprocal(flat, scale, cfa, least=0.01)
        np.testing.assert_array_equal(in_strips, gain)
        assert counted == missing


def test_a_flat_of_zero_is_of_no_use_however_little_is_asked_for():
    """The reciprocal of the least share is beyond float32, as that of zero is."""
    flat = np.array([[[0, 1, 2]]], np.float32)
    scale = flat_scale(flat, None, scaling="mean", trim=0)
    gain, missing = flat_reciprocal(flat, scale, None, least=1e-40)
    np.testing.assert_array_equal(gain, [[[np.nan, 1.5, 0.75]]])
    assert missing == (1,)


def test_channels_have_their_own_factors():
    """An RGB flat has one factor a channel, named by number."""
    flat = np.stack([np.full((5, 5), level, np.float32) for level in (10, 20, 40)])
    scale = flat_scale(flat, None, scaling="trimmed-mean", trim=0.05)
    assert (scale.factors, scale.colours) == ((10, 20, 40), ("0", "1", "2"))


@pytest.mark.parametrize("level", [0, -5, np.nan, 1e-5])
def test_an_empty_flat_is_an_error(level):
    """No light, or less than none: the message names the flat and its factor."""
    with pytest.raises(InputError, match=r"flat\.fits: the flat is empty"):
        flat_scale(
            np.full((1, 9, 9), level, np.float32), None, scaling="mean", trim=0, name="flat.fits"
        )


def test_an_empty_colour_is_named():
    """A CFA flat without blue light tells that it is blue."""
    flat = np.full((1, 8, 8), 100, np.float32)
    flat[0, 1::2, 1::2] = 0
    with pytest.raises(InputError, match="scaling factor of B is 0 DN, 16 of 16 pixels"):
        flat_scale(flat, BAYER, scaling="mean", trim=0)


@pytest.mark.parametrize(
    ("value", "source", "literal", "dn", "noted"),
    [
        (100.0, "keyword", 0, 100, False),
        (-100.0, "keyword", 0, 100, True),
        (None, "keyword", 50, 0, False),
        (100.0, "literal", 50, 50, False),
        (None, "literal", -50, 50, True),
        (100.0, "none", 50, 0, False),
    ],
)
def test_input_pedestals_of_either_sign_are_subtracted(value, source, literal, dn, noted):
    """Either sign of the keyword means that its size is subtracted; a negative one is told."""
    pedestal = resolve_input_pedestal(value, source=source, literal_dn=literal)
    assert pedestal.dn == dn
    assert bool(pedestal.note) == noted


def test_bad_pedestals_are_errors():
    """A pedestal that is no number and a source that is none are errors."""
    with pytest.raises(InputError, match="pedestal is nan"):
        resolve_input_pedestal(float("nan"))
    with pytest.raises(SettingsError, match="unknown input pedestal"):
        resolve_input_pedestal(1.0, source="guess")


def _info(**cards):
    header = Header(Card(keyword, value) for keyword, value in cards.items())
    pedestal = header.get("PEDESTAL")
    return FrameInfo(
        path=Path("light.fits"),
        format="fits",
        height=1,
        width=1,
        channels=1,
        sample_format="uint16",
        pedestal_dn=pedestal,
        header=header,
    )


def test_the_pedestal_of_a_frame_comes_from_the_keyword_the_settings_name():
    """PEDESTAL by default, another keyword if named, and a word instead of a number is an error."""
    info = _info(PEDESTAL=100, MYPED="-37.5", OTHER="none")
    assert frame_pedestal(info, CalibrationSettings()).dn == 100
    assert frame_pedestal(_info(), CalibrationSettings()).dn == 0
    named = CalibrationSettings(input_pedestal_keyword="myped")
    assert frame_pedestal(info, named).dn == 37.5
    literal = CalibrationSettings(input_pedestal="literal", input_pedestal_dn=8)
    assert frame_pedestal(info, literal).dn == 8
    with pytest.raises(InputError, match="OTHER = 'none' is not a number"):
        frame_pedestal(info, CalibrationSettings(input_pedestal_keyword="OTHER"))


@given(
    arrays.arrays(
        np.float32,
        st.integers(1, 200),
        elements=st.one_of(st.floats(-900, 900, width=32), st.just(np.float32("nan"))),
    ),
    st.floats(0, 0.01) | st.floats(0, 0.5),
)
def test_automatic_pedestal_is_the_least_that_does(values, limit):
    """No more than the fraction stays negative, and one DN less would leave more."""
    allowed = int(limit * np.count_nonzero(~np.isnan(values)))
    pedestal = automatic_pedestal(values.copy(), limit)
    assert np.count_nonzero(values + np.float32(pedestal) < 0) <= allowed
    if pedestal:
        assert np.count_nonzero(values < 1 - pedestal) > allowed


def test_automatic_pedestal_ends_at_its_maximum():
    """A frame that lies thousands of DN below zero gets 1000 DN and no more."""
    assert automatic_pedestal(np.full(50, -5000, np.float32), 0.0001) == 1000
    assert automatic_pedestal(np.full(50, -np.inf, np.float32), 0.0001) == 1000


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
        elements=st.sampled_from([-1, -1e-3, 0, 1, 65535, 65536, np.nan, np.inf, -np.inf]),
    )
)
def test_clipping_is_counted_at_both_ends(values):
    """Below 0, above 65535 and missing are counted; the ends themselves are inside."""
    clipping = clipped_fractions(values)
    assert clipping.low == np.count_nonzero(values < 0)
    assert clipping.high == np.count_nonzero(values > 65535)
    assert clipping.missing == np.count_nonzero(np.isnan(values))
    assert clipping.low_fraction == np.count_nonzero(values < 0) / values.size
    assert clipping.high_fraction == np.count_nonzero(values > 65535) / values.size


def test_sections_of_the_header_count_from_one():
    """BIASSEC and TRIMSEC are x first, from 1, both ends included."""
    overscan = overscan_from_sections("[1:50, 1:1000]", "[51:1074,5:1000]")
    assert overscan.image == (4, 1000, 50, 1074)
    assert overscan.regions == (
        OverscanRegion(source=(0, 1000, 0, 50), target=(4, 1000, 50, 1074)),
    )
    with pytest.raises(InputError, match="is not a section"):
        overscan_from_sections("1:50,1:1000", "[51:1074,5:1000]")
    with pytest.raises(InputError, match="counted from 1"):
        overscan_from_sections("[0:50,1:1000]", "[51:1074,5:1000]")


def test_levels_are_medians_that_ignore_missing_and_respect_zero():
    """Two regions of one target are averaged; NaN is left out and zero is a level."""
    frame = np.full((1, 10, 12), 100, np.float32)
    frame[0, :, :2] = 10
    frame[0, 0, 0] = np.nan
    frame[0, 3, 1] = 5000
    frame[0, :, 10:] = 0
    target = (0, 10, 2, 10)
    overscan = OverscanSettings(
        image=target,
        regions=tuple(
            OverscanRegion(source=s, target=target) for s in ((0, 10, 0, 2), (0, 10, 10, 12))
        ),
    )
    np.testing.assert_array_equal(correct_overscan(frame, overscan), np.full((1, 10, 8), 95))


def test_cells_cover_the_window_once():
    """The cells of a window are disjoint, cover it, and know the targets over them."""
    overscan = OverscanSettings(
        image=(0, 30, 0, 30),
        regions=tuple(
            OverscanRegion(source=(0, 30, 30, 32), target=target)
            for target in ((0, 15, 0, 30), (10, 30, 5, 20), (0, 30, 25, 30))
        ),
    )
    window = Window(3, 28, 2, 29)
    seen = np.zeros((30, 30), int)
    covered = np.zeros((3, 30, 30), bool)
    for cell, targets in level_cells(overscan, window):
        area = (slice(cell.y0, cell.y1), slice(cell.x0, cell.x1))
        seen[area] += 1
        for target in targets:
            covered[(target, *area)] = True
    inside = np.zeros((30, 30), int)
    inside[3:28, 2:29] = 1
    np.testing.assert_array_equal(seen, inside)
    for index, (y0, y1, x0, x1) in enumerate(overscan.targets):
        expected = np.zeros((30, 30), bool)
        expected[max(y0, 3) : min(y1, 28), max(x0, 2) : min(x1, 29)] = True
        np.testing.assert_array_equal(covered[index], expected)


@pytest.mark.parametrize(
    "values",
    [
        {"image": (0, 0, 0, 5)},
        {"image": (0, 5, 3, 2)},
        {"image": (-1, 5, 0, 5)},
        {"image": (0, 5, 0, 5), "regions": [{"source": (0, 5, 0, 0), "target": (0, 5, 0, 5)}]},
        {"image": (0, 5, 0, 5), "regions": [{"source": (0, 5, 0, 1), "target": (0, 5, 0, 5)}] * 5},
    ],
)
def test_rectangles_without_pixels_are_refused(values):
    """Empty or negative rectangles, and more than four regions, are wrong settings."""
    with pytest.raises(SettingsError):
        OverscanSettings.parse(values)


def _prepare(masters, settings=None, *, channels=1, cfa=None, size=(20, 30)):
    return prepare_calibration(
        masters,
        settings or CalibrationSettings(),
        height=size[0],
        width=size[1],
        channels=channels,
        cfa=cfa,
    )


def _frame(height=20, width=30, level=100.0):
    return np.full((height, width), level, np.float32)


def test_nothing_to_calibrate_with_is_an_error_unless_wanted():
    """No master and no overscan is an error; asked for, it turns raw into float32."""
    with pytest.raises(SettingsError, match="nothing to calibrate with"):
        _prepare(Masters())
    prepared = prepare_calibration(
        Masters(), CalibrationSettings(), height=2, width=3, allow_nothing=True
    )
    raw = np.arange(6, dtype=np.uint16).reshape(1, 2, 3)
    out = np.empty((1, 2, 3), np.float32)
    prepared.apply(raw, Window(0, 2, 0, 3), None, out)
    np.testing.assert_array_equal(out, raw)


@pytest.mark.parametrize("role", ["bias", "dark", "flat"])
def test_a_master_of_another_size_is_refused(role):
    """The message names the master and both sizes."""
    masters = Masters(**{role: _frame(21, 30), f"{role}_name": f"{role}.fits"})
    with pytest.raises(IncompatibleFramesError, match=rf"{role}\.fits has 21 x 30, .* has 20 x 30"):
        _prepare(masters)


@pytest.mark.parametrize(
    ("masters", "light"),
    [
        ({"dark_cfa": XTRANS, "flat_cfa": BAYER}, None),
        ({"dark_cfa": BAYER.shifted(0, 1)}, BAYER),
        ({"flat_cfa": BAYER.shifted(1, 0)}, BAYER),
    ],
)
def test_other_colour_patterns_are_refused(masters, light):
    """Dark, flat and light must agree where their patterns are known."""
    with pytest.raises(IncompatibleFramesError, match="CFA pattern differs"):
        _prepare(Masters(dark=_frame(), flat=_frame(), **masters), cfa=light)


def test_unknown_patterns_neither_match_nor_mismatch():
    """A master that does not tell its pattern is accepted."""
    assert _prepare(Masters(dark=_frame(), flat=_frame(), flat_cfa=BAYER)).cfa is None
    assert _prepare(Masters(dark=_frame(), flat=_frame()), cfa=BAYER).cfa == BAYER


def test_a_colour_image_is_no_cfa_light():
    """Three channels and a CFA pattern contradict each other."""
    with pytest.raises(IncompatibleFramesError, match="kind of image differs"):
        _prepare(Masters(dark=_frame()), channels=3, cfa=BAYER)


def test_masters_of_other_channels_are_refused():
    """Two planes fit neither a mono frame nor an RGB frame."""
    for channels in (1, 3):
        with pytest.raises(IncompatibleFramesError, match="number of channels"):
            _prepare(Masters(dark=np.zeros((2, 20, 30), np.float32)), channels=channels)


def test_scaling_a_dark_that_contains_its_bias_needs_the_bias():
    """The bias must not be multiplied by k."""
    settings = CalibrationSettings(dark_scaling="optimize")
    with pytest.raises(SettingsError, match="cannot be scaled without a master bias"):
        _prepare(Masters(dark=_frame()), settings)
    free = Masters(dark=_frame(), dark_contains_bias=False)
    assert "no bias is subtracted" in _prepare(free, settings).notes[0]


def test_an_overscan_outside_of_the_frame_is_refused():
    """The message names the rectangle and the frame's size."""
    overscan = OverscanSettings(image=(0, 20, 0, 31))
    with pytest.raises(SettingsError, match="reaches beyond the frame of 20 rows and 30 columns"):
        _prepare(Masters(), CalibrationSettings(overscan=overscan))


def test_a_master_marked_uncalibrated_must_have_the_overscan():
    """calibrate_bias = yes asks for a master of the raw frame's size."""
    overscan = OverscanSettings(image=(0, 20, 0, 28))
    settings = CalibrationSettings(overscan=overscan, calibrate_bias=True)
    assert _prepare(Masters(bias=_frame()), settings).width == 28
    assert _prepare(Masters(bias=_frame(20, 28)), settings).width == 28
    with pytest.raises(IncompatibleFramesError, match="the raw frame with its overscan"):
        _prepare(Masters(bias=_frame(20, 29)), settings)


def test_wrong_calls_are_value_errors():
    """Shapes, types, windows and factors that do not fit are the programmer's errors."""
    prepared = _prepare(Masters(dark=_frame()))
    window = Window(0, 4, 0, 5)
    raw, out = np.zeros((1, 4, 5), np.uint16), np.zeros((1, 4, 5), np.float32)
    turned = np.zeros((1, 5, 4), np.uint16).transpose(0, 2, 1)
    for wrong_raw, wrong_window, wrong_k, wrong_out, message in (
        (raw[:, :3], window, None, out, r"raw must be C ordered of shape \(1, 4, 5\)"),
        (turned, window, None, out, "raw must be C ordered"),
        (raw, window, None, out[:, :3], "out must be C ordered"),
        (raw.astype(np.int32), window, None, out, "raw must be uint16 or float32"),
        (raw, window, None, out.astype(np.float64), "out float32, not uint16, float64"),
        (raw, Window(18, 22, 0, 5), None, out, "reaches beyond 20 rows"),
        (raw, window, 0.5, out, "the dark was prepared unscaled"),
        (raw, window, float("nan"), out, "is not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            prepared.apply(wrong_raw, wrong_window, wrong_k, wrong_out)
    scaled = _prepare(
        Masters(dark=_frame(), bias=_frame(), dark_exposure_s=1),
        CalibrationSettings(dark_scaling="exposure"),
    )
    with pytest.raises(ValueError, match="3 dark scaling factors for 1 channels"):
        scaled.apply(raw, window, (1, 2, 3), out)
    with pytest.raises(IncompatibleFramesError, match="geometry"):
        scaled.dark_scale(np.zeros((1, 3, 3), np.uint16))
    with pytest.raises(InputError, match="exposure of frame or dark is unknown"):
        scaled.dark_scale(np.zeros((1, 20, 30), np.uint16))
    with pytest.raises(ValueError, match="uint16 or float32, not int32"):
        scaled.dark_scale(np.zeros((1, 20, 30), np.int32))


def test_levels_that_were_not_measured_are_an_error():
    """With an overscan, a frame cannot be calibrated without its levels."""
    target = (0, 20, 0, 28)
    overscan = OverscanSettings(
        image=target, regions=(OverscanRegion(source=(0, 20, 28, 30), target=target),)
    )
    prepared = _prepare(Masters(), CalibrationSettings(overscan=overscan))
    raw, out = np.zeros((1, 20, 28), np.uint16), np.zeros((1, 20, 28), np.float32)
    with pytest.raises(ValueError, match="overscan levels are missing"):
        prepared.apply(raw, Window(0, 20, 0, 28), None, out)
    with pytest.raises(ValueError, match="measured on the whole raw frame"):
        prepared.levels()


def test_mono_masters_serve_colour_frames():
    """One plane of bias, dark and flat calibrates all three channels; k may differ."""
    rng = np.random.default_rng(4)
    bias, dark = rng.normal(100, 3, (2, 20, 30)).astype(np.float32)
    dark = dark + np.float32(40)
    flat = np.stack([rng.uniform(500, 900, (20, 30)) for _ in range(3)]).astype(np.float32)
    light = rng.uniform(1000, 5000, (3, 20, 30)).astype(np.float32)
    settings = CalibrationSettings(dark_scaling="exposure")
    prepared = _prepare(
        Masters(bias=bias, dark=dark, flat=flat, dark_exposure_s=10), settings, channels=3
    )
    out = np.empty((3, 20, 30), np.float32)
    part = DarkScale(0.5, 0, 0, 0, determined=True)
    scale = DarkScale(
        0.5, 0, 0, 0, determined=True, parts=(part, part, DarkScale(0.7, 0, 0, 0, determined=True))
    )
    prepared.apply(light, Window(0, 20, 0, 30), scale, out)
    k = np.array([0.5, 0.5, 0.7])[:, None, None]
    s = np.array([_trimmed_mean(plane, 0.05) for plane in flat])[:, None, None]
    expected = (light - bias - k * (np.float64(dark) - bias)) / flat * s
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-3)
    assert prepared.flat_scale.colours == ("0", "1", "2")


def test_missing_pixels_stay_missing_and_nothing_is_clamped():
    """NaN in light or dark is NaN in the result; negative and huge values survive."""
    dark = _frame()
    dark[1, 1] = np.nan
    light = _frame(level=30.0)
    light[2, 2], light[3, 3] = np.nan, 1e6
    out = np.empty((1, 20, 30), np.float32)
    _prepare(Masters(dark=dark)).apply(light[None], Window(0, 20, 0, 30), None, out)
    assert [tuple(p) for p in np.argwhere(np.isnan(out[0]))] == [(1, 1), (2, 2)]
    assert out[0, 0, 0] == -70
    assert out[0, 3, 3] == 999900
