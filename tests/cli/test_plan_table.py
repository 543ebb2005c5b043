"""The plan as people see it."""

import io

import pytest
from rich.console import Console

from frame_factory import biases, darks, flats, lights, master
from lightframe.cli._plan_table import render_findings, render_plan
from lightframe.frames import FrameKind
from lightframe.session import Plan, make_plan

SESSION = [
    *lights(),
    *lights(5, filter="Ha", exposure_s=300.0),
    *darks(exposure_s=300.0),
    *darks(gain=0.0),
    *biases(),
    *flats(),
    master(FrameKind.LIGHT, object="M 31"),
]


def text(renderable, width):
    """Return what a pipe of that width receives."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(renderable)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_plan_fits_the_terminal_and_is_plain_text_in_a_pipe(width):
    """No line is longer than the terminal, and there are no control characters."""
    lines = text(render_plan(make_plan(SESSION)), width).splitlines()

    assert max(map(len, lines)) <= width
    assert not any("\x1b" in line for line in lines)


def test_a_plan_shows_what_is_done_and_why():
    """Groups, masters, scaling, reasons, unused frames and findings are all there."""
    shown = text(render_plan(make_plan(SESSION)), 200)

    for words in (
        "M_31_L: 12 lights, 24 min 00 s, ZWO ASI2600MM Pro, 3000 x 2000",
        "dark_300s_-10C_gain100 (optimised)",
        "dark optimised: exposure 300 s instead of 120 s (tolerance 0.6 s)",
        "flat_L_gain100",
        "gain 0 instead of 100",
        "integrated before",
        "error flat-filter-missing: 5 lights of filter Ha have no flat",
        "remedy: take flats with this filter",
    ):
        assert words in shown


def test_a_plan_without_frames_says_so():
    """An empty session is not an empty screen."""
    assert text(render_plan(Plan()), 80) == "Nothing to do: no frames.\n"


def test_findings_stand_alone():
    """The findings of any source are shown by the same words."""
    shown = text(render_findings(make_plan(lights()).findings), 80)

    assert shown.startswith("warning no-dark: 12 lights have no dark")
