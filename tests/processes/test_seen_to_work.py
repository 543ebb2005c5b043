"""Whole stacks with a known truth: satellites, drifting stars, and what is left of them."""

import numpy as np
import pytest
from star_fields import add_star
from test_integration import Planes

from lightframe.processes._estimators import FrameStatistics
from lightframe.processes._integration import integrate
from lightframe.processes._integration_settings import IntegrationSettings

FRAMES = 18
SHAPE = (360, 480)
SKY = 400.0
READ_NOISE = 6.0


def satellites(seed=0, frames=FRAMES):
    """Return lights with a satellite in each third, the same without, truth, stars and trails.

    Noise is that of photons (1 e/DN) and of reading; seeing changes by six percent (rms) from frame
    to frame, the sky from 1 to 1.2.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    grid = np.stack(np.meshgrid(np.arange(24, 470, 36.0), np.arange(24, 350, 36.0)), -1)
    places = grid.reshape(-1, 2) + rng.uniform(-6, 6, (grid.size // 2, 2))
    fluxes = 10 ** rng.uniform(3.3, 5.0, len(places))
    lights, clean, trails = [], [], []
    widths = 2.6 * (1 + 0.06 * rng.standard_normal(frames))
    for k in range(frames):
        pixels = np.zeros(SHAPE)
        for (x, y), flux in zip(places, fluxes, strict=True):
            add_star(pixels, x, y, flux, widths[k], beta=3.5)
        pixels += SKY * (1 + 0.2 * k / frames)
        trail = np.zeros(SHAPE)
        if k % 3 == 1:
            angle, shift = rng.uniform(0, np.pi), rng.uniform(-90, 90)
            distance = np.abs(
                (rows - SHAPE[0] / 2) * np.cos(angle)
                - (columns - SHAPE[1] / 2) * np.sin(angle)
                - shift
            )
            trail = 600 * np.exp(-((distance / 1.6) ** 2)) + 40 * np.exp(-((distance / 5) ** 2))
            trails.append((distance, k))
        noise = rng.normal(0, READ_NOISE, SHAPE)
        without = rng.poisson(pixels)
        lights.append(Planes((without + rng.poisson(trail) + noise)[None].astype(np.float32)))
        clean.append(Planes((without + noise)[None].astype(np.float32)))
    return lights, clean, places, fluxes, trails


def statistics(sources):
    """Return what normalization by stars knows of frames of equal transparency."""
    return [
        FrameStatistics(
            np.array([np.median(s.planes)]),
            np.ones(1),
            np.ones(1),
            np.array([np.sqrt(np.median(s.planes) + READ_NOISE**2)]),
        )
        for s in sources
    ]


def aperture_fluxes(image, places, radius=9.0):
    """Return the fluxes of stars over the median of a ring."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    found = []
    for x, y in places:
        distance = np.hypot(columns - x, rows - y)
        ring = image[(distance > 12) & (distance < 16)]
        inside = distance < radius
        found.append(image[inside].sum() - np.median(ring) * inside.sum())
    return np.array(found)


@pytest.fixture(scope="module")
def stacks():
    """Integrate lights: plain, with large-scale rejection, and the same without trails."""
    lights, clean, places, fluxes, trails = satellites()
    facts = statistics(lights)
    plain = integrate(lights, IntegrationSettings(), statistics=facts)
    large = integrate(
        lights,
        IntegrationSettings(large_scale={"high": True, "growth": 6}),
        statistics=facts,
    )
    unspoilt = integrate(clean, IntegrationSettings(rejection="none"), statistics=facts)
    return plain, large, unspoilt, places, fluxes, trails


def residuals(image, unspoilt, trails, reach):
    """Return the mean residual along each trail, in sigma of the result."""
    difference = image - unspoilt
    sigma = np.sqrt((SKY + READ_NOISE**2) / FRAMES)
    return [difference[(d >= reach[0]) & (d < reach[1])].mean() / sigma for d, _ in trails]


def test_no_trail_is_left_of_satellites_in_a_third_of_the_frames(stacks):
    """Along every trail, core and halo, the residual is far below one sigma of the result."""
    plain, large, unspoilt, _, _, trails = stacks
    assert len(trails) == FRAMES // 3
    for reach in ((0, 2), (2, 5), (5, 9)):
        left = residuals(plain.image[0], unspoilt.image[0], trails, reach)
        assert np.abs(left).max() < 0.5
        left = residuals(large.image[0], unspoilt.image[0], trails, reach)
        assert np.abs(left).max() < 0.15


def test_large_scale_rejection_takes_the_halo_of_trails(stacks):
    """Less than a fifth stays of a halo that is too faint to be rejected pixel by pixel."""
    plain, large, unspoilt, _, _, trails = stacks
    far = np.min([d for d, _ in trails], axis=0) > 20
    left = []
    for result in (plain, large):
        usual = np.mean((result.image[0] - unspoilt.image[0])[far])  # rejection is not symmetrical
        along = residuals(result.image[0] - usual, unspoilt.image[0], trails, (3, 7))
        left.append(np.mean(along))
    assert left[0] > 0.15
    assert abs(left[1]) < 0.2 * left[0]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("under_trails", [False, True])
def test_fluxes_of_stars_are_right(stacks, which, under_trails):
    """Bright stars are unbiased within half a percent, under trails and beside them."""
    image, unspoilt = stacks[which].image[0], stacks[2].image[0]
    places, fluxes, trails = stacks[3:]
    found, wanted = aperture_fluxes(image, places), aperture_fluxes(unspoilt, places)
    columns, rows = np.rint(places).astype(int).T
    under = np.min([d[rows, columns] for d, _ in trails], axis=0) < 10
    chosen = (fluxes > 2e4) & (under == under_trails)
    assert chosen.sum() >= 12
    ratio = found[chosen] / wanted[chosen]
    assert np.median(ratio) == pytest.approx(1, abs=0.005)
    assert ratio.mean() == pytest.approx(1, abs=0.005)
    assert ratio == pytest.approx(1, abs=0.015)


def test_rejection_maps_show_trails_and_not_stars(stacks):
    """In each frame with a trail more is rejected; at stars hardly more than in the sky."""
    plain, _, _, places, fluxes, trails = stacks
    spoilt = {k for _, k in trails}
    fractions = plain.frames_high[:, 0]
    assert min(fractions[k] for k in spoilt) > 2 * max(
        fractions[k] for k in range(FRAMES) if k not in spoilt
    )
    away = np.min([d for d, _ in trails], axis=0) > 12
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    near = np.zeros(SHAPE, bool)
    for (x, y), flux in zip(places, fluxes, strict=True):
        near |= (np.hypot(columns - x, rows - y) < 3) & (flux > 2e4)
    both = plain.rejected_high[0] + plain.rejected_low[0]
    assert both[near & away].mean() < both[away & ~near].mean() + 0.03


def test_a_star_drifting_through_falling_flats_leaves_less_than_three_per_mille():
    """Twenty twilight flats that fall by five percent each; a star passes through all of them."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:120, :96].astype(float)
    vignetting = 1 - 0.00002 * ((rows - 60) ** 2 + (columns - 48) ** 2)
    sources, path = [], np.zeros((120, 96), bool)
    for k in range(20):
        level = 40000 * 0.95**k
        flat = level * vignetting
        y, x = 12 + 5.0 * k, 40 + 0.7 * k
        distance = np.hypot(rows - y, columns - x)
        star = 0.5 * level * np.exp(-(distance**2) / (2 * 1.4**2))
        path |= distance < 3
        sources.append(Planes(rng.poisson(flat + star)[None].astype(np.uint16)))
    result = integrate(sources, IntegrationSettings.for_flats())
    shape = result.image[0] / vignetting
    shape /= np.median(shape[~path])
    assert abs(shape[path].mean() - 1) < 0.001
    boxes = [
        shape[round(12 + 5 * k) - 2 : round(12 + 5 * k) + 3, round(40 + 0.7 * k) - 2 :][
            :, :5
        ].mean()
        for k in range(20)
    ]
    assert np.abs(np.array(boxes) - 1).max() < 0.003
