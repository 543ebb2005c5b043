"""Simulated frames and star lists with a known truth, for the tests of stars and registration."""

import numpy as np

from lightframe.processes._star_table import StarTable


def profile(dx, dy, fwhm, beta=None, axes=1.0):
    """Evaluate a Gaussian, or a Moffat profile of exponent `beta`, of peak 1."""
    u = ((dx / axes) ** 2 + (dy * axes) ** 2) / (fwhm / 2) ** 2
    if beta is None:
        return np.exp(-np.log(2) * u)
    return (1 + (2 ** (1 / beta) - 1) * u) ** -beta


def add_star(image, x, y, flux, fwhm, beta=None, axes=1.0, finer=1):
    """Add a star of total flux `flux` sampled at pixel centres, or averaged over finer x finer."""
    height, width = image.shape
    radius = int(np.ceil((4 if beta is None else 10) * fwhm)) + 2
    ix, iy = round(x), round(y)
    j, i = np.mgrid[iy - radius : iy + radius + 1, ix - radius : ix + radius + 1]
    offsets = (np.arange(finer) + 0.5) / finer - 0.5
    star = np.mean(
        [profile(i + ox - x, j + oy - y, fwhm, beta, axes) for ox in offsets for oy in offsets],
        axis=0,
    )
    star *= flux / star.sum()
    inside = (j >= 0) & (j < height) & (i >= 0) & (i < width)
    image[j[inside], i[inside]] += star[inside]


def grid_frame(fwhm, beta=None, *, snr_flux=3e4, axes=1.0, noise=10.0, side=400, finer=1, seed=1):
    """Return a frame with well separated equal stars at random fractions, and their positions."""
    rng = np.random.default_rng(seed)
    image = rng.normal(1000, noise, (side, side))
    step = max(40, int(10 * fwhm))
    centres = np.arange(step / 2, side - step / 3, step)
    x, y = (c.ravel() + rng.uniform(-0.5, 0.5, c.size) for c in np.meshgrid(centres, centres))
    for star_x, star_y in zip(x, y, strict=True):
        add_star(image, star_x, star_y, snr_flux, fwhm, beta, axes, finer)
    return image.astype(np.float32), x, y


def matched(stars, x, y, within=1.0):
    """Return for each true position the row of the star within `within` pixels, or -1."""
    if len(stars) == 0:
        return np.full(len(x), -1)
    distance = np.hypot(stars.x[:, None] - x, stars.y[:, None] - y)
    row = distance.argmin(axis=0)
    return np.where(distance[row, np.arange(len(x))] < within, row, -1)


def star_table(x, y, flux):
    """Return a star list, brightest first, as detection would give it."""
    order = np.argsort(-flux)
    x, y, flux = x[order], y[order], flux[order]
    ones = np.ones(x.size)
    return StarTable(
        x=x, y=y, flux_dn=flux, peak_dn=flux / 10, background_dn=1000 * ones,
        snr=np.clip(flux / 10, 5, 2000), fwhm_px=3 * ones, eccentricity=0.3 * ones,
        saturated=np.zeros(x.size, np.bool_),
    )  # fmt: skip


def similarity(angle=0.0, shift=(0.0, 0.0), scale=1.0, shape=(4000, 6000), *, mirrored=False):
    """Return frame -> reference: mirror, rotation and scale about the middle, shift."""
    height, width = shape
    c, s = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    cx, cy = (width - 1) / 2, (height - 1) / 2
    there = np.array([[1, 0, -cx], [0, 1, -cy], [0, 0, 1]])
    mirror = np.diag([-1.0 if mirrored else 1.0, 1, 1])
    back = np.array([[1, 0, cx + shift[0]], [0, 1, cy + shift[1]], [0, 0, 1]])
    return back @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ mirror @ there


def two_lists(
    count, transform, *, seed=0, shape=(4000, 6000), drop=0.0, scatter=0.03, error=0.05, bend=0.0
):
    """Return stars of a frame and of the reference that show the same sky.

    `count` stars lie on each on average; of each list a share of `drop` is missing, log fluxes
    scatter by `scatter`, positions by `error` and by a distortion of amplitude `bend` pixels.
    """
    rng = np.random.default_rng(seed)
    height, width = shape
    total = count * 9
    sky = np.stack((rng.uniform(-width, 2 * width, total), rng.uniform(-height, 2 * height, total)))
    flux = np.minimum(100 / (1 - rng.random(total)), 1e5)

    def observe(x, y):
        seen = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)
        seen &= rng.random(total) >= drop
        dx, dy = rng.normal(0, error, (2, seen.sum()))
        brightness = flux[seen] * np.exp(rng.normal(0, scatter, seen.sum()))
        return star_table(x[seen] + dx, y[seen] + dy, brightness)

    x, y, w = np.linalg.inv(transform) @ np.vstack((sky, np.ones(total)))
    x, y = x / w, y / w
    frame = observe(x + bend * np.sin(y / 900), y + bend * np.sin(x / 700))
    return frame, observe(*sky)


def corner_error(found, truth, shape=(4000, 6000)):
    """Return the largest error on the overlap of a frame and the reference, in pixels."""
    height, width = shape
    x, y = np.meshgrid(np.linspace(0, width - 1, 9), np.linspace(0, height - 1, 9))
    points = np.stack((x.ravel(), y.ravel(), np.ones(x.size)))
    a, b = found @ points, truth @ points
    a, b = a[:2] / a[2], b[:2] / b[2]
    on = (b[0] >= 0) & (b[0] < width) & (b[1] >= 0) & (b[1] < height)
    return np.hypot(*(a - b))[on].max()
