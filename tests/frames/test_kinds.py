"""Frame kinds: words in headers and paths, and flat-darks told from darks by their exposure."""

from pathlib import Path

import pytest

from lightframe.frames import Card, FrameInfo, FrameKind, Header, recognise_flat_darks
from lightframe.frames._kinds import kind_from_header, kind_from_path

BIAS, DARK, FLAT_DARK, FLAT, LIGHT = FrameKind


@pytest.mark.parametrize(
    ("word", "kind", "is_master"),
    [
        ("LIGHT", LIGHT, False),
        ("Light Frame", LIGHT, False),
        ("science", LIGHT, False),
        ("object", LIGHT, False),
        ("Tricolor Image", LIGHT, False),
        ("Master Light", LIGHT, True),
        ("MASTER STACK", LIGHT, True),
        ("Dark Frame", DARK, False),
        ("Darks", DARK, False),
        ("MasterDark", DARK, True),
        ("Bias Frame", BIAS, False),
        ("zero", BIAS, False),
        ("Offset Frame", BIAS, False),
        ("Master Bias", BIAS, True),
        ("Flat Field", FLAT, False),
        ("dome flat", FLAT, False),
        ("SKYFLAT", FLAT, False),
        ("Twilight_Flat", FLAT, False),
        ("masterflat", FLAT, True),
        ("DARKFLAT", FLAT_DARK, False),
        ("DarkFlat", FLAT_DARK, False),
        ("Flat-Dark", FLAT_DARK, False),
        ("dark flat frame", FLAT_DARK, False),
        ("Master Flat Dark", FLAT_DARK, True),
    ],
)
def test_every_spelling_of_imagetyp_is_understood(word, kind, is_master):
    """Every spelling of IMAGETYP is understood; flat-dark comes before dark and flat."""
    reading = kind_from_header(Header([Card("IMAGETYP", word)]))
    assert (reading.kind, reading.source, reading.is_master) == (kind, "IMAGETYP", is_master)


@pytest.mark.parametrize("word", ["comp", "Flatiron", "Darkness", "RejectionMapHigh", "focus"])
def test_other_words_in_headers_are_told(word):
    """A word that is no kind, even if it begins like one, gives no kind and a note."""
    reading = kind_from_header(Header([Card("IMAGETYP", word)]))
    assert reading.kind is None
    assert word in reading.notes[0]


@pytest.mark.parametrize(
    ("cards", "kind", "source"),
    [
        ([Card("IMAGETYP", "  "), Card("FRAME", "Bias")], BIAS, "FRAME"),
        ([Card("OBSTYPE", "SKYFLAT"), Card("FRAME", "FK5")], FLAT, "OBSTYPE"),
        ([Card("PICTTYPE", 3)], DARK, "PICTTYPE"),
        ([Card("PICTTYPE", 0)], None, ""),
        ([Card("CALFRAME", "MasterFlat")], FLAT, "CALFRAME"),
        ([Card("INTEGRAT", "Integration")], LIGHT, "INTEGRAT"),
        ([Card("CALSTAT", "BDF")], LIGHT, "CALSTAT"),
        ([Card("CALSTAT", "B")], None, ""),
        ([Card("XISF:IMAGETYPE", "MasterFlat"), Card("IMAGETYP", "LIGHT")], FLAT, "XISF:IMAGETYPE"),
    ],
)
def test_the_first_keyword_that_is_understood_decides(cards, kind, source):
    """The first keyword that is understood decides."""
    reading = kind_from_header(Header(cards))
    assert (reading.kind, reading.source) == (kind, source)


@pytest.mark.parametrize(
    ("path", "kind", "is_master"),
    [
        ("bias/Bias_ASIImg_frame0001.fit", BIAS, False),
        ("dark_100s/ASIImg_100sec_frame0001.fit", DARK, False),
        ("m13/domeflat_sdss_g_001.fits", FLAT, False),
        ("M 94/Light_M 94_10.0s_IRCUT_20250326-212046.fit", LIGHT, False),
        ("DARK_EXP_120_GAIN_60.fits", DARK, False),
        ("CALI_FRAME/dark_exp_120.000000_gain_60_bin_1_44C_stack_9.fits", DARK, True),
        ("MasterFlat_Stack20_50.0ms_Bin1_2600MC_filter-NoFilter_gain100.fit", FLAT, True),
        ("masterBias_BIN-1_6248x4176.xisf", BIAS, True),
        ("master_flat_corrected_with_flat_darks_R_20xF_.fits", FLAT, True),
        ("master_dark_30x300s_at_-10C_.fits", DARK, True),
        ("dark_stacked.fit", DARK, True),
        ("pp_flat_stacked.fit", FLAT, True),
        ("r_pp_light_00001.fit", LIGHT, False),
        ("Stacked_187_M 94_10.0s_IRCUT.fit", None, True),
        ("2024-01-01/DARKFLAT/2024_R_0.5s_0001.fits", FLAT_DARK, False),
        ("flat darks/darks_001.fits", FLAT_DARK, False),
        ("Ha Flats/0001.fits", FLAT, False),
        ("M31/lights/Ha/300s/0001.fits", LIGHT, False),
        ("LIGHTS/darks_and_lights/0001.fits", LIGHT, False),
        ("M31_2024-01-01_DARK_300s.fits.gz", DARK, False),
        ("offset_001.cr2", BIAS, False),
        ("M31_Gain120_Offset30_0001.fits", None, False),
        ("gain100_offset10/0001.fits", None, False),
        ("Flatiron/0001.fits", None, False),
        ("flatiron_001.fits", None, False),
        ("test_light_frames_scan0/x.fits", None, False),
        ("masterpiece/Master of the universe.fits", None, False),
        ("x.fits", None, False),
    ],
)
def test_whole_words_of_paths_tell_the_kind(path, kind, is_master):
    """Whole words of file and folder names tell; parts of words, settings and targets do not."""
    reading = kind_from_path(Path(path))
    assert (reading.kind, reading.is_master) == (kind, is_master)


def test_name_and_folder_that_disagree_leave_the_kind_unknown():
    """A file 'dark…' in a folder 'lights' is neither; both words are told."""
    reading = kind_from_path(Path("lights/DarkShark_0001.fits"))
    assert reading.kind is None
    assert "dark" in reading.notes[0]
    assert "light" in reading.notes[0]


def test_the_name_of_the_object_does_not_mislead():
    """A target named 'Darks' or 'Dark Shark' is left out of file and folder names."""
    assert kind_from_path(Path("Darks/Light_Darks_0001.fits"), "Darks").kind is LIGHT
    assert kind_from_path(Path("lights/Dark_Shark_0001.fits"), "Dark Shark").kind is LIGHT
    assert kind_from_path(Path("Darks_0001.fits"), "Darks").kind is None


def frame(kind, exposure_s, **others):
    """Return a frame as a scan would have it."""
    return FrameInfo(
        path=Path("x.fits"),
        format="fits",
        height=10,
        width=10,
        channels=1,
        sample_format="uint16",
        kind=kind,
        kind_from="IMAGETYP",
        exposure_s=exposure_s,
        **others,
    )


def kinds(*frames):
    """Return the kinds after recognition."""
    return [found.kind for found in recognise_flat_darks(frames)]


def test_a_dark_with_the_flats_exposure_is_a_flat_dark():
    """It becomes one by its exposure, with a note; the other dark and the rest stay."""
    frames = [
        frame(LIGHT, 300.0),
        frame(FLAT, 2.37),
        frame(DARK, 2.37),
        frame(DARK, 300.0),
        frame(BIAS, 2.37),
    ]
    found = recognise_flat_darks(frames)
    assert [info.kind for info in found] == [LIGHT, FLAT, FLAT_DARK, DARK, BIAS]
    assert found[2].kind_from == "exposure"
    assert "2.37 s" in found[2].notes[0]
    assert found[0] is frames[0]


def test_a_dark_that_lights_could_need_stays_a_dark():
    """Where a light has the exposure of the flats, the dark is not taken from it."""
    assert kinds(frame(LIGHT, 2.0), frame(FLAT, 2.0), frame(DARK, 2.0))[2] is DARK


@pytest.mark.parametrize(
    ("flat", "dark", "kind"),
    [
        ({"gain": 100}, {"gain": 0}, DARK),
        ({"gain": 100}, {}, FLAT_DARK),
        ({"binning": (1, 1)}, {"binning": (2, 2)}, DARK),
        ({"camera": "A"}, {"camera": "B"}, DARK),
        ({"camera": "A"}, {"camera": "A"}, FLAT_DARK),
    ],
)
def test_settings_that_both_know_must_agree(flat, dark, kind):
    """Gain, binning and camera tell frames apart only where both state them."""
    assert kinds(frame(FLAT, 2.0, **flat), frame(DARK, 2.0, **dark))[1] is kind


def test_a_dark_of_the_flat_wizard_is_a_flat_dark():
    """N.I.N.A.'s flat wizard writes its own name as OBJECT."""
    (found,) = recognise_flat_darks([frame(DARK, 2.0, object="FlatWizard")])
    assert (found.kind, found.kind_from) == (FLAT_DARK, "OBJECT")


def test_unknown_exposures_do_not_match():
    """A dark of unknown exposure stays a dark."""
    assert kinds(frame(FLAT, None), frame(DARK, None))[1] is DARK
