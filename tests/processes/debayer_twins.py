"""Debayering in plain NumPy and float64, pixel by pixel where that is clearest."""

import numpy as np
from scipy import ndimage


def colours_of(cfa, shape):
    """Return the plane index of each pixel."""
    cell = cfa.planes()
    return cell[np.ix_(np.arange(shape[0]) % len(cell), np.arange(shape[1]) % len(cell))]


def mosaic_of(image, cfa):
    """Return what a camera sees of an RGB image."""
    return np.take_along_axis(image, colours_of(cfa, image.shape[1:])[None].astype(int), 0)[0]


def bilinear(mosaic, cfa):
    """Interpolate by normalised convolution; missing pixels and those outside do not count."""
    reach = 1 if cfa.period == 2 else 2
    line = reach + 1 - np.abs(np.arange(-reach, reach + 1))
    weights = np.outer(line, line).astype(float)
    colour = colours_of(cfa, mosaic.shape)
    out = np.empty((3, *mosaic.shape))
    for plane in range(3):
        known = (colour == plane) & ~np.isnan(mosaic)
        values = np.where(known, mosaic, 0.0)
        total = ndimage.convolve(values, weights, mode="constant")
        count = ndimage.convolve(known.astype(float), weights, mode="constant")
        with np.errstate(invalid="ignore", divide="ignore"):
            out[plane] = np.where(colour == plane, mosaic, total / count)
    return out


def vng(mosaic, cfa):
    """Interpolate by the tables of Chang, Cheung and Pang; bilinear at edges and beside NaN."""
    colour = colours_of(cfa, mosaic.shape)
    out = bilinear(mosaic, cfa)
    height, width = mosaic.shape
    for y in range(2, height - 2):
        for x in range(2, width - 2):
            if not np.isnan(mosaic[y - 2 : y + 3, x - 2 : x + 3]).any():
                _vng_pixel(mosaic, colour, y, x, out)
    return out


def _vng_pixel(mosaic, colour, y, x, out):
    own = colour[y, x]
    gradients, averages = [], []
    for turn in range(4):

        def at(up, right, turn=turn):
            """Return the offset of a pixel so far up and right, after some quarter turns."""
            dy, dx = -up, right
            for _ in range(turn):
                dy, dx = dx, -dy
            return y + dy, x + dx

        def step(a, b, at=at):
            return abs(mosaic[at(*a)] - mosaic[at(*b)])

        gradients.append(
            step((1, 0), (-1, 0))
            + step((2, 0), (0, 0))
            + (step((1, -1), (-1, -1)) + step((1, 1), (-1, 1))) / 2
            + (step((2, -1), (0, -1)) + step((2, 1), (0, 1))) / 2
        )
        straight = [(2, 0), (0, 0), (1, 0)]
        if own == 1:
            straight += [(2, -1), (2, 1), (0, -1), (0, 1)]
        else:
            straight += [(1, -1), (1, 1)]
        averages.append(_means(mosaic, colour, [at(*offset) for offset in straight]))

        diagonal = step((1, 1), (-1, -1)) + step((2, 2), (0, 0))
        if own == 1:
            diagonal += step((2, 1), (0, -1)) + step((1, 2), (-1, 0))
            corner = [(1, 1), (2, 1), (0, 1), (1, 0), (1, 2)]
        else:
            diagonal += (step((1, 0), (0, -1)) + step((0, 1), (-1, 0))) / 2
            diagonal += (step((2, 1), (1, 0)) + step((1, 2), (0, 1))) / 2
            corner = [(2, 2), (0, 0), (2, 1), (1, 0), (1, 2), (0, 1), (1, 1)]
        gradients.append(diagonal)
        averages.append(_means(mosaic, colour, [at(*offset) for offset in corner]))
    limit = 1.5 * min(gradients) + 0.5 * (max(gradients) - min(gradients))
    chosen = np.mean(
        [mean for mean, gradient in zip(averages, gradients, strict=True) if gradient <= limit],
        axis=0,
    )
    out[:, y, x] = mosaic[y, x] + chosen - chosen[own]
    out[own, y, x] = mosaic[y, x]


def _means(mosaic, colour, places):
    return [
        np.mean([mosaic[place] for place in places if colour[place] == plane]) for plane in range(3)
    ]


def rcd(mosaic, cfa):  # noqa: C901 - one formula after another
    """Interpolate by ratio corrected demosaicing with whole-array shifts, edges mirrored."""
    pad = 12
    t = np.pad(mosaic.astype(float), pad, mode="reflect")
    colour = np.pad(colours_of(cfa, mosaic.shape), pad, mode="reflect")
    tiny = 0.65535

    def at(a, dy, dx):
        return np.roll(a, (-dy, -dx), (0, 1))

    def share(first, second):
        stats = []
        for dy, dx in (first, second):
            outer = sum(s * at(t, n * dy, n * dx) for n, s in ((-3, 1), (-1, -1), (1, -1), (3, 1)))
            detail = outer - 3 * (at(t, 2 * dy, 2 * dx) + at(t, -2 * dy, -2 * dx)) + 6 * t
            stats.append(np.maximum(sum(at(detail**2, n * dy, n * dx) for n in (-1, 0, 1)), 0.43))
        here = stats[0] / (stats[0] + stats[1])
        around = sum(at(here, v, u) for v in (-1, 1) for u in (-1, 1)) / 4
        return np.where(abs(0.5 - here) < abs(0.5 - around), around, here)

    def between(before, behind, gradient_before, gradient_behind):
        total = gradient_before + gradient_behind
        return (gradient_behind * before + gradient_before * behind) / total

    smooth = sum(at(t, v, u) / 2 ** (abs(v) + abs(u)) for v in (-1, 0, 1) for u in (-1, 0, 1))

    def green_from(dy, dx):
        g, there = at(t, dy, dx), at(smooth, 2 * dy, 2 * dx)
        slope = np.clip(g / (tiny + smooth + there), 0, 1)
        steps = [(1, -1), (0, 2), (1, 3), (2, 4)]
        gradient = tiny + sum(abs(at(t, a * dy, a * dx) - at(t, b * dy, b * dx)) for a, b in steps)
        return g + slope * (smooth - there), gradient

    upright = share((1, 0), (0, 1))
    lines = []
    for dy, dx in ((1, 0), (0, 1)):
        (before, g0), (behind, g1) = green_from(-dy, -dx), green_from(dy, dx)
        lines.append(between(before, behind, g0, g1))
    green = np.where(colour == 1, t, (1 - upright) * lines[0] + upright * lines[1])
    planes = [np.where(colour == 0, t, np.nan), green, np.where(colour == 2, t, np.nan)]

    def differences(plane, dy, dx):
        estimates = []
        for s in (-1, 1):
            near, far = at(plane, s * dy, s * dx), at(plane, 3 * s * dy, 3 * s * dx)
            gradient = tiny + abs(near - at(plane, -s * dy, -s * dx)) + abs(near - far)
            gradient = gradient + abs(green - at(green, 2 * s * dy, 2 * s * dx))
            estimates.append((near - at(green, s * dy, s * dx), gradient))
        (before, g0), (behind, g1) = estimates
        return between(before, behind, g0, g1)

    falling = share((1, 1), (1, -1))
    for own, other in ((0, 2), (2, 0)):
        along = [differences(planes[own], 1, 1), differences(planes[own], 1, -1)]
        estimate = green + (1 - falling) * along[0] + falling * along[1]
        planes[own] = np.where(colour == other, estimate, planes[own])
    for own in (0, 2):
        along = [differences(planes[own], 1, 0), differences(planes[own], 0, 1)]
        estimate = green + (1 - upright) * along[0] + upright * along[1]
        planes[own] = np.where(colour == 1, estimate, planes[own])
    return np.stack(planes)[:, pad:-pad, pad:-pad]


def superpixel(mosaic, cfa):
    """Average equal colours of each cell of 2 x 2, or 3 x 3 for X-Trans, one by one."""
    side = 2 if cfa.period == 2 else 3
    colour = colours_of(cfa, mosaic.shape)
    out = np.full((3, mosaic.shape[0] // side, mosaic.shape[1] // side), np.nan)
    for plane, y, x in np.ndindex(out.shape):
        box = np.s_[y * side : (y + 1) * side, x * side : (x + 1) * side]
        values = mosaic[box][(colour[box] == plane) & ~np.isnan(mosaic[box])]
        if values.size:
            out[plane, y, x] = values.mean()
    return out
