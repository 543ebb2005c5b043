"""Masters that cannot belong to a frame, told by the pixels of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lightframe.errors import IncompatibleFramesError, InputError
from lightframe.frames import FrameInfo, FrameKind

__all__ = ["MasterLevels", "refuse_colour_image", "refuse_other_scale"]

_HIGHEST_FRACTION = 2.5
"""A master on a scale of 0..1 with a few pixels beyond it; in DN no bias lies so low."""
_LOWEST_DN = 50.0
"""Frames in DN have more."""
_HIGH = 0.999
_SAMPLED_PIXELS = 1 << 18


@dataclass(frozen=True, slots=True)
class MasterLevels:
    """Level of a master bias or dark that holds its bias, free of its pedestal.

    Attributes
    ----------
    name : str
        Of its file.
    median_dn, high_dn : float
        Median and 99.9th percentile.
    assumed : str
        What had to be assumed of its scale; empty if the file says it.
    """

    name: str
    median_dn: float
    high_dn: float
    assumed: str

    @classmethod
    def of(cls, info: FrameInfo, pixels: npt.NDArray[np.float32]) -> "MasterLevels | None":
        """Measure a master; None if it is neither bias nor dark, free of its bias, or empty."""
        if info.kind is FrameKind.FLAT or FrameKind.BIAS in info.calibration:
            return None
        found = _levels(pixels)
        if found is None:
            return None
        pedestal = info.pedestal_dn or 0.0
        assumed = next((note for note in info.notes if "DNSCALE" in note), "")
        return cls(info.path.name, found[0] - pedestal, found[1] - pedestal, assumed)


def _levels(pixels: npt.NDArray[np.generic]) -> tuple[float, float] | None:
    values = pixels.reshape(-1)[:: max(1, pixels.size // _SAMPLED_PIXELS)].astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    return float(np.median(values)), float(np.quantile(values, _HIGH))


def refuse_other_scale(
    info: FrameInfo, raw: npt.NDArray[np.generic], masters: Sequence[MasterLevels]
) -> None:
    """Raise if a frame and a master that is subtracted from it are not on one scale.

    A frame holds what bias and dark hold, and light: a master whose median lies above all but a
    thousandth of its pixels is not its own. A master in 0..1 changes nothing in a frame in DN.

    Raises
    ------
    IncompatibleFramesError
        Naming both files and both levels.
    """
    found = _levels(raw)
    if found is None:
        return
    median, high = found
    for master in masters:
        if master.median_dn > high:
            raise IncompatibleFramesError(
                "level",
                (master.name, f"a median of {master.median_dn:.6g} DN"),
                (info.path.name, f"99.9 % of its pixels below {high:.6g} DN"),
                cause=master.assumed or "the master is of another offset or gain, or another scale",
                remedy="take a master of the frame's own camera settings; or save it anew as 16-bit"
                " integers, or as floats with the keyword DNSCALE (1 for DN)",
            )
        if master.assumed and master.high_dn <= _HIGHEST_FRACTION and median >= _LOWEST_DN:
            raise IncompatibleFramesError(
                "scale",
                (master.name, f"values up to {master.high_dn:.4g} DN"),
                (info.path.name, f"a median of {median:.6g} DN"),
                cause=master.assumed,
                remedy="save the master anew as 16-bit integers, or as floats with the keyword"
                " DNSCALE (65535 for 0..1)",
            )


def refuse_colour_image(info: FrameInfo, masters: Sequence[FrameInfo]) -> None:
    """Raise if a debayered image is to be calibrated with masters of a mosaic.

    Masters of one plane serve images of three where all are of a monochrome kind; a pixel of a
    mosaic is no pixel of its interpolation.

    Raises
    ------
    IncompatibleFramesError
        Naming both files, channels and pattern.
    InputError
        If the frame's own header says that it was a mosaic.
    """
    if info.channels == 1:
        return
    for master in masters:
        if master.cfa is not None:
            raise IncompatibleFramesError(
                "kind of image",
                (info.path.name, f"{info.channels} channels"),
                (master.path.name, f"the CFA pattern {master.cfa.name}"),
                cause="the frame has been debayered, or is a stack of a camera's own",
                remedy="calibrate the raw CFA frames, and debayer afterwards",
            )
    pattern = next(_stated_patterns(info), None)
    if pattern is not None:
        raise InputError(
            f"is a colour image of {info.channels} channels, but its header names the CFA pattern"
            f" {pattern}",
            where=info.path,
            cause="it has been debayered",
            remedy="calibrate the raw CFA frames, and debayer afterwards",
        )


def _stated_patterns(info: FrameInfo) -> Iterator[str]:
    value = info.header.get("BAYERPAT")
    if isinstance(value, str) and value.strip():
        yield value.strip()
