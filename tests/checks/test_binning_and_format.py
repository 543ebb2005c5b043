"""What pixels tell of binning and of the format of numbers, whatever the headers claim."""

import pytest

from check_sessions import ccd, dslr, mono, osc, serious
from lightframe.checks._evidence_levels import levels_of_floats
from lightframe.frames import FrameKind, read_image
from lightframe.simulation import Binned, Cropped, FewerBits, FloatFile, Unshifted
from session_library import Library

BIAS, DARK, FLAT_DARK = (FrameKind.BIAS,), (FrameKind.DARK,), (FrameKind.FLAT_DARK,)
FLAT, LIGHT = (FrameKind.FLAT,), (FrameKind.LIGHT,)
ROWS, COLUMNS = 416, 560
HALF = {"rows": ROWS // 2, "columns": COLUMNS // 2}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return a library of simulated frames that all tests of this module share."""
    return Library(tmp_path_factory.mktemp("library") / "frames")


def double(session):
    """Return a session of frames large enough to be binned, with at most three of a kind."""
    return session.resized(ROWS, COLUMNS, 3)


def binned(kinds, how, *faults):
    """Return a monochrome session in which some kinds are binned, and say they are not."""
    return double(mono(Binned(kinds=kinds, how=how, honest=False), *faults))


def found(library, session):
    """Return errors and warnings."""
    return [f for f in library.check(session).findings if f.severity != "info"]


@pytest.mark.parametrize("how", ["charge", "sum", "mean"])
@pytest.mark.parametrize("kinds", [DARK, LIGHT, (*BIAS, *DARK)], ids=["darks", "lights", "dark"])
def test_binned_frames_are_told_by_the_blocks_of_their_hot_pixels(library, kinds, how):
    """Whatever was put together, and whichever side was binned; the factor is that of the sides."""
    [finding] = found(library, binned(kinds, how))

    assert finding.rule == "binning-mismatch"
    assert finding.evidence["factor"] == 2
    assert finding.evidence["found"] > 0.8
    assert "are binned, though the headers claim 1 x 1" in finding.message


def test_darks_of_a_ccd_binned_by_three_are_found(library):
    """Sides that are no multiples of three lose their last pixels."""
    fault = Binned(kinds=DARK, factor=3, honest=False)
    [finding] = found(library, double(ccd(fault)))

    assert (finding.rule, finding.evidence["factor"]) == ("binning-mismatch", 3)


def test_a_cut_to_half_of_the_sides_is_not_called_binned(library):
    """Its hot pixels are not in the blocks of the others."""
    session = double(mono(Cropped(kinds=DARK, **HALF)))

    assert serious(library.check(session).findings) == ["geometry-mismatch"]


@pytest.mark.parametrize(
    ("how", "level", "noise"), [("sum", 4.0, 2.0), ("mean", 1.0, 0.5)], ids=["sums", "means"]
)
def test_binned_numbers_of_the_same_size_are_told_by_level_noise_and_steps(
    library, how, level, noise
):
    """Darks of 2 x 2 pixels beside frames that were cut to their size."""
    faults = (
        Binned(kinds=DARK, how=how, honest=False),
        Cropped(kinds=(*FLAT_DARK, *LIGHT, *FLAT), **HALF),
    )
    [finding] = found(library, double(osc(*faults)))

    assert finding.rule == "binning-mismatch"
    assert finding.evidence["pixels_are"] == f"{how}s"
    ratios = finding.evidence["level_ratio"], finding.evidence["noise_ratio"]
    assert ratios[0] == pytest.approx(level, rel=0.02)
    assert ratios[1] == pytest.approx(noise, rel=0.2)


@pytest.mark.parametrize("how", ["charge", "mean"])
def test_what_cannot_be_told_from_another_part_of_the_sensor_is_not_called_binned(library, how):
    """Electrons put together on the sensor leave level and steps alone, as 16-bit means do."""
    session = binned(DARK, how, Cropped(kinds=(*BIAS, *LIGHT, *FLAT), **HALF))

    assert serious(library.check(session).findings) == ["camera-mismatch"]


def test_frames_that_are_all_binned_are_no_mismatch(library):
    """Binning is no fault, even where no header tells of it."""
    assert found(library, binned((), "mean")) == []


@pytest.mark.parametrize("full_scale", [16383, 16384])
@pytest.mark.parametrize("kinds", [BIAS, DARK, FLAT, LIGHT], ids=lambda kinds: kinds[0].value)
def test_floats_of_another_scale_are_a_format_mismatch(library, kinds, full_scale):
    """Fractions of a 14-bit ADC's range beside its numbers: a factor of 4."""
    [finding] = found(library, dslr(FloatFile(kinds=kinds, full_scale_dn=full_scale)))

    assert (finding.rule, finding.severity) == ("format-mismatch", "error")
    factor = finding.evidence["spacing_dn"] / finding.evidence["spacing_elsewhere_dn"]
    expected = 65535 / full_scale
    assert min(factor, 1 / factor) == pytest.approx(1 / expected, rel=1e-4)


@pytest.mark.parametrize(
    ("what", "session"),
    [
        ("fractions of 65535", osc(FloatFile(kinds=DARK))),
        ("some pixels missing", osc(FloatFile(kinds=LIGHT, missing=0.001))),
        ("all frames alike", dslr(FloatFile(full_scale_dn=16383))),
        (
            "fractions of the ADC beside numbers shifted to 16 bits",
            osc(Unshifted(kinds=DARK), FloatFile(kinds=DARK, full_scale_dn=16383)),
        ),
        ("all in fewer bits", osc(FewerBits(bits=12))),
        ("all in so few bits that the noise is lost", osc(FewerBits(bits=10))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_numbers_of_one_scale_are_no_mismatch(library, what, session):
    """Floats on the same scale are neither calibrated frames nor another format."""
    assert what
    assert found(library, session) == []


@pytest.mark.parametrize(
    "kinds", [DARK, FLAT_DARK, LIGHT, FLAT, (*DARK, *FLAT_DARK), (*FLAT, *FLAT_DARK)]
)
def test_fewer_bits_on_one_scale_are_a_warning_and_no_factor(library, kinds):
    """12 bits beside 14, both filled up to 16: other steps at the same level."""
    [finding] = found(library, osc(FewerBits(kinds=kinds, bits=12)))

    assert (finding.rule, finding.severity) == ("format-mismatch", "warning")
    assert "2 bits fewer" in finding.message or "2 bits more" in finding.message


@pytest.mark.parametrize("kinds", [DARK, FLAT_DARK, LIGHT, FLAT, (*DARK, *FLAT_DARK)])
def test_unscaled_numbers_stay_a_matter_of_scaling(library, kinds):
    """14 bits as they are beside the same multiplied by 4."""
    [finding] = found(library, osc(Unshifted(kinds=kinds)))

    assert finding.rule == "mixed-scaling"


@pytest.mark.parametrize(
    ("full_scale", "spacing"), [(16383, 65535 / 16383), (16384, 65535 / 16384), (65535, 1.0)]
)
def test_the_spacing_of_fractions_is_that_of_the_numbers_before(library, full_scale, spacing):
    """The widest one that fits nearly all values, exact to a millionth."""
    session = dslr(FloatFile(kinds=LIGHT, full_scale_dn=full_scale, missing=0.01))
    path = min((library.session(session) / "lights").iterdir())
    _, pixels = read_image(path)

    assert levels_of_floats(pixels[0]).grid == pytest.approx(spacing, rel=1e-6)


def test_calibrated_pixels_have_no_spacing(library):
    """Divided by a flat, values lie anywhere."""
    path = min((library.session(dslr()) / "lights").iterdir())
    _, pixels = read_image(path)

    assert levels_of_floats(pixels[0] / 1.37 - 12.3).grid == pytest.approx(0.0)
