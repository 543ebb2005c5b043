"""Where the stars are: local maxima of the smoothed frame, less spikes and bumps."""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._background import mesh_row, mesh_value
from lightframe.kernels._compile import kernel
from lightframe.kernels._constants import START

__all__ = ["find_peaks", "peak_height", "smoothed_samples", "sort_out_peaks"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]

LARGEST_BLOB_RADIUS = 64  # pixels; what is larger is not a star


@kernel
def residual_row(image: Float32, mesh: Float32, cell: int, y: int, row: Float32) -> None:
    """Fill `row` with image row `y` less background; missing pixels and rows become 0."""
    height, width = image.shape
    if y < 0 or y >= height:
        row[:] = np.float32(0.0)
        return
    mesh_row(mesh, cell, y, row)
    source = image[y]
    zero = np.float32(0.0)
    for x in range(width):
        value = source[x] - row[x]
        row[x] = zero if np.isnan(value) else value


@kernel
def smooth_row(rows: Float32, first: int, taps: Float32, column: Float32, out: Float32) -> None:
    """Smooth the middle one of a ring of three rows, oldest at `first`, in both directions.

    `column` has one more element on each side than `out`.
    """
    above, here, below = rows[first % 3], rows[(first + 1) % 3], rows[(first + 2) % 3]
    left, middle, right = taps[0], taps[1], taps[2]
    width = out.size
    inner = column[1 : width + 1]
    column[0] = np.float32(0.0)
    column[width + 1] = np.float32(0.0)
    for x in range(width):
        inner[x] = left * above[x] + middle * here[x] + right * below[x]
    for x in range(width):
        out[x] = left * column[x] + middle * column[x + 1] + right * column[x + 2]


@kernel
def smoothed_samples(
    image: Float32, mesh: Float32, noise: Float32, cell: int, taps: Float32, every: int,
    out: Float32,
) -> int:  # fmt: skip
    """Sample the smoothed residual in units of the local noise; return the number of samples."""
    height, width = image.shape
    rows = np.empty((3, width), np.float32)
    column = np.empty(width + 2, np.float32)
    smooth = np.empty(width, np.float32)
    sigma = np.empty(width, np.float32)
    count = 0
    for y in range(every // 2, height, every):
        for k in range(3):
            residual_row(image, mesh, cell, y + k - 1, rows[k])
        smooth_row(rows, START, taps, column, smooth)
        mesh_row(noise, cell, y, sigma)
        for x in range(0, width, 4):
            if count < out.size and not np.isnan(image[y, x]):
                out[count] = smooth[x] / sigma[x]
                count += 1
    return count


@kernel
def find_peaks(
    image: Float32,
    mesh: Float32,
    noise: Float32,
    cell: int,
    taps: Float32,
    threshold: float,
    ys: Int64,
    xs: Int64,
    heights: Float32,
) -> int:
    """Find the local maxima of the smoothed residual above `threshold` times the local noise.

    Parameters
    ----------
    image : (h, w) float32
        NaN is missing.
    mesh, noise : (rows, columns) float32
        Background and noise of the mesh cells, of side `cell`.
    taps : (3,) float32
        Smoothing kernel of one direction.
    threshold : float
        In units of `noise`.
    ys, xs : (m,) int64
        Positions found; `heights` (m,) float32 the smoothed values there.

    Returns
    -------
    int
        Number of maxima; those beyond m are counted and not stored.
    """
    height, width = image.shape
    block = 32
    rows = np.zeros((3, width), np.float32)
    column = np.zeros(width + 2, np.float32)
    limit = np.empty(width, np.float32)
    smooth = np.zeros((3, width), np.float32)
    count = 0
    for y in range(-1, 1):
        residual_row(image, mesh, cell, y, rows[(y + 1) % 3])
    for y in range(height):
        residual_row(image, mesh, cell, y + 1, rows[(y + 2) % 3])
        smooth_row(rows, y, taps, column, smooth[y % 3])
        middle = y - 1
        if middle < 1:
            continue
        mesh_row(noise, cell, middle, limit)
        for x in range(width):
            limit[x] *= np.float32(threshold)
        above, here, below = smooth[(middle - 1) % 3], smooth[middle % 3], smooth[y % 3]
        for start in range(0, width, block):
            end = min(start + block, width)
            heights_here, limits_here = here[start:end], limit[start:end]
            hits = 0
            for k in range(heights_here.size):  # by views alone this loop becomes SIMD code
                hits += heights_here[k] > limits_here[k]
            if hits == 0:
                continue
            for x in range(max(start, 1), min(end, width - 1)):
                s = here[x]
                if (
                    s > limit[x]
                    and s > here[x - 1]
                    and s >= here[x + 1]
                    and s > above[x - 1]
                    and s > above[x]
                    and s > above[x + 1]
                    and s >= below[x - 1]
                    and s >= below[x]
                    and s >= below[x + 1]
                ):
                    if count < ys.size:
                        ys[count] = middle
                        xs[count] = x
                        heights[count] = s
                    count += 1
    return count


@kernel
def smoothed_at(image: Float32, mesh: Float32, cell: int, taps: Float32, y: int, x: int) -> float:
    """Return the smoothed residual at one pixel."""
    height, width = image.shape
    half = taps.size // 2
    base = mesh_value(mesh, cell, y, x)
    total = 0.0
    for j in range(-half, half + 1):
        for i in range(-half, half + 1):
            if 0 <= y + j < height and 0 <= x + i < width:
                value = image[y + j, x + i]
                if not np.isnan(value):
                    total += taps[j + half] * taps[i + half] * (value - base)
    return total


@kernel
def is_spike(image: Float32, y: int, x: int, sigma: float) -> bool:
    """Tell whether the highest pixel near a maximum stands alone, as a star's never does.

    The level is the mean of the 16 pixels two rows or columns away. A star of FWHM 1.2 px centred
    on its pixel has 0.6 of its peak in the eight neighbours together, a wider star more; a hot
    pixel or a cosmic ray has none.
    """
    height, width = image.shape
    py, px = y, x
    peak = image[y, x]
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            if image[j, i] > peak or np.isnan(peak):
                peak, py, px = image[j, i], j, i
    ring, ring_count, near, near_count = 0.0, 0, 0.0, 0
    for j in range(max(py - 2, 0), min(py + 3, height)):
        for i in range(max(px - 2, 0), min(px + 3, width)):
            value = image[j, i]
            if np.isnan(value) or (j == py and i == px):
                continue
            if abs(j - py) == 2 or abs(i - px) == 2:
                ring += value
                ring_count += 1
            else:
                near += value
                near_count += 1
    if ring_count < 5 or near_count < 3:
        return True
    level = ring / ring_count
    near = 8.0 * (near / near_count - level)
    return bool(near < 0.5 * (peak - level) + 1.5 * sigma)


@kernel
def fill_blob(
    image: Float32, y: int, x: int, level: float, mask: UInt8, stack: Int64, blob: Float64
) -> None:
    """Measure the connected pixels at or above `level` around (y, x): blob = (count, y, x).

    `mask` is a square scratch array of odd side, centred on (y, x); a larger blob is cut by it.
    """
    height, width = image.shape
    side = mask.shape[0]
    mask[:] = 0
    top, left = y - side // 2, x - side // 2
    stack[0] = (side // 2) * side + side // 2
    mask[side // 2, side // 2] = 1
    waiting, count = 1, 0
    sum_y, sum_x = 0.0, 0.0
    while waiting > 0:
        waiting -= 1
        j, i = stack[waiting] // side, stack[waiting] % side
        count += 1
        sum_y += top + j
        sum_x += left + i
        for k in range(4):
            nj = j + (k == 0) - (k == 1)
            ni = i + (k == 2) - (k == 3)
            if not (0 <= nj < side and 0 <= ni < side) or mask[nj, ni]:
                continue
            py, px = top + nj, left + ni
            if 0 <= py < height and 0 <= px < width and image[py, px] >= level:
                mask[nj, ni] = 1
                stack[waiting] = nj * side + ni
                waiting += 1
    blob[0] = count
    blob[1] = sum_y / count
    blob[2] = sum_x / count


@kernel
def peak_height(image: Float32, y: int, x: int) -> float:
    """Return the largest of the 3x3 pixels; missing ones do not count."""
    height, width = image.shape
    peak = -np.inf
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            value = float(image[j, i])
            peak = value if value > peak else peak  # noqa: FURB136  (max is not defined for NaN)
    return peak


@kernel
def is_flat_topped(image: Float32, y: int, x: int, peak: float, level: float) -> bool:
    """Tell whether five of the 3x3 pixels are within 1 % of the peak.

    No star narrower than FWHM 16 px is so flat, unless the sensor or the converter was full.
    """
    height, width = image.shape
    count = 0
    for j in range(max(y - 1, 0), min(y + 2, height)):
        for i in range(max(x - 1, 0), min(x + 2, width)):
            count += image[j, i] - level > 0.99 * (peak - level)
    return count >= 5


@kernel
def has_saddle(
    image: Float32, mesh: Float32, cell: int, taps: Float32, y: int, x: int, top: float,
    by: float, bx: float, brightest: float, sigma: float,
) -> bool:  # fmt: skip
    """Tell whether the smoothed frame dips on the way from a maximum to a brighter one.

    A real pair has a dip deeper than 3 sigma, 5 % of the fainter and 0.3 % of the brighter peak.
    """
    steps = int(np.ceil(max(abs(by - y), abs(bx - x))))
    limit = top - max(3.0 * sigma, 0.05 * top, 0.003 * brightest)
    for k in range(1, steps):
        py = int(y + (by - y) * k / steps + 0.5)
        px = int(x + (bx - x) * k / steps + 0.5)
        if smoothed_at(image, mesh, cell, taps, py, px) < limit:
            return True
    return False


@kernel
def sort_out_peaks(
    image: Float32,
    mesh: Float32,
    noise: Float32,
    cell: int,
    taps: Float32,
    saturation: float,
    smoothing: float,
    reach: float,
    ys: Int64,
    xs: Int64,
    heights: Float32,
    stars: Float64,
) -> int:
    """Keep the maxima that are stars of their own: no spikes, no bumps on a brighter star.

    Parameters
    ----------
    image, mesh, noise, cell, taps
        As in `find_peaks`.
    saturation : float
        Pixels at or above are saturated; inf if unknown.
    smoothing : float
        Noise of the smoothed residual in units of `noise`.
    reach : float
        Distance in pixels within which a maximum must be parted from a brighter one by a saddle.
    ys, xs, heights : (m,)
        The maxima, highest first.
    stars : (m, 4) float64
        Results: y, x, radius of the saturated blob (0 where not saturated), height.

    Returns
    -------
    int
        Number of stars, at the beginning of `stars`.
    """
    height, width = image.shape
    m = ys.size
    box = 32
    box_rows, box_columns = height // box + 1, width // box + 1
    heads = np.empty(box_rows * box_columns, np.int64)
    heads[:] = -1
    following = np.empty(m, np.int64)
    saturated = np.empty(m, np.int64)
    n_saturated = 0
    side = 2 * LARGEST_BLOB_RADIUS + 1
    mask = np.zeros((side, side), np.uint8)
    stack = np.empty(side * side, np.int64)
    blob = np.empty(3)
    kept = 0
    for k in range(m):
        y, x, top = ys[k], xs[k], heights[k]
        sigma = mesh_value(noise, cell, y, x)
        inside = False
        for q in range(n_saturated):
            star = stars[saturated[q]]
            distance = np.hypot(star[0] - y, star[1] - x)
            if distance < star[2] + 3.0 or (
                distance < 2.5 * star[2] + reach
                and not has_saddle(
                    image, mesh, cell, taps, y, x, top, star[0], star[1], star[3],
                    smoothing * sigma,
                )
            ):  # fmt: skip
                inside = True
                break
        if inside or is_spike(image, y, x, sigma):
            continue
        for by in range(max(y - int(reach), 0) // box, min(y + int(reach), height - 1) // box + 1):
            for bx in range(
                max(x - int(reach), 0) // box, min(x + int(reach), width - 1) // box + 1
            ):
                q = heads[by * box_columns + bx]
                while q >= 0 and not inside:
                    star = stars[q]
                    if np.hypot(star[0] - y, star[1] - x) < reach:
                        inside = not has_saddle(
                            image, mesh, cell, taps, y, x, top, star[0], star[1], star[3],
                            smoothing * sigma,
                        )  # fmt: skip
                    q = following[q]
        if inside:
            continue
        peak = peak_height(image, y, x)
        level = mesh_value(mesh, cell, y, x)
        stars[kept, 0], stars[kept, 1], stars[kept, 2], stars[kept, 3] = y, x, 0.0, top
        if peak >= saturation or (
            peak - level > 100.0 * sigma and is_flat_topped(image, y, x, peak, level)
        ):
            fill_blob(image, y, x, level + 0.8 * (peak - level), mask, stack, blob)
            radius = max(np.sqrt(blob[0] / np.pi), 0.5)
            for q in range(n_saturated):
                star = stars[saturated[q]]
                # Another corner of the same blob, e.g. of a column that it has spilled into.
                inside = inside or np.hypot(star[0] - blob[1], star[1] - blob[2]) < radius
            if inside:
                continue
            stars[kept, 0], stars[kept, 1], stars[kept, 2] = blob[1], blob[2], radius
            saturated[n_saturated] = kept
            n_saturated += 1
        home = (y // box) * box_columns + x // box
        following[kept] = heads[home]
        heads[home] = kept
        kept += 1
    return kept
