"""Whether flats that were calibrated with a bias need flat-darks: told by their dark signal."""

import pytest

from lightframe.session import check
from sensor_frames import PlainSensor


def found(folder):
    """Return what is said of flat-darks."""
    return [f for f in check([folder]).findings if f.rule == "flat-dark-needed"]


def session(folder, *, dark_e_s=20.0, glow_e_s=0.0, dark_c=-10.0, dark_s=60.0, kind="dark"):
    """Write bias frames, flats of 10 s with 6000 DN of light, and darks."""
    plain = PlainSensor(folder, dark_e_s=dark_e_s, glow_e_s=glow_e_s)
    plain.write("bias", 6)
    plain.write("flat", 6, exposure_s=10.0, light_dn_s=600.0)
    header = {"IMAGETYP": "FLATDARK"} if kind == "flat-dark" else {}
    plain.write("dark", 6, exposure_s=dark_s, temperature_c=dark_c, header=header)


def test_dark_signal_is_held_against_the_light_at_the_same_place(tmp_path):
    """400 DN of 6000 DN, and 9 % of what is left in the corners, where the shade is 30 %."""
    session(tmp_path)
    (finding,) = found(tmp_path)

    assert finding.evidence["dark_signal_dn"] == pytest.approx(400, rel=0.02)
    assert finding.evidence["light_dn"] == pytest.approx(0.72 * 6000 + 400, rel=0.03)
    assert finding.evidence["share"] == pytest.approx(400 / 4720, rel=0.03)


def test_flat_darks_of_another_exposure_tell_it_as_well(tmp_path):
    """Nobody took darks, and the flat-darks are too short to be used: they still show the rate."""
    session(tmp_path, dark_s=4.0, kind="flat-dark")
    (finding,) = found(tmp_path)

    assert finding.evidence["dark_signal_dn"] == pytest.approx(400, rel=0.05)
    assert "flat-dark" in finding.evidence["measured_on"]


def test_darks_of_another_temperature_tell_nothing(tmp_path):
    """Near miss: at the temperature of the flats there is hardly any dark signal."""
    session(tmp_path, dark_e_s=0.02, dark_c=40.0)

    assert found(tmp_path) == []


def test_levels_that_scatter_are_no_dark_signal(tmp_path):
    """Near miss: three darks lie 4 DN above three bias frames, all of which scatter by 5 DN."""
    plain = PlainSensor(tmp_path)
    for kind, exposure_s, levels in (("bias", 0.001, (0, 8, -4)), ("dark", 12.0, (8, 2, 6))):
        for level in levels:
            plain.bias_dn = 500.0 + level
            plain.write(kind, 1, exposure_s=exposure_s)
    plain.bias_dn = 501.0
    plain.write("flat", 12, exposure_s=10.0, light_dn_s=360.0)

    assert found(tmp_path) == []
