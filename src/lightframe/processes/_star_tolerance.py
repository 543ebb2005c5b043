"""What may differ between good frames at a star, so that rejection does not eat its core.

Seeing, focus and guiding change from frame to frame, and with them the cores and wings of stars,
by far more than the noise. Rejection takes the sharpest frames for outliers, and the stars come out
too faint: by 1 percent on simulated frames of 2.8 to 3.4 px FWHM (winsorized, 4 and 3 sigma). So
samples are kept that differ by no more than what the range of widths explains. Away from stars,
where trails and cosmic rays are looked for, nothing changes.
"""

import numpy as np
import numpy.typing as npt

from lightframe.kernels._star_tolerance import BETA, draw_tolerance

__all__ = ["star_tolerance"]

_SHAPE_SHARE = 0.05
"""Part of the profile by which elongation and registration may change it at the same width."""
_WIDENING = 1.1
"""The widths are medians over a frame: single stars are sharper and wider."""
_LEAST_OF_NOISE = 0.3


def star_tolerance(
    stars: npt.NDArray[np.float64],
    widths_px: tuple[float, float],
    noise_dn: float,
    shape: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """Map how many DN a sample may differ from the others because of the stars' widths.

    Parameters
    ----------
    stars : ndarray of float64, shape (n, 3)
        x, y in pixels of the result, and flux in DN.
    widths_px : tuple of float
        FWHM of the sharpest and of the widest frame, in pixels of the result.
    noise_dn : float
        Noise of a frame; where the map is below 0.3 of it, it is 0.
    shape : tuple of int
        Rows and columns of the result.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Sum over the stars of ``F (|g1(r) - g2(r)| + 0.05 (g1(r) + g2(r)) / 2)`` with Moffat
        profiles g1, g2 of flux 1 and exponent 3, and widths a tenth beyond those given.
    """
    sharp, wide = min(widths_px) / _WIDENING, max(widths_px) * _WIDENING
    to_alpha = 0.5 / np.sqrt(2.0 ** (1.0 / BETA) - 1.0)
    out = np.zeros(shape, np.float32)
    draw_tolerance(
        np.ascontiguousarray(stars, np.float64),
        (sharp * to_alpha, wide * to_alpha),
        _SHAPE_SHARE,
        max(_LEAST_OF_NOISE * noise_dn, 1e-6),
        out,
    )
    out[out < _LEAST_OF_NOISE * noise_dn] = 0.0
    return out
