"""Calibration of whole frames: the record, its printed account, and the header."""

import json

import numpy as np
import pytest
from calibration_frames import BAYER, Camera

from lightframe.frames import Card, Header, cfa_pattern
from lightframe.processes import (
    CalibrationSettings,
    InputPedestal,
    Masters,
    OverscanRegion,
    OverscanSettings,
    calibrate_frame,
    calibrated_header,
    calibration_cards,
    prepare_calibration,
)

CAMERA = Camera(size=384, cfa=BAYER, warm_fraction=0.02)


def _prepared(cfa=BAYER, **settings):
    flat = CAMERA.expose(np.full((384, 384), 20000.0), 5, 20).astype(np.float32)
    flat -= CAMERA.master_bias()
    flat[3, 4] = 0
    masters = Masters(
        bias=CAMERA.master_bias(),
        dark=CAMERA.master_dark(),
        flat=flat,
        bias_name="bias.fits",
        dark_name="dark.fits",
        flat_name="flat.fits",
        dark_exposure_s=100,
    )
    return prepare_calibration(
        masters, CalibrationSettings(**settings), height=384, width=384, cfa=cfa
    )


@pytest.fixture(scope="module")
def scaled():
    """Return a preparation with an optimised dark, and a frame calibrated with it."""
    prepared = _prepared(dark_scaling="optimize", output_pedestal_dn=100)
    light = CAMERA.light(0.5)
    pedestal = InputPedestal(20.0, "pedestal -20 is negative")
    frame = calibrate_frame(light, prepared, name="light.fits", pedestal=pedestal, exposure_s=50)
    return prepared, frame


def test_the_record_carries_what_was_done(scaled):
    """Masters, k, s, pedestals, range, counts and noise are those of the frame."""
    _, frame = scaled
    record = frame.record
    assert record.masters == {"bias": "bias.fits", "dark": "dark.fits", "flat": "flat.fits"}
    assert record.dark_scale.k == pytest.approx(0.5, rel=0.02)
    assert record.flat_scale.factors == pytest.approx([20000] * 3, rel=0.01)
    assert record.output_pedestal_dn == 100
    assert record.input_pedestal.dn == 20
    assert record.clipping.missing == 1
    assert record.range_dn == (np.nanmin(frame.planes), np.nanmax(frame.planes))
    assert record.noise.planes == ("R", "G1", "G2", "B")
    assert record.noise.sigma_dn[1] == pytest.approx(np.sqrt(2000 + 36 + 13), rel=0.05)
    assert record.notes == ("pedestal -20 is negative",)


def test_a_record_prints_the_account_of_the_guide(scaled):
    """Threshold and share of warm pixels, k, s, counts and noise are there to read."""
    text = str(scaled[1].record)
    record = scaled[1].record
    count = round(record.dark_scale.pixel_fraction * 384 * 384)
    assert text.splitlines()[0] == "light.fits"
    assert f"{record.dark_scale.threshold_dn:.2f} DN ({count} px = " in text
    assert f"k = {record.dark_scale.k:.3f} +- {record.dark_scale.sigma_k:.3f}" in text
    assert f"s = {record.flat_scale.factors[0]:.3f} DN (R)" in text
    assert "100 DN added" in text
    assert "20 DN subtracted" in text
    assert "1 px without a usable flat" in text
    assert f"noise G1       {record.noise.sigma_dn[1]:.3f} DN" in text
    assert "pedestal -20 is negative" in text


def test_a_record_is_json(scaled):
    """The entries of run.json are plain numbers, also where a factor is not determined."""
    entry = json.loads(json.dumps(scaled[1].record.as_dict(), allow_nan=False))
    assert entry["k"] == [scaled[1].record.dark_scale.k]
    assert entry["pedestal_dn"] == 100
    constant = np.full((384, 384), 700, np.uint16)
    undetermined = calibrate_frame(constant, scaled[0]).record
    entry = json.loads(json.dumps(undetermined.as_dict(), allow_nan=False))
    assert entry["k"] == [1.0]
    assert entry["k_determined"] is False
    assert entry["k_reason"] in str(undetermined)


def test_threads_do_not_change_a_bit(scaled):
    """One thread or three give the same pixels."""
    light = CAMERA.light(0.5)
    one, three = (calibrate_frame(light, scaled[0], threads=n).planes for n in (1, 3))
    assert one.tobytes() == three.tobytes()


def test_the_automatic_pedestal_is_added_and_recorded():
    """A faint light gets the least pedestal that does, and the record says how much."""
    faint = Camera(size=384, cfa=BAYER, sky=20, stars=10, warm_fraction=0.02).light(1)
    plain = calibrate_frame(faint, _prepared(evaluate_noise=False))
    lifted = calibrate_frame(
        faint, _prepared(output_pedestal="auto", output_pedestal_limit=0.001, evaluate_noise=False)
    )
    assert plain.record.clipping.low_fraction > 0.001
    assert lifted.record.clipping.low_fraction <= 0.001
    assert lifted.record.output_pedestal_dn > 0
    np.testing.assert_allclose(
        lifted.planes - lifted.record.output_pedestal_dn, plain.planes, atol=1e-4
    )


def test_an_automatic_pedestal_at_its_maximum_is_noted():
    """Thousands of DN below zero: the maximum is added, and the record says so."""
    dark = np.full((20, 30), 5000, np.float32)
    prepared = prepare_calibration(
        Masters(dark=dark), CalibrationSettings(output_pedestal="auto"), height=20, width=30
    )
    record = calibrate_frame(np.zeros((20, 30), np.uint16), prepared).record
    assert record.output_pedestal_dn == 1000
    assert "at its maximum of 1000 DN" in record.notes[-1]


def test_cards_tell_it_to_other_programs(scaled):
    """CALSTAT, PEDESTAL, NOISE and HISTORY are written in the pixels' unit, hashes included."""
    prepared, frame = scaled
    cards = calibration_cards(frame.record, prepared, digests={"dark": "sha256:ab"})
    header = Header(cards)
    noise = frame.record.noise
    assert header.get("CALSTAT") == "BDF"
    assert header.get("PEDESTAL") == 100
    assert header.get("NOISE02") == pytest.approx(noise.sigma_dn[2] / 65535, rel=1e-4)
    assert header.get("NOISEF02") == pytest.approx(noise.fraction[2], abs=5e-4)
    assert header.get("NOISEA02") == "MRS"
    in_dn = Header(calibration_cards(frame.record, prepared, unit_dn=1))
    assert in_dn.get("NOISE02") == pytest.approx(noise.sigma_dn[2], rel=1e-4)
    history = header.values("HISTORY")
    for line in (
        "ImageCalibration.inputPedestal: 20 DN",
        "ImageCalibration.masterBias.fileName: bias.fits",
        "ImageCalibration.masterDark.fileName: dark.fits",
        "ImageCalibration.masterDark.scaling: optimize",
        f"ImageCalibration.masterDark.scalingFactors: {frame.record.dark_scale.k:.4f}",
        "ImageCalibration.masterDark.digest: sha256:ab",
        "ImageCalibration.outputPedestal: 100 DN",
    ):
        assert line in history


def test_the_header_keeps_what_is_still_true(scaled):
    """The raw frame's cards stay, but for its pedestal and noise, and read as calibrated."""
    prepared, frame = scaled
    raw = Header(
        [
            Card("OBJECT", "M 13"),
            Card("PEDESTAL", -20),
            Card("NOISE00", 1.0),
            Card("BAYERPAT", "RGGB"),
            Card("HISTORY", "captured"),
        ]
    )
    header = calibrated_header(raw, frame.record, prepared)
    assert header.get("OBJECT") == "M 13"
    assert header.values("PEDESTAL") == (100,)
    assert len(header.values("NOISE00")) == 1
    assert header.values("HISTORY")[0] == "captured"
    assert cfa_pattern(header, 384, 384) == BAYER


@pytest.mark.parametrize(
    ("given", "letters", "used"),
    [
        (("bias", "dark", "flat"), "BDF", ("dark", "flat")),
        (("dark",), "BD", ("dark",)),
        (("bias",), "B", ("bias",)),
        (("flat",), "F", ("flat",)),
    ],
)
def test_a_bias_that_cancels_is_not_listed_but_gone(given, letters, used):
    """CALSTAT says what is gone from the pixels, the record which masters were used."""
    pixels = np.full((20, 30), 100, np.float32)
    prepared = prepare_calibration(
        Masters(**dict.fromkeys(given, pixels)), CalibrationSettings(), height=20, width=30
    )
    record = calibrate_frame(np.full((20, 30), 300, np.uint16), prepared).record
    assert tuple(record.masters) == used
    cards = Header(calibration_cards(record, prepared))
    assert cards.get("CALSTAT") == letters
    assert any("cancels out" in note for note in record.notes) == (len(given) == 3)


@pytest.mark.parametrize("row_order", ["TOP-DOWN", "BOTTOM-UP"])
@pytest.mark.parametrize("top", [2, 3])
def test_the_header_after_a_crop_reads_with_the_right_colours(row_order, top):
    """An overscan crop by odd numbers moves the colour pattern; the header says where it went."""
    raw = Header(
        [
            Card("BAYERPAT", "GRBG"),
            Card("XBAYROFF", 1),
            Card("ROWORDER", row_order),
            Card("BIASSEC", "[1:3,1:41]"),
        ]
    )
    cfa = cfa_pattern(raw, 41, 50)
    image = (top, 38, 5, 50)
    overscan = OverscanSettings(
        image=image, regions=(OverscanRegion(source=(0, 41, 0, 3), target=image),)
    )
    prepared = prepare_calibration(
        Masters(), CalibrationSettings(overscan=overscan), height=41, width=50, cfa=cfa
    )
    record = calibrate_frame(np.full((41, 50), 300, np.uint16), prepared).record
    header = calibrated_header(raw, record, prepared)
    assert prepared.cfa == cfa.shifted(top, 5)
    assert cfa_pattern(header, prepared.height, prepared.width) == prepared.cfa
    assert "BIASSEC" not in header
    assert record.overscan_dn == ((300.0,),)
    assert "overscan       300.00 DN" in str(record)
    assert f"ImageCalibration.overscan.imageRect: {{5,{top},50,38}}" in header.values("HISTORY")


@pytest.mark.parametrize("rows", [14, 15])
@pytest.mark.parametrize("order", ["TOP-DOWN", "BOTTOM-UP"])
def test_rows_cut_off_at_the_end_keep_the_colours_of_the_header_right(order, rows):
    """The rows of a file stored upside down are counted from the end that is cut off."""
    header = Header([Card("BAYERPAT", "RGGB"), Card("ROWORDER", order)])
    image = (0, rows, 0, 24)
    settings = CalibrationSettings(
        overscan=OverscanSettings(
            image=image, regions=(OverscanRegion(source=(16, 20, 0, 24), target=image),)
        ),
        evaluate_noise=False,
    )
    prepared = prepare_calibration(
        Masters(), settings, height=20, width=24, cfa=cfa_pattern(header, 20, 24)
    )
    record = calibrate_frame(np.full((20, 24), 100, np.uint16), prepared).record

    written = calibrated_header(header, record, prepared)

    assert cfa_pattern(written, rows, 24) == prepared.cfa
