"""What is known of a camera by name gives way to what its frames show."""

import pytest

from lightframe.checks import CheckSettings, Figure
from lightframe.checks._sensor_priors import _bend_of
from lightframe.checks._sensor_range import Linearity, LinearPoint
from lightframe.session import RunSettings, check
from sensor_frames import PlainSensor

GLOWING = "ZWO ASI1600MM Pro"


def found(folder, rule, **settings):
    """Return the findings of a rule on a folder."""
    result = check([folder], RunSettings(check=CheckSettings(**settings)))
    return [finding for finding in result.findings if finding.rule == rule]


def session(folder, *, bias=6, camera=GLOWING, **sensor):
    """Write bias frames, two sets of darks, flats and lights of a camera."""
    plain = PlainSensor(folder, camera=camera, **sensor)
    plain.write("bias", bias)
    drift, plain.drift_dn = plain.drift_dn, 0.0
    plain.write("dark", 4, exposure_s=20.0)
    plain.write("dark", 4, exposure_s=60.0)
    plain.write("flat", 4, exposure_s=1.0, light_dn_s=25000)
    plain.write("light", 4, exposure_s=60.0)
    plain.drift_dn = drift
    return plain


def test_steady_bias_frames_of_an_unsteady_sensor_are_only_remarked(tmp_path):
    """The MN34230 is known for it; six frames that agree, also with darks, win."""
    session(tmp_path)
    (finding,) = found(tmp_path, "bias-not-recommended")

    assert finding.severity == "info"
    assert "but these are" in finding.message
    assert finding.evidence["state"] == "not seen"


def test_too_few_bias_frames_leave_it_at_what_is_known(tmp_path):
    """Near miss: three frames that agree are no proof."""
    session(tmp_path, bias=3)
    (finding,) = found(tmp_path, "bias-not-recommended")

    assert finding.severity == "warning"
    assert "state" not in finding.evidence


def test_bias_frames_at_another_level_than_darks_are_told_so(tmp_path):
    """The readout of very short exposures has another level: measured, with numbers."""
    session(tmp_path)
    for path in tmp_path.glob("bias_*"):
        path.unlink()
    high = PlainSensor(tmp_path, camera=GLOWING, bias_dn=560.0, seed=7)
    high.count = 50
    high.write("bias", 6)
    (finding,) = found(tmp_path, "bias-not-recommended")

    assert finding.severity == "warning"
    assert finding.evidence["state"] == "seen"
    assert "against darks" in finding.message


def test_other_sensors_are_not_remarked_upon(tmp_path):
    """A twin by a camera that is not known for it."""
    session(tmp_path, camera="ZWO ASI533MM Pro")

    assert found(tmp_path, "bias-not-recommended") == []


def flats(folder, camera, level_dn, **sensor):
    """Write bias frames and flats of a level."""
    plain = PlainSensor(folder, camera=camera, bias_dn=2000.0, **sensor)
    plain.write("bias", 4)
    plain.write("flat", 4, exposure_s=1.0, light_dn_s=level_dn - 2000.0)
    return plain


def test_a_sensor_known_to_bend_early_lowers_the_limit(tmp_path):
    """The IMX294 is linear to 87 %: flats that reach 88 % are too bright, below 90 %."""
    flats(tmp_path, "ZWO ASI294MC Pro", 0.85 * 65535, step=4, e_per_dn=0.3)
    (finding,) = found(tmp_path, "flat-saturated")

    assert finding.evidence["allowed_dn"] == pytest.approx(0.87 * 65535, rel=1e-4)
    assert "IMX294" in finding.evidence["allowed_because"]


def test_the_same_flats_of_another_camera_are_right(tmp_path):
    """Near miss: nothing is known of it, so 90 % counts."""
    flats(tmp_path, "ZWO ASI533MC Pro", 0.85 * 65535, step=4, e_per_dn=0.3)

    assert found(tmp_path, "flat-saturated") == []


def test_measured_linearity_wins_over_what_is_known(tmp_path):
    """Flats of more exposures that are linear beyond 87 % raise the limit; only they exceed it."""
    plain = flats(tmp_path, "ZWO ASI294MC Pro", 0.85 * 65535, step=4, e_per_dn=0.3)
    right = set(tmp_path.glob("flat_*"))
    for exposure in (0.25, 0.5, 1.07):
        plain.write("flat", 3, exposure_s=exposure, light_dn_s=0.85 * 65535 - 2000.0)
    (finding,) = found(tmp_path, "flat-saturated")

    assert "measured to be linear" in finding.evidence["allowed_because"]
    assert finding.evidence["allowed_dn"] > 0.87 * 65535
    assert not right & set(finding.frames)


def test_a_measured_bend_lowers_the_limit(tmp_path):
    """From 45000 DN on light falls behind: flats of 54000 DN are too bright, below 90 %."""
    plain = flats(tmp_path, "Test camera", 54000, e_per_dn=0.3, bend_dn=43000)
    for exposure in (0.25, 0.5, 0.75, 1.2):
        plain.write("flat", 3, exposure_s=exposure, light_dn_s=52000)
    (finding,) = found(tmp_path, "flat-saturated")

    assert "measured" in finding.evidence["allowed_because"]
    assert 43000 < finding.evidence["allowed_dn"] < 52000


def test_the_white_level_of_a_known_camera_counts_until_it_is_measured(tmp_path):
    """A D750 ends at 15520: 14400 DN are too bright; not where 16383 was seen."""
    camera = "NIKON CORPORATION NIKON D750"
    flats(tmp_path, camera, 14000.0, e_per_dn=2.0)
    (finding,) = found(tmp_path, "flat-saturated")

    assert finding.evidence["saturation_dn"] == 15520
    full = PlainSensor(tmp_path, camera=camera, bias_dn=2000.0, e_per_dn=2.0, full_well_dn=16383)
    full.count = 50
    full.hot_pixels[10:20, 10:20] = 1.0
    full.dark_e_s = 100.0
    full.write("light", 3, exposure_s=60.0)

    assert found(tmp_path, "flat-saturated") == []


def lights_without_darks(folder, camera, **sensor):
    """Write bias-free lights that reach beyond 12 bits, and return what is said of their dark."""
    plain = PlainSensor(folder, camera=camera, bias_dn=6000.0, **sensor)
    plain.write("light", 3, exposure_s=10.0)
    (finding,) = found(folder, "no-dark")
    return finding


def test_a_camera_that_subtracts_a_dark_itself_needs_none(tmp_path):
    """Values between the steps of the Seestar's ADC: the remedy is that of `lightframe sensor`."""
    finding = lights_without_darks(tmp_path, "Seestar S50")

    assert finding.severity == "info"
    assert finding.evidence["state"] == "seen"
    assert "give no darks" in finding.remedy
    assert "take darks" not in finding.remedy


def test_pixels_tell_where_such_a_camera_has_subtracted_nothing(tmp_path):
    """Near miss: all values are numbers of a 12-bit ADC, in steps of 16."""
    finding = lights_without_darks(tmp_path, "Seestar S50", step=16, e_per_dn=0.05)

    assert finding.severity == "warning"
    assert finding.evidence["state"] == "not seen"
    assert finding.remedy.startswith("take darks")
    assert "steps of 16" in finding.message


def test_other_cameras_need_darks_whatever_their_values(tmp_path):
    """The same pixels by a camera with the same sensor."""
    finding = lights_without_darks(tmp_path, "ZWO ASI462MC")

    assert finding.severity == "warning"
    assert finding.evidence == {"lights": 3, "bias": False}
    assert finding.remedy.startswith("take darks")


def test_a_single_light_is_said_in_the_singular(tmp_path):
    """One light has no dark; several have none."""
    plain = PlainSensor(tmp_path)
    plain.write("light", 1, exposure_s=10.0)
    (finding,) = found(tmp_path, "no-dark")

    assert finding.message.startswith("1 light has no dark")


@pytest.mark.parametrize(
    ("deviations", "bends"),
    [((-0.015, -0.04, -0.08), True), ((0.02, -0.04, -0.08), False), ((-0.04, -0.02, -0.01), False)],
)
def test_a_pixel_that_fills_up_only_falls_behind(deviations, bends):
    """Light that first runs ahead of the exposure, or that recovers, is the lamp's doing."""
    good = [LinearPoint(0.1 * n, 1e4 * n, 0.0, 0.001) for n in (1, 2, 3, 4)]
    beyond = [
        LinearPoint(0.5 + 0.1 * n, 4.5e4 + 4e3 * n, deviation, 0.001)
        for n, deviation in enumerate(deviations)
    ]
    found = Linearity(Figure(4e4, unit="DN"), True, Figure(0.1), (*good, *beyond))

    level = _bend_of(found, 6.5e4)

    assert (level is not None) == bends
    assert level is None or 4e4 < level < 5.3e4
