"""The rule on cameras that filter their raw frames."""

from collections.abc import Iterator

import numpy as np

from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._pictures import Axis, Comparison, Mark, Row
from lightframe.checks._rules import found, rule
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []


@rule(
    "filtered-raw",
    "the camera filters its raw frames",
    severity=Severity.WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("filtered_maxima",),
)
def filtered_raw(evidence: SessionEvidence) -> Iterator[Finding]:
    """Count pixels that are higher than all their neighbours: in noise it is one in nine.

    A camera that cuts each pixel at the highest of its neighbours, to hide hot pixels, leaves no
    such pixel. It also eats stars, and its darks do not match its lights (guide 1.4). Switch
    the filter off (long-exposure noise reduction, hot-pixel removal in the driver), or use another
    mode.

    Example: 0.0 % of the pixels of the darks exceed their 8 neighbours of the same colour; in noise
    it would be 11 %.
    """
    limit = evidence.settings.filtered_maxima
    wrong: list[tuple[SetEvidence, float, str]] = []
    for frames in evidence.sets:
        if frames.is_master or frames.kind is FrameKind.FLAT:
            continue
        maxima = np.array([f.lone_maxima for f in frames.frames])
        if maxima.size == 0 or not np.all(np.isfinite(maxima)):
            continue
        near, own = np.median(maxima, axis=0)
        if min(near, own) < limit:
            which = "8 neighbours" if near < limit else "8 neighbours of the same colour"
            wrong.append((frames, float(min(near, own)), which))
    if wrong:
        _, share, which = wrong[0]
        yield found(
            "filtered-raw",
            frames=[path for frames, _, _ in wrong for path in frames.paths],
            message=f"in {', '.join(frames.label for frames, _, _ in wrong)} {percent(share, 2)} of"
            f" the pixels are higher than their {which}; in noise it is 11 % (needed:"
            f" {percent(limit, 1)})",
            cause="the camera or its driver removes hot pixels from raw frames, and small stars"
            " with them",
            remedy="switch off noise reduction and hot-pixel removal in the camera or driver",
            evidence={
                "lone_maxima": {frames.label: round(value, 5) for frames, value, _ in wrong},
                "expected_in_noise": 0.111,
                "needed": limit,
            },
            picture=Comparison(
                title="Pixels that are higher than all their neighbours",
                caption="In plain noise it is one in nine. A filter that cuts pixels at the highest"
                " of their neighbours leaves none.",
                axis=Axis("part of the pixels", "%"),
                rows=tuple(
                    Row(frames.label, round(100.0 * value, 3), wrong=True)
                    for frames, value, _ in wrong
                ),
                marks=(Mark("in noise", 11.1),),
                from_zero=True,
            ),
        )
