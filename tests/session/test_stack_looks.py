"""What files show before they are integrated: noise, stars, and what is wrong with them."""

import hashlib

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import InputError
from lightframe.frames import CfaPattern, read_info
from lightframe.processes import debayer
from lightframe.session import Bench, RunSettings, StackOptions, integrate_files, trace_files

SHAPE = (512, 512)
GAIN = 0.5
CFA = CfaPattern(("RG", "GB"))


def bench(**lights):
    """Return a bench with settings of the integration."""
    return Bench(RunSettings.parse({"lights": lights, "workers": 2}))


def write(path, planes, *, history=(), **cards):
    """Write a light of planes in DN."""
    header = fits.Header({"IMAGETYP": "Light Frame", "EXPTIME": 60.0, **cards})
    for line in history:
        header.add_history(line)
    fits.writeto(path, np.squeeze(np.asarray(planes, np.float32) / 65535), header)
    return path


def electrons(rng, *, shift=(0.0, 0.0), clear=1.0, fwhm=3.0, stars=60, shape=SHAPE):
    """Return counted electrons of stars on a sky of 200."""
    fixed = np.random.default_rng(7)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    expected = np.full(shape, 200.0)
    sigma = fwhm / 2.3548
    for flux in fixed.uniform(2e3, 2e4, stars):
        y, x = fixed.uniform(20, shape[0] - 20, 2)
        y, x = y + shift[0], x + shift[1]
        near = np.s_[max(0, int(y) - 15) : int(y) + 16, max(0, int(x) - 15) : int(x) + 16]
        square = (rows[near] - y) ** 2 + (columns[near] - x) ** 2
        expected[near] += flux * np.exp(-square / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    return rng.poisson(expected * clear) + rng.normal(0, 3, shape)


@pytest.fixture(scope="module")
def lights(tmp_path_factory):
    """Six registered lights of known gain; the last three through haze, and broader."""
    folder = tmp_path_factory.mktemp("lights")
    rng = np.random.default_rng(1)
    paths = []
    for k in range(6):
        clear, fwhm = (1.0, 3.0) if k < 3 else (0.6, 4.2)
        pixels = electrons(rng, clear=clear, fwhm=fwhm) / GAIN
        paths.append(write(folder / f"light{k}.fits", pixels, EGAIN=GAIN))
    return paths


@pytest.fixture(scope="module")
def debayered(tmp_path_factory):
    """Six debayered frames of sky: the noise of a sample, and the paths of two kinds of files.

    The first kind names the debayer method and the noise before it, the second says nothing.
    """
    folder = tmp_path_factory.mktemp("debayered")
    rng = np.random.default_rng(2)
    said, bare = [], []
    for k in range(6):
        mosaic = (1000 + rng.normal(0, 10, (1024, 1024))).astype(np.float32)
        planes = debayer(mosaic, CFA, "bilinear")
        noise = {f"NOISE{c:02d}": 10 / 65535 for c in range(3)}
        lines = ("Debayer.method: bilinear", "Debayer.cfaPattern: RGGB")
        said.append(write(folder / f"said{k}.fits", planes, history=lines, **noise))
        bare.append(write(folder / f"bare{k}.fits", planes))
    return said, bare


def made(paths, out, **lights):
    """Integrate files; return the result."""
    (result,) = integrate_files(paths, out, bench(**lights)).done
    return result


@pytest.mark.parametrize("kind", [0, 1])
def test_variance_of_debayered_files_is_that_of_their_areas(debayered, tmp_path, kind):
    """With the method from the headers, or seen in the files: a sample counts for four pixels."""
    settings = {"variance": True, "rejection": "none", "photon_gain": 1e6}
    result = made(debayered[kind], tmp_path / "out.fits", **settings)
    sigma = np.sqrt(np.median(result.integration.variance, axis=(1, 2)))
    expected = 10 * np.sqrt(np.array([4, 2, 4]) / 6)
    assert sigma == pytest.approx(expected, rel=0.01 if kind == 0 else 0.05)
    text = " ".join(result.remarks)
    assert ("headers" in text) == (kind == 0)
    assert ("areas show" in text) == (kind == 1)


def test_variance_has_the_photon_noise_of_the_gain_in_the_headers(lights, tmp_path):
    """The brightest star is noisier than the sky; without a gain the user is told."""
    result = made(lights, tmp_path / "out.fits", variance=True)
    image, variance = result.integration.image[0], result.integration.variance[0]
    bright = np.unravel_index(np.argmax(image), image.shape)
    sky = np.median(variance)
    level = image[bright] - np.median(image)
    assert variance[bright] / sky == pytest.approx(1 + level * GAIN / (200 + 9), rel=0.15)
    assert not any("gain" in remark for remark in result.remarks)
    with fits.open(tmp_path / "out.fits") as units:
        np.testing.assert_array_equal(units["VARIANCE"].data, variance)
        assert units["VARIANCE"].header["BUNIT"] == "adu2"
    unknown = []
    for path in lights:
        with fits.open(path) as units:
            unknown.append(write(tmp_path / path.name, units[0].data * 65535))
    result = made(unknown, tmp_path / "unknown.fits", variance=True)
    assert any("EGAIN" in remark for remark in result.remarks)
    given = made(unknown, tmp_path / "given.fits", variance=True, photon_gain=GAIN)
    np.testing.assert_array_equal(given.integration.variance[0], variance)


def test_the_noise_of_stars_is_not_that_of_the_sky(lights, tmp_path):
    """Residuals of the sky over the predicted sigma have a width of 1 in files full of stars."""
    result = made(lights[:3], tmp_path / "out.fits", variance=True, rejection="none")
    expected = np.sqrt(200 + 9) / GAIN / np.sqrt(3)
    sigma = np.sqrt(np.median(result.integration.variance))
    assert sigma == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("gain", "told"), [(GAIN, False), (0.2, True)])
def test_a_gain_that_asks_for_more_noise_than_there_is_is_told(lights, tmp_path, gain, told):
    """The photons of the sky of calibrated files are less noisy than EGAIN claims."""
    paths = []
    for path in lights[:3]:
        with fits.open(path) as units:
            pixels = units[0].data * 65535
        paths.append(write(tmp_path / path.name, pixels, EGAIN=gain, CALSTAT="BDF"))
    remarks = " ".join(made(paths, tmp_path / "out.fits", variance=True).remarks)
    assert ("not that of these files" in remarks) == told


def test_weights_see_through_interpolation(lights, tmp_path):
    """Files that were blurred by half a pixel weigh as much as one that was not."""
    rng = np.random.default_rng(5)
    paths = [lights[0]]
    for k in range(5):
        pixels = electrons(rng) / GAIN
        blurred = 0.25 * sum(np.roll(pixels, shift, (0, 1)) for shift in np.ndindex(2, 2))
        paths.append(write(tmp_path / f"blurred{k}.fits", blurred))
    result = made(paths, tmp_path / "out.fits")
    weights = result.integration.weights[:, 0]
    assert weights[1:] / weights[0] == pytest.approx(1, abs=0.3)  # 4 times as much by their pixels
    assert any("areas show" in remark for remark in result.remarks)


def test_weights_by_the_signal_of_stars_are_measured(lights, tmp_path):
    """(brightness / (FWHM * sigma))^2, without a number in any header."""
    result = made(lights, tmp_path / "out.fits", weight="psf-signal")
    weights = result.integration.weights[:, 0]
    hazy, sigma = (0.6 * 3.0 / 4.2) ** 2, (200 + 9) / (0.6 * 200 + 9)
    assert weights[3:].mean() / weights[:3].mean() == pytest.approx(hazy * sigma, rel=0.1)
    assert weights[:3].std() < 0.06 * weights[:3].mean()
    by_snr = made(lights, tmp_path / "snr.fits", weight="snr").integration.weights[:, 0]
    assert by_snr[3:].mean() / by_snr[:3].mean() == pytest.approx(0.36 * sigma, rel=0.1)


def test_a_file_without_stars_has_no_signal_weight(lights, tmp_path):
    """The message names the file."""
    rng = np.random.default_rng(3)
    cloudy = write(tmp_path / "cloudy.fits", electrons(rng, stars=0) / GAIN)
    with pytest.raises(InputError, match="psf-signal") as caught:
        integrate_files([*lights, cloudy], tmp_path / "out.fits", bench(weight="psf-signal"))
    assert "cloudy.fits" in caught.value.where


def test_files_that_are_not_registered_are_named(lights, tmp_path):
    """Stars that lie elsewhere, by a pixel or by many, are told with the distance."""
    rng = np.random.default_rng(4)
    near = write(tmp_path / "near.fits", electrons(rng, shift=(0.6, 0.8)) / GAIN)
    far = write(tmp_path / "far.fits", electrons(rng, shift=(13.0, -9.0)) / GAIN)
    remarks = " ".join(made([*lights, near, far], tmp_path / "out.fits").remarks)
    assert "near.fits (1.0 px away)" in remarks
    assert "far.fits (" in remarks
    assert "2 files do not lie on those of light0.fits" in remarks
    assert "register" not in " ".join(made(lights, tmp_path / "fine.fits").remarks)


def test_a_file_without_pixels_is_set_aside(lights, tmp_path):
    """The others are integrated, unless it is the reference that was asked for."""
    empty = write(tmp_path / "empty.fits", np.full(SHAPE, np.nan))
    batch = integrate_files([empty, *lights], tmp_path / "out.fits", bench())
    assert [failure.path.name for failure in batch.failures] == ["empty.fits"]
    assert "no pixel" in batch.failures[0].reason
    assert len(batch.done[0].infos) == len(lights)
    assert batch.exit_code == 1
    assert np.isfinite(batch.done[0].integration.image).all()
    options = StackOptions(reference=empty)
    with pytest.raises(InputError, match="no pixel"):
        integrate_files([empty, *lights], tmp_path / "out.fits", bench(), options=options)


def test_a_trace_names_the_files_that_it_cannot_follow(lights, tmp_path):
    """Unreadable, of another size, without pixels: set aside as by the integration."""
    text = tmp_path / "text.fits"
    text.write_bytes(b"no image")
    small = write(tmp_path / "small.fits", np.ones((40, 40)))
    empty = write(tmp_path / "empty.fits", np.full(SHAPE, np.nan))
    paths = [text, small, empty, *lights]
    traced = trace_files(paths, (5, 5), bench())
    assert [info.path for info in traced.done[0].infos] == lights
    assert len(traced.done[0].traces[0].samples) == len(lights)
    assert traced.exit_code == 1
    integrated = integrate_files(paths, tmp_path / "out.fits", bench())
    assert [(f.path, f.reason) for f in traced.failures] == [
        (f.path, f.reason) for f in integrated.failures
    ]
    nothing = trace_files([text], (5, 5), bench())
    assert (nothing.done, nothing.exit_code) == ((), 3)


def test_the_header_tells_every_setting_that_was_changed(lights, tmp_path):
    """Algorithm, limits, weights and rejected parts of each file are in the HISTORY."""
    out = tmp_path / "out.fits"
    made(lights, out, rejection="sigma", limits={"sigma": {"low": 2.5}}, large_scale={"high": True})
    lines = [str(line) for line in read_info(out).header.values("HISTORY")]
    assert "ImageIntegration.pixelRejection: sigma" in lines
    assert "ImageIntegration.limits.sigma.low: 2.5" in lines
    assert "ImageIntegration.large_scale.high: True" in lines
    assert "ImageIntegration.referenceImage: light0.fits" in lines
    text = "".join(lines).replace(" ", "")  # cards are cut at 72 characters
    for path in lights:
        assert f"Input{path.name}weight" in text
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text
    assert text.count("highSHA-256") == len(lights)


def test_filters_that_differ_and_algorithms_without_effect_are_told(lights, tmp_path):
    """Mixed filters, two files under an algorithm that needs three, too few for sigma clipping."""
    red = []
    for path in lights[:2]:
        with fits.open(path) as units:
            red.append(write(tmp_path / path.name, units[0].data * 65535, FILTER="R"))
    with fits.open(lights[2]) as units:
        green = write(tmp_path / "green.fits", units[0].data * 65535, FILTER="G")
    out = tmp_path / "out.fits"
    mixed = " ".join(made([*red, green], out).remarks)
    assert "different filters are integrated together: 2 x R, 1 x G" in mixed
    assert "which of two" in " ".join(made(red, out, rejection="winsorized").remarks)
    assert "at most 2.4 sigma" in " ".join(made(lights, out, rejection="sigma").remarks)
    assert not any("reject" in remark for remark in made(lights, out).remarks)
