"""Pictures as SVG: well formed, escaped, told to those who cannot see them, right in its places."""

import re
from html import escape
from xml.etree import ElementTree as ET  # our own SVG, nothing from outside

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.checks import (
    Axis,
    Comparison,
    Correlation,
    Counts,
    Curve,
    FrameChart,
    Histogram,
    Line,
    Mark,
    Panels,
    Points,
    Profile,
    Row,
    Scatter,
    TileMap,
    picture_as_dict,
)
from lightframe.errors import InputError
from lightframe.report._draw_maps import map_css
from lightframe.report._facts import counted, facts, meaning, number
from lightframe.report._pictures import figures
from lightframe.report._svg import Scale, format_value, padded, shortened
from picture_strategies import PICTURES as ANY

BAD = "<b>&\"'"
DN = Axis(f"level {BAD}", "DN")
PICTURES = {
    "histogram": Histogram(
        title=BAD, axis=DN, start=0.0, width=10.0, log=True, marks=(Mark(BAD, 20.0),),
        series=(Counts("red", (50.0, 0.0, 3.0)), Counts(BAD, (0.01, 99.0, None))),
    ),
    "comb": Histogram(
        title=BAD, axis=DN, start=-1.5, width=1.0, apart=True,
        series=(Counts(BAD, (0.0, 60.0, 40.0)), Counts("b", (100.0, 0.0, 0.0))),
    ),
    "map": TileMap(title=BAD, value=DN, values=((-2.0, 0.0, 4.0), (None, 1.0, 2.0)), aspect=0.7),
    "levels": TileMap(title=BAD, value=DN, values=((5.0, 7.0),), neutral=None),
    "correlation": Correlation(
        title=BAD, values=((0.1, 0.2, 0.1), (0.2, 0.9, 0.3), (0.0, -0.1, None)), step_px=4.0,
        shift_px=(1.0, -2.0),
    ),
    "scatter": Scatter(
        title=BAD, x=DN, y=DN, lines=(Line(BAD, 2.0), Line("b", 1.0, expected=True)),
        points=(Points(BAD, (1.0, 2.0, None), (2.0, 4.0, 5.0), (0.1, None, 0.1)),),
    ),
    "path": Scatter(
        title=BAD, x=DN, y=DN, points=(Points(BAD, (0.0, 3.0), (0.0, 1.0), joined=True),),
        extent=10.0,
    ),
    "places": Scatter(
        title=BAD, x=DN, y=DN, points=(Points(BAD, (1.0,), (1.0,)),), frame=(3000.0, 2000.0)
    ),
    "profile": Profile(
        title=BAD, x=DN, y=DN, start=0.5, step=2.0, marks=(Mark(BAD, 3.0),),
        curves=(Curve(BAD, (1.0, None, 3.0)), Curve("b", (1.0, 1.0, 1.0))),
    ),
    "frames": FrameChart(
        title=BAD, axis=DN, frames=(BAD, "b", "c"), values=(1.0, 9.0, None),
        errors=(0.1, None, None), wrong=(False, True, False), band=(0.0, 2.0),
        marks=(Mark(BAD, 2.0),),
    ),
    "comparison": Comparison(
        title=BAD, axis=Axis(BAD, "DN", log=True), marks=(Mark(BAD, 50.0),),
        rows=(Row(BAD, 100.0, None, 200.0, wrong=True), Row("b", None), Row("c" * 99, 7.0)),
    ),
    "bars": Comparison(
        title=BAD, axis=DN, rows=(Row("a", -3.0), Row("b", 5.0)), from_zero=True
    ),
}  # fmt: skip


def drawn(picture):
    """Return the figures of a finding with a picture."""
    return figures({"evidence": {"picture": picture_as_dict(picture)}}, "finding-1")


def svg_of(figure):
    """Return the parsed chart of a figure."""
    return ET.fromstring(re.search(r"<svg.*</svg>", figure, re.DOTALL)[0])  # noqa: S314 - our own


@pytest.mark.parametrize("name", PICTURES)
def test_charts_are_well_formed_and_escaped(name):
    """Names hold what is special in HTML, and come out as text; the whole figure parses as XML."""
    (figure,) = drawn(PICTURES[name])

    ET.fromstring(figure)  # noqa: S314 - our own
    assert "<b>" not in figure
    assert escape(BAD) in figure
    assert "nan" not in figure.lower().replace("nane", "")
    assert "inf" not in re.sub(r"finding", "", figure)


@pytest.mark.parametrize("name", PICTURES)
def test_charts_are_told_to_those_who_cannot_see_them(name):
    """Role, title and description, by names that are used once."""
    chart = svg_of(drawn(PICTURES[name])[0])
    parts = {part.get("id"): part.text for part in chart if part.get("id")}

    assert chart.get("role") == "img"
    assert parts[chart.get("aria-labelledby")] == BAD
    assert len(parts[chart.get("aria-describedby")]) > 20


@given(ANY)
def test_any_picture_can_be_drawn(picture):
    """Of no values, of one, of all alike, of values beyond the ends of axes of powers of ten."""
    for figure in drawn(picture):
        for part in ET.fromstring(figure).iter():  # noqa: S314 - our own
            places = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"}
            assert all(np.isfinite(float(part.get(name))) for name in places & set(part.keys()))


def test_an_axis_of_powers_of_ten_ends_where_values_are_next_to_nothing():
    """The least number there is would make it infinitely long."""
    low, high = padded([5e-324, 1.0], log=True)
    assert 1e-13 < low < 1e-12
    assert 1.0 < high < 10.0
    assert padded([0.01, 100.0], log=True)[0] < 0.01


def test_panels_have_names_of_their_own():
    """No two charts of a page share one."""
    parts = drawn(Panels(pictures=(PICTURES["map"], PICTURES["frames"])))
    names = re.findall(r'id="([^"]+)"', "".join(parts))

    assert len(parts) == 2
    assert len(set(names)) == len(names)


def test_no_picture_is_fine_and_no_other_thing_is():
    """Most findings of headers have none; what is none is an error that says so."""
    assert figures({"evidence": {}}, "a") == []
    assert figures({"evidence": {"lights": 3}}, "a") == []
    with pytest.raises(InputError, match="not the picture"):
        figures({"evidence": {"picture": {"kind": "frames"}}}, "a")


def test_points_stand_where_their_values_are():
    """Twice the value is twice as far from the origin; the fitted line goes through the points."""
    picture = Scatter(
        title="t", x=Axis("x"), y=Axis("y"), lines=(Line("fit", 2.0),),
        points=(Points("p", (0.0, 5.0, 10.0), (0.0, 10.0, 20.0)),),
    )  # fmt: skip
    chart = svg_of(drawn(picture)[0])
    places = np.array([[float(c.get("cx")), float(c.get("cy"))] for c in chart.iter("circle")])
    line = next(part for part in chart.iter("line") if part.get("class") == "fitted")
    ends = np.array([[float(line.get(f"{axis}{end}")) for axis in "xy"] for end in "12"])
    slope, offset = np.polyfit(ends[:, 0], ends[:, 1], 1)

    np.testing.assert_allclose(places[1], places.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(places[:, 0] * slope + offset, places[:, 1], atol=0.3)
    assert places[0, 1] > places[2, 1]


def test_maps_show_the_first_stored_row_on_top():
    """Highest and lowest tile have the far shades of their sides; the unknown one is left out."""
    chart = svg_of(drawn(PICTURES["map"])[0])
    cells = [cell for cell in chart.iter("rect") if cell.find("title") is not None]

    assert len(cells) == 5
    assert [cell.get("class") for cell in cells] == ["l6", "h0", "h12", "h3", "h6"]
    assert float(cells[0].get("y")) < float(cells[3].get("y"))
    assert all(f".plot .{cell.get('class')}{{" in map_css() for cell in cells)


def test_bars_begin_at_zero_to_both_sides():
    """A negative amount ends where a positive one begins."""
    chart = svg_of(drawn(PICTURES["bars"])[0])
    low, high = (
        (float(bar.get("x")), float(bar.get("width")))
        for bar in chart.iter("rect")
        if "bar" in bar.get("class", "")
    )

    assert low[0] + low[1] == pytest.approx(high[0], abs=0.2)
    assert low[1] / high[1] == pytest.approx(3 / 5, rel=0.02)


@given(st.floats(-1e7, 1e7), st.floats(1e-6, 1e7))
def test_ticks_are_few_round_and_inside(low, length):
    """Between one and seven of them, all labels different."""
    scale = Scale(low, low + length, 0.0, 300.0)
    ticks = scale.ticks(5)

    assert 1 <= len(ticks) <= 7
    assert all(-1e-6 <= scale(value) <= 300 + 1e-6 for value, _ in ticks)
    if length > 1e-6 * abs(low):
        assert len({label for _, label in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.5, 3000.0, ["1", "10", "100", "1,000"]),
        (80.0, 700.0, ["100", "200", "500"]),
        (1e-3, 2.0, ["0.001", "0.01", "0.1", "1"]),
    ],
)
def test_ticks_are_powers_of_ten_where_there_is_no_room(low, high, labels):
    """More than powers of ten only where there is room."""
    assert [label for _, label in Scale(low, high, 0, 300, log=True).ticks(5)] == labels


@pytest.mark.parametrize(
    ("values", "options", "ends"),
    [
        ([], {}, (0.0, 1.0)),
        ([5.0, 5.0], {}, (4.75, 5.25)),
        ([0.0, 100.0], {}, (0.0, 106.0)),
        ([10.0, 100.0], {}, (0.0, 106.0)),
        ([80.0, 100.0], {"zero": True}, (0.0, 106.0)),
        ([-3.0, 0.0], {}, (-3.18, 0.0)),
        ([0.0, float("nan")], {"log": True}, (1.0, 10.0)),
    ],
)
def test_axes_go_a_little_beyond_the_values(values, options, ends):
    """Never of no length, and from zero where the values nearly reach it."""
    assert padded(values, **options) == pytest.approx(ends)


def test_words_are_short_enough():
    """Long names lose their middle, numbers their last digits."""
    assert shortened("2026-10-09_20-58-16_0001.fits", 15) == "2026-10…01.fits"
    assert shortened("short", 15) == "short"
    assert [format_value(v) for v in (0, 65535.0, 0.12345, -2.5, 1e-5, 3e8)] == [
        *("0", "65,535", "0.123", "\N{MINUS SIGN}2.5", "1e\N{MINUS SIGN}05", "3e+08"),
    ]


def test_numbers_behind_a_finding_have_words_and_units():
    """Names end with their units; what has its own place in the page is left out."""
    evidence = {
        "level_dn": 700.5, "moved_px": 6.9, "share_percent": 2.0, "difference_c": None,
        "levels_dn": list(range(40)), "by_frame": {"a.fits": 1.5}, "used": True, "picture": {},
        "consequences": [], "steps": [{"a": 1}],
    }  # fmt: skip
    rows = dict(facts(evidence))

    assert rows["level"] == "700.5 DN"
    assert rows["moved"] == "6.9 px"
    assert rows["share"] == "2 %"
    assert rows["by frame: a.fits"] == "1.5"
    assert rows["used"] == "yes"
    assert rows["levels"].endswith("(40 in all) DN")
    assert set(rows) == {"level", "moved", "share", "levels", "by frame: a.fits", "used", "steps"}


def test_findings_are_counted_and_named():
    """In the words people use."""
    severities = ["error", "info", "error", "warning"]
    assert counted([{"severity": s} for s in severities]) == "2 errors, 1 warning, 1 note"
    assert meaning("no-flat") == "Lights are integrated without a flat"
    assert number([1.2345, None, 12]) == "1.23 / - / 12"
