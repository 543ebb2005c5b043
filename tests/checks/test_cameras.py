"""The table of known cameras: its figures, and the spellings by which cameras are found."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from lightframe.checks._anomalies import ANOMALIES
from lightframe.checks._cameras import KnownCamera, camera_of, known_cameras, sensor_of

ROW = {"name": "X", "pattern": "x", "technology": "cmos", "source": "a page"}


@pytest.mark.parametrize(
    ("name", "sensor"),
    [
        ("ZWO ASI294MC Pro", "IMX294"),
        ("zwo asi294mm pro", "IMX294"),
        ("ZWO CCD ASI294MC Pro", "IMX294"),
        ("ZWO_ASI-294MC  Pro", "IMX294"),
        ("ASI 294", "IMX294"),
        ("QHY294M Pro", "IMX294"),
        ("IMX492", "IMX294"),
        ("ZWO ASI2600MM-Pro", "IMX571"),
        ("ASI2600MC Duo", "IMX571"),
        ("QHY268M", "IMX571"),
        ("QHY 268 C", "IMX571"),
        ("Poseidon-C PRO", "IMX571"),
        ("Moravian C3-26000", "IMX571"),
        ("ATR3CMOS26000KPA", "IMX571"),
        ("ZWO ASI6200MM Pro", "IMX455"),
        ("QHY600PH-M", "IMX455"),
        ("ASI533MC", "IMX533"),
        ("ZWO ASI183MM Pro", "IMX183"),
        ("QHY163M", "MN34230"),
        ("Atik Horizon II", "MN34230"),
        ("ASI1600MM-Cool", "MN34230"),
        ("ASI071MC Pro", "IMX071"),
        ("ZWO ASI2400MC Pro", "IMX410"),
        ("ZWO ASI585MC", "IMX585"),
        ("ZWO ASI120MC-S", "AR0130"),
        ("Seestar S50", "IMX462, Seestar S50"),
        ("ZWO ASI462MC", "IMX462"),
        ("Canon EOS 600D", "Canon 600D"),
        ("Canon EOS REBEL T3i", "Canon 600D"),
        ("Canon EOS Rebel T3", "Canon 6D, 6D II, 70D, 80D, 1100D"),
        ("Canon EOS 6D Mark II", "Canon 6D, 6D II, 70D, 80D, 1100D"),
        ("NIKON CORPORATION NIKON D750", "Nikon D5300, D750"),
        ("NIKON Z 6_2", "Nikon Z6, Z6 II"),
        ("Nikon D850", "Nikon D850"),
        ("SONY ILCE-7S", "Sony A7S"),
        ("Sony ILCE-7M3", "Sony A7 III, A7R III, A7S III, A6400"),
        ("FUJIFILM X-T3", "Fuji X-T2, X-T3, X-T4, X-H2"),
        ("KAF-8300", "KAF, KAI and ICX sensors"),
        ("Moravian G3-16200", "CCD cameras"),
        ("QHY8L", "Atik and QHY CCD cameras"),
    ],
)
def test_cameras_are_found_however_programs_spell_them(name, sensor):
    """Case, spaces, hyphens, underscores and the words around the name do not matter."""
    assert camera_of(name).name == sensor


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Nikon Z 6III", "CMOS cameras"),
        ("Sony ILCE-7SM2", "CMOS cameras"),
        ("Canon EOS 60D", "CMOS cameras"),
        ("ZWO ASI174MM", "CMOS cameras"),
        ("QHY5III678M", None),
        ("QHYCCD-Cameras-Capture", None),
        ("ASCOM Camera", None),
        ("", None),
        (None, None),
    ],
)
def test_near_misses_are_no_known_sensor(name, family):
    """A camera that only looks like a known one gets no figures, at most its family."""
    found = camera_of(name)

    assert (None if found is None else found.name) == family
    assert found is None or not found.modes


def test_what_is_not_known_stays_unknown():
    """No technology, no anomalies."""
    sensor = sensor_of("ASCOM Camera")

    assert (sensor.technology, sensor.glows, sensor.unstable_bias) == (None, False, False)


def test_every_row_has_a_source_and_known_anomalies():
    """All rows pass validation; names are unique, patterns find what they are named after."""
    rows = known_cameras()

    assert len({row.name for row in rows}) == len(rows)
    assert all(row.source for row in rows)
    assert {name for row in rows for name in row.anomalies} <= set(ANOMALIES)
    for row in rows:
        if row.name.startswith("IMX"):
            assert re.search(row.pattern, row.name.lower())


@pytest.mark.parametrize(
    "wrong",
    [
        {"pixel": 3.76},
        {"adc_bits": 20},
        {"technology": "film"},
        {"pattern": "("},
        {"source": ""},
        {"anomalies": ["gremlins"]},
        {"dark_e_s": 0.001},
        {"modes": [{"gain": 0}]},
        {"gain_of": "x", "modes": [{"gain": 100}, {"gain": 0}]},
        {"gain_of": "x", "modes": [{"gain": 0, "e_per_adu": -1.0}]},
    ],
)
def test_a_wrong_row_is_an_error(wrong):
    """Unknown keys, values out of range, and rows that are not whole do not slip in."""
    adapter = TypeAdapter(KnownCamera)

    assert adapter.validate_python(ROW).name == "X"
    with pytest.raises(ValidationError):
        adapter.validate_python(ROW | wrong)


def test_typical_figures_are_those_of_the_gain_setting():
    """At a point of the table all; between points e-/DN by 0.1 dB; elsewhere none."""
    name = "ZWO ASI533MC Pro"
    known = camera_of(name)
    at = known.at_gain(name, 100.0)
    between = known.at_gain(name, 160.0)

    assert (at.e_per_adu, at.read_noise_e, at.full_well_e) == (0.8, 1.0, 13000)
    assert between.e_per_adu == pytest.approx(0.8 * 10**-0.3)
    assert between.read_noise_e is None
    assert known.at_gain(name, None) is None
    assert known.at_gain(name, -5.0) is None


def test_other_makers_count_the_gain_differently():
    """The same sensor by another maker has no typical figures at a gain setting."""
    known = camera_of("QHY268M")

    assert known is camera_of("ZWO ASI2600MM Pro")
    assert known.at_gain("QHY268M", 100.0) is None


def test_e_per_dn_are_on_the_scale_of_the_file():
    """14 bits shifted to 16 have a quarter of the electrons per DN."""
    name = "ZWO ASI533MC Pro"
    known = camera_of(name)
    point = known.at_gain(name, 100.0)

    assert known.e_per_dn(point, 16) == pytest.approx(0.2)
    assert known.e_per_dn(point, 14) == pytest.approx(0.8)


def test_white_levels_are_on_the_scale_of_the_file():
    """Unshifted as stated, shifted by the step, unknown for steps of another ADC."""
    known = camera_of("Nikon D750")

    assert known.white_dn(1) == 15520
    assert known.white_dn(4) == 4 * 15520
    assert known.white_dn(16) is None
    assert known.white_dn(0) is None
    assert camera_of("QHY600M").white_dn(1) is None


def test_a_camera_is_not_known_for_what_a_telescope_does_with_its_sensor():
    """The Seestar subtracts a dark from its frames; an ASI462 with the same sensor does not."""
    assert sensor_of("Seestar S50").subtracts_dark
    assert not sensor_of("ZWO ASI462MC").subtracts_dark
