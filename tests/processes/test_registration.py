"""Registration against simulated skies with known transforms, and on real frames."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from star_fields import corner_error, similarity, star_table, two_lists

from lightframe.errors import RegistrationError, SettingsError
from lightframe.frames._cfa import CfaPattern
from lightframe.processes._measure import choose_reference, measure
from lightframe.processes._registration import register
from lightframe.processes._registration_settings import RegistrationSettings
from lightframe.processes._stars import DetectionSettings
from lightframe.processes._transforms import MODELS, fit_transform

SHAPE = (4000, 6000)
DEFAULT = RegistrationSettings()


def registered(frame, reference, options=DEFAULT, shape=SHAPE):
    """Register two lists of frames of one size."""
    return register(frame, reference, options, shape=shape, reference_shape=shape)


SKIES = {
    "as it was": {},
    "dithered": {"shift": (31.4, -17.2)},
    "half a frame aside": {"shift": (3000, 0)},
    "half a frame up": {"shift": (40, 2000)},
    "slightly turned": {"angle": 0.37},
    "turned": {"angle": 37},
    "on its side": {"angle": 90},
    "after a meridian flip": {"angle": 180.3, "shift": (12, 40)},
    "turned back": {"angle": -120},
    "twice as large": {"scale": 2.0},
    "half as large": {"scale": 0.5},
    "other optics": {"scale": 1.31, "angle": 200},
}


@pytest.mark.parametrize("name", SKIES)
@pytest.mark.parametrize(("count", "bound"), [(4000, 0.06), (500, 0.12), (60, 0.4)])
def test_shift_rotation_flip_and_scale_are_found(name, count, bound):
    """The transform is right to a fraction of a pixel everywhere on the overlap."""
    truth = similarity(**SKIES[name])
    frame, reference = two_lists(count, truth, seed=count)
    result = registered(frame, reference)
    assert corner_error(result.transform, truth) < bound
    assert result.rms_px < 0.09 * np.hypot(1, result.scale)  # errors of frame and reference
    assert result.scale == pytest.approx(SKIES[name].get("scale", 1), rel=1e-3)
    turned = (result.rotation_deg - SKIES[name].get("angle", 0) + 180) % 360 - 180
    assert turned == pytest.approx(0, abs=0.01)
    assert result.flipped == (abs(result.rotation_deg) > 90)
    assert not result.mirrored


@pytest.mark.parametrize(
    ("count", "bound", "changes"),
    [
        (4000, 0.06, {"drop": 0.4}),
        (500, 0.2, {"drop": 0.4}),
        (4000, 0.06, {"scatter": 0.5}),
        (4000, 0.08, {"scatter": 1.0, "drop": 0.3}),
        (500, 0.2, {"scatter": 1.0, "drop": 0.3}),
        (4000, 0.6, {"bend": 0.2}),
        (500, 0.6, {"bend": 0.2}),
        (500, 0.6, {"error": 0.4}),
    ],
)
def test_drop_outs_shuffled_fluxes_and_distortion_are_borne(count, bound, changes):
    """Neither missing stars, nor another order of brightness, nor bent fields mislead."""
    truth = similarity(1.7, (60, -35))
    for seed in range(4):
        frame, reference = two_lists(count, truth, seed=seed, **changes)
        assert corner_error(registered(frame, reference).transform, truth) < bound


@pytest.mark.parametrize("seed", range(12))
def test_twenty_stars_are_enough(seed):
    """A sparse frame registers to a third of a pixel."""
    truth = similarity(3.0 * seed - 20, (15, 44))
    frame, reference = two_lists(20, truth, seed=seed)
    assert corner_error(registered(frame, reference).transform, truth) < 0.4


@given(
    angle=st.floats(-180, 180),
    x=st.floats(-1500, 1500),
    y=st.floats(-1000, 1000),
    scale=st.floats(0.5, 2.0),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_any_similarity_is_found(angle, x, y, scale, seed):
    """Whatever the angle, shift and scale, as long as the fields overlap."""
    truth = similarity(angle, (x, y), scale)
    frame, reference = two_lists(400, truth, seed=seed)
    assert corner_error(registered(frame, reference).transform, truth) < 0.3


def test_a_perspective_is_fitted_by_the_projective_model_alone():
    """A tilted view needs eight parameters, and the simpler models say so by their residuals."""
    tilt = np.array([[1, 0, 0], [0, 1, 0], [6e-7, -4e-7, 1]])
    truth = tilt @ similarity(0.5, (20, 10))
    frame, reference = two_lists(1500, truth, seed=3)
    result = registered(frame, reference)
    assert result.model == "projective"
    assert corner_error(result.transform, truth) < 0.1
    rigid = registered(frame, reference, RegistrationSettings(model="similarity", tolerance_px=8))
    assert rigid.rms_px > 3 * result.rms_px


@pytest.mark.parametrize(("count", "skies"), [(12, 60), (20, 60), (60, 20), (200, 8)])
def test_two_different_skies_are_refused(count, skies):
    """No pair of random fields registers, whatever the seed."""
    for seed in range(skies):
        frame, _ = two_lists(count, np.eye(3), seed=seed)
        _, reference = two_lists(count, np.eye(3), seed=seed + 5000)
        if min(len(frame), len(reference)) < 6:
            continue
        with pytest.raises(RegistrationError, match=r"no common pattern: best \d+ of \d+ stars"):
            registered(frame, reference)


@pytest.mark.parametrize("count", [1000, 4000])
@pytest.mark.parametrize("shape", [SHAPE, (1000, 1500)])
def test_two_different_dense_skies_are_refused(count, shape):
    """Where stars stand so close that many pair by chance, chance is not enough."""
    frame, _ = two_lists(count, np.eye(3), seed=1, shape=shape)
    _, reference = two_lists(count, np.eye(3), seed=5001, shape=shape)
    with pytest.raises(RegistrationError, match="no common pattern"):
        registered(frame, reference, shape=shape)


def test_too_few_stars_are_refused_with_their_number():
    """The message says how many there are and how many are needed, and on which side."""
    frame, reference = two_lists(100, np.eye(3))
    with pytest.raises(RegistrationError, match="only 4 stars in the frame, 6 needed"):
        registered(frame.select(slice(4)), reference)
    with pytest.raises(RegistrationError, match="only 1 star in the reference, 6 needed"):
        registered(frame, reference.select(slice(1)))


def test_a_mirrored_frame_is_called_so_and_registered_if_allowed():
    """Mirroring is a reason of its own, and a setting."""
    truth = similarity(25, (30, 10), mirrored=True)
    frame, reference = two_lists(500, truth, seed=2)
    with pytest.raises(RegistrationError, match="mirrored"):
        registered(frame, reference)
    result = registered(frame, reference, RegistrationSettings(allow_mirrored=True))
    assert result.mirrored
    assert corner_error(result.transform, truth) < 0.15
    assert result.rotation_deg == pytest.approx(25, abs=0.01)


def test_a_scale_beyond_the_limit_is_refused():
    """max_scale bounds what is tried."""
    frame, reference = two_lists(300, similarity(scale=1.5), seed=4)
    with pytest.raises(RegistrationError, match="no common pattern"):
        registered(frame, reference, RegistrationSettings(max_scale=1.2))


def test_a_model_falls_back_where_the_stars_do_not_support_it():
    """Seven pairs do not make a projective transform, and the reason is told."""
    truth = similarity(1.0, (5, 5))
    frame, reference = two_lists(300, truth, seed=5)
    few = frame.select(slice(7))
    result = registered(few, reference)
    assert result.model in ("affine", "similarity")
    assert "projective" in result.model_reason or "affine" in result.model_reason
    crowd = frame.select((frame.x < 900) & (frame.y < 900))
    result = registered(crowd, reference)
    assert result.model == "similarity"
    assert "px at the edge" in result.model_reason
    assert corner_error(result.transform, truth) < 1.5
    assert registered(frame, reference).model_reason == ""


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_registers_a_dithered_frame(model):
    """A pure shift is within reach of all models."""
    truth = similarity(shift=(12.3, -8.1))
    frame, reference = two_lists(400, truth, seed=6)
    result = registered(frame, reference, RegistrationSettings(model=model))
    assert result.model == model
    assert corner_error(result.transform, truth) < 0.1
    assert result.shift_px == pytest.approx((12.3, -8.1), abs=0.05)
    if model == "shift":
        assert result.transform[:2, :2] == pytest.approx(np.eye(2), abs=1e-12)


@pytest.mark.parametrize(
    ("sky", "part"),
    [
        ("as it was", 1.0),
        ("dithered", (1 - 31.4 / 6000) * (1 - 17.2 / 4000)),
        ("half a frame aside", 0.5),
        ("on its side", 4000 / 6000),
        ("twice as large", 1.0),
        ("half as large", 0.25),
    ],
)
def test_the_overlap_is_the_part_of_the_area(sky, part):
    """A small shift costs the strip that it uncovers, and no more."""
    frame, reference = two_lists(2000, similarity(**SKIES[sky]), seed=3)
    assert registered(frame, reference).overlap == pytest.approx(part, abs=2e-4)


def test_a_rotated_frame_is_no_shift():
    """Asked for a shift only, a turned frame is refused rather than smeared."""
    frame, reference = two_lists(400, similarity(5.0), seed=6)
    with pytest.raises(RegistrationError, match="no common pattern"):
        registered(frame, reference, RegistrationSettings(model="shift"))


@pytest.mark.parametrize("model", list(MODELS))
def test_fits_recover_exact_transforms(model):
    """Without noise every model returns its transform to rounding."""
    rng = np.random.default_rng(7)
    points = rng.uniform(0, 4000, (30, 2))
    truth = {
        "shift": similarity(shift=(3, 4)),
        "similarity": similarity(33, (3, 4), 1.2),
        "affine": np.array([[1.1, 0.2, 5], [-0.1, 0.9, 8], [0, 0, 1]]),
        "projective": np.array([[1.1, 0.2, 5], [-0.1, 0.9, 8], [1e-5, -2e-5, 1]]),
    }[model]
    mapped = np.c_[points, np.ones(30)] @ truth.T
    fit = fit_transform(model, points, mapped[:, :2] / mapped[:, 2:], rng.uniform(0.5, 2, 30))
    assert fit.transform == pytest.approx(truth, rel=1e-7, abs=1e-9)
    assert np.abs(fit.residuals).max() < 1e-6


def test_the_stated_error_of_a_fit_is_the_scatter_of_fits():
    """error_at agrees with the scatter over many noise realisations."""
    rng = np.random.default_rng(8)
    points = rng.uniform(0, 4000, (40, 2))
    corner = np.array([[4000.0, 0.0]])
    ends, stated = [], []
    for _ in range(300):
        noisy = points + rng.normal(0, 0.2, points.shape)
        fit = fit_transform("projective", points, noisy, np.ones(40))
        end = np.append(corner[0], 1) @ fit.transform.T
        ends.append(end[:2] / end[2])
        stated.append(fit.error_at(corner, 0.2)[0])
    assert np.mean(stated) == pytest.approx(np.sqrt(np.var(ends, axis=0).sum()), rel=0.15)


def test_the_same_lists_give_the_same_result_to_the_bit():
    """RANSAC draws from a seeded generator."""
    frame, reference = two_lists(300, similarity(2, (40, 50)), seed=9, drop=0.4)
    first, second = registered(frame, reference), registered(frame, reference)
    assert np.array_equal(first.transform, second.transform)
    assert np.array_equal(first.pairs, second.pairs)


def test_pairs_are_rows_of_the_tables():
    """Each pair names the same star in both lists."""
    truth = similarity(10, (100, 50))
    frame, reference = two_lists(300, truth, seed=10)
    result = registered(frame, reference)
    mine, theirs = frame.select(result.pairs[:, 0]), reference.select(result.pairs[:, 1])
    mapped = np.stack((mine.x, mine.y, np.ones(len(mine)))).T @ truth.T
    assert np.hypot(mapped[:, 0] - theirs.x, mapped[:, 1] - theirs.y).max() < 0.6
    assert len(result.pairs) == result.inliers


def test_stars_on_a_line_or_at_one_place_are_refused():
    """Degenerate lists are no common pattern, not a crash."""
    x = np.linspace(10, 3000, 30)
    line = star_table(x, 2 * x / 3, 1000 - x / 10)
    same = star_table(np.full(30, 100.0), np.full(30, 100.0), 1000 - x / 10)
    for frame in (line, same):
        with pytest.raises(RegistrationError, match="no common pattern"):
            registered(frame, line)


def test_unknown_models_are_errors():
    """The settings list what may be chosen."""
    with pytest.raises(SettingsError, match=r"homography.*similarity"):
        RegistrationSettings.parse({"model": "homography"})


def test_a_night_of_real_mono_frames_registers_across_filters(shared_data):
    """All 12 lights of M13 in four filters, dark and bias subtracted, to one reference."""
    folder = shared_data / "m13-mono-ccd"
    bias, dark = (
        np.median([fits.getdata(p).astype(np.float32) for p in folder.glob(name)], axis=0)
        for name in ("Bias*", "Dark*")
    )
    measurements = []
    for path in sorted(folder.glob("M13_*")):
        exposure = fits.getheader(path)["EXPTIME"]
        light = fits.getdata(path).astype(np.float32) - bias
        light -= np.float32(exposure / 80) * (dark - bias)
        measurements.append(measure(light, None, DetectionSettings()))
    assert len(measurements) == 12
    assert min(m.star_count for m in measurements) > 500
    best = measurements[choose_reference(measurements)]
    for measurement in measurements:
        result = registered(measurement.stars, best.stars, shape=(1024, 1024))
        assert result.inliers > 400
        assert result.rms_px < 0.3
        assert abs(result.rotation_deg) < 0.05
        assert result.scale == pytest.approx(1, abs=0.001)
        assert np.hypot(*result.shift_px) < 15


def test_real_colour_frames_register(shared_data):
    """Ten short lights of an alt-azimuth smart telescope, from the raw mosaics."""
    cfa = CfaPattern.from_name("GRBG")
    measurements = []
    for path in sorted((shared_data / "seestar-m94-osc").glob("*.fit")):
        mosaic = fits.getdata(path).astype(np.float32)
        measurements.append(measure(mosaic, cfa, DetectionSettings()))
    assert len(measurements) == 10
    best = measurements[choose_reference(measurements)]
    for measurement in measurements:
        result = registered(measurement.stars, best.stars, shape=(1920, 1080))
        assert result.inliers >= 40
        assert result.rms_px < 0.6
        assert result.scale == pytest.approx(1, abs=0.001)
