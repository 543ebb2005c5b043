"""The judge: right results pass, each kind of error shows in its own number."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import affine_transform, convolve

from lightframe.errors import SettingsError
from lightframe.frames import FrameKind, read_image
from lightframe.simulation import (
    LightSet,
    Night,
    Psf,
    Stars,
    compare_with_truth,
    ideal_noise_dn,
    load_truth,
    preset,
    simulate_session,
)


@pytest.fixture(scope="module")
def mono(tmp_path_factory):
    """Return folder and truth of a monochrome session with few stars."""
    settings = preset("mono-ccd").resized(480, 640, 8)
    sky = settings.sky.model_copy(update={"stars": Stars(per_megapixel=300)})
    folder = tmp_path_factory.mktemp("mono") / "session"
    return folder, simulate_session(folder, settings.changed(sky=sky), threads=2)


def perfect(truth, seed=1, scale=0.8, level=300.0):
    """Return the truth with the ideal noise, as a stack of all lights would show it."""
    to_dn = truth.session.lights.exposure_s / truth.e_per_dn
    diffuse = truth.image(parts=("diffuse",))
    light = (truth.image(parts=("stars",)) + diffuse) * to_dn
    sigma = ideal_noise_dn(
        truth,
        flat=truth.illumination[0].astype(np.float64),
        diffuse=diffuse.astype(np.float64),
    )
    noise = np.random.default_rng(seed).normal(size=light.shape) * sigma
    lights = truth.of_kind(FrameKind.LIGHT)
    height, width = light.shape[1:]
    y, x = np.indices((height, width))
    slope = np.zeros((height, width))
    for shot in lights:
        inverse = np.linalg.inv(truth.transform(shot.name))
        u = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
        v = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
        u, v = 2.0 * u / (width - 1) - 1.0, 2.0 * v / (height - 1) - 1.0
        slope += shot.sky_factor * (shot.gradient[0] * u + shot.gradient[1] * v) / len(lights)
    sky = truth.filtered_scene().sky[0] * to_dn * (1.0 + slope)
    return (scale * (light + noise + sky) + level).astype(np.float32)


def test_a_perfect_stack_is_found_perfect(mono):
    """Scale, noise, evenness and places of a perfect stack come out right."""
    _, truth = mono
    found = compare_with_truth(perfect(truth), truth)
    (channel,) = found.channels

    assert channel.scale == pytest.approx(0.8, rel=0.004)
    assert channel.scale_error < 0.004
    assert channel.noise_dn / channel.ideal_noise_dn == pytest.approx(1.0, abs=0.08)
    assert channel.tilt < 0.01
    assert abs(channel.vignetting) < 0.015
    assert channel.unevenness < 0.015
    assert np.hypot(*found.shift_px) < 0.01
    assert found.scatter_px < 0.03


def test_more_noise_a_shift_and_a_shape_show_in_their_numbers(mono):
    """Doubled noise, half a pixel of shift, and light proportional to 1 / flat are measured."""
    _, truth = mono
    good = perfect(truth)
    noise = np.random.default_rng(9).normal(size=good.shape)
    doubled = good + noise * np.sqrt(3.0) * ideal_noise_dn(truth)[0] * 0.8
    (noisy,) = compare_with_truth(doubled.astype(np.float32), truth).channels
    assert noisy.noise_dn / noisy.ideal_noise_dn == pytest.approx(2.0, rel=0.1)

    grid = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, -0.3], [0.0, 0.0, 1.0]])
    shifted = compare_with_truth(good, truth, grid=grid)
    assert shifted.shift_px == pytest.approx((0.5, -0.3), abs=0.02)

    (before,) = compare_with_truth(good, truth).channels
    lights = truth.of_kind(FrameKind.LIGHT)
    left_dn = 20.0
    inverse = np.zeros(good.shape[1:])
    for shot in lights:
        matrix = np.linalg.inv(truth.transform(shot.name))
        inverse += _onto(1.0 / truth.illumination[0], matrix) / len(lights)
    (over,) = compare_with_truth((good + left_dn * inverse).astype(np.float32), truth).channels
    expected = left_dn * np.ptp(inverse[20:-20, 20:-20]) / over.sky_dn
    assert over.vignetting - before.vignetting == pytest.approx(expected, rel=0.25)


def _onto(image, matrix):
    """Resample an image to the reference grid; `matrix` leads from there to the image."""
    linear = np.array([[matrix[1, 1], matrix[1, 0]], [matrix[0, 1], matrix[0, 0]]])
    return affine_transform(image, linear, [matrix[1, 2], matrix[0, 2]], order=3, mode="nearest")


def test_another_scale_of_the_grid_is_allowed_for(mono):
    """A result with twice as many pixels along each side is judged the same."""
    _, truth = mono
    to_dn = truth.session.lights.exposure_s / truth.e_per_dn
    grid = np.diag([0.5, 0.5, 1.0])
    psf = replace(truth.median_psf(), fwhm_px=2.0 * truth.median_psf().fwhm_px)
    image = truth.image(matrix=grid, shape=(960, 1280), psf=psf, parts=("stars", "diffuse"))
    sigma = 2.0 * ideal_noise_dn(truth)[0]
    image = image * to_dn + np.random.default_rng(2).normal(0.0, sigma, image.shape)
    found = compare_with_truth(image.astype(np.float32), truth, grid=grid)

    assert found.channels[0].scale == pytest.approx(1.0, rel=0.005)
    assert found.channels[0].noise_dn / found.channels[0].ideal_noise_dn == pytest.approx(
        1.0, abs=0.1
    )
    assert found.scatter_px < 0.05


def test_a_plain_reduction_comes_close_to_the_ideal(tmp_path):
    """Mean masters, division, bilinear colours, resampling, mean: the judge finds it good."""
    night = Night(flip=True, cosmic_rays=0.0, fwhm_spread=0.0, transparency_spread=0.0)
    settings = preset("osc-cmos").resized(400, 560, 6)
    settings = settings.changed(night=night, lights=LightSet(count=6))
    folder = tmp_path / "session"
    simulate_session(folder, settings, threads=2)
    truth = load_truth(folder)
    result = reduce_colour(folder, truth)
    found = compare_with_truth(result.astype(np.float32), truth)

    for channel in found.channels:
        assert channel.scale / channel.expected_scale == pytest.approx(1.0, abs=0.02)
        assert channel.balance == pytest.approx(1.0, abs=0.02)
        assert 0.85 < channel.noise_dn / channel.ideal_noise_dn < 1.25
        assert channel.unevenness < 0.03
        assert abs(channel.vignetting) < 0.02
    assert np.hypot(*found.shift_px) < 0.02
    assert found.scatter_px < 0.12


def reduce_colour(folder, truth):
    """Return the mean of calibrated, debayered and registered lights, known defects repaired."""
    height, width = truth.session.sensor.shape
    planes = np.tile(truth.session.sensor.pattern.planes(), (height // 2, width // 2))

    def mean(kind):
        shots = truth.of_kind(kind)
        return np.mean([read_image(folder / shot.path)[1][0] for shot in shots], axis=0)

    dark, flat = mean(FrameKind.DARK), mean(FrameKind.FLAT) - mean(FrameKind.FLAT_DARK)
    for colour in range(3):
        flat[planes == colour] /= flat[planes == colour].mean()
    bad = (truth.dark_e_s > 0.2) | (truth.response < 0.6)
    tent = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0])
    wide = np.ones((7, 7)) * 1e-6
    wide[2:5, 2:5] += tent
    total = np.zeros((3, height, width))
    lights = truth.of_kind(FrameKind.LIGHT)
    for shot in lights:
        light = (read_image(folder / shot.path)[1][0] - dark) / flat
        matrix = np.linalg.inv(truth.transform(shot.name))
        for colour in range(3):
            known = (planes == colour) & ~bad
            plane = convolve(np.where(known, light, 0.0), wide) / convolve(
                known.astype(float), wide
            )
            plane = np.where(known, light, plane)
            plane -= np.median(plane)
            total[colour] += plane if shot is lights[0] else _onto(plane, matrix)
    return total / len(lights)


def test_the_table_names_all_channels(mono):
    """The table has a row for each number, and the plain data hold the same."""
    _, truth = mono
    found = compare_with_truth(perfect(truth), truth)

    assert found.table().splitlines()[0].split() == ["L"]
    assert "noise of areas / ideal" in found.table()
    assert found.as_dict()["channels"][0]["name"] == "L"
    assert len({len(row) for row in found.rows()}) == 1


def test_wrong_arguments_are_errors(mono):
    """An unknown frame, an unknown filter, and a wrong number of channels are refused."""
    _, truth = mono
    image = perfect(truth)

    with pytest.raises(SettingsError, match="nowhere"):
        compare_with_truth(image, truth, reference="nowhere.fits")
    with pytest.raises(SettingsError, match="choose one of: L"):
        compare_with_truth(image, truth, filter_name="Ha")
    with pytest.raises(ValueError, match="3 channels"):
        compare_with_truth(np.zeros((3, 480, 640), np.float32), truth)


def test_ideal_noise_is_that_of_the_photons(mono):
    """For one bright light without masters' share the noise is that of sky and reading."""
    _, truth = mono
    shot = truth.of_kind(FrameKind.LIGHT)[0]
    one = ideal_noise_dn(truth, lights=[shot], flat=np.ones(1), diffuse=np.zeros((1, 1)))[0, 0]
    mode = truth.session.sensor.at_gain(truth.session.gain)
    sky_e = truth.filtered_scene().sky[0] * shot.sky_factor * shot.exposure_s
    variance = sky_e + mode.read_noise_e**2 + 0.48**2 / 12.0

    assert one * truth.e_per_dn == pytest.approx(np.sqrt(variance) / shot.transparency, rel=0.08)
    all_lights = ideal_noise_dn(truth)[0]
    assert ideal_noise_dn(truth, lights=[shot])[0] / all_lights == pytest.approx(
        np.sqrt(8.0), rel=0.1
    )


def test_truth_images_keep_brightness_and_flux(mono):
    """Part by part the image adds up; a star's light is its flux on any grid."""
    _, truth = mono
    whole = truth.image()
    parts = sum(truth.image(parts=(part,)) for part in ("stars", "diffuse", "background"))
    np.testing.assert_allclose(whole, parts, rtol=1e-5)

    fine = truth.image(
        matrix=np.diag([0.5, 0.5, 1.0]), shape=(960, 1280), psf=Psf(4.8), parts=("stars",)
    )
    coarse = truth.image(psf=Psf(2.4), parts=("stars",))
    assert fine.sum(dtype=float) / 4.0 == pytest.approx(coarse.sum(dtype=float), rel=2e-3)
