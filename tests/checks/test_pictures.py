"""Pictures of evidence: what rules hand over, that it survives JSON, and that it is the truth."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from lightframe.checks import (
    Axis,
    CalibratedSet,
    CheckSettings,
    Comparison,
    Correlation,
    FrameChart,
    Group,
    Histogram,
    LightEvidence,
    LightViews,
    Panels,
    Points,
    Profile,
    ResultEvidence,
    Scatter,
    Severity,
    TileMap,
    judge_results,
    picture_as_dict,
    picture_from_dict,
)
from lightframe.checks._evidence_levels import levels_of_floats, levels_of_integers
from lightframe.checks._picture_parts import names_of_frames, numbers
from lightframe.checks._result_pictures import around_zero, hot_pixels_left
from lightframe.checks._rules import found
from lightframe.errors import InputError
from lightframe.processes import DustMoved, FlatFit, GlowLeft, HotSlope, PatternLeft, flat_verdict
from picture_strategies import PICTURES

DN = Axis("level", "DN")


@given(PICTURES)
def test_a_picture_survives_json(picture):
    """Every kind, written as text and read again, is the same picture."""
    text = json.dumps(picture_as_dict(picture), allow_nan=False)

    assert picture_from_dict(json.loads(text)) == picture


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "histogram", "title": "a"}, "axis"),
        ({"kind": "oil painting"}, "oil painting"),
        ({}, "kind"),
    ],
)
def test_what_is_no_picture_is_refused(values, words):
    """The message names what is missing or unknown."""
    with pytest.raises(InputError, match=words):
        picture_from_dict(values)


def test_columns_of_different_length_are_a_mistake():
    """Half a picture is none."""
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        Points("hot pixels", (1.0, 2.0), (1.0, 2.0, 3.0))
    with pytest.raises(ValueError, match="map"):
        TileMap(title="map", value=DN, values=((1.0,), (1.0, 2.0)))


def test_numbers_are_short_and_finite():
    """Four digits; what is not a number is unknown."""
    assert numbers([1.23456, np.nan, np.inf, 0.0, -98765.4]) == (1.235, None, None, 0.0, -98770.0)


def test_large_sets_name_only_what_stands_out():
    """Hundreds of names would make most of a picture."""
    paths = [Path(f"light{i}.fits") for i in range(200)]

    assert names_of_frames(paths[:3], []) == ("light0.fits", "light1.fits", "light2.fits")
    named = names_of_frames(paths, {paths[7]})
    assert [i for i, name in enumerate(named) if name] == [7]


def test_a_finding_carries_its_picture():
    """Among the evidence as JSON values, and as an object; without one there is none."""
    picture = FrameChart(title="Level", axis=DN, frames=("a.fits",), values=(700.0,))
    with_one = found("no-flat", frames=[Path("a.fits")], message="x", picture=picture)
    without = found("no-flat", frames=[Path("a.fits")], message="x", evidence={"lights": 1})

    assert with_one.as_dict()["evidence"]["picture"]["kind"] == "frames"
    assert with_one.picture == picture
    assert without.picture is None
    assert "picture" not in without.as_dict()["evidence"]


def counted(values, start, width, bins):
    """Count values in bins one by one."""
    result = np.zeros(bins, np.int64)
    for value in values:
        place = int(np.floor((value - start) / width))
        if place < bins:
            result[max(place, 0)] += 1
    return result


@pytest.mark.parametrize("step", [1, 4])
def test_histograms_of_integers_hold_every_pixel(step):
    """Whole, low end and single values, against counting one by one."""
    random = np.random.default_rng(step)
    pixels = (np.clip(random.normal(60, 25, (64, 96)), 0, None).astype(np.uint16) * step).astype(
        np.uint16
    )
    levels = levels_of_integers(pixels)
    for phase in range(4):
        values = pixels[phase // 2 :: 2, phase % 2 :: 2].ravel()
        whole = counted(values, levels.whole_start[phase], levels.whole_width[phase], 128)
        low = counted(values, levels.low_start[phase], levels.low_width[phase], 64)
        np.testing.assert_array_equal(levels.whole[phase], whole)
        np.testing.assert_array_equal(levels.low[phase], low)
        assert levels.whole[phase].sum() == values.size
        assert levels.low_width[phase] % step == 0
        middle = np.searchsorted(np.cumsum(np.bincount(values)), 0.5 * values.size)
        around = [np.count_nonzero(values == middle + i) for i in range(-64, 65)]
        np.testing.assert_array_equal(levels.around[phase], around)


def test_histograms_of_floats_hold_the_same():
    """Edges of the whole are multiples of a power of two, so that colours can be put together."""
    values = np.random.default_rng(1).normal(0.4, 3.0, (64, 64)).astype(np.float32)
    levels = levels_of_floats(values)
    for phase in range(4):
        own = values[phase // 2 :: 2, phase % 2 :: 2].ravel().astype(float)
        expected = counted(own, levels.whole_start[phase], levels.whole_width[phase], 128)
        np.testing.assert_array_equal(levels.whole[phase], expected)
        assert np.log2(levels.whole_width[phase]) % 1 == 0
        assert levels.low[phase].sum() > 0.9 * own.size
    assert levels.around.sum() == 0


POINTS = np.array([[320.0, 240.0], [60, 50], [580, 430]])
LIGHTS = tuple(Path(f"light{i}.fits") for i in range(6))


def lights(views, **changes):
    """Return six lights of 300 DN that were calibrated alike."""
    members = tuple(
        LightEvidence(
            path=path, level_dn=(300.0,), noise_dn=(20.0,), stars=99, brightness=1.0,
            placed=POINTS + np.random.default_rng(i).uniform(-10, 10, 2),
        )
        for i, path in enumerate(LIGHTS)
    )  # fmt: skip
    return CalibratedSet(
        label="6 lights", lights=members, views=views, flats=(Path("flat.fits"),),
        darks=(Path("dark.fits"),), megapixels=1.0, masters_of=(20, 20), **changes,
    )  # fmt: skip


def judged(case):
    """Return the only finding on a set of lights."""
    (finding,) = judge_results(ResultEvidence(sets=(case,), settings=CheckSettings()))
    return finding


@pytest.fixture
def sky():
    """Return views of a background that follows the flat by 100 DN, with a nebula."""
    y, x = np.mgrid[-1:1:20j, -1:1:30j]
    reciprocal = 1.0 + 0.15 * (x * x + y * y)
    background = 200.0 + 100.0 * reciprocal + 250.0 * np.exp(-20 * ((x - 0.3) ** 2 + y * y))
    background += np.random.default_rng(2).normal(0, 1, background.shape)
    background[3, 4] = np.nan
    fits = tuple(FlatFit(100.0, 3.0, 0.5, 250.0 + 40.0 * i, 0.3) for i in range(6))
    random = np.random.default_rng(5)
    shared = random.normal(0, 5, 1000).astype(np.float32)
    halves = tuple(shared + random.normal(0, 2, 1000).astype(np.float32) for _ in range(2))
    glow = 300.0 * np.exp(-6 * ((x - 1) ** 2 + (y - 1) ** 2))
    values = random.normal(12, 9, 20_000).astype(np.float32)
    return LightViews(
        background=background, reciprocal=reciprocal, flat_fits=fits, pattern=halves,
        glow=glow, values=values, aspect=2 / 3,
    )  # fmt: skip


def test_the_line_through_the_tiles_is_the_verdict(sky):
    """Its slope is what follows the flat, it lies along the background, and the nebula is apart."""
    picture = judged(lights(sky, verdict=flat_verdict(sky.flat_fits))).picture
    tiles, levels, uneven = picture.pictures
    fitted = next(line for line in tiles.lines if not line.expected)
    background, bright = tiles.points
    away = np.array(background.y) - fitted.intercept - fitted.slope * np.array(background.x)

    assert fitted.slope == pytest.approx(100.0, abs=0.1)
    assert np.abs(away).max() < 5.0
    assert 0 < len(bright.x) < 0.3 * len(background.x)
    assert levels.points[0].y == (100.0,) * 6
    assert levels.points[0].error == (3.0,) * 6
    assert next(line for line in levels.lines if not line.expected).slope == pytest.approx(
        0, abs=1e-3
    )
    assert len(uneven.values) <= 12
    assert len(uneven.values[0]) <= 16
    assert uneven.aspect == 2 / 3


def test_glow_is_shown_where_the_dark_has_it(sky):
    """What is left beyond a smooth sky stands in the dark's corner, in the same units."""
    smooth = np.add.outer(np.linspace(0, 30, 20), np.linspace(0, 40, 30))
    views = replace(sky, background=300.0 + smooth + 0.25 * sky.glow)
    picture = judged(lights(views, glow=GlowLeft(0.25, 0.01, 250.0, 0.05))).picture
    left, dark = (np.array(part.values, float) for part in picture.pictures)

    assert np.unravel_index(np.argmax(left), left.shape) == (dark.shape[0] - 1, dark.shape[1] - 1)
    assert np.ptp(left) == pytest.approx(0.25 * np.ptp(dark), rel=0.1)


def test_a_shared_pattern_draws_the_cloud_out(sky):
    """Both halves hold the same pattern, so the points follow the diagonal."""
    picture = judged(lights(sky, pattern=PatternLeft(0.5, 0.01, 5.0))).picture
    (points,) = picture.points

    assert np.corrcoef(points.x, points.y)[0, 1] > 0.8
    assert len(points.x) <= 240


def test_pixels_around_zero_are_counted_with_an_edge_at_zero(sky):
    """The percentage left of zero is that of the pixels below zero."""
    picture = around_zero(lights(sky), 12.0, 9.0)
    edges = picture.start + picture.width * np.arange(len(picture.series[0].percent))
    below = sum(np.array(picture.series[0].percent)[edges < -1e-6])

    assert np.abs(edges).min() == pytest.approx(0.0, abs=1e-6)
    assert below == pytest.approx(100.0 * np.mean(sky.values < 0), abs=0.1)


def test_dust_is_shown_as_the_correlation_at_each_shift(sky):
    """As it was measured, in pixels."""
    alike = np.outer(np.hanning(13), np.hanning(13))
    dust = DustMoved(-5.6, 4.0, 0.0, 0.2, 6.9, 0.3, 4, alike=alike, step_px=4.0)
    picture = judged(lights(sky, dust=dust)).picture

    assert picture.shift_px == (-5.6, 4.0)
    assert picture.step_px == 4.0
    np.testing.assert_allclose(np.array(picture.values, float), alike, atol=1e-3)


def test_what_is_left_of_hot_pixels_is_shown_pixel_by_pixel():
    """With the slope that was found; without points there is no picture."""
    excess = np.linspace(100, 5000, 200)
    left = HotSlope(0.4, 0.01, 200, np.stack([excess, 0.4 * excess], 1).astype(np.float32))
    picture = hot_pixels_left(left)

    np.testing.assert_allclose(picture.points[0].y, 0.4 * np.array(picture.points[0].x), rtol=1e-2)
    assert hot_pixels_left(HotSlope(0.4, 0.01, 200)) is None


def test_without_views_a_finding_stands_without_a_picture(sky):
    """Evidence made by hand, or of another version, has nothing to show."""
    finding = judged(lights(None, verdict=flat_verdict(sky.flat_fits)))

    assert (finding.rule, finding.severity) == ("over-correction", Severity.ERROR)
    assert finding.group is Group.MASTERS
    assert finding.picture is None


def test_every_kind_names_itself():
    """The kind that is written is the last field of each picture, and fixed."""
    kinds = (Histogram, TileMap, Correlation, Scatter, Profile, FrameChart, Comparison, Panels)

    assert [fields(kind)[-1].name for kind in kinds] == ["kind"] * len(kinds)
    assert len({fields(kind)[-1].default for kind in kinds}) == len(kinds)
