"""Random pictures of evidence, for the tests of their data and of their drawing."""

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
)

NUMBERS = st.floats(-1e6, 1e6)
VALUES = st.none() | NUMBERS
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=12)
MARKS = st.lists(st.builds(Mark, WORDS, NUMBERS), max_size=3).map(tuple)
AXES = st.builds(Axis, WORDS, WORDS, st.booleans())
COMMON = {"title": WORDS, "caption": WORDS}


def tuples(values, size=3):
    """Return tuples of a fixed size."""
    return st.tuples(*(values,) * size)


GRID = tuples(tuples(VALUES, 4))
POINTS = st.builds(
    Points, WORDS, tuples(VALUES), tuples(VALUES), st.just(()) | tuples(VALUES), st.booleans(),
    st.booleans(),
)  # fmt: skip
HISTOGRAMS = st.builds(
    Histogram, **COMMON, axis=AXES, start=st.floats(-9, 9), width=st.floats(0.1, 9),
    series=tuples(st.builds(Counts, WORDS, tuples(st.none() | st.floats(0, 100))), 2),
    marks=MARKS, log=st.booleans(), apart=st.booleans(),
)  # fmt: skip
MAPS = st.builds(
    TileMap, **COMMON, value=AXES, values=GRID, aspect=st.floats(0.1, 9),
    neutral=st.none() | NUMBERS,
)  # fmt: skip
CORRELATIONS = st.builds(
    Correlation, **COMMON, values=GRID, step_px=st.floats(1, 9),
    shift_px=tuples(st.floats(-99, 99), 2),
)  # fmt: skip
SCATTERS = st.builds(
    Scatter, **COMMON, x=AXES, y=AXES, points=tuples(POINTS, 2),
    lines=st.lists(st.builds(Line, WORDS, NUMBERS, NUMBERS, st.booleans()), max_size=2).map(tuple),
    frame=st.none() | tuples(st.floats(10, 9999), 2), extent=st.none() | st.floats(0.1, 99),
    origin=st.booleans(),
)  # fmt: skip
PROFILES = st.builds(
    Profile, **COMMON, x=AXES, y=AXES, start=st.floats(0, 9), step=st.floats(1, 9),
    curves=tuples(st.builds(Curve, WORDS, tuples(VALUES)), 2), marks=MARKS,
)  # fmt: skip
CHARTS = st.builds(
    FrameChart, **COMMON, axis=AXES, frames=tuples(WORDS), values=tuples(VALUES),
    errors=st.just(()) | tuples(VALUES), wrong=st.just(()) | tuples(st.booleans()),
    band=st.none() | tuples(NUMBERS, 2), marks=MARKS,
)  # fmt: skip
COMPARISONS = st.builds(
    Comparison, **COMMON, axis=AXES, marks=MARKS, from_zero=st.booleans(),
    rows=st.lists(
        st.builds(Row, WORDS, VALUES, VALUES, VALUES, st.booleans()), max_size=4
    ).map(tuple),
)  # fmt: skip
SINGLE = st.one_of(
    HISTOGRAMS, MAPS, CORRELATIONS, SCATTERS, PROFILES, CHARTS, COMPARISONS
)  # fmt: skip
PICTURES = SINGLE | st.builds(Panels, pictures=tuples(SINGLE, 2))
