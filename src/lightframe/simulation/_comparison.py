"""How a result compares with the truth: the numbers, and a table of them."""

from dataclasses import asdict, dataclass
from typing import Any

from lightframe.figures import percent

__all__ = ["ChannelComparison", "Comparison"]


@dataclass(frozen=True, slots=True)
class ChannelComparison:
    """One channel of a result against the truth.

    Attributes
    ----------
    name : str
        The channel.
    scale : float
        Flux of the stars in the result relative to ``electrons / e_per_dn`` in clear air.
    scale_error : float
        Standard error of `scale`.
    expected_scale : float
        What it should be: mean of the flat (a flat is divided by its mean) times the transparency
        of the light to which the others are normalised.
    balance : float
        `scale` relative to `expected_scale`, divided by the same of the second (or only) channel:
        1 where the colours are right.
    sky_dn, offset_dn : float
        Brightness of the true background in the result's DN, and by how much the result's
        background lies above it.
    tilt, vignetting, unevenness : float
        What is left in the background, relative to the sky: a plane that the sky's own gradients
        do not explain, from edge to edge; light proportional to 1 / flat, in the darkest place
        (positive where the flat corrects too much); the range of 95 % of all tiles about the
        plane.
    noise_dn, ideal_noise_dn : float
        Noise per pixel of a raw frame away from stars, measured on blocks of 8 x 8 pixels so that
        interpolation does not hide it, and that of an ideal stack.
    """

    name: str
    scale: float
    scale_error: float
    expected_scale: float
    balance: float
    sky_dn: float
    offset_dn: float
    tilt: float
    vignetting: float
    unevenness: float
    noise_dn: float
    ideal_noise_dn: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A result against the truth.

    Attributes
    ----------
    channels : tuple of ChannelComparison
        Channel by channel.
    stars : int
        Number of stars that were measured.
    shift_px : (float, float)
        Median displacement of the stars from their true places, x and y.
    scatter_px : float
        Robust standard deviation of the displacements in one coordinate.
    """

    channels: tuple[ChannelComparison, ...]
    stars: int
    shift_px: tuple[float, float]
    scatter_px: float

    def as_dict(self) -> dict[str, Any]:
        """Return all values as plain data."""
        return asdict(self)

    def rows(self) -> list[tuple[str, ...]]:
        """Return a table: what was compared, then a text for each channel."""
        channels = self.channels
        lines = [
            ("", *(one.name for one in channels)),
            ("flux / expected", *(_ratio(one.scale, one.expected_scale) for one in channels)),
            ("error of it", *(f"{one.scale_error / one.expected_scale:.4f}" for one in channels)),
            ("colour balance", *(f"{one.balance:.4f}" for one in channels)),
            ("background offset, DN", *(f"{one.offset_dn:+.1f}" for one in channels)),
            ("tilt / sky", *(percent(one.tilt, 2) for one in channels)),
            (
                "vignetting left / sky",
                *(percent(one.vignetting, 2, signed=True) for one in channels),
            ),
            ("unevenness / sky", *(percent(one.unevenness, 2) for one in channels)),
            ("noise of areas, DN", *(f"{one.noise_dn:.3f}" for one in channels)),
            (
                "noise of areas / ideal",
                *(_ratio(one.noise_dn, one.ideal_noise_dn) for one in channels),
            ),
        ]
        blank = [""] * (len(channels) - 1)
        shift = f"{self.shift_px[0]:+.3f} {self.shift_px[1]:+.3f}"
        lines.append(("star offset, px", shift, *blank))
        lines.append(("star scatter, px", f"{self.scatter_px:.3f}", *blank))
        lines.append(("stars measured", str(self.stars), *blank))
        return lines

    def table(self) -> str:
        """Return the table as text."""
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(
                [row[0].ljust(widths[0])]
                + [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
            ).rstrip()
            for row in rows
        )


def _ratio(value: float, reference: float) -> str:
    return f"{value / reference:.4f}"
