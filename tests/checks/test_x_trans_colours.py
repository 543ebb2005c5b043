"""Colours of X-Trans mosaics in flats: silent where the header is right, named where it is not."""

import numpy as np
import pytest

from check_sessions import dslr, findings_of, serious
from lightframe.checks._evidence_x_trans import colour_fit, shown_x_trans
from lightframe.frames import CfaPattern
from lightframe.simulation import HeaderValue

CELL = "GBGGRGRGRBGBGBGGRGGRGGBGBGBRGRGRGGBG"


def x_trans(*faults):
    """Return a session of a camera with an X-Trans sensor."""
    session = dslr(*faults)
    sensor = session.sensor.model_copy(update={"cfa": CELL, "camera": "Fujifilm X-T3"})
    return session.changed(sensor=sensor)


def says(name):
    """Return a header of another pattern."""
    return HeaderValue(keyword="BAYERPAT", value=name)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (None, None),
        (says(CELL[6:] + CELL[:6]), "cfa-pattern-wrong"),
        (says("RGGB"), "cfa-pattern-wrong"),
        (HeaderValue(keyword="BAYERPAT"), "cfa-pattern-missing"),
    ],
)
def test_the_header_of_an_x_trans_camera_is_held_against_its_flats(tmp_path, fault, rule):
    """A right one is silent; a shifted one, one of 2 x 2 pixels and none are named."""
    findings = findings_of(tmp_path / "s", x_trans(*([fault] if fault else [])))

    assert serious(findings) == ([rule] if rule else [])
    if rule:
        assert CELL in findings[0].evidence["candidates"]


def light_of(name, red=0.7, blue=0.6, noise=0.001):
    """Return the light of the phases of a pattern."""
    planes = CfaPattern.from_name(name).planes()
    light = np.array([red, 1.0, blue])[np.tile(planes, (6 // len(planes),) * 2)]
    light = light * (1 + np.random.default_rng(1).normal(0, noise, light.shape))
    return light / light.mean()


@pytest.mark.parametrize("shift", [(0, 0), (1, 2), (2, 5), (4, 3)])
def test_each_shift_of_the_mosaic_is_recognized(shift):
    """But for red and blue, which may be exchanged."""
    pattern = CfaPattern.from_name(CELL).shifted(*shift)

    shown = shown_x_trans(light_of(pattern.name), equal=0.01, different=0.03)

    assert pattern in shown
    assert len(shown) == 2


@pytest.mark.parametrize("light", [np.ones((6, 6)), light_of("RGGB"), light_of(CELL, 0.99, 0.99)])
def test_other_flats_show_no_x_trans(light):
    """Monochrome ones, Bayer mosaics, and light without colour."""
    assert shown_x_trans(light, equal=0.01, different=0.03) == ()


def test_a_pattern_that_fits_leaves_only_noise_within_its_colours():
    """And the distance of its colours is that of green from the nearer one."""
    fit = colour_fit(light_of("RGGB", noise=0.0), CfaPattern.from_name("RGGB"))

    assert fit.within == pytest.approx(0.0, abs=1e-12)
    assert fit.between == pytest.approx(0.3 / 0.825, rel=1e-6)
