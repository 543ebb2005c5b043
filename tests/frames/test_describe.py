"""From literal headers, as the programs write them, to FrameInfo."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightframe.errors import InputError
from lightframe.frames import VOCABULARY, Card, FrameInfo, FrameKind, Header, frame_info
from lightframe.frames._fits_cards import parse_cards

BIAS, DARK, FLAT_DARK, FLAT, LIGHT = FrameKind


def header_of(text):
    """Parse the lines of a literal FITS header."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return Header(parse_cards("".join(line.ljust(80) for line in lines).encode("latin-1")))


def described(text="", name="x.fits", *, channels=1, shape=(1080, 1920), cards=()):
    """Describe a frame with a literal header, or with cards."""
    return frame_info(
        Path(name),
        "fits",
        height=shape[0],
        width=shape[1],
        channels=channels,
        sample_format="uint16",
        header=Header(cards) if cards else header_of(text),
    )


def facts(info, *names):
    """Return some fields of a frame."""
    return tuple(getattr(info, name) for name in names)


def noted(info, words):
    """Tell whether one of the notes holds `words`."""
    return any(words in note for note in info.notes)


def test_nina_lights_tell_nearly_everything():
    """N.I.N.A. writes nearly everything; the night follows from the local time."""
    info = described("""
        IMAGETYP= 'LIGHT'              / Type of exposure
        EXPOSURE=                300.0 / [s] Exposure duration
        EXPTIME =                300.0 / [s] Exposure duration
        DATE-LOC= '2026-07-28T01:12:39.9620845' / Time of observation (local)
        DATE-OBS= '2026-07-27T23:12:39.9620845' / Time of observation (UTC)
        XBINNING=                    2
        YBINNING=                    2
        GAIN    =                  100 / Sensor gain
        OFFSET  =                   50 / Sensor gain offset
        EGAIN   =                 0.25 / [e-/ADU] Electrons per A/D unit
        XPIXSZ  =                  5.8 / [um] Pixel X axis size
        INSTRUME= 'ZWO ASI585MC Pro'
        SET-TEMP=                -10.0
        CCD-TEMP=                 -9.8
        READOUTM= 'High Gain'
        FILTER  = 'L'
        ROTATANG=                -10.0
        PIERSIDE= 'East'
        FOCALLEN=                243.0 / [mm] Focal length
        SWCREATE= 'N.I.N.A. 3.2.0.9001 (x64)'
        """)
    assert facts(info, "kind", "kind_from", "is_master") == (LIGHT, "IMAGETYP", False)
    assert facts(info, "exposure_s", "gain", "egain", "offset") == (300.0, 100.0, 0.25, 50.0)
    assert facts(info, "set_temperature_c", "temperature_c", "binning") == (-10.0, -9.8, (2, 2))
    assert facts(info, "filter", "readout_mode", "pier_side") == ("L", "High Gain", "east")
    assert facts(info, "pixel_size_um", "focal_length_mm", "rotation_deg") == (5.8, 243.0, 350.0)
    assert abs(info.time.timestamp() - 1_785_193_959.9620845) < 1e-5
    assert info.night == date(2026, 7, 27)
    assert info.notes == ()


def test_sequence_generator_pro_has_exposure_only():
    """SGPro writes EXPOSURE and no EXPTIME."""
    info = described("""
        IMAGETYP= 'FLAT'
        CREATOR = 'Sequence Generator Pro v3.1.0.479'
        EXPOSURE=                   30
        TEMPERAT=                  -18
        """)
    assert facts(info, "kind", "exposure_s", "temperature_c") == (FLAT, 30.0, -18.0)


def test_maxim_light_that_is_calibrated():
    """CALSTAT tells what was applied; MaxIm's negative PEDESTAL is a pedestal of 100 DN."""
    info = described("""
        IMAGETYP= 'Flat Field'
        SWCREATE= 'MaxIm DL Version 6.13'
        PEDESTAL=                 -100 /Correction to add for zero-based ADU
        CALSTAT = 'BDF     '
        """)
    assert info.kind is FLAT
    assert info.calibration == {BIAS, DARK, FLAT}
    assert info.pedestal_dn == 100.0
    assert noted(info, "PEDESTAL = -100")


def test_the_sky_x_tells_kinds_by_picttype():
    """PICTTYPE 3 is a dark where IMAGETYP is missing."""
    info = described("PICTTYPE=                    3\nCCD-TEMP=                  -20")
    assert facts(info, "kind", "kind_from") == (DARK, "PICTTYPE")


def test_apt_snapshot_counts_frames():
    """APT's SNAPSHOT is the number of frames combined: 5 make a master."""
    info = described("IMAGETYP= 'Dark Frame'\nSNAPSHOT=                    5\nEXPTIME =   240.")
    assert facts(info, "kind", "frames_combined", "is_master") == (DARK, 5, True)


def test_sharpcap_without_type_is_of_unknown_kind():
    """SharpCap may write no type; BLKLEVEL is its offset. Nothing defaults to light."""
    text = "SWCREATE= 'SharpCap v4.0'\nBLKLEVEL=                   20\nEXPTIME =       2"
    info = described(text)
    assert facts(info, "kind", "kind_from", "offset") == (None, "", 20.0)
    assert noted(info, "not known")
    info = described(text, "M42/lights/0001.fits")
    assert facts(info, "kind", "kind_from") == (LIGHT, "path")
    assert noted(info, "the folder 'lights'")


def test_asiair_master_by_its_name_alone():
    """All facts of the name are taken as the last resort, and the note lists them."""
    info = described(
        "SIMPLE  =                    T",
        "MasterFlat_Stack20_50.0ms_Bin1_2600MC_filter-NoFilter_gain100_20250221_1.6C.fit",
    )
    assert facts(info, "kind", "kind_from", "is_master") == (FLAT, "path", True)
    assert facts(info, "exposure_s", "gain", "temperature_c") == (0.05, 100.0, 1.6)
    assert facts(info, "frames_combined", "filter", "binning") == (20, None, (1, 1))
    assert noted(info, "from the file's name alone")


def test_dwarflab_keywords_are_understood():
    """DWARFLAB writes EXP, BINNING '2*2', DET-TEMP and no type."""
    info = described(
        """
        EXP     =                  15. / [s] Sub Exposure Time
        GAIN    =                  110 / Sub Gain
        BINNING = '2*2     '           / n*n pixels add together
        DET-TEMP=                   44
        OBJECT  = '        '           / Observe object
        BAYERPAT= 'GBRG    '
        ORIGIN  = 'DWARFLAB'
        """,
        "dark_exp_15.000000_gain_110_bin_2_44C_stack_9.fits",
    )
    assert facts(info, "kind", "exposure_s", "gain", "binning") == (DARK, 15.0, 110.0, (2, 2))
    assert facts(info, "temperature_c", "object", "frames_combined") == (44.0, None, 9)
    assert info.cfa.name == "GBRG"


def test_seestar_stacks_in_colour_have_no_pattern():
    """A stack of three planes has no pattern, whatever BAYERPAT says; TOTALEXP is its sum."""
    info = described(
        """
        CREATOR = 'ZWO Seestar S50'
        PROGRAM = '4.43    '
        IMAGETYP= 'Light   '
        STACKCNT=                  187 / Stack frames
        EXPTIME =                  10. / Exposure time in seconds
        EXPOSURE=                  10. / Exposure time in seconds
        BAYERPAT= 'GRBG    '
        TOTALEXP=                1870.
        """,
        channels=3,
    )
    assert facts(info, "cfa", "is_master", "software") == (None, True, "ZWO Seestar S50")
    assert facts(info, "exposure_s", "total_exposure_s", "frames_combined") == (10.0, 1870.0, 187)


def test_indi_tells_kind_by_frame_and_unbinned_pixel_size():
    """INDI's FRAME tells the kind; PIXSIZE1 is the sensor's pixel and is multiplied by binning."""
    info = described("""
        FRAME   = 'Dark    '
        DARKTIME=                 60.0
        PIXSIZE1=                 3.76 / Pixel Size 1 (microns)
        XBINNING=                    2
        YBINNING=                    2
        """)
    assert facts(info, "kind", "kind_from", "exposure_s") == (DARK, "FRAME", 60.0)
    assert info.pixel_size_um == 7.52


def test_indigo_dark_flats_are_flat_darks():
    """INDIGO's DarkFlat is a flat-dark."""
    assert described("IMAGETYP= 'DarkFlat'").kind is FLAT_DARK


def test_voyager_lights_are_lights():
    """Voyager writes LIGHT."""
    info = described("IMAGETYP= 'LIGHT'\nSWCREATE= 'Voyager 2.3.10'")
    assert facts(info, "kind", "software") == (LIGHT, "Voyager 2.3.10")


def test_masters_of_astro_pixel_processor_are_known():
    """APP tells by CALFRAME, FILT-1, NUMFRAME and CFAIMAGE."""
    info = described("""
        SOFTWARE= 'Astro Pixel Processor by Aries Productions' / software
        CALFRAME= 'MasterFlat'         / master flat frame
        CFAIMAGE= 'RGGB    '           / Color Filter Array pattern
        ROWORDER= 'TOP-DOWN'
        EXPTIME =                 1.28 / exposure time (s)
        AD-PED  =                0.001 / adaptive pedestal from data calibration
        FILT-1  = 'HaOIII  '
        NUMFRAME=                   30
        """)
    assert facts(info, "kind", "is_master", "frames_combined") == (FLAT, True, 30)
    assert facts(info, "filter", "exposure_s", "cfa") == ("HaOIII", 1.28, info.cfa)
    assert info.cfa.name == "RGGB"
    assert noted(info, "AD-PED")


def test_masters_of_pixinsight_in_xisf_are_known():
    """imageType, properties and HISTORY of an XISF master; Camera:Gain there is e-/DN."""
    info = described(
        cards=(
            Card("XISF:IMAGETYPE", "MasterDark"),
            Card("INSTRUMENT:EXPOSURETIME", 300.0),
            Card("INSTRUMENT:CAMERA:GAIN", 0.25),
            Card("INSTRUMENT:CAMERA:XBINNING", 2),
            Card("INSTRUMENT:CAMERA:YBINNING", 2),
            Card("INSTRUMENT:SENSOR:TEMPERATURE", -9.9),
            Card("INSTRUMENT:SENSOR:TARGETTEMPERATURE", -10),
            Card("INSTRUMENT:SENSOR:XPIXELSIZE", 7.52),
            Card("INSTRUMENT:TELESCOPE:FOCALLENGTH", 0.53),
            Card("INSTRUMENT:FILTER:NAME", "Ha"),
            Card("OBSERVATION:OBJECT:NAME", "M 31"),
            Card("OBSERVATION:TIME:START", "2022-03-07T21:58:44.060Z"),
            Card("PCL:TOTALEXPOSURETIME", 12000.0),
            Card("PCL:CFASOURCEPATTERN", "GBRG"),
            Card("HISTORY", "ImageIntegration.numberOfImages: 40"),
            Card("HISTORY", "ImageCalibration.masterBias.enabled: true"),
            Card("HISTORY", "ImageCalibration.masterDark.enabled: false"),
        )
    )
    assert facts(info, "kind", "is_master", "frames_combined") == (DARK, True, 40)
    assert facts(info, "exposure_s", "total_exposure_s", "gain") == (300.0, 12000.0, None)
    assert facts(info, "egain", "binning", "pixel_size_um") == (0.25, (2, 2), 7.52)
    assert facts(info, "temperature_c", "set_temperature_c") == (-9.9, -10.0)
    assert facts(info, "focal_length_mm", "filter", "object") == (530.0, "Ha", "M 31")
    assert info.time == datetime(2022, 3, 7, 21, 58, 44, 60_000, UTC)
    assert info.calibration == {BIAS}
    assert info.cfa.name == "GBRG"


def test_row_order_and_height_reach_the_colour_phase():
    """Row order and height reach the colour phase."""
    text = "BAYERPAT= 'RGGB'\nROWORDER= 'BOTTOM-UP'"
    assert described(text, shape=(1081, 1920)).cfa.name == "RGGB"
    assert described(text, shape=(1080, 1920)).cfa.name == "GBRG"
    assert described(text).row_order == "BOTTOM-UP"
    x_trans = "GGRGGBGGBGGRBRGRBGGGBGGRGGRGGBRBGBRG"
    assert described(f"BAYERPAT= '{x_trans}'\nROWORDER= 'TOP-DOWN'").cfa.name == x_trans


def test_asicap_microseconds_and_decimal_commas_are_understood():
    """ASICAP's EXPOINUS is in us; ASIImg's decimal comma is understood, quoted or not."""
    assert described("EXPOINUS=                   64 / Exposure time in us").exposure_s == 6.4e-05
    assert described("EXPTIME =              6,4E-05 / Exposure time").exposure_s == 6.4e-05
    assert described("EXPTIME = '6,4E-05 '           / Exposure time").exposure_s == 6.4e-05


@pytest.mark.parametrize(
    ("text", "gain", "egain", "words"),
    [
        ("GAIN    = 1.6\nOBSTYPE = 'SCIENCE'", None, 1.6, "observatory"),
        ("GAIN    = 2\nRDNOISE = 7.1", None, 2.0, "observatory"),
        ("GAIN    = 1.6", None, 1.6, "not an integer"),
        ("GAIN    = 2 / [e-/ADU]", None, 2.0, "comment"),
        ("GAIN    = 2 / gain, electrons per adu", None, 2.0, "comment"),
        ("GAIN    = 95", 95.0, None, "camera's setting"),
        ("GAIN    = 95\nSWCREATE= 'SharpCap'", 95.0, None, ""),
        ("GAIN    = 1.5\nEGAIN   = 0.8", 1.5, 0.8, ""),
        ("GAIN    = 0\nEGAIN   = 0\nOFFSET  = 1", 0.0, None, ""),
        ("GAIN    = -1", None, None, ""),
        ("ISOSPEED= 800", 800.0, None, ""),
    ],
)
def test_gain_is_a_setting_or_electrons(text, gain, egain, words):
    """What GAIN means is decided by its company, and said where it is not certain."""
    info = described(text)
    assert facts(info, "gain", "egain") == (gain, egain)
    assert noted(info, "GAIN") == bool(words)
    assert not words or noted(info, words)


def test_two_pedestals_that_differ_are_an_error():
    """Two PEDESTAL cards that differ are an error; two equal ones are one."""
    with pytest.raises(InputError, match=r"2 PEDESTAL cards that differ \(50, 100 DN\)"):
        described("PEDESTAL=   100\nPEDESTAL=   50")
    assert described("PEDESTAL=   100\nPEDESTAL=   100").pedestal_dn == 100.0
    assert described("OFFSET  =   100").pedestal_dn is None


def test_panel_flats_called_light_are_reported():
    """A 'Light Frame' in a folder 'flats' stays a light, and the contradiction is told."""
    info = described("IMAGETYP= 'Light Frame'", "flats/panel_001.fits")
    assert facts(info, "kind", "kind_from") == (LIGHT, "IMAGETYP")
    assert noted(info, "IMAGETYP says light, but the folder 'flats' says flat")


def test_a_finer_word_of_the_path_is_believed():
    """DARK in a folder 'flat darks' is a flat-dark: the two do not contradict each other."""
    info = described("IMAGETYP= 'DARK'", "flat darks/0001.fits")
    assert facts(info, "kind", "kind_from") == (FLAT_DARK, "path")
    info = described("IMAGETYP= 'DARKFLAT'", "darks/0001.fits")
    assert (info.kind, info.notes) == (FLAT_DARK, ())


def test_gain_of_wbpp_masters_stays_unknown():
    """A WBPP master carries exposure, filter and binning; its gain stays unknown."""
    info = described(
        """
        IMAGETYP= 'Master Dark'
        XBINNING=                    1
        YBINNING=                    1
        EXPTIME =                  300
        COMMENT Master frame generated with Batch Preprocessing Script v1.45
        """,
        "masterDark_BIN-1_6248x4176_EXPOSURE-300.00s.xisf",
    )
    assert facts(info, "kind", "is_master", "exposure_s") == (DARK, True, 300.0)
    assert facts(info, "gain", "offset", "temperature_c", "notes") == (None, None, None, ())


def test_a_master_that_only_its_name_calls_so():
    """Some programs write a bare DARK into masters; the file name is believed, and that is said."""
    info = described("IMAGETYP= 'DARK'", "masterDark_300s.fits")
    assert info.is_master
    assert noted(info, "taken as a master")


def test_sub_exposures_of_stacks_are_found():
    """Where EXPTIME is the total of a stack, the sub-exposure is found."""
    text = "IMAGETYP= 'Light'\nSTACKCNT=   20\n"
    info = described(text + "EXPTIME =  1200\nEXPOSURE=    60")
    assert facts(info, "exposure_s", "total_exposure_s") == (60.0, 1200.0)
    info = described(text + "EXPTIME =  1200\nTOTALEXP=  1200")
    assert facts(info, "exposure_s", "total_exposure_s") == (60.0, 1200.0)
    info = described("IMAGETYP= 'Light'\nEXPTIME =  1200\nEXPOSURE=    60")
    assert info.exposure_s == 1200.0
    assert noted(info, "differ")


@pytest.mark.parametrize(
    ("text", "night", "words"),
    [
        ("DATE-OBS= '2024-01-02T01:00:00'\nSITELONG= '-105 49 13'", date(2024, 1, 1), ""),
        ("DATE-OBS= '2024-01-01T11:12:00'\nSITELONG=    149.06", date(2024, 1, 1), ""),
        ("DATE-OBS= '2024-01-01T11:12:00'", date(2023, 12, 31), "that of UTC"),
        ("DATE-OBS= '03/05/19'\nTIME-OBS= '22:00:00'\nSITELONG= 0", date(2019, 5, 3), ""),
        ("JD      = 2458606.8772106483\nSITELONG= -105.8", date(2019, 5, 2), ""),
        ("MJD-OBS = 58606.3772106483\nSITELONG= -105.8", date(2019, 5, 2), ""),
        ("DATE-OBS= '2024-01-01'", None, ""),
        ("DATE-LOC= '2024-01-02T01:00:00'", date(2024, 1, 1), "without time zone"),
    ],
)
def test_a_night_is_the_local_date_minus_12_hours(text, night, words):
    """The night is the local date minus 12 hours, by local time, longitude or, noted, UTC."""
    info = described(text)
    assert info.night == night
    assert not words or noted(info, words)


def test_a_longitude_that_is_no_number_is_none():
    """A program that knows no place writes NaN: the frame is described all the same."""
    info = described("DATE-OBS= '2024-01-02T23:04:05'\nSITELONG= NaN\nROTATANG= NaN")

    assert (info.night, info.rotation_deg) == (date(2024, 1, 2), None)
    assert noted(info, "the night is that of UTC")


@pytest.mark.parametrize("keyword", ["PICTTYPE", "XISF:CFAWIDTH"])
def test_digits_that_are_no_numbers_are_none(keyword):
    """A stray byte of Latin-1 is a superscript two: a digit, but not one to count with."""
    info = described(cards=[Card(keyword, "\u00b2"), Card("XISF:CFAPATTERN", "RGGB")])

    assert info.kind is None


def test_exif_cards_of_daylight_cameras_are_understood():
    """EXIF cards: shutter time as a fraction, ISO as gain, the camera's clock as it is."""
    info = described(
        cards=(
            Card("IMAGE MODEL", "Canon EOS 350D DIGITAL"),
            Card("EXIF EXPOSURETIME", "1/15"),
            Card("EXIF ISOSPEEDRATINGS", "400"),
            Card("EXIF FOCALLENGTH", "55"),
            Card("EXIF DATETIMEORIGINAL", "2005:08:03 00:59:18"),
        )
    )
    assert facts(info, "camera", "gain", "focal_length_mm") == (
        "Canon EOS 350D DIGITAL",
        400.0,
        55.0,
    )
    assert info.exposure_s == 1 / 15
    assert (info.time, info.night) == (datetime(2005, 8, 3, 0, 59, 18, 0, UTC), date(2005, 8, 2))
    assert noted(info, "without time zone")


def test_a_camera_that_states_zeros_states_nothing():
    """ISO 0, shutter 0 and focal length 0 are unknown."""
    names = ("EXIF EXPOSURETIME", "EXIF ISOSPEEDRATINGS", "EXIF FOCALLENGTH")
    info = described(cards=tuple(Card(name, "0") for name in names))
    assert facts(info, "exposure_s", "gain", "focal_length_mm") == (None, None, None)


def test_time_zone_of_a_camera_gives_utc():
    """With its time zone the camera's clock gives UTC."""
    info = described(
        cards=(
            Card("EXIF DATETIMEORIGINAL", "2024:08:03 00:30:00"),
            Card("EXIF OFFSETTIMEORIGINAL", "-03:30"),
        )
    )
    assert info.time == datetime(2024, 8, 3, 4, 0, tzinfo=UTC)
    assert info.notes == ("what the frame is for is not known",)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("CALSTAT = 'BD'", {BIAS, DARK}),
        ("CALSTAT = 'calibrated'", set()),
        ("HISTORY Bias Subtraction (Bias 1, 4864 x 3232, Bin1 x 1, Temp -35C,", {BIAS}),
        ("HISTORY Flat-Bias(Bias 1,4864 x 3232,Bin1 x 1,Temp -35C,Exp Time 0ms)", set()),
        ("HISTORY Dark corrected with mdark60.fits", {DARK}),
        ("HISTORY Calibrated with a master flat", {FLAT}),
        ("HISTORY ImageCalibration.masterFlat.fileName: masterFlat.xisf", {FLAT}),
        ("FLATCOR = 'Feb  2 15:51 Flat field image is flat.R'", {FLAT}),
        ("DARKCOR = 'OMIT'\nFLATCOR =        F", set()),
    ],
)
def test_calibration_already_done_is_told(text, kinds):
    """CALSTAT, HISTORY of several programs and IRAF's keywords tell what has been applied."""
    assert described(text).calibration == kinds


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("INSTRUME= 'ASCOM Camera'\nCAMERAID= 'QHY268M'", "camera", "QHY268M"),
        ("FILTER  = 'NoFilter'", "filter", None),
        ("FILTER  = 'N/A'\nINSFLNAM= 'Red'", "filter", "Red"),
        ("OBJECT  =                 7331", "object", "7331"),
        ("CCD-TEMP=               -273.15", "temperature_c", None),
        ("XBINNING=                    0", "binning", (1, 1)),
        ("CCDSUM  = '2 1'", "binning", (2, 1)),
        ("PIERSIDE= 'pierWest'", "pier_side", "west"),
        ("PIERSIDE= -1", "pier_side", None),
        ("FOCAL   =                 0.53", "focal_length_mm", 530.0),
        ("SATURATE=                65535", "saturation_dn", 65535.0),
        ("DATAMAX =                65535", "saturation_dn", None),
        ("FLAT_CNT=  20\nIMAGETYP= 'FLAT'", "frames_combined", 20),
        ("FLAT_CNT=  20\nIMAGETYP= 'LIGHT'", "frames_combined", None),
        ("PEDESTAL=                    0", "pedestal_dn", 0.0),
    ],
)
def test_each_fact_is_read_from_its_keywords(text, field, value):
    """Keywords in their order, vendor words that say nothing, and units."""
    assert getattr(described(text), field) == value


def test_an_empty_header_says_nothing():
    """Without a header all facts are unknown, not defaults."""
    info = described()
    unknown = FrameInfo(
        path=Path("x.fits"),
        format="fits",
        height=1080,
        width=1920,
        channels=1,
        sample_format="uint16",
        notes=("what the frame is for is not known",),
    )
    assert info == unknown


def test_the_notes_of_the_reader_are_kept():
    """What the format's reader has to say comes first."""
    info = frame_info(
        Path("light_1.fits"),
        "fits",
        height=1,
        width=1,
        channels=1,
        sample_format="float32",
        header=Header(),
        notes=("samples are fractions of full scale",),
    )
    assert info.notes[0] == "samples are fractions of full scale"


def test_every_row_has_a_meaning_and_keywords_in_capitals():
    """The vocabulary is a table fit for documentation."""
    for entry in VOCABULARY.entries():
        assert entry.meaning
        assert all(keyword.name == keyword.name.upper() for keyword in entry.value.keywords)
        assert all(keyword.factor > 0 for keyword in entry.value.keywords)


KEYWORDS = sorted(
    {keyword.name for row in VOCABULARY.values() for keyword in row.keywords}
    | {"IMAGETYP", "PICTTYPE", "CALSTAT", "BAYERPAT", "HISTORY", "XISF:CFAPATTERN", "AD-PED"}
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.text("0123456789TZ:/.,+eE -", max_size=24)
)


@given(
    cards=st.lists(st.builds(Card, st.sampled_from(KEYWORDS), VALUES, st.text(max_size=8))),
    name=st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=30),
)
def test_no_header_is_too_strange(cards, name):
    """Whatever stands in a header or a name, the frame is described; nothing is raised."""
    cards = tuple(cards) or (Card("SIMPLE", True),)
    info = described(name=name, cards=cards)
    assert info.exposure_s is None or info.exposure_s >= 0
    assert info.binning is None or min(info.binning) >= 1
    assert info.pixel_size_um is None or info.pixel_size_um > 0


@pytest.mark.parametrize(
    ("text", "sample_format", "white"),
    [
        ("", "uint8", 255.0),
        ("", "uint16", 65535.0),
        ("SATURATE=                60000", "uint16", 60000.0),
        ("SATURATE=               100000", "uint16", 65535.0),
        ("SATURATE=               100000", "float32", 100000.0),
        ("", "float32", None),
    ],
)
def test_the_highest_value_is_stated_or_that_of_the_integers(text, sample_format, white):
    """The smaller of both counts, as where electrons are stated; of floats nothing is known."""
    assert replace(described(text), sample_format=sample_format).white_dn == white
