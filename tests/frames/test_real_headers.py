"""Headers of real frames: each file's facts, read by eye from its text."""

from datetime import date
from pathlib import Path

import pytest

from lightframe.frames import FrameKind, Header, frame_info, read_info
from lightframe.frames._fits_cards import parse_cards

BIAS, DARK, FLAT_DARK, FLAT, LIGHT = FrameKind

EXPECTED = {
    "header_app.txt": {
        "kind": LIGHT, "kind_from": "INTEGRAT", "is_master": True, "exposure_s": 900.0,
        "gain": 0.0, "software": "Astro Pixel Processor by Aries Productions",
    },
    "header_app2.txt": {
        "kind": FLAT, "kind_from": "CALFRAME", "is_master": True, "exposure_s": 1.28,
        "gain": 120.0, "filter": "HaOIII", "camera": "ZWO ASI294MC Pro", "cfa": "RGGB",
        "row_order": "TOP-DOWN", "frames_combined": 30,
        "software": "Astro Pixel Processor by Aries Productions",
    },
    "header_apt.txt": {
        "kind": LIGHT, "exposure_s": 240.0, "gain": 120.0, "egain": 1.00224268436432,
        "set_temperature_c": -15.0, "binning": (1, 1), "camera": "ZWO ASI294MC Pro",
        "telescope": "EQMOD HEQ5/6", "object": "TEST", "focal_length_mm": 400.0,
        "pixel_size_um": 4.63, "night": date(2018, 9, 17), "frames_combined": 1,
        "software": "Astro Photography Tool - APT v.3.54.1",
    },
    "header_dwarflab.txt": {
        "kind": None, "kind_from": "", "exposure_s": 15.0, "gain": 110.0, "binning": (2, 2),
        "camera": "DWARFII", "telescope": "DWARFII", "software": "DWARFLAB", "cfa": "GBRG",
        "night": date(2023, 6, 10),
    },
    "header_maximdl.txt": {
        "kind": LIGHT, "exposure_s": 300.0, "readout_mode": "Monochrome",
        "temperature_c": -34.99380225, "set_temperature_c": -35.0, "binning": (1, 1),
        "filter": "SII", "camera": "Apogee USB/Net", "telescope": "iTelescope 33",
        "object": "m17", "focal_length_mm": 1425.0, "aperture_mm": 392.0, "pixel_size_um": 7.4,
        "rotation_deg": 270.693881052116, "pier_side": "east", "night": date(2018, 7, 4),
        "calibration": {BIAS, DARK, FLAT}, "pedestal_dn": 100.0,
        "software": "MaxIm DL Version 5.24 140126 0KJR5",
    },
    "header_nina.txt": {
        "kind": LIGHT, "exposure_s": 30.0, "gain": 120.0, "egain": 1.00224268436432,
        "offset": 30.0, "temperature_c": -10.0, "set_temperature_c": -10.0, "binning": (1, 1),
        "camera": "ZWO ASI294MC Pro", "object": "MarsM45", "pixel_size_um": 4.63,
        "night": date(2021, 3, 2), "cfa": "RGGB", "row_order": "TOP-DOWN",
        "software": "N.I.N.A. 1.10.2.90",
    },
    "header_pixinsight.txt": {
        "kind": LIGHT, "is_master": True, "exposure_s": 120.0, "egain": 3.62, "binning": (1, 1),
        "filter": "LP", "camera": "ZWO ASI183MC Pro", "telescope": "EQMOD ASCOM HEQ5/6",
        "object": "Abell 1185", "focal_length_mm": 769.37892, "pixel_size_um": 4.63,
        "night": date(2022, 3, 7), "frames_combined": 238,
    },
    "header_seestar.txt": {
        "kind": LIGHT, "is_master": True, "exposure_s": 10.0, "total_exposure_s": 1870.0,
        "gain": 80.0, "temperature_c": 21.875, "binning": (1, 1), "filter": "IRCUT",
        "camera": "Seestar S50", "telescope": "S50_1623087d", "object": "NGC 6027A",
        "software": "ZWO Seestar S50", "focal_length_mm": 250.0,
        "pixel_size_um": 2.90000009536743, "night": date(2025, 5, 13), "frames_combined": 187,
    },
    "header_sharpcap.txt": {
        "kind": None, "kind_from": "", "exposure_s": 2.0, "temperature_c": 12.7,
        "binning": (1, 1), "camera": "ZWO ASI290MM Mini", "software": "SharpCap",
        "pixel_size_um": 2.90000009536743, "night": date(2019, 4, 29),
    },
    "nina-1.9-asi183mm.txt": {
        "kind": LIGHT, "exposure_s": 60.0, "gain": 50.0, "egain": 0.020356755703688,
        "offset": 8.0, "temperature_c": -20.0, "set_temperature_c": -20.0, "binning": (1, 1),
        "filter": "L", "camera": "ZWO ASI183MM Pro", "telescope": "Takahashi FC76-DCU",
        "object": "Great Orion Nebula", "focal_length_mm": 456.0, "pixel_size_um": 2.4,
        "night": date(2020, 1, 21), "software": "N.I.N.A. 1.9.0.900",
    },
    "nina-3.2-touptek-atr585m-partial.txt": {
        "kind": LIGHT, "exposure_s": 300.0, "gain": 100.0, "offset": 0.0,
        "readout_mode": "High Dynamic Range", "temperature_c": -9.9, "set_temperature_c": -10.0,
        "binning": (1, 1), "filter": "S", "camera": "ATR585M", "telescope": "SV555",
        "focal_length_mm": 243.0, "pixel_size_um": 2.9, "rotation_deg": 22.35,
        "pier_side": "east", "night": date(2026, 7, 28), "row_order": "TOP-DOWN",
        "software": "N.I.N.A. 3.2.0.9001 (x64)",
    },
    "nina-3.3-asi585mc-osc-bin2.txt": {
        "kind": LIGHT, "exposure_s": 10.0, "gain": 200.0, "egain": 0.239999994635582,
        "offset": 3.0, "temperature_c": -9.8, "set_temperature_c": -10.0, "binning": (2, 2),
        "camera": "ZWO ASI585MC Pro", "telescope": "Meade LX200GPS 10in", "object": "M 31",
        "focal_length_mm": 2500.0, "pixel_size_um": 5.8, "night": date(2026, 10, 4),
        "cfa": "RGGB", "row_order": "TOP-DOWN", "software": "N.I.N.A. 3.3.0.1064 (x64)",
    },
    "siril-0.9.12-asi294mc-gbrg.txt": {
        "kind": None, "kind_from": "", "exposure_s": 16.0, "temperature_c": -19.8,
        "binning": (1, 1), "camera": "ZWO ASI294MC Pro", "software": "Siril v0.9.12",
        "pixel_size_um": 4.63, "night": date(2021, 3, 20), "cfa": "GBRG",
    },
    "wcs_header_m106.txt": {"kind": None, "kind_from": ""},
}  # fmt: skip
EXPECTED["sgp_header.txt"] = EXPECTED["header_sgp_fixed_wcs.txt"] = {
    "kind": LIGHT, "exposure_s": 30.0, "gain": 120.0, "egain": 3.99000000953674, "offset": 30.0,
    "temperature_c": -17.5, "set_temperature_c": -18.0, "binning": (1, 1), "filter": "HaOIII",
    "camera": "ZWO ASI294MC Pro", "telescope": "EQMOD ASCOM HEQ5/6", "object": "M57",
    "focal_length_mm": 1480.0, "rotation_deg": 258.37, "night": date(2020, 5, 29),
    "software": "Sequence Generator Pro v3.1.0.479",
}  # fmt: skip

_SILENT = {"kind_from": "IMAGETYP", "is_master": False, "calibration": frozenset()}
_FIELDS = (
    "kind", "kind_from", "is_master", "exposure_s", "total_exposure_s", "gain", "egain", "offset",
    "readout_mode", "temperature_c", "set_temperature_c", "binning", "filter", "camera",
    "telescope", "object", "software", "focal_length_mm", "aperture_mm", "pixel_size_um",
    "rotation_deg", "pier_side", "night", "cfa", "row_order", "frames_combined", "calibration",
    "pedestal_dn", "saturation_dn", "black_dn",
)  # fmt: skip


def described(path):
    """Describe the frame whose header stands in a text file."""
    lines = path.read_text(encoding="latin-1").splitlines()
    header = Header(parse_cards("".join(line[:80].ljust(80) for line in lines).encode("latin-1")))
    # WBPP's master is in colour, which its keywords do not say.
    channels = 3 if "pixinsight" in path.name else header.get("NAXIS3", 1)
    return frame_info(
        Path("x.fits"),
        "fits",
        height=header.get("NAXIS2", 2000),
        width=header.get("NAXIS1", 3000),
        channels=channels,
        sample_format="uint16",
        header=header,
    )


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_real_headers_say_what_a_reader_would_say(name, shared_data):
    """All fields are as a reader of the text would say; what it does not say is unknown."""
    info = described(shared_data / "headers" / name)
    found = {field: getattr(info, field) for field in _FIELDS}
    found["cfa"] = None if info.cfa is None else info.cfa.name
    assert found == dict.fromkeys(_FIELDS) | _SILENT | EXPECTED[name]


def test_all_headers_are_expected(shared_data):
    """No header of the folder is left out of the table."""
    assert {path.name for path in (shared_data / "headers").iterdir()} == set(EXPECTED)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "asi120-osc-calibration/bias/Bias_ASIImg_frame0002.fit",
            {
                "kind": BIAS, "kind_from": "path", "exposure_s": 6.4e-05, "gain": 0.0,
                "offset": 9.0, "camera": "ZWO ASI120MC-S", "night": date(2024, 4, 16),
            },
        ),
        (
            "asi120-osc-calibration/dark_30s/Dark_ASIImg_30sec_frame0001.fit",
            {"kind": DARK, "kind_from": "path", "exposure_s": 30.0, "temperature_c": 25.2},
        ),
        (
            "asi120-osc-calibration/flat/Flat_ASIImg_frame0001.fit",
            {"kind": FLAT, "kind_from": "path", "exposure_s": 0.005, "filter": None},
        ),
        (
            "m13-mono-ccd/Bias_BIN1_20190503_073730.fits",
            {"kind": BIAS, "kind_from": "IMAGETYP", "exposure_s": 0.0, "night": date(2019, 5, 2)},
        ),
        (
            "m13-mono-ccd/domeflat_sdss_g_001.fits",
            {"kind": FLAT, "exposure_s": 11.55, "filter": "sdss_g", "object": None},
        ),
        (
            "m13-mono-ccd/M13_sdss_g_20190503_090311.fits",
            {"kind": LIGHT, "exposure_s": 120.0, "object": "M13", "night": date(2019, 5, 2)},
        ),
        (
            "seestar-m94-osc/Light_M 94_10.0s_IRCUT_20250326-212046.fit",
            {"kind": LIGHT, "is_master": False, "object": "M 94", "night": date(2025, 3, 26)},
        ),
        (
            "fits-variants/maxim-headers/maximdl_5_21_header.fit",
            {"kind": LIGHT, "calibration": {BIAS, DARK, FLAT}, "filter": "R"},
        ),
        (
            "fits-variants/panoptes/solved.fits.fz",
            {"kind": None, "exposure_s": 120.4, "gain": 100.0, "temperature_c": 13.0},
        ),
        (
            "xisf/wrenby/test.xisf",
            {"kind": LIGHT, "exposure_s": 1.0, "object": None, "aperture_mm": 200.0},
        ),
    ],
)  # fmt: skip
def test_real_frames_give_the_facts_of_their_headers(name, expected, shared_data):
    """Whole files, read by their format's reader, give the facts of their headers."""
    info = read_info(shared_data / name)
    assert {field: getattr(info, field) for field in expected} == expected


@pytest.mark.parametrize("folder", ["asi120-osc-calibration", "seestar-m94-osc"])
def test_real_colour_frames_begin_with_grbg(folder, shared_data):
    """Both one-shot-colour cameras have GRBG at the first pixel."""
    for path in sorted((shared_data / folder).rglob("*.fit")):
        assert read_info(path).cfa.name == "GRBG"
