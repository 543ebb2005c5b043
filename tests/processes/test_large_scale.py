"""Large-scale rejection: what is kept, what is grown, and what it does to a stack."""

import numpy as np
import pytest
from test_integration import Planes

from lightframe.frames._pixels import Window
from lightframe.processes._integration import integrate
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._large_scale import (
    HIGH,
    LOW,
    LargeScaleSettings,
    RejectedPixels,
    grow_structures,
)


def test_small_structures_vanish_and_large_ones_grow():
    """Single pixels and a thin line go; a broad bar stays and grows by the number of pixels."""
    rejected = np.zeros((60, 80), bool)
    rejected[5, 5] = rejected[50, 70] = True
    rejected[10, 10:70] = True
    rejected[30:36, 20:60] = True
    grown = grow_structures(rejected, LargeScaleSettings(protected_layers=2, growth=3))
    assert not grown[:20].any()
    assert not grown[45:].any()
    rows, columns = np.nonzero(grown)
    assert (rows.min(), rows.max()) == (27, 38)
    assert (columns.min(), columns.max()) == (17, 62)
    assert grown[30:36, 22:58].all()


def test_growth_is_a_disc():
    """A large square grows with rounded corners, by the same distance in all directions."""
    rejected = np.zeros((60, 60), bool)
    rejected[20:40, 20:40] = True
    grown = grow_structures(rejected, LargeScaleSettings(protected_layers=1, growth=5))
    rows, columns = np.nonzero(grown)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 44, 15, 44)
    assert not grown[15, 15]
    np.testing.assert_array_equal(grown, grown[::-1])
    np.testing.assert_array_equal(grown, grown.T)


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_marks_are_kept_as_bits(memory):
    """What is placed by tiles is what comes out, from memory or a temporary file."""
    rng = np.random.default_rng(0)
    marks = rng.integers(0, 3, (3, 2, 20, 75)).astype(np.uint8)
    with RejectedPixels((3, 2, 20, 75), memory) as rejected:
        for window in (Window(0, 7, 0, 64), Window(0, 7, 64, 75), Window(7, 20, 0, 75)):
            for channel in range(2):
                part = marks[:, channel, window.y0 : window.y1, window.x0 : window.x1]
                rejected.place(channel, window, part)
        whole = Window(0, 20, 0, 75)
        for frame in range(3):
            for side in (LOW, HIGH):
                np.testing.assert_array_equal(
                    rejected.rejected(side, frame, 1, whole), marks[frame, 1] == side + 1
                )


def trails(frames=18, shape=(80, 192), seed=0):
    """Frames of sky with a satellite, core and faint wings, in each third one."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    sources, profiles = [], []
    for k in range(frames):
        plane = rng.normal(500, 10, shape)
        if k % 3 == 0:
            distance = np.abs(rows - 10 - 3.5 * k - 0.1 * columns)
            profile = 400 * np.exp(-((distance / 1.5) ** 2)) + 15 * np.exp(-((distance / 4) ** 2))
            plane += profile
            profiles.append(profile)
        sources.append(Planes(plane[None].astype(np.float32)))
    return sources, np.max(profiles, axis=0)


def test_wings_of_trails_are_rejected():
    """The residual along the trails falls far below one sigma of the stack, and maps tell."""
    sources, profile = trails()
    plain = IntegrationSettings.for_darks(rejection="winsorized")
    large = IntegrationSettings.for_darks(
        rejection="winsorized", large_scale={"high": True, "growth": 6}
    )
    before = integrate(sources, plain)
    after = integrate(sources, large)
    wings = (profile > 3) & (profile < 15)
    sigma = 10 / np.sqrt(len(sources))
    residual = [r.image[0][wings].mean() - 500 for r in (before, after)]
    assert residual[1] < 0.5 * residual[0]
    assert residual[1] < 0.15 * sigma
    assert after.rejected_high[0][wings].mean() > before.rejected_high[0][wings].mean()
    assert after.frames_high[0, 0] > before.frames_high[0, 0]
    far = profile < 1e-6
    np.testing.assert_array_equal(after.image[0][far], before.image[0][far])
    counted = np.rint(after.rejected_high * 18).sum()
    assert counted == pytest.approx(after.frames_high.sum() * 80 * 192)


@pytest.mark.parametrize("memory", [1 << 17, 1 << 30])
def test_large_scale_rejection_does_not_depend_on_tiles(memory):
    """Tiles and threads do not show."""
    sources, _ = trails()
    settings = IntegrationSettings.for_darks(large_scale={"high": True, "low": True})
    once = integrate(sources, settings)
    again = integrate(sources, settings, memory_bytes=memory, threads=2)
    np.testing.assert_array_equal(once.image, again.image)
    np.testing.assert_array_equal(once.rejected_high, again.rejected_high)


def test_structures_in_all_frames_are_left():
    """Where growing would leave no sample at all it is not done."""
    rng = np.random.default_rng(3)
    planes = rng.normal(100, 1, (8, 1, 40, 64)).astype(np.float32)
    for k in range(8):
        planes[k, :, 5 * k : 5 * k + 5] += 500
    settings = IntegrationSettings.for_darks(large_scale={"high": True, "growth": 20})
    result = integrate([Planes(p) for p in planes], settings)
    assert np.isfinite(result.image).all()
    assert result.weight.min() >= 1
