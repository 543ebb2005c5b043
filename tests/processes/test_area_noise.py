"""The noise of areas, seen in the differences of frames."""

import numpy as np
import pytest

from lightframe.frames import ArraySource, CfaPattern, Window
from lightframe.processes._area_noise import area_noise, block_means, is_white
from lightframe.processes._debayer import debayer, debayer_area_variance
from lightframe.processes._resampling import ResampleSettings, resample

SIDE = 640
CFA = CfaPattern(("RG", "GB"))


def resampled(planes, rng, interpolation="lanczos3"):
    """Return the planes, turned and shifted a little."""
    angle = rng.uniform(-0.01, 0.01)
    c, s = np.cos(angle), np.sin(angle)
    inverse = np.array([[c, -s, rng.uniform(-3, 3)], [s, c, rng.uniform(-3, 3)], [0, 0, 1]])
    out = np.empty_like(planes)
    settings = ResampleSettings(interpolation=interpolation)
    window = Window(0, SIDE, 0, SIDE)
    resample(planes, (0, 0), inverse, window, settings, out, height=SIDE, width=SIDE)
    return out


def sky(rng, noise, *, stars=200):
    """Return a gradient with stars and noise; the stars are the same in each frame."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    plane = 1000 + rng.normal(0, 0.2) * rows + rng.normal(0, 0.2) * columns
    fixed = np.random.default_rng(1)
    y, x = fixed.integers(0, SIDE, (2, stars))
    plane[y, x] += 2000
    return (plane + rng.normal(0, noise, plane.shape)).astype(np.float32)


def found(frames, noise):
    """Return the noise of areas of frames, DN."""
    noise = np.broadcast_to(noise, (len(frames), len(frames[0])))
    factors = area_noise(
        [block_means(ArraySource(frame)) for frame in frames], np.ones(noise.shape), noise
    )
    return np.array(factors) * noise.mean(axis=0)


def test_independent_pixels_have_the_noise_of_their_areas():
    """Gradients and stars that frames share are not noise."""
    rng = np.random.default_rng(2)
    frames = [sky(rng, 10)[None] for _ in range(12)]
    assert found(frames, 10.0) == pytest.approx(10, rel=0.05)
    assert all(is_white(frame[0]) for frame in frames)


@pytest.mark.parametrize("interpolation", ["lanczos3", "bilinear"])
@pytest.mark.parametrize("method", [None, "bilinear", "vng"])
def test_noise_hidden_by_interpolation_is_found(method, interpolation):
    """Areas of debayered and resampled frames have the noise of the samples they are made of."""
    rng = np.random.default_rng(3)
    frames = []
    for _ in range(12):
        mosaic = rng.normal(1000, 10, (SIDE, SIDE)).astype(np.float32)
        planes = mosaic[None] if method is None else debayer(mosaic, CFA, method)
        frames.append(resampled(planes, rng, interpolation))
    expected = 10.0 if method is None else 10 * np.sqrt(debayer_area_variance(CFA, method))
    pixels = np.array([[plane[9:-9, 9:-9].std() for plane in frame] for frame in frames])
    assert found(frames, pixels) == pytest.approx(expected, rel=0.05)
    assert not any(is_white(plane) for plane in frames[0])


def test_frames_of_different_scale_are_compared_on_one():
    """A fainter frame is brought to the scale of the others before the difference is taken."""
    rng = np.random.default_rng(4)
    scales = np.linspace(1, 2, 8)
    frames = [sky(rng, 10)[None] / np.float32(scale) for scale in scales]
    factors = area_noise(
        [block_means(ArraySource(frame)) for frame in frames], scales[:, None], 10 / scales[:, None]
    )
    assert factors[0] == pytest.approx(1, abs=0.06)


def test_missing_pixels_are_left_out():
    """Blocks with a missing pixel have no mean, and the rest is enough."""
    rng = np.random.default_rng(5)
    frames = [sky(rng, 10)[None] for _ in range(10)]
    for frame in frames:
        frame[:, : rng.integers(20, 90)] = np.nan
    assert np.isnan(block_means(ArraySource(frames[0]))[:, 0]).all()
    assert found(frames, 10.0) == pytest.approx(10, rel=0.06)


@pytest.mark.parametrize("frames", [1, 2])
def test_too_little_is_unknown(frames):
    """One frame has no difference, and a small one too few blocks."""
    planes = [np.zeros((2, 120, 120), np.float32) for _ in range(frames)]
    blocks = [block_means(ArraySource(plane)) for plane in planes]
    assert area_noise(blocks, np.ones((frames, 2)), np.ones((frames, 2))) == (None, None)
