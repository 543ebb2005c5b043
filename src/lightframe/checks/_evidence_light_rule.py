"""The rule on lights that show nothing but the ceiling of the sensor."""

from collections.abc import Iterator

from lightframe.checks._evidence_pictures import levels_beside
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_tools import names_of, saturated_part
from lightframe.checks._finding import Finding
from lightframe.checks._pictures import Row
from lightframe.checks._rules import Stage, found, witness
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []


@witness(
    "bad-light",
    judges=SessionEvidence,
    thresholds=("saturated_light",),
    stage=Stage.FRAME,
)
def saturated_light(evidence: SessionEvidence) -> Iterator[Finding]:
    """Count the pixels of each raw light that are saturated.

    Where more than half of them are, there is no sky to be measured, and hardly a star: the light
    is set aside before it is calibrated, and compared with no other frame. Stars, and the core of a
    galaxy, may saturate.

    Example: 100 % of the pixels of light_0007.fits are at 65535 DN: it was taken by day.
    """
    limit = evidence.settings.saturated_light
    for lights in evidence.of(FrameKind.LIGHT):
        parts = {frame: saturated_part(frame) for frame in lights.frames}
        bad = [frame for frame, part in parts.items() if part.fraction > limit]
        if not bad:
            continue
        least = min(parts[frame].fraction for frame in bad)
        level = max(parts[frame].level_dn for frame in bad)
        several = len(bad) > 1
        yield found(
            "bad-light",
            frames=[frame.path for frame in bad],
            message=f"{names_of(bad)}: {'at least ' if several else ''}{percent(least, 0)} of the"
            f" pixels are saturated, at {level:.0f} DN",
            cause="daylight, a lamp, an exposure that was far too long, or a camera that is stuck",
            remedy="look at the frame, and leave it out; a run sets it aside",
            evidence={
                "saturated_fraction": round(least, 4),
                "saturation_dn": level,
                "allowed": limit,
            },
            picture=levels_beside(
                evidence,
                [Row(frame.path.name, frame.level, wrong=True) for frame in bad[:3]],
                "Level of the light beside those of all sets",
                f"More than {percent(limit, 0)} of its pixels are at the ceiling. Bars reach from"
                " the lowest frame of a set to the highest.",
                without=[frame.path for frame in bad],
            ),
        )
