"""Rules on given masters, and on frames whose readout was interrupted."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from check_sessions import dslr, findings_of, mono, serious, written
from lightframe.session._check import check


def mean_of(folder):
    """Return the mean of all frames of a folder, and the header of one."""
    paths = sorted(folder.iterdir())
    with fits.open(paths[0]) as file:
        header = file[0].header.copy()
    return np.mean([fits.getdata(path).astype(np.float64) for path in paths], axis=0), header


def with_master_dark(folder, change):
    """Replace the darks of a session by one master dark, changed by a function of dark and bias."""
    dark, header = mean_of(folder / "darks")
    bias, _ = mean_of(folder / "bias")
    shutil.rmtree(folder / "darks")
    (folder / "masters").mkdir()
    card = fits.Header()
    for keyword in ("EXPTIME", "GAIN", "INSTRUME", "CCD-TEMP", "SET-TEMP", "XBINNING", "YBINNING"):
        if keyword in header:
            card[keyword] = header[keyword]
    card["IMAGETYP"] = "Master Dark"
    pixels = change(dark, bias).astype(np.float32)
    fits.writeto(folder / "masters" / "master_dark.fits", pixels, card)
    return folder


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (lambda dark, _: dark, []),
        (lambda dark, bias: dark - bias, ["master-dark-precalibrated"]),
        (lambda dark, bias: np.maximum(dark - bias, 0.0), ["master-dark-clipped"]),
        (lambda dark, _: np.minimum(dark / 5000.0, 1.5), ["units-mismatch"]),
    ],
    ids=["plain", "bias subtracted", "cut off at zero", "another unit"],
)
def test_a_given_master_dark_is_looked_at(change, rules, tmp_path):
    """A plain integration is right; what else was done to it is named."""
    folder = with_master_dark(written(tmp_path / "session", mono()), change)

    findings = [f for f in check([folder]).findings if f.severity != "info"]
    assert serious(findings) == rules
    assert all(finding.picture is not None for finding in findings)


def test_a_torn_dark_is_inconsistent_and_no_light_leak(tmp_path):
    """The last rows of one dark stand at the bias level: a seam, as real frames have shown."""
    folder = written(tmp_path / "session", dslr())
    path = sorted((folder / "darks").iterdir())[1]
    with fits.open(path, mode="update") as file:
        file[0].data[200:] -= 60
    [finding] = [f for f in check([folder]).findings if f.severity != "info"]

    assert finding.rule == "dark-inconsistent"
    assert finding.frames == (path,)
    assert "a seam at row 200" in finding.message
    torn, whole = (np.array(curve.values) for curve in finding.picture.curves)
    row = int((200 - finding.picture.start) / finding.picture.step)
    assert abs(np.mean((torn - whole)[row + 2 :])) > 20 * abs(np.mean((torn - whole)[: row - 2]))


def test_a_fault_in_one_set_is_one_finding(tmp_path):
    """Darks and bias frames clipped by one offset are named together."""
    findings = [f for f in findings_of(tmp_path / "s", mono(offset=0.5)) if f.severity != "info"]

    assert [f.rule for f in findings] == ["black-clipped"]
    assert {path.parent.name for path in findings[0].frames} == {"bias", "darks"}
