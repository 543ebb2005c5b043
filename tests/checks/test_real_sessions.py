"""What is said of real frames: all of it is true, and nothing else is said."""

import pytest

from check_sessions import serious
from lightframe.checks._evidence_levels_of_bias import setups, transfers_of
from lightframe.session._check import check


@pytest.fixture(scope="module")
def m13(shared_data):
    """Return what was found in the session of a monochrome CCD."""
    return check([shared_data / "m13-mono-ccd"])


def test_a_ccd_with_short_darks_has_no_other_finding(m13):
    """Darks of 80 s for lights of up to 160 s, and two lights of one filter: no more is wrong."""
    assert set(serious(m13.findings)) == {"dark-shorter-than-light", "too-few-frames"}


def test_hot_pixels_of_real_lights_follow_the_exposures(m13):
    """Cooled to -25 degrees, the slopes are the ratios of the exposures within 2 %."""
    for ledger in m13.evidence.ledgers:
        expected = ledger.lights.exposure_s / ledger.dark.exposure_s
        assert ledger.slope == pytest.approx(expected, rel=0.02)
        assert ledger.found["as stored"] > 0.99
        assert max(v for name, v in ledger.found.items() if name != "as stored") < 0.05


def test_gain_of_real_flats_is_the_same_through_all_filters(m13):
    """Photon transfer: four filters, one gain within 2 %."""
    gains = [
        transfer.e_per_dn
        for group in setups(m13.evidence)
        for frames, transfer in transfers_of(m13.evidence, group)
        if frames.kind == "flat"
    ]

    assert len(gains) == 4
    assert max(gains) / min(gains) < 1.02


def test_torn_darks_and_flickering_flats_are_found(shared_data):
    """In two darks of each exposure the rows from 782 on are those of a bias; flats have bands."""
    findings = check([shared_data / "asi120-osc-calibration"]).findings

    assert serious(findings) == ["dark-inconsistent", "dark-inconsistent", "flat-banding"]
    for finding in findings[:2]:
        assert "a seam at row 782" in finding.message
        assert {path.stem[-1] for path in finding.frames} == {"1", "3"}
    assert findings[2].evidence["rms"] > 0.1


def test_lights_of_a_smart_telescope_lack_flats_only(shared_data):
    """Flats are not there; darks are not either, but the telescope has subtracted one."""
    findings = check([shared_data / "seestar-m94-osc"]).findings

    assert serious(findings) == ["no-flat"]
    (dark,) = (finding for finding in findings if finding.rule == "no-dark")
    assert "give no darks" in dark.remedy
    assert dark.evidence["state"] == "seen"
