"""Rules on what single files are: readable, met once, in the units and of the kind they claim."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from lightframe.checks._evidence_frame import FrameEvidence, Places
from lightframe.checks._evidence_pictures import levels_beside
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import DARK_KINDS, SetEvidence
from lightframe.checks._evidence_tools import (
    dark_reference,
    full_scale,
    names_of,
    same_setup,
    saturated_part,
)
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._pictures import Row
from lightframe.checks._plan_rules import unreadable
from lightframe.checks._rules import Stage, found, rule, witness
from lightframe.figures import percent
from lightframe.frames import FrameKind
from lightframe.kernels._constants import FULL_SCALE

__all__ = ["drifting_stars"]

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_SIGNED = 32768.0


@witness("unreadable-file", judges=SessionEvidence)
def unreadable_pixels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Read all pixels, too: a file may have a sound header and end before its pixels do.

    Example: "the file ends after 1 209 600 of 2 018 880 bytes" names the frame, and the run goes on
    with the others.
    """
    for refusal in evidence.unreadable:
        yield unreadable(
            refusal,
            f"the pixels of {refusal.path.name} cannot be read",
            "an interrupted transfer or download, or a full disk",
        )


@rule(
    "duplicate-frame",
    "the same exposure is there twice",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
)
def duplicate_frame(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare hashes of pixels: noise never repeats, so equal pixels are one exposure.

    A frame that counts twice takes part in rejection as if it were two, and the noise of the result
    is higher than its number of frames says (guide 6). Frames without noise, such as saturated
    ones, are not compared. Delete one of the two.

    Example: light_0003.fits and light_0003 (copy).fits have the same pixels in 64 patches of
    32 x 32 and the same histogram.
    """
    alike: dict[str, list[FrameEvidence]] = defaultdict(list)
    for frame in evidence.frames():
        if np.all(frame.noise > 0):
            alike[frame.digest].append(frame)
    for copies in alike.values():
        if len(copies) > 1:
            yield found(
                "duplicate-frame",
                frames=[frame.path for frame in copies[1:]],
                message=f"{names_of(copies)} have the same pixels",
                cause="a file was copied, or saved twice under two names",
                remedy="delete all but one of them",
                evidence={"same_pixels": [str(f.path) for f in copies], "hash": copies[0].digest},
            )


@rule(
    "unsigned-offset-wrong",
    "BZERO was lost or applied twice: values are 32768 too low or too high",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.FRAME,
)
def unsigned_offset_wrong(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for raw frames of negative numbers, and for darks that lie 32768 above what is usual.

    FITS stores unsigned 16-bit numbers as signed ones and says so with BZERO = 32768. If a program
    loses that keyword, a dark of 700 DN reads as -32068; if it is applied twice, as 33468.
    Calibration with such a frame gives nonsense. Save the frames anew with the program that took
    them.

    Example: all pixels of a dark lie between -32104 and -31000 DN; adding 32768 gives 664 to 1768.
    """
    wrong: dict[str, list[FrameEvidence]] = defaultdict(list)
    for frames in evidence.sets:
        for frame in frames.frames:
            levels = frame.levels
            whole = float(levels.fractional.max()) == 0.0
            if whole and float(levels.negative.min()) > 0.5 and levels.median.max() < -1000.0:  # noqa: PLR2004
                wrong["too low"].append(frame)
            elif (
                whole
                and frames.is_dark
                and not frames.is_master
                and levels.minimum.min() >= _SIGNED
                and levels.median.max() < _SIGNED + 8000.0
            ):
                wrong["too high"].append(frame)
    for how, frames_wrong in wrong.items():
        first = frames_wrong[0].levels
        sign = 1.0 if how == "too low" else -1.0
        yield found(
            "unsigned-offset-wrong",
            frames=[frame.path for frame in frames_wrong],
            message=f"{names_of(frames_wrong)}: median {first.median.mean():.0f} DN,"
            f" minimum {first.minimum.min():.0f} DN: all values are 32768 {how}",
            cause="a program that copied or converted the files lost BZERO"
            if how == "too low"
            else "a program added BZERO to values that contained it",
            remedy="take the files as the capture program wrote them, or repair BZERO",
            evidence={
                "median_dn": float(first.median.mean()),
                "minimum_dn": float(first.minimum.min()),
                "median_if_repaired_dn": float(first.median.mean()) + sign * _SIGNED,
            },
            picture=levels_beside(
                evidence,
                [
                    Row(f"{frames_wrong[0].path.name} as it is", frames_wrong[0].level, wrong=True),
                    Row("repaired, by 32768 DN", frames_wrong[0].level + sign * _SIGNED),
                ],
                "Level of the frame, as it is and repaired",
                "Repaired it lies where its kind belongs.",
                without=[frame.path for frame in frames_wrong],
            ),
        )


@rule(
    "units-mismatch",
    "a master in 0..1 meets frames in DN",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=SessionEvidence,
    stage=Stage.FRAME,
)
def units_mismatch(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the range of a given master bias or dark with that of the raw frames.

    A master of 0.01 subtracted from a light of 700 DN changes nothing: bias and dark signal stay in
    and the flat over-corrects (guide 8.4). Files of floating-point numbers between 0 and 1 are
    taken as fractions of 65535; this finding is of those whose scale is still wrong.

    Example: the master dark lies between 0.0102 and 1.9, the lights at 1500 DN.
    """
    raw = [s for s in evidence.sets if not s.is_master]
    if not raw:
        return
    usual = float(np.median([s.level.mean() for s in raw]))
    highest_master, lowest_raw = 2.5, 50.0
    for master in evidence.masters(*DARK_KINDS):
        highest = float(master.frames[0].levels.quantile(0.999).max())
        if highest <= highest_master and usual >= lowest_raw and float(master.level.max()) > 0:
            yield found(
                "units-mismatch",
                frames=master.paths,
                message=f"{master.label}: values up to {number(highest)}, but {usual:.0f} DN in the"
                " raw frames",
                cause="the master is on a scale of its own, e.g. 0..1 with a few pixels above 1",
                remedy="save the master anew as 16-bit integers, or as floats between 0 and 1",
                evidence={"highest_in_master": highest, "median_of_raw_frames_dn": usual},
                picture=levels_beside(
                    evidence,
                    [Row(f"{master.label}, its highest values", highest, wrong=True)],
                    "Values of the master beside the levels of raw frames",
                    "They are on different scales.",
                ),
            )


@rule(
    "frame-type-mislabelled",
    "the pixels contradict the frame type in the header",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("illuminated", "stars_in_light"),
    stage=Stage.FRAME,
)
def frame_type_mislabelled(evidence: SessionEvidence) -> Iterator[Finding]:
    """Ask the pixels what a frame is: level, noise, stars.

    A frame said to be dark is none if it is brighter than the dimmest frames by more than 15 % of
    the range, or if it shows stars that its neighbours do not show. A flat without light is a dark;
    a flat with stars and little light is a light. A light with level and noise of a dark is a dark;
    a bright one without a single star is a flat. One such frame in a set spoils the master
    (guide 4). Move the frame to its kind, or correct IMAGETYP.

    Example: dark_0004.fits has 26019 DN, the other darks 700 DN: it is a flat.
    """
    floors = [float(s.level.mean()) for s in evidence.sets if not s.is_master]
    floors += [f.level for f in evidence.frames()]
    floor = min((level for level in floors if level >= 0.0), default=0.0)
    cases: dict[tuple[FrameKind, str], list[tuple[FrameEvidence, str]]] = defaultdict(list)
    for frames in evidence.sets:
        if frames.is_master:
            continue
        for frame in frames.frames:
            if (verdict := _contradiction(evidence, frames, frame, floor)) is not None:
                cases[frames.kind, verdict[0]].append((frame, verdict[1]))
    for (kind, real), members in cases.items():
        frames_wrong = [frame for frame, _ in members]
        yield found(
            "frame-type-mislabelled",
            frames=[frame.path for frame in frames_wrong],
            message=f"{names_of(frames_wrong)}: said to be {kind.value}, but {members[0][1]}:"
            f" {real}",
            cause="the wrong frame type was set in the capture program, or files lie in the wrong"
            " folder",
            remedy="move the frames to their kind, or correct IMAGETYP in their headers",
            evidence={
                "claimed": kind.value,
                "seen": real,
                "level_dn": frames_wrong[0].level,
                "floor_dn": floor,
                "noise_dn": float(frames_wrong[0].noise.mean()),
                "stars": frames_wrong[0].stars.total,
                "illuminated_above": evidence.settings.illuminated,
            },
            picture=levels_beside(
                evidence,
                [
                    Row(f"{frame.path.name}, said to be {kind.value}", frame.level, wrong=True)
                    for frame in frames_wrong[:3]
                ],
                "Level of the frame beside those of all sets",
                f"It is {real}. Bars reach from the lowest frame of a set to the highest.",
                without=[frame.path for frame in frames_wrong],
            ),
        )


def _contradiction(
    evidence: SessionEvidence, frames: SetEvidence, frame: FrameEvidence, floor: float
) -> tuple[str, str] | None:
    """Return what a frame is and why, or None where nothing contradicts its label."""
    scale = full_scale(evidence, frames) or FULL_SCALE
    if frames.is_dark:
        return _not_dark(evidence, frames, frame, (frame.level - floor) / scale)
    if frames.kind is FrameKind.FLAT:
        return _not_a_flat(evidence, frames, frame, floor, scale)
    return _not_a_light(evidence, frames, frame, floor, scale)


def _not_dark(
    evidence: SessionEvidence, frames: SetEvidence, frame: FrameEvidence, light: float
) -> tuple[str, str] | None:
    settings = evidence.settings
    own = others = [f for f in frames.frames if f is not frame]
    if len(others) < 2:  # noqa: PLR2004 - too few of its own: darks of other exposures will do
        alike = [s for s in evidence.of(*DARK_KINDS) if s is not frames and same_setup(s, frames)]
        others = [f for s in alike for f in s.frames[:3]]
    level = float(np.median([f.level for f in others])) if others else frame.level
    noise = float(np.median([f.noise.mean() for f in others])) if others else frame.noise.mean()
    if light > settings.illuminated:
        stars = drifting_stars(frame, others)
        kind = "a light" if stars >= settings.stars_in_light else "a flat"
        return (
            kind,
            f"its level of {frame.level:.0f} DN is {percent(light, 0)} of the range above the bias",
        )
    fewest_others = 2
    if len(others) < fewest_others:
        return None
    # Darks of other exposures lack some clusters of hot pixels; those of its own set have them.
    stars = min(drifting_stars(frame, others), drifting_stars(frame, own))
    enough = stars >= max(settings.stars_in_light, 5.0 * frame.megapixels)
    brighter = frame.level > level + 0.5 * noise or frame.noise.mean() > 1.1 * noise
    if enough and brighter and stars > 0.5 * frame.stars.total:
        return "a light", f"it shows {stars} stars that the others do not show"
    return None


def _not_a_flat(
    evidence: SessionEvidence,
    frames: SetEvidence,
    frame: FrameEvidence,
    floor: float,
    scale: float,
) -> tuple[str, str] | None:
    settings = evidence.settings
    light = (frame.level - floor) / scale
    dark = dark_reference(evidence, frames)
    others = [f for f in frames.frames if f is not frame]
    stars = drifting_stars(frame, others)
    noise = float(frame.noise.mean())
    dim = light < 0.05  # noqa: PLR2004 - a twentieth of the range
    if stars >= 2 * settings.stars_in_light and dim and stars > 0.5 * frame.stars.total:
        return (
            "a light",
            f"it shows {stars} stars at {percent(light, 1)} of the range above the bias",
        )
    if dark is not None:
        quiet = float(dark.noise.mean())
        level = float(dark.level.mean())
    else:
        quiet, level = float("inf"), floor
        brightest = max((f.level for f in others), default=0.0)
        if brightest < 3.0 * max(frame.level, 1.0):
            return None  # nothing to compare with
    if abs(frame.level - level) < max(3.0 * noise, 0.002 * scale) and noise < 2.0 * quiet:
        return (
            "a dark or bias",
            f"its level of {frame.level:.0f} DN is that of frames without light",
        )
    return None


def _not_a_light(
    evidence: SessionEvidence,
    frames: SetEvidence,
    frame: FrameEvidence,
    floor: float,
    scale: float,
) -> tuple[str, str] | None:
    if saturated_part(frame).fraction > evidence.settings.saturated_light:
        return None  # `bad-light` tells of it
    noise = float(frame.noise.mean())
    light = (frame.level - floor) / scale
    others = [f for f in frames.frames if f is not frame]
    bright, few_stars = 0.2, 8.0 * max(1.0, frame.megapixels)
    if light > bright and noise > 0 and frame.stars.total <= few_stars:
        dimmer = all(f.level < frame.level / 2 or f.stars.total <= few_stars for f in others)
        if dimmer and frame.level - floor > 25.0 * noise:  # smooth, as flats are
            return "a flat", f"it has {percent(light, 0)} of the range and no stars"
    dark = dark_reference(evidence, frames)
    if dark is None:
        return _dark_among_lights(frame, others, evidence)
    quiet = float(dark.noise.mean())
    step = max(frames.step, 1)
    same_level = abs(frame.level - float(dark.level.mean())) < max(0.5 * quiet, step)
    same_noise = 0.85 * quiet < noise < 1.15 * quiet  # no photons, no photon noise
    if (
        same_level
        and same_noise
        and drifting_stars(frame, others) < evidence.settings.stars_in_light
    ):
        return (
            "a dark",
            f"level ({frame.level:.0f} DN) and noise ({number(noise)} DN) are those of darks",
        )
    return None


def _dark_among_lights(
    frame: FrameEvidence, others: list[FrameEvidence], evidence: SessionEvidence
) -> tuple[str, str] | None:
    """Tell a dark among lights where there is no dark to compare with."""
    fewest_others = 3
    if len(others) < fewest_others:
        return None
    level = float(np.median([f.level for f in others]))
    noise = float(np.median([f.noise.mean() for f in others]))
    starry = np.median([f.stars.total for f in others]) >= 2 * evidence.settings.stars_in_light
    darker = frame.level < level - 3.0 * noise and frame.noise.mean() < 0.5 * noise
    if starry and darker and drifting_stars(frame, others) == 0:
        return "a dark", f"it has {frame.level:.0f} DN, the others {level:.0f} DN, and no stars"
    return None


def drifting_stars(frame: FrameEvidence, others: list[FrameEvidence]) -> int:
    """Count stars of a frame at places where fewer than half of the others have one.

    Clusters of hot pixels look like stars, but never move.
    """
    stars: Places = frame.stars
    if stars.total == 0 or not others:
        return stars.total
    shared = np.zeros(stars.y.size, np.int64)
    for other in others[:5]:
        if other.stars.y.size == 0:
            continue
        dy = np.abs(stars.y[:, np.newaxis] - other.stars.y)
        dx = np.abs(stars.x[:, np.newaxis] - other.stars.x)
        shared += ((dy <= 2) & (dx <= 2)).any(axis=1)  # noqa: PLR2004 - one cell
    return int(np.count_nonzero(2 * shared < min(len(others), 5)))
