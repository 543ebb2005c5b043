"""The plan: which calibration frames serve which lights, and why."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frame_factory import (
    COOLED,
    NIGHT,
    biases,
    darks,
    flat_darks,
    flats,
    frames,
    lights,
    master,
)
from lightframe.checks import Refusal
from lightframe.frames import CfaPattern, FrameKind
from lightframe.session import MatchSettings, make_plan, scan

SESSION = [*lights(), *darks(), *flats(), *flat_darks()]


def only(items):
    """Return the one item of a sequence."""
    [item] = items
    return item


def assignment(plan):
    """Return the one assignment of the one group."""
    return only(only(plan.groups).assignments)


def rules(plan):
    """Return rule and severity of all findings."""
    return {(finding.rule, finding.severity.value) for finding in plan.findings}


def unused(plan):
    """Return the reason by the kind's word in the label."""
    return {item.label: item.reason for item in plan.unused}


def made_of(plan, name):
    """Return the frames of the master `name`."""
    return set(plan.master(name).frames)


def test_a_clean_session_has_one_result_and_no_finding():
    """Matched darks, flats and flat-darks give one plain calibration and silence."""
    plan = make_plan(SESSION)
    part = assignment(plan)

    assert plan.findings == ()
    assert plan.unused == ()
    assert plan.exit_code == 0
    assert part.dark_scaling == "none"
    assert part.bias is None
    assert made_of(plan, part.dark) == {info.path for info in darks()}
    assert made_of(plan, part.flat) == {info.path for info in flats()}
    step = only(plan.master(part.flat).steps)
    assert made_of(plan, step.dark) == {info.path for info in flat_darks()}
    assert step.bias is None


def test_masters_come_in_the_order_in_which_they_can_be_made():
    """Every master needs only masters before it."""
    plan = make_plan([*SESSION, *biases(), *lights(exposure_s=60.0)])

    done = set()
    for job in plan.masters:
        assert {name for step in job.steps for name in step.masters} <= done
        done.add(job.name)


def test_the_plan_is_json_with_paths_as_text():
    """`as_dict` survives a round trip through JSON unchanged."""
    plan = make_plan([*SESSION, *biases(), *darks(gain=0.0)], [Refusal(Path("x.fits"), "empty")])

    assert json.loads(json.dumps(plan.as_dict())) == plan.as_dict()
    assert json.loads(json.dumps(plan.findings_as_dicts())) == plan.findings_as_dicts()
    assert list(plan.as_dict()) == ["groups", "masters", "unused", "refused"]
    assert plan.as_dict()["groups"][0]["name"] == "M_31_L"


MIXED = [
    *lights(5),
    *lights(4, filter="Ha", exposure_s=300.0),
    *lights(3, object="M31", night=NIGHT + timedelta(3)),
    *darks(4),
    *darks(4, exposure_s=300.0),
    *darks(3, gain=0.0),
    *biases(4),
    *biases(2, gain=None),
    *flats(4),
    *flats(4, night=NIGHT + timedelta(3)),
    *flats(3, filter="R"),
    *flat_darks(4),
    *frames(FrameKind.DARK, 2, exposure_s=None),
    master(FrameKind.DARK, exposure_s=120.0, gain=None, offset=None),
]
MIXED_PLAN = make_plan(MIXED)


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_frames_does_not_matter(source):
    """Any shuffle of a mixed session gives the same plan and the same findings."""
    shuffled = list(MIXED)
    source.shuffle(shuffled)
    plan = make_plan(shuffled)

    assert plan.as_dict() == MIXED_PLAN.as_dict()
    assert plan.findings_as_dicts() == MIXED_PLAN.findings_as_dicts()


def test_every_frame_is_accounted_for_once():
    """A frame is in a group, in a master, or unused: never in two, never in none."""
    plan = make_plan(MIXED)
    places = [
        *(path for group in plan.groups for path in group.frames),
        *(path for job in plan.masters for path in job.frames),
        *(path for item in plan.unused for path in item.frames),
    ]

    assert sorted(places) == sorted(info.path for info in MIXED)


FORGETTABLE = (
    "gain", "offset", "readout_mode", "temperature_c", "set_temperature_c", "binning", "camera",
    "exposure_s", "night", "telescope", "focal_length_mm", "software", "filter",
)  # fmt: skip


@settings(deadline=None)
@given(
    st.sets(st.sampled_from(FORGETTABLE)), st.sampled_from(["light", "dark", "flat", "flat-dark"])
)
def test_unknown_values_never_exclude(forgotten, kind):
    """Whatever the frames of one kind leave unsaid, the same masters are used, without findings."""
    blanks = dict.fromkeys(forgotten)
    session = [replace(info, **blanks) if info.kind == kind else info for info in SESSION]
    part = assignment(make_plan(session))

    assert part.dark is not None
    assert part.flat is not None
    assert make_plan(session).findings == ()


def test_unknown_values_are_said():
    """A comparison with an unknown side says so, and which side."""
    plan = make_plan([*lights(), *darks(gain=None, offset=None), *flats(), *flat_darks()])
    match = next(m for m in assignment(plan).matches if m.role == "dark")
    texts = {comparison.quantity: comparison.text for comparison in match.comparisons}

    assert texts["gain"] == "gain unknown, wanted 100"
    assert texts["exposure"] == "exposure 120 s"


@pytest.mark.parametrize(
    ("fact", "value", "rule"),
    [
        ("gain", 0.0, "gain-mismatch"),
        ("offset", 10.0, "offset-mismatch"),
        ("readout_mode", "High Gain", "readout-mode-mismatch"),
        ("binning", (2, 2), "binning-mismatch"),
        ("width", 2998, "geometry-mismatch"),
        ("camera", "ZWO ASI533MM Pro", "camera-mismatch"),
        ("format", "raw", "format-mismatch"),
    ],
)
def test_darks_of_other_settings_are_refused_and_reported_once(fact, value, rule):
    """The one finding names the darks and both values; `no-dark` does not stand beside it."""
    wrong = darks(**{fact: value})
    plan = make_plan([*lights(), *wrong, *flats(), *flat_darks()])

    assert assignment(plan).dark is None
    assert rules(plan) == {(rule, "error")}
    assert set(only(plan.findings).frames) == {info.path for info in wrong}
    assert set(only(plan.unused).frames) == {info.path for info in wrong}


def test_a_mismatch_of_the_camera_explains_all_others():
    """Other gain and size of another camera are not reported beside the camera."""
    wrong = darks(camera="Canon EOS 6D", gain=800.0, width=5496, readout_mode="x")

    assert rules(make_plan([*lights(), *wrong, *flats(), *flat_darks()])) == {
        ("camera-mismatch", "error")
    }


def test_other_binning_explains_the_other_size():
    """Binned darks are smaller; only the binning is reported."""
    wrong = darks(binning=(2, 2), width=1500, height=1000)

    assert rules(make_plan([*lights(), *wrong, *flats(), *flat_darks()])) == {
        ("binning-mismatch", "error")
    }


def test_a_library_with_other_gains_is_no_finding():
    """Darks of other gains beside the right ones are only unused, with the reason."""
    plan = make_plan([*SESSION, *darks(gain=0.0)])

    assert plan.findings == ()
    assert unused(plan) == {"12 darks 120 s, -10 °C, gain 0": "gain 0 instead of 100"}


def test_one_wrong_setting_of_lights_is_reported_once_for_all_filters():
    """Three filters whose darks have another gain make one finding."""
    session = [
        *(info for name in "RGB" for info in lights(filter=name)),
        *(info for name in "RGB" for info in flats(filter=name)),
        *darks(gain=0.0),
        *flat_darks(),
    ]

    assert [finding.rule for finding in make_plan(session).findings] == ["gain-mismatch"]


def test_one_wrong_setting_of_all_calibration_frames_is_reported_once():
    """Darks, bias and flats of another offset are one cause; the flats are used all the same."""
    other = {"offset": 10.0}
    plan = make_plan([*lights(), *darks(**other), *biases(**other), *flats(**other)])
    finding = only(plan.findings)

    assert (finding.rule, finding.severity) == ("offset-mismatch", "error")
    assert finding.evidence == {
        "offset": {"calibration_frames": "10", "frames_in_need": "50"},
        "not_used_as": ["dark", "bias"],
        "used_as": ["flat"],
    }
    assert len(finding.frames) == 36


def test_ignored_quantities_are_not_compared():
    """A header known to be wrong can be overruled by a setting."""
    session = [*lights(), *darks(gain=0.0), *flats(), *flat_darks()]
    plan = make_plan(session, settings=MatchSettings(ignored_quantities="gain"))

    assert plan.findings == ()
    assert assignment(plan).dark is not None


def test_names_of_one_camera_agree_in_any_spelling():
    """The maker's additions and punctuation do not matter; 'ASCOM Camera' says nothing."""
    for name in ("ASI2600MM Pro", "ZWO CCD ASI2600MM Pro", "zwo asi2600mm-pro", "ASCOM Camera"):
        assert make_plan([*lights(), *darks(camera=name), *flats(), *flat_darks()]).findings == ()


def test_two_cameras_are_planned_side_by_side():
    """Each camera's lights get their own masters; a camera without darks lacks them."""
    other = {"camera": "ZWO ASI533MM Pro", "width": 3008, "height": 3008}
    plan = make_plan([*SESSION, *lights(**other), *flats(**other), *flat_darks(**other)])
    by_camera = {group.camera: only(group.assignments) for group in plan.groups}

    assert by_camera["ZWO ASI2600MM Pro"].dark is not None
    assert by_camera["ZWO ASI533MM Pro"].dark is None
    assert rules(plan) == {("no-dark", "warning")}
    assert len({group.name for group in plan.groups}) == 2


def test_what_another_camera_could_use_but_does_not_need_is_no_mismatch():
    """Bias frames that the darks of their own camera make superfluous lie there for it."""
    other = {"camera": "ZWO ASI533MM Pro", "width": 3008, "height": 3008}
    plan = make_plan([*SESSION, *biases(), *lights(**other)])

    assert rules(plan) == {("no-dark", "warning"), ("no-flat", "warning")}


class TestDarkSubtraction:
    """How the dark is subtracted: guide, sections 8.1 and 8.6."""

    def test_a_matching_dark_makes_the_bias_superfluous(self):
        """The bias cancels out; the plan says so and the bias serves nothing."""
        plan = make_plan([*SESSION, *biases()])

        assert assignment(plan).bias is None
        assert "bias not needed" in " ".join(assignment(plan).reasons)
        assert "bias not needed" in unused(plan)["12 bias frames gain 100"]

    def test_a_longer_dark_is_optimised_if_there_is_a_bias(self):
        """Exposure differs, bias at hand: case 1 of the guide."""
        plan = make_plan([*lights(), *darks(exposure_s=300.0), *biases(), *flats()])
        part = assignment(plan)

        assert (part.dark_scaling, part.bias is not None) == ("optimize", True)
        assert "exposure 300 s instead of 120 s" in part.reasons[0]
        assert plan.findings == ()

    def test_a_longer_dark_without_bias_is_an_error(self):
        """It cannot be scaled; it is used as it is, and reported."""
        plan = make_plan([*lights(), *darks(exposure_s=300.0), *flats(), *flat_darks()])

        assert assignment(plan).dark_scaling == "none"
        assert rules(plan) == {("dark-exposure-mismatch", "error")}

    def test_a_shorter_dark_is_not_scaled_up(self):
        """It is used as it is, with an error that names both exposures."""
        plan = make_plan([*lights(), *darks(exposure_s=60.0), *biases(), *flats()])
        finding = only(plan.findings)

        assert assignment(plan).dark_scaling == "none"
        assert (finding.rule, finding.severity) == ("dark-shorter-than-light", "error")
        assert finding.evidence["light_exposures_s"] == [120.0]
        assert finding.evidence["dark_exposure_s"] == 60.0

    def test_a_shorter_dark_is_scaled_up_if_allowed(self):
        """The user accepts its noise."""
        plan = make_plan(
            [*lights(), *darks(exposure_s=60.0), *biases(), *flats()],
            settings=MatchSettings(allow_dark_scale_up=True),
        )

        assert assignment(plan).dark_scaling == "optimize"
        assert plan.findings == ()

    def test_a_dark_that_can_be_scaled_is_preferred_to_a_nearer_short_one(self):
        """With a bias 300 s serve lights of 120 s better than 100 s do; without, 100 s do."""
        session = [*lights(), *darks(exposure_s=100.0), *darks(exposure_s=300.0), *flats()]

        with_bias = make_plan([*session, *biases()])
        assert with_bias.master(assignment(with_bias).dark).exposure_s == 300.0
        without = make_plan([*session, *flat_darks()])
        assert without.master(assignment(without).dark).exposure_s == 100.0

    @pytest.mark.parametrize(
        ("celsius", "severity"), [(-10.9, None), (-8.0, "warning"), (5.0, "error")]
    )
    def test_temperature_of_a_cooled_dark_is_judged_by_degrees(self, celsius, severity):
        """Within 1 degree nothing, within 3 a warning, beyond an error."""
        wrong = darks(set_temperature_c=celsius, temperature_c=celsius)
        plan = make_plan([*lights(), *wrong, *flats(), *flat_darks()])

        expected = {("dark-temperature-mismatch", severity)} if severity else set()
        assert rules(plan) == expected

    def test_a_set_point_that_was_not_reached_does_not_count(self):
        """Lights whose cooler failed do not match darks of the same set point."""
        warm = lights(temperature_c=4.0)
        plan = make_plan([*warm, *darks(), *flats(), *flat_darks()])

        assert rules(plan) == {("dark-temperature-mismatch", "error")}

    def test_a_sensor_without_cooling_gets_an_optimised_dark(self):
        """Camera raw files: the guide recommends optimisation even at equal exposure."""
        raw = replace(
            COOLED, format="raw", camera="Canon EOS 600D", set_temperature_c=None,
            temperature_c=None, cfa=CfaPattern.from_name("RGGB"),
        )  # fmt: skip
        session = [
            *lights(base=raw), *darks(base=raw), *biases(base=raw), *flats(base=raw)
        ]  # fmt: skip

        assert assignment(make_plan(session)).dark_scaling == "optimize"
        assert make_plan(session).findings == ()

    def test_amplifier_glow_speaks_against_optimisation(self):
        """A cooled IMX294 at another temperature keeps the plain dark, and the finding says it."""
        glowing = {"camera": "ZWO ASI294MC Pro"}
        plan = make_plan([
            *lights(**glowing), *biases(**glowing), *flats(**glowing), *flat_darks(**glowing),
            *darks(**glowing, set_temperature_c=-8.0, temperature_c=-8.0),
        ])  # fmt: skip

        assert assignment(plan).dark_scaling == "none"
        assert rules(plan) == {("dark-temperature-mismatch", "warning")}

    def test_the_nearest_temperature_is_chosen(self):
        """Of darks at -20, -10 and 0 degrees those at -10 serve lights at -10."""
        cold = [
            info
            for t in (-20.0, -10.0, 0.0)
            for info in darks(set_temperature_c=t, temperature_c=t)
        ]
        plan = make_plan([*lights(), *cold, *flats(), *flat_darks()])

        assert plan.master(assignment(plan).dark).temperature_c == -10.0
        assert len(plan.unused) == 2

    def test_without_a_dark_the_bias_alone_is_subtracted(self):
        """There is a warning, and the reason."""
        plan = make_plan([*lights(), *biases(), *flats()])

        assert (assignment(plan).bias, assignment(plan).dark) == ("bias_gain100", None)
        assert rules(plan) == {("no-dark", "warning")}

    def test_lights_alone_are_fine(self):
        """Two warnings, one result, nothing to calibrate with."""
        plan = make_plan(lights())

        assert assignment(plan).masters == ()
        assert rules(plan) == {("no-dark", "warning"), ("no-flat", "warning")}

    @pytest.mark.parametrize("mode", ["none", "exposure", "optimize"])
    def test_the_setting_overrides_the_choice(self, mode):
        """Even a matching dark is scaled if the settings say so."""
        plan = make_plan([*SESSION, *biases()], settings=MatchSettings(dark_scaling=mode))

        assert assignment(plan).dark_scaling == mode
        assert (assignment(plan).bias is not None) == (mode != "none")

    def test_settings_that_subtract_the_bias_twice_are_found(self):
        """Bias forced, and not taken out of the dark: guide 7.1."""
        plan = make_plan(
            [*SESSION, *biases()],
            settings=MatchSettings(use_bias="always"),
            calibrate_dark=False,
        )

        assert rules(plan) == {("double-bias-subtraction", "error")}
        assert only(plan.findings).group == "settings"

    def test_a_bias_that_is_forced_but_cancels_is_no_finding(self):
        """(L - MB) - (MD - MB) is right, if needless."""
        plan = make_plan([*SESSION, *biases()], settings=MatchSettings(use_bias="always"))

        assert assignment(plan).bias is not None
        assert plan.findings == ()

    def test_settings_that_leave_the_bias_in_are_found(self):
        """No dark, and the bias forbidden."""
        plan = make_plan([*lights(), *biases(), *flats()], settings=MatchSettings(use_bias="never"))

        assert ("bias-never-subtracted", "error") in rules(plan)


class TestFlats:
    """What calibrates flats, and which flats serve which lights."""

    def test_a_dark_of_the_flats_exposure_serves_as_flat_dark(self):
        """Programs that know no flat-darks call them darks."""
        plan = make_plan([*lights(), *darks(), *flats(), *darks(exposure_s=2.1)])
        step = only(plan.master(assignment(plan).flat).steps)

        assert plan.master(step.dark).exposure_s == 2.1
        assert plan.findings == ()

    def test_bias_serves_where_no_flat_dark_fits(self):
        """Never both, and never the regular dark of a CMOS sensor."""
        plan = make_plan([*lights(), *darks(), *flats(exposure_s=20.0), *biases()])
        step = only(plan.master(assignment(plan).flat).steps)

        assert (step.bias, step.dark) == ("bias_gain100", None)
        assert plan.findings == ()

    def test_long_flats_of_a_ccd_get_bias_and_optimised_dark(self):
        """The guide's 6.2.1 for CCDs; told by the camera's name, or set."""
        ccd = {"camera": "Apogee Alta U16M"}
        session = [
            *lights(**ccd), *darks(**ccd), *flats(**ccd, exposure_s=20.0), *biases(**ccd)
        ]  # fmt: skip
        step = only(make_plan(session).masters[-1].steps)

        assert (step.bias, step.dark, step.dark_scaling) == (
            "bias_gain100", "dark_120s_-10C_gain100", "optimize"
        )  # fmt: skip
        cmos = make_plan(session, settings=MatchSettings(sensor="cmos"))
        assert only(cmos.masters[-1].steps).dark is None

    def test_flats_without_anything_are_an_error(self):
        """They are planned all the same."""
        plan = make_plan([*lights(), *darks(), *flats()])

        assert assignment(plan).flat is not None
        assert rules(plan) == {("flats-uncalibrated", "error")}

    def test_flat_darks_of_other_exposure_are_an_error_if_used(self):
        """Without a bias they are better than nothing."""
        plan = make_plan([*lights(), *darks(), *flats(), *flat_darks(exposure_s=5.0)])

        assert only(plan.masters[-1].steps).dark is not None
        assert rules(plan) == {("flat-dark-exposure-mismatch", "error")}

    def test_flat_darks_of_other_exposure_give_way_to_a_bias(self):
        """The bias is used; the flat-darks are mentioned as a warning."""
        plan = make_plan([*lights(), *darks(), *flats(), *flat_darks(exposure_s=5.0), *biases()])

        assert only(plan.masters[-1].steps).bias is not None
        assert rules(plan) == {("flat-dark-exposure-mismatch", "warning")}

    def test_sky_flats_of_many_exposures_are_one_set(self):
        """They are integrated together, each part calibrated with its own flat-dark."""
        sky = [info for t in (1.0, 4.0, 9.0) for info in flats(4, exposure_s=t)]
        own = [info for t in (1.0, 4.0, 9.0) for info in flat_darks(exposure_s=t)]
        plan = make_plan([*lights(), *darks(), *sky, *own])
        job = plan.master(assignment(plan).flat)

        assert len(job.frames) == 12
        assert {step.dark for step in job.steps} == {
            "flat-dark_1s_-10C_gain100", "flat-dark_4s_-10C_gain100", "flat-dark_9s_-10C_gain100"
        }  # fmt: skip
        assert plan.findings == ()

    def test_each_night_gets_its_own_flats(self):
        """Flats of the night come first; a night without any gets the nearest, and says so."""
        nights = [NIGHT + timedelta(days) for days in (0, 5, 7)]
        session = [*darks(), *flat_darks()]
        session += [info for night in nights for info in lights(night=night)]
        session += [info for night in nights[:2] for info in flats(night=night)]
        plan = make_plan(session)
        by_night = {part.nights: part for part in only(plan.groups).assignments}

        assert len(by_night) == 3
        first, second, third = (by_night[(night.isoformat(),)] for night in nights)
        assert first.flat != second.flat == third.flat
        assert any("2 days before" in reason for reason in third.reasons)
        assert plan.findings == ()

    def test_a_filter_without_flats_is_an_error(self):
        """Flats of another filter are not used; there is no second finding."""
        plan = make_plan([*SESSION, *lights(filter="Ha")])
        finding = only(plan.findings)

        assert (finding.rule, finding.severity) == ("flat-filter-missing", "error")
        assert finding.evidence["filter"] == "Ha"
        assert "serve no lights" not in finding.cause  # those of L have theirs

    def test_flats_of_a_filter_that_no_light_has_may_be_those_that_are_missing(self):
        """The finding names them, and how to declare the filters the same."""
        plan = make_plan([*SESSION, *lights(filter="R"), *flats(filter="Rouge")])
        finding = only(plan.findings)

        assert "flats of Rouge serve no lights" in finding.cause
        assert 'match.filter_aliases = "Rouge=R"' in finding.remedy

    @pytest.mark.parametrize(("light", "flat"), [("Ha", "H-alpha"), ("L", "Lum"), ("OIII", "O3")])
    def test_common_names_of_filters_are_the_same(self, light, flat):
        """Spellings of one filter agree."""
        plan = make_plan([*lights(filter=light), *darks(), *flats(filter=flat), *flat_darks()])

        assert plan.findings == ()

    def test_filters_can_be_declared_the_same(self):
        """An alias in the settings joins what programs name differently."""
        plan = make_plan(
            [*lights(filter="G"), *darks(), *flats(filter="G0"), *flat_darks()],
            settings=MatchSettings(filter_aliases="G0=G"),
        )

        assert plan.findings == ()

    def test_flats_of_other_gain_serve_once_they_are_calibrated_by_their_own(self):
        """Their shape survives; that is a warning. Without own frames it is an error."""
        session = [*lights(), *darks(), *flats(gain=0.0), *flat_darks(gain=0.0)]
        plan = make_plan(session)

        assert assignment(plan).flat is not None
        assert rules(plan) == {("gain-mismatch", "warning")}
        wrong = make_plan([*lights(), *darks(), *flats(gain=0.0), *flat_darks()])
        assert rules(wrong) == {("gain-mismatch", "error")}

    def test_a_turned_camera_is_a_warning_half_a_turn_is_not(self):
        """A meridian flip turns the angle on the sky by 180 degrees, not the camera."""
        flipped = [*lights(rotation_deg=191.0), *darks(), *flats(rotation_deg=10.0), *flat_darks()]
        assert make_plan(flipped).findings == ()

        turned = [*lights(rotation_deg=60.0), *darks(), *flats(rotation_deg=10.0), *flat_darks()]
        assert rules(make_plan(turned)) == {("flat-geometry-changed", "warning")}

    def test_flats_of_each_rotation_serve_their_own_lights(self):
        """Two targets at two angles, flats for both."""
        session = [*darks(), *flat_darks()]
        for name, angle in (("M 31", 10.0), ("M 33", 75.0)):
            session += lights(object=name, rotation_deg=angle)
            session += flats(rotation_deg=angle)
        plan = make_plan(session)

        assert plan.findings == ()
        assert len({only(group.assignments).flat for group in plan.groups}) == 2

    def test_patterns_of_one_camera_must_agree(self):
        """A flat that claims another colour pattern is refused."""
        colour = {"cfa": CfaPattern.from_name("RGGB")}
        other = {"cfa": CfaPattern.from_name("GBRG")}
        plan = make_plan([*lights(**colour), *darks(**colour), *flats(**other), *flat_darks()])

        assert assignment(plan).flat is None
        assert rules(plan) == {("cfa-pattern-wrong", "error")}

    def test_a_row_order_that_differs_is_a_warning(self):
        """Only the pixels can tell whether it is true."""
        plan = make_plan([
            *lights(row_order="TOP-DOWN"), *darks(row_order="TOP-DOWN"),
            *flats(row_order="BOTTOM-UP"), *flat_darks(),
        ])  # fmt: skip

        assert rules(plan) == {("frame-flipped", "warning")}

    def test_a_row_order_that_changes_the_pattern_is_the_one_error(self):
        """The stored pattern differs because the rows do: one cause."""
        top = {"row_order": "TOP-DOWN", "cfa": CfaPattern.from_name("RGGB")}
        bottom = {"row_order": "BOTTOM-UP", "cfa": CfaPattern.from_name("GBRG")}
        plan = make_plan([*lights(**top), *darks(**top), *flats(**bottom), *flat_darks()])

        assert assignment(plan).flat is None
        assert rules(plan) == {("frame-flipped", "error")}

    def test_bias_frames_of_an_unstable_sensor_are_warned_of(self):
        """The IMX294 below 0.2 s: guide 4.1."""
        camera = {"camera": "ZWO ASI294MC Pro"}
        plan = make_plan([*lights(**camera), *darks(**camera), *flats(**camera), *biases(**camera)])

        assert rules(plan) == {("bias-not-recommended", "warning")}


class TestGivenMasters:
    """Masters found in the folders, or named by the user."""

    def test_masters_that_lost_their_facts_still_match(self):
        """Masters of other programs carry neither gain nor temperature; that is said."""
        blank = {"gain": None, "offset": None, "temperature_c": None, "set_temperature_c": None}
        plan = make_plan([
            *lights(), master(FrameKind.DARK, exposure_s=120.0, **blank),
            master(FrameKind.FLAT, filter="L", **blank),
        ])  # fmt: skip
        part = assignment(plan)

        assert plan.master(part.dark).given
        assert plan.master(part.flat).steps == ()
        assert plan.findings == ()
        texts = [c.text for match in part.matches for c in match.comparisons]
        assert "gain unknown, wanted 100" in texts

    def test_frames_come_before_a_master_of_the_same_facts(self):
        """Unless the user named the master."""
        given = master(FrameKind.DARK, exposure_s=120.0)
        plan = make_plan([*SESSION, given])
        assert not plan.master(assignment(plan).dark).given
        assert "frames of the same facts" in only(plan.unused).reason

        named = make_plan([*SESSION, given], named=[given.path])
        assert named.master(assignment(named).dark).frames == (given.path,)
        assert "another master was named" in only(named.unused).reason

    def test_a_master_dark_free_of_bias_needs_the_bias(self):
        """L - MB - MD; without a bias the bias would stay in."""
        free = master(FrameKind.DARK, exposure_s=120.0, calibration=frozenset({FrameKind.BIAS}))
        plan = make_plan([*lights(), free, *flats(), *flat_darks(), *biases()])
        part = assignment(plan)

        assert (part.bias, part.dark_holds_bias) == ("bias_gain100", False)
        assert plan.findings == ()
        without = make_plan([*lights(), free, *flats(), *flat_darks()])
        assert rules(without) == {("bias-never-subtracted", "error")}
        assert only(without.findings).group == "masters"

    def test_an_integrated_light_is_left_out(self):
        """The telescope's own stack beside its raw frames is only mentioned."""
        stack = master(FrameKind.LIGHT, object="M 31", frames_combined=12)
        plan = make_plan([*SESSION, stack])

        assert stack.path not in only(plan.groups).frames
        assert rules(plan) == {("already-calibrated", "info")}

    def test_calibrated_lights_are_left_out_or_used_as_they_are(self):
        """By default they are an error; with the setting they are not calibrated again."""
        done = lights(calibration=frozenset({FrameKind.DARK, FrameKind.FLAT}))
        plan = make_plan([*darks(), *done])
        assert plan.groups == ()
        assert rules(plan) == {("already-calibrated", "error")}

        used = make_plan([*darks(), *done], settings=MatchSettings(calibrated_frames="use"))
        assert assignment(used).calibrated_before
        assert assignment(used).masters == ()
        assert used.findings == ()


class TestGroups:
    """Which lights make one result."""

    def test_spellings_of_an_object_are_one(self):
        """'M 31', 'M31' and 'm_31' are one group, named as most headers name it."""
        session = [*lights(8), *lights(object="M31"), *lights(3, object="m_31")]
        group = only(make_plan(session).groups)

        assert (group.object, group.name, len(group.frames)) == ("M31", "M31_L", 23)

    def test_exposures_go_together_with_a_reason(self):
        """Two exposures make one result and two assignments."""
        session = [*SESSION, *lights(exposure_s=30.0), *darks(exposure_s=30.0)]
        group = only(make_plan(session).groups)

        assert len(group.assignments) == 2
        assert group.exposure_s == 12 * 150.0
        assert "exposures of 30, 120 s" in group.reasons[0]

    def test_lights_without_object_join_the_one_named_in_their_folder(self):
        """Else they are grouped by folder, or together if set."""
        named = lights(4, folder="a")
        unnamed = [
            replace(info, path=info.path.with_stem(info.path.stem + "x"), object=None)
            for info in named
        ]
        assert len(only(make_plan([*named, *unnamed]).groups).frames) == 8

        loose = [*lights(4, folder="b", object=None), *lights(4, folder="c", object=None)]
        assert [group.name for group in make_plan(loose).groups] == ["b_L", "c_L"]
        together = make_plan(loose, settings=MatchSettings(unnamed_objects="together"))
        assert len(together.groups) == 1

    def test_filters_are_results_of_their_own(self):
        """One result a filter; names are safe as file names."""
        plan = make_plan([*lights(filter="H/α 3nm"), *lights(filter=None)])  # noqa: RUF001 - a real filter name

        assert [group.name for group in plan.groups] == ["M_31_H_α_3nm", "M_31_nofilter"]  # noqa: RUF001 - the same


def test_frames_that_nobody_can_place_are_listed():
    """Unknown kinds and refused files are named with the reason."""
    stray = frames(None, 2, folder="stray")
    plan = make_plan([*SESSION, *stray], [Refusal(Path("broken.fits"), "ends after 3 rows")])

    assert set(only(plan.unused).frames) == {info.path for info in stray}
    assert "cannot tell what for" in only(plan.unused).reason
    assert plan.refused == (Refusal(Path("broken.fits"), "ends after 3 rows"),)
    assert rules(plan) == {("unreadable-file", "error")}


def test_a_few_frames_are_mentioned_with_the_noise_they_add():
    """Three to nine frames are a note, fewer a warning."""
    plan = make_plan([*lights(), *darks(4), *flats(), *flat_darks(2)])
    note = next(f for f in plan.findings if f.severity == "info")

    assert rules(plan) == {("too-few-frames", "info"), ("too-few-frames", "warning")}
    assert note.evidence["noise_raised_percent"] == 100.0
    assert "forecast: they raise the noise of the result by up to 100 %" in note.message
    assert note.message.endswith("a run measures it")


def test_frames_that_lack_a_value_join_the_only_set_they_fit():
    """Three of twelve darks without gain belong to the others; with two gains they stay apart."""
    some = [*darks(9), *darks(3, gain=None)]
    plan = make_plan([*lights(), *some, *flats(), *flat_darks()])
    assert len(plan.master(assignment(plan).dark).frames) == 12

    split = make_plan([*lights(), *some, *darks(gain=0.0), *flats(), *flat_darks()])
    assert len(split.master(assignment(split).dark).frames) == 9


def test_calibration_frames_alone_make_masters():
    """Without lights every set becomes a master."""
    plan = make_plan([*biases(), *darks(), *darks(exposure_s=30.0), *flats()])

    assert plan.groups == ()
    assert [job.kind.value for job in plan.masters] == ["bias", "dark", "dark", "flat"]
    assert only(plan.masters[-1].steps).bias == plan.masters[0].name
    assert plan.unused == ()
    assert plan.findings == ()


def test_a_large_session_is_planned_at_once():
    """3,000 lights drifting in temperature are gathered, not compared one by one."""
    source = random.Random(1)
    drifting = [
        replace(info, temperature_c=source.uniform(18, 30), set_temperature_c=None)
        for info in lights(3000)
    ]
    plan = make_plan([*drifting, *darks(40, set_temperature_c=None, temperature_c=24.0)])

    assert sum(len(part.frames) for part in only(plan.groups).assignments) == 3000
    assert len(only(plan.groups).assignments) <= 5


def test_every_master_named_in_an_assignment_exists():
    """Names in assignments and steps are names of jobs, and every job says whom it serves."""
    plan = make_plan(MIXED)
    known = {job.name for job in plan.masters}
    parts = [part for group in plan.groups for part in group.assignments]
    parts += [step for job in plan.masters for step in job.steps]

    assert {name for part in parts for name in part.masters} == known
    assert all(job.serves for job in plan.masters)


class TestRealSessions:
    """Real frames: two sessions and a set of calibration frames."""

    def plan_of(self, folder):
        """Plan what lies in a folder of real frames."""
        if not folder.is_dir():
            pytest.skip(f"{folder.name} is not here")
        found = scan([folder])
        return make_plan(found.frames, found.refused)

    def test_m13_has_darks_that_are_too_short_for_most_lights(self, shared_data):
        """CCD, darks of 80 s: lights of 60 s are scaled, of 80 s plain, longer ones an error."""
        plan = self.plan_of(shared_data / "m13-mono-ccd")
        scalings = {
            part.exposure_s: (part.dark_scaling, part.bias)
            for group in plan.groups
            for part in group.assignments
        }

        assert [group.name for group in plan.groups] == [f"M13_sdss_{band}" for band in "girz"]
        assert scalings == {
            60.0: ("optimize", "bias"), 80.0: ("none", None),
            120.0: ("none", None), 160.0: ("none", None),
        }  # fmt: skip
        assert plan.unused == ()
        errors = [finding for finding in plan.findings if finding.severity == "error"]
        assert only(errors).rule == "dark-shorter-than-light"
        assert only(errors).evidence["light_exposures_s"] == [120.0, 160.0]
        flat_jobs = [job for job in plan.masters if job.kind == "flat"]
        assert [len(job.frames) for job in flat_jobs] == [3, 3, 3, 3]
        assert all(only(job.steps).dark_scaling == "optimize" for job in flat_jobs)

    def test_seestar_lights_stand_alone(self, shared_data):
        """Lights only: one group of ten; the telescope has subtracted a dark, flats are missing."""
        plan = self.plan_of(shared_data / "seestar-m94-osc")

        assert len(only(plan.groups).frames) == 10
        assert rules(plan) == {("no-dark", "info"), ("no-flat", "warning")}

    def test_asi120_makes_masters_only(self, shared_data):
        """One bias, two darks by exposure, flats calibrated with the bias."""
        plan = self.plan_of(shared_data / "asi120-osc-calibration")

        made = sorted((job.kind.value, len(job.frames)) for job in plan.masters)
        assert made == [("bias", 6), ("dark", 4), ("dark", 4), ("flat", 6)]
        assert only(plan.masters[-1].steps).bias == plan.masters[0].name
        assert plan.exit_code == 0
