"""What the name of a camera tells about its sensor."""

import re
from dataclasses import dataclass

__all__ = ["Sensor", "sensor_of"]


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor as far as the camera's name gives it away.

    Attributes
    ----------
    technology : str or None
        ``"ccd"``, ``"cmos"``, or None where the name does not tell.
    glows : bool
        Known for strong amplifier glow, which dark scaling does not remove (guide 6.2.1).
    unstable_bias : bool
        Known for bias frames whose level and gradient vary below 0.2 s (guide 4.1).
    """

    technology: str | None = None
    glows: bool = False
    unstable_bias: bool = False


_KNOWN: tuple[tuple[str, Sensor], ...] = (
    (
        r"imx294|asi ?294|qhy ?294|mn34230|asi ?1600|qhy ?163|atik horizon",
        Sensor("cmos", glows=True, unstable_bias=True),
    ),
    (r"imx183|asi ?183|qhy ?183", Sensor("cmos", glows=True)),
    (r"\b(kaf|kai|icx) ?\d", Sensor("ccd")),
    (r"apogee|\balta\b|\baspen\b|\bsbig\b|\bst[lxf]?-\d|\bqsi\b|\bfli\b|proline", Sensor("ccd")),
    (r"starlight xpress|\btrius\b|\bgx? ?ccd\b|moravian g[0-4]|\bg[1-4]-\d", Sensor("ccd")),
    (r"atik ?(16|3\d\d|4\d\d|11000|one)|qhy ?(8|9|10|11|12|16)(l|pro|s)?\b", Sensor("ccd")),
    (r"\bimx ?\d|\basi ?\d|qhy ?\d{3}|seestar|dwarf|\bskyris|touptek|\batr\d", Sensor("cmos")),
    (r"canon|nikon|sony|fujifilm|pentax|olympus|panasonic|player one|vespera", Sensor("cmos")),
)
"""The first pattern found in the name decides."""


def sensor_of(camera: str | None) -> Sensor:
    """Return what the name of a camera, as written in a header, tells about its sensor."""
    name = re.sub(r"[\s_]+", " ", camera or "").lower()
    for pattern, sensor in _KNOWN:
        if re.search(pattern, name):
            return sensor
    return Sensor()
