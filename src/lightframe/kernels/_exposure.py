"""Turn mean electrons into raw numbers: counter-based random numbers, shot noise, read noise, ADC.

The noise of a pixel depends on the key of its frame and on its own index alone, so a frame comes
out the same to the bit whichever thread makes it, and in whatever order frames are made.
"""

import math

import numpy as np
import numpy.typing as npt

from lightframe.kernels._compile import kernel

__all__ = ["philox", "poisson", "read_out"]

Float32 = npt.NDArray[np.float32]
UInt16 = npt.NDArray[np.uint16]
Word = np.uint64

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)

_EXACT_BELOW = 32.0
"""Mean electrons below which a Poisson count is drawn by inversion; above it Cornish-Fisher."""

_RECIPROCAL = 1.0 / np.maximum(np.arange(256, dtype=np.float64), 1.0)


@kernel
def philox(
    c0: Word, c1: Word, c2: Word, c3: Word, key0: Word, key1: Word
) -> tuple[Word, Word, Word, Word]:
    """Return four random 32-bit words (as uint64) of Philox4x32-10 at a counter.

    J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11.
    """
    for _ in range(10):
        first = _MULTIPLIER_0 * c0
        second = _MULTIPLIER_1 * c2
        c0 = (second >> _HALF) ^ c1 ^ key0
        c1 = second & _LOW
        c2 = (first >> _HALF) ^ c3 ^ key1
        c3 = first & _LOW
        key0 = (key0 + _WEYL_0) & _LOW
        key1 = (key1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@kernel
def poisson(mean: float, uniform: float, normal: float) -> float:
    """Return a Poisson variate of `mean`, from a uniform in [0, 1) or a standard normal number.

    Below 32 by inversion, exact. Above by the Cornish-Fisher expansion to third order, whose mean,
    variance and skewness are those of the Poisson distribution (fourth cumulant to 1/mean); it is
    not rounded to whole electrons, since rounding would add 1/12 to the variance.
    """
    if mean <= 0.0:
        return 0.0
    if mean < _EXACT_BELOW:
        term = math.exp(-mean)
        total = term
        count = 0
        while uniform > total and count < 255:
            count += 1
            term *= mean * _RECIPROCAL[count]
            total += term
        return float(count)
    root = math.sqrt(mean)
    square = normal * normal
    return mean + root * normal + (square - 1.0) / 6.0 + normal * (1.0 - square) / (72.0 * root)


@kernel
def read_out(
    mean_e: Float32,
    dark_e_s: Float32,
    dark_time_s: float,
    bias_e: Float32,
    row_e: Float32,
    level_adu: float,
    read_noise_e: float,
    e_per_adu: float,
    full_well_e: float,
    linear_to: float,
    ceiling: int,
    shift: int,
    key0: Word,
    key1: Word,
    out: UInt16,
) -> None:
    """Expose and read one frame.

    Parameters
    ----------
    mean_e : float32 (h, w)
        Mean electrons of all but dark current.
    dark_e_s : float32 (h, w)
        Dark current in electrons per second.
    dark_time_s : float
        Factor on it: exposure times the effect of temperature.
    bias_e : float32 (h, w)
        Fixed pattern of the bias in electrons.
    row_e : float32 (h,)
        What this frame's rows add, in electrons.
    level_adu : float
        Mean bias level in ADC units.
    read_noise_e, e_per_adu, full_well_e : float
        Read noise and full well in electrons, conversion gain in electrons per ADC unit.
    linear_to : float
        Fraction of full well up to which the response is linear; the rest is approached
        exponentially. At 1 the pixel clips hard.
    ceiling, shift : int
        Highest ADC value; bits by which the value is shifted left when stored.
    key0, key1 : uint64
        The frame's key, 32 bits each.
    out : uint16 (h, w)
        The raw frame.
    """
    height, width = mean_e.shape
    zero = np.uint64(0)
    two_pi = 2.0 * math.pi
    knee = linear_to * full_well_e
    rest = full_well_e - knee
    for y in range(height):
        row = row_e[y]
        for x in range(width):
            index = np.uint64(y * width + x)
            w0, w1, w2, w3 = philox(index & _LOW, index >> _HALF, zero, zero, key0, key1)
            radius = math.sqrt(-2.0 * math.log((float(w0) + 0.5) * 2.0**-32))
            angle = np.float32((float(w1) + 0.5) * 2.0**-32 * two_pi)
            mean = mean_e[y, x] + dark_e_s[y, x] * dark_time_s
            electrons = 0.0
            if mean > 0.0:
                uniform = (float(w2) + float(w3) * 2.0**-32) * 2.0**-32
                electrons = poisson(mean, uniform, radius * math.sin(angle))
                if electrons > knee:
                    if rest > 0.0:
                        electrons = knee + rest * (1.0 - math.exp((knee - electrons) / rest))
                    else:
                        electrons = knee
            signal = electrons + bias_e[y, x] + row + read_noise_e * radius * math.cos(angle)
            adu = math.floor(signal / e_per_adu + level_adu + 0.5)
            adu = min(max(adu, 0.0), float(ceiling))
            out[y, x] = np.uint16(np.int64(adu) << shift)
