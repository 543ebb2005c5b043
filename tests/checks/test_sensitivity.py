"""Flats of another sensor, or stored another way round, told by the sensitivities of pixels."""

import pytest

from check_sessions import ccd, dslr, findings_of, mono, osc, serious, small
from lightframe.frames import FrameKind
from lightframe.simulation import Flipped, OtherCamera, WrongSetting, preset

FLATS = (FrameKind.FLAT,)


@pytest.mark.parametrize("session", [osc, mono, ccd, dslr])
def test_flats_that_lie_upside_down_are_found(tmp_path, session):
    """In one finding, whatever the camera; colours that are shifted by it are a consequence."""
    findings = findings_of(tmp_path / "s", session(Flipped(kinds=FLATS)))

    assert serious(findings) == ["frame-flipped"]
    slopes = findings[0].evidence["slopes"]
    assert slopes["upside down"] == pytest.approx(1.0, abs=0.4)
    assert abs(slopes["as stored"]) < 0.2
    assert all("flat" in str(path) for path in findings[0].frames)
    shown = {row.name: row.value for row in findings[0].picture.rows if row.wrong}
    assert shown == {"upside down": pytest.approx(slopes["upside down"], abs=1e-3)}


@pytest.mark.parametrize("session", [osc, ccd])
def test_flats_of_another_sensor_of_the_same_name_are_found(tmp_path, session):
    """Their pixels have other sensitivities, in any orientation."""
    findings = findings_of(tmp_path / "s", session(OtherCamera(kinds=FLATS)))

    assert serious(findings) == ["camera-mismatch"]
    assert max(map(abs, findings[0].evidence["slopes"].values())) < 0.2
    assert not any(row.wrong for row in findings[0].picture.rows)


def test_flats_of_two_filters_make_one_finding(tmp_path):
    """One cause, with the numbers of both."""
    two = small("mono-cmos", faults=(Flipped(kinds=FLATS),))
    session = two.changed(filters=preset("mono-cmos").filters[:2])

    (finding,) = [f for f in findings_of(tmp_path / "s", session) if f.severity != "info"]

    assert finding.rule == "frame-flipped"
    assert "flats L" in finding.message
    assert "flats R" in finding.message
    assert len(finding.evidence["others"]) == 1
    assert len(finding.frames) == 2 * 4


def test_where_nothing_can_be_told_nothing_is_said(tmp_path):
    """Lights of a second show no sensitivities."""
    session = mono(Flipped(kinds=FLATS)).changed(
        lights=preset("mono-cmos").lights.model_copy(update={"exposure_s": 1.0, "count": 4})
    )

    assert "frame-flipped" not in serious(findings_of(tmp_path / "s", session))


def test_dark_signal_in_lights_and_flats_is_no_sensitivity(tmp_path):
    """Darks of another exposure leave their pattern in the lights; the flats fit all the same."""
    fault = WrongSetting(kinds=(FrameKind.DARK,), exposure_s=20.0)

    findings = findings_of(tmp_path / "s", osc(fault))

    assert not {"frame-flipped", "camera-mismatch"} & set(serious(findings))
