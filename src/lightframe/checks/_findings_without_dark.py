"""What is said of lights without a dark: they need one, or their camera has seen to it."""

from collections.abc import Sequence
from pathlib import Path

from lightframe.checks._anomalies import ANOMALIES
from lightframe.checks._finding import Finding, Severity
from lightframe.checks._numbers import counted
from lightframe.checks._rules import found

__all__ = ["dark_missing", "dark_subtracted_by_camera"]


def dark_missing(lights: Sequence[Path], *, bias: bool, flat: bool) -> Finding:
    """Return the finding on lights that need a dark, and may have a bias and a flat."""
    nothing = "nothing is subtracted from them" + (", so the flat over-corrects" if flat else "")
    return found(
        "no-dark",
        frames=lights,
        message=f"{_without_dark(lights)}: {'only the bias is subtracted' if bias else nothing}",
        cause="no darks were taken, or they are not in the folders given",
        remedy="take darks with exposure, temperature, gain and offset of the lights; cosmetic"
        " correction and dithering help in the meantime",
        evidence={"lights": len(lights), "bias": bias},
    )


def dark_subtracted_by_camera(lights: Sequence[Path], *, bias: bool, flat: bool) -> Finding:
    """Return the finding on lights of a camera that is known to subtract a dark itself."""
    return found(
        "no-dark",
        frames=lights,
        severity=Severity.INFO,
        message=f"{_without_dark(lights)}: the camera subtracts one itself",
        cause=ANOMALIES.meaning("dark-subtracted"),
        remedy=f"{ANOMALIES['dark-subtracted'].advice}; dithering and cosmetic correction remove"
        " the hot pixels that are left",
        evidence={
            "lights": len(lights), "bias": bias, "flat": flat, "subtracted_by_camera": True,
        },
    )  # fmt: skip


def _without_dark(lights: Sequence[Path]) -> str:
    return f"{counted(len(lights), 'light has', 'lights have')} no dark"
