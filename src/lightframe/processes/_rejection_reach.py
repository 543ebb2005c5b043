"""What a rejection algorithm cannot do: how few frames leave it without effect."""

from math import sqrt

from lightframe.processes._rejection import choose_rejection
from lightframe.processes._rejection_limits import RejectionLimits

__all__ = ["rejection_reach"]

_FEWEST_COMPARED = 3


def rejection_reach(name: str, frames: int, limits: RejectionLimits) -> str:
    """Say why an algorithm cannot reject a single outlier among so few frames.

    The outlier widens what it is compared with. One among n equal samples is sqrt(n) standard
    deviations from their median, and, as a line through the others has the mean absolute deviation
    d / n, n / 2 units of linear fit clipping away from it. Of two samples nothing tells which is
    wrong.

    Parameters
    ----------
    name : str
        Name in `REJECTIONS`.
    frames : int
        Their number.
    limits : RejectionLimits
        Parameters of the algorithms.

    Returns
    -------
    str
        The reason; empty if it can, or is not meant to.
    """
    if name == "auto":
        name = choose_rejection(frames)
    if name in {"none", "min-max"} or frames < 1:
        return ""
    if frames == 1:
        return "there is nothing to compare a single frame with"
    if frames < _FEWEST_COMPARED and name not in {"percentile", "ccd-noise"}:
        return "nothing tells which of two samples is wrong"
    distances = []
    if name in {"sigma", "averaged-sigma"}:
        farthest, unit = sqrt(frames), "sigma"
        distances = [limits.sigma.low] * limits.reject_low + [
            limits.sigma.high
        ] * limits.reject_high
    elif name == "linear-fit":
        farthest, unit = frames / 2, "units"
        line = limits.linear_fit
        distances = [line.low] * limits.reject_low + [line.high] * limits.reject_high
    if not distances or farthest >= min(distances):
        return ""
    return (
        f"an outlier among {frames} is at most {farthest:.2g} {unit} away, and the limit is"
        f" {min(distances):g}"
    )
