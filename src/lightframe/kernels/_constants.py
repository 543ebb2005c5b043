"""Numbers that several layers share."""

__all__ = ["FULL_SCALE", "MAD_TO_SIGMA", "MAD_TO_SIGMA_EXACT"]

FULL_SCALE = 65535.0
"""Highest value of 16 bits, and the DN of 1 in files whose samples are fractions of full scale."""

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation, as the field writes it."""

MAD_TO_SIGMA_EXACT = 1.482602218505602
"""The same to all digits, 1 / quantile(0.75): what rejects and corrects pixels compares with it."""
