"""Facts that only file names carry."""

from pathlib import Path

import pytest

from lightframe.frames._names import facts_of_name


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("masterBias_BIN-1_6248x4176.xisf", {"binning": (1, 1)}),
        (
            "masterDark_BIN-2_6248x4176_EXPOSURE-300.00s_GAIN-100_SET-TEMP--10.xisf",
            {"binning": (2, 2), "exposure_s": 300.0, "gain": 100.0, "set_temperature_c": -10.0},
        ),
        (
            "masterFlat_BIN-1_6248x4176_FILTER-Red_mono.xisf",
            {"binning": (1, 1), "filter": "Red"},
        ),
        (
            "masterLight_BIN-1_6248x4176_EXPOSURE-300.00s_FILTER-NoFilter_RGB_TARGET-NGC 7331.xisf",
            {"binning": (1, 1), "exposure_s": 300.0},
        ),
        (
            "light-FILTER_Red-BINNING_1-EXPTIME_300.xisf",
            {"binning": (1, 1), "exposure_s": 300.0, "filter": "Red"},
        ),
        (
            "masterDark_EXPOSURE-60_SETTEMP--10_GAIN-100_OFFSET-50_READOUTM-High Gain.xisf",
            {
                "exposure_s": 60.0,
                "set_temperature_c": -10.0,
                "gain": 100.0,
                "offset": 50.0,
                "readout_mode": "High Gain",
            },
        ),
        (
            "Light_M42_10.0s_Bin1_S_gain360_20240320-203324_-10.0C_0001.fit",
            {
                "exposure_s": 10.0,
                "binning": (1, 1),
                "filter": "S",
                "gain": 360.0,
                "temperature_c": -10.0,
            },
        ),
        (
            "MasterFlat_Stack20_50.0ms_Bin1_2600MC_filter-NoFilter_gain100_20250221_1.6C.fit",
            {
                "frames_combined": 20,
                "exposure_s": 0.05,
                "binning": (1, 1),
                "gain": 100.0,
                "temperature_c": 1.6,
            },
        ),
        (
            "Light_M31_300.0s_Bin1_2600MC_gain100_20240320-203324_-10.0C_0001.fit",
            {"exposure_s": 300.0, "binning": (1, 1), "gain": 100.0, "temperature_c": -10.0},
        ),
        (
            "dark_exp_120.000000_gain_60_bin_1_44C_stack_9.fits",
            {
                "exposure_s": 120.0,
                "gain": 60.0,
                "binning": (1, 1),
                "temperature_c": 44.0,
                "frames_combined": 9,
            },
        ),
        ("bias_gain_2_bin_1.fits", {"gain": 2.0, "binning": (1, 1)}),
        (
            "master_dark_30x300s_at_-10C_.fits",
            {"frames_combined": 30, "exposure_s": 300.0, "temperature_c": -10.0},
        ),
        (
            "LIGHT_240s_1600iso_+28c_00721stdev_20131230-23h12m14s396ms.CR2",
            {"exposure_s": 240.0, "gain": 1600.0, "temperature_c": 28.0},
        ),
        ("Dark_ASIImg_30sec_frame0003.fit", {"exposure_s": 30.0}),
        ("offset_001.fit", {}),
        ("M13_sdss_g_20190503_090311.fits", {}),
        ("IC_1396_C_0001.fits", {}),
        ("Sh2-101_3C273.fits", {}),
    ],
)
def test_names_of_files_give_their_facts(name, facts):
    """Each program's spelling gives its facts, and nothing else is read into a name."""
    assert facts_of_name(Path(name)) == facts
